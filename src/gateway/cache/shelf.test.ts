/** Stored responses that outlive a gateway, on a real disk. */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { memoryGateway } from "../../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../../test/support/memory-gateway.ts";
import { openCacheDisk } from "../../store/cache-disk.ts";
import type { CacheDisk } from "../../store/cache-disk.ts";

let directory = "";
let disk: CacheDisk;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "goodgate-shelf-"));
});

afterEach(async () => {
  // A directory into which something is still being written is not empty when it is to be removed.
  await disk.close();
  await rm(directory, { recursive: true, force: true });
});

async function start(cache: unknown = true, memory = "1MiB"): Promise<MemoryGateway> {
  disk = await openCacheDisk({ directory, bytesMax: 1_000_000, onFailure: (code) => expect.fail(code) });
  const gateway = await memoryGateway({
    service: { retry: false, ejection: false, routes: [{ cache }] },
    rest: { cache: { memory } },
    cacheShelf: disk,
  });
  await disk.settled();
  return gateway;
}

async function ask(gateway: MemoryGateway, target: string, fields = ""): Promise<string> {
  const client = gateway.client();
  client.send(`GET ${target} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`);
  await disk.settled();
  gateway.network.settle();
  return client.received;
}

function store(gateway: MemoryGateway, target: string, body: string, fields = ""): void {
  const client = gateway.client();
  client.send(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
  gateway.network.dialled
    .at(-1)
    ?.send(`HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`);
  expect(client.received).toContain(body);
}

it("a response is there again after a restart, with the age that it has come to, and its tags", async () => {
  const before = await start();
  store(before, "/a", "kept", "Cache-Tag: news\r\n");
  store(before, "/b", "other");
  await disk.close();
  const after = await start();
  const got = await ask(after, "/a");
  expect(got).toContain("Cache-Status: goodgate; hit; ttl=");
  expect(got).toMatch(/kept$/);
  expect(after.network.dialled).toHaveLength(0);
  // From memory now.
  expect(await ask(after, "/a", "Range: bytes=1-2\r\n")).toMatch(/ep$/);
  expect(after.gateway.actions.purgeCache({ kind: "tag", tag: "news" })).toEqual({ purged: 1 });
  await disk.close();
  const last = await start();
  expect(await ask(last, "/a")).toBe("");
  expect(await ask(last, "/b")).toMatch(/other$/);
});

it("what memory has no room for is read from disk when it is asked for", async () => {
  const gateway = await start(true, "64KiB");
  for (let index = 0; index < 20; index += 1) store(gateway, `/${index}`, `${index}:${"z".repeat(10_000)}`);
  await disk.settled();
  for (let index = 0; index < 20; index += 1) {
    expect(await ask(gateway, `/${index}`), String(index)).toContain(`${index}:zzz`);
  }
  expect(gateway.gateway.view.metrics).toBeTypeOf("function");
  expect(gateway.records.filter((record) => record.cache === "hit")).toHaveLength(20);
  expect(gateway.faults).toEqual([]);
});

it("what the disk has damaged is asked for at the origin as if it had never been", async () => {
  const before = await start();
  store(before, "/a", "kept");
  await disk.close();
  const after = await start();
  for (const name of await readdir(directory)) await writeFile(join(directory, name), "garbage");
  expect(await ask(after, "/a")).toBe("");
  after.origin(1).send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew");
  expect(after.records.at(-1)).toMatchObject({ status: 200, outcome: "served" });
  expect(after.faults).toEqual([]);
});

it("what belongs to a route that caches no more is thrown away", async () => {
  const before = await start();
  store(before, "/a", "kept");
  await disk.close();
  await start(false);
  await disk.settled();
  expect(await readdir(directory)).toEqual([]);
});

it("what sets a cookie does not come back to a route that stores no such responses any more", async () => {
  const before = await start({ setCookie: true });
  store(before, "/a", "kept", "Set-Cookie: session=1\r\n");
  await disk.close();
  const after = await start();
  expect(await ask(after, "/a")).toBe("");
});

it("a deadline that passes while the disk is read costs no second answer", async () => {
  const before = await start({ staleIfError: "1d" });
  store(before, "/a", "x".repeat(100_000));
  await disk.close();
  const after = await start({ staleIfError: "1d" });
  const client = after.client();
  client.takeOnly(50_000);
  client.send("GET /a HTTP/1.1\r\nHost: x\r\nX-Request-Timeout: 0.1\r\n\r\n");
  after.advance(500);
  await disk.settled();
  after.network.settle();
  client.takeAll();
  expect(client.received.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  expect(client.received).toMatch(/\r\n\r\nx{100000}$/);
  expect(after.records).toHaveLength(1);
  expect(after.faults).toEqual([]);
});

it("several who ask for the same response on disk cause one read", async () => {
  const before = await start();
  store(before, "/a", "kept");
  await disk.close();
  const after = await start();
  const clients = [after.client(), after.client(), after.client()];
  for (const client of clients) client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  await disk.settled();
  after.network.settle();
  for (const client of clients) expect(client.received).toMatch(/kept$/);
});
