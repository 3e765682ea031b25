/** Bounds on clients and answers for bad times, through a real process and real sockets. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { freePort } from "../support/free-port.ts";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { rawClient, type RawClient } from "../support/raw-client.ts";
import { answerAll, rawOrigin, response, type RawOrigin } from "../support/raw-origin.ts";

let gateway: GatewayProcess | undefined;
let origin: RawOrigin | undefined;

afterEach(async () => {
  await gateway?.stop();
  await origin?.close();
});

const RECORDED = { records: { sample: "100%", sampled: 100_000 } };

async function ask(client: RawClient, fields = ""): Promise<number> {
  await client.send(`GET / HTTP/1.1\r\nHost: test\r\n${fields}\r\n`);
  return (await client.response()).status;
}

describe("client.rate_limited", () => {
  it("is named when a route's limit is used up, and the answers that pass carry the quota", async () => {
    origin = await rawOrigin(answerAll(response(200, "ok")));
    const routes = [{ rateLimit: { rate: "2/h" } }];
    gateway = await startGateway(inFrontOf([origin.url], { health: false, routes }, RECORDED));
    const client = await rawClient(gateway.port);
    await client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    const first = await client.response();
    expect(first.headers["ratelimit-policy"]).toBe('"client";q=2;w=3600');
    expect(first.headers["ratelimit"]).toBe('"client";r=1;t=1800');
    expect([await ask(client), await ask(client)]).toEqual([200, 429]);
    const record = await gateway.record("the refusal", ({ status }) => status === 429);
    expect(record).toMatchObject({ cause: "client.rate_limited", party: "client", outcome: "refused", attempts: [] });
    client.close();
  });
});

describe("client.flood", () => {
  it("is named for a client that asks for far more than all others, and these are served", async () => {
    // From the cache and in one piece, so that even a slow machine has all of them within a second.
    origin = await rawOrigin(answerAll(response(200, "ok", { "Cache-Control": "max-age=3600" })));
    const limits = { flood: { calm: { times: 5, perSecond: 30 } } };
    const rest = { ...RECORDED, trustedProxies: ["127.0.0.1"], limits };
    const service = { health: false, routes: [{ cache: true }] };
    gateway = await startGateway(inFrontOf([origin.url], service, rest));
    const client = await rawClient(gateway.port);
    const request = (address: string): string => `GET / HTTP/1.1\r\nHost: test\r\nX-Forwarded-For: ${address}\r\n\r\n`;
    const statuses = async (addresses: readonly string[]): Promise<number[]> => {
      await client.send(addresses.map(request).join(""));
      const all: number[] = [];
      for (const _ of addresses) all.push((await client.response()).status);
      return all;
    };
    const others = Array.from({ length: 15 }, (_, index) => `192.0.2.${index + 1}`);
    const heavy = Array.from({ length: 400 }, () => "203.0.113.9");
    expect(await statuses(["192.0.2.1"])).toEqual([200]);
    const seen = await statuses([...others, ...heavy]);
    expect(seen.slice(0, 15)).toEqual(others.map(() => 200));
    expect(seen.filter((status) => status === 429).length).toBeGreaterThan(200);
    expect(await statuses(["192.0.2.1"])).toEqual([200]);
    const record = await gateway.record("a refusal", ({ status }) => status === 429);
    expect(record).toMatchObject({ cause: "client.flood", party: "client", clientAddress: "203.0.113.9" });
    expect(record.evidence).toMatch(/^rule flood\./);
    client.close();
  });
});

describe("a fallback in a file", () => {
  it("answers when no origin does", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "goodgate-fallback-"));
    const file = path.join(folder, "closed.html");
    await writeFile(file, "<p>Back soon.");
    const routes = [{ fallback: { status: 200, file } }];
    const dead = `http://127.0.0.1:${await freePort()}`;
    gateway = await startGateway(inFrontOf([dead], { health: false, routes }, RECORDED));
    const client = await rawClient(gateway.port);
    await client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    const answer = await client.response();
    expect([answer.status, answer.body]).toEqual([200, "<p>Back soon."]);
    expect(answer.headers["proxy-status"]).toContain("error=connection_refused");
    client.close();
    await rm(folder, { recursive: true });
  });

  it("that is not there keeps the gateway from starting, and says which", async () => {
    const routes = [{ fallback: { file: "/nowhere/closed.html" } }];
    const started = startGateway(inFrontOf(["http://127.0.0.1:9"], { health: false, routes })).then(
      () => "it started",
      (error: unknown) => String(error),
    );
    expect(await started).toMatch(/\/nowhere\/closed\.html of a route's fallback cannot be read \(ENOENT\)/);
  });
});
