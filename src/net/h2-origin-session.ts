/**
 * One HTTP/2 connection to an origin, as its client: frames on a socket port, whatever that is made of. It carries many
 * exchanges at once (h2-origin-stream.ts) and says how many more may begin, when it was last heard, and how it ended: by
 * the origin's word (GOAWAY), by its silence, by a breach of the protocol, or by the loss of the socket below.
 *
 * Nothing is asked for before the origin's SETTINGS have come (RFC 9113 §3.4 would allow it). That costs a round trip for
 * each connection, of which there are few. In return it is known how many streams there may be and whether WebSockets go
 * here, and an origin that does not speak HTTP/2 is found out while provably nothing has been sent.
 */
import { blockEnd, blockStart, breachOf, breachOfHeaders } from "../http2/frame-rules.ts";
import type { Breach } from "../http2/frame-rules.ts";
import { FrameReader } from "../http2/frame-reader.ts";
import type { FrameSink } from "../http2/frame-reader.ts";
import { ERROR_NAMES, FLAG, FRAME, FRAME_BYTES, FRAME_HEAD_BYTES, SETTING, WINDOW_MAX } from "../http2/frames.ts";
import type { ErrorName } from "../http2/frames.ts";
import type { HeaderField } from "../http2/header-field.ts";
import { HeaderPieces } from "../http2/header-pieces.ts";
import { HpackDecoder } from "../http2/hpack-decoder.ts";
import { NumberedLine } from "../http2/numbered-line.ts";
import { OriginHead } from "../http2/origin-head.ts";
import type { MessageHead } from "../http1/head.ts";
import type { Clock, Schedule } from "../kernel/clock.ts";
import { DEAF } from "../kernel/socket.ts";
import type { Http2Transport, SocketError, SocketListener, SocketPort } from "../kernel/socket.ts";
import type { OriginStream } from "./h2-origin-stream.ts";
import { RequestSender } from "./h2-request-sender.ts";
import { SessionStanding } from "./h2-session-standing.ts";
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
  readonly sender = new RequestSender(this);
  /** What the origin may send on one stream before it is read: the bound of what a paused exchange holds. */
  readonly windowBytes: number;
  readonly #sessionWindow: number;
  readonly #place: SessionPlace;
  readonly #reader = new FrameReader(this);
  readonly #decoder = new HpackDecoder();
  readonly #streams = new NumberedLine<OriginStream>();
  #waiting: StreamOwner[] = [];
  #reserved = 0;
  #nextId = 1;
  #unacked = 0;
  /** What the origin allows. */
  #streamsAllowed = Infinity;
  readonly #pieces = new HeaderPieces();
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
  readonly #standing: SessionStanding;
  readonly #life: SignOfLife;

  constructor(dial: (listener: SocketListener) => SocketPort, place: SessionPlace) {
    this.#place = place;
    const now = place.clock.monotonic();
    this.openedAt = now;
    this.#life = new SignOfLife({
      clock: place.clock,
      schedule: place.schedule,
      ask: () => this.sender.ping(),
      onSilence: (silentMs) => this.#onSilence(silentMs),
    });
    this.idleSince = now;
    this.windowBytes = place.http2.windowBytes;
    this.#sessionWindow = Math.max(SESSION_WINDOW, this.windowBytes);
    this.#standing = new SessionStanding(place, () => this.close());
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
      this.#standing.busy();
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
    this.#standing.idle();
  }

  /** It finishes what it has, and closes. */
  retire(): void {
    this.retiring = true;
    if (this.#waiting.length === 0) this.#rest();
  }

  /** Nothing is under way on it, and nothing will be. */
  close(): void {
    if (this.#closed) return;
    this.#leavePool({ code: "GOAWAY", syscall: "h2" });
    this.#goaway("NO_ERROR");
    this.socket.end();
    this.#end();
    // What the origin may still say is of no interest, but its FIN ends the connection in order.
    this.#place.schedule(LINGER_MS, () => this.socket.destroy());
  }

  // ------------------------------------------------------------------ sending

  /** Begins a stream, which has its id from then on. */
  request(stream: OriginStream, message: MessageHead, ends: boolean, opensTunnel: boolean): void {
    const id = this.#nextId;
    this.#nextId += 2;
    this.#reserved -= 1;
    this.uses += 1;
    stream.id = id;
    this.#streams.add(stream);
    // Ids are used up after a billion exchanges (RFC 9113 §5.1.1): another connection takes over long before.
    if (id > WINDOW_MAX - 1024) this.#leavePool({ code: "GOAWAY", syscall: "h2" });
    this.sender.head(id, message, ends, opensTunnel);
  }

  /** The stream is closed on both sides, or was reset. */
  closed(stream: OriginStream): void {
    this.sender.forget(stream);
    if (this.#streams.delete(stream)) this.#rest();
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
      this.#standing.closed();
      this.#leavePool({ code: "CANCEL", syscall: "h2" });
      this.#place.onHttp1(this.socket, owners);
      return;
    }
    this.#connected = true;
    this.#life.heard();
    this.socket.probePeer();
    this.sender.preface(
      [
        [SETTING.ENABLE_PUSH, 0],
        [SETTING.INITIAL_WINDOW_SIZE, this.windowBytes],
        [SETTING.MAX_HEADER_LIST_SIZE, HEADER_LIST_BYTES],
        [SETTING.NO_RFC7540_PRIORITIES, 1],
      ],
      this.#sessionWindow,
    );
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
    if (this.socket.waitingBytes > ANSWERS_WAITING_MAX && !this.sender.waits) {
      this.#breakOff("ENHANCE_YOUR_CALM", "it asks for more answers than it takes");
    }
  }

  onDrain(): void {
    this.sender.feedAll();
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
    const streams = [...this.#streams];
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
    if (this.#pieces.isOpen && (type !== FRAME.CONTINUATION || id !== this.#pieces.stream)) {
      return this.#breakOff("PROTOCOL_ERROR", "a frame in the middle of a header block");
    }
    const breach = breachOf(type, flags, id, end - start);
    if (breach !== null) return this.#breaks(breach);
    if (type !== FRAME.PING) this.#life.said();
    switch (type) {
      case FRAME.DATA:
        return this.#onDataFrame(flags, id, bytes, start, end);
      case FRAME.HEADERS:
        return this.#onHeaders(flags, id, bytes, start, end);
      case FRAME.RST_STREAM:
        return this.#onReset(id, bytes, start);
      case FRAME.SETTINGS:
        return this.#onSettings(flags, bytes, start, end);
      case FRAME.PUSH_PROMISE:
        return this.#breakOff("PROTOCOL_ERROR", "PUSH_PROMISE, which was switched off");
      case FRAME.PING:
        if ((flags & FLAG.ACK) !== 0) this.#life.answered();
        else this.sender.pong(bytes, start);
        return true;
      case FRAME.GOAWAY:
        return this.#onGoaway(bytes, start, end);
      case FRAME.WINDOW_UPDATE:
        return this.#onWindowUpdate(id, bytes, start);
      case FRAME.CONTINUATION:
        return this.#onContinuation(flags, bytes, start, end);
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
      this.sender.windowUpdate(0, this.#unacked);
      this.#unacked = 0;
    }
    const stream = this.#streams.get(id);
    if (stream === null) return this.#isOld(id) || this.#breakOff("PROTOCOL_ERROR", "DATA on no stream");
    stream.onDataFrame(bytes, from, end - padding, end - start, (flags & FLAG.END_STREAM) !== 0);
    return !this.#closed;
  }

  #onHeaders(flags: number, id: number, bytes: Buffer, start: number, end: number): boolean {
    if (this.#streams.get(id) === null && !this.#isOld(id))
      return this.#breakOff("PROTOCOL_ERROR", "HEADERS on no stream");
    const breach = breachOfHeaders(flags, bytes, start, end);
    if (breach !== null) return this.#breaks(breach);
    const from = blockStart(flags, start);
    const to = blockEnd(flags, bytes, start, end);
    if ((flags & FLAG.END_HEADERS) !== 0) return this.#decode(id, flags, bytes, from, to);
    this.#pieces.begin(id, flags, bytes, from, to);
    return true;
  }

  #onContinuation(flags: number, bytes: Buffer, start: number, end: number): boolean {
    const pieces = this.#pieces;
    if (!pieces.isOpen) return this.#breakOff("PROTOCOL_ERROR", "CONTINUATION behind nothing");
    pieces.add(bytes, start, end);
    // Empty pieces without end are counted as well (CVE-2024-27316 and its kin).
    if (pieces.bytes + pieces.frames * FRAME_HEAD_BYTES > BLOCK_BYTES_MAX) {
      return this.#breakOff("ENHANCE_YOUR_CALM", "a header block of more bytes than any head may have");
    }
    if ((flags & FLAG.END_HEADERS) === 0) return true;
    const whole = pieces.take();
    return this.#decode(pieces.stream, pieces.flags, whole, 0, whole.length);
  }

  #decode(id: number, flags: number, bytes: Buffer, start: number, end: number): boolean {
    const stream = this.#streams.get(id);
    if (stream === null) {
      return this.#decoder.decode(bytes, start, end, NOBODY) || this.#breakOff("COMPRESSION_ERROR", NO_BLOCK);
    }
    if (stream.headSeen) head.beginTrailers();
    else head.begin();
    if (!this.#decoder.decode(bytes, start, end, head)) return this.#breakOff("COMPRESSION_ERROR", NO_BLOCK);
    stream.onHeadersFrame(head, (flags & FLAG.END_STREAM) !== 0);
    return !this.#closed;
  }

  #onReset(id: number, bytes: Buffer, start: number): boolean {
    const stream = this.#streams.get(id);
    if (stream === null) return this.#isOld(id) || this.#breakOff("PROTOCOL_ERROR", "RST_STREAM on no stream");
    stream.onResetFrame(errorName(bytes.readUInt32BE(start)));
    return !this.#closed;
  }

  #onSettings(flags: number, bytes: Buffer, start: number, end: number): boolean {
    if ((flags & FLAG.ACK) !== 0) return true;
    for (let at = start; at < end; at += 6) {
      const value = bytes.readUInt32BE(at + 2);
      const wrong = this.#apply(bytes.readUInt16BE(at), value);
      if (wrong !== null) return this.#breakOff(wrong, `a setting of ${value} that none may have`);
    }
    const isFirst = !this.ready;
    // §6.5.2: no fault; but whoever wants to send something would only ask the next connection, and be told the same.
    if (isFirst && this.#streamsAllowed === 0) {
      const detail = "it takes no request on its connection (SETTINGS_MAX_CONCURRENT_STREAMS is 0)";
      this.#goaway("NO_ERROR");
      this.#lose({ code: "CLOSED", syscall: "h2", detail });
      return false;
    }
    this.sender.agreeToSettings();
    this.ready = true;
    this.#cancelSettings();
    if (isFirst) {
      this.#serve();
      // Opened for whoever comes next.
      if (this.active === 0) this.#standing.idle();
    }
    this.sender.feedAll();
    return !this.#closed;
  }

  /** What breach it is; null: none. */
  #apply(setting: number, value: number): ErrorName | null {
    switch (setting) {
      case SETTING.HEADER_TABLE_SIZE:
        this.sender.resizeTable(value);
        return null;
      case SETTING.MAX_CONCURRENT_STREAMS:
        this.#streamsAllowed = value;
        return null;
      case SETTING.INITIAL_WINDOW_SIZE:
        if (value > WINDOW_MAX) return "FLOW_CONTROL_ERROR";
        return this.sender.resizeWindows(this.#streams, value) ? null : "FLOW_CONTROL_ERROR";
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

  #onGoaway(bytes: Buffer, start: number, end: number): boolean {
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
    for (const stream of this.#streams) if (stream.id > this.#lastStream) stream.lost(error);
    if (this.active === 0) this.close();
    return !this.#closed;
  }

  #onWindowUpdate(id: number, bytes: Buffer, start: number): boolean {
    const more = bytes.readUInt32BE(start) & WINDOW_MAX;
    if (id === 0) {
      if (more === 0 || !this.sender.widen(more)) return this.#breakOff("FLOW_CONTROL_ERROR", "an impossible window");
      this.sender.feedAll();
      return !this.#closed;
    }
    const stream = this.#streams.get(id);
    if (stream === null) return this.#isOld(id) || this.#breakOff("PROTOCOL_ERROR", "WINDOW_UPDATE on no stream");
    stream.window += more;
    if (more === 0 || stream.window > WINDOW_MAX) {
      this.sender.reset(id, "FLOW_CONTROL_ERROR");
      stream.lost({ code: "FLOW_CONTROL_ERROR", syscall: "h2", detail: "an impossible window" });
    } else this.sender.feed(stream);
    return !this.#closed;
  }

  /** Was a stream of ours. */
  #isOld(id: number): boolean {
    return id % 2 === 1 && id < this.#nextId;
  }

  // ------------------------------------------------------------------ the end

  /** The origin broke HTTP/2: it is told so, and whoever waits for it. */
  #breakOff(code: ErrorName, detail: string): false {
    if (!this.#closed) {
      this.#goaway(code);
      this.#lose({ code: "PROTOCOL_ERROR", syscall: "h2", detail: `${detail} (${code})` });
    }
    return false;
  }

  #breaks({ error, evidence }: Breach): false {
    return this.#breakOff(error, evidence);
  }

  #goaway(code: ErrorName): void {
    if (this.#connected) this.sender.goAway(code);
  }

  #lose(error: SocketError): void {
    this.#endAll(error);
    this.socket.destroy();
  }

  #endAll(error: SocketError | null): void {
    if (this.#closed) return;
    this.#end();
    this.#leavePool(this.#reasonFor(error));
    const streams = [...this.#streams];
    for (const stream of streams) this.#streams.delete(stream);
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
    this.sender.stop();
    this.#standing.closed();
    this.#cancelSettings();
    this.#life.rest();
  }

  #leavePool(error: SocketError): void {
    if (!this.#gone) {
      this.#gone = true;
      this.#place.onGone(this);
    }
    for (const owner of this.#waiting.splice(0)) owner.onNoSession(error);
  }

  #onSilence(silentMs: number): void {
    this.#lose({
      code: "PING_TIMEOUT",
      syscall: "h2",
      detail: `no byte for ${Math.round(silentMs / 1000)} s, and PING was not answered`,
    });
  }
}

const LINGER_MS = 1_000;
const SAID_MAX = 80;
const NO_BLOCK = "a header block that is none";

/** `INTERNAL_ERROR` for 2. */
function errorName(code: number): string {
  return ERROR_NAMES[code] ?? `0x${code.toString(16)}`;
}
