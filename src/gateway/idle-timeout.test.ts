/** When a connection is closed as idle, and what it may have sent by then. */
import { expect, it } from "vitest";
import { memoryGateway } from "../../test/support/memory-gateway.ts";

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

it("a request that lies unread when its connection has been idle for too long is answered", async () => {
  const world = await memoryGateway({ listener: { timeouts: { idle: "75s" } } });
  const client = world.client();
  client.send(GET);
  world.origin(1).send(OK);
  world.advance(74_900);
  expect(client.ended).toBe("");
  // The process is busy until the time is over: timers come before sockets then.
  world.network.together(() => {
    client.send(GET);
    world.advance(200);
  });
  world.origin(2).send(OK);
  expect(client.received.match(/200 OK/g)).toHaveLength(2);
  world.advance(75_100);
  expect(client.ended).toBe("closed");
});
