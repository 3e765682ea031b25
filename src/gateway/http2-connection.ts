/**
 * Receive, for HTTP/2: one connection from a client, on which each request is a stream. A stream is a socket to the
 * gateway (http2/stream-port.ts), so each gets a `ClientConnection` of its own and everything behind that is the same.
 * Here is what belongs to the connection as a whole: it is counted once, it may be idle, silent or deaf for so long, it
 * is drained, and it leaves a record when it has to be ended.
 */
import type { RefusalId } from "../http1/refusals.ts";
import { WINDOW_BYTES } from "../http2/frames.ts";
import { ServerSession } from "../http2/server-session.ts";
import type { SessionFault, SessionHost } from "../http2/server-session.ts";
import type { StreamPort } from "../http2/stream-port.ts";
import type { SocketError, SocketListener, SocketPort } from "../kernel/socket.ts";
import { WheelTimer } from "../kernel/timer-wheel.ts";
import type { TimerOwner } from "../kernel/timer-wheel.ts";
import type { Http2Settings } from "../config/settings.ts";
import { nobodysSocket } from "./absent-client.ts";
import { ClientConnection } from "./client-connection.ts";
import type { ListenerRuntime, Surplus } from "./listener-runtime.ts";
import { countAs, uncountConnection } from "./connection-count.ts";
import type { Core } from "./core.ts";
import type { PeerIdentity } from "./identify.ts";

/** After our last word: how long the client may take to close. */
const LINGER_MS = 2_000;
/** A client that asked a moment ago is likely to ask again. */
const RECLAIM_AFTER_MS = 1_000;
/** A drained client answers our ping in a round trip; one that does not has had its time. */
const DRAIN_PING_MS = 1_000;
/** Requests that wait for their client have the same limit and know better whose fault it is, so they come first. */
const WRITE_MORE_MS = 1_000;

/** Of a listener whose HTTP/2 was switched off while the client was agreeing on it. */
const CLOSED: Http2Settings = {
  streamsMax: 1,
  windowBytes: WINDOW_BYTES,
  resetsPerMinute: 1,
  idleFramesPerMinute: 100,
};

type Wait = "nothing" | "head" | "write" | "idle" | "end";

export class Http2Connection implements SocketListener, SessionHost, TimerOwner {
  readonly listener: ListenerRuntime;
  readonly socket: SocketPort;
  peer: PeerIdentity;
  readonly surplus: Surplus;
  readonly #core: Core;
  readonly #session: ServerSession;
  readonly #timer: WheelTimer = new WheelTimer(this);
  readonly #drainTimer: WheelTimer = new WheelTimer(this);
  readonly #settleSoon: () => void;
  #wait: Wait = "nothing";
  #idleSince = 0;
  /** What waited for the client when its window of time was opened. */
  #waitingBytes = 0;
  #isClosed = false;

