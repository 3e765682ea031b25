import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { FLAG, FRAME, PREFACE } from "../http2/frames.ts";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway, MemoryGatewayOptions } from "../../test/support/memory-gateway.ts";
import type { Peer } from "../../test/support/memory-socket.ts";
import {
  block,
  data,
  describeFrames,
  frame,
  FrameReader,
  GET,
  OPENING,
  POST,
  request,
  reset,
  settings,
  windowUpdate,
  word,
} from "../../test/support/h2-frames.ts";
import type { Pair } from "../../test/support/h2-frames.ts";

interface World extends MemoryGateway {
  readonly peer: Peer;
  readonly reader: FrameReader;
  send(...frames: readonly Buffer[]): void;
  /** What came since the last call, a line for each frame. */
  came(): string[];
}

async function world(options: MemoryGatewayOptions = {}, opening = OPENING): Promise<World> {
  const memory = await memoryGateway(options);
  const peer = memory.client();
  const reader = new FrameReader();
  const made: World = {
    ...memory,
    get records() {
      return memory.records;
    },
    peer,
    reader,
    send: (...frames) => peer.send(Buffer.concat(frames)),
    came: () => describeFrames(reader, reader.push(Buffer.from(peer.take(), "latin1"))),
  };
  peer.send(opening);
  made.came();
  return made;
}

/** In the record of what was told by a frame: no head of an answer has left. */
const UNANSWERED = { status: 0, responseBytes: 0 };
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nhi";

