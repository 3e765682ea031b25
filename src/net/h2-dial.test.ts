import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { FLAG, FRAME } from "../http2/frames.ts";
import type { Address, SocketError, SocketListener, SocketPort, Transport } from "../kernel/socket.ts";
import { frame, word } from "../../test/support/h2-frames.ts";
import { http2Origin, plainBlock, STREAMS, WINDOW } from "../../test/support/h2-origin-peer.ts";
import type { Http2Origin } from "../../test/support/h2-origin-peer.ts";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import { memoryNetwork } from "../../test/support/memory-socket.ts";
import type { MemoryNetwork } from "../../test/support/memory-socket.ts";
import { until } from "../../test/support/until.ts";
import { createHttp2Dial } from "./h2-dial.ts";

const GET = "GET /cart HTTP/1.1\r\nHost: shop.example\r\nX-A: 1\r\n\r\n";
const OK = { ":status": "200" };
const END = FLAG.END_STREAM;

/** What the gateway hears of one stream. */
class Listener implements SocketListener {
  heard = "";
  connected = false;
  handshakes = 0;
  error: SocketError | null = null;
  fins = 0;
  closes = 0;
  drains = 0;
  faults: unknown[] = [];
  onText: () => void = () => undefined;
  onHandshake(): void {
    this.handshakes += 1;
  }
  onConnect(): void {
    this.connected = true;
  }
  onData(bytes: Buffer, start: number, end: number): void {
    this.heard += bytes.latin1Slice(start, end);
    this.onText();
  }
  onDrain(): void {
    this.drains += 1;
  }
  onFin(): void {
    this.fins += 1;
  }
  onError(error: SocketError): void {
    this.error = error;
  }
  onClose(): void {
    this.closes += 1;
  }
  onFault(error: unknown): void {
    this.faults.push(error);
  }
}

