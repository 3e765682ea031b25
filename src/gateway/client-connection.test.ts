/** One client connection in every situation: pipelining, half-closing, lingering, time limits, drain, limits. */
import { describe, expect, it } from "vitest";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../test/support/memory-gateway.ts";
import type { Peer } from "../../test/support/memory-socket.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

function get(path: string, fields = ""): string {
  return `GET ${path} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`;
}

function post(path: string, body: string, fields = ""): string {
  return `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n${fields}\r\n${body}`;
}

/** Targets of the requests that an origin's connection has got since it was last asked. */
function targets(origin: Peer): string[] {
  return [...origin.take().matchAll(/^(?:GET|POST|HEAD) (\S+) HTTP/gm)].map((match) => match[1] ?? "");
}

function statuses(client: Peer): string[] {
  return [...client.take().matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => match[1] ?? "");
}

/** Nothing of the exchange is left anywhere, and no defect was contained. */
function expectQuiet(world: MemoryGateway): void {
  expect(world.faults).toEqual([]);
  expect(world.gateway.view.status().exchangesActive).toBe(0);
}

describe("pipelined requests", () => {
  it("are asked of the origin one after the other and answered in their order", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(get("/1") + get("/2") + get("/3"));
    const origin = world.origin(1);
    expect(targets(origin)).toEqual(["/1"]);
    origin.send("HTTP/1.1 201 A\r\nContent-Length: 0\r\n\r\n");
    expect(targets(origin)).toEqual(["/2"]);
    origin.send("HTTP/1.1 202 B\r\nContent-Length: 0\r\n\r\n");
    expect(targets(origin)).toEqual(["/3"]);
    origin.send("HTTP/1.1 203 C\r\nContent-Length: 0\r\n\r\n");
    expect(statuses(client)).toEqual(["201", "202", "203"]);
    expect(world.network.dialled).toHaveLength(1);
    expectQuiet(world);
  });

  it("may come in crumbs that cut heads and bodies anywhere", async () => {
    const world = await memoryGateway();
    const client = world.client();
    for (const byte of post("/1", "one") + post("/2", "two")) client.send(byte);
    const origin = world.origin(1);
    expect(origin.take()).toMatch(/^POST \/1 [\s\S]*\r\n\r\none$/);
    origin.send(OK);
    expect(origin.take()).toMatch(/^POST \/2 [\s\S]*\r\n\r\ntwo$/);
    origin.send(OK);
    expect(statuses(client)).toEqual(["200", "200"]);
    expectQuiet(world);
  });

  it("go on behind one that the gateway answers itself", async () => {
    const world = await memoryGateway({ service: { routes: [{ match: { path: "/a/*" } }], hosts: ["known"] } });
    const client = world.client();
    const known = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: known\r\n\r\n`;
    client.send(get("/lost") + known("/a/1") + get("/lost") + known("/a/2"));
    world.origin(1).send(OK);
    world.origin(1).send(OK);
    expect(statuses(client)).toEqual(["404", "200", "404", "200"]);
    expectQuiet(world);
  });

  it("end at a malformed one: what came before is answered, what comes after is not read", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(get("/1") + "GET /2 HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" + get("/3"));
    world.origin(1).send(OK);
    expect(statuses(client)).toEqual(["200", "400"]);
    expect(client.ended).toBe("fin");
    expect(world.records.map((record) => [record.status, record.reason])).toEqual([
      [200, ""],
      [400, "host-repeated"],
    ]);
    expectQuiet(world);
  });

  it("behind one that closes the connection are not asked of anybody", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(get("/1", "Connection: close\r\n") + get("/2"));
    world.origin(1).send(OK);
    expect(statuses(client)).toEqual(["200"]);
    expect(targets(world.origin(1))).toEqual(["/1"]);
    expect(client.ended).toBe("fin");
    expectQuiet(world);
  });

  it("have their time limits counted from their own beginning, not from when the client was last heard", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(get("/1") + get("/2"));
    world.advance(14_000);
    world.origin(1).send(OK);
    world.advance(14_000);
    world.origin(1).send(OK);
    expect(statuses(client)).toEqual(["200", "200"]);
    expect(world.records[1]).toMatchObject({ outcome: "served", headUs: 0 });
  });

  it("with a chunked body that was sent ahead keep every line end of its framing", async () => {
    const world = await memoryGateway();
    const client = world.client();
    const chunk = "x".repeat(9000);
    const head = "POST /2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    // The chunk is cut: its end is not there yet when the request before it is answered.
    client.send(get("/1") + `${head}3000\r\n${chunk}`);
    const origin = world.origin(1);
    origin.take();
    origin.send(OK);
    client.send("x".repeat(0x3000 - chunk.length) + "\r\n0\r\n\r\n");
    expect(dechunked(origin.take())).toBe("x".repeat(0x3000));
    origin.send(OK);
    expect(statuses(client)).toEqual(["200", "200"]);
    expectQuiet(world);
  });

  it("are not read without end ahead of the answers", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(get("/1"));
    client.send(get("/more").repeat(4000));
    expect(client.stalled).toBe(true);
  });

  it("wait while the client does not take the answers, whoever makes them", async () => {
    const unknown = get("/", "X-Pad: 1234567890\r\n");
    const world = await memoryGateway({ service: { hosts: ["known"] } });
    const client = world.client();
    client.takeOnly(10_000);
    client.send(unknown.repeat(1000));
    for (let sent = 0; sent < 100; sent += 1) client.send(unknown.repeat(10));
    // Ten thousand bytes of answers are some thirty; what was asked beyond that waits with the client.
    expect(client.stalled).toBe(true);
    expect(world.records.length).toBeLessThan(100);
    client.takeAll();
    expect(world.records.length).toBe(2000);
    expect(statuses(client)).toHaveLength(2000);
    expectQuiet(world);
  });

  it("wait while the client does not take the answers of the origin", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.takeOnly(1000);
    client.send(get("/").repeat(50));
    const origin = world.origin(1);
    let asked = 0;
    for (; targets(origin).length > 0; asked += 1)
      origin.send(`HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n${"x".repeat(900)}`);
    expect(asked).toBeLessThan(5);
    client.takeAll();
    for (; targets(origin).length > 0; asked += 1) origin.send(OK);
    expect(asked).toBe(50);
    expect(statuses(client)).toHaveLength(50);
    expectQuiet(world);
  });

  it("of a client that takes nothing for too long are given up", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.takeOnly(10);
    client.send(get("/1") + get("/2") + get("/3"));
    for (let number = 0; number < 3; number += 1) world.origin(1).send(OK);
    world.advance(31_000);
    expect(client.ended).not.toBe("");
    expectQuiet(world);
    expect(world.gateway.view.status().connections).toBe(0);
  });
});

describe("a client that closes its sending side", () => {
  it("behind a request is answered", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(get("/"));
    client.fin();
    world.advance(4000);
    world.origin(1).send(OK);
    expect(statuses(client)).toEqual(["200"]);
    expect(client.ended).toBe("fin");
    expectQuiet(world);
  });

  it("and hears nothing for the time that halfClosed gives it counts as gone", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(get("/"));
    client.fin();
    world.advance(5_100);
    expect(world.records[0]).toMatchObject({ outcome: "aborted", cause: "client.abort_wait", status: 0 });
    expect(world.origin(1).ended).toBe("rst");
    expectQuiet(world);
  });

  it("behind several requests is answered all of them", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(get("/1") + get("/2") + get("/3"));
    client.fin();
    for (let number = 0; number < 3; number += 1) world.origin(1).send(OK);
    expect(statuses(client)).toEqual(["200", "200", "200"]);
    expect(client.ended).toBe("fin");
    expectQuiet(world);
  });

  it("behind a request and a half is answered the one and told about the other", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(get("/1") + "GET /2 HTTP/1.1\r\nHo");
    client.fin();
    world.origin(1).send(OK);
    expect(statuses(client)).toEqual(["200", "400"]);
    expect(world.records[1]).toMatchObject({ reason: "truncated-head" });
    expect(client.ended).toBe("fin");
    expectQuiet(world);
  });

  it("in the second of two requests that waits counts as gone after the same time as in the first", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(get("/1") + get("/2"));
    client.fin();
    world.origin(1).send(OK);
    world.advance(5_100);
    expect(world.records[1]).toMatchObject({ outcome: "aborted", cause: "client.abort_wait" });
    expectQuiet(world);
  });

  it("before it sent anything is closed without a record", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.fin();
    expect(client.ended).toBe("fin");
    expect(world.records).toEqual([]);
    expect(world.gateway.view.status().connections).toBe(0);
  });

  it("in the middle of a head or of a body is refused, and the origin never takes it for complete", async () => {
    const world = await memoryGateway();
    const inHead = world.client();
    inHead.send("GET / HT");
    inHead.fin();
    expect(statuses(inHead)).toEqual(["400"]);
    const inBody = world.client();
    inBody.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345");
    inBody.fin();
    expect(statuses(inBody)).toEqual(["400"]);
    expect(world.origin(1).ended).toBe("rst");
    expect(world.records.map((record) => record.reason)).toEqual(["truncated-head", "truncated-length"]);
    expectQuiet(world);
  });

  it("during the response gets the rest of it, however long it takes", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(get("/"));
    world.origin(1).send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
    client.fin();
    world.advance(20_000);
    world.origin(1).send("cd");
    expect(client.take()).toMatch(/abcd$/);
    expect(world.records[0]).toMatchObject({ outcome: "served" });
    expect(client.ended).toBe("fin");
    expectQuiet(world);
  });

  it("during an endless response that is silent counts as gone, but not while events come", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(get("/"));
    const origin = world.origin(1);
    origin.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
    client.fin();
    for (let event = 0; event < 5; event += 1) {
      world.advance(3000);
      origin.send("data: 2\n\n");
    }
    expect(world.records).toEqual([]);
    world.advance(10_100);
    expect(world.records[0]).toMatchObject({ outcome: "aborted", cause: "client.abort_body" });
    expect(origin.ended).toBe("rst");
    expectQuiet(world);
  });
});

describe("a client that is gone", () => {
  it("while the connection to the origin is being made, while it waits, in the response: the attempt ends with it", async () => {
    const world = await memoryGateway({ service: { retry: { attempts: 1 } } });
    world.network.acceptAtOnce = false;
    const dialling = world.client();
    dialling.send(get("/"));
    dialling.rst();
    expect(world.origin(1).ended).toBe("closed");
    world.network.acceptAtOnce = true;
    const waiting = world.client();
    waiting.send(get("/"));
    waiting.rst();
    expect(world.origin(2).ended).toBe("rst");
    const reading = world.client();
    reading.send(get("/"));
    world.origin(3).send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
    reading.rst();
    expect(world.origin(3).ended).toBe("rst");
    expect(world.records.map((record) => record.cause)).toEqual([
      "client.abort_wait",
      "client.abort_wait",
      "client.abort_body",
    ]);
    expectQuiet(world);
    const [origin] = world.gateway.view.origins();
    expect(origin?.addresses[0]).toMatchObject({ inFlight: 0, connectionsOpen: 0, failures: 0 });
  });
});

describe("a client that resets in the middle of a head", () => {
  it("leaves a record", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send("GET / HTTP/1.1\r\n");
    client.rst();
    expect(world.records).toHaveLength(1);
    expect(world.records[0]).toMatchObject({ outcome: "aborted", cause: "client.abort_wait", status: 0 });
    expect(world.records[0]?.id).toMatch(/^[0-9a-f]{32}$/);
    expectQuiet(world);
  });
});

describe("after an answer to a request that was not read whole", () => {
  it("the rest is read and thrown away, and one answer is all there is", async () => {
    const world = await memoryGateway({ service: { hosts: ["known"] } });
    const client = world.client();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
    expect(statuses(client)).toEqual(["404"]);
    expect(client.ended).toBe("fin");
    client.send("x".repeat(50_000));
    expect(client.take()).toBe("");
    client.fin();
    expect(world.gateway.view.status().connections).toBe(0);
    expectQuiet(world);
  });

  it("nothing in the rest can cause a second answer or a second record", async () => {
    const world = await memoryGateway({ service: { hosts: ["known"] } });
    const client = world.client();
    client.send(`POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n${get("/")}`);
    expect(statuses(client)).toEqual(["404"]);
    expect(world.records).toHaveLength(1);
    expectQuiet(world);
  });

  it("a client that sends on and on is cut off", async () => {
    const world = await memoryGateway({ service: { hosts: ["known"] } });
    const client = world.client();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000000\r\n\r\n");
    for (let sent = 0; sent < 5; sent += 1) client.send(Buffer.alloc(1024 * 1024));
    expect(world.gateway.view.status().connections).toBe(0);
  });

  it("a client that never closes is closed after two seconds, not before", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(get("/", "Connection: close\r\n"));
    world.advance(14_000);
    world.origin(1).send(OK);
    expect(client.ended).toBe("fin");
    world.advance(1_900);
    expect(world.gateway.view.status().connections).toBe(1);
    world.advance(200);
    expect(world.gateway.view.status().connections).toBe(0);
  });

  it("a slow client gets all of the last answer although the exchange took longer than its limit", async () => {
    const world = await memoryGateway({
      service: { routes: [{ match: { path: "/*" }, timeouts: { firstByte: "60s" } }] },
    });
    const client = world.client();
    client.send(get("/", "Connection: close\r\n"));
    client.takeOnly(20);
    world.advance(40_000);
    world.origin(1).send(OK);
    world.advance(10_000);
    client.takeAll();
    expect(client.take()).toMatch(/ok$/);
    expect(client.ended).toBe("fin");
  });
});

describe("time limits", () => {
  it("an idle connection is closed without a word, and the time counts anew after each exchange", async () => {
    const world = await memoryGateway();
    const client = world.client();
    world.advance(70_000);
    client.send(get("/"));
    world.origin(1).send(OK);
    client.take();
    world.advance(70_000);
    expect(client.ended).toBe("");
    world.advance(6_000);
    expect(client.ended).toBe("closed");
    expect(client.take()).toBe("");
  });

  it("a body that comes a byte now and then is answered 408, and one that keeps up the rate is not", async () => {
    const world = await memoryGateway();
    const head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n";
    const [dribbler, slow] = [world.client(), world.client()];
    dribbler.send(head);
    slow.send(head);
    for (let second = 0; second < 29; second += 1) {
      world.advance(1_000);
      dribbler.send("x");
      slow.send("x".repeat(300));
    }
    expect(statuses(dribbler)).toEqual([]);
    world.advance(1_100);
    expect(statuses(dribbler)).toEqual(["408"]);
    expect(world.records[0]?.evidence).toMatch(/^29 bytes of the request body in 30000 ms; at least 7200 /);
    for (let second = 0; second < 60; second += 1) {
      world.advance(1_000);
      slow.send("x".repeat(300));
    }
    expect(statuses(slow)).toEqual([]);
    expect(world.records).toHaveLength(1);
  });

  it("the time that an origin takes for an upload is not the client's", async () => {
    const world = await memoryGateway({ service: { routes: [{ timeouts: { gap: "10m" } }] } });
    const client = world.client();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
    world.origin(1).takeOnly(0);
    client.send("x".repeat(1_000));
    world.advance(100_000);
    expect(world.records).toEqual([]);
    world.origin(1).takeAll();
    world.advance(31_000);
    expect(world.records[0]).toMatchObject({ cause: "client.slow" });
  });

  it("a client that steadily takes little of a response gets all of it; one that takes next to nothing is cut", async () => {
    const world = await memoryGateway();
    const [steady, dead] = [world.client(), world.client()];
    [steady, dead].forEach((client, index) => {
      client.takeOnly(0);
      client.send(get("/"));
      world.origin(index + 1).send(`HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n${"x".repeat(100_000)}`);
    });
    for (let second = 1; second <= 29; second += 1) {
      world.advance(1_000);
      steady.takeMore(1_000);
      dead.takeMore(100);
    }
    expect(dead.ended).toBe("");
    world.advance(1_100);
    expect(dead.ended).toBe("rst");
    expect(world.records[0]?.evidence).toBe(
      "the client took 2900 bytes in 30000 ms; at least 7200 are asked for (minRate.response)",
    );
    for (let second = 0; second < 80; second += 1) {
      world.advance(1_000);
      steady.takeMore(1_000);
    }
    expect(steady.received).toMatch(/x{100000}$/);
    world.origin(1).send("x");
    steady.takeAll();
    expect(world.records[1]).toMatchObject({ outcome: "served", responseBytes: 100_001 });
  });

  it("an origin that steadily takes little of an upload is not given up", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 30000\r\n\r\n");
    const origin = world.origin(1);
    origin.takeOnly(0);
    client.send("x".repeat(30_000));
    for (let second = 0; second < 100; second += 1) {
      world.advance(1_000);
      origin.takeMore(100);
    }
    expect(world.records).toEqual([]);
    // The window that is open saw some progress; the one after it sees none.
    world.advance(61_000);
    expect(world.records[0]).toMatchObject({ cause: "origin.write_stall" });
  });

  it("a head that trickles is answered 408 after its time, however regularly its bytes come", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send("GET / HTTP/1.1\r\n");
    for (let line = 0; line < 12; line += 1) {
      world.advance(900);
      client.send(`X-${line}: y\r\n`);
    }
    expect(statuses(client)).toEqual(["408"]);
    expect(world.records[0]).toMatchObject({ cause: "client.slow", status: 408, outcome: "refused" });
    expectQuiet(world);
  });

  it("a body may take as long as its bytes come, and not longer without any", async () => {
    const world = await memoryGateway({ listener: { minRate: { request: "0B" } } });
    const client = world.client();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n");
    for (let piece = 0; piece < 4; piece += 1) {
      world.advance(25_000);
      client.send("x");
    }
    expect(world.records).toEqual([]);
    world.advance(31_000);
    expect(statuses(client)).toEqual(["408"]);
    expect(world.origin(1).ended).toBe("rst");
    expectQuiet(world);
  });

  it("a client that takes no byte of the response is cut, and the origin is not blamed", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.takeOnly(100);
    client.send(get("/"));
    world.origin(1).send(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n${"x".repeat(50_000)}`);
    expect(world.origin(1).stalled).toBe(true);
    world.advance(31_000);
    expect(client.ended).toBe("rst");
    expect(world.records[0]).toMatchObject({ outcome: "aborted", party: "client" });
    expectQuiet(world);
  });
});

