/**
 * Bodies of any size and any speed: events arrive when they are sent, large bodies pass with flat memory, and
 * a reader that stops makes the origin stop. `GOODGATE_BODY_MIB=1024 npx vitest run test/e2e/streaming.test.ts`
 * does the large ones with 1 GiB.
 */
import { createHash } from "node:crypto";
import { get, request, type IncomingMessage } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventBefore } from "../support/event-before.ts";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { startNodeApp, type Peer } from "../support/peers.ts";
import { rawClient } from "../support/raw-client.ts";
import { rawOrigin, type RawOrigin } from "../support/raw-origin.ts";
import { until } from "../support/until.ts";

const MIB = 1024 * 1024;
const BODY_BYTES = Number(process.env["GOODGATE_BODY_MIB"] ?? 64) * MIB;
/** Far below the body, and above what garbage waiting for its collection amounts to. */
const GROWTH_MAX_BYTES = 40 * MIB;

let app: Peer;
let gateway: GatewayProcess;

beforeAll(async () => {
  app = await startNodeApp("app");
  gateway = await startGateway(
    inFrontOf([app.url], { routes: [{ match: { path: "/*" }, timeouts: { firstByte: "60s", gap: "60s" } }] }),
  );
});
afterAll(async () => {
  await gateway?.stop();
  await app?.stop();
});

describe("events and polls", () => {
  it("delivers each server-sent event before the next one exists", async () => {
    const client = await rawClient(gateway.port);
    await client.send("GET /sse?id=e2e HTTP/1.1\r\nHost: test\r\nAccept: text/event-stream\r\n\r\n");
    for (const data of ["first", "second", "third"]) {
      if (data !== "first") await fetch(`${app.url}/sse/next?id=e2e&data=${data}`);
      await client.received.until(`the event ${data}`, (text) => (text.includes(`data: ${data}\n\n`) ? true : null));
    }
    await fetch(`${app.url}/sse/end?id=e2e`);
    expect((await client.response()).body).toBe("data: first\n\ndata: second\n\ndata: third\n\n");
    client.close();
  });

  it("holds a long poll open until there is news", async () => {
    const client = await rawClient(gateway.port);
    await client.send("GET /poll?id=p1 HTTP/1.1\r\nHost: test\r\n\r\n");
    await until("the poll to have reached the application", async () => {
      const told = await (await fetch(`${app.url}/poll/answer?id=p1`)).text();
      return told === "told" ? true : null;
    });
    expect((await client.response()).body).toBe("news");
    client.close();
  });

  it("passes a chunked upload on while it is still being written", async () => {
    const upload = request(`${gateway.url}/echo`, { method: "POST" });
    const echoed = new Promise<IncomingMessage>((resolve, reject) =>
      upload.once("response", resolve).once("error", reject),
    );
    upload.write("first");
    const answer = await echoed;
    expect(await nextChunk(answer)).toBe("first");
    upload.write("second");
    expect(await nextChunk(answer)).toBe("second");
    upload.end();
    answer.resume();
  });
});

describe(`bodies of ${BODY_BYTES / MIB} MiB`, () => {
  it.each(["", "&chunked=1"])("are downloaded whole with flat memory%s", async (framing) => {
    await download(8 * MIB, framing);
    gateway.child.forgetPeak();
    const before = gateway.child.residentBytes();
    expect(await download(BODY_BYTES, framing)).toBe(BODY_BYTES);
    expect(gateway.child.peakResidentBytes() - before).toBeLessThan(GROWTH_MAX_BYTES);
  });

  it.each(["length", "chunks"])("are uploaded whole and unchanged with flat memory, by %s", async (framing) => {
    await upload(8 * MIB, framing);
    gateway.child.forgetPeak();
    const before = gateway.child.residentBytes();
    const { sha256, answer } = await upload(BODY_BYTES, framing);
    expect(answer).toMatchObject({ bytes: BODY_BYTES, sha256 });
    expect(gateway.child.peakResidentBytes() - before).toBeLessThan(GROWTH_MAX_BYTES);
  });
});

describe("a reader that stops", () => {
  let origin: RawOrigin;
  let behind: GatewayProcess;
  let taken = 0;

  beforeAll(async () => {
    const block = Buffer.alloc(MIB);
    origin = await rawOrigin(async (connection) => {
      await connection.head();
      await connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${64 * MIB}\r\n\r\n`);
      for (let sent = 0; sent < 64; sent += 1) {
        await connection.send(block);
        taken += block.length;
      }
    });
    behind = await startGateway(inFrontOf([origin.url]));
  });
  afterAll(async () => {
    await behind?.stop();
    await origin?.close();
  });

  it("makes the origin stop, costs no memory while it does, and gets the rest when it goes on", async () => {
    const readers = 8;
    behind.child.forgetPeak();
    const before = behind.child.residentBytes();
    const responses = await Promise.all(Array.from({ length: readers }, () => paused(behind.url)));
    await standsStill(() => taken);
    // What the kernel's socket buffers hold on both sides of the gateway is not the gateway's memory.
    expect(taken).toBeLessThan(readers * 32 * MIB);
    expect(behind.child.peakResidentBytes() - before).toBeLessThan(GROWTH_MAX_BYTES);
    const sizes = await Promise.all(responses.map(count));
    expect(sizes).toEqual(Array.from({ length: readers }, () => 64 * MIB));
    expect(behind.child.peakResidentBytes() - before).toBeLessThan(GROWTH_MAX_BYTES);
  });
});

function nextChunk(stream: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    stream.once("error", reject);
    stream.once("data", (chunk: Buffer) => {
      stream.pause();
      resolve(chunk.toString());
    });
    stream.resume();
  });
}

async function download(bytes: number, framing: string): Promise<number> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${gateway.url}/download?bytes=${bytes}${framing}`, resolve).once("error", reject);
  });
  return count(answer);
}

/** A response of which nothing has been read but the head. */
function paused(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(`${url}/stalled`, { agent: false }, (answer) => {
      answer.pause();
      resolve(answer);
    }).once("error", reject);
  });
}

function count(answer: IncomingMessage): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    answer.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    answer.once("error", reject);
    answer.once("end", () => {
      resolve(bytes);
    });
    // A stream that was paused stays paused when it gets a listener.
    answer.resume();
  });
}

async function upload(bytes: number, framing: string): Promise<{ sha256: string; answer: unknown }> {
  const outgoing = request(`${gateway.url}/upload`, {
    method: "POST",
    headers: framing === "length" ? { "Content-Length": bytes } : { "Transfer-Encoding": "chunked" },
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) =>
    outgoing.once("response", resolve).once("error", reject),
  );
  const hash = createHash("sha256");
  const block = Buffer.alloc(MIB);
  for (let sent = 0; sent < bytes; sent += block.length) {
    block.fill(sent / MIB);
    hash.update(block);
    const room = outgoing.write(Buffer.from(block));
    if (!room) await eventBefore(outgoing, "drain");
  }
  outgoing.end();
  let text = "";
  for await (const chunk of await answered) text += String(chunk);
  return { sha256: hash.digest("hex"), answer: JSON.parse(text) };
}

/** Resolves when a counter has not moved for several looks in a row. */
async function standsStill(read: () => number): Promise<void> {
  let last = -1;
  let still = 0;
  await until("the origin to be held back", () => {
    const now = read();
    still = now === last ? still + 1 : 0;
    last = now;
    return now > 0 && still >= 20 ? true : null;
  });
}