interface World {
  readonly network: MemoryNetwork;
  readonly dial: () => { readonly port: SocketPort; readonly listener: Listener };
  /** Another transport is configured. */
  configure(): void;
  origin(number?: number): Http2Origin;
  advance(ms: number): Promise<void>;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function world(choice: "prior" | "alpn" = "prior"): World {
  const network = memoryNetwork();
  const time = manualSchedule();
  const dial = createHttp2Dial({
    dial: (to, listener) => network.dial(to, listener),
    clock: time.clock,
    schedule: time.schedule,
  });
  const transport: Transport = {
    tls: null,
    proxyProtocol: 0,
    unixPath: "",
    http2: { choice, idleMs: 60_000, streamsMax: 100, windowBytes: 256 * 1024, sessions: { open: 0, idle: 0 } },
  };
  const address = { ip: "10.0.0.1", port: 80, family: 4, transport } satisfies Address;
  const origins = new Map<number, Http2Origin>();
  return {
    network,
    dial: () => {
      const listener = new Listener();
      const port = dial(address, listener);
      network.settle();
      return { port, listener };
    },
    configure() {
      address.transport = { ...transport };
    },
    origin(number = 1) {
      const peer = network.dialled[number - 1];
      if (peer === undefined) throw new Error(`only ${network.dialled.length} connections were dialled`);
      const known = origins.get(number) ?? http2Origin(peer);
      origins.set(number, known);
      return known;
    },
    async advance(ms) {
      for (let left = ms; left > 0; left -= 500) {
        time.advance(Math.min(left, 500));
        network.settle();
        await turn();
      }
    },
  };
}

/** A session that is ready, and a stream on it. */
async function opened(
  settings: (readonly [number, number])[] = [],
): Promise<World & { port: SocketPort; listener: Listener; at: Http2Origin }> {
  const made = world();
  const { port, listener } = made.dial();
  await turn();
  const at = made.origin();
  at.settings(...settings);
  await turn();
  return { ...made, port, listener, at };
}

describe("a request", () => {
  it("becomes pseudo-fields and fields, and its end is said with its last frame", async () => {
    const { port, at } = await opened();
    port.write(Buffer.from(GET));
    await turn();
    expect(at.requests()).toEqual([
      {
        stream: 1,
        ends: true,
        fields: { ":method": "GET", ":scheme": "http", ":path": "/cart", ":authority": "shop.example", "x-a": "1" },
      },
    ]);
  });

  it("loses what belongs to an HTTP/1.1 connection, and keeps TE: trailers", async () => {
    const { port, at } = await opened();
    port.write(
      Buffer.from(
        "POST /p HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
      ),
    );
    port.write(Buffer.from("0\r\n\r\n"));
    await turn();
    const frames = at.frames().filter(({ stream }) => stream === 1);
    expect(frames.map(({ type, flags }) => [type, flags & END])).toEqual([
      [FRAME.HEADERS, 0],
      [FRAME.DATA, END],
    ]);
    expect(frames[0]?.payload.includes("transfer-encoding")).toBe(false);
    expect(frames[0]?.payload.includes("trailers")).toBe(true);
    expect(frames[1]?.payload.toString()).toBe("abc");
  });

  it("is said in CONTINUATION where its head is longer than a frame", async () => {
    const { port, at } = await opened();
    const long = "x".repeat(40_000);
    port.write(Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${long}\r\n\r\n`));
    await turn();
    const frames = at.frames().filter(({ stream }) => stream === 1);
    expect(frames.map(({ type }) => type)).toEqual([FRAME.HEADERS, FRAME.CONTINUATION, FRAME.CONTINUATION]);
    expect(frames.map(({ flags }) => flags)).toEqual([END, 0, FLAG.END_HEADERS]);
    expect(Buffer.concat(frames.map(({ payload }) => payload)).includes(long)).toBe(true);
  });

  it("has its trailers behind its content", async () => {
    const { port, at } = await opened([[WINDOW, 2]]);
    port.write(
      Buffer.from("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 6\r\n\r\n"),
    );
    await turn();
    at.window(1, 10);
    await turn();
    const frames = at.frames().filter(({ stream, type }) => stream === 1 && type !== FRAME.WINDOW_UPDATE);
    expect(frames.map(({ type, flags }) => [type, flags & END])).toEqual([
      [FRAME.HEADERS, 0],
      [FRAME.DATA, 0],
      [FRAME.DATA, 0],
      [FRAME.HEADERS, END],
    ]);
    expect(frames[3]?.payload.toString("latin1")).toContain("x-sum");
  });

  it("waits for the origin's window, says so, and goes on when there is one", async () => {
    const { port, listener, at } = await opened([[WINDOW, 10]]);
    const all = port.write(
      Buffer.from("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 26\r\n\r\nabcdefghijklmnopqrstuvwxyz"),
    );
    expect([all, port.writing, port.waitingBytes]).toEqual([false, true, 16]);
    await turn();
    expect(bodyOf(at)).toBe("abcdefghij");
    at.window(1, 5);
    await turn();
    expect([bodyOf(at), listener.drains, port.waitingBytes]).toEqual(["klmno", 0, 11]);
    at.settings([WINDOW, 100]);
    await turn();
    expect([bodyOf(at), listener.drains, port.writing]).toEqual(["pqrstuvwxyz", 1, false]);
  });

  it("shares the window of the connection with others, first come first served", async () => {
    const { dial, port, at } = await opened([[WINDOW, 1_000_000]]);
    const second = dial();
    await turn();
    const body = "x".repeat(40_000);
    for (const each of [port, second.port]) {
      each.write(Buffer.from(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n${body}`));
    }
    await turn();
    expect([port.waitingBytes, second.port.waitingBytes]).toEqual([0, 80_000 - 65_535]);
    at.window(0, 20_000);
    await turn();
    expect([second.port.waitingBytes, second.listener.drains]).toEqual([0, 1]);
  });
});

