/**
 * One HTTP/2 connection to an origin, as its client: frames on a socket port, whatever that is made of. It carries many
 * exchanges at once (h2-origin-stream.ts) and says how many more may begin, when it was last heard, and how it ended: by
 * the origin's word (GOAWAY), by its silence, by a breach of the protocol, or by the loss of the socket below.
 *
 * Nothing is asked for before the origin's SETTINGS have come (RFC 9113 §3.4 would allow it). That costs a round trip for
 * each connection, of which there are few. In return it is known how many streams there may be and whether WebSockets go
 * here, and an origin that does not speak HTTP/2 is found out while provably nothing has been sent.
 */
import { FLAG, FRAME, FRAME_BYTES, SETTING, WINDOW_BYTES, WINDOW_MAX } from "../http2/frames.ts";
import { ERROR_NAMES, errorCode } from "../http2/frames.ts";
import type { ErrorName } from "../http2/frames.ts";
import { FrameReader } from "../http2/frame-reader.ts";
import type { FrameSink } from "../http2/frame-reader.ts";
import type { HeaderField } from "../http2/header-field.ts";
import { HpackDecoder } from "../http2/hpack-decoder.ts";
import { HpackEncoder } from "../http2/hpack-encoder.ts";
import { OriginHead } from "../http2/origin-head.ts";
import { writeRequestBlock } from "../http2/request-block.ts";
import { writeTrailerBlock } from "../http2/response-head.ts";
import type { MessageHead } from "../http1/head.ts";
import type { Trailer } from "../http1/trailers.ts";
import type { Clock, Schedule } from "../kernel/clock.ts";
import { DEAF } from "../kernel/socket.ts";
import type { Http2Transport, SocketError, SocketListener, SocketPort } from "../kernel/socket.ts";
import { OriginFrames } from "./h2-origin-frames.ts";
import type { OriginStream } from "./h2-origin-stream.ts";
import { SignOfLife } from "./h2-sign-of-life.ts";
import type { SessionRequests } from "./session-requests.ts";

/**
 * What an origin may send on all streams together, unless one of them may send more. Read bytes are given back at once,
 * so that paused streams do not use it up.
 */
const SESSION_WINDOW = 4 * 1024 * 1024;
const HEADER_LIST_BYTES = 256 * 1024;
/** A header block in pieces. */
const BLOCK_BYTES_MAX = 512 * 1024;
/** Waits for the origin, none of which is a request: whoever asks for more answers than it takes is not served on. */
const ANSWERS_WAITING_MAX = 1024 * 1024;
const SETTINGS_MS = 3_000;
const PING_BYTES = 8;

/** Wants to carry an exchange on a session. */
export interface StreamOwner {
  /** The session that it waits for a place on. It is kept with who waits, so that nothing is left of who does not. */
  waitsAt: OriginSession | null;
  /** The socket below is connected, and more has to be agreed on. */
  onHandshake(): void;
  /** It may begin a stream. */
  onSession(session: OriginSession): void;
  /** The session ended before that. */
  onNoSession(error: SocketError): void;
}

export interface SessionPlace {
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** As it is configured now. */
  readonly http2: Http2Transport;
  readonly requests: SessionRequests;
  /** No stream may be begun on it any more. */
  onGone(session: OriginSession): void;
  /** The origin allows fewer streams than were hoped for. */
  onSurplus(owner: StreamOwner): void;
  /** It chose HTTP/1.1: the socket belongs to somebody else from now on. */
  onHttp1(socket: SocketPort, owners: readonly StreamOwner[]): void;
}

const head = new OriginHead();
/** For the blocks of messages that nobody wants any more: what they say to the tables counts. */
const NOBODY = { onField: (_field: HeaderField): void => undefined };