describe("CONNECT", () => {
  it("is refused and its connection closed, whatever follows in the same read", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(`CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n${get("/")}`);
    expect(statuses(client)).toEqual(["501"]);
    expect(client.ended).toBe("fin");
    const unrouted = await memoryGateway({ service: { hosts: ["known"] } });
    const other = unrouted.client();
    other.send("CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n");
    other.send("more");
    expect(statuses(other)).toEqual(["404"]);
    expect(other.ended).toBe("fin");
    expectQuiet(unrouted);
  });
});

describe("a drain", () => {
  it("closes idle connections at once and the others when they are answered", async () => {
    const world = await memoryGateway();
    const idle = world.client();
    idle.send(get("/"));
    world.origin(1).send(OK);
    const busy = world.client();
    busy.send(get("/"));
    const drained = world.gateway.drain();
    world.network.settle();
    expect(idle.ended).toBe("fin");
    world.origin(1).send(OK);
    expect(busy.take()).toMatch(/\r\nConnection: close\r\n/);
    expect(busy.ended).toBe("fin");
    idle.fin();
    busy.fin();
    world.advance(100);
    await drained;
    expectQuiet(world);
  });

  it("answers what a connection that has just come asks within a second, and then closes those that asked nothing", async () => {
    const world = await memoryGateway();
    const [asks, silent] = [world.client(), world.client()];
    const drained = world.gateway.drain();
    world.advance(900);
    expect([asks.ended, silent.ended]).toEqual(["", ""]);
    asks.send(get("/"));
    world.origin(1).send(OK);
    expect(asks.take()).toMatch(/ 200 [^]*\r\nConnection: close\r\n/);
    world.advance(200);
    expect(silent.ended).toBe("fin");
    for (const client of [asks, silent]) client.fin();
    world.advance(100);
    await drained;
    expectQuiet(world);
  });

  it("closes a connection whose response had promised to keep it", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(get("/"));
    world.origin(1).send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
    const drained = world.gateway.drain();
    world.origin(1).send("cd");
    expect(client.take()).toMatch(/abcd$/);
    expect(client.ended).toBe("fin");
    client.fin();
    world.advance(100);
    await drained;
    expectQuiet(world);
  });

  it.each([
    ["a head", "GET / HT"],
    ["a request body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1"],
    ["the wait for an origin", get("/")],
  ])("cuts what is left in %s when its time is over", async (_where, request) => {
    const world = await memoryGateway({ rest: { drain: "3s" } });
    const client = world.client();
    client.send(request);
    const drained = world.gateway.drain();
    world.advance(3100);
    await drained;
    expect(client.ended).not.toBe("");
    expect(statuses(client)).toEqual(["503"]);
    expect(world.records).toHaveLength(1);
    expect(world.records[0]).toMatchObject({ cause: "gw.draining", outcome: "failed" });
    expectQuiet(world);
  });

  it("cuts a response that is under way, so that it does not look complete, and lets its origin go", async () => {
    const world = await memoryGateway({ rest: { drain: "3s" } });
    const client = world.client();
    client.send(get("/"));
    world.origin(1).send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n");
    const drained = world.gateway.drain();
    world.advance(3100);
    await drained;
    expect(client.take()).toMatch(/2\r\nab\r\n$/);
    expect(client.ended).not.toBe("");
    expect(world.origin(1).ended).toBe("rst");
    expect(world.records[0]).toMatchObject({ outcome: "failed", cause: "gw.draining" });
    expectQuiet(world);
  });
});

