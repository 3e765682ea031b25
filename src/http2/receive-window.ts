/**
 * What a client may send ahead of those who read it (RFC 9113 §5.2): on its connection, and on each of its streams. This
 * is what bounds the content that a connection holds, so bytes are granted again only when nobody holds them any more,
 * and only when they are worth a frame.
 */
import type { FrameWriter } from "./frame-writer.ts";
import { FRAME, WINDOW_BYTES } from "./frames.ts";
import type { StreamPort } from "./stream-port.ts";

/** All of a connection's requests together may be sent ahead of as many times a request's window. */
const WINDOWS = 4;

export class ReceiveWindow {
  readonly #out: FrameWriter;
  readonly #streamMax: number;
  readonly #max: number;
  /** Of the connection: what it may still send, and what was used up and not granted again. */
  #left: number;
  #unacknowledged = 0;

  constructor(out: FrameWriter, streamBytes: number) {
    this.#out = out;
    this.#streamMax = streamBytes;
    this.#max = Math.max(WINDOW_BYTES, WINDOWS * streamBytes);
    this.#left = this.#max;
  }

  /** A connection begins with the window of the RFC, and is told how much more it has. */
  announce(): void {
    if (this.#max > WINDOW_BYTES) this.#out.number(FRAME.WINDOW_UPDATE, 0, this.#max - WINDOW_BYTES);
  }

  /** So much has come on the connection. False: more than it might send. */
  take(count: number): boolean {
    if (count > this.#left) return false;
    this.#left -= count;
    return true;
  }

  /** Bytes that nobody holds any more, of a stream or of none that is open. True: the client is told by a frame. */
  consumed(stream: StreamPort | null, count: number): boolean {
    let isTold = false;
    this.#unacknowledged += count;
    if (this.#unacknowledged * 2 >= this.#max) {
      this.#out.number(FRAME.WINDOW_UPDATE, 0, this.#unacknowledged);
      this.#left += this.#unacknowledged;
      this.#unacknowledged = 0;
      isTold = true;
    }
    if (stream === null || stream.remoteEnded || stream.closed) return isTold;
    stream.unacknowledged += count;
    if (stream.unacknowledged * 2 < this.#streamMax) return isTold;
    this.#out.number(FRAME.WINDOW_UPDATE, stream.id, stream.unacknowledged);
    stream.receiveWindow += stream.unacknowledged;
    stream.unacknowledged = 0;
    return true;
  }
}
