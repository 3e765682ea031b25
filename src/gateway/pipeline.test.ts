/** One exchange from the client to the origin and back, in every order in which things can happen. */
import { describe, expect, it } from "vitest";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../test/support/memory-gateway.ts";
import type { Peer } from "../../test/support/memory-socket.ts";

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const TWO = { origins: ["http://10.0.0.1", "http://10.0.0.2"] };

function request(method: string, body: string, fields = ""): string {
  return `${method} / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n${fields}\r\n${body}`;
}

function statusOf(client: Peer): string {
  return /^HTTP\/1\.1 (\d{3})/.exec(client.received)?.[1] ?? "";
}

function bodyOf(message: string): string {
  return message.slice(message.indexOf("\r\n\r\n") + 4);
}

function codes(world: MemoryGateway): string[] {
  return world.records.flatMap((record) => record.decisions.map((decision) => decision.code));
}

function expectQuiet(world: MemoryGateway): void {
  expect(world.faults).toEqual([]);
  expect(world.gateway.view.status().exchangesActive).toBe(0);
  for (const origin of world.gateway.view.origins()) {
    for (const address of origin.addresses) expect(address.inFlight).toBe(0);
  }
}

describe("a response", () => {
  it.each([
    ["HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", "Content-Length: 1000"],
    ["GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n", "Content-Length: 1000"],
    ["GET", "HTTP/1.1 204 No Content\r\n\r\n", ""],
    ["HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", ""],
  ])("to %s that has no body ends with its head: %j", async (method, head, kept) => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(`${method} / HTTP/1.1\r\nHost: x\r\n\r\n`);
    world.origin(1).send(head);
    expect(client.received).toContain(kept);
    expect(bodyOf(client.received)).toBe("");
    expect(client.received).not.toMatch(/transfer-encoding/i);
    // Both connections go on: the next exchange shows it.
    client.send(GET);
    world.origin(1).send(OK);
    expect(client.received).toMatch(/ok$/);
    expect(world.network.dialled).toHaveLength(1);
    expectQuiet(world);
  });

  it("that sends a body where none may be costs the connection, and the body reaches nobody", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    world.origin(1).send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL");
    expect(client.received).not.toContain("EVIL");
    client.send(GET);
    expect(world.network.dialled).toHaveLength(2);
    world.origin(2).send(OK);
    expect(client.received).toMatch(/ok$/);
    expectQuiet(world);
  });

  it("without a length is chunked to an HTTP/1.1 client and ends with the origin's FIN", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(GET);
    world.origin(1).send("HTTP/1.1 200 OK\r\n\r\nab");
    world.origin(1).send("cde");
    world.origin(1).fin();
    expect(client.received).toMatch(/\r\nTransfer-Encoding: chunked\r\n/);
    expect(bodyOf(client.received)).toBe("2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n");
    expect(client.ended).toBe("");
    expectQuiet(world);
  });

  it("without a length, cut by RST, never looks complete: neither to HTTP/1.1 nor to HTTP/1.0", async () => {
    for (const [version, how] of [
      ["1.1", "fin"],
      ["1.0", "rst"],
    ]) {
      const world = await memoryGateway();
      const client = world.client();
      client.send(`GET / HTTP/${version}\r\nHost: x\r\n\r\n`);
      world.origin(1).send("HTTP/1.1 200 OK\r\n\r\nab");
      world.origin(1).rst();
      expect(client.received).not.toContain("0\r\n\r\n");
      expect(client.ended).toBe(how);
      expect(world.records[0]).toMatchObject({ cause: "origin.truncated_unframed", outcome: "failed" });
      expectQuiet(world);
    }
  });

  it("that is chunked reaches an HTTP/1.0 client without chunks, and ends with FIN", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    world
      .origin(1)
      .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\nX-T: 1\r\n\r\n");
    expect(client.received).toMatch(/\r\nConnection: close\r\n/);
    expect(client.received).not.toMatch(/transfer-encoding/i);
    expect(bodyOf(client.received)).toBe("abc");
    expect(client.ended).toBe("fin");
    expectQuiet(world);
  });

  it("with a length keeps an HTTP/1.0 connection that asked for it, and says so", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    world.origin(1).send(OK);
    expect(client.take()).toMatch(/\r\nConnection: keep-alive\r\n[\s\S]*ok$/);
    client.send("GET / HTTP/1.0\r\n\r\n");
    world.origin(1).send(OK);
    expect(client.take()).toMatch(/\r\nConnection: close\r\n/);
    expect(client.ended).toBe("fin");
    expectQuiet(world);
  });

  it("hands its trailers on to a client that asked for them, and to no other", async () => {
    for (const [te, end] of [
      ["TE: trailers\r\nConnection: TE\r\n", "0\r\nX-Sum: 7\r\n\r\n"],
      ["", "0\r\n\r\n"],
    ]) {
      const world = await memoryGateway();
      const client = world.client();
      client.send(`GET / HTTP/1.1\r\nHost: x\r\n${te}\r\n`);
      world
        .origin(1)
        .send(
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 7\r\nContent-Length: 0\r\n\r\n",
        );
      expect(bodyOf(client.received)).toBe(`1\r\na\r\n${end}`);
    }
  });

  it("of any size passes slow clients with bounded memory: the origin is not read while bytes wait", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(GET);
    const origin = world.origin(1);
    client.takeOnly(300_000);
    const total = 3_000_000;
    origin.send(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
    const body = Buffer.alloc(total, "abcdefghij");
    for (let at = 0; at < total; at += 65_536) origin.send(body.subarray(at, at + 65_536));
    expect(origin.stalled).toBe(true);
    expect(client.received.length).toBe(300_000);
    client.takeAll();
    expect(bodyOf(client.received) === body.latin1Slice()).toBe(true);
    expect(world.records[0]).toMatchObject({ outcome: "served", responseBytes: total });
    expectQuiet(world);
  });

  it.each([1, 7, 4095, 4096, 4097, 70_000])(
    "relayed in reads of %i bytes is the same bytes, chunked or not",
    async (size) => {
      const body = Buffer.alloc(200_000, "0123456789abcdef-").latin1Slice();
      const chunks = [100, 4096, 5000, 65_536, 1, 200_000 - 100 - 4096 - 5000 - 65_536 - 1];
      let framed = "";
      let at = 0;
      for (const length of chunks) {
        framed += `${length.toString(16)}\r\n${body.slice(at, at + length)}\r\n`;
        at += length;
      }
      const messages = [
        `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${framed}0\r\n\r\n`,
      ];
      const world = await memoryGateway();
      for (const message of messages) {
        const client = world.client();
        client.send(GET);
        const bytes = Buffer.from(message, "latin1");
        const step = size === 1 ? 997 : size;
        for (let from = 0; from < bytes.length; from += step) world.origin(1).send(bytes.subarray(from, from + step));
        expect(unframed(client.received) === body).toBe(true);
      }
      expect(world.network.dialled).toHaveLength(1);
      expectQuiet(world);
    },
  );

  it("with bytes behind it is passed on, and its connection is not used again", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(GET);
    world.origin(1).send(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL`);
    expect(client.take()).toMatch(/ok$/);
    expect(world.origin(1).ended).not.toBe("");
    client.send(GET);
    world.origin(2).send(OK);
    expect(client.received).not.toContain("EVIL");
    expectQuiet(world);
  });

  it("that nobody asked for closes the idle connection before a request can meet it", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(GET);
    world.origin(1).send(OK);
    world.network.together(() => {
      world.origin(1).send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL");
      client.send(request("POST", "x"));
    });
    expect(world.network.dialled).toHaveLength(2);
    world.origin(2).send(OK);
    expect(client.received).not.toContain("EVIL");
    expect(world.records[1]).toMatchObject({ outcome: "served", attempts: [{ reused: false }] });
    expectQuiet(world);
  });
});

describe("an origin that breaks off", () => {
  it.each([
    ["inside its head", "HTTP/1.1 200 OK\r\nX", "origin.truncated", 502],
    ["behind nothing", "", "origin.reset_before_response", 502],
  ])("%s is answered with 502", async (_where, sent, cause, status) => {
    const world = await memoryGateway({ service: { retry: { attempts: 1 } } });
    const client = world.client();
    client.send(request("POST", "x"));
    if (sent !== "") world.origin(1).send(sent);
    world.origin(1).fin();
    expect(statusOf(client)).toBe(String(status));
    expect(world.records[0]).toMatchObject({ cause, originStatus: 0, outcome: "failed" });
    expectQuiet(world);
  });

  it.each([
    ["FIN inside a length", "Content-Length: 5\r\n\r\nab", "fin", "origin.truncated"],
    ["RST inside a length", "Content-Length: 5\r\n\r\nab", "rst", "net.mid_reset"],
    ["FIN inside a chunk", "Transfer-Encoding: chunked\r\n\r\n5\r\nab", "fin", "origin.truncated"],
    ["FIN between chunks", "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", "fin", "origin.truncated"],
    ["FIN before the last empty line", "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n", "fin", "origin.truncated"],
    ["a bad chunk", "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n", "", "origin.framing"],
    ["a chunk that is longer than it says", "Transfer-Encoding: chunked\r\n\r\n2\r\nabX\r\n", "", "origin.framing"],
  ])("with %s is cut for the client too", async (_what, rest, how, cause) => {
    const world = await memoryGateway(TWO);
    const client = world.client();
    client.send(GET);
    world.origin(1).send(`HTTP/1.1 200 OK\r\n${rest}`);
    if (how === "fin") world.origin(1).fin();
    if (how === "rst") world.origin(1).rst();
    expect(bodyOf(client.received)).toMatch(/ab(?:\r\n)?$/);
    expect(bodyOf(client.received)).not.toContain("0\r\n");
    expect(client.ended).toBe("fin");
    expect(world.records[0]).toMatchObject({ cause, outcome: "failed", status: 200, originStatus: 200 });
    expect(world.network.dialled).toHaveLength(1);
    expectQuiet(world);
  });

  it("in the middle of the request body, answered 413 before: the client gets the answer", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nstart");
    world.origin(1).send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig");
    expect(statusOf(client)).toBe("413");
    expect(client.received).toMatch(/\r\nConnection: close\r\n[\s\S]*big$/);
    expect(client.ended).toBe("fin");
    expect(world.origin(1).ended).not.toBe("");
    client.send("x".repeat(50_000));
    expect(world.records[0]).toMatchObject({ outcome: "served", status: 413, cause: "origin.early_reply" });
    expect(codes(world)).toEqual(["relay.early-reply"]);
    expectQuiet(world);
  });

  it("stops in an early reply while the client still sends: the client sees a cut, the origin is let go", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nstart");
    world.origin(1).send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab");
    world.advance(31_000);
    expect(client.received).toMatch(/ab$/);
    expect(client.ended).toBe("fin");
    expect(world.origin(1).ended).toBe("rst");
    world.origin(1).send("cdefghij");
    expect(client.received).toMatch(/ab$/);
    expect(world.records).toHaveLength(1);
    expectQuiet(world);
  });
});

describe("a request body", () => {
  it.each([0, 1, 65_535, 65_536, 65_537, 200_000])(
    "of %i bytes is sent again as long as all of it is kept",
    async (size) => {
      const world = await memoryGateway(TWO);
      const client = world.client();
      client.send(request("PUT", "x".repeat(size)));
      expect(bodyOf(world.origin(1).received)).toHaveLength(size);
      world.origin(1).rst();
      if (size <= 65_536) {
        expect(bodyOf(world.origin(2).received) === "x".repeat(size)).toBe(true);
        world.origin(2).send(OK);
        expect(world.records[0]).toMatchObject({ outcome: "rescued", requestBytes: size });
      } else {
        expect(statusOf(client)).toBe("502");
        expect(codes(world)).toEqual(["retry.refused.body-too-large"]);
      }
      expect(world.gateway.view.status().exchangesActive).toBe(0);
      expectQuiet(world);
    },
  );

  it("larger than the replay buffer is sent to another origin when the first was never reached", async () => {
    const world = await memoryGateway(TWO);
    world.network.acceptAtOnce = false;
    const client = world.client();
    client.send(request("POST", "x".repeat(100_000)));
    expect(client.stalled).toBe(true);
    world.origin(1).refuse("ECONNREFUSED");
    world.origin(2).accept();
    expect(bodyOf(world.origin(2).received)).toHaveLength(100_000);
    world.origin(2).send(OK);
    expect(statusOf(client)).toBe("200");
    expect(codes(world)).toEqual(["retry.allowed.never-sent"]);
    expectQuiet(world);
  });

  it("that is still coming goes on at the second origin where the first broke off", async () => {
    const world = await memoryGateway(TWO);
    const client = world.client();
    client.send("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    world.network.acceptAtOnce = false;
    world.origin(1).rst();
    client.send("3\r\ndef\r\n");
    world.origin(2).accept();
    client.send("2\r\ngh\r\n0\r\n\r\n");
    expect(bodyOf(world.origin(2).received)).toBe("3\r\nabc\r\n3\r\ndef\r\n2\r\ngh\r\n0\r\n\r\n");
    world.origin(2).send(OK);
    expect(world.records[0]).toMatchObject({ outcome: "rescued", requestBytes: 8 });
    expectQuiet(world);
  });

  it("is read no faster than the origin takes it, and an origin that takes nothing is named", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n");
    const origin = world.origin(1);
    origin.takeOnly(100_000);
    for (let sent = 0; sent < 20; sent += 1) client.send(Buffer.alloc(65_536, "x"));
    expect(client.stalled).toBe(true);
    world.advance(29_000);
    expect(world.records).toEqual([]);
    world.advance(2_000);
    expect(world.records[0]).toMatchObject({ cause: "origin.write_stall", party: "origin" });
    expect(statusOf(client)).toBe("504");
    expect(origin.ended).toBe("rst");
    expectQuiet(world);
  });

  it("passes whole through a slow origin", async () => {
    const world = await memoryGateway();
    const client = world.client();
    const body = Buffer.alloc(1_000_000, "abcdefg").latin1Slice();
    client.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`);
    const origin = world.origin(1);
    origin.takeOnly(10_000);
    client.send(body);
    for (let step = 0; step < 30 && bodyOf(origin.received).length < body.length; step += 1) {
      world.advance(5_000);
      origin.takeAll();
      origin.takeOnly(10_000);
    }
    origin.takeAll();
    expect(bodyOf(origin.received) === body).toBe(true);
    origin.send(OK);
    expect(statusOf(client)).toBe("200");
    expectQuiet(world);
  });

  it("that is malformed is refused, and the origin never gets an end of it", async () => {
    const world = await memoryGateway(TWO);
    const client = world.client();
    client.send("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    client.send("zz\r\n");
    expect(statusOf(client)).toBe("400");
    expect(world.origin(1).ended).toBe("rst");
    expect(world.origin(1).received).not.toContain("0\r\n\r\n");
    expect(world.network.dialled).toHaveLength(1);
    expectQuiet(world);
  });
});

