/**
 * What leaves on one HTTP/2 connection of a client for its requests: heads, content as far as the client's windows and
 * the kernel let it (RFC 9113 §5.2), and ends. Content that has to wait is queued with its stream, and goes frame by
 * frame in the order that the client wants (send-order.ts). Streams hand over here what the gateway wrote to them.
 */
import type { MessageHead } from "../http1/head.ts";
import type { Carrier, SocketPort } from "../kernel/socket.ts";
import { OVERFLOW } from "./frame-rules.ts";
import type { Breach } from "./frame-rules.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { FLAG, FRAME, FRAME_BYTES, FRAME_HEAD_BYTES, SETTING, WINDOW_BYTES, WINDOW_MAX } from "./frames.ts";
import type { ErrorName } from "./frames.ts";
import { HpackEncoder } from "./hpack-encoder.ts";
import { writeResponseBlock, writeTrailerBlock } from "./response-head.ts";
import { SendOrder } from "./send-order.ts";
import { CRUMB_BYTES } from "./session-limits.ts";
import type { Allowance } from "./session-limits.ts";
import type { StreamCarrier, StreamPort } from "./stream-port.ts";

/** The connection that it sends on. */
export interface SenderHost {
  /** Something is written or may be: `sendWaiting` and `flush` have to be called. */
  later(): void;
  /** All of a stream's answer has been said. */
  onAnswered(stream: StreamPort): void;
  resetStream(stream: StreamPort, error: ErrorName): void;
  tellLater(stream: StreamPort): void;
  onFault(error: unknown): void;
}

/** What goes to the kernel in one write. */
const OUT_BYTES = 64 * 1024;

export class ResponseSender implements StreamCarrier {
  readonly socket: SocketPort;
  readonly carrier: Carrier;
  /** What the client lets us send on all streams together, and on each that begins. */
  window: number = WINDOW_BYTES;
  streamWindow: number = WINDOW_BYTES;
  readonly #out: FrameWriter;
  readonly #idleFrames: Allowance;
  readonly #host: SenderHost;
  readonly #encoder = new HpackEncoder();
  /** Streams with content that waits. */
  readonly #order = new SendOrder<StreamPort>();

  /** `out` is the connection's: frames of others stand in it as well. */
  constructor(socket: SocketPort, out: FrameWriter, idleFrames: Allowance, host: SenderHost) {
    this.socket = socket;
    this.carrier = { ...socket.carrier, protocol: "h2" };
    this.#out = out;
    this.#idleFrames = idleFrames;
    this.#host = host;
  }

  /** Any content waits. */
  get waits(): boolean {
    return this.#order.any;
  }

  // ------------------------------------------------------------------ what a stream sends

