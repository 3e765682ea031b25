/**
 * One exchange, step by step: this file is the table of contents of the gateway. The steps stand in the order in
 * which they happen, and their names are the same in records, decisions, traces and docs:
 *
 *   receive  client-connection.ts reads a head that is right in every byte, or refuses it; all else needs it.
 *   identify who asks and under which id, before anything is decided that somebody may want to find again.
 *   route    what is asked for: only then is it known whose limits and timeouts hold.
 *   admit    whether it may go on at all, before it costs an origin anything.
 *   look up  an answer that is at hand already. Empty until there is a cache; it will stand here, behind admission
 *            (a refused client gets no cached answer either) and before an origin is picked.
 *   pick     the origin, as late as possible, on the newest knowledge.
 *   attempt  one try there.
 *   judge    what came of it, as a cause with evidence, before anybody acts on it.
 *   relay    a response that is on its way leaves as it comes.
 *   rescue   a failed attempt is repeated where that is safe; only here, so that no two layers repeat.
 *   reply    the gateway's own answer, when nothing else is left.
 *   record   always, exactly once, last: whatever happened before is in it.
 */
import type { AttemptRecord, Decision, ExchangeRecord, Outcome, Step } from "../contract/record.ts";
import type { RouteSettings } from "../config/settings.ts";
import { FIELD } from "../http1/field-ids.ts";
import { refusalOf } from "./admit.ts";
import { climbsAboveRoot } from "./base-path.ts";
import type { MessageHead } from "../http1/head.ts";
import type { RefusalId } from "../http1/refusals.ts";
import { REFUSALS } from "../http1/refusals.ts";
import { writeResponse } from "../http1/serialise.ts";
import { LAST_CHUNK, writeChunkHead } from "../http1/writer.ts";
import type { CauseId } from "../kernel/causes.ts";
import { CAUSES } from "../kernel/causes.ts";
import type { DecisionCode } from "../kernel/decisions.ts";
import { isIdempotent } from "../policies/retry.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { Core } from "./core.ts";
import { acceptsTrailers, forwardsUpgrade, writeRequestHead } from "./forward-request.ts";
import {
  clientFraming,
  isEventStream,
  responseLines,
  writeInterimHead,
  writeLastChunk,
  writeResponseHead,
} from "./forward-response.ts";
import type { ClientFraming } from "./forward-response.ts";
import { httpDate } from "./http-date.ts";
import { identifyRequest } from "./identify.ts";
import { judgeAttempt } from "./judge.ts";
import type { Ending } from "./judge.ts";
import { judgeResponse } from "./judge-response.ts";
import { newAttemptRecord, newExchangeRecord } from "./new-record.ts";
import type { OriginAddress } from "./origin-address.ts";
import { OriginConnection, toUs } from "./origin-connection.ts";
import type { AttemptOwner } from "./origin-connection.ts";
import { readHeadAgain } from "./read-head-again.ts";
import { ReplayBuffer } from "./replay-buffer.ts";
import { respondToFailure, retryAfterSeconds } from "./reply.ts";
import { bounded, hostWithoutPort, joinedValue, pathOf, targetOf } from "./request-target.ts";
import { rescue } from "./rescue.ts";
import type { RouteCounters } from "./telemetry.ts";
import type { ServiceRuntime } from "./service-runtime.ts";

/** More than this of a host or a method is nobody's name and would only fill the memory of the records. */
const HOST_KEPT = 256;
const METHOD_KEPT = 32;

export class Exchange implements AttemptOwner {
  readonly record: ExchangeRecord;
  readonly startedMs: number;
  attempt: AttemptRecord | null = null;
  requestSent = false;
  /** The request has been received whole. */
  requestComplete = false;
  /** The response's head has been handed to the client. */
  responseBegun = false;
  /** Silence is no sign of a fault in this response, so it has no limit of its own. */
  endless = false;
  tunnel = false;
  readonly #core: Core;
  readonly #client: ClientConnection;
  #service: ServiceRuntime | null = null;
  #route: RouteSettings | null = null;
  #routeIndex = 0;
  #counters: RouteCounters | null = null;
  #idempotent = false;
  #head: Buffer | null = null;
  #identityLines = "";
  #keepTrace = false;
  #accept: string | null = null;
  #clientMinor: 0 | 1 = 1;
  #clientKeepAlive = false;
  #chunkedRequest = false;
  #expectContinue = false;
  #upgrade = "";
  #trailersWanted = false;
  #replay: ReplayBuffer | null = null;
  #connection: OriginConnection | null = null;
  #address: OriginAddress | null = null;
  readonly #tried: OriginAddress[] = [];
  #waiter: (() => void) | null = null;
  #attemptStartedMs = 0;
  #framing: ClientFraming = "as is";
  #gapMs = 0;
  /** An attempt found its idle connection dead. */
  #metStale = false;
  #done = false;
  #faulted = false;

