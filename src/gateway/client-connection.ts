/**
 * Receive: one connection from a client. It reads one request at a time, hands it to an exchange, and reads the
 * next when that one is answered; what a client sends ahead waits, within a bound. Nothing here knows of origins.
 */
import type { MessageHead } from "../http1/head.ts";
import type { MessageEvents } from "../http1/parser.ts";
import { RequestParser } from "../http1/parser.ts";
import type { RefusalId } from "../http1/refusals.ts";
import { PREFACE_LINE_BYTES } from "../http2/frames.ts";
import type { CauseId } from "../kernel/causes.ts";
import type { SocketError, SocketListener, SocketPort } from "../kernel/socket.ts";
import type { TimerOwner } from "../kernel/timer-wheel.ts";
import { WheelTimer } from "../kernel/timer-wheel.ts";
import type { ClientTls } from "../contract/record.ts";
import { NO_HOST, hostOf } from "./client-host.ts";
import type { ClientHost } from "./client-host.ts";
import { clientTlsOf, handshakeFailure, slowHandshake } from "./client-handshake.ts";
import type { HandshakeFailure } from "./client-handshake.ts";
import { countAs, countConnection, uncountConnection } from "./connection-count.ts";
import type { Core } from "./core.ts";
import type { PeerIdentity } from "./identify.ts";
import type { ListenerRuntime, Surplus } from "./listener-runtime.ts";
import { Exchange } from "./pipeline.ts";
import { slowBody, slowHead, slowReader } from "./slow-client.ts";
import { countCause } from "./telemetry.ts";
import { userAgentOf } from "./user-agent.ts";

/** After a reply to a request that was not read whole: how long, and how much, is read and thrown away. */
const LINGER_MS = 2_000;
const LINGER_BYTES = 4 * 1024 * 1024;
/** A client that asked a moment ago is likely to ask again. */
const RECLAIM_AFTER_MS = 1_000;
/** What a pipelining client may send ahead before it is paused. */
const AHEAD_BYTES = 64 * 1024;
const LETTER_P = 80;
const NO_BYTES = Buffer.alloc(0);

type Phase =
  | "handshake"
  | "idle"
  | "head"
  | "body"
  | "exchange"
  | "write"
  | "half closed"
  | "linger"
  | "tunnel"
  | "closed";

export class ClientConnection implements SocketListener, MessageEvents, TimerOwner {
  readonly listener: ListenerRuntime;
  readonly socket: SocketPort;
  peer: PeerIdentity;
  /** Among those of its listener. */
  older: ClientConnection | null = null;
  newer: ClientConnection | null = null;
  /** Exchanges that ended on it. */
  uses = 0;
  /** What was agreed on in its handshake; null: there was none, or it is not done. */
  tls: ClientTls | null = null;
  /** Above a limit of connections: gets one refusal. */
  readonly surplus: Surplus;
  /** A request of HTTP/2: its connection is counted, idle and drained elsewhere (http2-connection.ts). */
  readonly isStream: boolean;
  readonly #core: Core;
  readonly #parser: RequestParser;
  readonly #timer: WheelTimer = new WheelTimer(this);
  #exchange: Exchange | null = null;
  #phase: Phase = "idle";
  #startedMs = 0;
  #idleSince = 0;
  #now = 0;
  #ahead: Buffer | null = null;
  #paused = false;
  #ended = false;
  #inFeed = false;
  #lingered = 0;
  /** Of the request body, since its window of time was opened. */
  #sentBytes = 0;
  /** What waited for the client when its window of time was opened. */
  #waitingBytes = 0;
  /** Body bytes of the response when a half-closed client was last looked at. */
  #heardOf = 0;
  #host: ClientHost = NO_HOST;
  #userAgent = "";
  /** Of the connection; -1: it has said nothing. */
  #firstByte = -1;
  /** Of a head that is not complete, in reads before this one. */
  #headBytes = 0;
  #speaksHttp2 = false;

