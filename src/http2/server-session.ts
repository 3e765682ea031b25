/**
 * One HTTP/2 connection of a client (RFC 9113): frames in, a `StreamPort` for each request, frames out. It runs on a
 * socket port like everything else here, so that it runs in the simulator and in memory, over TLS and without it.
 *
 * Why not node:http2: it decides by itself what happens to a connection that misbehaves and tells of it in one word, it
 * takes as much processor time for a stream as all the rest of an exchange, and it needs a socket of Node's own
 * (docs/decisions/0050-http2-is-translated-at-the-edge.md).
 *
 * Everything that a client can make pile up has a bound here: requests at the same time, bytes of a header block and its
 * frames, content that nobody reads yet (the windows), resets, frames that ask for nothing. Its owner watches the time.
 *
 * Not here: server push, which browsers have given up; dependencies between streams (PRIORITY), which RFC 9113 has
 * withdrawn: such frames are read and change nothing.
 */
import type { MessageHead } from "../http1/head.ts";
import type { RefusalId } from "../http1/refusals.ts";
import { HEAD_ROOM, TAIL_ROOM } from "../kernel/socket.ts";
import type { Carrier, SocketError, SocketListener, SocketPort } from "../kernel/socket.ts";
import { ClientFrames, wordAt } from "./client-frames.ts";
import type { ClientFrameSink } from "./client-frames.ts";
import { FrameWriter } from "./frame-writer.ts";
import {
  errorCode,
  errorName,
  FLAG,
  FRAME,
  FRAME_BYTES,
  FRAME_HEAD_BYTES,
  SETTING,
  WINDOW_BYTES,
  WINDOW_MAX,
} from "./frames.ts";
import type { ErrorName } from "./frames.ts";
import type { HeaderField } from "./header-field.ts";
import { HpackDecoder } from "./hpack-decoder.ts";
import { HpackEncoder } from "./hpack-encoder.ts";
import { parsePriority } from "./priority.ts";
import type { Priority } from "./priority.ts";
import { RequestHead } from "./request-head.ts";
import { RequestTrailers } from "./request-trailers.ts";
import { writeResponseBlock, writeTrailerBlock } from "./response-head.ts";
import { SendOrder } from "./send-order.ts";
import { Allowance } from "./session-limits.ts";
import type { SessionLimits } from "./session-limits.ts";
import { StreamPort } from "./stream-port.ts";
import type { StreamCarrier } from "./stream-port.ts";

/** Why a connection ends before its client has closed it. */
export interface SessionFault {
  readonly error: ErrorName;
  readonly evidence: string;
  /** It broke no rule of HTTP/2 and was still too much. */
  readonly isAbuse: boolean;
}

export interface SessionHost {
  now(): number;
  /** A request has come; its head follows at once. */
  onStream(stream: StreamPort): SocketListener;
  /** A request, or the rest of one that is under way, cannot be one of HTTP/1.1. */
  onMalformed(stream: StreamPort, id: RefusalId): void;
  /** One more request than may be open. It gets no answer. */
  onSurplus(stream: StreamPort, evidence: string): void;
  /** The connection is at its end by our own doing. `onClose` of the socket follows when its owner lets go of it. */
  onBroken(fault: SessionFault): void;
  /** Everything that was under way is done, and no more is wanted. */
  onDone(): void;
  /** A defect of ours. */
  onDefect(error: unknown): void;
  /** `settle` has to be called when all sockets that are ready have been read. */
  later(): void;
  /** 16 bytes of chance in base64. */
  websocketKey(): string;
}

/** All of a connection's requests together may be sent ahead of as many times a request's window. */
const WINDOWS = 4;
/** What goes to the kernel in one write. */
const OUT_BYTES = 64 * 1024;
/** Streams that we reset lately: what was on its way to them is no fault. */
const REMEMBERED = 128;
/** A window that is opened by less asks for hardly anything: a response would be cut into crumbs (CVE-2019-9511). */
const CRUMB_BYTES = 256;
/** Answers to pings and settings that wait for a client which does not read. */
const ANSWERS_MAX = 1000;
/** Frames of one header block: a browser's fits into one. */
const BLOCK_FRAMES_MAX = 16;
const CRLF_BYTES = 2;

/** Heads and trailers are translated one at a time, and their readers are done with them when they return. */
const requestHead = new RequestHead();
const requestTrailers = new RequestTrailers();
const LAST_CHUNK = roomy("0\r\n\r\n");
const IGNORE = { onField: (_field: HeaderField): void => undefined };
const DRAIN_PING = Buffer.from("goodgate", "latin1");

export class ServerSession implements StreamCarrier, ClientFrameSink {
  readonly socket: SocketPort;
  readonly carrier: Carrier;
  /** Requests that were taken. */
  streamsTaken = 0;
  /** GOAWAY has been sent or will be: no request is taken any more, or soon none. */
  draining = false;
  over = false;
  readonly #limits: SessionLimits;
  readonly #host: SessionHost;
  readonly #streams = new Map<number, StreamPort>();
  readonly #out = new FrameWriter();
  readonly #decoder = new HpackDecoder();
  readonly #encoder = new HpackEncoder();
  readonly #resets: Allowance;
  readonly #idleFrames: Allowance;
  readonly #now: () => number;

