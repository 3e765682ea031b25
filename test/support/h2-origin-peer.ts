/**
 * An HTTP/2 origin played by hand on a connection in memory: it reads the frames that come, answers with those that a
 * test writes, and is as rude as a test wants it to be.
 */
import { FLAG, FRAME, FRAME_HEAD_BYTES, PREFACE, SETTING } from "../../src/http2/frames.ts";
import type { HeaderField } from "../../src/http2/header-field.ts";
import { HpackDecoder } from "../../src/http2/hpack-decoder.ts";
import type { Peer } from "./memory-socket.ts";

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export interface Heard {
  readonly stream: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly ends: boolean;
}

export interface Http2Origin {
  /** What came since the last call, in order. */
  frames(): Frame[];
  /** Of those, the requests. */
  requests(): Heard[];
  send(type: number, flags: number, stream: number, payload?: Buffer | string): void;
  settings(...pairs: (readonly [number, number])[]): void;
  head(stream: number, fields: Readonly<Record<string, string>>, flags?: number): void;
  data(stream: number, text: string | Buffer, ends?: boolean): void;
  reset(stream: number, code: number): void;
  goaway(lastStream: number, code: number, said?: string): void;
  window(stream: number, more: number): void;
}

export function http2Origin(peer: Peer): Http2Origin {
  const decoder = new HpackDecoder();
  let unread: Buffer = Buffer.alloc(0);
  let sawPreface = false;

  function frames(): Frame[] {
    unread = Buffer.concat([unread, Buffer.from(peer.take(), "latin1")]);
    const found: Frame[] = [];
    if (!sawPreface && unread.length >= PREFACE.length) {
      if (!unread.subarray(0, PREFACE.length).equals(PREFACE)) throw new Error("no preface");
      sawPreface = true;
      unread = unread.subarray(PREFACE.length);
    }
    if (!sawPreface) return [];
    while (unread.length >= FRAME_HEAD_BYTES) {
      const length = unread.readUIntBE(0, 3);
      if (unread.length < FRAME_HEAD_BYTES + length) break;
      found.push({
        type: unread[3] ?? 0,
        flags: unread[4] ?? 0,
        stream: unread.readUInt32BE(5),
        payload: unread.subarray(FRAME_HEAD_BYTES, FRAME_HEAD_BYTES + length),
      });
      unread = unread.subarray(FRAME_HEAD_BYTES + length);
    }
    return found;
  }

  function requests(): Heard[] {
    const heard: Heard[] = [];
    for (const frame of frames()) {
      if (frame.type !== FRAME.HEADERS) continue;
      const fields: Record<string, string> = {};
      decoder.decode(frame.payload, 0, frame.payload.length, {
        onField: ({ name, value }: HeaderField) => {
          fields[name] = value;
        },
      });
      heard.push({ stream: frame.stream, fields, ends: (frame.flags & FLAG.END_STREAM) !== 0 });
    }
    return heard;
  }

  function send(type: number, flags: number, stream: number, payload: Buffer | string = ""): void {
    peer.send(frameBytes(type, flags, stream, payload));
  }

  return {
    frames,
    requests,
    send,
    settings: (...pairs) => send(FRAME.SETTINGS, 0, 0, settingsPayload(pairs)),
    head: (stream, fields, flags = 0) => send(FRAME.HEADERS, FLAG.END_HEADERS | flags, stream, plainBlock(fields)),
    data: (stream, text, ends = false) => send(FRAME.DATA, ends ? FLAG.END_STREAM : 0, stream, text),
    reset: (stream, code) => send(FRAME.RST_STREAM, 0, stream, uint32(code)),
    goaway: (lastStream, code, said = "") =>
      send(FRAME.GOAWAY, 0, 0, Buffer.concat([uint32(lastStream), uint32(code), Buffer.from(said)])),
    window: (stream, more) => send(FRAME.WINDOW_UPDATE, 0, stream, uint32(more)),
  };
}

export const STREAMS = SETTING.MAX_CONCURRENT_STREAMS;
export const WINDOW = SETTING.INITIAL_WINDOW_SIZE;

export function frameBytes(type: number, flags: number, stream: number, payload: Buffer | string = ""): Buffer {
  const bytes = typeof payload === "string" ? Buffer.from(payload, "latin1") : payload;
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUIntBE(bytes.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, bytes]);
}

/** A header block of literals without a table (RFC 7541 §6.2.2): as long as it likes, and easy to get wrong on purpose. */
export function plainBlock(fields: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(
    Object.entries(fields).map(([name, value]) => Buffer.concat([Buffer.from([0]), text(name), text(value)])),
  );
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function settingsPayload(pairs: readonly (readonly [number, number])[]): Buffer {
  return Buffer.concat(pairs.map(([setting, value]) => Buffer.concat([Buffer.from([0, setting]), uint32(value)])));
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "latin1");
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length: number[] = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest >>= 7) length.push((rest & 0x7f) | 0x80);
  length.push(rest);
  return Buffer.concat([Buffer.from(length), bytes]);
}
