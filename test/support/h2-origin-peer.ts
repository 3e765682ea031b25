/**
 * An HTTP/2 origin played by hand on a connection in memory: it reads the frames that come, answers with those that a
 * test writes, and is as rude as a test wants it to be.
 */
import { FLAG, FRAME, PREFACE, SETTING } from "../../src/http2/frames.ts";
import { block, frame, FrameReader, settings, word } from "./h2-frames.ts";
import type { Frame } from "./h2-frames.ts";
import type { Peer } from "./memory-socket.ts";

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
  const reader = new FrameReader();
  let sawPreface = false;

  function frames(): Frame[] {
    let bytes: Buffer = Buffer.from(peer.take(), "latin1");
    if (!sawPreface && bytes.length > 0) {
      if (!bytes.subarray(0, PREFACE.length).equals(PREFACE)) throw new Error("no preface");
      sawPreface = true;
      bytes = bytes.subarray(PREFACE.length);
    }
    return reader.push(bytes);
  }

  function requests(): Heard[] {
    const heard: Heard[] = [];
    for (const come of frames()) {
      if (come.type !== FRAME.HEADERS) continue;
      const fields = Object.fromEntries(reader.fields(come));
      heard.push({ stream: come.stream, fields, ends: (come.flags & FLAG.END_STREAM) !== 0 });
    }
    return heard;
  }

  function send(type: number, flags: number, stream: number, payload: Buffer | string = ""): void {
    peer.send(frame(type, flags, stream, payload));
  }

  return {
    frames,
    requests,
    send,
    settings: (...pairs) => peer.send(settings(...pairs)),
    head: (stream, fields, flags = 0) => send(FRAME.HEADERS, FLAG.END_HEADERS | flags, stream, plainBlock(fields)),
    data: (stream, text, ends = false) => send(FRAME.DATA, ends ? FLAG.END_STREAM : 0, stream, text),
    reset: (stream, code) => send(FRAME.RST_STREAM, 0, stream, word(code)),
    goaway: (lastStream, code, said = "") =>
      send(FRAME.GOAWAY, 0, 0, Buffer.concat([word(lastStream), word(code), Buffer.from(said)])),
    window: (stream, more) => send(FRAME.WINDOW_UPDATE, 0, stream, word(more)),
  };
}

export const STREAMS = SETTING.MAX_CONCURRENT_STREAMS;
export const WINDOW = SETTING.INITIAL_WINDOW_SIZE;

/** A header block of literals without a table (RFC 7541 §6.2.2): as long as it likes, and easy to get wrong on purpose. */
export function plainBlock(fields: Readonly<Record<string, string>>): Buffer {
  return block(Object.entries(fields));
}