export class OriginSession implements SocketListener, FrameSink {
  readonly socket: SocketPort;
  readonly openedAt: number;
  /** When the last stream ended. */
  idleSince: number;
  /** Streams that began on it. */
  uses = 0;
  /** The origin's SETTINGS have come. */
  ready = false;
  takesWebSockets = false;
  /** It closes when nothing is under way on it. */
  retiring = false;
  streamWindow: number = WINDOW_BYTES;
  /** What the origin may send on one stream before it is read: the bound of what a paused exchange holds. */
  readonly windowBytes: number;
  readonly #sessionWindow: number;
  #counted: "busy" | "idle" | "closed" = "busy";
  readonly #place: SessionPlace;
  readonly #reader = new FrameReader(this);
  readonly #decoder = new HpackDecoder();
  readonly #encoder = new HpackEncoder();
  readonly #streams = new Map<number, OriginStream>();
  /** Have bytes to send and no window, in the order in which they ran out of it. */
  readonly #hungry = new Set<OriginStream>();
  #waiting: StreamOwner[] = [];
  readonly #frames = new OriginFrames((bytes) => this.socket.write(bytes));
  #reserved = 0;
  #nextId = 1;
  #sendWindow: number = WINDOW_BYTES;
  #unacked = 0;
  /** What the origin allows. */
  #streamsAllowed = Infinity;
  /** A header block of which more has to come. */
  #block: Buffer[] = [];
  #blockBytes = 0;
  #blockOf = 0;
  #blockEnds = false;
  /** How it ended; null: it has not, or by FIN. */
  #loss: SocketError | null = null;
  #lastStream = Infinity;
  /** TCP is connected, and the origin's SETTINGS have not come. */
  #handshaking = false;
  /** The preface has been said. */
  #connected = false;
  #gone = false;
  #closed = false;
  #cancelSettings: () => void = () => undefined;
  #cancelIdle: (() => void) | null = null;
  readonly #life: SignOfLife;

