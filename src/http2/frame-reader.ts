/**
 * Frames from bytes (RFC 9113 §4.1), whatever pieces they come in. A frame that came whole is handed on in place; one
 * that was cut is copied into a buffer of its own, which nobody writes to again.
 */
import { HEAD_ROOM, TAIL_ROOM } from "../kernel/socket.ts";
import { FRAME_BYTES, FRAME_HEAD_BYTES } from "./frames.ts";

export interface FrameSink {
  /** The payload is `[start, end)`, valid until this returns. False: nothing more is read. */
  onFrame(type: number, flags: number, stream: number, bytes: Buffer, start: number, end: number): boolean;
}

const NOTHING = Buffer.alloc(0);

export class FrameReader {
  readonly #sink: FrameSink;
  readonly #head: Buffer = Buffer.allocUnsafeSlow(FRAME_HEAD_BYTES);
  #headLength = 0;
  /** The payload of a frame that was cut; empty: none was, or its head is not complete. */
  #cut: Buffer = NOTHING;
  #cutLength = 0;
  #cutMissing = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Nothing of a frame has come since the last one ended. */
  get idle(): boolean {
    return this.#headLength === 0;
  }

  /** False: a frame is larger than it may be. */
  read(bytes: Buffer, start: number, end: number): boolean {
    let at = this.#headLength === 0 ? start : this.#goOn(bytes, start, end);
    while (at >= 0 && at < end) {
      if (end - at < FRAME_HEAD_BYTES) {
        bytes.copy(this.#head, 0, at, end);
        this.#headLength = end - at;
        return true;
      }
      const length = bytes.readUIntBE(at, 3);
      if (length > FRAME_BYTES) return false;
      const from = at + FRAME_HEAD_BYTES;
      if (end - from < length) {
        bytes.copy(this.#head, 0, at, from);
        this.#headLength = FRAME_HEAD_BYTES;
        this.#keep(length);
        this.#take(bytes, from, end);
        return true;
      }
      at = this.#tell(bytes, at, bytes, from, from + length) ? from + length : -1;
    }
    return at !== TOO_LARGE;
  }

  /** Returns where the next frame begins, or below 0: no further. */
  #goOn(bytes: Buffer, start: number, end: number): number {
    let at = start;
    if (this.#headLength < FRAME_HEAD_BYTES) {
      const wanted = Math.min(FRAME_HEAD_BYTES - this.#headLength, end - at);
      bytes.copy(this.#head, this.#headLength, at, at + wanted);
      this.#headLength += wanted;
      at += wanted;
      if (this.#headLength < FRAME_HEAD_BYTES) return at;
      const length = this.#head.readUIntBE(0, 3);
      if (length > FRAME_BYTES) return TOO_LARGE;
      this.#keep(length);
    }
    at = this.#take(bytes, at, end);
    if (this.#cutMissing > 0) return at;
    const payload = this.#cut;
    const length = this.#cutLength;
    this.#headLength = 0;
    this.#cut = NOTHING;
    return this.#tell(this.#head, 0, payload, HEAD_ROOM, HEAD_ROOM + length) ? at : -1;
  }

  #keep(length: number): void {
    this.#cut = Buffer.allocUnsafeSlow(HEAD_ROOM + length + TAIL_ROOM);
    this.#cutLength = 0;
    this.#cutMissing = length;
  }

  #take(bytes: Buffer, start: number, end: number): number {
    const taken = Math.min(this.#cutMissing, end - start);
    bytes.copy(this.#cut, HEAD_ROOM + this.#cutLength, start, start + taken);
    this.#cutLength += taken;
    this.#cutMissing -= taken;
    return start + taken;
  }

  #tell(head: Buffer, at: number, bytes: Buffer, start: number, end: number): boolean {
    const type = head[at + 3] ?? 0;
    const flags = head[at + 4] ?? 0;
    // The first bit says nothing (§4.1).
    const stream = head.readUInt32BE(at + 5) & 0x7fffffff;
    return this.#sink.onFrame(type, flags, stream, bytes, start, end);
  }
}

const TOO_LARGE = -2;
