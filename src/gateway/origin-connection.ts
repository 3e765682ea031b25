/**
 * One connection to an origin, from dialling to its end. It carries one exchange at a time and is used again
 * only when nothing about its framing is in doubt: the response ended where its head said, nothing followed, and
 * the request had left whole.
 */
import type { AttemptRecord } from "../contract/record.ts";
import type { MessageHead } from "../http1/head.ts";
import type { MessageEvents } from "../http1/parser.ts";
import { ResponseParser } from "../http1/parser.ts";
import type { RefusalId } from "../http1/refusals.ts";
import type { SocketError, SocketListener, SocketPort, Transport } from "../kernel/socket.ts";
import type { TimerOwner } from "../kernel/timer-wheel.ts";
import { WheelTimer } from "../kernel/timer-wheel.ts";
import type { Core } from "./core.ts";
import type { Ending } from "./judge.ts";
import type { Opening } from "./opening.ts";
import type { OriginAddress } from "./origin-address.ts";

/** What an attempt hears from the connection that works for it. */
export interface AttemptOwner {
  readonly attempt: AttemptRecord;
  /** The whole request has been handed to the connection. */
  readonly requestSent: boolean;
  /** Monotonic ms of the start of the exchange; times in the record count from it. */
  readonly startedMs: number;
  onOriginConnected(connection: OriginConnection, now: number): void;
  /** TCP is connected, and TLS is being agreed on. */
  onOriginReached(connection: OriginConnection, now: number): void;
  onInterim(head: MessageHead): void;
  /** The final head. False: the attempt is over and the connection will be closed. */
  onResponseHead(connection: OriginConnection, head: MessageHead, now: number): boolean;
  onResponseBody(bytes: Buffer, start: number, end: number): void;
  /** The response is complete; the connection is no longer this exchange's. */
  onResponseEnd(connection: OriginConnection, now: number): void;
  /** After 101: bytes of the new protocol. */
  onTunnelBytes(bytes: Buffer, start: number, end: number): void;
  /** After 101: the origin's FIN. */
  onTunnelFin(): void;
  onOriginDrain(now: number): void;
  /** Neither connected nor answered after the time that was said to be late. */
  onLate(connection: OriginConnection, now: number): void;
  /** The attempt ended before its response was complete. The connection is no longer this exchange's. */
  onAttemptEnded(connection: OriginConnection, ending: Ending, now: number): void;
  /** A call above threw, which only a defect of ours does. The connection is closed. */
  onFault(error: unknown): void;
  /** After each read, when everything gathered has left: time to stop reading if the client is slow. */
  onOriginTurnEnd(connection: OriginConnection, now: number): void;
}

/** What the timer of a connection is waiting for. */
export type Waiting = "connect" | "handshake" | "first byte" | "late" | "gap" | "write" | "idle";

export class OriginConnection implements SocketListener, MessageEvents, TimerOwner {
  readonly address: OriginAddress;
  readonly socket: SocketPort;
  /** The client's connection that it may be used for; empty: any. */
  readonly whose: string;
  /** How it was made. */
  readonly transport: Transport | null;
  /** Among those of its address. */
  older: OriginConnection | null = null;
  newer: OriginConnection | null = null;
  state: "connecting" | "busy" | "idle" | "tunnel" | "closed" = "connecting";
  uses = 0;
  connectedAt = 0;
  idleSince = 0;
  headSeen = false;
  /** A byte of the final response has come; those of interim ones (100, 103) answer nothing. */
  answering = false;
  /** Bytes that followed the end of the last response: they belong to nobody. */
  extraBytes = 0;
  framing: "none" | "length" | "chunked" | "close" = "none";
  /** The limit behind the timer, ms; 0: none. */
  limitMs = 0;
  /** What it was when the attempt ended. */
  limitMsAtEnd = 0;
  readonly #core: Core;
  readonly #parser: ResponseParser;
  readonly #timer: WheelTimer = new WheelTimer(this);
  #owner: AttemptOwner | null;
  #waiting: Waiting = "connect";
  #reusable = true;
  #complete = false;
  #paused = false;
  #now = 0;
  /** What waited for the origin when its time began. */
  #waitingBytes = 0;
  /** The read that is under way. */
  #bytes: Buffer | null = null;
  #bytesEnd = 0;

  /** `opening`: what it begins with, and whose it is from then on; null: nothing, and everybody's. */
  constructor(
    core: Core,
    address: OriginAddress,
    owner: AttemptOwner,
    opening: Opening | null,
    connectMs: number,
    now: number,
  ) {
    this.#core = core;
    this.address = address;
    this.transport = address.transport;
    this.#owner = owner;
    this.#parser = new ResponseParser(address.headLimits, this);
    address.opened(this);
    this.wait("connect", connectMs, now);
    this.whose = opening === null ? "" : opening.whose;
    this.socket = opening === null ? core.dial(address, this) : core.dial(address, this, opening.header);
  }