describe("a client that speaks HTTP/2 with prior knowledge", () => {
  test("is answered with our settings, and its own are agreed to", async () => {
    const memory = await memoryGateway();
    const peer = memory.client();
    peer.send(OPENING);
    const reader = new FrameReader();
    const lines = describeFrames(reader, reader.push(Buffer.from(peer.take(), "latin1")));
    expect(lines).toEqual(["SETTINGS", "WINDOW_UPDATE", "SETTINGS ack"]);
  });

  test("is understood whatever pieces its preface comes in", async () => {
    for (let cut = 1; cut < OPENING.length; cut += 1) {
      const { came, send, peer, origin } = await world({}, OPENING.subarray(0, cut));
      peer.send(OPENING.subarray(cut));
      send(request(1));
      origin(1).send(OK);
      expect(came().at(-1), `cut at ${cut}`).toBe("DATA 1 end hi");
    }
  });

  test("is read byte by byte like in one piece", async () => {
    const { came, peer, origin, records } = await world({}, Buffer.alloc(0));
    const all = Buffer.concat([OPENING, request(1, POST, false), data(1, "hello"), data(1, "", true)]);
    for (const byte of all) peer.send(Buffer.from([byte]));
    expect(origin(1).received).toMatch(/\r\n\r\n(?:1\r\n.\r\n){5}0\r\n\r\n$/s);
    origin(1).send(OK);
    expect(came().at(-1)).toBe("DATA 1 end hi");
    expect(records[0]).toMatchObject({ requestBytes: 5, outcome: "served" });
  });

  test("is refused as before where HTTP/2 is switched off", async () => {
    const { peer, records } = await world({ listener: { http2: false } });
    expect(peer.received).toMatch(/^HTTP\/1\.1 505 /);
    expect(records[0]).toMatchObject({ reason: "http2-preface" });
  });

  test("goes on when HTTP/2 is switched off meanwhile, and the next one does not begin", async () => {
    const { send, came, origin, apply, client } = await world();
    await apply({ listener: { http2: false } });
    const next = client();
    next.send(OPENING);
    expect(next.received).toMatch(/^HTTP\/1\.1 505 /);
    send(request(1));
    origin(1).send(OK);
    expect(came().at(-1)).toBe("DATA 1 end hi");
  });

  test("may not say it behind another request", async () => {
    const memory = await memoryGateway();
    const peer = memory.client();
    peer.send(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`);
    memory.origin(1).send(OK);
    peer.send(PREFACE);
    expect(peer.received).toContain("HTTP/1.1 505 ");
  });
});

test("a request reaches its origin as HTTP/1.1 and the response comes back as frames", async () => {
  const { send, came, origin, records, reader, peer } = await world();
  send(request(1, [...GET, ["accept", "text/plain"]]));
  expect(origin(1).received).toMatch(/^GET \/ HTTP\/1\.1\r\nhost: shop\.example\r\naccept: text\/plain\r\n/);
  expect(origin(1).received).toMatch(/\r\nVia: 2\.0 goodgate-/);
  origin(1).send(OK);
  const frames = reader.push(Buffer.from(peer.take(), "latin1"));
  expect(frames.map(({ type }) => type)).toEqual([FRAME.HEADERS, FRAME.DATA]);
  const [head] = frames;
  const fields = reader.fields(head!);
  expect(fields.slice(0, 3)).toEqual([
    [":status", "200"],
    ["content-length", "2"],
    ["content-type", "text/plain"],
  ]);
  expect(fields.map(([name]) => name)).not.toContain("connection");
  expect(came()).toEqual([]);
  expect(records).toHaveLength(1);
  expect(records[0]).toMatchObject({ protocol: "HTTP/2", outcome: "served", status: 200, host: "shop.example" });
});

test("requests go side by side, and answers come in the order in which origins give them", async () => {
  const { send, came, origin, records } = await world();
  send(request(1), request(3), request(5));
  origin(3).send(OK);
  origin(1).send(OK);
  expect(came()).toEqual(["HEADERS 5 200", "DATA 5 end hi", "HEADERS 1 200", "DATA 1 end hi"]);
  origin(2).send(OK);
  expect(came()).toEqual(["HEADERS 3 200", "DATA 3 end hi"]);
  expect(records.map(({ connectionUses }) => connectionUses)).toEqual([2, 0, 1]);
});

test("a response without content ends with its head", async () => {
  const { send, came, origin } = await world();
  send(request(1));
  origin(1).send("HTTP/1.1 204 No Content\r\n\r\n");
  expect(came()).toEqual(["HEADERS 1 end 204"]);
});

test("a HEAD request has a length and no content", async () => {
  const { send, came, origin } = await world();
  send(request(1, [[":method", "HEAD"], ...GET.slice(1)]));
  origin(1).send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  expect(came()).toEqual(["HEADERS 1 end 200"]);
});

test("a head that one frame does not hold goes on in CONTINUATION", async () => {
  const { send, origin, peer, reader } = await world();
  send(request(1));
  const fields = Array.from({ length: 20 }, (_, i) => `X-${i}: ${"v".repeat(1400)}${i}`);
  origin(1).send(`HTTP/1.1 204 No Content\r\n${fields.join("\r\n")}\r\n\r\n`);
  const frames = reader.push(Buffer.from(peer.take(), "latin1"));
  expect(frames.map(({ type, flags }) => [type, flags])).toEqual([
    [FRAME.HEADERS, FLAG.END_STREAM],
    [FRAME.CONTINUATION, FLAG.END_HEADERS],
  ]);
  const [first] = frames;
  const payload = Buffer.concat(frames.map((one) => one.payload));
  expect(
    reader.fields({ ...first!, payload }).filter(([name]) => name.startsWith("x-") && name.length < 5),
  ).toHaveLength(20);
});

test("interim responses are passed on", async () => {
  const { send, came, origin } = await world();
  send(request(1));
  origin(1).send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
  origin(1).send(OK);
  expect(came()).toEqual(["HEADERS 1 103", "HEADERS 1 200", "DATA 1 end hi"]);
});

test("trailers travel both ways", async () => {
  const { send, came, origin } = await world();
  send(
    request(1, [...POST, ["te", "trailers"]], false),
    data(1, "abc"),
    frame(FRAME.HEADERS, FLAG.END_HEADERS | FLAG.END_STREAM, 1, block([["x-sum", "900150"]])),
  );
  expect(origin(1).received).toMatch(/\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 900150\r\n\r\n$/);
  origin(1).send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\ngrpc-status: 0\r\n\r\n");
  expect(came()).toEqual(["HEADERS 1 200", "DATA 1 hi", "HEADERS 1 end grpc-status=0"]);
});

test("a response that an origin cuts ends by a reset and never looks whole", async () => {
  const { send, came, origin, records } = await world();
  send(request(1));
  origin(1).send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  origin(1).rst();
  expect(came()).toEqual(["HEADERS 1 200", "DATA 1 half", "RST_STREAM 1 2"]);
  expect(records[0]).toMatchObject({ outcome: "failed" });
});

test("a client that cancels a request ends it at the origin, and no other", async () => {
  const { send, came, origin, records } = await world();
  send(request(1), request(3));
  send(reset(1));
  expect(origin(1).ended).toBe("rst");
  expect(records[0]).toMatchObject({ outcome: "aborted", cause: "client.abort_wait" });
  expect(records[0]?.evidence).toContain("CANCEL");
  origin(2).send(OK);
  expect(came()).toEqual(["HEADERS 3 200", "DATA 3 end hi"]);
});

test("a client that is gone ends all its requests", async () => {
  const { send, peer, origin, records, gateway } = await world();
  send(request(1), request(3));
  peer.rst();
  expect([origin(1).ended, origin(2).ended]).toEqual(["rst", "rst"]);
  expect(records.map(({ outcome }) => outcome)).toEqual(["aborted", "aborted"]);
  expect(gateway.view.status().connections).toBe(0);
});

describe("content", () => {
  test("of a known length keeps it", async () => {
    const { send, origin } = await world();
    send(request(1, [...POST, ["content-length", "5"]], false), data(1, "hel"), data(1, "lo", true));
    expect(origin(1).received).toMatch(/content-length: 5\r\n[^]*\r\n\r\nhello$/);
  });

  test.each([
    ["shorter", [data(1, "abc", true)]],
    ["longer", [data(1, "abcdefgh", true)]],
  ])("that is %s than its length is refused", async (_what, frames) => {
    const { send, came, records } = await world();
    send(request(1, [...POST, ["content-length", "5"]], false), ...frames);
    expect(came().at(-1)).toBe("RST_STREAM 1 1");
    expect(records[0]).toMatchObject({ reason: "h2-length-differs", cause: "client.bad_request" });
  });

  test("waits at the client when the origin takes none, and nothing is lost", async () => {
    const { send, came, origin, peer } = await world({ listener: { http2: { window: "64KiB" } } });
    send(request(1, POST, false));
    const backend = origin(1);
    backend.takeOnly(1000);
    const piece = "x".repeat(16_384);
    send(data(1, piece), data(1, piece), data(1, piece), data(1, piece.slice(1)));
    const allowed = came().filter((line) => line.startsWith("WINDOW_UPDATE 1"));
    // The window is used up, and it is not opened before the origin has taken what came.
    expect(allowed).toEqual([]);
    backend.takeAll();
    expect(came().filter((line) => line.startsWith("WINDOW_UPDATE 1")).length).toBeGreaterThan(0);
    send(data(1, "the end", true));
    backend.takeAll();
    const body = backend.received.slice(backend.received.indexOf("\r\n\r\n") + 4);
    expect(unchunked(body)).toBe(piece.repeat(3) + piece.slice(1) + "the end");
    expect(peer.ended).toBe("");
  });

  test("padding is counted and dropped", async () => {
    const { send, origin } = await world();
    const padded = frame(FRAME.DATA, FLAG.PADDED, 1, Buffer.from("\x03abc\0\0\0", "latin1"));
    send(request(1, POST, false), padded, data(1, "d", true));
    expect(unchunked(origin(1).received.split("\r\n\r\n").slice(1).join("\r\n\r\n"))).toBe("abcd");
  });

  test("of a request that is over is counted, and given back to the connection", async () => {
    const { send, came, peer } = await world({ listener: { http2: { window: "64KiB" } } });
    send(request(1, POST, false), windowUpdate(1, 0));
    expect(came()).toEqual(["RST_STREAM 1 1"]);
    // As much as the whole connection may have under way, twice.
    for (let i = 0; i < 32; i += 1) send(data(1, "x".repeat(16_384)));
    expect(came().every((line) => line.startsWith("WINDOW_UPDATE"))).toBe(true);
    expect(peer.ended).toBe("");
  });
});

describe("a response", () => {
  const LONG = `HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n`;

  test("goes as far as the client's windows let it, and its origin waits", async () => {
    const { send, came, origin } = await world();
    send(request(1));
    const backend = origin(1);
    backend.send(`${LONG}${"y".repeat(100_000)}`);
    expect(sum(came())).toBe(65_535);
    expect(backend.stalled).toBe(true);
    send(windowUpdate(1, 40_000));
    expect(sum(came())).toBe(0);
    send(windowUpdate(0, 40_000));
    const lines = came();
    expect(sum(lines)).toBe(100_000 - 65_535);
    expect(backend.stalled).toBe(false);
  });

  test("of one request does not hold up another", async () => {
    const { send, came, origin } = await world({}, Buffer.concat([PREFACE, settings([4, 1000])]));
    send(request(1), request(3));
    origin(1).send(`${LONG}${"y".repeat(60_000)}`);
    origin(2).send(OK);
    expect(came()).toContain("DATA 3 end hi");
  });

  test("that is more urgent goes before others, as far as the connection's window lets any through", async () => {
    const { send, came, origin } = await world({}, Buffer.concat([PREFACE, settings([4, 1_000_000])]));
    const asking = (id: number, priority: string): Buffer => request(id, [...GET, ["priority", priority]]);
    const foretold = frame(FRAME.PRIORITY_UPDATE, 0, 0, Buffer.concat([word(7), Buffer.from("u=0")]));
    send(request(1), asking(3, "u=5"), asking(5, "u=1"), foretold, asking(7, "u=6"));
    expect(origin(2).received).toContain("\r\npriority: u=5\r\n");
    for (let at = 1; at <= 4; at += 1)
      origin(at).send(`HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n${"y".repeat(40_000)}`);
    // 65,535 bytes may leave: all of the first one, the rest of the second one waits with the others.
    came();
    const order = (): number[] =>
      came().flatMap((line) => (line.startsWith("DATA") ? [Number(line.split(" ")[1])] : []));
    send(windowUpdate(0, 40_000));
    expect(new Set(order())).toEqual(new Set([7]));
    // It is needed later than was said.
    send(frame(FRAME.PRIORITY_UPDATE, 0, 0, Buffer.concat([word(5), Buffer.from("u=7, i")])));
    send(windowUpdate(0, 10_000));
    expect(new Set(order())).toEqual(new Set([3]));
    send(windowUpdate(0, 1_000_000));
    expect(order().at(-1)).toBe(5);
  });

  test("that nobody takes is given up, with a reason", async () => {
    const { send, came, origin, records, advance } = await world({}, Buffer.concat([PREFACE, settings([4, 0])]));
    send(request(1));
    origin(1).send(`${LONG}${"y".repeat(1000)}`);
    expect(came()).toEqual(["HEADERS 1 200"]);
    advance(31_000);
    expect(came()).toEqual(["RST_STREAM 1 2"]);
    expect(records[0]).toMatchObject({ outcome: "aborted", cause: "client.slow" });
  });

  test("that waits in the kernel leaves later, frames of streams in turn", async () => {
    const { send, came, origin, peer } = await world({}, Buffer.concat([PREFACE, settings([4, 1_000_000])]));
    send(windowUpdate(0, 1_000_000), request(1), request(3));
    came();
    peer.takeOnly(20_000);
    origin(1).send(`${LONG}${"a".repeat(100_000)}`);
    origin(2).send(`${LONG}${"b".repeat(100_000)}`);
    expect(origin(2).stalled).toBe(true);
    peer.takeAll();
    const lines = came();
    expect(sum(lines)).toBe(200_000);
    expect(origin(1).stalled).toBe(false);
    const order = lines.filter((line) => line.startsWith("DATA")).map((line) => line.split(" ")[1]);
    expect(order.slice(-6, -1)).toContain("1");
    expect(order.slice(-6, -1)).toContain("3");
  });
});

function sum(lines: readonly string[]): number {
  return lines
    .filter((line) => line.startsWith("DATA"))
    .reduce((total, line) => total + Number(/(\d+) bytes/.exec(line)?.[1] ?? line.split(" ").at(-1)!.length), 0);
}

function unchunked(body: string): string {
  let rest = body;
  let text = "";
  for (;;) {
    const line = rest.indexOf("\r\n");
    const size = Number.parseInt(rest.slice(0, line), 16);
    if (!(size > 0)) return text;
    text += rest.slice(line + 2, line + 2 + size);
    rest = rest.slice(line + 4 + size);
  }
}

describe("a malformed request", () => {
  test.each([
    ["h2-connection-field", [...GET, ["transfer-encoding", "chunked"]]],
    ["h2-path", [GET[0]!, GET[1]!, [":path", "/ HTTP/1.1"], GET[3]!]],
    ["host-illegal", [...GET.slice(0, 3), [":authority", "a:b:c"]]],
  ] as readonly (readonly [string, readonly Pair[]])[])(
    "is answered, reset and recorded (%s), and the connection goes on",
    async (id, pairs) => {
      const { send, came, records, origin } = await world();
      send(request(1, pairs));
      const lines = came();
      expect(lines[0]).toBe("HEADERS 1 400");
      if (id.startsWith("h2-")) expect(lines.at(-1)).toBe("RST_STREAM 1 1");
      expect(records[0]).toMatchObject({ reason: id, cause: "client.bad_request", protocol: "", outcome: "refused" });
      send(request(3));
      origin(1).send(OK);
      expect(came().at(-1)).toBe("DATA 3 end hi");
    },
  );

  test("that names one large field many times is answered with 431 and costs no memory (HPACK bomb)", async () => {
    const { send, came, records, origin } = await world();
    const large = Buffer.concat([
      Buffer.from("400161", "hex"),
      Buffer.from([127, 0x81, 0x1e]),
      Buffer.alloc(3968, "v"),
    ]);
    const bomb = Buffer.concat([block(GET), large, Buffer.alloc(2000, 0xbe)]);
    send(frame(FRAME.HEADERS, FLAG.END_HEADERS | FLAG.END_STREAM, 1, bomb));
    expect(came()[0]).toBe("HEADERS 1 431");
    expect(records[0]).toMatchObject({ reason: "head-too-large" });
    // The table of the connection is what it was for the client.
    send(frame(FRAME.HEADERS, FLAG.END_HEADERS | FLAG.END_STREAM, 3, Buffer.concat([block(GET), Buffer.from([0xbe])])));
    expect(origin(1).received).toContain(`\r\na: ${"v".repeat(3968)}\r\n`);
  });

  test("whose header block is larger than a head may be, compressed, ends the connection", async () => {
    const { send, came } = await world();
    const fields = Array.from({ length: 30 }, (_, i): Pair => [`x-${i}`, "v".repeat(1500)]);
    const bytes = block([...GET, ...fields]);
    send(
      frame(FRAME.HEADERS, FLAG.END_STREAM, 1, bytes.subarray(0, 16_000)),
      frame(FRAME.CONTINUATION, 0, 1, bytes.subarray(16_000, 32_000)),
    );
    expect(came()).toEqual([]);
    send(frame(FRAME.CONTINUATION, FLAG.END_HEADERS, 1, bytes.subarray(32_000)));
    expect(came()).toEqual(["GOAWAY 11"]);
  });
});

describe("bounds", () => {
  test("one request more than may be open is refused in a way that lets the client repeat it", async () => {
    const { send, came, records, origin } = await world({ listener: { http2: { streams: 2 } } });
    send(request(1), request(3), request(5));
    expect(came()).toEqual(["RST_STREAM 5 7"]);
    expect(records[0]).toMatchObject({ cause: "client.flood", outcome: "refused", ...UNANSWERED });
    origin(1).send(OK);
    send(request(7));
    origin(1).send(OK);
    expect(came().at(-1)).toBe("DATA 7 end hi");
  });

  test("resets without end close the connection (CVE-2023-44487)", async () => {
    const { send, came, peer, records, faults } = await world({ listener: { http2: { resets: 50 } } });
    for (let i = 0; i < 60; i += 1) send(request(1 + 2 * i), reset(1 + 2 * i));
    expect(came().at(-1)).toBe("GOAWAY 11");
    expect(peer.ended).not.toBe("");
    expect(records.at(-1)).toMatchObject({ cause: "client.flood", outcome: "refused", ...UNANSWERED });
    expect(records.at(-1)?.evidence).toContain("http2.resets");
    expect(faults).toEqual([]);
  });

  test("resets that the client makes us send count alike (CVE-2025-8671)", async () => {
    const { send, came } = await world({ listener: { http2: { resets: 50 } } });
    for (let i = 0; i < 60; i += 1) send(request(1 + 2 * i, POST, false), windowUpdate(1 + 2 * i, 0));
    expect(came().at(-1)).toBe("GOAWAY 11");
  });

  test.each([
    ["PING", frame(FRAME.PING, 0, 0, "12345678")],
    ["SETTINGS", settings()],
    ["PRIORITY", frame(FRAME.PRIORITY, 0, 1, "\0\0\0\0\0")],
    ["unknown frames", frame(0x77, 0, 0, "x")],
    ["WINDOW_UPDATE", windowUpdate(0, 1)],
  ])("a flood of %s closes the connection", async (what, bytes) => {
    const { send, came, records } = await world({ listener: { http2: { idleFrames: 100 } } });
    for (let i = 0; i < 120; i += 1) send(bytes);
    expect(came().at(-1)).toBe("GOAWAY 11");
    expect(records.at(-1)?.evidence).toContain(what.replace("unknown frames", "unknown frame"));
  });

  test("a response that is taken in crumbs closes the connection (CVE-2019-9511)", async () => {
    const opening = Buffer.concat([PREFACE, settings([4, 0])]);
    const { send, came, origin } = await world({ listener: { http2: { idleFrames: 100 } } }, opening);
    send(request(1));
    origin(1).send(`HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n${"y".repeat(5000)}`);
    for (let i = 0; i < 120; i += 1) send(windowUpdate(1, 1));
    const lines = came();
    expect(lines.at(-1)).toBe("GOAWAY 11");
    expect(lines.filter((line) => line.startsWith("DATA")).length).toBeLessThanOrEqual(100);
  });

  test("empty DATA without end closes the connection", async () => {
    const { send, came } = await world({ listener: { http2: { idleFrames: 100 } } });
    send(request(1, POST, false));
    for (let i = 0; i < 120; i += 1) send(data(1, ""));
    expect(came().at(-1)).toBe("GOAWAY 11");
  });

  // What came to a stream that we had reset was no fault, and it was not counted either: each block was decoded.
  test.each([
    ["empty DATA", data(1, "")],
    ["empty DATA with an end", data(1, "", true)],
    ["HEADERS", request(1)],
  ])("a flood of %s on a stream that was reset here closes the connection", async (_, bytes) => {
    const { send, came, records } = await world({ listener: { http2: { idleFrames: 100 } } });
    send(request(1, POST, false), windowUpdate(1, 0));
    expect(came().at(-1)).toBe("RST_STREAM 1 1");
    for (let i = 0; i < 50; i += 1) send(bytes);
    expect(came()).toEqual([]);
    for (let i = 0; i < 70; i += 1) send(bytes);
    expect(came().at(-1)).toBe("GOAWAY 11");
    expect(records.at(-1)?.evidence).toContain("on a stream that has ended");
  });

  test("a header block without end closes the connection (CONTINUATION flood)", async () => {
    const { send, came, records } = await world();
    send(frame(FRAME.HEADERS, FLAG.END_STREAM, 1, block(GET)));
    for (let i = 0; i < 30; i += 1) send(frame(FRAME.CONTINUATION, 0, 1, ""));
    expect(came()).toEqual(["GOAWAY 11"]);
    expect(records[0]).toMatchObject({ cause: "client.flood" });
  });

  test("answers that a client never reads end its connection", async () => {
    const { send, peer, advance, records } = await world();
    peer.takeOnly(0);
    for (let i = 0; i < 1500; i += 1) send(frame(FRAME.PING, 0, 0, "12345678"));
    advance(2_100);
    expect(peer.ended).toBe("rst");
    expect(records[0]?.evidence).toContain("were not read");
  });

  test("more content than the window lets through is refused", async () => {
    const { send, came, origin } = await world({ listener: { http2: { window: "64KiB" } } });
    send(request(1, POST, false));
    origin(1).takeOnly(0);
    for (let i = 0; i < 5; i += 1) send(data(1, "x".repeat(16_384)));
    expect(came().some((line) => line === "RST_STREAM 1 3")).toBe(true);
  });

  test("more content than the connection's window lets through ends it", async () => {
    const { send, came, origin, peer } = await world({ listener: { http2: { window: "64KiB" } } });
    for (let id = 1; id < 10; id += 2) {
      send(request(id, POST, false));
      origin((id + 1) / 2).takeOnly(0);
    }
    // Each is within its own window; all of them together may have four times as much.
    for (let id = 1; id < 10; id += 2) for (let i = 0; i < 4; i += 1) send(data(id, "x".repeat(16_384)));
    expect(came()).toContain("GOAWAY 3");
    expect(peer.ended).not.toBe("");
  });
});

describe("time", () => {
  test("a connection without requests is closed after the idle time", async () => {
    const { peer, came, advance, gateway } = await world();
    advance(75_100);
    expect(came()).toEqual(["GOAWAY 0"]);
    expect(peer.ended).toBe("fin");
    advance(2_100);
    expect(gateway.view.status().connections).toBe(0);
  });

  test("a preface or a header block that does not come to its end is not waited for", async () => {
    const { came, peer, advance, records, send } = await world();
    send(frame(FRAME.HEADERS, FLAG.END_STREAM, 1, block(GET)));
    advance(10_100);
    expect(came()).toEqual(["GOAWAY 0"]);
    expect(peer.ended).toBe("fin");
    expect(records[0]).toMatchObject({ cause: "client.slow", ...UNANSWERED });
  });

  test("a request whose content stops coming is answered with 408, and the others go on", async () => {
    const { came, send, advance, origin, records } = await world();
    send(request(1, POST, false), data(1, "x"), request(3));
    advance(5_000);
    origin(2).send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh");
    advance(25_100);
    expect(came()).toContain("HEADERS 1 408");
    expect(records[0]).toMatchObject({ cause: "client.slow" });
    origin(2).send("i");
    expect(came()).toContain("DATA 3 end i");
  });

  test("a client that takes nothing from its socket is let go", async () => {
    const { send, peer, origin, advance, gateway } = await world(
      {},
      Buffer.concat([PREFACE, settings([4, 1_000_000])]),
    );
    send(windowUpdate(0, 1_000_000), request(1));
    peer.takeOnly(10);
    origin(1).send(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n${"y".repeat(100_000)}`);
    advance(32_000);
    advance(3_000);
    expect(peer.ended).toBe("rst");
    expect(gateway.view.status().connections).toBe(0);
  });
});

