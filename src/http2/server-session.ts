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
import type { RefusalId } from "../http1/refusals.ts";
import type { Carrier, SocketError, SocketListener, SocketPort } from "../kernel/socket.ts";
import { ClientFrames, wordAt } from "./client-frames.ts";
import type { ClientFrameSink } from "./client-frames.ts";
import { blockEnd, blockStart, breachOf, breachOfHeaders, OVERFLOW, PRIORITY_BYTES } from "./frame-rules.ts";
import type { Breach } from "./frame-rules.ts";
import { FrameWriter } from "./frame-writer.ts";
import { errorCode, errorName, FLAG, FRAME, FRAME_BYTES, SETTING, WINDOW_MAX } from "./frames.ts";
import type { ErrorName } from "./frames.ts";
import type { HeaderField } from "./header-field.ts";
import { HeaderPieces } from "./header-pieces.ts";
import { HpackDecoder } from "./hpack-decoder.ts";
import { OpenStreams } from "./open-streams.ts";
import { parsePriority } from "./priority.ts";
import type { Priority } from "./priority.ts";
import { ReceiveWindow } from "./receive-window.ts";
import {
  deliver,
  deliverCopy,
  deliverEnd,
  deliverEnding,
  deliverHeld,
  deliverHeldEnding,
  guard,
  hear,
} from "./request-content.ts";
import { RequestHead } from "./request-head.ts";
import { RequestTrailers } from "./request-trailers.ts";
import { ResponseSender } from "./response-sender.ts";
import type { SenderHost } from "./response-sender.ts";
import { Allowance, CRUMB_BYTES } from "./session-limits.ts";
import type { SessionLimits } from "./session-limits.ts";
import { StreamPort } from "./stream-port.ts";

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

/** Answers to pings and settings that wait for a client which does not read. */
const ANSWERS_MAX = 1000;
/** Frames of one header block: a browser's fits into one. */
const BLOCK_FRAMES_MAX = 16;

/** Heads and trailers are translated one at a time, and their readers are done with them when they return. */
const requestHead = new RequestHead();
const requestTrailers = new RequestTrailers();
const IGNORE = { onField: (_field: HeaderField): void => undefined };
const DRAIN_PING = Buffer.from("goodgate", "latin1");

export class ServerSession implements SenderHost, ClientFrameSink {
  readonly socket: SocketPort;
  /** Requests that were taken. */
  streamsTaken = 0;
  /** GOAWAY has been sent or will be: no request is taken any more, or soon none. */
  draining = false;
  over = false;
  readonly #limits: SessionLimits;
  readonly #host: SessionHost;
  readonly #streams = new OpenStreams();
  readonly #out = new FrameWriter();
  readonly #decoder = new HpackDecoder();
  readonly #sender: ResponseSender;
  readonly #window: ReceiveWindow;
  readonly #resets: Allowance;
  readonly #idleFrames: Allowance;
  readonly #now: () => number;