  /** `connection` is counted already. `prefaceSeen`: bytes of the client's preface that were read as HTTP/1.1. */
  constructor(core: Core, { listener, socket, peer, surplus }: ClientConnection, prefaceSeen: number) {
    this.#core = core;
    this.listener = listener;
    this.socket = socket;
    this.peer = peer;
    this.surplus = surplus;
    this.#settleSoon = () => {
      this.#session.settle();
      this.#watch();
    };
    const { http2, heads } = listener.settings;
    this.#session = new ServerSession(socket, { ...(http2 ?? CLOSED), heads }, this);
    listener.sessions.add(this);
    this.#session.begin(prefaceSeen);
    this.later();
    this.#watch();
  }

  /** Whom it is taken for from its next request on; its streams are told by themselves. */
  identifyAs(peer: PeerIdentity): void {
    countAs(this.#core, this.peer, peer);
    this.peer = peer;
  }

  /** Gives its place to somebody else when it has been idle for a while; false: it is in use. */
  reclaim(now: number): boolean {
    if (this.#wait !== "idle" || now - this.#idleSince < RECLAIM_AFTER_MS) return false;
    this.#session.end("NO_ERROR", "");
    this.socket.destroy();
    return true;
  }

  /** The gateway stops: what is under way is finished, and what the client has sent before it hears of that as well. */
  drain(): void {
    if (this.#session.draining || this.#session.over) return;
    this.#session.drain();
    this.#core.wheel.arm(this.#drainTimer, this.#core.clock.monotonic(), DRAIN_PING_MS);
  }

  /** For the end of a drain. Its requests have been told. */
  cutForDrain(): void {
    this.#session.end("NO_ERROR", "");
    this.socket.destroy();
  }

  // ------------------------------------------------------------------ the socket

  onConnect(): void {
    // Accepted connections are connected.
  }

  onData(bytes: Buffer, start: number, end: number): void {
    this.#session.onData(bytes, start, end);
    this.#watch();
  }

  onDrain(): void {
    this.#session.onDrain();
    this.#watch();
  }

  onFin(): void {
    this.onError({ code: "FIN", syscall: "read" });
  }

  onError(error: SocketError): void {
    this.#session.onGone(error);
    this.#watch();
  }

  onClose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#session.onGone({ code: "FIN", syscall: "read" });
    this.#core.wheel.remove(this.#timer);
    this.#core.wheel.remove(this.#drainTimer);
    uncountConnection(this.#core, this.peer);
    this.listener.sessions.delete(this);
  }

  onFault(error: unknown): void {
    this.#core.gather.discard();
    this.#core.onFault(error);
    this.socket.destroy();
  }

  onTimer(timer: WheelTimer, now: number): void {
    if (timer === this.#drainTimer) this.#session.stopTaking();
    else this.#onWaited(now);
    this.#core.gather.flush();
  }

  #onWaited(now: number): void {
    const { headMs, bodyGapMs, takenBytesMin } = this.listener.settings;
    switch (this.#wait) {
      case "head":
        this.#leaveRecord(
          "client.slow",
          "",
          `a header block, or what stands before the first, was not complete after ${headMs} ms`,
        );
        this.#session.end("NO_ERROR", "too slow");
        break;
      case "write": {
        const waiting = this.socket.waitingBytes;
        if (this.#waitingBytes - waiting >= takenBytesMin) {
          this.#waitingBytes = waiting;
          this.#core.wheel.arm(this.#timer, now, bodyGapMs + WRITE_MORE_MS);
          return;
        }
        this.#session.onGone({ code: `nothing was taken for ${bodyGapMs + WRITE_MORE_MS} ms`, syscall: "write" });
        this.socket.reset();
        break;
      }
      case "idle":
        this.#session.end("NO_ERROR", "");
        break;
      case "end":
        if (this.socket.writing) this.socket.reset();
        else this.socket.destroy();
        break;
      case "nothing":
    }
    this.#watch();
  }

  // ------------------------------------------------------------------ the session

  now(): number {
    return this.#core.clock.monotonic();
  }

  later(): void {
    this.#core.soon(this.#settleSoon);
  }

  onStream(stream: StreamPort): SocketListener {
    const connection = new ClientConnection(this.#core, this.listener, stream, this.peer, this.surplus);
    connection.uses = this.#session.streamsTaken - 1;
    // One answer, which says why, and no more.
    if (this.surplus !== null || this.socket.carrier.tls?.refused !== undefined) this.#goAway();
    return connection;
  }

  onMalformed(stream: StreamPort, id: RefusalId): void {
    if (stream.listener instanceof ClientConnection) stream.listener.refuse(id);
  }

  onSurplus(stream: StreamPort, evidence: string): void {
    if (stream.listener instanceof ClientConnection) stream.listener.refuseUnanswered("client.flood", "", evidence);
  }

  onBroken(fault: SessionFault): void {
    const { error, evidence, isAbuse } = fault;
    if (isAbuse) this.#leaveRecord("client.flood", "", evidence);
    else this.#leaveRecord("client.bad_request", "h2-broken", `${error}: ${evidence}`);
  }

  onDone(): void {
    // The socket has been told to end; what is left is to wait for its client.
  }

  onDefect(error: unknown): void {
    this.#core.onFault(error);
  }

  /** 16 bytes, of which it matters only that they are other ones each time (RFC 6455 §4.1). */
  websocketKey(): string {
    return Buffer.from(this.#core.newId(), "hex").toString("base64");
  }

  // ------------------------------------------------------------------ inside

  #goAway(): void {
    this.#session.drain();
    this.#session.stopTaking();
  }

  /** What the connection is waited for now. A wait that goes on keeps the time at which it began. */
  #watch(): void {
    const session = this.#session;
    let wait: Wait = "nothing";
    if (session.over) wait = "end";
    else if (this.socket.writing) wait = "write";
    else if (session.midHead) wait = "head";
    else if (session.openStreams === 0) wait = "idle";
    if (wait === this.#wait || this.#isClosed) return;
    this.#wait = wait;
    const { wheel, clock } = this.#core;
    if (wait === "nothing") {
      wheel.disarm(this.#timer);
      return;
    }
    const now = clock.monotonic();
    const { headMs, idleMs, bodyGapMs } = this.listener.settings;
    if (wait === "idle") this.#idleSince = now;
    if (wait === "write") this.#waitingBytes = this.socket.waitingBytes;
    const limitMs = { head: headMs, idle: idleMs, write: bodyGapMs + WRITE_MORE_MS, end: LINGER_MS }[wait];
    wheel.arm(this.#timer, now, limitMs);
  }

  /** The connection itself did something that no request of it did. */
  #leaveRecord(
    cause: "client.slow" | "client.flood" | "client.bad_request",
    reason: RefusalId | "",
    evidence: string,
  ): void {
    const nobody = nobodysSocket(this.socket, this.#session.carrier);
    const connection = new ClientConnection(this.#core, this.listener, nobody, this.peer, null);
    connection.uses = this.#session.streamsTaken;
    if (reason !== "") this.#core.telemetry.refused(reason);
    connection.refuseUnanswered(cause, reason, evidence);
    connection.onClose();
  }
}
