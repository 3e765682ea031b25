/** A process that stood still while it gives its place on, on real sockets: the order of timers and sockets is Node's. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { localGateway } from "../../test/support/local-gateway.ts";
import { rawClient } from "../../test/support/raw-client.ts";
import { until } from "../../test/support/until.ts";

const IDLE_MS = 50;

/** As many as no two turns of the event loop accept. */
const WAITING = 60;
/** They come at once, and the origin is in this process: nobody is to be turned away or given up for that. */
const PATIENT = {
  overload: false,
  routes: [{ match: { path: "/*" }, timeouts: { connect: "60s", firstByte: "60s" } }],
};

it("at the end of a gateway requests that were sent before are answered: unread, unaccepted, on kept and on new connections", async () => {
  const origin = createServer((_request, response) => response.end("here"));
  await new Promise<void>((resolve) => void origin.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
  const local = await localGateway({ shop: { pools: [{ origins: [url] }], health: false, ...PATIENT } });
  const kept = await local.client();
  await kept.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  expect((await kept.response()).status).toBe(200);
  await until("the record", () => local.records[0] ?? null);
  const waiting = Array.from({ length: WAITING }, async () => {
    const client = await rawClient(local.port);
    await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    return client;
  });
  const sent = kept.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  // Node calls connect() then, and the kernel makes the connections.
  await new Promise<void>((resolve) => process.nextTick(() => process.nextTick(resolve)));
  const drained = local.gateway.drain();
  await sent;
  expect(await kept.response()).toMatchObject({ status: 200, headers: { connection: "close" } });
  kept.close();
  for (const client of await Promise.all(waiting)) {
    expect((await client.response()).status).toBe(200);
    client.close();
  }
  await drained;
  expect(local.records).toHaveLength(WAITING + 2);
  expect(local.faults).toEqual([]);
  origin.closeAllConnections();
  origin.close();
});

it("a request that arrived while the process stood still is answered, also when its connection was idle for too long", async () => {
  const origin = createServer((_request, response) => response.end("here"));
  await new Promise<void>((resolve) => void origin.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
  const local = await localGateway({ shop: { pools: [{ origins: [url] }], health: false } });
  const client = await local.client();
  await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  expect((await client.response()).status).toBe(200);
  await until("the record", () => local.records[0] ?? null);
  const drained = local.gateway.drain(IDLE_MS);
  const sent = client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const begunAt = performance.now();
  // Longer than the time for idle connections and than the time between two looks.
  while (performance.now() - begunAt < 3 * IDLE_MS);
  await sent;
  const { status, headers } = await client.response();
  expect({ status, connection: headers["connection"] }).toEqual({ status: 200, connection: "close" });
  client.close();
  await drained;
  expect(local.faults).toEqual([]);
  origin.closeAllConnections();
  origin.close();
});
