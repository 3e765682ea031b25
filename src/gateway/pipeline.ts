/**
 * One exchange, step by step: this file is the table of contents of the gateway. The steps stand in the order in
 * which they happen, and their names are the same in records, decisions, traces and docs:
 *
 *   receive  client-connection.ts reads a head that is right in every byte, or refuses it; all else needs it.
 *   identify who asks and under which id, before anything is decided that somebody may want to find again.
 *   route    what is asked for: only then is it known whose limits and timeouts hold.
 *   admit    whether it may go on at all, before it costs an origin anything.
 *   look up  an answer that is at hand already: behind admission (a refused client gets no cached answer either) and
 *            before an origin is picked.
 *   pick     the origin, as late as possible, on the newest knowledge.
 *   attempt  one try there.
 *   judge    what came of it, as a cause with evidence, before anybody acts on it.
 *   relay    a response that is on its way leaves as it comes (exchange-relay.ts).
 *   rescue   a failed attempt is repeated where that is safe; only here, so that no two layers repeat.
 *   reply    the gateway's own answer, when nothing else is left.
 *   record   always, exactly once, last: whatever happened before is in it (exchange-end.ts).
 *
 * What is known of the exchange meanwhile is in exchange-state.ts.
 */
import type { Challenges } from "../contract/acme.ts";
import type { ClientCertificateSettings } from "../config/settings.ts";
import type { Step } from "../contract/record.ts";
import { FIELD } from "../http1/field-ids.ts";
import type { MessageHead } from "../http1/head.ts";
import { REFUSALS } from "../http1/refusals.ts";
import type { RefusalId } from "../http1/refusals.ts";
import { CAUSES } from "../kernel/causes.ts";
import type { CauseId } from "../kernel/causes.ts";
import { isGrpcType } from "../policies/grpc.ts";
import { isIdempotent } from "../policies/retry.ts";
import { clientBehind } from "./absent-client.ts";
import type { Admission } from "./admission.ts";
import { admit, admitAgain } from "./admit.ts";
import type { Applicant } from "./admit.ts";
import type { Attempt } from "./attempt.ts";
import { climbsAboveRoot } from "./base-path.ts";
import { beginVisit, visitForFailure } from "./cache/begin-visit.ts";
import type { Entry } from "./cache/entry.ts";
import { handshakeFailure } from "./client-handshake.ts";
import type { ClientHost } from "./client-host.ts";
import type { EntryNote } from "./entry.ts";
import type { Failed } from "./failure-reply.ts";
import type { HeldAnswer } from "./held-answer.ts";
import { identifyRequest } from "./identify.ts";
import type { Judgement } from "./judge.ts";
import { lookUpKey } from "./key-look-up.ts";
import type { KeyedHost } from "./keyed-host.ts";
import { toUs } from "./origin-connection.ts";
import { wayPast } from "./poison-gate.ts";
import type { Suspect } from "./poison-gate.ts";
import { readHeadAgain, readResponseHeadAgain } from "./read-head-again.ts";
import { httpDate } from "./http-date.ts";
import { deadlineOf } from "./request-deadline.ts";
import { bounded, joinedValue, pathOf, targetOf } from "./request-target.ts";
import { whyNotResumed } from "./resumption.ts";
import { RoomWait } from "./room-wait.ts";
import type { RoomWaitHost } from "./room-wait.ts";
import type { Turn } from "./room.ts";
import type { ServiceRuntime } from "./service-runtime.ts";
import {
  challengeAnswer,
  challengeOf,
  clientCertificateLines,
  isMisdirected,
  redirectHead,
  redirectOf,
} from "./secure-terms.ts";
import { Tries } from "./tries.ts";
import type { TriesHost } from "./tries.ts";
import { Wait } from "./wait.ts";
import { ExchangeRelay } from "./exchange-relay.ts";

/** More than this of a method is nobody's name and would only fill the memory of the records. */
const METHOD_KEPT = 32;
/** A stored response would hide what has to be seen: a defect, a stop, a request that belongs nowhere. */
const STAYS_FAILED: ReadonlySet<CauseId> = new Set(["gw.internal", "gw.draining", "gw.no_route"]);

export class Exchange extends ExchangeRelay implements TriesHost, KeyedHost, Applicant, RoomWaitHost, Suspect, Failed {
  // ------------------------------------------------------------------ receive