describe("a drain", () => {
  test("tells the client, takes what is on its way, and ends when all is answered", async () => {
    const { gateway, send, came, origin, peer, advance, network } = await world();
    send(request(1));
    const drained = gateway.drain();
    network.settle();
    expect(came()).toEqual(["GOAWAY 0", "PING"]);
    send(request(3));
    send(frame(FRAME.PING, FLAG.ACK, 0, "goodgate"));
    expect(came()).toEqual(["GOAWAY 0"]);
    send(request(5));
    origin(1).send(OK);
    origin(2).send(OK);
    const lines = came();
    expect(lines).toContain("DATA 1 end hi");
    expect(lines).toContain("DATA 3 end hi");
    expect(lines.join()).not.toContain(" 5");
    expect(peer.ended).toBe("fin");
    advance(3_000);
    await drained;
  });

  test("what comes behind the last number of a drain counts for the table and for the window", async () => {
    const { gateway, send, came, origin, peer, network } = await world({ listener: { http2: { window: "64KiB" } } });
    send(request(1, POST, false));
    void gateway.drain();
    network.settle();
    send(frame(FRAME.PING, FLAG.ACK, 0, "goodgate"));
    came();
    // `x-t: a`, kept: it is named by the trailers of the one that was taken.
    const kept = Buffer.concat([block(POST), Buffer.from("4003782d740161", "hex")]);
    send(frame(FRAME.HEADERS, FLAG.END_HEADERS, 3, kept));
    for (let i = 0; i < 32; i += 1) send(data(3, "x".repeat(16_384)));
    expect(came().every((line) => line.startsWith("WINDOW_UPDATE"))).toBe(true);
    send(frame(FRAME.HEADERS, FLAG.END_HEADERS | FLAG.END_STREAM, 1, Buffer.from("be", "hex")));
    expect(origin(1).received).toMatch(/\r\n0\r\nx-t: a\r\n\r\n$/);
    origin(1).send(OK);
    expect(came()).toContain("DATA 1 end hi");
    expect(peer.ended).toBe("fin");
  });

  test("never names a higher last number than it has named before", async () => {
    const { gateway, send, came, reader, network } = await world({ listener: { http2: { idleFrames: 100 } } });
    send(request(1, POST, false));
    void gateway.drain();
    network.settle();
    send(frame(FRAME.PING, FLAG.ACK, 0, "goodgate"));
    // They do not know yet that they are not taken; too many of them are a flood like any other.
    for (let i = 0; i < 120; i += 1) send(request(3 + 2 * i));
    expect(came().at(-1)).toBe("GOAWAY 11");
    const goAways = reader.frames.filter(({ type }) => type === FRAME.GOAWAY);
    expect(goAways.map(({ payload }) => payload.readUInt32BE(0))).toEqual([0x7fff_ffff, 1, 1]);
  });

  test("does not wait for a client that does not answer", async () => {
    const { gateway, peer, advance } = await world();
    const drained = gateway.drain();
    advance(1_100);
    expect(peer.ended).toBe("fin");
    advance(3_000);
    await drained;
  });

  test("cuts what is left at its end", async () => {
    const { gateway, send, records, peer, advance } = await world({ rest: { drain: "1s" } });
    send(request(1));
    const drained = gateway.drain();
    advance(1_200);
    await drained;
    expect(records[0]).toMatchObject({ cause: "gw.draining" });
    expect(peer.ended).not.toBe("");
  });
});