  constructor(core: Core, listener: ListenerRuntime, socket: SocketPort, peer: PeerIdentity, surplus: Surplus) {
    this.#core = core;
    this.listener = listener;
    this.socket = socket;
    this.surplus = surplus;
    this.peer = peer;
    this.#parser = new RequestParser(listener.settings.heads, this);
    this.isStream = socket.carrier.protocol === "h2";
    if (!this.isStream) countConnection(core, peer);
    listener.connections.add(this);
    const now = core.clock.monotonic();
    this.#startedMs = now;
    if (listener.settings.tls !== null && socket.carrier.tls === null) {
      core.handshaking.add(this);
      this.#wait("handshake", listener.settings.handshakeMs, now);
    }
    // A connection that never says anything waits as long as one for its next request.
    else this.#secured(now);
  }

  /** Whom it is taken for from its next request on. */
  identifyAs(peer: PeerIdentity): void {
    if (!this.isStream) countAs(this.#core, this.peer, peer);
    this.peer = peer;
  }

  /** Gives its place to somebody else when it has been idle for a while; false: it is in use. */
  reclaim(now: number): boolean {
    if ((this.#phase !== "idle" && this.#phase !== "handshake") || now - this.#idleSince < RECLAIM_AFTER_MS)
      return false;
    this.#drop();
    // Its socket is told of later; until then it is not to be counted as giving a place once more.
    this.#phase = "closed";
    if (this.#core.handshaking.size > 0) this.#core.handshaking.delete(this);
    return true;
  }

  // ------------------------------------------------------------------ the socket

  /** The handshake is done; without TLS there is none, and this is not called. */
  onConnect(): void {
    if (this.#phase !== "handshake") return;
    this.#core.handshaking.delete(this);
    const { tls } = this.socket.carrier;
    const { handshakes } = this.#core.telemetry;
    if (tls?.refused !== undefined) handshakes.failed += 1;
    else if (tls?.resumed === true) handshakes.resumed += 1;
    else handshakes.full += 1;
    if (tls?.alpn === "h2") this.#handOver(0, NO_BYTES, 0, 0);
    else this.#secured(this.#core.clock.monotonic());
  }

  onData(bytes: Buffer, start: number, end: number): void {
    const now = this.#core.clock.monotonic();
    this.#now = now;
    this.#core.gather.begin(start, end);
    const exchange = this.#exchange;
    if (this.#phase === "tunnel" && exchange !== null) exchange.tunnel?.fromClient(bytes, start, end);
    else if (this.#phase === "linger") this.#throwAway(end - start);
    else if (exchange === null ? this.#phase === "write" : exchange.request.complete)
      this.#keepAhead(bytes, start, end);
    else this.#feed(bytes, start, end, now);
    this.#core.gather.flush();
    this.#exchange?.afterClientTurn(now);
  }

  onDrain(): void {
    const now = this.#core.clock.monotonic();
    this.#now = now;
    if (this.#phase === "write") this.#taken(now);
    else if (this.#phase === "linger") this.#wait("linger", LINGER_MS, now);
    else {
      if (this.#phase === "tunnel") this.#wait("tunnel", 0, now);
      this.#exchange?.clientDrained(now);
    }
    this.#core.gather.flush();
  }

  onFin(): void {
    const now = this.#core.clock.monotonic();
    this.#now = now;
    this.#ended = true;
    const exchange = this.#exchange;
    if (this.#phase === "tunnel") exchange?.tunnel?.clientFin();
    // With answers to take first, what was sent ahead comes after them, and the end after that.
    else if (exchange !== null || this.#phase !== "write") this.#afterLastByte(now);
    this.#core.gather.flush();
  }

  onError(error: SocketError): void {
    if (this.#phase === "handshake") this.#unsecured(handshakeFailure(error));
    else this.#gone(error.code);
  }

  onClose(): void {
    if (this.#core.handshaking.size > 0) this.#core.handshaking.delete(this);
    // Both sides of the client have ended in order: what it said last may still be on its way to the origin.
    if (this.#phase === "tunnel" && this.#ended) this.#exchange?.tunnel?.clientDone(this.#core.clock.monotonic());
    else this.#gone("FIN");
    this.#exchange = null;
    this.#phase = "closed";
    this.#leave();
    if (!this.isStream) uncountConnection(this.#core, this.peer);
  }

  onFault(error: unknown): void {
    this.#core.gather.discard();
    const exchange = this.#exchange;
    if (exchange === null) {
      this.#core.onFault(error);
      this.socket.destroy();
      return;
    }
    exchange.onFault(error);
  }

  onTimer(_timer: WheelTimer, now: number): void {
    this.#now = now;
    switch (this.#phase) {
      case "linger":
        if (this.socket.writing && this.#takesEnough(now)) return;
        this.#drop();
        return;
      case "idle":
        this.#drop();
        return;
      case "handshake":
        this.#unsecured(slowHandshake(this.listener.settings));
        this.#drop();
        return;
      case "head":
        this.#begin().fail("client.slow", slowHead(this.listener.settings), "receive", 0);
        break;
      case "body":
        this.#exchange?.fail("client.slow", slowBody(this.#sentBytes, this.listener.settings), "receive", 0);
        break;
      case "write":
      case "tunnel":
        if (this.#takesEnough(now)) break;
        this.#exchange?.clientTooSlow(
          slowReader(this.#waitingBytes - this.socket.waitingBytes, this.listener.settings),
        );
        this.#exchange = null;
        this.#reset();
        break;
      case "half closed":
        if (this.#heardOf !== (this.#exchange?.record.responseBytes ?? 0)) {
          this.#waitHalfClosed(now);
          break;
        }
        this.#gone(`FIN, and no response for ${this.listener.settings.halfClosedMs} ms`);
        this.socket.destroy();
        break;
      case "exchange":
      case "closed":
        break;
    }
    this.#core.gather.flush();
  }

  // ------------------------------------------------------------------ the parser

  onHead(head: MessageHead): void {
    this.#begin().receive(head, this.#now);
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    this.#sentBytes += end - start;
    this.#exchange?.receiveBody(bytes, start, end);
  }

  onEnd(): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    if (this.#phase === "body") this.#wait("exchange", 0, this.#now);
    if (exchange.request.complete) return;
    exchange.request.trailers = this.#parser.trailers;
    exchange.receiveEnd(this.#now);
  }

  onRefusal(id: RefusalId): void {
    // Behind an answer that closes the connection nothing counts any more.
    if (this.#phase === "linger" || this.#phase === "closed") return;
    // Whoever says it first of all speaks HTTP/2 with prior knowledge (RFC 9113 §3.3).
    if (id === "http2-preface" && this.uses === 0 && this.#firstByte === LETTER_P) {
      this.#speaksHttp2 = this.listener.settings.http2 !== null;
      if (this.#speaksHttp2) return;
    }
    const exchange = this.#exchange ?? this.#begin();
    exchange.refuse(id);
  }

  // ------------------------------------------------------------------ what HTTP/2 says of a stream

  /** It cannot be a request of HTTP/1.1, or the rest of one. */
  refuse(id: RefusalId): void {
    this.#now = this.#core.clock.monotonic();
    if (this.#phase === "idle") this.#startedMs = this.#now;
    this.onRefusal(id);
    this.#core.gather.flush();
  }

  /** It is not to be taken, whatever it asks for, and what says so is a frame and no answer. */
  refuseUnanswered(cause: CauseId, reason: RefusalId | "", evidence: string): void {
    this.#now = this.#core.clock.monotonic();
    this.#startedMs = this.#now;
    const exchange = this.#begin();
    exchange.record.reason = reason;
    exchange.refuseUnanswered(cause, evidence);
    this.#exchange = null;
    this.#linger(this.#now);
  }

  // ------------------------------------------------------------------ the exchange

  /** Its Host, or the authority of its target. */
  hostOf(head: MessageHead): ClientHost {
    const host = hostOf(head, this.#host);
    // Kept while the connection is; a name of no reasonable length is not worth that.
    if (host.field.length <= HOST_REMEMBERED) this.#host = host;
    return host;
  }

  userAgentOf(head: MessageHead): string {
    const userAgent = userAgentOf(head, this.#userAgent);
    if (userAgent !== "") this.#userAgent = userAgent;
    return userAgent;
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.socket.pause();
    // It is the origin or the replay buffer that the body waits for, not the client.
    if (this.#phase === "body") this.#wait("exchange", 0, this.#now);
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.socket.resume();
    this.waitForBody();
  }

  /** It is the client's turn to send the next bytes of its request. */
  waitForBody(): void {
    const exchange = this.#exchange;
    if (exchange === null || exchange.request.complete || exchange.request.awaitsContinue || this.#paused) return;
    if (this.#phase !== "exchange" && this.#phase !== "body") return;
    // The messages of a call come when there is something to say.
    if (exchange.request.streams) {
      if (this.#phase === "body") this.#wait("exchange", 0, this.#now);
      return;
    }
    // The window stays open until enough has come: a byte now and then must not move its end.
    if (this.#phase === "body" && this.#sentBytes < this.listener.settings.sentBytesMin) return;
    this.#sentBytes = 0;
    this.#wait("body", this.listener.settings.bodyGapMs, this.#core.clock.monotonic());
  }

  /** The response waits until the client takes more of it. */
  waitForWrite(now: number): void {
    this.#waitingBytes = this.socket.waitingBytes;
    // Both ends of a tunnel may be silent for as long as they like, but what one says the other has to take.
    this.#wait(this.#phase === "tunnel" ? "tunnel" : "write", this.listener.settings.bodyGapMs, now);
  }

  /** The response begins: a half-closed client is not given up any more. */
  responseBegins(now: number): void {
    if (this.#phase !== "half closed") return;
    this.#wait("exchange", 0, now);
    this.#waitHalfClosed(now);
  }

  becomeTunnel(): void {
    this.#wait("tunnel", 0, this.#now);
    const ahead = this.#ahead;
    this.#ahead = null;
    if (ahead !== null) this.#exchange?.tunnel?.fromClient(ahead, 0, ahead.length);
    if (this.#ended) {
      this.#core.gather.flush();
      this.#exchange?.tunnel?.clientFin();
    }
    this.resume();
  }

  tunnelDone(): void {
    this.#exchange = null;
    if (this.#phase !== "closed") this.#close();
  }

  /** The exchange is answered. Its bytes may still wait in the socket. */
  exchangeDone(keepAlive: boolean, requestComplete: boolean, now: number): void {
    this.#exchange = null;
    this.uses += 1;
    // A request that was sent ahead begins now, whenever its bytes came.
    this.#now = now;
    // A stream has one request. What comes behind it, meant for a tunnel that was not granted, is nobody's next one.
    if (!keepAlive || this.listener.draining || this.isStream) {
      this.#core.gather.flush();
      if (requestComplete || this.#ended) this.#close();
      else this.#linger(now);
      return;
    }
    this.#wait("idle", this.listener.settings.idleMs, now);
    // A response that came back inside the read of its request: that read goes on by itself.
    if (!this.#inFeed) this.#next(now);
  }

  /** The response is broken: end it so that it does not look complete. */
  cut(reset: boolean): void {
    this.#exchange = null;
    this.#core.gather.flush();
    if (reset) this.#reset();
    else this.#linger(this.#core.clock.monotonic());
  }

  /** For a drain: closes it when nothing is under way, unless it has come or been answered after `since`. */
  closeIfIdle(since = Infinity): void {
    if (this.#idleSince > since) return;
    const answered = this.#exchange === null && this.#phase === "write" && this.#ahead === null;
    if (this.#phase === "handshake") this.#drop();
    else if (this.#phase === "idle" || answered) this.#close();
  }

  get isTunnel(): boolean {
    return this.#phase === "tunnel";
  }

  /** For a drain: nobody waits for the end of a tunnel. Who is told again hears nothing. */
  tellTunnel(): void {
    if (this.#phase === "tunnel") this.#exchange?.tellTunnel();
  }

  /** For the end of a drain: closes it whatever is under way. */
  cutForDrain(): void {
    this.#underWay()?.fail("gw.draining", "its time to finish had run out", "relay", 0);
    this.#core.gather.flush();
    this.#drop();
  }

  // ------------------------------------------------------------------ inside

  /** Whatever has to be agreed on before a request is agreed on. */
  #secured(now: number): void {
    const { tls } = this.socket.carrier;
    if (tls !== null) this.tls = clientTlsOf(tls);
    this.#wait("idle", this.listener.settings.idleMs, now);
  }

  /** No request will come. A record says why, or a count where there are too many. */
  #unsecured(failure: HandshakeFailure): void {
    const now = this.#core.clock.monotonic();
    this.#now = now;
    this.#core.handshaking.delete(this);
    this.#core.telemetry.handshakes.failed += 1;
    if (this.#core.handshakeRecords.take(now)) this.#begin().refuseHandshake(failure);
    else countCause(this.#core.telemetry.unrouted.byCause, failure.cause);
    this.#exchange = null;
    this.#core.gather.flush();
    this.#linger(now);
  }

  /** A request whose head is not complete leaves a record as well. */
  #underWay(): Exchange | null {
    if (this.#phase !== "head") return this.#exchange;
    this.#now = this.#core.clock.monotonic();
    return this.#begin();
  }

  #begin(): Exchange {
    const exchange = new Exchange(this.#core, this, this.#startedMs, this.#now);
    this.#exchange = exchange;
    this.#wait("exchange", 0, this.#now);
    return exchange;
  }

  #feed(bytes: Buffer, start: number, end: number, now: number): void {
    this.#inFeed = true;
    let at = start;
    while (at < end) {
      if (this.#exchange === null && this.#phase === "idle") {
        this.#startedMs = now;
        if (this.uses === 0 && this.#firstByte === -1) this.#firstByte = bytes[at] ?? 0;
        this.#wait("head", this.listener.settings.headMs, now);
      }
      at = this.#parser.execute(bytes, at, end);
      if (this.#speaksHttp2) {
        this.#inFeed = false;
        this.#handOver(PREFACE_LINE_BYTES, bytes, start + PREFACE_LINE_BYTES - this.#headBytes, end);
        return;
      }
      const exchange = this.#exchange;
      if (this.#phase === "linger" || this.#phase === "closed") break;
      // The gateway's own answers to requests sent ahead leave one by one, so that it shows when they are not taken.
      if (exchange === null && at < end) this.#core.gather.flush();
      if (exchange === null ? this.socket.writing : exchange.request.complete) {
        if (at < end) this.#keepAhead(bytes, at, end);
        break;
      }
    }
    this.#inFeed = false;
    if (this.#phase === "head") this.#headBytes += end - start;
    if (this.#exchange !== null) this.waitForBody();
    else if (this.#phase === "idle" && this.socket.writing) this.#waitUntilTaken(now);
  }

  /** It is HTTP/2 from here on. The first line of its preface may have been read as a request's, maybe in pieces. */
  #handOver(prefaceSeen: number, bytes: Buffer, start: number, end: number): void {
    this.#phase = "closed";
    this.#leave();
    this.listener.handOver(this, prefaceSeen, bytes, start, end);
  }

  /** Nothing waits for it, and nobody finds it, any more. */
  #leave(): void {
    this.#core.wheel.remove(this.#timer);
    this.listener.connections.delete(this);
  }

  /** The next request, if the client sent it ahead. */
  #next(now: number): void {
    if (this.socket.writing) {
      this.#waitUntilTaken(now);
      return;
    }
    const ahead = this.#ahead;
    this.#ahead = null;
    this.resume();
    if (ahead !== null) {
      this.#core.gather.beginKept();
      this.#feed(ahead, 0, ahead.length, now);
      this.#core.gather.flush();
      this.#exchange?.afterClientTurn(now);
    }
    if (this.#ended && this.#phase !== "write") this.#afterLastByte(now);
  }

  /** Whoever asks on and does not take the answers waits: otherwise they would pile up here. */
  #waitUntilTaken(now: number): void {
    this.pause();
    this.#waitingBytes = this.socket.waitingBytes;
    this.#wait("write", this.listener.settings.bodyGapMs, now);
  }

  /** The client has taken everything that waited for it. */
  #taken(now: number): void {
    const exchange = this.#exchange;
    if (exchange === null) {
      this.#wait("idle", this.listener.settings.idleMs, now);
      this.#next(now);
      return;
    }
    this.#wait("exchange", 0, now);
    if (this.#ended) this.#waitHalfClosed(now);
    exchange.clientDrained(now);
  }

  /** The client's FIN, when all bytes before it have been read. */
  #afterLastByte(now: number): void {
    const exchange = this.#exchange;
    if (exchange !== null && exchange.request.complete) {
      this.#waitHalfClosed(now);
      return;
    }
    const truncated = this.#phase === "linger" || this.#phase === "closed" ? null : this.#parser.finish();
    if (truncated === null) this.#close();
    else this.onRefusal(truncated);
  }

  /**
   * It may only have closed its sending side (`nc -N` does), or be gone; TCP does not tell them apart. So it is
   * answered for a while, and then it counts as gone. Once a response has begun its own limit is enough, unless it
   * has none (events): then silence of the same length decides.
   */
  #waitHalfClosed(now: number): void {
    const exchange = this.#exchange;
    if (exchange === null || (exchange.response.begun && !exchange.endless)) return;
    this.#heardOf = exchange.record.responseBytes;
    this.#wait("half closed", this.listener.settings.halfClosedMs, now);
  }

  #keepAhead(bytes: Buffer, start: number, end: number): void {
    const piece = Buffer.from(bytes.subarray(start, end));
    this.#ahead = this.#ahead === null ? piece : Buffer.concat([this.#ahead, piece]);
    if (this.#ahead.length >= AHEAD_BYTES) this.pause();
  }

  #wait(phase: Phase, limitMs: number, now: number): void {
    this.#phase = phase;
    if (phase === "idle" || phase === "handshake") this.#idleSince = now;
    if (limitMs > 0) this.#core.wheel.arm(this.#timer, now, limitMs);
    else this.#core.wheel.disarm(this.#timer);
  }

  /** Everything owed has been written: FIN, and the peer's FIN is awaited for a moment. */
  #close(): void {
    this.#core.gather.flush();
    // Not `#now`, which is when this client was last heard: a slow response would have used up its time to linger.
    this.#linger(this.#core.clock.monotonic());
  }

  /**
   * FIN, then reading on for a while: closing with unread bytes would send RST, and RST takes back what the client
   * has not read yet (RFC 9112 §9.6).
   */
  #linger(now: number): void {
    this.socket.end();
    this.#waitingBytes = this.socket.waitingBytes;
    this.#ahead = null;
    this.resume();
    this.#wait("linger", this.socket.writing ? this.listener.settings.bodyGapMs : LINGER_MS, now);
  }

  /** RST; should bytes still come out of this very read, they count for nothing. */
  #reset(): void {
    this.#wait("linger", 0, this.#now);
    this.socket.reset();
  }

  /** Whoever takes what waits, however slowly a connection lets it, is not cut; a new window begins. */
  #takesEnough(now: number): boolean {
    const waiting = this.socket.waitingBytes;
    const { takenBytesMin, bodyGapMs } = this.listener.settings;
    if (this.#waitingBytes - waiting < takenBytesMin) return false;
    this.#waitingBytes = waiting;
    this.#wait(this.#phase, bodyGapMs, now);
    return true;
  }

  #throwAway(length: number): void {
    this.#lingered += length;
    if (this.#lingered > LINGER_BYTES) this.#drop();
  }

  /**
   * Closes at once. By RST while bytes wait: the FIN of a plain close behind a part of them would make a body that ends
   * with its connection look whole.
   */
  #drop(): void {
    if (this.socket.writing) this.socket.reset();
    else this.socket.destroy();
  }

  #gone(how: string): void {
    const exchange = this.#underWay();
    this.#exchange = null;
    exchange?.clientGone(how);
  }
}

const HOST_REMEMBERED = 256;