  constructor(core: Core, client: ClientConnection, startedMs: number) {
    this.#core = core;
    this.#client = client;
    this.startedMs = startedMs;
    // A head may have taken seconds to come: the exchange began with its first byte.
    const startedAt = Math.round(core.clock.wall() - (core.clock.monotonic() - startedMs));
    this.record = newExchangeRecord("", startedAt, client.listener.name);
    this.record.peerAddress = client.peer.address;
    this.record.peerPort = client.socket.remotePort;
    this.record.clientAddress = client.peer.address;
    this.record.connectionUses = client.uses;
    core.exchangesActive += 1;
  }

  // ------------------------------------------------------------------ receive

  /** The request's head is complete and right. */
  receive(head: MessageHead, now: number): void {
    const { record } = this;
    record.headUs = toUs(now - this.startedMs);
    this.requestComplete = head.framing === "none" || head.contentLength === 0;
    if (this.requestComplete) record.requestEndUs = record.headUs;
    this.#clientMinor = head.minorVersion;
    // What follows a CONNECT is not HTTP, so its connection ends with the answer.
    this.#clientKeepAlive = head.keepAlive && head.method !== "CONNECT" && !this.#client.surplus;
    this.#chunkedRequest = head.framing === "chunked";
    this.#expectContinue = head.expectContinue && !this.requestComplete;
    this.#accept = head.valueOf(FIELD.ACCEPT);
    record.method = bounded(head.method, METHOD_KEPT);
    record.protocol = head.minorVersion === 1 ? "HTTP/1.1" : "HTTP/1.0";
    record.target = targetOf(head);
    record.userAgent = this.#client.userAgentOf(head);
    this.#identify(head);
  }