describe("a WebSocket", () => {
  const CONNECT: readonly Pair[] = [
    [":method", "CONNECT"],
    [":protocol", "websocket"],
    ...GET.slice(1),
    ["sec-websocket-version", "13"],
  ];

  test("is opened by an extended CONNECT, and its bytes go both ways", async () => {
    const { send, came, origin, records } = await world();
    send(request(1, CONNECT, false));
    const backend = origin(1);
    expect(backend.received).toMatch(/^GET \/ HTTP\/1\.1\r\n[^]*Upgrade: websocket\r\n/i);
    expect(backend.received).toMatch(/sec-websocket-key: [A-Za-z0-9+/]{22}==\r\n/i);
    send(data(1, "early"));
    backend.send(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${proofFor(backend.received)}\r\n\r\nhello`,
    );
    expect(came()).toEqual(["HEADERS 1 200", "DATA 1 hello"]);
    send(data(1, "there"));
    expect(backend.received).toMatch(/\r\n\r\nearlythere$/);
    backend.fin();
    send(data(1, "", true));
    expect(came()).toEqual(["DATA 1 end"]);
    expect(backend.ended).toBe("fin");
    expect(records[0]).toMatchObject({ tunnel: true, outcome: "served", protocol: "HTTP/2" });
  });

  test("whose stream is reset is reset at the origin", async () => {
    const { send, origin, records } = await world();
    send(request(1, CONNECT, false));
    const peer = origin(1);
    peer.send(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${proofFor(peer.received)}\r\n\r\n`,
    );
    send(data(1, "there"), reset(1));
    expect(peer.ended).toBe("rst");
    expect(records[0]?.tunnel).toBe(true);
  });

  test("that an origin grants without having understood it never stands", async () => {
    const { send, came, origin, faults, gateway } = await world();
    send(request(1, CONNECT, false));
    origin(1).send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello");
    expect(came()).toEqual(["RST_STREAM 1 10"]);
    expect(origin(1).ended).not.toBe("");
    expect(faults).toEqual([]);
    expect(gateway.view.status().exchangesActive).toBe(0);
  });

  test("that the origin refuses is refused", async () => {
    const { send, came, origin } = await world();
    send(request(1, CONNECT, false));
    origin(1).send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    expect(came()).toEqual(["HEADERS 1 end 403"]);
  });

  test("that is not granted makes no request of what was sent into it", async () => {
    const { send, came, origin, records, network } = await world();
    send(request(1, CONNECT, false), data(1, "GET /smuggled HTTP/1.1\r\nHost: shop.example\r\n\r\n"));
    origin(1).send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    expect(came()).toEqual(["HEADERS 1 end 404"]);
    expect(network.dialled.map(({ received }) => received).join()).not.toContain("smuggled");
    expect(records).toHaveLength(1);
  });

  test("never stands because an origin has answered a plain request", async () => {
    const { send, came, origin, records } = await world();
    send(request(1, CONNECT, false));
    origin(1).send(OK);
    expect(came()[0]).toBe("HEADERS 1 502");
    // The record had the origin's status as the client's too.
    send(data(1, "", true));
    expect(records[0]).toMatchObject({ status: 502, originStatus: 200, outcome: "served" });
  });
});

