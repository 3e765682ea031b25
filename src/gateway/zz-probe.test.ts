import { expect, test } from "vitest";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
test("plain", async () => {
  const w = await memoryGateway();
  const c = w.client();
  c.send(GET);
  expect(w.origin(1).take()).toContain("GET / HTTP/1.1");
  w.origin(1).send(OK);
  expect(c.take()).toContain("200 OK");
  expect(w.faults).toEqual([]);
  expect(w.records.length).toBe(1);
});
test("FIN on an idle origin connection in the same turn as a POST", async () => {
  const w = await memoryGateway();
  const c = w.client();
  c.send(GET); w.origin(1).take(); w.origin(1).send(OK); c.take();
  w.advance(200);
  w.network.together(() => { w.origin(1).fin(); c.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx"); });
  console.log(w.network.dialled.length, c.take(), w.records.map((r) => [r.cause, r.attempts.map((a) => a.evidence)]));
});
test("waiting although all are idle", async () => {
  const w = await memoryGateway({ service: { connections: { perOrigin: 1 } } });
  const c = w.client();
  c.send(GET); w.origin(1).take(); w.origin(1).send(OK); c.take();
  w.advance(1500);
  c.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx");
  w.advance(3000);
  console.log(w.network.dialled.length, c.take(), w.records.map((r) => [r.cause]));
});
test("slow dns", async () => {
  const w = await memoryGateway({ origins: ["http://a.test"] });
  const c = w.client();
  c.send(GET); 
  w.names.answer("a.test", ["10.0.0.9"]); w.network.settle();
  console.log(w.network.dialled.length, c.take(), w.faults);
});
test("slow dns fail", async () => {
  const w = await memoryGateway({ origins: ["http://a.test"] });
  const c = w.client();
  c.send(GET); 
  w.names.fail("a.test", "dns.nxdomain", "ENOTFOUND"); w.network.settle();
  console.log(w.network.dialled.length, c.take(), w.faults);
});