  /** Bytes of the request's body, with the transfer coding taken off. */
  receiveBody(bytes: Buffer, start: number, end: number): void {
    const waited = this.awaitsContinue;
    this.record.requestBytes += end - start;
    if (this.#done) return;
    const connection = this.#connection;
    const ready = connection !== null && connection.state === "busy";
    // It did not wait for 100, and now the body has as long as it takes.
    if (waited && ready && !this.responseBegun) connection.stopWaiting();
    if (!this.responseBegun) {
      this.#replay ??= new ReplayBuffer(this.#service?.settings.retry.replayBytes ?? 0, this.#core.replayBudget);
      this.#replay.keep(bytes, start, end, !ready);
    }
    if (ready) this.#sendBody(connection, bytes, start, end, true);
    else this.#client.pause();
  }

  /** The request is complete. */
  receiveEnd(now: number): void {
    this.requestComplete = true;
    this.record.requestEndUs = toUs(now - this.startedMs);
    if (this.#done) return;
    const connection = this.#connection;
    if (connection !== null && connection.state === "busy") this.#sendEnd(connection, now);
  }

  /** The message is malformed. Its connection will be closed by the caller. */
  refuse(id: RefusalId): void {
    const refusal = REFUSALS[id];
    this.record.reason = id;
    this.#core.telemetry.refused(id);
    this.fail("client.bad_request", `${id}: ${refusal.meaning}`, "receive", refusal.status);
  }

  // ------------------------------------------------------------------ identify

  #identify(head: MessageHead): void {
    const { record } = this;
    const client = this.#client;
    const host = client.hostOf(head);
    record.host = bounded(host, HOST_KEPT);
    const identity = identifyRequest(head, host, client.peer, client.listener.isTrusted, this.#core.newId);
    record.id = identity.id;
    record.traceId = identity.traceId;
    record.clientAddress = identity.clientAddress;
    this.#identityLines = identity.lines;
    this.#keepTrace = identity.keepTrace;
    this.#routeTo(head, host);
  }

  // ------------------------------------------------------------------ route

  #routeTo(head: MessageHead, hostField: string): void {
    const { record } = this;
    const host = hostWithoutPort(hostField);
    const path = pathOf(head, record.target);
    const headerOf = (name: string): string | null => joinedValue(head, name);
    const hit = this.#core.routes.match(host, head.method, path, headerOf);
    const routedAt = this.#core.clock.monotonic();
    record.routedUs = toUs(routedAt - this.startedMs);
    if (hit === null) {
      this.fail("gw.no_route", this.#core.routes.whyNot(host, head.method, path, headerOf), "route", 0);
      return;
    }
    const service = this.#core.services[hit.serviceIndex];
    if (service === undefined) throw new Error("route table and services differ");
    this.#service = service;
    this.#route = hit.route;
    this.#routeIndex = hit.routeIndex;
    this.#counters = service.countersOf(hit.routeIndex);
    this.#idempotent = hit.route.idempotent || isIdempotent(head.method);
    record.service = service.settings.name;
    record.route = hit.route.name;
    if (service.hasBasePath && climbsAboveRoot(path)) {
      this.fail("client.bad_request", "the path climbs above the origin's base path", "route", 400);
      return;
    }
    this.#admit(head, routedAt);
  }

  // ------------------------------------------------------------------ admit

  #admit(head: MessageHead, now: number): void {
    const { limits, identity } = this.#core;
    const { surplus } = this.#client;
    const refusal = refusalOf(head, {
      surplus,
      connectionsMax: limits.connectionsMax,
      pseudonym: identity.pseudonym,
    });
    if (refusal === null) {
      this.#service?.admitted(now);
      this.#pick(head, now);
    } else this.fail(refusal.cause, refusal.evidence, "admit", refusal.status);
  }

  // ------------------------------------------------------------------ pick

  /** With a null head this is a later attempt, or one that had to wait: the head is read again from its copy. */
  #pick(head: MessageHead | null, now: number): void {
    const service = this.#service;
    if (service === null) return;
    const picked = service.pick(this.#routeIndex, this.#tried, this.#idempotent, now);
    switch (picked.kind) {
      case "address":
        if (picked.note !== null) this.decide("pick", picked.note.code, picked.note.reason);
        this.#attempt(picked.address, head, now, false);
        return;
      case "ask":
        this.#keepHead(head);
        picked.ask(() => this.#askedAgain());
        return;
      case "none":
        this.fail(picked.cause, picked.evidence, "pick", 0);
    }
  }

  /** The name that was asked for has an answer now, or a failure. */
  #askedAgain(): void {
    if (this.#done) return;
    try {
      this.#pick(null, this.#core.clock.monotonic());
      this.#core.gather.flush();
    } catch (error) {
      this.onFault(error);
    }
  }

  // ------------------------------------------------------------------ attempt

  /** `fresh`: not on an idle connection, because one has just been found dead. */
  #attempt(address: OriginAddress, head: MessageHead | null, now: number, fresh: boolean): void {
    const { record } = this;
    const route = this.#route;
    if (route === null) return;
    if (!fresh) this.#tried.push(address);
    this.#address = address;
    address.attemptStarted();
    const attempt = newAttemptRecord(record.attempts.length + 1, address.poolName, address.origin.url, address.text);
    record.attempts.push(attempt);
    record.pool = attempt.pool;
    record.origin = attempt.origin;
    this.attempt = attempt;
    this.requestSent = false;
    this.#attemptStartedMs = now;
    attempt.startedUs = toUs(now - this.startedMs);
    // Behind a stale connection others may be as stale, and they could use up every attempt: then only one that was
    // in use a moment ago will do, as for requests that must not be repeated.
    const idle = fresh ? null : address.takeIdle(now, this.#idempotent && !this.#metStale);
    if (idle !== null) {
      attempt.reused = true;
      attempt.connectionUses = idle.uses;
      attempt.connectionAgeMs = now - idle.connectedAt;
      attempt.connectionIdleMs = now - idle.idleSince;
      attempt.connectedUs = attempt.startedUs;
      idle.assign(this);
      this.#connection = idle;
      if (head !== null && this.#service !== null && this.#service.settings.retry.attemptsMax > 1) this.#keepHead(head);
      this.#sendHead(idle, head, now);
      return;
    }
    this.#keepHead(head);
    if (address.mayOpen()) {
      this.#connection = new OriginConnection(this.#core, address, this, route.timeouts.connectMs, now);
      return;
    }
    this.decide(
      "attempt",
      "attempt.waited-for-connection",
      `all ${address.openMax} connections to the origin were in use`,
    );
    this.#waiter = address.waitForConnection(now, route.timeouts.connectMs, {
      serve: (connection, at) => this.#serveWaiter(connection, at),
      timeout: (at) => this.#endAttempt(null, { kind: "timeout", what: "pool" }, at, at - this.#attemptStartedMs),
      onFault: (error) => this.onFault(error),
    });
  }

  /** A connection became free, or (null) one may be opened. */
  #serveWaiter(connection: OriginConnection | null, now: number): void {
    this.#waiter = null;
    const { attempt } = this;
    const address = this.#address;
    if (attempt === null || address === null || this.#route === null) return;
    if (connection === null) {
      this.#connection = new OriginConnection(this.#core, address, this, this.#route.timeouts.connectMs, now);
      return;
    }
    attempt.reused = true;
    attempt.connectionUses = connection.uses;
    attempt.connectionAgeMs = now - connection.connectedAt;
    attempt.connectedUs = toUs(now - this.startedMs);
    connection.assign(this);
    this.#connection = connection;
    this.#sendHead(connection, null, now);
    this.#core.gather.flush();
  }

  onOriginConnected(connection: OriginConnection, now: number): void {
    if (this.attempt !== null) this.attempt.connectedUs = toUs(now - this.startedMs);
    this.#sendHead(connection, null, now);
  }

  #keepHead(head: MessageHead | null): void {
    if (head === null || this.#head !== null) return;
    this.#head = Buffer.allocUnsafe(head.headEnd - head.headStart);
    head.bytes.copy(this.#head, 0, head.headStart, head.headEnd);
  }

  #sendHead(connection: OriginConnection, head: MessageHead | null, now: number): void {
    if (head !== null) this.#writeHead(connection, head, now);
    else if (this.#head !== null) readHeadAgain(this.#head, (again) => this.#writeHead(connection, again, now));
  }

  #writeHead(connection: OriginConnection, head: MessageHead, now: number): void {
    const { attempt } = this;
    const route = this.#route;
    if (route === null || attempt === null) return;
    connection.expect(head.method);
    this.#upgrade = forwardsUpgrade(head) ? (head.valueOf(FIELD.UPGRADE) ?? "").toLowerCase() : "";
    this.#trailersWanted = this.#clientMinor === 1 && acceptsTrailers(head);
    const { origin } = connection.address;
    const writer = this.#core.gather.to(connection.socket);
    const before = writer.length;
    writeRequestHead(writer, head, {
      identity: this.#identityLines,
      via: this.#core.identity.via,
      basePath: origin.basePath,
      host: route.hostHeader === "origin" ? connection.address.hostField : null,
      ownHost: connection.address.hostField,
      keepTrace: this.#keepTrace,
      trusted: this.#client.peer.trusted,
    });
    attempt.sentBytes = writer.length - before;
    attempt.sentUs = toUs(this.#core.clock.monotonic() - this.startedMs);
    const replay = this.#replay;
    if (replay !== null) {
      for (const piece of replay.pieces) this.#sendBody(connection, piece, 0, piece.length, false);
      replay.sent();
    }
    if (this.requestComplete) this.#sendEnd(connection, now);
    else {
      if (this.awaitsContinue) connection.wait("first byte", route.timeouts.firstByteMs, now);
      this.#client.resume();
    }
  }

  #sendBody(connection: OriginConnection, bytes: Buffer, start: number, end: number, shared: boolean): void {
    if (this.attempt !== null) this.attempt.sentBytes += end - start;
    const { gather } = this.#core;
    if (this.#chunkedRequest) writeChunkHead(gather.to(connection.socket), end - start);
    gather.body(connection.socket, bytes, start, end, this.#chunkedRequest, shared);
  }

  #sendEnd(connection: OriginConnection, now: number): void {
    if (this.#chunkedRequest) {
      this.#core.gather.to(connection.socket).copy(LAST_CHUNK, 0, LAST_CHUNK.length);
    }
    this.requestSent = true;
    this.#awaitOrigin(connection, now);
  }

  /** Whose turn it is on the origin's side, and how long that may take. */
  #awaitOrigin(connection: OriginConnection, now: number): void {
    const route = this.#route;
    if (this.responseBegun || this.tunnel || route === null || connection.state !== "busy") return;
    if (connection.socket.writing) connection.wait("write", route.timeouts.gapMs, now);
    else if (this.requestSent || this.awaitsContinue) connection.wait("first byte", route.timeouts.firstByteMs, now);
    else connection.stopWaiting();
  }

  /** The client holds its body back until the origin asks for it (RFC 9110 §10.1.1): the origin's turn, not the client's. */
  get awaitsContinue(): boolean {
    return this.#expectContinue && this.record.requestBytes === 0;
  }

  /** The client connection has handed over all it read: stop reading when the origin is slower. */
  afterClientTurn(now: number): void {
    const connection = this.#connection;
    if (connection === null || !connection.socket.writing || connection.state === "connecting") return;
    this.#client.pause();
    if (!this.responseBegun || this.tunnel) connection.wait("write", this.#route?.timeouts.gapMs ?? 0, now);
  }

  onOriginDrain(now: number): void {
    this.#client.resume();
    const connection = this.#connection;
    if (connection === null) return;
    if (this.tunnel) connection.stopWaiting();
    else this.#awaitOrigin(connection, now);
  }

  // ------------------------------------------------------------------ judge

  onAttemptEnded(connection: OriginConnection, ending: Ending, now: number): void {
    this.#endAttempt(connection, ending, now, connection.limitMsAtEnd);
  }

  #endAttempt(connection: OriginConnection | null, ending: Ending, now: number, limitMs: number): void {
    this.#connection = null;
    this.#waiter = null;
    if (this.tunnel) {
      this.#endTunnel(ending, now, limitMs);
      return;
    }
    const { attempt } = this;
    const address = this.#address;
    if (attempt === null || address === null) return;
    const { wheel } = this.#core;
    const sentMs = attempt.sentUs === -1 ? this.#attemptStartedMs : this.startedMs + attempt.sentUs / 1000;
    const judgement = judgeAttempt(ending, {
      connected: attempt.connectedUs !== -1,
      reused: attempt.reused,
      idleMs: attempt.connectionIdleMs,
      sinceSentMs: Math.max(0, now - sentMs),
      requestSent: this.requestSent,
      receivedBytes: connection?.answering === true ? attempt.receivedBytes : 0,
      headSeen: connection?.headSeen ?? false,
      framing: connection?.framing ?? "none",
      stallMs: wheel.stallEndedAt > sentMs ? Math.min(wheel.stallMs, wheel.stallEndedAt - sentMs) : 0,
      limitMs,
      leftAnswer: address.leftAnswer,
      brokeNewConnection: this.record.attempts.some(
        (earlier) => earlier.cause === "origin.reset_before_response" && !earlier.reused,
      ),
    });
    attempt.cause = judgement.cause;
    attempt.evidence = judgement.evidence;
    if (judgement.cause === "origin.keepalive_race" || judgement.cause === "net.half_open") this.#metStale = true;
    attempt.endedUs = toUs(now - this.startedMs);
    address.attemptEnded(attempt, this.#attemptStartedMs, judgement.cause, now);
    this.#rescue(judgement.cause, judgement.evidence, now);
  }

  // ------------------------------------------------------------------ relay

  onInterim(head: MessageHead): void {
    if (this.#clientMinor === 0 || this.responseBegun) return;
    if (head.status === 100) {
      if (!this.#expectContinue) return;
      // The client sends its body now, and it is the origin's turn again when that is done. It may have sent it all
      // before, and a later attempt has it from the start: then it is the origin's turn already.
      this.#expectContinue = false;
      if (this.#connection !== null) this.#awaitOrigin(this.#connection, this.#core.clock.monotonic());
      this.#client.waitForBody();
    }
    writeInterimHead(this.#core.gather.to(this.#client.socket), head, null);
  }

  onResponseHead(connection: OriginConnection, head: MessageHead, now: number): boolean {
    const { record, attempt } = this;
    const route = this.#route;
    if (attempt === null || route === null) return false;
    attempt.headUs = toUs(now - this.startedMs);
    attempt.status = head.status;
    record.originStatus = head.status;
    if (head.status === 101) return this.#relayUpgrade(connection, head, now);
    connection.address.learnKeepAlive(head.valueOf(FIELD.KEEP_ALIVE), now);
    this.#framing = clientFraming(head, this.#clientMinor);
    const judged = judgeResponse(head);
    if (judged !== null) {
      record.cause = judged.cause;
      record.party = CAUSES[judged.cause].party;
      record.evidence = judged.evidence;
      attempt.cause = judged.cause;
      attempt.evidence = judged.evidence;
    }
    if (!this.requestComplete) {
      // The origin answers before it has the whole request; the rest cannot be told from a next request.
      this.#clientKeepAlive = false;
      this.decide("relay", "relay.early-reply", "the origin answered before the request was complete");
    }
    const keepAlive = this.#clientKeepAlive && this.#framing !== "close" && !this.#core.draining;
    this.#clientKeepAlive = keepAlive;
    this.responseBegun = true;
    record.status = head.status;
    record.replyUs = toUs(now - this.startedMs);
    writeResponseHead(this.#core.gather.to(this.#client.socket), head, {
      lines: responseLines(head, record.id, judged?.cause ?? null, this.#core),
      framing: this.#framing,
      keepAlive,
      clientMinorVersion: this.#clientMinor,
    });
    // Server-sent events are silent for as long as nothing happens: silence is no sign of a fault there.
    this.#gapMs = isEventStream(head) ? 0 : route.timeouts.gapMs;
    this.endless = this.#gapMs === 0;
    if (this.endless) {
      connection.socket.probePeer();
      this.#client.socket.probePeer();
    }
    connection.wait("gap", this.#gapMs, now);
    this.#client.responseBegins(now);
    this.#replay?.release();
    return true;
  }

  onResponseBody(bytes: Buffer, start: number, end: number): void {
    const { gather } = this.#core;
    const { socket } = this.#client;
    this.record.responseBytes += end - start;
    const chunked = this.#framing === "chunked";
    if (chunked) writeChunkHead(gather.to(socket), end - start);
    gather.body(socket, bytes, start, end, chunked, true);
  }

  onResponseEnd(connection: OriginConnection, now: number): void {
    this.#connection = null;
    if (connection.extraBytes > 0) {
      this.decide(
        "relay",
        "relay.extra-bytes",
        `${connection.extraBytes} bytes followed the end of the response; the connection was closed`,
      );
    }
    const { attempt, record } = this;
    if (attempt !== null) {
      attempt.endedUs = toUs(now - this.startedMs);
      this.#address?.attemptEnded(attempt, this.#attemptStartedMs, attempt.cause, now);
    }
    if (this.#framing === "chunked") {
      writeLastChunk(this.#core.gather.to(this.#client.socket), this.#trailersWanted ? connection.trailers : null);
    }
    const outcome: Outcome = record.cause !== null ? "failed" : record.attempts.length > 1 ? "rescued" : "served";
    if (!this.requestComplete && record.cause === null)
      this.#note("origin.early_reply", "a final response came before the request was complete");
    this.#finish(outcome, "record", now);
    this.#client.exchangeDone(this.#clientKeepAlive, this.requestComplete, now);
  }

  onOriginTurnEnd(connection: OriginConnection, now: number): void {
    if (!this.#client.socket.writing || this.#connection !== connection) return;
    connection.pause();
    connection.stopWaiting();
    this.#client.waitForWrite(now);
  }

  /** The client has taken everything that waited. */
  clientDrained(now: number): void {
    const connection = this.#connection;
    if (connection === null) return;
    connection.resume();
    if (this.responseBegun && !this.tunnel) connection.wait("gap", this.#gapMs, now);
    else this.#awaitOrigin(connection, now);
  }

  // ------------------------------------------------------------------ upgrades

  #relayUpgrade(connection: OriginConnection, head: MessageHead, now: number): boolean {
    const agreed = (head.valueOf(FIELD.UPGRADE) ?? "").toLowerCase();
    const wanted = this.#upgrade.split(",").map((protocol) => protocol.trim());
    if (this.#upgrade === "" || !wanted.includes(agreed)) {
      const why =
        this.#upgrade === "" ? "101 without a request to upgrade" : `101 to "${agreed}", asked was "${this.#upgrade}"`;
      connection.abandon();
      this.#endAttempt(connection, { kind: "upgrade", why }, now, 0);
      return false;
    }
    this.tunnel = true;
    this.responseBegun = true;
    this.record.tunnel = true;
    this.record.status = 101;
    this.record.replyUs = toUs(now - this.startedMs);
    connection.becomeTunnel();
    // Nothing else ends a tunnel whose one end lost its network.
    connection.socket.probePeer();
    this.#client.socket.probePeer();
    writeInterimHead(this.#core.gather.to(this.#client.socket), head, agreed);
    this.#client.becomeTunnel();
    return true;
  }

  /** Bytes from the client after the upgrade. */
  tunnelFromClient(bytes: Buffer, start: number, end: number): void {
    this.record.requestBytes += end - start;
    const connection = this.#connection;
    if (connection !== null) this.#core.gather.body(connection.socket, bytes, start, end, false, false);
  }

  tunnelClientFin(): void {
    const connection = this.#connection;
    if (connection === null) return;
    connection.socket.end();
    // What the origin still has to say may take its time, but not for ever.
    connection.wait("gap", this.#client.listener.settings.idleMs, this.#core.clock.monotonic());
  }

  onTunnelBytes(bytes: Buffer, start: number, end: number): void {
    this.record.responseBytes += end - start;
    this.#core.gather.body(this.#client.socket, bytes, start, end, false, false);
  }

  onTunnelFin(): void {
    this.#client.socket.end();
  }

  /** The client has closed in order, and all that it sent is on its way: the origin takes it, or its time runs out. */
  tunnelClientDone(now: number): void {
    this.#connection?.wait("write", this.#client.listener.settings.bodyGapMs, now);
  }

  /** The origin's side is closed. */
  #endTunnel(ending: Ending, now: number, limitMs: number): void {
    const { attempt } = this;
    if (attempt !== null) {
      attempt.endedUs = toUs(now - this.startedMs);
      this.#address?.attemptEnded(attempt, this.#attemptStartedMs, null, now);
    }
    const stalled = ending.kind === "timeout" && ending.what === "write";
    if (stalled) this.#note("origin.write_stall", `the origin took no byte of the tunnel for ${limitMs} ms`);
    this.#finish(stalled ? "failed" : "served", "record", now);
    this.#client.tunnelDone();
  }

  // ------------------------------------------------------------------ rescue

  #rescue(cause: CauseId, evidence: string, now: number): void {
    const service = this.#service;
    const route = this.#route;
    if (service === null || route === null) return;
    const ended = this.attempt;
    const verdict = rescue({
      cause,
      method: this.record.method,
      routeIdempotent: route.idempotent,
      attempts: this.record.attempts.length,
      responseBegun: this.responseBegun,
      service,
      replay: this.#replay,
      requestBytes: this.record.requestBytes,
      staleConnection:
        cause === "net.half_open" || (ended !== null && ended.reused && ended.receivedBytes === 0 && CLOSED.has(cause)),
      othersLeft: service.othersLeft(this.#routeIndex, this.#tried),
      now,
    });
    this.decide("rescue", verdict.code, verdict.reason);
    if (verdict.retry) {
      if (this.#counters !== null) this.#counters.retries += 1;
      if (verdict.target === "same" && this.#address !== null) this.#attempt(this.#address, null, now, true);
      else this.#pick(null, now);
      return;
    }
    if (verdict.code === "retry.refused.budget" && this.#counters !== null) this.#counters.retriesRefusedByBudget += 1;
    if (this.responseBegun) this.#cut(cause, evidence, "relay");
    else this.fail(cause, evidence, "attempt", 0);
  }

  // ------------------------------------------------------------------ reply

  /** The exchange ends with the gateway's own answer, or with a cut when an answer has begun. */
  fail(cause: CauseId, evidence: string, step: Step, status: number): void {
    if (this.#done) return;
    const now = this.#core.clock.monotonic();
    this.#leaveOrigin(now);
    if (this.responseBegun) {
      this.#cut(cause, evidence, step);
      return;
    }
    const { record } = this;
    this.#note(cause, evidence);
    if (record.id === "") record.id = this.#core.newId();
    const refusal = record.reason === "" ? null : REFUSALS[record.reason as RefusalId];
    const keepAlive = this.#clientKeepAlive && this.requestComplete && record.reason === "" && !this.#core.draining;
    const reply = respondToFailure(
      {
        cause,
        status,
        reason: record.reason,
        reasonText: refusal?.meaning ?? "",
        retryAfterSeconds: retryAfterSeconds(cause),
      },
      {
        requestId: record.id,
        accept: this.#accept,
        method: record.method,
        keepAlive,
        date: httpDate(this.#core.clock.wall()),
        name: this.#core.identity.name,
      },
    );
    record.status = reply.message.status;
    record.responseBytes = reply.bodyBytes;
    record.replyUs = toUs(now - this.startedMs);
    writeResponse(this.#core.gather.to(this.#client.socket), reply.message);
    this.#finish(CAUSES[cause].party === "client" || cause === "gw.no_route" ? "refused" : "failed", step, now);
    this.#client.exchangeDone(keepAlive, this.requestComplete, now);
  }

  /**
   * Something in these steps threw. That is a defect of ours, whatever the origin did: this exchange pays for it,
   * its connections are not used again, and nothing else notices.
   */
  onFault(error: unknown): void {
    const { gather, onFault } = this.#core;
    gather.discard();
    onFault(error);
    const client = this.#client;
    if (this.#faulted || this.#done) {
      client.socket.destroy();
      return;
    }
    this.#faulted = true;
    this.#clientKeepAlive = false;
    try {
      this.fail(
        "gw.internal",
        `a defect of the gateway: ${error instanceof Error ? error.message : String(error)}`,
        "attempt",
        0,
      );
      gather.flush();
    } catch (again) {
      onFault(again);
      gather.discard();
      client.socket.destroy();
    }
  }

  /** The response is broken and a part of it has left: its end must not look like one. */
  #cut(cause: CauseId, evidence: string, step: Step): void {
    const now = this.#core.clock.monotonic();
    this.#leaveOrigin(now);
    this.#note(cause, evidence);
    this.#finish("failed", step, now);
    // Chunks and Content-Length show the cut by themselves; without either only a reset does.
    this.#client.cut(this.#framing === "close");
  }

  /** The client is gone: what is done for it stops, also at the origin. */
  clientGone(how: string): void {
    if (this.#done) return;
    const now = this.#core.clock.monotonic();
    if (this.tunnel) {
      this.#leaveOrigin(now);
      this.#finish("served", "record", now);
      return;
    }
    const uploading = !this.requestComplete && this.record.requestBytes > 0;
    const where = this.responseBegun
      ? `after ${this.record.responseBytes} body bytes of the response`
      : uploading
        ? `after ${this.record.requestBytes} bytes of its own body`
        : "before the response";
    const cause = this.responseBegun || uploading ? "client.abort_body" : "client.abort_wait";
    this.#leaveOrigin(now);
    this.#note(cause, `the client closed the connection (${how}) ${where}`);
    this.#finish("aborted", this.responseBegun ? "relay" : uploading ? "receive" : "attempt", now);
  }

  /** The client is there and does not take what it asked for. The caller cuts the connection. */
  clientTooSlow(evidence: string): void {
    if (this.#done) return;
    const now = this.#core.clock.monotonic();
    this.#leaveOrigin(now);
    this.#note("client.slow", evidence);
    this.#finish("aborted", "relay", now);
  }

  /** Ends what is under way at the origin, without blame for it. */
  #leaveOrigin(now: number): void {
    this.#waiter?.();
    this.#waiter = null;
    const connection = this.#connection;
    this.#connection = null;
    if (connection !== null) connection.abandon();
    const { attempt } = this;
    if (attempt !== null && attempt.endedUs === -1) {
      attempt.endedUs = toUs(now - this.startedMs);
      const unanswered = this.requestSent && attempt.firstByteUs === -1;
      const waitedMs = unanswered ? now - this.startedMs - attempt.sentUs / 1000 : 0;
      this.#address?.attemptAbandoned(this.#attemptStartedMs, waitedMs, now);
    }
  }

  // ------------------------------------------------------------------ record

  decide(step: Step, code: DecisionCode, reason: string): void {
    const decision: Decision = { step, code, reason };
    this.record.decisions.push(decision);
  }

  #note(cause: CauseId, evidence: string): void {
    this.record.cause = cause;
    this.record.party = CAUSES[cause].party;
    this.record.evidence = evidence;
  }

  #finish(outcome: Outcome, step: Step, now: number): void {
    if (this.#done) return;
    this.#done = true;
    this.#replay?.release();
    const { record } = this;
    if (record.id === "") record.id = this.#core.newId();
    record.outcome = outcome;
    record.step = step;
    record.doneUs = toUs(now - this.startedMs);
    this.#core.exchangesActive -= 1;
    (this.#counters ?? this.#core.telemetry.unrouted).add(record);
    this.#core.book.add(record, now);
  }
}

/** Causes that a used connection shows when it was closed before the request met it. */
const CLOSED: ReadonlySet<CauseId> = new Set(["origin.keepalive_race", "origin.reset_before_response"]);