  sendHead(stream: StreamPort, head: MessageHead, status: number): void {
    if (stream.closed) return;
    const { writer } = this.#out;
    const at = writer.length;
    stream.endMark = this.#out.mark();
    writer.ensure(FRAME_HEAD_BYTES);
    writer.length += FRAME_HEAD_BYTES;
    writeResponseBlock(writer, this.#encoder, head, status);
    this.#out.closeBlock(at, stream.id, 0, FRAME_BYTES);
    this.#host.later();
  }

  sendData(stream: StreamPort, bytes: Buffer, start: number, end: number): void {
    let at = start;
    if (stream.queuedBytes === 0) {
      while (at < end && !this.socket.writing) {
        const count = Math.min(end - at, stream.sendWindow, this.window, FRAME_BYTES);
        if (count <= 0) break;
        this.#frameOf(stream, bytes, at, at + count);
        at += count;
      }
    }
    this.#host.later();
    if (at === end) return;
    stream.queue.push(Buffer.from(bytes.subarray(at, end)));
    stream.queuedBytes += end - at;
    this.#list(stream);
  }

  sendEnd(stream: StreamPort): void {
    if (stream.queuedBytes > 0) {
      stream.endQueued = true;
      return;
    }
    const trailers = stream.trailers;
    if (trailers !== null && !stream.isTunnel) {
      const { writer } = this.#out;
      const at = writer.length;
      writer.ensure(FRAME_HEAD_BYTES);
      writer.length += FRAME_HEAD_BYTES;
      writeTrailerBlock(writer, this.#encoder, trailers);
      this.#out.closeBlock(at, stream.id, FLAG.END_STREAM, FRAME_BYTES);
    } else if (!this.#out.endAt(stream.endMark)) this.#out.head(0, FRAME.DATA, FLAG.END_STREAM, stream.id);
    this.#host.later();
    stream.localEnded = true;
    this.#host.onAnswered(stream);
  }

  reset(stream: StreamPort, error: ErrorName): void {
    this.#host.resetStream(stream, error);
  }

  settleLater(stream: StreamPort): void {
    this.#host.tellLater(stream);
  }

  onFault(error: unknown): void {
    this.#host.onFault(error);
  }

  // ------------------------------------------------------------------ what the client allows

  /** One of the client's SETTINGS (§6.5.2); `streams` are those that are open. */
  onSetting(id: number, value: number, streams: Iterable<StreamPort>): Breach | null {
    switch (id) {
      case SETTING.HEADER_TABLE_SIZE:
        this.#encoder.resize(value);
        return null;
      case SETTING.ENABLE_PUSH:
      case SETTING.ENABLE_CONNECT_PROTOCOL:
      case SETTING.NO_RFC7540_PRIORITIES:
        return value > 1 ? { error: "PROTOCOL_ERROR", evidence: `setting ${id} is ${value}` } : null;
      case SETTING.INITIAL_WINDOW_SIZE:
        if (value > WINDOW_MAX) return { error: "FLOW_CONTROL_ERROR", evidence: `a window of ${value} bytes` };
        return this.#resizeWindows(streams, value) ? null : OVERFLOW;
      case SETTING.MAX_FRAME_SIZE:
        // Larger ones would only make other streams wait longer for their turn.
        if (value >= FRAME_BYTES && value <= 0xff_ffff) return null;
        return { error: "PROTOCOL_ERROR", evidence: `frames of ${value} bytes` };
      default:
        return null;
    }
  }

  // ------------------------------------------------------------------ for the connection

  /** What waits, frame by frame, as far as windows and kernel let it. */
  sendWaiting(): void {
    while (this.#order.any && this.window > 0 && !this.socket.writing) {
      const stream = this.#order.take();
      if (stream === null) return;
      stream.isListed = false;
      const first = stream.queue[0];
      if (first === undefined) continue;
      const room = Math.min(stream.sendWindow, this.window, FRAME_BYTES);
      const end = Math.min(first.length, stream.queueStart + room);
      this.#frameOf(stream, first, stream.queueStart, end);
      stream.queuedBytes -= end - stream.queueStart;
      stream.queueStart = end;
      if (end === first.length) {
        stream.queue.shift();
        stream.queueStart = 0;
      }
      if (stream.queuedBytes > 0) this.#list(stream);
      else this.#emptied(stream);
    }
  }

  /** Gives to the kernel what was written. `isLast`: nothing follows, so it leaves in any case. */
  flush(isLast: boolean): void {
    const { length } = this.#out;
    // Behind what waits it would wait too, in a buffer of its own for each few bytes.
    if (length === 0 || (this.socket.writing && length < OUT_BYTES && !isLast)) return;
    this.#out.leave((bytes) => this.socket.write(bytes));
  }

  /** §6.9.2: what is open now has as much more, or less, than it had. It may be less than nothing then. */
  #resizeWindows(streams: Iterable<StreamPort>, size: number): boolean {
    const change = size - this.streamWindow;
    this.streamWindow = size;
    for (const stream of streams) {
      stream.sendWindow += change;
      if (stream.sendWindow > WINDOW_MAX) return false;
    }
    return true;
  }

  #frameOf(stream: StreamPort, bytes: Buffer, start: number, end: number): void {
    const count = end - start;
    stream.sendWindow -= count;
    this.window -= count;
    stream.endMark = this.#out.mark();
    // Each frame may be answered by changes of both windows, and some clients change them in small steps.
    if (count >= CRUMB_BYTES) this.#idleFrames.giveBack(4);
    this.#out.head(count, FRAME.DATA, 0, stream.id);
    this.#out.writer.copy(bytes, start, end);
    if (this.#out.length >= OUT_BYTES) this.flush(false);
  }

  #list(stream: StreamPort): void {
    if (stream.isListed) return;
    stream.isListed = true;
    this.#order.add(stream);
  }

  #emptied(stream: StreamPort): void {
    if (stream.endQueued) {
      stream.endQueued = false;
      this.sendEnd(stream);
    }
    if (stream.owesDrain && !stream.closed) this.#host.tellLater(stream);
  }
}