  readonly #in = new ClientFrames(this);
  #hasSettings = false;
  /** A header block whose CONTINUATION is due. */
  #block: Buffer[] | null = null;
  #blockBytes = 0;
  #blockStream = 0;
  #blockFlags = 0;

  #lastStream = 0;
  /** Set by the last GOAWAY: requests behind it were never there. */
  #lastTaken = WINDOW_MAX;
  #sendWindow = WINDOW_BYTES;
  #receiveWindow: number;
  #unacknowledged = 0;
  readonly #windowMax: number;
  #initialWindow = WINDOW_BYTES;
  #answers = 0;
  readonly #resetStreams: number[] = [];
  /** Streams with content that waits. */
  readonly #order = new SendOrder<StreamPort>();
  /** What PRIORITY_UPDATE said of a request that had not come; 0: nothing. */
  #foretoldStream = 0;
  #foretold: Priority | null = null;
  /** Streams whose owners have to be told something. */
  #due: StreamPort[] = [];
  #askedLater = false;
  #goingAway = false;
  /** Our FIN has been asked for. */
  #hasEnded = false;

  constructor(socket: SocketPort, limits: SessionLimits, host: SessionHost) {
    this.socket = socket;
    this.carrier = { ...socket.carrier, protocol: "h2" };
    this.#limits = limits;
    this.#host = host;
    this.#now = () => host.now();
    this.#resets = new Allowance(limits.resetsPerMinute, host.now());
    this.#idleFrames = new Allowance(limits.idleFramesPerMinute, host.now());
    this.#windowMax = Math.max(WINDOW_BYTES, WINDOWS * limits.windowBytes);
    this.#receiveWindow = this.#windowMax;
  }

