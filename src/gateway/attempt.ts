/**
 * One try of an exchange at one address: it gets itself a connection, sends the request there, waits within the
 * limits of its route, and says what came of it. What follows from that is its exchange's to decide. An exchange
 * usually has one at a time.
 */
import type { AttemptRecord } from "../contract/record.ts";
import { FIELD } from "../http1/field-ids.ts";
import type { MessageHead } from "../http1/head.ts";
import { writeChunkHead } from "../http1/writer.ts";
import { CAUSES } from "../kernel/causes.ts";
import type { Leaving } from "../policies/adaptive-limit.ts";
import { slowFromMs } from "../policies/ejection-slowness.ts";
import type { PinSign } from "../policies/pinning.ts";
import { brokeNewConnection, factsOf } from "./attempt-facts.ts";
import type { AttemptHost, ResponseHearer } from "./attempt-host.ts";
import type { Core } from "./core.ts";
import { earlierLine } from "./earlier-calls.ts";
import { signsOfAnswer, signsOfEnding } from "./failure-signs.ts";
import type { Asked, FirstByteWait } from "./first-byte-wait.ts";
import { acceptsTrailers, forwardsUpgrade, writeRequestHead } from "./forward-request.ts";
import { writeLastChunk } from "./forward-response.ts";
import { gatewayLines } from "./identify.ts";
import { grpcStatusInTrailers, judgeGrpc } from "./judge-grpc.ts";
import type { AnswerJudgement } from "./judge-response.ts";
import { judgeAttempt } from "./judge.ts";
import type { Ending, Judgement } from "./judge.ts";
import { newAttemptRecord } from "./new-record.ts";
import { openingFor } from "./opening.ts";
import type { OriginAddress } from "./origin-address.ts";
import { OriginConnection, toUs } from "./origin-connection.ts";
import type { AttemptOwner } from "./origin-connection.ts";
import { readHeadAgain } from "./read-head-again.ts";
import type { Tunnel } from "./tunnel.ts";

export class Attempt implements AttemptOwner, FirstByteWait {
  readonly attempt: AttemptRecord;
  readonly address: OriginAddress;
  readonly startedMs: number;
  /** The whole request has been handed to the connection. */
  requestSent = false;
  /** Null before there is one, while it is waited for, and after the end. */
  connection: OriginConnection | null = null;
  /** A final response head came. */
  headSeen = false;
  /** After a 101. */
  tunnel: Tunnel | null = null;
  ended = false;
  readonly beganMs: number;
  turnMs = -1;
  readonly nth: number;
  pin: PinSign = "unknown";
  toldSlow = false;
  older: FirstByteWait | null = null;
  newer: FirstByteWait | null = null;
  readonly #core: Core;
  readonly #host: AttemptHost;
  /** Its host, unless another takes the response. */
  #hearer: ResponseHearer;
  #waiter: (() => void) | null = null;
  /** Since when it holds a slot of its address; -1: it holds none. */
  #heldMs = -1;
  #toldLate = false;

  constructor(core: Core, host: AttemptHost, address: OriginAddress, now: number) {
    const { record } = host;
    this.#core = core;
    this.#host = host;
    this.#hearer = host;
    this.address = address;
    this.startedMs = host.startedMs;
    this.beganMs = now;
    const attempt = newAttemptRecord(record.attempts.length + 1, address.poolName, address.origin.url, address.text);
    attempt.startedUs = toUs(now - host.startedMs);
    // Most have one. An array that `push` begins has room for seventeen, and that would be garbage of every exchange.
    if (record.attempts.length === 0) record.attempts = [attempt];
    else record.attempts.push(attempt);
    record.pool = attempt.pool;
    record.origin = attempt.origin;
    this.attempt = attempt;
    address.attemptStarted();
    this.nth = address.counters.attempts;
  }

  asked(): Asked {
    return this.#host;
  }

