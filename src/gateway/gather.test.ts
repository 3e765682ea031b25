/** What leaves on each socket is what was written to it, in order, whichever way the bytes were put together. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEAF, HEAD_ROOM, PLAIN, TAIL_ROOM } from "../kernel/socket.ts";
import type { Carrier, SocketListener, SocketPort } from "../kernel/socket.ts";
import { Gather } from "./gather.ts";

const MARK = 0xc7;
const MARKED = 64;

/** Keeps what is written: what it takes at once it copies, what it does not take stays where it is until `copy`. */
class Sink implements SocketPort {
  listener: SocketListener = DEAF;
  readonly carrier: Carrier = PLAIN;
  readonly remoteAddress = "";
  readonly remotePort = 0;
  readonly localAddress = "";
  readonly localPort = 0;
  readonly writing = false;
  readonly waitingBytes = 0;
  writes = 0;
  taking = true;
  #parts: Buffer[] = [];

  write(bytes: Buffer): boolean {
    this.writes += 1;
    this.#parts.push(this.taking ? Buffer.from(bytes) : bytes);
    return this.taking;
  }

  /** The end of a turn: the buffer that was read into is used again. */
  copy(): void {
    this.#parts = this.#parts.map((bytes) => Buffer.from(bytes));
  }

  /** Everything in order, looked at as late as possible. */
  get received(): string {
    return this.#parts.map((bytes) => bytes.latin1Slice()).join("");
  }

  pause(): void {}
  resume(): void {}
  end(): void {}
  reset(): void {}
  probePeer(): void {
    // Peers do not vanish here.
  }

  destroy(): void {}
}

/** A buffer as it is handed over by a socket: rooms around the bytes, and marks around the rooms. */
function handedOver(text: string): { bytes: Buffer; start: number; end: number; untouched: () => boolean } {
  const start = MARKED + HEAD_ROOM;
  const end = start + text.length;
  const bytes = Buffer.alloc(end + TAIL_ROOM + MARKED, MARK);
  bytes.latin1Write(text, start);
  const isMarked = (from: number, to: number): boolean => bytes.subarray(from, to).every((byte) => byte === MARK);
  return { bytes, start, end, untouched: () => isMarked(0, MARKED) && isMarked(end + TAIL_ROOM, bytes.length) };
}

function pattern(length: number): string {
  return Buffer.from(Array.from({ length }, (_, index) => 33 + (index % 89))).latin1Slice();
}

describe("what is gathered", () => {
  it("leaves in one write: a head with a small body, and a head right before a large one", () => {
    for (const size of [10, 4096, 4097, 60_000]) {
      const gather = new Gather();
      const read = handedOver(pattern(size));
      const sink = new Sink();
      gather.begin(read.start, read.end);
      gather.to(sink).ascii("HEAD\r\n\r\n");
      gather.body(sink, read.bytes, read.start, read.end, false, true);
      gather.flush();
      expect(sink.received === `HEAD\r\n\r\n${pattern(size)}`).toBe(true);
      expect(sink.writes).toBe(1);
      expect(read.untouched()).toBe(true);
    }
  });

  it("leaves in one write with its chunk's framing, also where the chunk ends with the read", () => {
    const gather = new Gather();
    const read = handedOver(pattern(5000));
    const sink = new Sink();
    gather.begin(read.start, read.end);
    gather.to(sink).ascii("1388\r\n");
    gather.body(sink, read.bytes, read.start, read.end, true, true);
    gather.flush();
    expect(sink.received === `1388\r\n${pattern(5000)}\r\n`).toBe(true);
    expect(sink.writes).toBe(1);
  });

  it("never writes a line end over bytes that are none: the parser has yet to see that they are wrong", () => {
    const gather = new Gather();
    for (const behind of ["XX", "\rX", "X\n"]) {
      const read = handedOver(pattern(5000) + behind);
      const sink = new Sink();
      gather.begin(read.start, read.end);
      gather.body(sink, read.bytes, read.start, read.start + 5000, true, true);
      gather.flush();
      expect(read.bytes.latin1Slice(read.end - 2, read.end)).toBe(behind);
      expect(sink.received === `${pattern(5000)}\r\n`).toBe(true);
    }
  });

  it("larger than the room before a body leaves before it", () => {
    const gather = new Gather();
    const read = handedOver(pattern(5000));
    const sink = new Sink();
    gather.begin(read.start, read.end);
    gather.to(sink).ascii("x".repeat(HEAD_ROOM + 1));
    gather.body(sink, read.bytes, read.start, read.end, false, true);
    expect(sink.received === "x".repeat(HEAD_ROOM + 1) + pattern(5000)).toBe(true);
    expect(sink.writes).toBe(2);
    expect(read.untouched()).toBe(true);
  });

  it("for one socket has left before anything is written for another", () => {
    const gather = new Gather();
    const [first, second] = [new Sink(), new Sink()];
    gather.to(first).ascii("a");
    gather.to(second).ascii("b");
    gather.to(first).ascii("c");
    gather.flush();
    gather.flush();
    expect([first.received, second.received]).toEqual(["ac", "b"]);
    expect([first.writes, second.writes]).toEqual([2, 1]);
  });

  it("is forgotten when it is discarded", () => {
    const gather = new Gather();
    const sink = new Sink();
    gather.to(sink).ascii("half a he");
    gather.discard();
    gather.to(sink).ascii("HTTP/1.1 500");
    gather.flush();
    expect(sink.received).toBe("HTTP/1.1 500");
  });

  it("and not taken belongs to the socket: nothing is written over it later", () => {
    const gather = new Gather();
    const sink = new Sink();
    sink.taking = false;
    gather.to(sink).ascii("first ");
    gather.flush();
    gather.to(sink).ascii("second");
    gather.flush();
    expect(sink.received).toBe("first second");
  });
});