describe("Expect: 100-continue", () => {
  const HEAD = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";

  it("is the origin's to answer: 100 travels once, then the body", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(HEAD);
    const origin = world.origin(1);
    expect(origin.take()).toMatch(/\r\nExpect: 100-continue\r\n/);
    origin.send("HTTP/1.1 100 Continue\r\n\r\n");
    origin.send("HTTP/1.1 100 Continue\r\n\r\n");
    expect(client.take()).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    client.send("body");
    expect(origin.take()).toBe("body");
    origin.send(OK);
    expect(client.take()).toMatch(/^HTTP\/1\.1 200 /);
    expectQuiet(world);
  });

  it("answered with a final status ends the exchange and the connection", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(HEAD);
    world.origin(1).send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
    expect(client.received).toMatch(/^HTTP\/1\.1 401 [\s\S]*\r\nConnection: close\r\n/);
    expect(client.ended).toBe("fin");
    expect(world.origin(1).ended).not.toBe("");
    expectQuiet(world);
  });

  it("that the origin does not know does not hold up a client that sends its body all the same, however long", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\nExpect: 100-continue\r\n\r\n");
    world.advance(1_000);
    for (let piece = 0; piece < 4; piece += 1) {
      client.send("0123456789");
      world.advance(6_000);
    }
    world.origin(1).send(OK);
    expect(statusOf(client)).toBe("200");
    expect(world.records[0]).toMatchObject({ outcome: "served", requestBytes: 40 });
    expectQuiet(world);
  });

  it("that the origin leaves open is the origin's fault, not the waiting client's", async () => {
    const slow = { routes: [{ match: { path: "/*" }, timeouts: { firstByte: "60s" } }] };
    const world = await memoryGateway({ service: { ...slow, retry: { attempts: 1 } } });
    const client = world.client();
    client.send(HEAD);
    world.advance(61_000);
    expect(statusOf(client)).toBe("504");
    expect(world.records[0]).toMatchObject({ cause: "origin.ttfb_timeout", party: "origin" });
    expectQuiet(world);
  });

  it("leaves the client its usual time for the body once it was told to send it", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(HEAD);
    world.origin(1).send("HTTP/1.1 100 Continue\r\n\r\n");
    world.advance(31_000);
    expect(client.received).toMatch(/HTTP\/1\.1 408 /);
    expect(world.records[0]).toMatchObject({ cause: "client.slow", party: "client" });
    expectQuiet(world);
  });

  it("of an attempt that fails is asked of the next origin", async () => {
    const world = await memoryGateway(TWO);
    const client = world.client();
    client.send(HEAD.replace("POST", "PUT"));
    world.origin(1).rst();
    expect(world.origin(2).received).toMatch(/\r\nExpect: 100-continue\r\n[\s\S]*\r\n\r\n$/);
    world.origin(2).send("HTTP/1.1 100 Continue\r\n\r\n");
    client.send("body");
    world.origin(2).send(OK);
    expect(client.received).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
    expectQuiet(world);
  });
});

