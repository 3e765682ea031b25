/**
 * Frames from the bytes of a client (RFC 9113 §4.1), whatever pieces they come in, the preface before them (§3.4). What a
 * frame is of, and whether it may be, its session decides when the frame's head is there; this only knows where it ends.
 *
 * Why not frame-reader.ts, which reads what origins send: that one hands on whole frames, and collects those that were
 * cut. Of a client the content of DATA is handed on in the pieces in which it comes, where it lies, so that no upload
 * makes a copy of itself here; everything else is small, and whole.
 */
import { FLAG, FRAME_HEAD_BYTES, PREFACE, WINDOW_MAX } from "./frames.ts";
import type { ErrorName } from "./frames.ts";

export interface ClientFrameSink {
  /** The head of a frame has been read. One of `collect`, `content`, `skip` says what becomes of the rest. */
  onFrameHead(): void;
  /** All of a frame that was collected, at `[start, end)`. */
  onFrame(bytes: Buffer, start: number, end: number): void;
  /** So many bytes of DATA are not content. */
  onPadding(count: number): void;
  /** `isLast`: nothing was read behind it. */
  onContent(bytes: Buffer, start: number, end: number, isLast: boolean): void;
  /** All content of a DATA frame with END_STREAM has been handed on. */
  onContentEnd(): void;
  /** Nothing more can be read. */
  onBadFrame(error: ErrorName, evidence: string): void;
}

type Phase = "preface" | "head" | "pad" | "data" | "skip" | "frame";

const EMPTY = Buffer.alloc(0);

export class ClientFrames {
  /** Of the frame that is being read. */
  length = 0;
  type = 0;
  flags = 0;
  stream = 0;
  /** Bytes of the preface that have been seen. */
  prefaceSeen = 0;
  #phase: Phase = "preface";
  /** Bytes of the frame that are still to come, and of those how many are padding. */
  #left = 0;
  #padding = 0;
  readonly #head: Buffer = Buffer.alloc(FRAME_HEAD_BYTES);
  #headSeen = 0;
  #frame: Buffer | null = null;
  #frameSeen = 0;
  readonly #sink: ClientFrameSink;

  constructor(sink: ClientFrameSink) {
    this.#sink = sink;
  }

  /** A frame has begun that is handed on when it is whole. */
  get collecting(): boolean {
    return this.#phase === "frame";
  }

  /** Bytes of content of the DATA frame that are still to come. */
  get contentLeft(): number {
    return this.#left - this.#padding;
  }

  /** Reads some of `[start, end)`; where the rest begins. To be called until there is none, or nothing can be read. */
  read(bytes: Buffer, start: number, end: number): number {
    switch (this.#phase) {
      case "preface":
        return this.#readPreface(bytes, start, end);
      case "head":
        return this.#readHead(bytes, start, end);
      case "pad":
        this.#left -= 1;
        this.#padding = bytes[start] ?? 0;
        if (this.#padding > this.#left) {
          this.#sink.onBadFrame("PROTOCOL_ERROR", "the padding is longer than its frame");
          return end;
        }
        this.#sink.onPadding(this.#padding + 1);
        this.#afterPiece();
        return start + 1;
      case "data": {
        const stop = Math.min(end, start + this.#left - this.#padding);
        this.#left -= stop - start;
        this.#sink.onContent(bytes, start, stop, stop === end);
        this.#afterPiece();
        return stop;
      }
      case "skip": {
        const stop = Math.min(end, start + this.#left);
        this.#left -= stop - start;
        if (this.#left === 0) this.#phase = "head";
        return stop;
      }
      case "frame":
        return this.#collect(bytes, start, end);
    }
  }

  // ------------------------------------------------------------------ what becomes of a frame

  /** It is handed on whole. */
  collect(): void {
    if (this.length === 0) this.#sink.onFrame(EMPTY, 0, 0);
    else this.#phase = "frame";
  }

  /** It is DATA, whose content is handed on as it comes. */
  content(): void {
    this.#padding = 0;
    if ((this.flags & FLAG.PADDED) === 0) {
      this.#phase = "data";
      if (this.length === 0) this.#afterPiece();
    } else if (this.length === 0) this.#sink.onBadFrame("FRAME_SIZE_ERROR", "DATA has no room for what it announces");
    else this.#phase = "pad";
  }

  /** Nobody wants it. */
  skip(): void {
    this.#phase = this.length === 0 ? "head" : "skip";
  }

  // ------------------------------------------------------------------ reading

  #readPreface(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && this.prefaceSeen < PREFACE.length) {
      if (bytes[at] !== PREFACE[this.prefaceSeen]) {
        this.#sink.onBadFrame("PROTOCOL_ERROR", "the connection does not begin with the preface of HTTP/2");
        return end;
      }
      this.prefaceSeen += 1;
      at += 1;
    }
    if (this.prefaceSeen === PREFACE.length) this.#phase = "head";
    return at;
  }

  #readHead(bytes: Buffer, start: number, end: number): number {
    if (this.#headSeen === 0 && end - start >= FRAME_HEAD_BYTES) {
      this.#begin(bytes, start);
      return start + FRAME_HEAD_BYTES;
    }
    const stop = Math.min(end, start + FRAME_HEAD_BYTES - this.#headSeen);
    bytes.copy(this.#head, this.#headSeen, start, stop);
    this.#headSeen += stop - start;
    if (this.#headSeen === FRAME_HEAD_BYTES) {
      this.#headSeen = 0;
      this.#begin(this.#head, 0);
    }
    return stop;
  }

  #begin(bytes: Buffer, at: number): void {
    this.length = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    this.type = bytes[at + 3] ?? 0;
    this.flags = bytes[at + 4] ?? 0;
    this.stream = wordAt(bytes, at + 5) & WINDOW_MAX;
    this.#left = this.length;
    this.#sink.onFrameHead();
  }

  #collect(bytes: Buffer, start: number, end: number): number {
    if (this.#frame === null && end - start >= this.length) {
      this.#phase = "head";
      this.#sink.onFrame(bytes, start, start + this.length);
      return start + this.length;
    }
    this.#frame ??= Buffer.allocUnsafe(this.length);
    const stop = Math.min(end, start + this.length - this.#frameSeen);
    bytes.copy(this.#frame, this.#frameSeen, start, stop);
    this.#frameSeen += stop - start;
    if (this.#frameSeen < this.length) return stop;
    const frame = this.#frame;
    this.#frame = null;
    this.#frameSeen = 0;
    this.#phase = "head";
    this.#sink.onFrame(frame, 0, frame.length);
    return stop;
  }

  /** A piece of content has been read; the frame may be at its end. */
  #afterPiece(): void {
    if (this.#left > this.#padding) {
      this.#phase = "data";
      return;
    }
    this.#phase = this.#left > 0 ? "skip" : "head";
    if ((this.flags & FLAG.END_STREAM) !== 0) this.#sink.onContentEnd();
  }
}

/** Four bytes as a number, the first one the highest. */
export function wordAt(bytes: Buffer, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0
  );
}