  constructor(dial: (listener: SocketListener) => SocketPort, place: SessionPlace) {
    this.#place = place;
    const now = place.clock.monotonic();
    this.openedAt = now;
    this.#life = new SignOfLife({
      clock: place.clock,
      schedule: place.schedule,
      ask: () => this.#ping(),
      onSilence: (silentMs) => this.#onSilence(silentMs),
    });
    this.idleSince = now;
    this.windowBytes = place.http2.windowBytes;
    this.#sessionWindow = Math.max(SESSION_WINDOW, this.windowBytes);
    place.http2.sessions.open += 1;
    this.socket = dial(this);
  }

  // ------------------------------------------------------------------ places for streams

  /** How many more streams may begin on it; before it is ready as many as are hoped for. */
  get room(): number {
    return this.#gone ? 0 : this.#places - this.#waiting.length;
  }

  /** Fewer than that, if others wait for them already. */
  get #places(): number {
    const { max } = this.#place.requests;
    const streams = Math.min(this.#streamsAllowed, this.#place.http2.streamsMax);
    return Math.min(streams - this.active, max - this.uses - this.#reserved);
  }

  get active(): number {
    return this.#streams.size + this.#reserved;
  }

  /** `owner` hears when it may begin, never inside this call. */
  join(owner: StreamOwner): void {
    owner.waitsAt = this;
    this.#waiting.push(owner);
    if (this.ready) queueMicrotask(() => this.#serve());
    else if (this.#handshaking) queueMicrotask(() => owner.onHandshake());
  }

  /** It does not want one any more. */
  leave(owner: StreamOwner): void {
    const at = this.#waiting.indexOf(owner);
    if (at === -1) return;
    this.#waiting.splice(at, 1);
    // Nobody is left who waits for an answer to SYN, and others should not begin to in the middle of it.
    if (this.#waiting.length === 0 && !this.ready) this.#lose({ code: "CANCEL", syscall: "h2" });
  }

  /** A place was given and is not needed. */
  giveBack(): void {
    this.#reserved -= 1;
    this.#rest();
  }

  #serve(): void {
    while (!this.#gone && this.#places > 0) {
      const owner = this.#waiting.shift();
      if (owner === undefined) return;
      owner.waitsAt = null;
      this.#reserved += 1;
      this.#count("busy");
      this.#cancelIdle?.();
      this.#cancelIdle = null;
      this.#life.watch();
      owner.onSession(this);
    }
    for (const owner of this.#waiting.splice(0)) this.#place.onSurplus(owner);
  }

  /** A stream is over, or was never begun. */
  #rest(): void {
    if (this.active > 0 || this.#closed) return;
    this.idleSince = this.#place.clock.monotonic();
    this.#life.rest();
    if (this.#gone || this.retiring || this.uses === 0) {
      this.close();
      return;
    }
    if (this.uses >= this.#place.requests.max) this.#place.requests.stayed();
    this.#beginIdle();
  }

  #beginIdle(): void {
    this.#cancelIdle?.();
    this.#cancelIdle = this.#place.schedule(this.#place.http2.idleMs, () => this.close());
    this.#count("idle");
  }

  /** Nothing is under way on it, and nothing will be. */
  close(): void {
    if (this.#closed) return;
    this.#leavePool({ code: "GOAWAY", syscall: "h2" });
    this.#goaway("NO_ERROR");
    this.#frames.flush();
    this.socket.end();
    this.#end();
    // What the origin may still say is of no interest, but its FIN ends the connection in order.
    this.#place.schedule(LINGER_MS, () => this.socket.destroy());
  }

  // ------------------------------------------------------------------ sending

  /** Begins a stream. Its id. */
  request(stream: OriginStream, message: MessageHead, ends: boolean, opensTunnel: boolean): number {
    const id = this.#nextId;
    this.#nextId += 2;
    this.#reserved -= 1;
    this.uses += 1;
    this.#streams.set(id, stream);
    // Ids are used up after a billion exchanges (RFC 9113 §5.1.1): another connection takes over long before.
    if (id > WINDOW_MAX - 1024) this.#leavePool({ code: "GOAWAY", syscall: "h2" });
    const overTls = this.socket.carrier.tls !== null;
    writeRequestBlock(this.#frames.beginBlock(id, ends), this.#encoder, message, overTls, opensTunnel);
    this.#frames.endBlock(id);
    return id;
  }

  /** Sends as much as windows allow now; returns how much that was. */
  data(id: number, window: number, bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end) {
      const count = Math.min(end - at, window - (at - start), this.#sendWindow, FRAME_BYTES);
      if (count <= 0 || this.socket.writing) break;
      this.#sendWindow -= count;
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

  /** The stream is closed on both sides, or was reset. */
  closed(id: number, stream: OriginStream): void {
    this.#hungry.delete(stream);
    if (this.#streams.delete(id)) this.#rest();
  }

  #goaway(code: ErrorName): void {
    if (!this.#connected) return;
    this.#frames.head(8, FRAME.GOAWAY, 0, 0);
    this.#frames.word(0);
    this.#frames.word(errorCode(code));
  }

  // ------------------------------------------------------------------ the socket below

  onHandshake(): void {
    if (this.#handshaking) return;
    this.#handshaking = true;
    for (const owner of this.#waiting.slice()) owner.onHandshake();
  }

  onConnect(): void {
    const alpn = this.socket.carrier.tls?.alpn ?? "";
    if (this.#place.http2.choice === "alpn" && alpn !== "h2") {
      const owners = this.#waiting.splice(0);
      this.socket.listener = DEAF;
      this.#closed = true;
      this.#count("closed");
      this.#leavePool({ code: "CANCEL", syscall: "h2" });
      this.#place.onHttp1(this.socket, owners);
      return;
    }
    this.#connected = true;
    this.#life.heard();
    this.socket.probePeer();
    this.#frames.preface();
    this.#frames.settings([
      [SETTING.ENABLE_PUSH, 0],
      [SETTING.INITIAL_WINDOW_SIZE, this.windowBytes],
      [SETTING.MAX_HEADER_LIST_SIZE, HEADER_LIST_BYTES],
      [SETTING.NO_RFC7540_PRIORITIES, 1],
    ]);
    this.windowUpdate(0, this.#sessionWindow - WINDOW_BYTES);
    this.#frames.flush();
    this.#cancelSettings = this.#place.schedule(SETTINGS_MS, () =>
      this.#lose({
        code: "SETTINGS_TIMEOUT",
        syscall: "h2",
        detail: `it was connected, and no SETTINGS came within ${SETTINGS_MS} ms`,
      }),
    );
    this.onHandshake();
  }

  onData(bytes: Buffer, start: number, end: number): void {
    if (this.#closed) return;
    this.#life.heard();
    if (!this.ready && this.#reader.idle && bytes.latin1Slice(start, start + 5) === "HTTP/") {
      this.#lose({ code: "NOT_HTTP2", syscall: "h2", detail: "it answered the preface in HTTP/1.1" });
      return;
    }
    if (!this.#reader.read(bytes, start, end)) {
      if (this.ready) this.#breakOff("FRAME_SIZE_ERROR", "a frame is larger than it may be");
      else this.#lose({ code: "NOT_HTTP2", syscall: "h2", detail: "its first bytes are no frame of HTTP/2" });
    }
    if (this.socket.waitingBytes > ANSWERS_WAITING_MAX && this.#hungry.size === 0) {
      this.#breakOff("ENHANCE_YOUR_CALM", "it asks for more answers than it takes");
    }
  }

  onDrain(): void {
    this.#feedAll();
  }

  onFin(): void {
    this.#endAll(this.#loss);
    this.socket.destroy();
  }

  onError(error: SocketError): void {
    this.#loss ??= error;
  }

  onClose(): void {
    this.#endAll(this.#loss);
  }

  onFault(error: unknown): void {
    // Streams contain what their listeners throw; this is a defect of this file, and every exchange on it has to know.
    const streams = [...this.#streams.values()];
    this.#endAll({ code: "INTERNAL_ERROR", syscall: "h2" });
    this.socket.destroy();
    streams[0]?.listener.onFault(error);
  }

  // ------------------------------------------------------------------ frames

  onFrame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): boolean {
    if (!this.ready && (type !== FRAME.SETTINGS || (flags & FLAG.ACK) !== 0)) {
      this.#lose({ code: "NOT_HTTP2", syscall: "h2", detail: "its first frame is not SETTINGS" });
      return false;
    }
    if (this.#blockOf !== 0 && (type !== FRAME.CONTINUATION || id !== this.#blockOf)) {
      return this.#breakOff("PROTOCOL_ERROR", "a frame in the middle of a header block");
    }
    if (type !== FRAME.PING) this.#life.said();
    switch (type) {
      case FRAME.DATA:
        return this.#onDataFrame(flags, id, bytes, start, end);
      case FRAME.HEADERS:
        return this.#onHeaders(flags, id, bytes, start, end);
      case FRAME.RST_STREAM:
        return this.#onReset(id, bytes, start, end);
      case FRAME.SETTINGS:
        return this.#onSettings(flags, id, bytes, start, end);
      case FRAME.PUSH_PROMISE:
        return this.#breakOff("PROTOCOL_ERROR", "PUSH_PROMISE, which was switched off");
      case FRAME.PING:
        return this.#onPing(flags, id, bytes, start, end);
      case FRAME.GOAWAY:
        return this.#onGoaway(id, bytes, start, end);
      case FRAME.WINDOW_UPDATE:
        return this.#onWindowUpdate(id, bytes, start, end);
      case FRAME.CONTINUATION:
        if (this.#blockOf === 0) return this.#breakOff("PROTOCOL_ERROR", "CONTINUATION behind nothing");
        return this.#onBlock(flags, bytes, start, end);
      default:
        // §5.5: what is not known means nothing.
        return !this.#closed;
    }
  }

  #onDataFrame(flags: number, id: number, bytes: Buffer, start: number, end: number): boolean {
    const isPadded = (flags & FLAG.PADDED) !== 0;
    const padding = isPadded ? (bytes[start] ?? 0) : 0;
    const from = isPadded ? start + 1 : start;
    if (from + padding > end) return this.#breakOff("PROTOCOL_ERROR", "more padding than frame");
    this.#unacked += end - start;
    if (this.#unacked > this.#sessionWindow) return this.#breakOff("FLOW_CONTROL_ERROR", "more than the window allows");
    if (this.#unacked >= this.#sessionWindow / 2) {
      this.windowUpdate(0, this.#unacked);
      this.#unacked = 0;
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.#isOld(id) || this.#breakOff("PROTOCOL_ERROR", "DATA on no stream");
    stream.onDataFrame(bytes, from, end - padding, end - start, (flags & FLAG.END_STREAM) !== 0);
    return !this.#closed;
  }

  #onHeaders(flags: number, id: number, bytes: Buffer, start: number, end: number): boolean {
    if (!this.#streams.has(id) && !this.#isOld(id)) return this.#breakOff("PROTOCOL_ERROR", "HEADERS on no stream");
    let from = start;
    let padding = 0;
    if ((flags & FLAG.PADDED) !== 0) {
      padding = bytes[from] ?? 0;
      from += 1;
    }
    if ((flags & FLAG.PRIORITY) !== 0) from += 5;
    if (from + padding > end) return this.#breakOff("PROTOCOL_ERROR", "more padding than frame");
    this.#blockOf = id;
    this.#blockEnds = (flags & FLAG.END_STREAM) !== 0;
    return this.#onBlock(flags, bytes, from, end - padding);
  }

  #onBlock(flags: number, bytes: Buffer, start: number, end: number): boolean {
    const isLast = (flags & FLAG.END_HEADERS) !== 0;
    if (isLast && this.#block.length === 0) return this.#decode(bytes, start, end);
    this.#blockBytes += end - start;
    // Empty pieces without end are counted as well (CVE-2024-27316 and its kin).
    if (this.#blockBytes + this.#block.length * FRAME_HEAD > BLOCK_BYTES_MAX) {
      return this.#breakOff("ENHANCE_YOUR_CALM", "a header block of more bytes than any head may have");
    }
    this.#block.push(Buffer.from(bytes.subarray(start, end)));
    if (!isLast) return true;
    const whole = Buffer.concat(this.#block);
    this.#block = [];
    this.#blockBytes = 0;
    return this.#decode(whole, 0, whole.length);
  }

  #decode(bytes: Buffer, start: number, end: number): boolean {
    const id = this.#blockOf;
    this.#blockOf = 0;
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      return this.#decoder.decode(bytes, start, end, NOBODY) || this.#breakOff("COMPRESSION_ERROR", NO_BLOCK);
    }
    if (stream.headSeen) head.beginTrailers();
    else head.begin();
    if (!this.#decoder.decode(bytes, start, end, head)) return this.#breakOff("COMPRESSION_ERROR", NO_BLOCK);
    stream.onHeadersFrame(head, this.#blockEnds);
    return !this.#closed;
  }

  #onReset(id: number, bytes: Buffer, start: number, end: number): boolean {
    if (end - start !== 4) return this.#breakOff("FRAME_SIZE_ERROR", "RST_STREAM of a wrong size");
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.#isOld(id) || this.#breakOff("PROTOCOL_ERROR", "RST_STREAM on no stream");
    stream.onResetFrame(errorName(bytes.readUInt32BE(start)));
    return !this.#closed;
  }

  #onSettings(flags: number, id: number, bytes: Buffer, start: number, end: number): boolean {
    if (id !== 0) return this.#breakOff("PROTOCOL_ERROR", "SETTINGS on a stream");
    if ((flags & FLAG.ACK) !== 0)
      return end === start || this.#breakOff("FRAME_SIZE_ERROR", "SETTINGS of a wrong size");
    if ((end - start) % 6 !== 0) return this.#breakOff("FRAME_SIZE_ERROR", "SETTINGS of a wrong size");
    for (let at = start; at < end; at += 6) {
      const value = bytes.readUInt32BE(at + 2);
      const wrong = this.#apply(bytes.readUInt16BE(at), value);
      if (wrong !== null) return this.#breakOff(wrong, `a setting of ${value} that none may have`);
    }
    this.#frames.head(0, FRAME.SETTINGS, FLAG.ACK, 0);
    const isFirst = !this.ready;
    this.ready = true;
    this.#cancelSettings();
    if (isFirst) {
      this.#serve();
      // Opened for whoever comes next.
      if (this.active === 0) this.#beginIdle();
    }
    this.#feedAll();
    return !this.#closed;
  }

  /** What breach it is; null: none. */
  #apply(setting: number, value: number): ErrorName | null {
    switch (setting) {
      case SETTING.HEADER_TABLE_SIZE:
        this.#encoder.resize(value);
        return null;
      case SETTING.MAX_CONCURRENT_STREAMS:
        this.#streamsAllowed = value;
        return null;
      case SETTING.INITIAL_WINDOW_SIZE: {
        if (value > WINDOW_MAX) return "FLOW_CONTROL_ERROR";
        const more = value - this.streamWindow;
        this.streamWindow = value;
        for (const stream of this.#streams.values()) stream.window += more;
        return null;
      }
      case SETTING.MAX_FRAME_SIZE:
        if (value < FRAME_BYTES || value > 0xffffff) return "PROTOCOL_ERROR";
        // Larger ones would save nothing.
        return null;
      case SETTING.ENABLE_CONNECT_PROTOCOL:
        if (value > 1) return "PROTOCOL_ERROR";
        this.takesWebSockets = value === 1;
        return null;
      default:
        return null;
    }
  }

  #onPing(flags: number, id: number, bytes: Buffer, start: number, end: number): boolean {
    if (id !== 0) return this.#breakOff("PROTOCOL_ERROR", "PING on a stream");
    if (end - start !== PING_BYTES) return this.#breakOff("FRAME_SIZE_ERROR", "PING of a wrong size");
    if ((flags & FLAG.ACK) !== 0) this.#life.answered();
    else {
      this.#frames.head(PING_BYTES, FRAME.PING, FLAG.ACK, 0);
      this.#frames.copy(bytes, start, end);
    }
    return true;
  }

  #onGoaway(id: number, bytes: Buffer, start: number, end: number): boolean {
    if (id !== 0) return this.#breakOff("PROTOCOL_ERROR", "GOAWAY on a stream");
    if (end - start < 8) return this.#breakOff("FRAME_SIZE_ERROR", "GOAWAY of a wrong size");
    const code = errorName(bytes.readUInt32BE(start + 4));
    const said = bytes.latin1Slice(start + 8, Math.min(end, start + 8 + SAID_MAX)).replace(/[^ -~]/g, "");
    const last = bytes.readUInt32BE(start) & WINDOW_MAX;
    this.#lastStream = Math.min(this.#lastStream, last);
    // Behind more than was asked for is a warning, and the last number follows (§6.8).
    if (code === "NO_ERROR" && !this.#gone && last < this.#nextId) this.#place.requests.left((last + 1) / 2);
    const error: SocketError = { code: "GOAWAY", syscall: "h2", detail: said === "" ? code : `${code}: ${said}` };
    // What is below or at it may still be answered; if the connection ends first, that is why.
    if (code !== "NO_ERROR") this.#loss ??= { ...error, code };
    this.#leavePool(error);
    // §6.8: the origin has not begun to work on anything above it.
    for (const [number, stream] of Array.from(this.#streams)) if (number > this.#lastStream) stream.lost(error);
    if (this.active === 0) this.close();
    return !this.#closed;
  }

  #onWindowUpdate(id: number, bytes: Buffer, start: number, end: number): boolean {
    if (end - start !== 4) return this.#breakOff("FRAME_SIZE_ERROR", "WINDOW_UPDATE of a wrong size");
    const more = bytes.readUInt32BE(start) & WINDOW_MAX;
    if (id === 0) {
      this.#sendWindow += more;
      if (more === 0 || this.#sendWindow > WINDOW_MAX)
        return this.#breakOff("FLOW_CONTROL_ERROR", "an impossible window");
      this.#feedAll();
      return !this.#closed;
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.#isOld(id) || this.#breakOff("PROTOCOL_ERROR", "WINDOW_UPDATE on no stream");
    stream.window += more;
    if (more === 0 || stream.window > WINDOW_MAX) {
      this.reset(id, "FLOW_CONTROL_ERROR");
      stream.lost({ code: "FLOW_CONTROL_ERROR", syscall: "h2", detail: "an impossible window" });
    } else if (this.#hungry.delete(stream)) stream.goOn();
    return !this.#closed;
  }

  /** Was a stream of ours. */
  #isOld(id: number): boolean {
    return id % 2 === 1 && id < this.#nextId;
  }

  /** Who has bytes to send tries again, first come first served. */
  #feedAll(): void {
    if (this.#hungry.size === 0) return;
    for (const stream of Array.from(this.#hungry)) {
      if (this.#sendWindow <= 0 || this.socket.writing) return;
      this.#hungry.delete(stream);
      stream.goOn();
    }
  }

  // ------------------------------------------------------------------ the end

  /** The origin broke HTTP/2: it is told so, and whoever waits for it. */
  #breakOff(code: ErrorName, detail: string): false {
    if (!this.#closed) {
      this.#goaway(code);
      this.#frames.flush();
      this.#lose({ code: "PROTOCOL_ERROR", syscall: "h2", detail: `${detail} (${code})` });
    }
    return false;
  }

  #lose(error: SocketError): void {
    this.#endAll(error);
    this.socket.destroy();
  }

  #endAll(error: SocketError | null): void {
    if (this.#closed) return;
    this.#end();
    this.#leavePool(this.#reasonFor(error));
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const stream of streams) stream.lost(error);
  }

  /** For those who wait for a place. */
  #reasonFor(error: SocketError | null): SocketError {
    if (this.ready) return error ?? { code: "GOAWAY", syscall: "h2" };
    if (error !== null && (!this.#connected || error.syscall === "h2")) return error;
    const how = error === null ? "FIN" : error.code;
    return { code: "CLOSED", syscall: "h2", detail: `it closed the connection before its SETTINGS (${how})` };
  }

  #end(): void {
    this.#closed = true;
    this.#frames.stop();
    this.#count("closed");
    this.#cancelSettings();
    this.#cancelIdle?.();
    this.#life.rest();
  }

  #count(now: "busy" | "idle" | "closed"): void {
    const { sessions } = this.#place.http2;
    if (this.#counted === now) return;
    if (this.#counted === "idle") sessions.idle -= 1;
    if (now === "idle") sessions.idle += 1;
    if (now === "closed") sessions.open -= 1;
    this.#counted = now;
  }

  #leavePool(error: SocketError): void {
    if (!this.#gone) {
      this.#gone = true;
      this.#place.onGone(this);
    }
    for (const owner of this.#waiting.splice(0)) owner.onNoSession(error);
  }

  #ping(): void {
    this.#frames.head(PING_BYTES, FRAME.PING, 0, 0);
    this.#frames.word(0);
    this.#frames.word(0);
  }

  #onSilence(silentMs: number): void {
    this.#lose({
      code: "PING_TIMEOUT",
      syscall: "h2",
      detail: `no byte for ${Math.round(silentMs / 1000)} s, and PING was not answered`,
    });
  }
}

const FRAME_HEAD = 9;
const LINGER_MS = 1_000;
const SAID_MAX = 80;
const NO_BLOCK = "a header block that is none";

/** `INTERNAL_ERROR` for 2. */
function errorName(code: number): string {
  return ERROR_NAMES[code] ?? `0x${code.toString(16)}`;
}