describe("interim responses", () => {
  it("travel to HTTP/1.1 clients and not to HTTP/1.0 ones", async () => {
    for (const [version, hints] of [
      ["1.1", true],
      ["1.0", false],
    ] as const) {
      const world = await memoryGateway();
      const client = world.client();
      client.send(`GET / HTTP/${version}\r\nHost: x\r\n\r\n`);
      world.origin(1).send(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x-y\r\nX-Y: 1\r\n\r\n${OK}`);
      expect(client.received.startsWith("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")).toBe(hints);
      expect(client.received).toMatch(/ok$/);
      expectQuiet(world);
    }
  });

  it("in a flood end: some are passed on, then the response is refused", async () => {
    const world = await memoryGateway({ service: { retry: { attempts: 1 } } });
    const client = world.client();
    client.send(GET);
    for (let sent = 0; sent < 500; sent += 1) world.origin(1).send("HTTP/1.1 103 Early Hints\r\n\r\n");
    expect(client.received.match(/ 103 /g)?.length).toBeLessThanOrEqual(128);
    expect(client.received).toMatch(/HTTP\/1\.1 502 /);
    expect(world.origin(1).ended).not.toBe("");
    expectQuiet(world);
  });

  it("do not put off the limit on the first byte of the response", async () => {
    const world = await memoryGateway({ service: { retry: { attempts: 1 } } });
    const client = world.client();
    client.send(GET);
    for (let seconds = 0; seconds < 16; seconds += 1) {
      world.advance(1_000);
      world.origin(1).send("HTTP/1.1 102 Processing\r\n\r\n");
    }
    expect(client.received).toMatch(/HTTP\/1\.1 504 /);
    expectQuiet(world);
  });

  it("that the client is slow to take leave the limit on the response in force", async () => {
    const world = await memoryGateway({ service: { retry: { attempts: 1 } } });
    const client = world.client();
    client.send(GET);
    client.takeOnly(10);
    world.origin(1).send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    world.advance(1_000);
    client.takeAll();
    world.advance(16_000);
    expect(client.received).toMatch(/HTTP\/1\.1 504 /);
    expect(world.records[0]).toMatchObject({ cause: "origin.ttfb_timeout" });
    expectQuiet(world);
  });
});

describe("a rescue", () => {
  it("goes to another origin each time, at most as often as configured, and tells both", async () => {
    const world = await memoryGateway({ origins: [1, 2, 3, 4].map((n) => `http://10.0.0.${n}`) });
    const client = world.client();
    client.send(GET);
    for (const number of [1, 2, 3]) world.origin(number).send("garbage\r\n\r\n");
    expect(world.network.dialled.map((origin) => origin.address)).toHaveLength(3);
    expect(new Set(world.network.dialled.map((origin) => origin.address)).size).toBe(3);
    expect(statusOf(client)).toBe("502");
    expect(codes(world)).toEqual(["retry.allowed.idempotent", "retry.allowed.idempotent", "retry.refused.attempts"]);
    expect(world.records[0]?.attempts.map((attempt) => attempt.cause)).toEqual(
      Array.from({ length: 3 }, () => "origin.malformed"),
    );
    expectQuiet(world);
  });

  it("is never made of a payment that may have arrived", async () => {
    const world = await memoryGateway(TWO);
    const client = world.client();
    client.send(request("POST", "pay"));
    world.origin(1).rst();
    expect(world.network.dialled).toHaveLength(1);
    expect(statusOf(client)).toBe("502");
    expect(codes(world)).toEqual(["retry.refused.not-idempotent"]);
    expectQuiet(world);
  });

  it("sends a request that met a closed idle connection again on a new one, also with one origin", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(GET);
    world.origin(1).send(OK);
    client.take();
    world.advance(3_000);
    client.send(GET);
    expect(world.network.dialled).toHaveLength(1);
    world.origin(1).fin();
    expect(world.network.dialled).toHaveLength(2);
    world.origin(2).send(OK);
    expect(client.take()).toMatch(/ok$/);
    expect(world.records[1]).toMatchObject({ outcome: "rescued" });
    expect(codes(world)).toEqual(["retry.allowed.fresh-connection"]);
    expectQuiet(world);
  });

  it("is not stopped by the only connection that there may be still being closed", async () => {
    const world = await memoryGateway({ service: { connections: { perOrigin: 1 } } });
    const client = world.client();
    client.send(GET);
    world.origin(1).send(OK);
    client.take();
    world.advance(3_000);
    client.send(GET);
    world.origin(1).fin();
    world.origin(2).send(OK);
    expect(client.take()).toMatch(/ok$/);
    expectQuiet(world);
  });

  it("of an origin's own 5xx to a payment is not made: it is passed on and labelled", async () => {
    const world = await memoryGateway(TWO);
    const client = world.client();
    client.send(request("POST", "pay"));
    world.origin(1).send("HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nsorr");
    expect(client.received).toMatch(
      /^HTTP\/1\.1 500 Oops\r\n[\s\S]*\r\nProxy-Status: goodgate[^\r]*received-status=500[\s\S]*sorr$/,
    );
    expect(world.records[0]).toMatchObject({ outcome: "failed", cause: "origin.app_5xx", originStatus: 500 });
    expectQuiet(world);
  });
});

describe("limits towards origins", () => {
  it("an origin that does not answer SYN, or the request, is left for another", async () => {
    const world = await memoryGateway(TWO);
    world.network.acceptAtOnce = false;
    const client = world.client();
    client.send(GET);
    world.advance(2_100);
    expect(world.origin(1).ended).not.toBe("");
    world.origin(2).accept();
    world.advance(15_100);
    expect(world.records[0]?.attempts.map((attempt) => attempt.cause)).toEqual([
      "net.connect_timeout",
      "origin.ttfb_timeout",
    ]);
    expect(statusOf(client)).toBe("504");
    expectQuiet(world);
  });

  it("an origin silent in its body for too long is cut off; one that sends now and then is not", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(GET);
    world.origin(1).send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
    for (let piece = 0; piece < 3; piece += 1) {
      world.advance(29_000);
      world.origin(1).send("x");
    }
    expect(world.records).toEqual([]);
    world.advance(31_000);
    expect(client.ended).toBe("fin");
    expect(world.records[0]).toMatchObject({ cause: "origin.stall_mid_body", step: "relay" });
    expectQuiet(world);
  });

  it("the time that a slow client takes is not counted against the origin", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(GET);
    client.takeOnly(100);
    world.origin(1).send(`HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n${"x".repeat(10_000)}`);
    world.advance(29_000);
    client.takeAll();
    world.advance(29_000);
    world.origin(1).send("x".repeat(10_000));
    expect(world.records[0]).toMatchObject({ outcome: "served" });
    expectQuiet(world);
  });

  it("events may be silent for as long as they like", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(GET);
    world.origin(1).send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
    world.advance(300_000);
    world.origin(1).send("data: 1\n\n");
    expect(client.received).toContain("data: 1\n\n");
  });
});