describe("a response", () => {
  it("is handed on as HTTP/1.1, with interim heads before it and trailers behind it", async () => {
    const { port, listener, at } = await opened();
    port.write(Buffer.from(GET));
    await turn();
    at.head(1, { ":status": "103", link: "</a.css>" });
    at.head(1, { ...OK, "content-type": "text/plain" });
    at.data(1, "hello");
    at.head(1, { "grpc-status": "0" }, END);
    expect(listener.heard).toBe(
      [
        "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n",
        "5\r\nhello\r\n",
        "0\r\ngrpc-status: 0\r\n\r\n",
      ].join(""),
    );
    expect([listener.fins, listener.closes, listener.error]).toEqual([1, 1, null]);
  });

  it("keeps its length, and an end before that is no end", async () => {
    const { port, listener, at } = await opened();
    port.write(Buffer.from(GET));
    await turn();
    at.head(1, { ...OK, "content-length": "10" });
    at.data(1, "hello", true);
    expect(listener.heard).toMatch(/content-length: 10\r\nconnection: close\r\n\r\nhello$/);
    expect(listener.error).toEqual({
      code: "END_STREAM",
      syscall: "h2",
      detail: "5 of 10 bytes of content had come",
    });
    expect([listener.fins, listener.closes]).toEqual([0, 1]);
  });

  it("that ends too early by its trailers, or unread, or before the request has, is cut all the same", async () => {
    const { port, listener, at } = await opened();
    port.write(Buffer.from(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n`));
    await turn();
    at.head(1, { ...OK, "content-length": "10" });
    port.pause();
    at.data(1, "hello");
    at.head(1, { "x-t": "a" }, END);
    expect([listener.error, listener.closes]).toEqual([null, 0]);
    port.resume();
    await turn();
    expect(listener.heard).toMatch(/\r\n\r\nhello$/);
    expect(listener.error).toMatchObject({ code: "END_STREAM" });
    expect(at.frames().filter(({ type }) => type === FRAME.RST_STREAM)).toHaveLength(1);
    expect([listener.fins, listener.closes]).toEqual([0, 1]);
  });

  it("that is broken off is an error with the origin's reason, also with NO_ERROR", async () => {
    for (const [code, name] of [
      [0, "NO_ERROR"],
      [2, "INTERNAL_ERROR"],
      [7, "REFUSED_STREAM"],
      [8, "CANCEL"],
      [11, "ENHANCE_YOUR_CALM"],
      [0x77, "0x77"],
    ] as const) {
      const { port, listener, at } = await opened();
      port.write(Buffer.from(GET));
      await turn();
      at.head(1, OK);
      at.data(1, "part");
      at.reset(1, code);
      expect(listener.heard.endsWith("4\r\npart\r\n"), name).toBe(true);
      expect(listener.error).toEqual({ code: name, syscall: "h2" });
      expect([listener.fins, listener.closes]).toEqual([0, 1]);
    }
  });

  it("whose origin wants no more of the request is whole all the same", async () => {
    const { port, listener, at } = await opened();
    port.write(Buffer.from("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"));
    await turn();
    at.head(1, { ":status": "413" }, END);
    at.reset(1, 0);
    expect(listener.heard).toMatch(/^HTTP\/1\.1 413 .*content-length: 0\r\nconnection: close\r\n\r\n$/s);
    expect(listener.error).toBeNull();
  });

  it("that no HTTP/1.1 could mean is refused, and the origin is told", async () => {
    const cases: [Record<string, string>, number][] = [
      [{ "x-a": "1" }, END],
      [{ ":status": "abc" }, END],
      [{ ":status": "101" }, END],
      [{ ":status": "100" }, END],
      [{ "x-a": "1", ":status": "200" }, END],
      [{ ...OK, connection: "close" }, END],
      [{ ...OK, "transfer-encoding": "chunked" }, END],
      [{ ...OK, "X-A": "1" }, END],
      [{ ...OK, "x-a": "1\r\nset-cookie: a=b" }, END],
      [{ ...OK, "x a": "1" }, END],
      [{ ...OK, "x-a": "1\0" }, END],
      [{ ...OK, ":path": "/" }, END],
      [{ ...OK, "content-length": "5" }, END],
    ];
    for (const [fields, flags] of cases) {
      const { port, listener, at } = await opened();
      port.write(Buffer.from(GET));
      await turn();
      at.frames();
      at.head(1, fields, flags);
      expect([listener.heard, listener.error?.code], JSON.stringify(fields)).toEqual(["", "MALFORMED"]);
      await turn();
      const reset = at.frames().find(({ type }) => type === FRAME.RST_STREAM);
      expect(reset?.payload.readUInt32BE(0)).toBe(1);
    }
  });

  it("waits while the gateway does not read, within the window, and gives the window back when it does", async () => {
    const { port, listener, at } = await opened();
    port.write(Buffer.from(GET));
    await turn();
    at.head(1, OK);
    const head = listener.heard.length;
    port.pause();
    const piece = "x".repeat(16_000);
    for (let sent = 0; sent < 15; sent += 1) at.data(1, piece);
    at.head(1, { done: "1" }, END);
    await turn();
    expect(listener.heard.length).toBe(head);
    at.frames();
    port.resume();
    await turn();
    expect(listener.heard.length).toBe(head + 15 * (16_000 + 8) + "0\r\ndone: 1\r\n\r\n".length);
    expect(listener.closes).toBe(1);
  });

  // With its content read and only the end of it waiting, the loss of the connection was told in place of the end.
  it.each([
    ["its connection is lost", (at: Http2Origin): void => at.goaway(0, 2)],
    ["it is reset", (at: Http2Origin): void => at.reset(1, 2)],
  ])("whose end waits to be read is whole, also when %s meanwhile", async (_, act) => {
    const { port, listener, at } = await opened();
    port.write(Buffer.from(GET));
    await turn();
    at.head(1, OK);
    at.data(1, "hello");
    port.pause();
    at.data(1, "", true);
    act(at);
    await turn();
    expect([listener.error, listener.fins]).toEqual([null, 0]);
    port.resume();
    await turn();
    expect(listener.heard).toMatch(/5\r\nhello\r\n0\r\n\r\n$/);
    expect(listener).toMatchObject({ error: null, fins: 1, closes: 1 });
  });

  it("of more than the window allows is cut", async () => {
    const { port, listener, at } = await opened();
    port.write(Buffer.from(GET));
    await turn();
    at.head(1, OK);
    port.pause();
    for (let sent = 0; sent < 17; sent += 1) at.data(1, "x".repeat(16_000));
    expect(listener.error?.detail).toMatch(/window/);
  });

  it("gets its window back as it is read", async () => {
    const { port, at } = await opened();
    port.write(Buffer.from(GET));
    await turn();
    at.head(1, OK);
    at.frames();
    for (let sent = 0; sent < 20; sent += 1) {
      at.data(1, "x".repeat(16_000));
      await turn();
    }
    const given = at.frames().filter(({ type, stream }) => type === FRAME.WINDOW_UPDATE && stream === 1);
    expect(given.length).toBeGreaterThan(1);
  });

  it("goes on with other streams when one listener throws", async () => {
    const { dial, port, listener, at } = await opened();
    const second = dial();
    await turn();
    port.write(Buffer.from(GET));
    second.port.write(Buffer.from(GET));
    await turn();
    listener.onText = () => {
      throw new Error("a defect");
    };
    at.head(1, OK, END);
    at.head(3, OK, END);
    expect(listener.faults).toHaveLength(1);
    expect(second.listener.heard).toMatch(/^HTTP\/1\.1 200/);
  });
});

describe("a session", () => {
  it("carries as many streams as the origin allows, and another is made for the rest", async () => {
    const { network, dial, at: _at } = await opened([[STREAMS, 2]]);
    const others = [dial(), dial(), dial()];
    await turn();
    expect(network.dialled).toHaveLength(2);
    expect(others.map(({ listener }) => listener.connected)).toEqual([true, false, false]);
  });

  it("does not begin a request before the origin's SETTINGS, and says that it is waiting for them", async () => {
    const made = world();
    const { listener } = made.dial();
    await turn();
    expect([listener.connected, listener.handshakes]).toEqual([false, 1]);
    await made.advance(3_500);
    expect(listener.error).toMatchObject({ code: "SETTINGS_TIMEOUT", syscall: "h2" });
  });

  it("finds out that an origin speaks HTTP/1.1 before anything is asked of it", async () => {
    const { network, dial } = world();
    const { listener } = dial();
    await turn();
    network.dialled[0]?.send("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    expect(listener.error).toMatchObject({ code: "NOT_HTTP2", detail: "it answered the preface in HTTP/1.1" });
    expect([listener.connected, listener.closes]).toEqual([false, 1]);
  });

  it("that the origin leaves (GOAWAY) finishes what it was told of, refuses the rest and takes nothing new", async () => {
    const { network, dial, port, listener, at } = await opened();
    const second = dial();
    await turn();
    port.write(Buffer.from(GET));
    second.port.write(Buffer.from(GET));
    await turn();
    at.goaway(1, 0, "deploy");
    expect(second.listener.error).toEqual({ code: "GOAWAY", syscall: "h2", detail: "NO_ERROR: deploy" });
    expect(listener.error).toBeNull();
    dial();
    expect(network.dialled).toHaveLength(2);
    at.head(1, OK, END);
    expect(listener.heard).toMatch(/^HTTP\/1\.1 200/);
    await turn();
    expect(network.dialled[0]?.ended).toBe("fin");
  });

  it("that an origin leaves twice behind as many requests is asked for no more, and the next is there before", async () => {
    const { network, dial, origin } = world();
    const ask = async (number: number, isNew: boolean): Promise<void> => {
      const { port } = dial();
      await turn();
      if (isNew) origin(number).settings();
      await turn();
      port.write(Buffer.from(GET));
      await turn();
      expect(origin(number).requests()).toHaveLength(1);
    };
    const answer = async (number: number): Promise<void> => {
      origin(number).head(1, OK, END);
      await turn();
    };
    for (const number of [1, 2]) {
      await ask(number, true);
      origin(number).goaway(1, 0);
      await answer(number);
    }
    expect(network.dialled).toHaveLength(2);

    // Learned: one request each. The first of the third is its last, and another is made beside it.
    await ask(3, true);
    expect(network.dialled).toHaveLength(4);
    origin(4).settings();
    await turn();
    await ask(4, false);
    expect(network.dialled).toHaveLength(5);
    // It stays, against what was learned: others are used on, and none is made ahead any more.
    await answer(4);
    await ask(3, false);
    expect(network.dialled).toHaveLength(5);
  });

  it("that is lost tells each of its streams how", async () => {
    const { network, dial, port, listener } = await opened();
    const second = dial();
    await turn();
    port.write(Buffer.from(GET));
    second.port.write(Buffer.from(GET));
    await turn();
    network.dialled[0]?.rst();
    expect([listener.error?.code, second.listener.error?.code]).toEqual(["ECONNRESET", "ECONNRESET"]);
  });

  it("asks a silent origin for a sign of life, and gives it up when none comes", async () => {
    const { port, listener, at, advance } = await opened();
    port.write(Buffer.from(GET));
    await advance(11_000);
    const ping = at.frames().find(({ type }) => type === FRAME.PING);
    expect(ping?.payload).toHaveLength(8);
    expect(listener.error).toBeNull();
    await advance(6_000);
    expect(listener.error).toMatchObject({ code: "PING_TIMEOUT", syscall: "h2" });
  });

  it("does not ask an origin again that answers and has nothing to say", async () => {
    const { port, listener, at, advance } = await opened();
    port.write(Buffer.from(GET));
    await advance(11_000);
    at.send(FRAME.PING, FLAG.ACK, 0, Buffer.alloc(8));
    at.frames();
    await advance(120_000);
    expect(at.frames().filter(({ type }) => type === FRAME.PING)).toHaveLength(0);
    expect(listener.error).toBeNull();
  });

  it("answers PING", async () => {
    const { at } = await opened();
    at.frames();
    at.send(FRAME.PING, 0, 0, Buffer.from("12345678"));
    await turn();
    expect(at.frames()).toContainEqual({
      type: FRAME.PING,
      flags: FLAG.ACK,
      stream: 0,
      payload: Buffer.from("12345678"),
    });
  });

  it("ends when the origin breaks HTTP/2, and says why", async () => {
    const rude: [string, (at: Http2Origin) => void][] = [
      ["DATA on no stream", (at) => at.data(5, "x")],
      ["HEADERS on no stream", (at) => at.head(2, OK)],
      ["PUSH_PROMISE", (at) => at.send(FRAME.PUSH_PROMISE, 0, 1, Buffer.alloc(8))],
      ["CONTINUATION behind nothing", (at) => at.send(FRAME.CONTINUATION, 0, 1, "")],
      ["header block that is none", (at) => at.send(FRAME.HEADERS, FLAG.END_HEADERS, 1, Buffer.from([0xff, 0xff]))],
      ["impossible window", (at) => at.window(0, 0x7fffffff)],
      ["larger than it may be", (at) => at.send(FRAME.DATA, 0, 1, Buffer.alloc(16_385))],
      ["a setting", (at) => at.settings([5, 1])],
      [
        "a setting of 2147483647",
        (at) => {
          at.window(1, 1_000_000);
          at.settings([WINDOW, 0x7fff_ffff]);
        },
      ],
      ["padding", (at) => at.send(FRAME.DATA, FLAG.PADDED, 1, Buffer.from([9, 0]))],
      [
        "middle of a header block",
        (at) => {
          at.send(FRAME.HEADERS, 0, 1, plainBlock(OK));
          at.data(1, "x");
        },
      ],
    ];
    for (const [why, act] of rude) {
      const { network, port, listener, at } = await opened();
      port.write(Buffer.from(GET));
      await turn();
      act(at);
      expect(listener.error?.code, why).toBe("PROTOCOL_ERROR");
      expect(listener.error?.detail, why).toContain(why);
      expect(network.dialled[0]?.ended, why).not.toBe("");
    }
  });

  // Each exchange asked for a connection more, and on that for the next one, until its time had run out.
  it("that takes no request at all is none, and no other one is opened in its place", async () => {
    const { network, dial, origin } = world();
    const first = dial();
    const second = dial();
    await turn();
    origin(1).settings([STREAMS, 0]);
    await turn();
    network.settle();
    for (const { listener } of [first, second]) {
      expect(listener).toMatchObject({ connected: false, closes: 1, error: { code: "CLOSED" } });
      expect(listener.error?.detail).toContain("SETTINGS_MAX_CONCURRENT_STREAMS");
    }
    expect(network.dialled).toHaveLength(1);
    expect(network.dialled[0]?.ended).not.toBe("");
  });

  it("that takes no more requests for now finishes those that it has", async () => {
    const { port, listener, at, dial, network } = await opened();
    port.write(Buffer.from(GET));
    await turn();
    at.settings([STREAMS, 0]);
    dial();
    await turn();
    expect(network.dialled).toHaveLength(2);
    at.head(1, OK, END);
    await turn();
    expect(listener).toMatchObject({ error: null, heard: expect.stringContaining("200") });
  });

  it("is bounded in what it keeps of a header block without end", async () => {
    const { port, listener, at } = await opened();
    port.write(Buffer.from(GET));
    await turn();
    at.send(FRAME.HEADERS, 0, 1, plainBlock(OK));
    for (let sent = 0; sent < 70_000 && listener.error === null; sent += 1) at.send(FRAME.CONTINUATION, 0, 1, "");
    expect(listener.error?.detail).toContain("ENHANCE_YOUR_CALM");
  });

  it("ends with a request that asks for that, and with nobody left who waits for it", async () => {
    const { network, port, at } = await opened();
    port.write(Buffer.from("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    await turn();
    at.head(1, OK, END);
    await turn();
    expect(network.dialled[0]?.ended).toBe("fin");
    const waiting = world();
    waiting.network.acceptAtOnce = false;
    const { port: left } = waiting.dial();
    left.destroy();
    expect(waiting.network.dialled[0]?.ended).toBe("closed");
  });

  // A session outlasted its settings for as long as it was busy, with whom it trusted and what it had shown.
  it("gets no request any more once another transport is configured, and finishes those that it has", async () => {
    const { network, dial, configure, port, listener, at } = await opened();
    port.write(Buffer.from(GET));
    await turn();
    configure();
    dial();
    await turn();
    expect(network.dialled).toHaveLength(2);
    expect(network.dialled[0]?.ended).toBe("");
    at.head(1, OK, END);
    await turn();
    expect(listener.heard).toMatch(/^HTTP\/1\.1 200/);
    expect(network.dialled[0]?.ended).toBe("fin");
  });

  it("that has no request is closed when another transport is asked for", async () => {
    const { network, dial, configure, port, at } = await opened();
    port.write(Buffer.from(GET));
    await turn();
    at.head(1, OK, END);
    await turn();
    configure();
    dial();
    await turn();
    expect(network.dialled.map(({ ended }) => ended)).toEqual(["fin", ""]);
  });

  it("tells a stream how much it was used before, and closes after its idle time", async () => {
    const { network, dial, port, at, advance } = await opened();
    port.write(Buffer.from(GET));
    await turn();
    at.head(1, OK, END);
    await advance(10_000);
    const second = dial();
    await turn();
    expect(second.port.carrier.shared).toMatchObject({ uses: 1, ageMs: 10_000, idleMs: 10_000 });
    second.port.destroy();
    await advance(61_000);
    expect(network.dialled[0]?.ended).toBe("fin");
  });

  // Every stream that had ever found a place was kept with the address: a gateway of calls grew by 6 KB for each.
  it("keeps nothing of a stream that is over", async () => {
    const { dial, at } = await opened();
    async function answered(): Promise<WeakRef<SocketPort>> {
      const { port, listener } = dial();
      await turn();
      port.write(Buffer.from(GET));
      await turn();
      at.head(3, OK, END | FLAG.END_HEADERS);
      expect(listener.closes).toBe(1);
      return new WeakRef(port);
    }
    const over = await answered();
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    await until("the stream to be collected", () => {
      collect();
      return over.deref() === undefined ? true : null;
    });
  });

  it("reads frames however they are cut", async () => {
    const whole = Buffer.concat([
      frame(FRAME.HEADERS, FLAG.END_HEADERS, 1, plainBlock(OK)),
      frame(FRAME.DATA, FLAG.PADDED, 1, Buffer.from("\x03hello\0\0\0", "latin1")),
      frame(FRAME.DATA, 0, 1, ""),
      frame(0x99, 0xff, 1, "what is not known"),
      frame(FRAME.WINDOW_UPDATE, 0, 1, word(5)),
      frame(FRAME.DATA, END, 1, "world"),
    ]);
    for (let size = 1; size <= whole.length; size += 1) {
      const { network, port, listener } = await opened();
      port.write(Buffer.from(GET));
      await turn();
      for (let from = 0; from < whole.length; from += size) network.dialled[0]?.send(whole.subarray(from, from + size));
      expect(listener.heard, `in pieces of ${size}`).toMatch(/\r\n\r\n5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n$/);
    }
  });
});

describe("a stream that the gateway gives up", () => {
  it("is cancelled at the origin, and its place is free", async () => {
    const { network, dial, port, listener, at } = await opened([[STREAMS, 1]]);
    port.write(Buffer.from(GET));
    await turn();
    at.frames();
    port.reset();
    await turn();
    const reset = at.frames().find(({ type }) => type === FRAME.RST_STREAM);
    expect(reset?.payload.readUInt32BE(0)).toBe(8);
    expect(listener.closes).toBe(1);
    const next = dial();
    await turn();
    expect([next.listener.connected, network.dialled.length]).toEqual([true, 1]);
    // What still comes for it belongs to nobody.
    at.head(1, OK);
    at.data(1, "late");
    at.reset(1, 0);
    expect([listener.heard, next.listener.error]).toEqual(["", null]);
  });
});

describe("a WebSocket", () => {
  const UPGRADE =
    "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

  it("goes over extended CONNECT where the origin offers it", async () => {
    const { port, listener, at } = await opened([[8, 1]]);
    port.write(Buffer.from(UPGRADE));
    await turn();
    expect(at.requests()).toEqual([
      {
        stream: 1,
        ends: false,
        fields: {
          ":method": "CONNECT",
          ":protocol": "websocket",
          ":scheme": "http",
          ":path": "/chat",
          ":authority": "a",
          "sec-websocket-version": "13",
        },
      },
    ]);
    at.head(1, { ...OK, "sec-websocket-protocol": "chat" });
    expect(listener.heard).toMatch(/^HTTP\/1\.1 101 /);
    expect(listener.heard).toContain("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
    expect(listener.heard).toContain("sec-websocket-protocol: chat\r\n");
    listener.heard = "";
    at.data(1, "from the origin");
    expect(listener.heard).toBe("from the origin");
    port.write(Buffer.from("from the client"));
    port.end();
    await turn();
    expect(bodyOf(at)).toBe("from the client");
    at.data(1, "", true);
    expect([listener.fins, listener.closes]).toEqual([1, 1]);
  });

  it("that the origin declines is answered as any request", async () => {
    const { port, listener, at } = await opened([[8, 1]]);
    port.write(Buffer.from(UPGRADE));
    await turn();
    at.head(1, { ":status": "403" }, END);
    expect(listener.heard).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
  });

  it("gets a connection of its own where the origin does not", async () => {
    const { network, port, listener } = await opened();
    port.write(Buffer.from(UPGRADE));
    network.settle();
    const own = network.dialled[1];
    expect(own?.take()).toBe(UPGRADE);
    own?.send("HTTP/1.1 101 Switching Protocols\r\n\r\n");
    expect(listener.heard).toBe("HTTP/1.1 101 Switching Protocols\r\n\r\n");
    port.write(Buffer.from("x"));
    expect(own?.take()).toBe("x");
  });
});

/** DATA that came since the last look. */
function bodyOf(at: Http2Origin): string {
  return at
    .frames()
    .filter(({ type }) => type === FRAME.DATA)
    .map(({ payload }) => payload.toString("latin1"))
    .join("");
}