  /** Says our preface (§3.4). `prefaceSeen`: bytes of the client's that have been read elsewhere. */
  begin(prefaceSeen: number): void {
    this.#in.prefaceSeen = prefaceSeen;
    const settings: readonly (readonly [number, number])[] = [
      [SETTING.MAX_CONCURRENT_STREAMS, this.#limits.streamsMax],
      [SETTING.INITIAL_WINDOW_SIZE, this.#limits.windowBytes],
      [SETTING.MAX_HEADER_LIST_SIZE, this.#limits.heads.headBytes],
      [SETTING.ENABLE_CONNECT_PROTOCOL, 1],
      [SETTING.NO_RFC7540_PRIORITIES, 1],
    ];
    this.#out.head(6 * settings.length, FRAME.SETTINGS, 0, 0);
    for (const [id, value] of settings) {
      this.#out.writer.byte(id >> 8);
      this.#out.writer.byte(id & 0xff);
      this.#out.word(value);
    }
    if (this.#receiveWindow > WINDOW_BYTES) {
      this.#out.number(FRAME.WINDOW_UPDATE, 0, this.#receiveWindow - WINDOW_BYTES);
    }
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  /** Something has begun that has to be whole soon: the preface, a header block, a frame of one. */
  get midHead(): boolean {
    return !this.#hasSettings || this.#block !== null || (this.#in.collecting && this.#in.type === FRAME.HEADERS);
  }

  // ------------------------------------------------------------------ from the socket

  onData(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end && !this.over) at = this.#in.read(bytes, at, end);
    this.settle();
  }

  onDrain(): void {
    this.#answers = 0;
    this.settle();
  }

  /** The client is gone, or says nothing more; on such a connection it cannot let us send either. */
  onGone(error: SocketError): void {
    if (this.over) return;
    this.over = true;
    this.#abandon(error);
    this.settle();
  }

  // ------------------------------------------------------------------ for the owner

  /** Tells what is due to be told and writes what waits. Never from inside a call of a stream's owner. */
  settle(): void {
    this.#askedLater = false;
    for (let due = this.#due; due.length > 0; due = this.#due) {
      this.#due = [];
      for (const stream of due) this.#tell(stream);
    }
    if (!this.over) this.#sendWaiting();
    this.#flush();
    if (this.#goingAway && this.#streams.size === 0 && !this.over) this.#finish();
    if (!this.over || this.#hasEnded) return;
    this.#hasEnded = true;
    this.socket.end();
  }

  /** Requests that are on their way are still taken; then no more (§6.8). */
  drain(): void {
    if (this.draining || this.over) return;
    this.draining = true;
    this.#goAway(WINDOW_MAX, "NO_ERROR", "");
    this.#out.head(8, FRAME.PING, 0, 0);
    this.#out.writer.copy(DRAIN_PING, 0, 8);
    this.#later();
  }

  /** The client has had time to hear of the drain. */
  stopTaking(): void {
    if (!this.draining || this.#goingAway || this.over) return;
    this.#goingAway = true;
    this.#lastTaken = this.#lastStream;
    this.#goAway(this.#lastStream, "NO_ERROR", "");
    this.#later();
  }

  /** Ends it now. */
  end(error: ErrorName, evidence: string): void {
    if (this.over) return;
    this.over = true;
    this.#goAway(this.#lastStream, error, evidence);
    this.#abandon({ code: error, syscall: "h2" });
    this.settle();
  }

  // ------------------------------------------------------------------ reading frames

  onFrameHead(): void {
    if (this.#in.length > FRAME_BYTES) {
      this.#broken("FRAME_SIZE_ERROR", `a frame of ${this.#in.length} bytes; ${FRAME_BYTES} may be`);
    } else if (!this.#hasSettings && (this.#in.type !== FRAME.SETTINGS || (this.#in.flags & FLAG.ACK) !== 0)) {
      this.#broken("PROTOCOL_ERROR", "the first frame is not SETTINGS");
    } else if (
      this.#block !== null &&
      (this.#in.type !== FRAME.CONTINUATION || this.#in.stream !== this.#blockStream)
    ) {
      this.#broken("PROTOCOL_ERROR", "another frame stands inside a header block");
    } else if (this.#in.type === FRAME.DATA) this.#beginData();
    else if (this.#in.type > FRAME.CONTINUATION && this.#in.type !== FRAME.PRIORITY_UPDATE) this.#beginUnknown();
    else this.#in.collect();
  }

  onBadFrame(error: ErrorName, evidence: string): void {
    this.#broken(error, evidence);
  }

  /** A type that nobody here knows is ignored (§4.1). */
  #beginUnknown(): void {
    if (this.#idleFrame("an unknown frame")) this.#in.skip();
  }

  onFrame(bytes: Buffer, start: number, end: number): void {
    switch (this.#in.type) {
      case FRAME.HEADERS:
        this.#onHeaders(bytes, start, end);
        return;
      case FRAME.CONTINUATION:
        this.#onContinuation(bytes, start, end);
        return;
      case FRAME.PRIORITY:
        this.#onPriority(bytes, start);
        return;
      case FRAME.RST_STREAM:
        this.#onReset(bytes, start);
        return;
      case FRAME.SETTINGS:
        this.#onSettings(bytes, start, end);
        return;
      case FRAME.PUSH_PROMISE:
        this.#broken("PROTOCOL_ERROR", "a client cannot push");
        return;
      case FRAME.PING:
        this.#onPing(bytes, start);
        return;
      case FRAME.GOAWAY:
        if (this.#in.stream !== 0) this.#broken("PROTOCOL_ERROR", "GOAWAY on a stream");
        else if (this.#in.length < 8) this.#broken("FRAME_SIZE_ERROR", "GOAWAY is too short");
        else this.#idleFrame("GOAWAY");
        return;
      case FRAME.PRIORITY_UPDATE:
        this.#onPriorityUpdate(bytes, start, end);
        return;
      default:
        this.#onWindowUpdate(bytes, start);
    }
  }

  // ------------------------------------------------------------------ content of requests

  #beginData(): void {
    const stream = this.#streams.get(this.#in.stream) ?? null;
    if (stream === null && this.#isIdle(this.#in.stream)) {
      this.#broken("PROTOCOL_ERROR", "DATA on a stream that was not opened");
      return;
    }
    // The whole frame counts, padding and all, also on a stream that is no more (§6.9).
    if (this.#in.length > this.#receiveWindow) {
      this.#broken("FLOW_CONTROL_ERROR", "more content than the connection's window lets through");
      return;
    }
    this.#receiveWindow -= this.#in.length;
    if (stream === null || stream.remoteEnded) {
      if (!this.#onLateFrame(stream)) return;
      this.#consumed(null, this.#in.length);
      this.#in.skip();
      return;
    }
    if (this.#in.length > stream.receiveWindow) {
      this.#consumed(null, this.#in.length);
      this.#in.skip();
      this.#streamError(stream, "FLOW_CONTROL_ERROR");
      return;
    }
    stream.receiveWindow -= this.#in.length;
    if (this.#in.length === 0 && (this.#in.flags & FLAG.END_STREAM) === 0 && !this.#idleFrame("DATA without content"))
      return;
    if (this.#in.length > 0) this.#idleFrames.giveBack(1);
    this.#in.content();
  }

  /** Nobody has opened it (§5.1): it is behind the last one, or one of ours, of which there are none. */
  #isIdle(id: number): boolean {
    return id > this.#lastStream || (id & 1) === 0;
  }

  /** What comes to a stream that has ended is a fault, unless it was ours to end it and the client cannot know yet. */
  #onLateFrame(stream: StreamPort | null): boolean {
    if (this.#resetStreams.includes(this.#in.stream) || this.#in.stream > this.#lastTaken) return true;
    if (stream === null) {
      this.#broken("STREAM_CLOSED", "a frame came to a stream that has ended");
      return false;
    }
    this.#streamError(stream, "STREAM_CLOSED");
    return true;
  }

  onPadding(count: number): void {
    this.#consumed(this.#streams.get(this.#in.stream) ?? null, count);
  }

  onContent(bytes: Buffer, start: number, end: number, isLast: boolean): void {
    const stream = this.#streams.get(this.#in.stream) ?? null;
    const count = end - start;
    if (count === 0) return;
    if (stream === null || stream.closed) {
      this.#consumed(null, count);
      return;
    }
    if (stream.lengthLeft !== -1) {
      stream.lengthLeft -= count;
      if (stream.lengthLeft < 0) {
        stream.lengthLeft = 0;
        this.#consumed(null, count);
        this.#malformed(stream, "h2-length-differs");
        return;
      }
    }
    if (stream.holds) {
      const ends = (this.#in.flags & FLAG.END_STREAM) !== 0;
      const more = stream.lengthLeft !== -1 ? stream.lengthLeft : ends ? this.#in.contentLeft : Infinity;
      stream.hold(bytes, start, end, more);
      return;
    }
    if (isLast) this.#deliver(stream, bytes, start, end);
    else {
      // Its reader may write behind it, where the next frame is, and may keep a buffer that is not the shared one.
      const copy = roomyCopy(bytes, start, end);
      this.#deliver(stream, copy, HEAD_ROOM, HEAD_ROOM + count);
    }
    this.#consumed(stream, count);
  }

  /** Gives content to its reader where it lies, with the framing of a chunk in the room around it. */
  #deliver(stream: StreamPort, bytes: Buffer, start: number, end: number): void {
    let from = start;
    let to = end;
    if (stream.chunked) {
      bytes[from - 1] = 10;
      bytes[from - 2] = 13;
      from -= CRLF_BYTES;
      for (let size = end - start; size > 0; size >>>= 4) {
        from -= 1;
        bytes[from] = HEX_DIGITS.charCodeAt(size & 15);
      }
      bytes[end] = 13;
      bytes[end + 1] = 10;
      to += CRLF_BYTES;
    }
    this.#hear(stream, bytes, from, to);
  }

  onContentEnd(): void {
    if (this.over) return;
    const stream = this.#streams.get(this.#in.stream) ?? null;
    if (stream !== null) this.#endOfRequest(stream, LAST_CHUNK, HEAD_ROOM, LAST_CHUNK.length - TAIL_ROOM);
  }

  /** `[start, end)`: what ends content in chunks, with room around. */
  #endOfRequest(stream: StreamPort, bytes: Buffer, start: number, end: number): void {
    stream.remoteEnded = true;
    if (stream.lengthLeft > 0) {
      this.#malformed(stream, "h2-length-differs");
      return;
    }
    if (stream.closed) return;
    if (stream.chunked) {
      if (stream.holds) stream.holdEnding(roomyCopy(bytes, start, end));
      else this.#hear(stream, bytes, start, end);
    } else if (stream.isTunnel) {
      if (stream.holds) stream.holdEnding(EMPTY);
      else this.#guard(stream, () => stream.listener.onFin());
    }
    if (stream.localEnded) this.#close(stream);
  }

  /** Bytes that nobody holds any more: the client may send as many again, when it is worth a frame. */
  #consumed(stream: StreamPort | null, count: number): void {
    this.#unacknowledged += count;
    if (this.#unacknowledged * 2 >= this.#windowMax) {
      this.#out.number(FRAME.WINDOW_UPDATE, 0, this.#unacknowledged);
      this.#receiveWindow += this.#unacknowledged;
      this.#unacknowledged = 0;
      this.#later();
    }
    if (stream === null || stream.remoteEnded || stream.closed) return;
    stream.unacknowledged += count;
    if (stream.unacknowledged * 2 < this.#limits.windowBytes) return;
    this.#out.number(FRAME.WINDOW_UPDATE, stream.id, stream.unacknowledged);
    stream.receiveWindow += stream.unacknowledged;
    stream.unacknowledged = 0;
    this.#later();
  }

  // ------------------------------------------------------------------ heads

  #onHeaders(bytes: Buffer, start: number, end: number): void {
    if (this.#in.stream === 0 || (this.#in.stream & 1) === 0) {
      this.#broken("PROTOCOL_ERROR", "HEADERS on a stream that no client can open");
      return;
    }
    let from = start;
    let padding = 0;
    if ((this.#in.flags & FLAG.PADDED) !== 0) {
      padding = bytes[from] ?? 0;
      from += 1;
    }
    const isPrioritised = (this.#in.flags & FLAG.PRIORITY) !== 0;
    const blockAt = from + (isPrioritised ? 5 : 0);
    if (blockAt > end) {
      this.#broken("FRAME_SIZE_ERROR", "HEADERS has no room for what it announces");
      return;
    }
    if (blockAt + padding > end) {
      this.#broken("PROTOCOL_ERROR", "the padding is longer than its frame");
      return;
    }
    if (isPrioritised) {
      if ((wordAt(bytes, from) & WINDOW_MAX) === this.#in.stream) {
        this.#broken("PROTOCOL_ERROR", "a stream depends on itself");
        return;
      }
      from += 5;
    }
    if ((this.#in.flags & FLAG.END_HEADERS) !== 0) {
      this.#onBlock(this.#in.stream, this.#in.flags, bytes, from, end - padding);
      return;
    }
    this.#block = [Buffer.from(bytes.subarray(from, end - padding))];
    this.#blockBytes = end - padding - from;
    this.#blockStream = this.#in.stream;
    this.#blockFlags = this.#in.flags;
  }

  #onContinuation(bytes: Buffer, start: number, end: number): void {
    const block = this.#block;
    if (block === null) {
      this.#broken("PROTOCOL_ERROR", "CONTINUATION without a header block");
      return;
    }
    this.#blockBytes += end - start;
    block.push(Buffer.from(bytes.subarray(start, end)));
    // What is larger than a head may be, compressed, is never going to be one.
    if (this.#blockBytes > this.#limits.heads.headBytes || block.length > BLOCK_FRAMES_MAX) {
      this.#tooMuch(
        `a header block of ${this.#blockBytes} bytes in ${block.length} frames has not come to its end (heads.head)`,
      );
      return;
    }
    if ((this.#in.flags & FLAG.END_HEADERS) === 0) return;
    const whole = Buffer.concat(block);
    this.#block = null;
    this.#onBlock(this.#blockStream, this.#blockFlags, whole, 0, whole.length);
  }

  #onBlock(id: number, flags: number, bytes: Buffer, start: number, end: number): void {
    const ends = (flags & FLAG.END_STREAM) !== 0;
    if (id > this.#lastStream) {
      this.#onRequest(id, ends, bytes, start, end);
      return;
    }
    const stream = this.#streams.get(id) ?? null;
    if (stream === null || stream.remoteEnded) {
      this.#decode(bytes, start, end, IGNORE);
      if (!this.over) this.#onLateFrame(stream);
      return;
    }
    requestTrailers.begin(this.#limits.heads.trailerBytes);
    if (!this.#decode(bytes, start, end, requestTrailers)) return;
    // §8.5: a tunnel carries bytes and nothing else.
    if (stream.isTunnel) {
      this.#streamError(stream, "PROTOCOL_ERROR");
      return;
    }
    requestTrailers.finish();
    // §8.1: a second head in the middle of a request is no trailer section.
    if (!ends) this.#malformed(stream, "h2-pseudo-late");
    else if (requestTrailers.refusal !== null) this.#malformed(stream, requestTrailers.refusal);
    else this.#endOfRequest(stream, requestTrailers.bytes, requestTrailers.start, requestTrailers.end);
  }

  #decode(bytes: Buffer, start: number, end: number, sink: { onField(field: HeaderField): void }): boolean {
    if (this.#decoder.decode(bytes, start, end, sink)) return true;
    this.#broken("COMPRESSION_ERROR", "a header block cannot be decoded");
    return false;
  }

  #onRequest(id: number, ends: boolean, bytes: Buffer, start: number, end: number): void {
    this.#lastStream = id;
    requestHead.begin(this.#limits.heads);
    if (!this.#decode(bytes, start, end, requestHead)) return;
    // Behind our GOAWAY: the client knows that nothing was done for it.
    if (id > this.#lastTaken) return;
    this.#idleFrames.giveBack(1);
    let websocketKey = "";
    const refusal = requestHead.finish(ends, () => (websocketKey = this.#host.websocketKey()));
    const stream = new StreamPort(this, id, this.#initialWindow, this.#limits.windowBytes);
    const isSurplus = this.#streams.size >= this.#limits.streamsMax;
    this.#streams.set(id, stream);
    this.streamsTaken += 1;
    stream.remoteEnded = ends;
    stream.listener = this.#host.onStream(stream);
    if (isSurplus) {
      stream.expect("GET", "");
      stream.verdict = "REFUSED_STREAM";
      this.#charge();
      const evidence = `${this.#limits.streamsMax} requests are open on this connection (http2.streams)`;
      this.#guard(stream, () => this.#host.onSurplus(stream, evidence));
      return;
    }
    if (refusal !== null) {
      stream.expect("GET", "");
      this.#malformed(stream, refusal);
      return;
    }
    stream.expect(requestHead.method, websocketKey);
    stream.chunked = requestHead.chunked;
    if (requestHead.priority !== "") stream.priority = parsePriority(requestHead.priority);
    if (id === this.#foretoldStream) stream.priority = this.#foretold;
    if (!ends && requestHead.contentLength !== -1) stream.lengthLeft = requestHead.contentLength;
    this.#hear(stream, requestHead.bytes, requestHead.start, requestHead.end);
  }

  /** §8.1.1: the gateway says what is wrong, where it still can, and the stream ends by RST_STREAM. */
  #malformed(stream: StreamPort, id: RefusalId): void {
    stream.verdict = "PROTOCOL_ERROR";
    this.#charge();
    if (this.over) return;
    if (stream.localEnded || stream.endQueued) this.reset(stream, "PROTOCOL_ERROR");
    else this.#guard(stream, () => this.#host.onMalformed(stream, id));
  }

  // ------------------------------------------------------------------ frames that are no request

  #onPriority(bytes: Buffer, start: number): void {
    if (this.#in.stream === 0) this.#broken("PROTOCOL_ERROR", "PRIORITY without a stream");
    else if (this.#in.length !== 5) {
      const stream = this.#streams.get(this.#in.stream) ?? null;
      if (stream === null) this.#broken("FRAME_SIZE_ERROR", "PRIORITY of another length than 5");
      else this.#streamError(stream, "FRAME_SIZE_ERROR");
    } else if ((wordAt(bytes, start) & WINDOW_MAX) === this.#in.stream) {
      this.#broken("PROTOCOL_ERROR", "a stream depends on itself");
    } else this.#idleFrame("PRIORITY");
  }

  /** RFC 9218 §7.1. What cannot be read says nothing; of requests that have not come the last one told of is remembered. */
  #onPriorityUpdate(bytes: Buffer, start: number, end: number): void {
    if (this.#in.stream !== 0) {
      this.#broken("PROTOCOL_ERROR", "PRIORITY_UPDATE on a stream");
      return;
    }
    if (this.#in.length < 4) {
      this.#broken("FRAME_SIZE_ERROR", "PRIORITY_UPDATE is too short");
      return;
    }
    const id = wordAt(bytes, start) & WINDOW_MAX;
    if ((id & 1) === 0) {
      this.#broken("PROTOCOL_ERROR", "PRIORITY_UPDATE for a stream that no client can open");
      return;
    }
    const priority = parsePriority(bytes.latin1Slice(start + 4, end));
    if (!this.#idleFrame("PRIORITY_UPDATE") || priority === null) return;
    const stream = this.#streams.get(id);
    if (stream !== undefined) stream.priority = priority;
    else if (id > this.#lastStream) {
      this.#foretoldStream = id;
      this.#foretold = priority;
    }
  }

  #onReset(bytes: Buffer, start: number): void {
    if (this.#in.length !== 4) {
      this.#broken("FRAME_SIZE_ERROR", "RST_STREAM of another length than 4");
      return;
    }
    if (this.#isIdle(this.#in.stream)) {
      this.#broken("PROTOCOL_ERROR", "RST_STREAM on a stream that was not opened");
      return;
    }
    const stream = this.#streams.get(this.#in.stream) ?? null;
    if (stream === null) {
      this.#idleFrame("RST_STREAM on a stream that has ended");
      return;
    }
    const error = { code: errorName(wordAt(bytes, start)), syscall: "h2" };
    const isAnswered = stream.localEnded;
    this.#drop(stream);
    this.#guard(stream, () => stream.listener.onError(error));
    if (!isAnswered) this.#charge();
  }

  #onSettings(bytes: Buffer, start: number, end: number): void {
    if (this.#in.stream !== 0) this.#broken("PROTOCOL_ERROR", "SETTINGS on a stream");
    else if ((this.#in.flags & FLAG.ACK) !== 0) {
      if (this.#in.length !== 0) this.#broken("FRAME_SIZE_ERROR", "SETTINGS that agrees and says something");
      else this.#idleFrame("SETTINGS");
    } else if (this.#in.length % 6 !== 0) this.#broken("FRAME_SIZE_ERROR", "SETTINGS that is cut");
    else if (!this.#hasSettings || this.#idleFrame("SETTINGS")) {
      this.#hasSettings = true;
      for (let at = start; at < end && !this.over; at += 6) {
        this.#onSetting(((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0), wordAt(bytes, at + 2));
      }
      if (!this.over) this.#answer(FRAME.SETTINGS, EMPTY, 0, 0);
    }
  }

  #onSetting(id: number, value: number): void {
    switch (id) {
      case SETTING.HEADER_TABLE_SIZE:
        this.#encoder.resize(value);
        return;
      case SETTING.ENABLE_PUSH:
      case SETTING.ENABLE_CONNECT_PROTOCOL:
      case SETTING.NO_RFC7540_PRIORITIES:
        if (value > 1) this.#broken("PROTOCOL_ERROR", `setting ${id} is ${value}`);
        return;
      case SETTING.INITIAL_WINDOW_SIZE:
        if (value > WINDOW_MAX) this.#broken("FLOW_CONTROL_ERROR", `a window of ${value} bytes`);
        else this.#resizeWindows(value);
        return;
      case SETTING.MAX_FRAME_SIZE:
        if (value < FRAME_BYTES || value > 0xff_ffff) this.#broken("PROTOCOL_ERROR", `frames of ${value} bytes`);
        // Larger ones would only make other streams wait longer for their turn.
        return;
      default:
    }
  }

  /** §6.9.2: what is open now has as much more, or less, than it had. It may be less than nothing then. */
  #resizeWindows(size: number): void {
    const change = size - this.#initialWindow;
    this.#initialWindow = size;
    for (const stream of this.#streams.values()) {
      stream.sendWindow += change;
      if (stream.sendWindow > WINDOW_MAX) {
        this.#broken("FLOW_CONTROL_ERROR", "a window grew beyond 2^31 - 1 bytes");
        return;
      }
    }
  }

  #onPing(bytes: Buffer, start: number): void {
    if (this.#in.stream !== 0) this.#broken("PROTOCOL_ERROR", "PING on a stream");
    else if (this.#in.length !== 8) this.#broken("FRAME_SIZE_ERROR", "PING of another length than 8");
    else if ((this.#in.flags & FLAG.ACK) !== 0) {
      if (DRAIN_PING.compare(bytes, start, start + 8) === 0) this.stopTaking();
      else this.#idleFrame("PING");
    } else if (this.#idleFrame("PING")) this.#answer(FRAME.PING, bytes, start, start + 8);
  }

  /** Agrees. A client that asks on and never reads is not worth the memory. */
  #answer(type: number, bytes: Buffer, start: number, end: number): void {
    this.#out.head(end - start, type, FLAG.ACK, 0);
    this.#out.writer.copy(bytes, start, end);
    if (!this.socket.writing) return;
    this.#answers += 1;
    if (this.#answers > ANSWERS_MAX) this.#tooMuch(`${this.#answers} answers to PING and SETTINGS were not read`);
  }

  #onWindowUpdate(bytes: Buffer, start: number): void {
    if (this.#in.length !== 4) {
      this.#broken("FRAME_SIZE_ERROR", "WINDOW_UPDATE of another length than 4");
      return;
    }
    const more = wordAt(bytes, start) & WINDOW_MAX;
    if (this.#in.stream === 0) {
      if (more === 0) this.#broken("PROTOCOL_ERROR", "WINDOW_UPDATE by nothing");
      else if (this.#sendWindow + more > WINDOW_MAX) {
        this.#broken("FLOW_CONTROL_ERROR", "a window grew beyond 2^31 - 1 bytes");
      } else {
        // With nothing to send it is one of those that ask for nothing.
        const isOfUse = this.#order.any && more >= CRUMB_BYTES;
        if (!isOfUse && !this.#idleFrame("WINDOW_UPDATE")) return;
        this.#sendWindow += more;
      }
      return;
    }
    if (this.#isIdle(this.#in.stream)) {
      this.#broken("PROTOCOL_ERROR", "WINDOW_UPDATE on a stream that was not opened");
      return;
    }
    const stream = this.#streams.get(this.#in.stream) ?? null;
    if (stream === null) this.#idleFrame("WINDOW_UPDATE on a stream that has ended");
    else if (more === 0) this.#streamError(stream, "PROTOCOL_ERROR");
    else if (stream.sendWindow + more > WINDOW_MAX) this.#streamError(stream, "FLOW_CONTROL_ERROR");
    else if ((stream.queuedBytes > 0 && more >= CRUMB_BYTES) || this.#idleFrame("WINDOW_UPDATE")) {
      stream.sendWindow += more;
    }
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
    this.#later();
  }

  sendData(stream: StreamPort, bytes: Buffer, start: number, end: number): void {
    let at = start;
    if (stream.queuedBytes === 0) {
      while (at < end && !this.socket.writing) {
        const count = Math.min(end - at, stream.sendWindow, this.#sendWindow, FRAME_BYTES);
        if (count <= 0) break;
        this.#frameOf(stream, bytes, at, at + count);
        at += count;
      }
    }
    this.#later();
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
    this.#later();
    stream.localEnded = true;
    if (stream.verdict !== null) this.reset(stream, stream.verdict);
    else if (stream.remoteEnded) this.#close(stream);
  }

  reset(stream: StreamPort, error: ErrorName): void {
    if (stream.closed) return;
    this.#drop(stream);
    this.#resetStreams.push(stream.id);
    if (this.#resetStreams.length > REMEMBERED) this.#resetStreams.shift();
    if (this.over) return;
    this.#out.number(FRAME.RST_STREAM, stream.id, errorCode(stream.verdict ?? error));
    this.#later();
  }

  settleLater(stream: StreamPort): void {
    this.#due.push(stream);
    this.#later();
  }

  onFault(error: unknown): void {
    this.#host.onDefect(error);
  }

  #frameOf(stream: StreamPort, bytes: Buffer, start: number, end: number): void {
    const count = end - start;
    stream.sendWindow -= count;
    this.#sendWindow -= count;
    stream.endMark = this.#out.mark();
    // Each frame may be answered by changes of both windows, and some clients change them in small steps.
    if (count >= CRUMB_BYTES) this.#idleFrames.giveBack(4);
    this.#out.head(count, FRAME.DATA, 0, stream.id);
    this.#out.writer.copy(bytes, start, end);
    if (this.#out.length >= OUT_BYTES) this.#flush();
  }

  #list(stream: StreamPort): void {
    if (stream.isListed) return;
    stream.isListed = true;
    this.#order.add(stream);
  }

  /** What waits, frame by frame, as far as windows and kernel let it. */
  #sendWaiting(): void {
    while (this.#order.any && this.#sendWindow > 0 && !this.socket.writing) {
      const stream = this.#order.take();
      if (stream === null) return;
      stream.isListed = false;
      const first = stream.queue[0];
      if (first === undefined) continue;
      const room = Math.min(stream.sendWindow, this.#sendWindow, FRAME_BYTES);
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

  #emptied(stream: StreamPort): void {
    if (stream.endQueued) {
      stream.endQueued = false;
      this.sendEnd(stream);
    }
    if (stream.owesDrain && !stream.closed) this.settleLater(stream);
  }

  #flush(): void {
    const { length } = this.#out;
    // Behind what waits it would wait too, in a buffer of its own for each few bytes.
    if (length === 0 || (this.socket.writing && length < OUT_BYTES && !this.over)) return;
    this.#out.leave((bytes) => this.socket.write(bytes));
  }

  // ------------------------------------------------------------------ ends

  /** Both have said all. */
  #close(stream: StreamPort): void {
    if (stream.verdict !== null) this.reset(stream, stream.verdict);
    else this.#drop(stream);
  }

  /** It is no more; its owner hears of that later. */
  #drop(stream: StreamPort): void {
    if (stream.closed) return;
    stream.closed = true;
    this.#streams.delete(stream.id);
    stream.queue.length = 0;
    stream.queuedBytes = 0;
    this.#consumed(null, stream.heldBytes);
    this.settleLater(stream);
  }

  /** Tells a stream's owner what has become due. */
  #tell(stream: StreamPort): void {
    if (stream.closed) {
      if (stream.isTold) return;
      stream.isTold = true;
      this.#guard(stream, () => stream.listener.onClose());
      return;
    }
    if (stream.owesDrain && stream.queuedBytes === 0) {
      stream.owesDrain = false;
      this.#guard(stream, () => stream.listener.onDrain());
    }
    if (!stream.owesResume || stream.paused || stream.closed) return;
    stream.owesResume = false;
    const count = stream.release((bytes, start, end) => this.#deliver(stream, bytes, start, end));
    this.#consumed(stream, count);
    const ending = stream.takeEnding();
    if (ending === null || stream.closed) return;
    if (stream.isTunnel) this.#guard(stream, () => stream.listener.onFin());
    else this.#hear(stream, ending, HEAD_ROOM, ending.length - TAIL_ROOM);
  }

  #streamError(stream: StreamPort, error: ErrorName): void {
    this.reset(stream, error);
    this.#guard(stream, () => stream.listener.onError({ code: error, syscall: "h2" }));
    this.#charge();
  }

  /** One more request that ended by a reset, whoever sent it: both cost us the same (CVE-2023-44487, CVE-2025-8671). */
  #charge(): void {
    if (this.over || this.#resets.take(this.#now)) return;
    this.#tooMuch(`more than ${this.#limits.resetsPerMinute} requests were reset within a minute (http2.resets)`);
  }

  /** False: it was one too many, and the connection is over. */
  #idleFrame(what: string): boolean {
    if (this.#idleFrames.take(this.#now)) return true;
    this.#tooMuch(
      `more than ${this.#limits.idleFramesPerMinute} frames that ask for nothing within a minute, the last was ${what} (http2.idleFrames)`,
    );
    return false;
  }

  #tooMuch(evidence: string): void {
    this.#fault({ error: "ENHANCE_YOUR_CALM", evidence, isAbuse: true });
  }

  /** The connection is of no use any more (§5.4.1). */
  #broken(error: ErrorName, evidence: string): void {
    this.#fault({ error, evidence, isAbuse: false });
  }

  #fault(fault: SessionFault): void {
    if (this.over) return;
    this.over = true;
    this.#goAway(this.#lastStream, fault.error, fault.evidence);
    this.#abandon({ code: fault.error, syscall: "h2" });
    this.#later();
    this.#host.onBroken(fault);
  }

  /** Nothing is open any more. */
  #finish(): void {
    this.over = true;
    this.#flush();
    this.#host.onDone();
  }

  #goAway(last: number, error: ErrorName, evidence: string): void {
    this.#out.head(8 + evidence.length, FRAME.GOAWAY, 0, 0);
    this.#out.word(last);
    this.#out.word(errorCode(error));
    this.#out.writer.ascii(evidence);
  }

  #abandon(error: SocketError): void {
    for (const stream of this.#streams.values()) {
      this.#drop(stream);
      this.#guard(stream, () => stream.listener.onError(error));
    }
  }

  #later(): void {
    if (this.#askedLater) return;
    this.#askedLater = true;
    this.#host.later();
  }

  #hear(stream: StreamPort, bytes: Buffer, start: number, end: number): void {
    try {
      stream.listener.onData(bytes, start, end);
    } catch (error) {
      stream.listener.onFault(error);
    }
  }

  #guard(stream: StreamPort, call: () => void): void {
    try {
      call();
    } catch (error) {
      stream.listener.onFault(error);
    }
  }
}

const EMPTY = Buffer.alloc(0);
const HEX_DIGITS = "0123456789abcdef";

function roomy(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return roomyCopy(bytes, 0, bytes.length);
}

function roomyCopy(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.alloc(HEAD_ROOM + end - start + TAIL_ROOM);
  bytes.copy(copy, HEAD_ROOM, start, end);
  return copy;
}