describe("bytes that were kept from an earlier read", () => {
  it("are never written before or behind: what stands there may still have to be read", () => {
    const gather = new Gather();
    const sink = new Sink();
    const text = `GET / HTTP/1.1\r\n\r\n1388\r\n${pattern(5000)}\r\nTHE NEXT REQUEST`;
    const kept = Buffer.from(text, "latin1");
    const start = text.indexOf("1388\r\n") + 6;
    // Some other, short read came before.
    gather.begin(HEAD_ROOM, HEAD_ROOM + 5);
    gather.beginKept();
    gather.to(sink).ascii("X: y\r\n\r\n1388\r\n");
    gather.body(sink, kept, start, start + 5000, true, true);
    gather.flush();
    expect(sink.received === `X: y\r\n\r\n1388\r\n${pattern(5000)}\r\n`).toBe(true);
    expect(kept.latin1Slice()).toBe(text);
  });

  it("that end with a chunk whose line end is still to come get one all the same", () => {
    const gather = new Gather();
    const sink = new Sink();
    const kept = Buffer.from(pattern(5000), "latin1");
    gather.beginKept();
    gather.body(sink, kept, 0, 5000, true, true);
    gather.flush();
    expect(sink.received === `${pattern(5000)}\r\n`).toBe(true);
  });
});

describe("any sequence of writes", () => {
  interface Piece {
    /** Text that the gateway writes before it. */
    readonly own: string;
    /** Bytes of the read before it that are not passed on, as chunk heads are. */
    readonly skipped: number;
    readonly size: number;
    readonly chunk: boolean;
    readonly other: boolean;
  }
  const piece: fc.Arbitrary<Piece> = fc.record({
    own: fc.oneof(
      fc.constant(""),
      fc.string({ maxLength: 40, unit: fc.constantFrom("h", "e", "\r\n") }),
      fc.constantFrom("x".repeat(4000), "x".repeat(5000)),
    ),
    skipped: fc.nat(12),
    size: fc.oneof(fc.nat(20), fc.integer({ min: 4090, max: 4100 }), fc.integer({ min: 4097, max: 9000 })),
    chunk: fc.boolean(),
    other: fc.boolean(),
  });

  it("gives on each socket the same bytes as writing one after the other, and stays inside the rooms", () => {
    fc.assert(
      fc.property(fc.array(fc.array(piece, { maxLength: 6 }), { maxLength: 4 }), fc.boolean(), (reads, taking) => {
        const gather = new Gather();
        const sinks = [new Sink(), new Sink()] as const;
        const expected = ["", ""];
        for (const sink of sinks) sink.taking = taking;
        for (const pieces of reads) {
          // What is read: for each piece what is skipped, its bytes, and the line end of a chunk behind them. The
          // last chunk's line end has not come yet, or only its first byte.
          const content = pieces.map((one) => pattern(one.size));
          let source = pieces
            .map((one, index) => "s".repeat(one.skipped) + content[index] + (one.chunk ? "\r\n" : ""))
            .join("");
          const last = pieces.at(-1);
          if (last?.chunk === true) source = source.slice(0, source.length - 1 - (last.skipped % 2));
          const read = handedOver(source);
          gather.begin(read.start, read.end);
          let at = read.start;
          for (const [index, one] of pieces.entries()) {
            const to = one.other ? 1 : 0;
            const sink = sinks[to];
            at += one.skipped;
            if (one.own !== "") gather.to(sink).ascii(one.own);
            if (one.size > 0) gather.body(sink, read.bytes, at, at + one.size, one.chunk, true);
            expected[to] += one.own + (content[index] ?? "") + (one.chunk && one.size > 0 ? "\r\n" : "");
            at += one.size;
            // The parser goes on behind the piece: what it has yet to read must be as it came.
            expect(read.bytes.latin1Slice(at, read.end) === source.slice(at - read.start)).toBe(true);
            if (one.chunk) at += 2;
          }
          gather.flush();
          expect(read.untouched()).toBe(true);
          for (const sink of sinks) sink.copy();
          read.bytes.fill(0x9d);
        }
        expect(sinks.map((sink, index) => sink.received === expected[index])).toEqual([true, true]);
      }),
      { numRuns: 400 },
    );
  });
});