describe("a connection that there is not", () => {
  const ONE = { service: { connections: { perOrigin: 1 } } };

  it("is waited for, and handed on from exchange to exchange in their order", async () => {
    const world = await memoryGateway(ONE);
    const clients = [1, 2, 3].map(() => world.client());
    for (const [index, client] of clients.entries()) client.send(`GET /${index} HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(world.network.dialled).toHaveLength(1);
    for (const [index, client] of clients.entries()) {
      expect(world.origin(1).take()).toContain(`GET /${index} `);
      world.origin(1).send(OK);
      expect(client.take()).toMatch(/ok$/);
    }
    expect(codes(world)).toEqual(["attempt.waited-for-connection", "attempt.waited-for-connection"]);
    expect(world.records[2]?.attempts[0]).toMatchObject({ reused: true, connectionUses: 2 });
    expectQuiet(world);
  });

  it("is opened anew for who waits when the one in use is closed", async () => {
    const world = await memoryGateway(ONE);
    const [first, second] = [world.client(), world.client()];
    first.send(GET);
    second.send(GET);
    world.origin(1).send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    world.origin(2).send(OK);
    expect(statusOf(second)).toBe("200");
    expectQuiet(world);
  });

  it("is not waited for in vain by a client that leaves", async () => {
    const world = await memoryGateway(ONE);
    const [first, second, third] = [world.client(), world.client(), world.client()];
    first.send(GET);
    second.send(GET);
    third.send(GET);
    second.rst();
    world.origin(1).send(OK);
    world.origin(1).send(OK);
    expect(statusOf(third)).toBe("200");
    expectQuiet(world);
  });

  it("ends the waiting after its time, and the evidence says how long it was", async () => {
    const world = await memoryGateway(ONE);
    const [first, second] = [world.client(), world.client()];
    first.send(GET);
    second.send(GET);
    world.advance(2_100);
    expect(statusOf(second)).toBe("503");
    expect(world.records[0]).toMatchObject({ cause: "gw.pool_wait", party: "overload" });
    expect(world.records[0]?.evidence).toMatch(/for 2\d{3} ms/);
    world.origin(1).send(OK);
    expectQuiet(world);
  });

  it("is not waited for by more than can be served: the rest is told at once", async () => {
    const world = await memoryGateway(ONE);
    const clients = Array.from({ length: 8 }, () => world.client());
    for (const client of clients) client.send(GET);
    world.advance(100);
    expect(world.records.map((record) => record.cause)).toEqual(["gw.pool_wait", "gw.pool_wait", "gw.pool_wait"]);
    expect(world.records[0]?.evidence).not.toContain("2000 ms");
  });

  it("is made room for when those that are idle are not fit for this request", async () => {
    const world = await memoryGateway(ONE);
    const client = world.client();
    client.send(GET);
    world.origin(1).send(OK);
    client.take();
    // Idle too long for what must not run twice.
    world.advance(1_500);
    client.send(request("POST", "pay"));
    expect(world.origin(1).ended).not.toBe("");
    world.origin(2).send(OK);
    expect(client.take()).toMatch(/ok$/);
    expectQuiet(world);
  });
});

describe("an idle connection", () => {
  it("whose FIN is in the same turn as a request is not given to it", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(GET);
    world.origin(1).send(OK);
    client.take();
    world.advance(200);
    world.network.together(() => {
      world.origin(1).fin();
      client.send(request("POST", "pay"));
    });
    expect(world.network.dialled).toHaveLength(2);
    world.origin(2).send(OK);
    expect(client.take()).toMatch(/ok$/);
    expect(world.records[1]).toMatchObject({ outcome: "served" });
    expectQuiet(world);
  });

  it("is closed after its time", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(GET);
    world.origin(1).send("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n");
    world.advance(3_900);
    expect(world.origin(1).ended).toBe("");
    world.advance(200);
    expect(world.origin(1).ended).not.toBe("");
    expect(world.gateway.view.origins()[0]?.addresses[0]).toMatchObject({ connectionsOpen: 0, connectionsIdle: 0 });
  });
});

describe("names that are not known yet", () => {
  it("are waited for: the answer serves everybody who waits", async () => {
    const world = await memoryGateway({ origins: ["http://a.test"] });
    const clients = [world.client(), world.client()];
    for (const client of clients) client.send(GET);
    expect(world.network.dialled).toHaveLength(0);
    world.names.answer("a.test", ["10.0.0.9"]);
    world.network.settle();
    for (const number of [1, 2]) world.origin(number).send(OK);
    expect(clients.map(statusOf)).toEqual(["200", "200"]);
    expectQuiet(world);
  });

  it("that do not exist fail with the resolver's words, unless another origin's answer may still come", async () => {
    const world = await memoryGateway({ origins: ["http://a.test", "http://b.test"] });
    const client = world.client();
    client.send(GET);
    world.names.fail("a.test", "dns.nxdomain", "ENOTFOUND");
    world.network.settle();
    expect(world.records).toEqual([]);
    world.names.fail("b.test", "dns.servfail", "ESERVFAIL");
    world.network.settle();
    expect(statusOf(client)).toBe("502");
    expect(world.records[0]).toMatchObject({ cause: "dns.nxdomain", party: "dns" });
    expect(world.records[0]?.evidence).toContain("ENOTFOUND");
    expectQuiet(world);
  });

  it("do not hold a client that leaves", async () => {
    const world = await memoryGateway({ origins: ["http://a.test"] });
    const client = world.client();
    client.send(GET);
    client.rst();
    world.names.answer("a.test", ["10.0.0.9"]);
    world.network.settle();
    expect(world.network.dialled).toHaveLength(0);
    expect(world.records[0]).toMatchObject({ cause: "client.abort_wait" });
    expectQuiet(world);
  });
});

describe("a defect of the gateway", () => {
  it("costs the exchange in which it happens, and the next one works", async () => {
    let broken = true;
    const world = await memoryGateway({
      ...TWO,
      chance: () => {
        if (broken) throw new Error("a defect");
        return 0;
      },
    });
    const client = world.client();
    client.send(GET);
    expect(statusOf(client)).toBe("500");
    expect(world.records[0]).toMatchObject({ cause: "gw.internal", outcome: "failed" });
    expect(client.received).not.toContain("a defect");
    broken = false;
    const other = world.client();
    other.send(GET);
    world.origin(1).send(OK);
    expect(statusOf(other)).toBe("200");
    expect(world.faults).toHaveLength(1);
    expect(world.gateway.view.status().exchangesActive).toBe(0);
  });
});

describe("what is refused before an origin is asked", () => {
  it("a request that came back, with this gateway's name in Via as its origin saw it", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(GET);
    const via = /\r\nVia: ([^\r]+)\r\n/.exec(world.origin(1).received)?.[1] ?? "";
    expect(via).toMatch(/^1\.1 goodgate-[0-9a-f]{8}$/);
    world.origin(1).send(OK);
    const again = world.client();
    again.send(`GET / HTTP/1.1\r\nHost: x\r\nVia: ${via}\r\n\r\n`);
    expect(statusOf(again)).toBe("502");
    expect(world.records[1]?.cause).toBe("gw.loop");
    expect(world.network.dialled).toHaveLength(1);
  });

  it.each([
    [
      "TRACE that may go no further",
      "TRACE / HTTP/1.1\r\nHost: x\r\nMax-Forwards: 0\r\n\r\n",
      "501",
      "client.bad_request",
    ],
    ["two hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400", "client.bad_request"],
  ])("%s", async (_what, text, status, cause) => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(text);
    expect(statusOf(client)).toBe(status);
    expect(world.records[0]?.cause).toBe(cause);
    expect(world.network.dialled).toHaveLength(0);
    expectQuiet(world);
  });
});

/** The body of a message, whichever way it is framed. */
function unframed(message: string): string {
  const body = bodyOf(message);
  if (!/\r\ntransfer-encoding: chunked\r\n/i.test(message)) return body;
  let plain = "";
  for (let at = 0; ;) {
    const line = body.indexOf("\r\n", at);
    const size = Number.parseInt(body.slice(at, line), 16);
    if (size === 0) return plain;
    plain += body.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
  }
}