describe("above the limit of connections", () => {
  it("whoever has been idle for a while makes room", async () => {
    const world = await memoryGateway({ rest: { limits: { connections: 2 } } });
    const idle = world.client();
    const busy = world.client();
    busy.send(get("/"));
    world.advance(1_500);
    const newcomer = world.client();
    newcomer.send(get("/"));
    expect(idle.ended).not.toBe("");
    expect(newcomer.received).toBe("");
    world.origin(1).send(OK);
    world.origin(2).send(OK);
    expect(statuses(busy)).toEqual(["200"]);
    expect(statuses(newcomer)).toEqual(["200"]);
    expectQuiet(world);
  });

  it("a client gets one refusal and leaves the place", async () => {
    const world = await memoryGateway({ rest: { limits: { connections: 10 } } });
    const clients = Array.from({ length: 10 }, () => world.client());
    const surplus = world.client();
    surplus.send(get("/") + get("/"));
    const reply = surplus.take();
    expect(reply).toMatch(/^HTTP\/1\.1 503 /);
    expect(reply).toMatch(/\r\nRetry-After: 1\r\n/);
    expect(reply).toMatch(/\r\nConnection: close\r\n/);
    expect(reply.match(/HTTP\/1\.1/g)).toHaveLength(1);
    // Nor is the number of those who are told so without a bound.
    const more = Array.from({ length: 100 }, () => world.network.connect()).filter((peer) => peer !== null);
    expect(more.length).toBeLessThan(50);
    for (const peer of more) peer.rst();
    surplus.fin();
    clients[0]?.rst();
    const welcome = world.client();
    welcome.send(get("/"));
    world.origin(1).send(OK);
    expect(statuses(welcome)).toEqual(["200"]);
    expectQuiet(world);
  });
});

/** The body of a chunked message, every line end checked. */
function dechunked(message: string): string {
  let at = message.indexOf("\r\n\r\n") + 4;
  let body = "";
  for (;;) {
    const line = message.indexOf("\r\n", at);
    const size = Number.parseInt(message.slice(at, line), 16);
    at = line + 2;
    if (size === 0) return body;
    body += message.slice(at, at + size);
    at += size;
    expect(message.slice(at, at + 2)).toBe("\r\n");
    at += 2;
  }
}
