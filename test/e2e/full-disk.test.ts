/** The disk of the ledger is full: a real gateway on a real file system that has no room left. */
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { rawClient } from "../support/raw-client.ts";
import { rawOrigin, response, type RawOrigin } from "../support/raw-origin.ts";
import { smallDisk } from "../support/small-disk.ts";

const disk = smallDisk(512);
if (disk === null)
  console.warn("full-disk.test.ts is skipped: mounting a small tmpfs is not permitted here (it takes root).");

let gateway: GatewayProcess | undefined;
let origin: RawOrigin | undefined;

afterEach(async () => {
  disk?.empty();
  await gateway?.stop();
  await origin?.close();
});

afterAll(() => disk?.remove());

/** How often the origin carried out what was asked under a path. */
const runs = new Map<string, number>();

async function start(): Promise<void> {
  runs.clear();
  origin = await rawOrigin(async (connection) => {
    for (;;) {
      const target = (await connection.head()).split(" ")[1] ?? "";
      await connection.take(1);
      runs.set(target, (runs.get(target) ?? 0) + 1);
      if (target === "/note/slow") disk?.fill();
      await connection.send(response(201, `run ${runs.get(target)}`));
    }
  });
  const routes = [
    { name: "pay", match: { path: "/pay/*" }, idempotencyKey: "required" },
    { name: "note", match: { path: "/note/*" } },
  ];
  const file = inFrontOf([origin.url], { health: false, routes }, { state: disk?.path });
  gateway = await startGateway(file);
}

async function post(path: string, key: string): Promise<{ status: number; text: string; replayed: boolean }> {
  const client = await rawClient(gateway?.port ?? 0);
  const field = key === "" ? "" : `Idempotency-Key: ${key}\r\n`;
  await client.send(`POST ${path} HTTP/1.1\r\nHost: test\r\n${field}Content-Length: 1\r\n\r\nx`);
  const { status, body, headers } = await client.response();
  client.close();
  return { status, text: body, replayed: headers["idempotency-replayed"] === "true" };
}

describe.skipIf(disk === null)("a ledger whose disk is full", () => {
  it("promises nothing and says so, gives what it has, and promises again when there is room", async () => {
    await start();
    expect(await post("/pay/1", "first")).toEqual({ status: 201, text: "run 1", replayed: false });
    disk?.fill();
    // Nothing was sent: a route that requires keys carries out nothing that could run twice.
    expect((await post("/pay/2", "second")).status).toBe(503);
    expect(runs.get("/pay/2")).toBeUndefined();
    const refused = await gateway?.record("the refusal", ({ target }) => target === "/pay/2");
    expect(refused).toMatchObject({ cause: "gw.key_unprotected", party: "gateway" });
    expect(refused?.evidence).toMatch(/disk-full: .*full/);
    // Another one goes on without the promise, and its record says that.
    expect(await post("/note/1", "third")).toMatchObject({ status: 201, text: "run 1" });
    expect(await post("/note/1", "third")).toMatchObject({ status: 201, text: "run 2", replayed: false });
    const passed = await gateway?.record("what passed", ({ target }) => target === "/note/1");
    expect(passed?.decisions.map(({ code }) => code)).toContain("key.unprotected");
    // What was promised before is kept, and what has no key does not notice.
    expect(await post("/pay/1", "first")).toEqual({ status: 201, text: "run 1", replayed: true });
    expect((await post("/note/2", "")).status).toBe(201);

    disk?.empty();
    expect(await post("/pay/2", "second")).toEqual({ status: 201, text: "run 1", replayed: false });
    expect(await post("/pay/2", "second")).toEqual({ status: 201, text: "run 1", replayed: true });
  });

  it("that fills up while a request is under way gives its answer, and never sends it again", async () => {
    await start();
    expect(await post("/note/slow", "slow")).toMatchObject({ status: 201, text: "run 1" });
    const given = await gateway?.record("the answer", ({ target }) => target === "/note/slow");
    expect(given?.decisions.map(({ code }) => code)).toContain("key.unstored");
    disk?.empty();
    // Nobody wrote down how it ended, so nobody knows.
    expect((await post("/note/slow", "slow")).status).toBe(409);
    expect(runs.get("/note/slow")).toBe(1);
  });
});
