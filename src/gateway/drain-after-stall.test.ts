/** A process that stood still while it gives its place on, on real sockets: the order of timers and sockets is Node's. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { localGateway } from "../../test/support/local-gateway.ts";
import { until } from "../../test/support/until.ts";

const IDLE_MS = 50;

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
