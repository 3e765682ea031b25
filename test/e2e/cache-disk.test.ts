/**
 * The cache's files under a gateway that is killed, with no time to say goodbye, in the middle of storing: after each
 * start every answer is the whole right one, whether it comes from disk or from the origin.
 */
import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm, truncate } from "node:fs/promises";
import { createServer, get } from "node:http";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inFrontOf, startGateway } from "../support/gateway-process.ts";

const ROUNDS = 4;
const URLS = 40;

/** The same for a URL at any time, and of many sizes. */
function contentOf(url: string): Buffer {
  const digest = createHash("sha256").update(url).digest();
  return Buffer.alloc(200 + (digest.readUInt16BE(0) % 60_000), digest);
}

/** Under one name, whatever port the gateway has after its restart: the name is a part of the key. */
function fetched(port: number, path: string): Promise<{ body: Buffer; cacheStatus: string }> {
  return new Promise((resolve, reject) => {
    const request = get(
      { port, path, headers: { host: "things.example.com" }, agent: false },
      (answer: IncomingMessage) => {
        const pieces: Buffer[] = [];
        answer.on("data", (piece: Buffer) => pieces.push(piece));
        answer.on("error", reject);
        answer.on("end", () =>
          resolve({ body: Buffer.concat(pieces), cacheStatus: String(answer.headers["cache-status"]) }),
        );
      },
    );
    request.on("error", reject);
  });
}

test("a gateway that is killed while it stores serves nothing wrong after any restart, and keeps most of it", async () => {
  const state = await mkdtemp(join(tmpdir(), "goodgate-state-"));
  let asked = 0;
  const origin = createServer((request, response) => {
    asked += 1;
    response.writeHead(200, { "cache-control": "max-age=3600", etag: '"1"' });
    response.end(contentOf(request.url ?? ""));
  });
  await new Promise<void>((resolve) => {
    origin.listen(0, "127.0.0.1", resolve);
  });
  const { port } = origin.address() as AddressInfo;
  const file = inFrontOf(
    [`http://127.0.0.1:${port}`],
    { routes: [{ cache: true }] },
    { state, cache: { memory: "1MiB", disk: "64MiB" } },
  );
  const urls = Array.from({ length: URLS }, (_, index) => `/thing/${index}`);
  let hits = 0;
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      const gateway = await startGateway(file);
      for (const url of urls) {
        const { body, cacheStatus } = await fetched(gateway.port, url);
        expect(body.equals(contentOf(url)), `${url} in round ${round}`).toBe(true);
        if (round > 0 && cacheStatus.includes("hit")) hits += 1;
        // Each round further: what comes after is asked for at once and cut off while it is being stored.
        if (url === urls[10 * round + 9]) break;
      }
      const late = urls.map((url) => fetched(gateway.port, url));
      gateway.child.signal("SIGKILL");
      await Promise.allSettled(late);
      await gateway.stop();
      // A file that the machine's own end would have left short.
      const folder = join(state, "cache");
      const [first] = (await readdir(folder)).filter((name) => name.endsWith(".entry"));
      if (first !== undefined) await truncate(join(folder, first), 50);
    }
    expect(hits).toBeGreaterThan(20);
    expect(asked).toBeLessThan(ROUNDS * URLS);
  } finally {
    origin.close();
    await rm(state, { recursive: true, force: true });
  }
});