  get sentMs(): number {
    const { sentUs } = this.attempt;
    return sentUs === -1 ? -1 : this.startedMs + sentUs / 1000;
  }

  /** It can take body bytes now. */
  get ready(): boolean {
    return this.connection !== null && this.connection.state === "busy";
  }

  /**
   * On an idle connection, a new one, or the next that becomes free. A null head is read again from its copy.
   * `fresh`: not on an idle one. `steady`: only on one that was in use a moment ago.
   */
  start(head: MessageHead | null, now: number, fresh: boolean, steady: boolean, keepHead: boolean): void {
    const { attempt, address } = this;
    const { request, timeouts } = this.#host;
    // While the client is still sending it is not the origin that is waited for.
    if (request.complete) this.#takeSlot(now);
    const opening = address.transport === null ? null : openingFor(address.transport, request.from);
    const idle = fresh ? null : address.takeIdle(now, !steady, opening === null ? "" : opening.whose);
    if (idle !== null) {
      this.#takeUsed(idle, now);
      attempt.connectionIdleMs = now - idle.idleSince;
      this.#wasConnected(idle, attempt.startedUs);
      if (keepHead) request.keepHead(head);
      this.#sendHead(idle, head, now);
      return;
    }
    request.keepHead(head);
    if (address.mayOpen()) {
      const connection = new OriginConnection(this.#core, address, this, opening, timeouts.connectMs, now);
      this.connection = connection;
      if (request.complete) this.#beginWait(now);
      const { lateMs } = this.#host;
      if (lateMs > 0 && lateMs < timeouts.connectMs && connection.state === "connecting") {
        connection.wait("late", lateMs, now);
      }
      return;
    }
    this.#host.decide(
      "attempt",
      "attempt.waited-for-connection",
      `all ${address.openMax} connections to the origin were in use`,
    );
    this.#waiter = address.waitForConnection(now, timeouts.connectMs, {
      whose: opening === null ? "" : opening.whose,
      serve: (connection, at) => this.#serve(connection, at),
      timeout: (at) => this.#end(null, { kind: "timeout", what: "pool" }, at, at - this.beganMs),
      onFault: (error) => this.#host.onFault(error),
    });
  }

  /** Body bytes of the client. */
  sendBody(bytes: Buffer, start: number, end: number, shared: boolean): void {
    const { connection } = this;
    if (connection === null) return;
    this.attempt.sentBytes += end - start;
    const { gather } = this.#core;
    const { chunked } = this.#host.request;
    if (chunked) writeChunkHead(gather.to(connection.socket), end - start);
    gather.body(connection.socket, bytes, start, end, chunked, shared);
  }

  /** The request is complete. */
  sendEnd(now: number): void {
    const { connection } = this;
    if (connection === null) return;
    const { request } = this.#host;
    if (request.chunked) writeLastChunk(this.#core.gather.to(connection.socket), request.trailers);
    this.requestSent = true;
    if (!connection.socket.writing) this.#beginWait(now);
    this.#takeSlot(now);
    this.awaitOrigin(now);
    this.#host.onRequestSent(this, now);
  }

  /** Whose turn it is on the origin's side, and how long that may take. */
  awaitOrigin(now: number): void {
    const { connection } = this;
    if (connection === null || this.headSeen || this.tunnel !== null || connection.state !== "busy") return;
    const { timeouts, request } = this.#host;
    if (connection.socket.writing) connection.wait("write", timeouts.gapMs, now);
    else if (this.requestSent && !this.#toldLate && this.#mayBeLate(now))
      connection.wait("late", this.#lateInMs(now), now);
    else if (this.requestSent || request.awaitsContinue) connection.wait("first byte", timeouts.firstByteMs, now);
    else connection.stopWaiting();
  }

  /** It may still be late, and that is before its time is over. */
  #mayBeLate(now: number): boolean {
    const { lateMs, timeouts } = this.#host;
    return lateMs > 0 && this.#lateInMs(now) < timeouts.firstByteMs;
  }

  #lateInMs(now: number): number {
    return Math.max(1, this.#host.lateMs - (now - this.beganMs));
  }

  onLate(connection: OriginConnection, now: number): void {
    const waitedMs = now - this.beganMs;
    const { timeouts } = this.#host;
    this.#toldLate = true;
    // A limit that was put off by less than itself: the time that is over counts.
    if (connection.state === "connecting") {
      const { connectedUs } = this.attempt;
      if (connectedUs === -1) connection.waitOn("connect", timeouts.connectMs, waitedMs, now);
      else connection.waitOn("handshake", timeouts.handshakeMs, now - this.startedMs - connectedUs / 1000, now);
    } else {
      const sentMs = this.startedMs + this.attempt.sentUs / 1000;
      connection.waitOn("first byte", timeouts.firstByteMs, now - sentMs, now);
    }
    this.#host.onLate(this, waitedMs, now);
  }

  onPoolSilent(now: number): void {
    if (!this.ended) this.#host.onPoolSilent(this, now);
  }

  /**
   * Ends what is under way, without blame for it: the client has left, another answer has won. The address only
   * learns how long it kept us waiting. `outrun`: another origin was asked later and answered first.
   */
  abandon(now: number, outrun = false): void {
    this.#waiter?.();
    this.#waiter = null;
    const { connection, attempt } = this;
    this.connection = null;
    if (connection !== null) connection.abandon();
    if (this.ended) return;
    this.ended = true;
    this.#endWait(false, now, outrun);
    if (outrun) this.address.outrun += 1;
    this.#leaveSlot("left", now);
    attempt.endedUs = toUs(now - this.startedMs);
    const unanswered = this.requestSent && attempt.firstByteUs === -1;
    const waitedMs = unanswered ? now - this.startedMs - attempt.sentUs / 1000 : 0;
    this.address.attemptAbandoned(this.#host.routeIndex, this.beganMs, waitedMs, now);
  }

  /** Ends it as failed, because nothing came from its whole pool. Its exchange, which goes on with another, is not told. */
  giveUp(now: number): void {
    const { connection } = this;
    if (connection === null || this.ended) {
      // It still waits for a connection to be free: nobody has been asked anything.
      this.abandon(now);
      return;
    }
    const what = connection.state === "connecting" ? "connect" : "first byte";
    connection.abandon();
    this.#over(now);
    this.#judge(connection, { kind: "timeout", what }, now - this.beganMs, now);
    this.address.onRoom(now);
  }

  /** Somebody else takes the response from here on: the exchange counts on another attempt. */
  handOver(hearer: ResponseHearer): void {
    this.#hearer = hearer;
  }

  /** The origin's turn again, after a pause on our side. */
  waitForMore(gapMs: number): void {
    this.connection?.wait("gap", gapMs, this.#core.clock.monotonic());
  }

  /** Its answer is whole and says that something failed. */
  judged({ cause, evidence, marks }: AnswerJudgement, now: number): void {
    const { attempt } = this;
    attempt.cause = cause;
    attempt.evidence = evidence;
    attempt.signs = signsOfAnswer(this.#core, this.address, this.#host.request, this.requestSent, marks, now);
  }

  /** The rest of its response is of no use. What is known of it, good or bad, counts for its address all the same. */
  drop(): void {
    const { connection, attempt } = this;
    if (this.ended) return;
    const now = this.#core.clock.monotonic();
    this.connection = null;
    this.ended = true;
    connection?.abandon();
    attempt.endedUs = toUs(now - this.startedMs);
    this.address.attemptEnded(attempt, this.#host.routeIndex, this.beganMs, attempt.cause, now);
  }

  /** It has taken longer than it may, and goes on: its address is judged now, as for one that was given up. */
  overdue(now: number): void {
    this.address.attemptOverdue(this.#host.routeIndex, this.beganMs, now);
  }

  /** Ends it for the reason given, as if the connection had ended so: its response is of no use. */
  fail(ending: Ending, now: number): void {
    const { connection } = this;
    if (connection === null) return;
    connection.abandon();
    this.#end(connection, ending, now, 0);
  }

  // ------------------------------------------------------------------ the connection

  onOriginReached(connection: OriginConnection, now: number): void {
    const { timeouts } = this.#host;
    this.attempt.connectedUs = toUs(now - this.startedMs);
    const { lateMs } = this.#host;
    const isLateFirst = lateMs > 0 && !this.#toldLate && this.#lateInMs(now) < timeouts.handshakeMs;
    if (isLateFirst) connection.wait("late", this.#lateInMs(now), now);
    else connection.wait("handshake", timeouts.handshakeMs, now);
  }

  onOriginConnected(connection: OriginConnection, now: number): void {
    const { attempt } = this;
    const { tls, shared } = connection.socket.carrier;
    const nowUs = toUs(now - this.startedMs);
    if (tls === null || attempt.connectedUs === -1) attempt.connectedUs = nowUs;
    if (tls !== null) {
      attempt.securedUs = nowUs;
      attempt.tls = tls;
    }
    if (shared !== undefined && shared !== null) {
      attempt.reused = shared.uses > 0;
      attempt.connectionUses = shared.uses;
      attempt.connectionAgeMs = shared.ageMs;
      attempt.connectionIdleMs = shared.idleMs;
    }
    this.#sendHead(connection, null, now);
  }

  onInterim(head: MessageHead): void {
    this.#host.onInterim(this, head);
  }

  onResponseHead(connection: OriginConnection, head: MessageHead, now: number): boolean {
    const { attempt } = this;
    attempt.headUs = toUs(now - this.startedMs);
    attempt.status = head.status;
    this.address.heardAt = now;
    this.address.outrun = 0;
    this.#endWait(true, now);
    this.#leaveSlot(saysOverloaded(head) ? "overloaded" : "answered", now);
    if (head.status === 101) return this.#host.onUpgrade(this, connection, head, now);
    this.headSeen = true;
    connection.address.learnKeepAlive(head.valueOf(FIELD.KEEP_ALIVE), now);
    return this.#host.onResponseHead(this, connection, head, now);
  }

  onResponseBody(bytes: Buffer, start: number, end: number): void {
    this.#hearer.onResponseBody(this, bytes, start, end);
  }

  onResponseEnd(connection: OriginConnection, now: number): void {
    const { attempt } = this;
    if (this.#host.request.grpc) this.#endCall(connection, now);
    this.connection = null;
    this.ended = true;
    attempt.endedUs = toUs(now - this.startedMs);
    this.address.attemptEnded(attempt, this.#host.routeIndex, this.beganMs, attempt.cause, now);
    this.#hearer.onResponseEnd(this, connection, now);
    this.address.onRoom(now);
  }

  onTunnelBytes(bytes: Buffer, start: number, end: number): void {
    this.tunnel?.fromOrigin(bytes, start, end);
  }

  onTunnelFin(): void {
    this.tunnel?.originFin();
  }

  onOriginDrain(now: number): void {
    this.#host.onOriginDrain(this, now);
  }

  onOriginTurnEnd(connection: OriginConnection, now: number): void {
    this.#hearer.onOriginTurnEnd(this, connection, now);
  }

  onAttemptEnded(connection: OriginConnection, ending: Ending, now: number): void {
    this.#end(connection, ending, now, connection.limitMsAtEnd);
  }

  onFault(error: unknown): void {
    this.#hearer.onFault(error);
  }

  /** What became of a call stands behind its messages, if it did not stand in their place. */
  #endCall(connection: OriginConnection, now: number): void {
    const { record, request } = this.#host;
    if (this.attempt.status !== 200 || record.grpcStatus !== -1) return;
    const status = grpcStatusInTrailers(connection.trailers);
    record.grpcStatus = status;
    const judged = judgeGrpc(status, request.deadline !== null);
    if (judged !== null) this.judged(judged, now);
  }

  // ------------------------------------------------------------------ inside

  #takeUsed(connection: OriginConnection, now: number): void {
    const { attempt } = this;
    attempt.reused = true;
    attempt.connectionUses = connection.uses;
    attempt.connectionAgeMs = now - connection.connectedAt;
    connection.assign(this);
    this.connection = connection;
  }

  #wasConnected({ socket }: OriginConnection, atUs: number): void {
    const { attempt } = this;
    const { tls } = socket.carrier;
    attempt.connectedUs = atUs;
    if (tls === null) return;
    attempt.securedUs = atUs;
    attempt.tls = tls;
  }

  /** A connection became free, or (null) one may be opened. */
  #serve(connection: OriginConnection | null, now: number): void {
    this.#waiter = null;
    if (connection === null) {
      const { request, timeouts } = this.#host;
      const opening = openingFor(this.address.transport, request.from);
      this.connection = new OriginConnection(this.#core, this.address, this, opening, timeouts.connectMs, now);
      if (request.complete) this.#beginWait(now);
      return;
    }
    this.#takeUsed(connection, now);
    this.#wasConnected(connection, toUs(now - this.startedMs));
    this.#sendHead(connection, null, now);
    this.#core.gather.flush();
  }

  #sendHead(connection: OriginConnection, head: MessageHead | null, now: number): void {
    const { request } = this.#host;
    if (head !== null) this.#writeHead(connection, head, now);
    else if (request.head !== null) readHeadAgain(request.head, (again) => this.#writeHead(connection, again, now));
  }

  #writeHead(connection: OriginConnection, head: MessageHead, now: number): void {
    const { attempt } = this;
    attempt.protocol = connection.socket.carrier.protocol === "h2" ? "HTTP/2" : "HTTP/1.1";
    const { request, record, part, timeouts, hostHeader } = this.#host;
    connection.expect(head.method);
    request.upgrade = part === null && forwardsUpgrade(head) ? (head.valueOf(FIELD.UPGRADE) ?? "").toLowerCase() : "";
    // A call without its trailers would have no outcome, whatever its client forgot to say of them.
    request.trailersWanted = request.minorVersion === 1 && (request.grpc || acceptsTrailers(head));
    request.streams = request.grpc && (this.address.transport?.http2 ?? null) !== null;
    const writer = this.#core.gather.to(connection.socket);
    const before = writer.length;
    // One that does not repeat hands on that somebody in front of it does.
    const identity = request.isStream ? this.#core.identityForHttp2 : this.#core.identity;
    const lines = gatewayLines(identity, attempt.number, request.repeats || request.repeatedInFront);
    const mode = this.#host.modeLine(now) + (request.grpc ? earlierLine(head, record) : "");
    writeRequestHead(writer, head, {
      identity: request.identityLines,
      requestId: record.id,
      newTrace: request.keepTrace ? "" : record.traceId,
      gateway: mode === "" ? lines : lines + mode,
      // What is left of a body may take as long as the whole of it might have.
      deadline: request.deadline === null || part !== null ? "" : request.deadline.lines(now),
      basePath: connection.address.origin.basePath,
      host: hostHeader === "origin" ? connection.address.hostField : null,
      ownHost: connection.address.hostField,
      trusted: request.trusted,
      part,
      conditions: request.conditions,
    });
    attempt.sentBytes = writer.length - before;
    attempt.sentUs = toUs(this.#core.clock.monotonic() - this.startedMs);
    const { replay } = request;
    if (replay !== null) {
      for (const piece of replay.pieces) this.sendBody(piece, 0, piece.length, false);
      replay.sent();
    }
    if (request.complete) this.sendEnd(now);
    else {
      if (request.awaitsContinue) connection.wait("first byte", timeouts.firstByteMs, now);
      this.#host.onRequestHeadSent(this);
    }
  }

  #end(connection: OriginConnection | null, ending: Ending, now: number, limitMs: number): void {
    if (this.ended) return;
    const { attempt, address } = this;
    this.#over(now);
    if (this.tunnel !== null) {
      this.tunnel.originGone();
      address.attemptEnded(attempt, this.#host.routeIndex, this.beganMs, null, now);
      this.#host.onTunnelEnd(this, ending, now, limitMs);
      return;
    }
    const judgement = this.#judge(connection, ending, limitMs, now);
    this.#hearer.onAttemptFailed(this, judgement, now);
    address.onRoom(now);
  }

  #over(now: number): void {
    this.connection = null;
    this.#waiter = null;
    this.ended = true;
    this.#endWait(false, now);
    this.attempt.endedUs = toUs(now - this.startedMs);
  }

  /** What its end means, on its record and for its address. */
  #judge(connection: OriginConnection | null, ending: Ending, limitMs: number, now: number): Judgement {
    const { attempt, address } = this;
    const facts = factsOf(this, connection, this.#core.wheel, brokeNewConnection(this.#host.record), now, limitMs);
    const judgement = judgeAttempt(ending, facts);
    // What the gateway did to itself is no evidence about the origin.
    const isOurs = CAUSES[judgement.cause].party === "gateway";
    this.#leaveSlot(isOurs ? "left" : ending.kind === "timeout" ? "timeout" : "failed", isOurs ? this.#heldMs : now);
    attempt.cause = judgement.cause;
    attempt.evidence = judgement.evidence;
    attempt.signs = signsOfEnding(this.#core, address, this.#host.request, ending, facts, now);
    address.attemptEnded(attempt, this.#host.routeIndex, this.beganMs, judgement.cause, now);
    return judgement;
  }

  #takeSlot(now: number): void {
    if (this.#heldMs !== -1 || this.headSeen) return;
    const { routeIndex, counters } = this.#host;
    this.#heldMs = now;
    if (counters !== null) counters.held += 1;
    this.address.takeSlot(routeIndex, now);
  }

  #leaveSlot(leaving: Leaving, now: number): void {
    const heldMs = this.#heldMs;
    if (heldMs === -1) return;
    const { routeIndex, counters } = this.#host;
    this.#heldMs = -1;
    if (counters !== null) counters.held -= 1;
    this.address.leaveSlot(routeIndex, leaving, heldMs, now);
  }

  /**
   * From now on the origin is waited for, as evidence about it: for all that it has got, connecting included. Not
   * where waiting is what was asked for (a long poll), and not while a body is still on its way.
   */
  #beginWait(now: number): void {
    const { address } = this;
    if (this.turnMs !== -1 || this.headSeen || this.#host.timeouts.firstByteMs === 0) return;
    if (address.ejection.latencies !== null) address.waits.add(this, now);
  }

  #endWait(answered: boolean, now: number, outrun = false): void {
    const { turnMs, address } = this;
    if (turnMs === -1) return;
    address.waits.remove(this);
    if (this.toldSlow) return;
    const slowMs = slowFromMs(address.ejection);
    // Given up: how long it would have taken is unknown, unless that was too long already. What was outrun counts as
    // slow: an origin whose slow requests are all answered by others would never be found by them.
    const waitedMs = outrun && slowMs < Number.MAX_SAFE_INTEGER ? Math.max(slowMs, now - turnMs) : now - turnMs;
    if (answered || waitedMs >= slowMs) address.waited(turnMs, waitedMs, this.beganMs, now);
  }
}

/** RFC 6585 §4, and a 503 that says when to come back (RFC 9110 §15.6.4): too much work, in the origin's own words. */
function saysOverloaded(head: MessageHead): boolean {
  return head.status === 429 || (head.status === 503 && head.find(FIELD.RETRY_AFTER) !== -1);
}