  /** The request's head is complete and right. */
  receive(head: MessageHead, now: number): void {
    const { record, request } = this;
    record.headUs = toUs(now - this.startedMs);
    request.complete = head.framing === "none" || head.contentLength === 0;
    if (request.complete) record.requestEndUs = record.headUs;
    request.method = head.method;
    request.minorVersion = head.minorVersion;
    request.isStream = this.client.isStream;
    request.chunked = head.framing === "chunked";
    request.expectContinue = head.expectContinue && !request.complete;
    // What follows a CONNECT is not HTTP, so its connection ends with the answer.
    this.clientKeepAlive = head.keepAlive && head.method !== "CONNECT" && this.client.surplus === null;
    this.accept = head.valueOf(FIELD.ACCEPT);
    if (head.method === "POST") request.grpc = isGrpcType(head.valueOf(FIELD.CONTENT_TYPE) ?? "");
    record.method = bounded(head.method, METHOD_KEPT);
    if (this.client.isStream) record.protocol = "HTTP/2";
    else record.protocol = head.minorVersion === 1 ? "HTTP/1.1" : "HTTP/1.0";
    record.target = targetOf(head);
    record.userAgent = this.client.userAgentOf(head);
    this.#identify(head);
  }

  /** Bytes of the request's body, with the transfer coding taken off. */
  receiveBody(bytes: Buffer, start: number, end: number): void {
    const { request } = this;
    const waited = request.awaitsContinue;
    request.bodyBytes += end - start;
    this.record.requestBytes += end - start;
    if (this.over) return;
    const { keyed } = this;
    const isEnough = keyed !== null && keyed.collect(bytes, start, end);
    // All that matters of it has been read now.
    if (keyed !== null && keyed.phase === "comparing") return;
    const attempt = this.attempt;
    const ready = attempt !== null && attempt.ready;
    // It did not wait for 100, and now the body has as long as it takes.
    if (waited && ready && !this.response.begun) attempt.connection?.stopWaiting();
    if (!this.response.begun) {
      const limit = this.service?.settings.retry.replayBytes ?? 0;
      request.keepBody(bytes, start, end, !ready, limit, this.core.replayBudget);
    }
    if (ready) attempt.sendBody(bytes, start, end, true);
    else if (keyed !== null && keyed.phase === "collecting") {
      if (!isEnough) return;
      this.client.pause();
      keyed.ask(this.core.clock.monotonic());
    } else if (this.awaitsBody) this.#pick(null, this.core.clock.monotonic());
    else this.client.pause();
  }

  /** The request is complete. */
  receiveEnd(now: number): void {
    this.request.complete = true;
    this.record.requestEndUs = toUs(now - this.startedMs);
    if (this.over) return;
    const { attempt, keyed } = this;
    if (keyed !== null && keyed.wantsEnd) keyed.complete(now);
    else if (attempt !== null && attempt.ready) attempt.sendEnd(now);
    else if (this.awaitsBody) this.#pick(null, now);
  }

  /** The message is malformed. Its connection will be closed by the caller. */
  refuse(id: RefusalId): void {
    const refusal = REFUSALS[id];
    this.record.reason = id;
    this.core.telemetry.refused(id);
    this.fail("client.bad_request", `${id}: ${refusal.meaning}`, "receive", refusal.status);
  }

  // ------------------------------------------------------------------ identify