  readonly #in = new ClientFrames(this);
  readonly #pieces = new HeaderPieces();
  #hasSettings = false;
  #answers = 0;
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
    this.#limits = limits;
    this.#host = host;
    this.#now = () => host.now();
    this.#resets = new Allowance(limits.resetsPerMinute, host.now());
    this.#idleFrames = new Allowance(limits.idleFramesPerMinute, host.now());
    this.#sender = new ResponseSender(socket, this.#out, this.#idleFrames, this);
    this.#window = new ReceiveWindow(this.#out, limits.windowBytes);
  }

  /** Says our preface (§3.4). `prefaceSeen`: bytes of the client's that have been read elsewhere. */
  begin(prefaceSeen: number): void {
    this.#in.prefaceSeen = prefaceSeen;
    this.#out.settings([
      [SETTING.MAX_CONCURRENT_STREAMS, this.#limits.streamsMax],
      [SETTING.INITIAL_WINDOW_SIZE, this.#limits.windowBytes],
      [SETTING.MAX_HEADER_LIST_SIZE, this.#limits.heads.headBytes],
      [SETTING.ENABLE_CONNECT_PROTOCOL, 1],
      [SETTING.NO_RFC7540_PRIORITIES, 1],
    ]);
    this.#window.announce();
  }

  get carrier(): Carrier {
    return this.#sender.carrier;
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  /** Something has begun that has to be whole soon: the preface, a header block, a frame of one. */
  get midHead(): boolean {
    return !this.#hasSettings || this.#pieces.isOpen || (this.#in.collecting && this.#in.type === FRAME.HEADERS);
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
    if (!this.over) this.#sender.sendWaiting();
    this.#sender.flush(this.over);
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
    this.later();
  }

  /** The client has had time to hear of the drain. */
  stopTaking(): void {
    if (!this.draining || this.#goingAway || this.over) return;
    this.#goingAway = true;
    this.#streams.lastTaken = this.#streams.last;
    this.#goAway(this.#streams.last, "NO_ERROR", "");
    this.later();
  }

  /** Ends it now. */
  end(error: ErrorName, evidence: string): void {
    if (this.over) return;
    this.over = true;
    this.#goAway(this.#streams.last, error, evidence);
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
      this.#pieces.isOpen &&
      (this.#in.type !== FRAME.CONTINUATION || this.#in.stream !== this.#pieces.stream)
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
    const { type, flags, stream, length } = this.#in;
    // The most frequent one first: what it has to be like is more than its head tells.
    if (type === FRAME.HEADERS) {
      this.#onHeaders(bytes, start, end);
      return;
    }
    const breach = breachOf(type, flags, stream, length);
    if (breach !== null) {
      this.#breaks(breach);
      return;
    }
    switch (type) {
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
        this.#idleFrame("GOAWAY");
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
    const stream = this.#streams.get(this.#in.stream);
    if (stream === null && this.#streams.isIdle(this.#in.stream)) {
      this.#broken("PROTOCOL_ERROR", "DATA on a stream that was not opened");
      return;
    }
    // The whole frame counts, padding and all, also on a stream that is no more (§6.9).
    if (!this.#window.take(this.#in.length)) {
      this.#broken("FLOW_CONTROL_ERROR", "more content than the connection's window lets through");
      return;
    }
    if (stream === null || stream.remoteEnded) {
      if (!this.#onLateFrame(stream)) return;
      if (this.#in.length === 0 && !this.#idleFrame("DATA on a stream that has ended")) return;
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

  /** What comes to a stream that has ended is a fault, unless it was ours to end it and the client cannot know yet. */
  #onLateFrame(stream: StreamPort | null): boolean {
    if (this.#streams.isForgiven(this.#in.stream)) return true;
    if (stream === null) {
      this.#broken("STREAM_CLOSED", "a frame came to a stream that has ended");
      return false;
    }
    this.#streamError(stream, "STREAM_CLOSED");
    return true;
  }

  onPadding(count: number): void {
    this.#consumed(this.#streams.get(this.#in.stream), count);
  }

  onContent(bytes: Buffer, start: number, end: number, isLast: boolean): void {
    const stream = this.#streams.get(this.#in.stream);
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
    if (isLast) deliver(stream, bytes, start, end);
    else deliverCopy(stream, bytes, start, end);
    this.#consumed(stream, count);
  }

  onContentEnd(): void {
    if (this.over) return;
    const stream = this.#streams.get(this.#in.stream);
    if (stream === null || !this.#isWhole(stream)) return;
    deliverEnd(stream);
    if (stream.localEnded) this.#close(stream);
  }

  /** The client has said all. False: that is less than it announced, or nobody wants it any more. */
  #isWhole(stream: StreamPort): boolean {
    stream.remoteEnded = true;
    if (stream.lengthLeft <= 0) return !stream.closed;
    this.#malformed(stream, "h2-length-differs");
    return false;
  }

  /** Bytes that nobody holds any more: the client may send as many again, when it is worth a frame. */
  #consumed(stream: StreamPort | null, count: number): void {
    if (this.#window.consumed(stream, count)) this.later();
  }

  // ------------------------------------------------------------------ heads

  #onHeaders(bytes: Buffer, start: number, end: number): void {
    const { stream, flags } = this.#in;
    if ((stream & 1) === 0) {
      this.#broken("PROTOCOL_ERROR", "HEADERS on a stream that no client can open");
      return;
    }
    const breach = breachOfHeaders(flags, bytes, start, end);
    if (breach !== null) {
      this.#breaks(breach);
      return;
    }
    const from = blockStart(flags, start);
    if ((flags & FLAG.PRIORITY) !== 0 && this.#dependsOnItself(bytes, from - PRIORITY_BYTES)) return;
    const to = blockEnd(flags, bytes, start, end);
    if ((flags & FLAG.END_HEADERS) !== 0) this.#onBlock(stream, flags, bytes, from, to);
    else this.#pieces.begin(stream, flags, bytes, from, to);
  }

  #onContinuation(bytes: Buffer, start: number, end: number): void {
    const pieces = this.#pieces;
    if (!pieces.isOpen) {
      this.#broken("PROTOCOL_ERROR", "CONTINUATION without a header block");
      return;
    }
    pieces.add(bytes, start, end);
    // What is larger than a head may be, compressed, is never going to be one.
    if (pieces.bytes > this.#limits.heads.headBytes || pieces.frames > BLOCK_FRAMES_MAX) {
      this.#tooMuch(
        `a header block of ${pieces.bytes} bytes in ${pieces.frames} frames has not come to its end (heads.head)`,
      );
      return;
    }
    if ((this.#in.flags & FLAG.END_HEADERS) === 0) return;
    const whole = pieces.take();
    this.#onBlock(pieces.stream, pieces.flags, whole, 0, whole.length);
  }

  #onBlock(id: number, flags: number, bytes: Buffer, start: number, end: number): void {
    const ends = (flags & FLAG.END_STREAM) !== 0;
    if (id > this.#streams.last) {
      this.#onRequest(id, ends, bytes, start, end);
      return;
    }
    const stream = this.#streams.get(id);
    if (stream === null || stream.remoteEnded) {
      this.#decode(bytes, start, end, IGNORE);
      if (!this.over && this.#onLateFrame(stream)) this.#idleFrame("HEADERS on a stream that has ended");
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
    else if (this.#isWhole(stream)) {
      deliverEnding(stream, requestTrailers.bytes, requestTrailers.start, requestTrailers.end);
      if (stream.localEnded) this.#close(stream);
    }
  }

  #decode(bytes: Buffer, start: number, end: number, sink: { onField(field: HeaderField): void }): boolean {
    if (this.#decoder.decode(bytes, start, end, sink)) return true;
    this.#broken("COMPRESSION_ERROR", "a header block cannot be decoded");
    return false;
  }

  #onRequest(id: number, ends: boolean, bytes: Buffer, start: number, end: number): void {
    this.#streams.last = id;
    requestHead.begin(this.#limits.heads);
    if (!this.#decode(bytes, start, end, requestHead)) return;
    // Behind our GOAWAY: the client knows that nothing was done for it.
    if (id > this.#streams.lastTaken) {
      this.#idleFrame("HEADERS behind GOAWAY");
      return;
    }
    this.#idleFrames.giveBack(1);
    let websocketKey = "";
    const refusal = requestHead.finish(ends, () => (websocketKey = this.#host.websocketKey()));
    const stream = new StreamPort(this.#sender, id, this.#sender.streamWindow, this.#limits.windowBytes);
    const isSurplus = this.#streams.size >= this.#limits.streamsMax;
    this.#streams.add(stream);
    this.streamsTaken += 1;
    stream.remoteEnded = ends;
    stream.listener = this.#host.onStream(stream);
    if (isSurplus) {
      stream.expect("GET", "");
      stream.verdict = "REFUSED_STREAM";
      this.#charge();
      const evidence = `${this.#limits.streamsMax} requests are open on this connection (http2.streams)`;
      guard(stream, () => this.#host.onSurplus(stream, evidence));
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
    hear(stream, requestHead.bytes, requestHead.start, requestHead.end);
  }

  /** §8.1.1: the gateway says what is wrong, where it still can, and the stream ends by RST_STREAM. */
  #malformed(stream: StreamPort, id: RefusalId): void {
    stream.verdict = "PROTOCOL_ERROR";
    this.#charge();
    if (this.over) return;
    if (stream.localEnded || stream.endQueued) this.resetStream(stream, "PROTOCOL_ERROR");
    else guard(stream, () => this.#host.onMalformed(stream, id));
  }

  // ------------------------------------------------------------------ frames that are no request

  #onPriority(bytes: Buffer, start: number): void {
    if (this.#in.length !== PRIORITY_BYTES) {
      const stream = this.#streams.get(this.#in.stream);
      if (stream === null) this.#broken("FRAME_SIZE_ERROR", "PRIORITY of another length than 5");
      else this.#streamError(stream, "FRAME_SIZE_ERROR");
    } else if (!this.#dependsOnItself(bytes, start)) this.#idleFrame("PRIORITY");
  }

  /** RFC 7540 §5.3.1: the stream that it says it depends on, at `at`. */
  #dependsOnItself(bytes: Buffer, at: number): boolean {
    if ((wordAt(bytes, at) & WINDOW_MAX) !== this.#in.stream) return false;
    this.#broken("PROTOCOL_ERROR", "a stream depends on itself");
    return true;
  }

  /** RFC 9218 §7.1. What cannot be read says nothing; of requests that have not come the last one told of is remembered. */
  #onPriorityUpdate(bytes: Buffer, start: number, end: number): void {
    const id = wordAt(bytes, start) & WINDOW_MAX;
    if ((id & 1) === 0) {
      this.#broken("PROTOCOL_ERROR", "PRIORITY_UPDATE for a stream that no client can open");
      return;
    }
    const priority = parsePriority(bytes.latin1Slice(start + 4, end));
    if (!this.#idleFrame("PRIORITY_UPDATE") || priority === null) return;
    const stream = this.#streams.get(id);
    if (stream !== null) stream.priority = priority;
    else if (id > this.#streams.last) {
      this.#foretoldStream = id;
      this.#foretold = priority;
    }
  }

  #onReset(bytes: Buffer, start: number): void {
    if (this.#streams.isIdle(this.#in.stream)) {
      this.#broken("PROTOCOL_ERROR", "RST_STREAM on a stream that was not opened");
      return;
    }
    const stream = this.#streams.get(this.#in.stream);
    if (stream === null) {
      this.#idleFrame("RST_STREAM on a stream that has ended");
      return;
    }
    const error = { code: errorName(wordAt(bytes, start)), syscall: "h2" };
    const isAnswered = stream.localEnded;
    this.#drop(stream);
    guard(stream, () => stream.listener.onError(error));
    if (!isAnswered) this.#charge();
  }

  #onSettings(bytes: Buffer, start: number, end: number): void {
    if ((this.#in.flags & FLAG.ACK) !== 0) this.#idleFrame("SETTINGS");
    else if (!this.#hasSettings || this.#idleFrame("SETTINGS")) {
      this.#hasSettings = true;
      for (let at = start; at < end && !this.over; at += 6) {
        const id = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
        const breach = this.#sender.onSetting(id, wordAt(bytes, at + 2), this.#streams.all());
        if (breach !== null) this.#breaks(breach);
      }
      if (!this.over) this.#answer(FRAME.SETTINGS, bytes, end, end);
    }
  }

  #onPing(bytes: Buffer, start: number): void {
    if ((this.#in.flags & FLAG.ACK) !== 0) {
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
    const more = wordAt(bytes, start) & WINDOW_MAX;
    if (this.#in.stream === 0) {
      if (more === 0) this.#broken("PROTOCOL_ERROR", "WINDOW_UPDATE by nothing");
      else if (this.#sender.window + more > WINDOW_MAX) this.#breaks(OVERFLOW);
      // With nothing to send it is one of those that ask for nothing.
      else if ((this.#sender.waits && more >= CRUMB_BYTES) || this.#idleFrame("WINDOW_UPDATE")) {
        this.#sender.window += more;
      }
      return;
    }
    if (this.#streams.isIdle(this.#in.stream)) {
      this.#broken("PROTOCOL_ERROR", "WINDOW_UPDATE on a stream that was not opened");
      return;
    }
    const stream = this.#streams.get(this.#in.stream);
    if (stream === null) this.#idleFrame("WINDOW_UPDATE on a stream that has ended");
    else if (more === 0) this.#streamError(stream, "PROTOCOL_ERROR");
    else if (stream.sendWindow + more > WINDOW_MAX) this.#streamError(stream, "FLOW_CONTROL_ERROR");
    else if ((stream.queuedBytes > 0 && more >= CRUMB_BYTES) || this.#idleFrame("WINDOW_UPDATE")) {
      stream.sendWindow += more;
    }
  }

  // ------------------------------------------------------------------ for what is sent

  later(): void {
    if (this.#askedLater) return;
    this.#askedLater = true;
    this.#host.later();
  }

  onAnswered(stream: StreamPort): void {
    if (stream.verdict !== null) this.resetStream(stream, stream.verdict);
    else if (stream.remoteEnded) this.#close(stream);
  }

  resetStream(stream: StreamPort, error: ErrorName): void {
    if (stream.closed) return;
    this.#drop(stream);
    this.#streams.rememberReset(stream.id);
    if (this.over) return;
    this.#out.number(FRAME.RST_STREAM, stream.id, errorCode(stream.verdict ?? error));
    this.later();
  }

  tellLater(stream: StreamPort): void {
    this.#due.push(stream);
    this.later();
  }

  onFault(error: unknown): void {
    this.#host.onDefect(error);
  }

  // ------------------------------------------------------------------ ends

  /** Both have said all. */
  #close(stream: StreamPort): void {
    if (stream.verdict !== null) this.resetStream(stream, stream.verdict);
    else this.#drop(stream);
  }

  /** It is no more; its owner hears of that later. */
  #drop(stream: StreamPort): void {
    if (stream.closed) return;
    stream.closed = true;
    this.#streams.remove(stream);
    stream.queue.length = 0;
    stream.queuedBytes = 0;
    this.#consumed(null, stream.heldBytes);
    this.tellLater(stream);
  }

  /** Tells a stream's owner what has become due. */
  #tell(stream: StreamPort): void {
    if (stream.closed) {
      if (stream.isTold) return;
      stream.isTold = true;
      guard(stream, () => stream.listener.onClose());
      return;
    }
    if (stream.owesDrain && stream.queuedBytes === 0) {
      stream.owesDrain = false;
      guard(stream, () => stream.listener.onDrain());
    }
    if (!stream.owesResume || stream.paused || stream.closed) return;
    stream.owesResume = false;
    this.#consumed(stream, deliverHeld(stream));
    deliverHeldEnding(stream);
  }

  #streamError(stream: StreamPort, error: ErrorName): void {
    this.resetStream(stream, error);
    guard(stream, () => stream.listener.onError({ code: error, syscall: "h2" }));
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

  #breaks({ error, evidence }: Breach): void {
    this.#broken(error, evidence);
  }

  #fault(fault: SessionFault): void {
    if (this.over) return;
    this.over = true;
    this.#goAway(this.#streams.last, fault.error, fault.evidence);
    this.#abandon({ code: fault.error, syscall: "h2" });
    this.later();
    this.#host.onBroken(fault);
  }

  /** Nothing is open any more. */
  #finish(): void {
    this.over = true;
    this.#sender.flush(true);
    this.#host.onDone();
  }

  /** §6.8: a later one may not name more than an earlier one. */
  #goAway(last: number, error: ErrorName, evidence: string): void {
    this.#out.goAway(Math.min(last, this.#streams.lastTaken), error, evidence);
  }

  #abandon(error: SocketError): void {
    for (const stream of this.#streams.all()) {
      this.#drop(stream);
      guard(stream, () => stream.listener.onError(error));
    }
  }
}