function proofFor(request: string): string {
  const key = /sec-websocket-key: (\S+)/i.exec(request)?.[1] ?? "";
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

test("an origin that answers early gets no more content, and the client is told that none is wanted", async () => {
  const { send, came, origin, advance } = await world();
  send(request(1, POST, false), data(1, "abc"));
  origin(1).send("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
  expect(came()).toEqual(["HEADERS 1 end 413"]);
  send(data(1, "more"));
  advance(2_100);
  expect(came()).toEqual(["RST_STREAM 1 0"]);
  send(data(1, "late"));
  expect(came()).toEqual([]);
});

test("a connection above the limit of its client gets one answer that says so", async () => {
  const memory = await memoryGateway({ rest: { limits: { connectionsPerClient: 1 } } });
  memory.client();
  const peer = memory.client();
  const reader = new FrameReader();
  peer.send(Buffer.concat([OPENING, request(1)]));
  const lines = describeFrames(reader, reader.push(Buffer.from(peer.take(), "latin1")));
  expect(lines).toContain("HEADERS 1 429");
  expect(lines).toContain("GOAWAY 0");
});

test("a client without the certificate that it has to show gets one answer that says so, and no other", async () => {
  const { client, records, network, gateway } = await memoryGateway({
    listener: {
      tls: { certificates: [{ cert: "shop.pem", key: "shop.key" }], clientCertificates: { ca: "root.pem" } },
    },
  });
  const peer = client();
  peer.secure({
    version: "TLSv1.3",
    cipher: "TLS_AES_128_GCM_SHA256",
    serverName: "shop.example",
    alpn: "h2",
    resumed: false,
    rule: { ca: "root.pem", isRequired: true },
    refused: { code: "CERTIFICATE_REFUSED", syscall: "tls", detail: "CERT_HAS_EXPIRED" },
  });
  const reader = new FrameReader();
  peer.send(Buffer.concat([OPENING, request(1), request(3)]));
  const lines = describeFrames(reader, reader.push(Buffer.from(peer.take(), "latin1")));
  expect(lines.filter((line) => line.startsWith("HEADERS"))).toEqual(["HEADERS 1 403"]);
  expect(lines).toContain("GOAWAY 0");
  expect(network.dialled).toEqual([]);
  expect(records).toMatchObject([
    {
      cause: "client.tls_certificate",
      status: 403,
      evidence: "the client's certificate is not believed: CERT_HAS_EXPIRED",
    },
  ]);
  expect(gateway.view.metrics().handshakes).toMatchObject({ full: 0, failed: 1 });
});

test("frames that come in one read with content between them are all understood", async () => {
  const { send, origin } = await world();
  send(
    request(1, POST, false),
    request(3, POST, false),
    data(1, "a".repeat(5000)),
    data(3, "b".repeat(7000)),
    data(1, "c", true),
    data(3, "d", true),
  );
  expect(unchunked(origin(1).received.split("\r\n\r\n").slice(1).join("\r\n\r\n"))).toBe(`${"a".repeat(5000)}c`);
  expect(unchunked(origin(2).received.split("\r\n\r\n").slice(1).join("\r\n\r\n"))).toBe(`${"b".repeat(7000)}d`);
});

test("what nobody can be is told in one record", async () => {
  const { send, records, came } = await world();
  send(frame(FRAME.WINDOW_UPDATE, 0, 0, word(0)));
  expect(came()).toEqual(["GOAWAY 1"]);
  expect(records).toHaveLength(1);
  expect(records[0]).toMatchObject({ cause: "client.bad_request", reason: "h2-broken", ...UNANSWERED });
  expect(records[0]?.evidence).toContain("PROTOCOL_ERROR");
});