  #identify(head: MessageHead): void {
    const { record, request } = this;
    const client = this.client;
    const host = client.hostOf(head);
    this.host = host;
    record.host = host.kept;
    const identity = identifyRequest(head, host.field, client.peer, client.listener.isTrusted, this.core.newId);
    record.id = identity.id;
    record.traceId = identity.traceId;
    record.parentSpanId = identity.parentSpanId;
    record.clientAddress = identity.clientAddress;
    request.identityLines = identity.lines;
    request.keepTrace = identity.keepTrace;
    request.trusted = client.peer.trusted;
    request.reducedInFront = request.trusted && head.find(FIELD.GOODGATE_MODE) !== -1;
    const { tls, redirectPort } = client.listener.settings;
    if (tls !== null && tls.clientCertificates.length > 0 && !this.#certified(tls.clientCertificates, host)) return;
    if (this.core.challenges !== null && this.#challenged(head, this.core.challenges)) return;
    if (redirectPort !== 0 && this.#redirected(head, host, redirectPort)) return;
    this.#routeTo(head, host);
  }

  /** Whether the host may be asked for over this connection, as far as certificates of clients go. */
  #certified(rules: readonly ClientCertificateSettings[], { name }: ClientHost): boolean {
    const { request } = this;
    const { tls } = this.client.socket.carrier;
    // Over HTTP/1.1 that was answered before anything was read; an answer of HTTP/2 belongs to a request.
    if (tls?.refused !== undefined) {
      const { cause, evidence } = handshakeFailure(tls.refused);
      this.fail(cause, evidence, "identify", 0);
      return false;
    }
    if (isMisdirected(rules, tls, name)) {
      const evidence = `${name} has a rule for clients' certificates, and the connection was made for ${tls?.serverName || "no name"}`;
      this.fail("client.tls_misdirected", evidence, "identify", 0);
      return false;
    }
    request.identityLines += clientCertificateLines(rules, tls, name);
    return true;
  }

  /** True: an authority has been answered that asks whether a name is ours. What it does not know goes on as usual. */
  #challenged(head: MessageHead, challenges: Challenges): boolean {
    const token = challengeOf(head);
    const answer = token === "" ? null : challenges.answerTo(token);
    if (answer === null) return false;
    const { clock } = this.core;
    this.decide("admit", "admit.challenge", "an authority asks for a proof that the name is ours");
    const now = clock.monotonic();
    this.serve(challengeAnswer(answer, httpDate(clock.wall())), "served", now);
    return true;
  }

