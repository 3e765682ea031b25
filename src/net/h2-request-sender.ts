/**
 * What leaves on an HTTP/2 connection to an origin for its exchanges: heads, content as far as the origin's windows and
 * the socket let it (RFC 9113 §5.2), ends. What has to wait stays with its stream; here is who waits, first come first
 * served.
 */
import type { MessageHead } from "../http1/head.ts";
import type { Trailer } from "../http1/trailers.ts";
import { errorCode, FLAG, FRAME, FRAME_BYTES, WINDOW_BYTES, WINDOW_MAX } from "../http2/frames.ts";
import type { ErrorName } from "../http2/frames.ts";
import { HpackEncoder } from "../http2/hpack-encoder.ts";
import { writeRequestBlock } from "../http2/request-block.ts";
import { writeTrailerBlock } from "../http2/response-head.ts";
import type { SocketPort } from "../kernel/socket.ts";
import { OriginFrames } from "./h2-origin-frames.ts";
import type { OriginStream } from "./h2-origin-stream.ts";

const PING_BYTES = 8;

export class RequestSender {
  /** What a stream may send that begins now. */
  streamWindow: number = WINDOW_BYTES;
  /** The same for the connection. */
  #window: number = WINDOW_BYTES;
  readonly #at: { readonly socket: SocketPort };
  readonly #encoder = new HpackEncoder();
  readonly #frames = new OriginFrames((bytes) => this.#at.socket.write(bytes));
  /** Have bytes to send and no window, in the order in which they ran out of it. */
  readonly #hungry = new Set<OriginStream>();

  /** `at`: the connection, whose socket is there when the first frame is written. */
  constructor(at: { readonly socket: SocketPort }) {
    this.#at = at;
  }

  /** Streams wait for it. */
  get waits(): boolean {
    return this.#hungry.size > 0;
  }

  // ------------------------------------------------------------------ for streams

  head(id: number, message: MessageHead, ends: boolean, opensTunnel: boolean): void {
    const overTls = this.#at.socket.carrier.tls !== null;
    writeRequestBlock(this.#frames.beginBlock(id, ends), this.#encoder, message, overTls, opensTunnel);
    this.#frames.endBlock(id);
  }

  /** Sends as much as windows allow now; returns how much that was. */
  data(id: number, window: number, bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end) {
      const count = Math.min(end - at, window - (at - start), this.#window, FRAME_BYTES);
      if (count <= 0 || this.#at.socket.writing) break;
      this.#window -= count;
      this.#frames.data(id, bytes, at, at + count);
      at += count;
    }
    return at - start;
  }

  /** It waits for a window, or for the socket. */
  starve(stream: OriginStream): void {
    this.#hungry.add(stream);
  }

  /** END_STREAM: on the last frame, if that has not left. */
  endOf(id: number): void {
    this.#frames.endOf(id);
  }

  /** The fields behind the content, which end it. */
  trailersOf(id: number, trailers: readonly Trailer[]): void {
    writeTrailerBlock(this.#frames.beginBlock(id, true), this.#encoder, trailers);
    this.#frames.endBlock(id);
  }

  reset(id: number, code: ErrorName): void {
    this.#frames.number(FRAME.RST_STREAM, id, errorCode(code));
  }

  windowUpdate(id: number, count: number): void {
    this.#frames.number(FRAME.WINDOW_UPDATE, id, count);
  }

  // ------------------------------------------------------------------ what the origin allows

  /** SETTINGS_HEADER_TABLE_SIZE. */
  resizeTable(bytes: number): void {
    this.#encoder.resize(bytes);
  }

  /** SETTINGS_INITIAL_WINDOW_SIZE (§6.9.2). False: a window has become larger than any may be. */
  resizeWindows(streams: Iterable<OriginStream>, size: number): boolean {
    const more = size - this.streamWindow;
    this.streamWindow = size;
    for (const stream of streams) {
      stream.window += more;
      if (stream.window > WINDOW_MAX) return false;
    }
    return true;
  }

  /** Of the connection. False: as above. */
  widen(more: number): boolean {
    this.#window += more;
    return this.#window <= WINDOW_MAX;
  }

  /** Who has bytes to send tries again. */
  feedAll(): void {
    if (this.#hungry.size === 0) return;
    for (const stream of Array.from(this.#hungry)) {
      if (this.#window <= 0 || this.#at.socket.writing) return;
      this.feed(stream);
    }
  }

  /** The same for one, if it waits. */
  feed(stream: OriginStream): void {
    if (this.#hungry.delete(stream)) stream.goOn();
  }

  /** It is over. */
  forget(stream: OriginStream): void {
    this.#hungry.delete(stream);
  }

  // ------------------------------------------------------------------ for the connection

  preface(settings: readonly (readonly [number, number])[], windowBytes: number): void {
    this.#frames.preface();
    this.#frames.settings(settings);
    this.windowUpdate(0, windowBytes - WINDOW_BYTES);
    this.#frames.flush();
  }

  agreeToSettings(): void {
    this.#frames.head(0, FRAME.SETTINGS, FLAG.ACK, 0);
  }

  ping(): void {
    this.#frames.head(PING_BYTES, FRAME.PING, 0, 0);
    this.#frames.word(0);
    this.#frames.word(0);
  }

  pong(bytes: Buffer, start: number): void {
    this.#frames.head(PING_BYTES, FRAME.PING, FLAG.ACK, 0);
    this.#frames.copy(bytes, start, start + PING_BYTES);
  }

  /** The last that is said. */
  goAway(code: ErrorName): void {
    this.#frames.head(8, FRAME.GOAWAY, 0, 0);
    this.#frames.word(0);
    this.#frames.word(errorCode(code));
    this.#frames.flush();
  }

  /** Nothing leaves any more. */
  stop(): void {
    this.#frames.stop();
  }
}