  /** An idle connection begins to work for an exchange. */
  assign(owner: AttemptOwner): void {
    this.#owner = owner;
    this.state = "busy";
    this.#core.wheel.disarm(this.#timer);
  }

  /** Before the request's head leaves. A response to HEAD has no body whatever it declares, so the method counts. */
  expect(method: string): void {
    this.headSeen = false;
    this.answering = false;
    this.framing = "none";
    this.#complete = false;
    this.#parser.expect(method);
  }

  wait(what: Waiting, limitMs: number, now: number): void {
    this.#waiting = what;
    this.limitMs = limitMs;
    if (what === "write") this.#waitingBytes = this.socket.waitingBytes;
    if (limitMs > 0) this.#core.wheel.arm(this.#timer, now, limitMs);
    else this.#core.wheel.disarm(this.#timer);
  }

  /** As `wait`, of which `elapsedMs` are over. */
  waitOn(what: Waiting, limitMs: number, elapsedMs: number, now: number): void {
    this.#waiting = what;
    this.limitMs = limitMs;
    if (limitMs > 0) this.#core.wheel.arm(this.#timer, now, Math.max(0, limitMs - elapsedMs));
    else this.#core.wheel.disarm(this.#timer);
  }

  stopWaiting(): void {
    this.limitMs = 0;
    this.#core.wheel.disarm(this.#timer);
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.socket.resume();
  }

  /** Whether the whole body behind a head came in the same read as the head, of whose end there is no doubt then. */
  holdsBodyOf(head: MessageHead): boolean {
    return head.bytes === this.#bytes && head.headEnd + head.contentLength <= this.#bytesEnd;
  }

  /** From now on bytes belong to the protocol that the 101 agreed on. */
  becomeTunnel(): void {
    this.state = "tunnel";
    this.#reusable = false;
    this.stopWaiting();
  }

  /** The exchange needs it no longer. RST, so that the origin does not take a cut request for a complete one. */
  abandon(): void {
    this.#owner = null;
    if (this.state === "connecting") this.socket.destroy();
    else this.socket.reset();
  }

  /** It lies idle, or its address is no longer used: closed without ceremony, and out of reach at once. */
  retire(): void {
    this.address.forgetIdle(this);
    this.socket.destroy();
  }

  get trailers(): readonly { readonly name: string; readonly value: string }[] | null {
    return this.#parser.trailers;
  }

  onHandshake(): void {
    this.#owner?.onOriginReached(this, this.#core.clock.monotonic());
  }

  onConnect(): void {
    const now = this.#core.clock.monotonic();
    this.state = "busy";
    this.connectedAt = now;
    const { shared } = this.socket.carrier;
    if (shared === undefined || shared === null || shared.uses === 0) this.address.connectedAt = now;
    if (shared !== undefined && shared !== null) this.address.shares(shared);
    const { certificate } = this.socket.carrier;
    if (certificate !== undefined && certificate !== null) this.address.showed(certificate);
    this.stopWaiting();
    this.#owner?.onOriginConnected(this, now);
    this.#core.gather.flush();
  }

  onData(bytes: Buffer, start: number, end: number): void {
    const now = this.#core.clock.monotonic();
    this.#now = now;
    const owner = this.#owner;
    this.#core.gather.begin(start, end);
    if (owner === null) {
      // Nobody asked: an answer to nothing (a 408 before closing), or an attempt to poison the next exchange.
      this.retire();
      return;
    }
    if (this.state === "tunnel") {
      owner.onTunnelBytes(bytes, start, end);
      if (this.limitMs > 0 && this.#waiting === "gap") this.#core.wheel.arm(this.#timer, now, this.limitMs);
    } else {
      this.#respond(owner, bytes, start, end, now);
    }
    this.#core.gather.flush();
    owner.onOriginTurnEnd(this, now);
  }

  #respond(owner: AttemptOwner, bytes: Buffer, start: number, end: number, now: number): void {
    owner.attempt.receivedBytes += end - start;
    this.#bytes = bytes;
    this.#bytesEnd = end;
    const consumed = this.#parser.execute(bytes, start, end);
    this.answering = this.headSeen || !this.#parser.idle;
    if (this.answering) noteFirstByte(owner, now);
    if (this.#complete) {
      if (consumed < end) {
        this.#reusable = false;
        this.extraBytes = end - consumed;
      }
      this.#finish(owner, now);
    } else if (this.state === "tunnel") {
      if (consumed < end) owner.onTunnelBytes(bytes, consumed, end);
    } else if (this.headSeen && this.#owner === owner && this.limitMs > 0) {
      this.#core.wheel.arm(this.#timer, now, this.limitMs);
    }
  }