  /** True: the client is sent to the same place with TLS, or cannot be and is refused. */
  #redirected(head: MessageHead, host: ClientHost, port: number): boolean {
    const { core, client } = this;
    const location = redirectOf(port, head, host, client.peer);
    if (location === "") return false;
    if (location === null) {
      this.fail("client.bad_request", "without TLS, and no host is named to be sent to with it", "identify", 400);
      return true;
    }
    const now = core.clock.monotonic();
    this.decide("admit", "admit.to-https", `without TLS; sent to ${location}`);
    this.serve({ head: redirectHead(location, httpDate(core.clock.wall())), lines: "", body: null }, "served", now);
    return true;
  }

  // ------------------------------------------------------------------ route

  #routeTo(head: MessageHead, { name: host }: ClientHost): void {
    const { record } = this;
    const path = pathOf(head, record.target);
    const headerOf = (name: string): string | null => joinedValue(head, name);
    const { routes, services } = this.core.generation;
    const hit = routes.match(host, head.method, path, headerOf);
    const routedAt = this.core.clock.monotonic();
    record.routedUs = toUs(routedAt - this.startedMs);
    if (hit === null) {
      this.fail("gw.no_route", routes.whyNot(host, head.method, path, headerOf), "route", 0);
      return;
    }
    const service = services[hit.serviceIndex];
    const route = service?.routeAt(hit.routeIndex) ?? null;
    if (service === undefined || route === null) throw new Error("route table and services differ");
    this.service = service;
    this.route = hit.route;
    this.routeIndex = hit.routeIndex;
    this.counters = route.counters;
    this.cache = route.cache;
    this.idempotent = hit.route.idempotent || isIdempotent(head.method);
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
    if (admit(this.core, this, head, now)) this.#admitted(head, now);
  }

  #admitted(head: MessageHead, now: number): void {
    this.#heed(head, now);
    this.#lookUp(head, now);
  }

  /** What this worker has of its rate limits is used up, and others may have some. */
  awaitRates(head: MessageHead, wait: NonNullable<EntryNote["wait"]>): void {
    this.request.keepHead(head);
    this.leaveRates = wait(() =>
      this.later((now) => {
        this.leaveRates = null;
        const { head: copy } = this.request;
        if (copy === null) return;
        if (!this.request.complete) this.client.resume();
        readHeadAgain(copy, (again) => {
          if (admitAgain(this.core, this, again, now)) this.#admitted(again, now);
        });
      }),
    );
  }

  /** What the request says of the time it has, and of a gateway in front that repeats what fails. */
  #heed(head: MessageHead, now: number): void {
    const { request } = this;
    request.repeats = this.service?.repeats === true;
    request.repeatedInFront = head.find(FIELD.GOODGATE_ATTEMPT) !== -1;
    const deadline = deadlineOf(head, this.startedMs, this.settled.deadlineMs);
    if (deadline === null) return;
    request.deadline = deadline;
    this.deadlineWait = new Wait(this.core.wheel, this, deadline.leftMs(now), now, () => this.expire(deadline));
  }

  // ------------------------------------------------------------------ look up

  #lookUp(head: MessageHead, now: number): void {
    if (!isIdempotent(head.method)) {
      const keyed = lookUpKey(this.core, this, head, this.settled);
      if (keyed === "refused") return;
      this.keyed = keyed;
      if (keyed !== null) {
        let isEnough = this.request.complete;
        // What came while it waited to be admitted.
        for (const piece of this.request.replay?.pieces ?? []) {
          isEnough = keyed.collect(piece, 0, piece.length) || isEnough;
        }
        if (isEnough) keyed.ask(now);
        return;
      }
    }
    if (this.cache !== null) {
      const refreshes = this.refreshes;
      const visit = beginVisit(this.cache, this.core, this, head, refreshes !== null);
      this.visit = visit;
      if (refreshes !== null) visit?.lookUpForRefresh(refreshes, now);
      else if (visit !== null && visit.lookUp(head, now)) return;
    }
    this.#pick(head, now);
  }

  readOn(): void {
    this.request.releaseBody();
    this.client.resume();
  }

  /** Nothing at hand answers: an origin has to. */
  forward(now: number): void {
    this.#pick(null, now);
  }

  /** Another exchange fetches `entry` anew, as this request would have, and its answer goes to nobody. */
  refresh(entry: Entry, now: number): void {
    const { head } = this.request;
    if (head === null || this.core.draining) return;
    const behind = new Exchange(this.core, clientBehind(this.client, this.host), now, now);
    behind.refreshes = entry;
    behind.response.detached = true;
    this.core.outliving.add(behind);
    readHeadAgain(head, (again) => behind.receive(again, now));
  }

  // ------------------------------------------------------------------ pick

  /** With a null head this is a later attempt, or one that had to wait: the head is read again from its copy. */
  #pick(head: MessageHead | null, now: number, turn: Turn = "new"): void {
    const service = this.service;
    if (service === null) return;
    const { deadline } = this.request;
    if (deadline !== null && deadline.leftMs(now) <= 0) {
      this.expire(deadline);
      return;
    }
    const way = service.poison?.active === true ? wayPast(service.poison, this, head, now) : "any";
    this.awaitsBody = way === "more";
    if (way === "more" || way === "refused") return;
    const tries = this.#begunTries(service, now);
    if (way !== "any") {
      // A connection that lay idle and breaks would prove nothing.
      tries.start(way, head, now, true);
      return;
    }
    const picked = service.pick(this.routeIndex, tries.tried, this.idempotent, now, this.record.method, turn);
    switch (picked.kind) {
      case "address":
        for (const note of picked.notes) this.decide("pick", note.code, note.reason);
        tries.start(picked.address, head, now, false);
        return;
      case "ask":
        this.request.keepHead(head);
        picked.ask(() => this.later((at) => this.#pick(null, at)));
        return;
      case "full":
        this.request.keepHead(head);
        this.#waitForRoom(picked.admission, picked.evidence, head, now);
        return;
      case "none":
        this.fail(picked.cause, picked.evidence, "pick", 0);
    }
  }

  #waitForRoom(admission: Admission | null, evidence: string, head: MessageHead | null, now: number): void {
    if (admission === null) {
      this.fail("gw.shed", evidence, "admit", 0);
      return;
    }
    this.roomWait = new RoomWait(this.core, this, admission);
    this.roomWait.begin(this.settled, head, now);
  }

  onRoom(now: number): void {
    this.#pick(null, now, "called");
  }

  // ------------------------------------------------------------------ attempt

  #begunTries(service: ServiceRuntime, now: number): Tries {
    this.tries ??= new Tries(
      this.core,
      this,
      {
        service,
        route: this.settled,
        idempotent: this.idempotent,
        isKeyed: this.keyed !== null,
        originsHonourKey: this.keyed?.settings.originsHonour === true,
        keepHead: this.cache !== null,
      },
      now,
    );
    return this.tries;
  }

  /** The attempt is later than nearly all answers of its route. */
  onLate(attempt: Attempt, waitedMs: number, now: number): void {
    this.tries?.onLate(attempt, waitedMs, now);
  }

  onPoolSilent(attempt: Attempt, now: number): void {
    this.tries?.onPoolSilent(attempt, now);
  }

  onRequestHeadSent(): void {
    this.client.resume();
  }

  onRequestSent(_attempt: Attempt, now: number): void {
    this.keyed?.sent(now);
  }

  /** The client connection has handed over all it read: stop reading when the origin is slower. */
  afterClientTurn(now: number): void {
    const connection = this.attempt?.connection ?? null;
    if (connection === null || !connection.socket.writing || connection.state === "connecting") return;
    this.client.pause();
    if (!this.response.begun || this.tunnel !== null) {
      connection.wait("write", this.route?.timeouts.gapMs ?? 0, now);
    }
  }

  onOriginDrain(attempt: Attempt, now: number): void {
    this.client.resume();
    if (this.tunnel !== null) attempt.connection?.stopWaiting();
    else attempt.awaitOrigin(now);
  }

  // ------------------------------------------------------------------ judge

  onAttemptFailed(attempt: Attempt, judgement: Judgement, now: number): void {
    const { cause, evidence } = judgement;
    if (this.resumption !== null) {
      this.resumption.broke(attempt, judgement, now);
      return;
    }
    if (this.tries?.failed(attempt, cause, now) === true) return;
    this.#rescue(attempt, cause, evidence, now);
  }

  // ------------------------------------------------------------------ rescue

  #rescue(attempt: Attempt, cause: CauseId, evidence: string, now: number): void {
    if (this.response.begun) {
      const why = whyNotResumed(this.settled.resume, this.request, this.response, this.record.status);
      this.decide("rescue", why.code, why.reason);
    }
    if (this.tries?.repeat(attempt, cause, now) === true) return;
    if (this.response.begun) this.cut(cause, evidence, "relay");
    else this.fail(cause, evidence, "attempt", 0);
  }

  /** The answer that was held back goes to the client after all, unless what is stored may take its place. */
  #giveHeld(held: HeldAnswer, insteadOf: CauseId, now: number): void {
    let lines: string | null = "";
    readResponseHeadAgain(held.answer.head, this.record.method, (head) => {
      lines = this.cacheLines(held.attempt, head, now);
    });
    if (lines === null) {
      held.close();
      this.visit?.answerInstead(now);
      return;
    }
    const { address } = held.attempt.attempt;
    const reason = `nothing better was found (${insteadOf}); the answer ${held.status} of ${address} is passed on`;
    this.decide("rescue", "held.given", reason);
    this.note(held.judgement.cause, held.judgement.evidence);
    this.serve({ ...held.answer, lines: held.answer.lines + lines }, "failed", now);
  }

  // ------------------------------------------------------------------ reply

  /** The exchange ends with the gateway's own answer, or with a cut when an answer has begun. */
  fail(cause: CauseId, evidence: string, step: Step, status: number): void {
    if (this.over) return;
    const now = this.core.clock.monotonic();
    const held = this.faulted ? null : (this.tries?.takeHeld(now) ?? null);
    if (held !== null) {
      this.#giveHeld(held, cause, now);
      return;
    }
    this.leaveOrigin(now);
    if (this.response.begun) {
      this.cut(cause, evidence, step);
      return;
    }
    if (this.#answersFromCache(cause, evidence, now)) return;
    this.note(cause, evidence);
    // Anybody may ask for an answer in no time: that says nothing about the load.
    if (CAUSES[cause].party === "overload" && cause !== "gw.deadline") this.#noteShed(now);
    this.keyed?.finish();
    // Its client has left, or has an answer: nobody gets another, and the record does not say so.
    const keepAlive = this.left === null && this.writeFailure(cause, status, now);
    const { complete } = this.request;
    this.finish(CAUSES[cause].party === "client" || cause === "gw.no_route" ? "refused" : "failed", step, now);
    this.client.exchangeDone(keepAlive, complete, now);
  }

  /** There was no room for it: what is decided about others in the next moments knows of that. */
  #noteShed(now: number): void {
    if (this.service === null) this.core.shedAt = now;
    else this.service.turnedAway(now);
  }

  /** The last good copy, for failures that it helps against. */
  #answersFromCache(cause: CauseId, evidence: string, now: number): boolean {
    if (this.cache === null || CAUSES[cause].party === "client" || STAYS_FAILED.has(cause)) return false;
    this.visit ??= visitForFailure(this.cache, this.core, this);
    return this.visit !== null && this.visit.answerForOrigin(cause, evidence, now);
  }
}
