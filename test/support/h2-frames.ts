/**
 * Frames of HTTP/2 by hand: written as a test says, right or wrong, and read back as plain data. Field blocks are
 * literals without a table, so that a test can send one twice.
 */
import { FLAG, FRAME, PREFACE } from "../../src/http2/frames.ts";
import { HpackDecoder } from "../../src/http2/hpack-decoder.ts";

export type Pair = readonly [name: string, value: string];

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function frame(type: number, flags: number, stream: number, payload: Buffer | string = ""): Buffer {
  const bytes = typeof payload === "string" ? Buffer.from(payload, "latin1") : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, bytes]);
}

export function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

export function block(pairs: readonly Pair[]): Buffer {
  return Buffer.concat(pairs.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
}

export const GET: readonly Pair[] = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/"],
  [":authority", "shop.example"],
];

export const POST: readonly Pair[] = [[":method", "POST"], ...GET.slice(1)];

/** HEADERS of a whole request, or one whose content follows. */
export function request(stream: number, pairs: readonly Pair[] = GET, ends = true): Buffer {
  return frame(FRAME.HEADERS, FLAG.END_HEADERS | (ends ? FLAG.END_STREAM : 0), stream, block(pairs));
}

export function data(stream: number, content: Buffer | string, ends = false): Buffer {
  return frame(FRAME.DATA, ends ? FLAG.END_STREAM : 0, stream, content);
}

export function settings(...pairs: readonly (readonly [id: number, value: number])[]): Buffer {
  return frame(
    FRAME.SETTINGS,
    0,
    0,
    Buffer.concat(pairs.map(([id, value]) => Buffer.concat([Buffer.from([id >> 8, id & 0xff]), word(value)]))),
  );
}

export function windowUpdate(stream: number, more: number): Buffer {
  return frame(FRAME.WINDOW_UPDATE, 0, stream, word(more));
}

export function reset(stream: number, code = 8): Buffer {
  return frame(FRAME.RST_STREAM, 0, stream, word(code));
}

/** What every client begins with. */
export const OPENING: Buffer = Buffer.concat([PREFACE, settings()]);

/** Reads frames from bytes that come in pieces, and field blocks in the order in which they came. */
export class FrameReader {
  readonly frames: Frame[] = [];
  readonly #decoder = new HpackDecoder();
  #rest = Buffer.alloc(0);

  /** Bytes of a frame that is not whole. */
  get rest(): number {
    return this.#rest.length;
  }

  push(bytes: Buffer): Frame[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const come: Frame[] = [];
    while (this.#rest.length >= 9) {
      const length = this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < 9 + length) break;
      come.push({
        type: this.#rest[3] ?? 0,
        flags: this.#rest[4] ?? 0,
        stream: this.#rest.readUInt32BE(5) & 0x7fff_ffff,
        payload: this.#rest.subarray(9, 9 + length),
      });
      this.#rest = this.#rest.subarray(9 + length);
    }
    this.frames.push(...come);
    return come;
  }

  /** Fields of a HEADERS frame; each has to be asked for once, in order. */
  fields({ payload }: Frame): Pair[] {
    const pairs: Pair[] = [];
    const sink = {
      onField: ({ name, value }: { name: string; value: string }): void => void pairs.push([name, value]),
    };
    if (!this.#decoder.decode(payload, 0, payload.length, sink)) throw new Error("a field block cannot be decoded");
    return pairs;
  }
}

/** One line for each frame: `HEADERS 1 end :status=200`, `RST_STREAM 3 PROTOCOL_ERROR`. Fields but the status are left out. */
export function describeFrames(reader: FrameReader, frames: readonly Frame[]): string[] {
  return frames.map((one) => {
    const { type, flags, stream, payload } = one;
    const name = Object.entries(FRAME).find(([, its]) => its === type)?.[0] ?? `type ${type}`;
    const ends = (type === FRAME.DATA || type === FRAME.HEADERS) && (flags & FLAG.END_STREAM) !== 0 ? " end" : "";
    const acks = (type === FRAME.SETTINGS || type === FRAME.PING) && (flags & FLAG.ACK) !== 0 ? " ack" : "";
    let what = "";
    if (type === FRAME.HEADERS) {
      const pairs = reader.fields(one);
      const status = pairs.find(([its]) => its === ":status");
      what = ` ${status === undefined ? pairs.map((pair) => pair.join("=")).join(" ") : status[1]}`;
    }
    if (type === FRAME.DATA) what = ` ${payload.length > 40 ? `${payload.length} bytes` : payload.latin1Slice()}`;
    if (type === FRAME.RST_STREAM) what = ` ${payload.readUInt32BE(0)}`;
    if (type === FRAME.GOAWAY) what = ` ${payload.readUInt32BE(4)}`;
    return `${name}${stream === 0 ? "" : ` ${stream}`}${ends}${acks}${what}`.trimEnd();
  });
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "latin1");
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const head = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest >>= 7) head.push((rest & 127) | 128);
  head.push(rest);
  return Buffer.concat([Buffer.from(head), bytes]);
}