  onHead(head: MessageHead): void {
    const owner = this.#owner;
    if (owner === null) {
      this.#parser.stop = true;
      return;
    }
    if (head.status < 200 && head.status !== 101) {
      owner.onInterim(head);
      return;
    }
    noteFirstByte(owner, this.#now);
    this.headSeen = true;
    this.framing = head.framing;
    if (!head.keepAlive || head.framing === "close") this.#reusable = false;
    if (!owner.onResponseHead(this, head, this.#now)) this.#parser.stop = true;
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    this.#owner?.onResponseBody(bytes, start, end);
  }

  /** The parser saw the end of the response. Acted on when its call returns: bytes may follow that must not. */
  onEnd(): void {
    this.#complete = true;
  }

  onRefusal(id: RefusalId): void {
    if (this.#owner !== null) noteFirstByte(this.#owner, this.#now);
    this.#end({ kind: "refusal", id }, this.#now);
  }

  onDrain(): void {
    const now = this.#core.clock.monotonic();
    this.#owner?.onOriginDrain(now);
    this.#core.gather.flush();
  }

  onFin(): void {
    const now = this.#core.clock.monotonic();
    this.#now = now;
    const owner = this.#owner;
    if (owner === null) {
      if (this.state === "idle") this.address.closedWhileIdle(now - this.idleSince, now);
      this.retire();
      return;
    }
    if (this.state === "tunnel") {
      owner.onTunnelFin();
      return;
    }
    this.#reusable = false;
    // Only the end of the connection would say where such a body ends, and this one may not be the origin's.
    if (this.headSeen && this.framing === "close" && this.socket.cutOff === true) {
      this.#end({ kind: "error", error: NOT_ANNOUNCED }, now);
      return;
    }
    const truncated = this.#parser.finish();
    if (truncated === null && this.#complete) {
      this.#finish(owner, now);
      this.#core.gather.flush();
      owner.onOriginTurnEnd(this, now);
    } else this.#end({ kind: "fin" }, now);
  }

  onError(error: SocketError): void {
    const now = this.#core.clock.monotonic();
    if (this.state === "idle") {
      this.address.closedWhileIdle(now - this.idleSince, now);
      this.address.forgetIdle(this);
    }
    this.#end({ kind: "error", error }, now);
  }

  onClose(): void {
    const now = this.#core.clock.monotonic();
    this.#core.wheel.remove(this.#timer);
    // Normally the reason came before; a close without one is a connection that ended without a word.
    this.#end({ kind: "fin" }, now);
    this.state = "closed";
    this.address.closed(this);
  }

  onFault(error: unknown): void {
    const owner = this.#owner;
    this.#owner = null;
    this.socket.destroy();
    if (owner === null) this.#core.onFault(error);
    else owner.onFault(error);
  }

  onTimer(_timer: WheelTimer, now: number): void {
    switch (this.#waiting) {
      case "idle":
        this.retire();
        return;
      case "write":
        // It takes what waits, slowly: its time begins anew.
        if (this.socket.waitingBytes < this.#waitingBytes) {
          this.wait("write", this.limitMs, now);
          return;
        }
        this.#end({ kind: "timeout", what: "write" }, now);
        return;
      case "late":
        this.#owner?.onLate(this, now);
        this.#core.gather.flush();
        return;
      case "connect":
      case "handshake":
      case "first byte":
      case "gap":
        this.#end({ kind: "timeout", what: this.#waiting }, now);
    }
  }

  /** Complete response: back to the pool, or closed. */
  #finish(owner: AttemptOwner, now: number): void {
    this.#complete = false;
    this.#owner = null;
    this.stopWaiting();
    if (this.#reusable && owner.requestSent && !this.socket.writing && this.#parser.idle) {
      this.resume();
      this.state = "idle";
      this.idleSince = now;
      this.uses += 1;
      this.address.release(this, now);
    } else {
      this.socket.destroy();
    }
    owner.onResponseEnd(this, now);
  }

  #end(ending: Ending, now: number): void {
    const owner = this.#owner;
    if (owner === null) return;
    this.#owner = null;
    this.limitMsAtEnd = this.limitMs;
    this.stopWaiting();
    if (this.state === "tunnel" || ending.kind !== "timeout") this.socket.destroy();
    else this.socket.reset();
    owner.onAttemptEnded(this, ending, now);
    this.#core.gather.flush();
  }
}

/** RFC 9112 §9.8: an unannounced end makes a response without a length incomplete. */
const NOT_ANNOUNCED: SocketError = { code: "no close_notify", syscall: "tls" };

/** Of the answer: early hints say nothing about how long that takes. */
function noteFirstByte(owner: AttemptOwner, now: number): void {
  const { attempt } = owner;
  if (attempt.firstByteUs === -1) attempt.firstByteUs = toUs(now - owner.startedMs);
}

export function toUs(ms: number): number {
  return Math.round(ms * 1000);
}
