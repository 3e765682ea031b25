/**
 * A response on its way to a client that could be continued by another origin, and the continuing: when it breaks, or
 * stands still, the missing part is asked for elsewhere, and if the answer is that part of the very same bytes it
 * follows what the client has. The client sees one response with one head.
 *
 * Until something goes wrong this is a copy of the response's head and a timer; nothing of the body is kept. What may be
 * continued, whether it is now, and which answer fits, decide policies/resumable.ts and policies/resume.ts.
 *
 * An origin that only stands still keeps its attempt. The other one works beside it until one of the two goes on, and
 * the slower one is let go.
 */
import type { ResumeSettings, TimeoutSettings } from "../config/settings.ts";
import type { ExchangeRecord, Step } from "../contract/record.ts";
import { FIELD } from "../http1/field-ids.ts";
import type { MessageHead } from "../http1/head.ts";
import { CAUSES } from "../kernel/causes.ts";
import type { DecisionCode } from "../kernel/decisions.ts";
import { WheelTimer } from "../kernel/timer-wheel.ts";
import type { TimerOwner } from "../kernel/timer-wheel.ts";
import { judgeContinuation, missingRange, promisedBody } from "../policies/resumable.ts";
import type { Continuation, Promised, PromisedBody, ResponseFacts, ResumeRefusal } from "../policies/resumable.ts";
import { budgetInWords, retriesLeft, takeRetry } from "../policies/retry-budget.ts";
import { countResume, createResume, decideResume } from "../policies/resume.ts";
import type { ResumeState, ResumeVerdict } from "../policies/resume.ts";
import { durationInWords } from "../policies/words.ts";
import { Attempt } from "./attempt.ts";
import type { AttemptHost, RequestedPart } from "./attempt-host.ts";
import type { ClientRequest } from "./client-request.ts";
import type { ClientResponse } from "./client-response.ts";
import type { Core } from "./core.ts";
import type { Judgement } from "./judge.ts";
import { judgeResponse } from "./judge-response.ts";
import type { OriginAddress } from "./origin-address.ts";
import type { OriginConnection } from "./origin-connection.ts";
import { readResponseHeadAgain } from "./read-head-again.ts";
import { joinedValue } from "./request-target.ts";
import type { RouteCounters } from "./telemetry.ts";
import type { ServiceRuntime } from "./service-runtime.ts";

/** The exchange whose response it is. */
export interface ResumeHost {
  readonly record: ExchangeRecord;
  readonly request: ClientRequest;
  readonly response: ClientResponse;
  readonly startedMs: number;
  readonly timeouts: TimeoutSettings;
  readonly hostHeader: "preserve" | "origin";
  readonly counters: RouteCounters | null;
  modeLine(now: number): string;
  decide(step: Step, code: DecisionCode, reason: string): void;
  /** From now on the client gets what this attempt brings. */
  goOnWith(attempt: Attempt): void;
  onResponseEnd(attempt: Attempt, connection: OriginConnection, now: number): void;
  onOriginTurnEnd(attempt: Attempt, connection: OriginConnection, now: number): void;
  onContinuing(): void;
  /** Nothing is left to try. */
  onBroken(judgement: Judgement): void;
  later(step: (now: number) => void): void;
  onFault(error: unknown): void;
}

export interface ResumePlace {
  readonly service: ServiceRuntime;
  readonly routeIndex: number;
  /** Of the class that is shed last. */
  readonly isCritical: boolean;
  readonly settings: ResumeSettings;
  /** Asked before this response began, its own origin last. */
  readonly tried: readonly OriginAddress[];
}

/**
 * Whether a response is worth a copy of its head. Only what costs nothing is asked here; whether it can be continued is
 * found out when it has to be. A body that came with its head in one read cannot break any more.
 */
export function mayBeResumed(request: ClientRequest, head: MessageHead, connection: OriginConnection): boolean {
  return (
    head.framing === "length" &&
    (head.status === 200 || head.status === 206) &&
    (head.find(FIELD.ETAG) !== -1 || head.find(FIELD.LAST_MODIFIED) !== -1) &&
    !connection.holdsBodyOf(head) &&
    !request.repeatedInFront &&
    isPlainGet(request)
  );
}

/** What a response that broke lacked for being continued. */
export function whyNotResumed(
  settings: ResumeSettings | null,
  request: ClientRequest,
  response: ClientResponse,
  status: number,
): { readonly code: DecisionCode; readonly reason: string } {
  if (settings === null) return no("resume.refused.off", "`resume` is off for its route");
  if (!isPlainGet(request)) return no("resume.refused.request", `${request.method} cannot be asked for in part`);
  if (request.repeatedInFront) return no("resume.refused.layer", "a Goodgate in front continues what breaks");
  if (status !== 200 && status !== 206) return no("resume.refused.status", `status ${status} is neither 200 nor 206`);
  if (response.framing !== "as is") return no("resume.refused.no-length", "the response did not declare its length");
  return no("resume.refused.no-validator", "it has neither ETag nor Last-Modified");
}

export class Resumption implements AttemptHost, TimerOwner {
  readonly record: ExchangeRecord;
  readonly request: ClientRequest;
  readonly startedMs: number;
  readonly hostHeader: "preserve" | "origin";
  part: RequestedPart | null = null;
  /** Its own timer sees to those that are silent. */
  readonly lateMs = 0;
  readonly #core: Core;
  readonly #host: ResumeHost;
  readonly #place: ResumePlace;
  readonly #head: Buffer;
  readonly #timer: WheelTimer = new WheelTimer(this);
  /** 0: silence is waited out. */
  readonly #stallMs: number;
  readonly #state: ResumeState = createResume();
  #promised: Promised | null = null;
  /** The attempt whose bytes the client gets; null: it broke. */
  #current: Attempt | null;
  /** When the client got something last, or took what it had. */
  #heardAt: number;
  /** Since when the current attempt has been silent, once that is too long; -1: it has not. */
  #silentSince = -1;
  /** The one that was asked for the rest and has not answered. */
  #next: Attempt | null = null;
  /** Waits for the answer of a resolver. */
  #asking = false;
  /** Where the rest of the current attempt's body is a repetition: so many bytes of it are thrown away. */
  #skip = 0;
  /** How the client's response broke last. */
  #brokeBy: Judgement = { cause: "origin.stall_mid_body", evidence: "" };
  /** Where it failed since something was last brought, and where last. */
  #tried: OriginAddress[];
  #last: OriginAddress;
  /** Where the client's newest bytes came from. */
  #source: OriginAddress;
  /** Have other bytes. */
  readonly #different: OriginAddress[] = [];
  #over = false;

  constructor(core: Core, host: ResumeHost, place: ResumePlace, attempt: Attempt, head: MessageHead, now: number) {
    this.#core = core;
    this.#host = host;
    this.#place = place;
    this.record = host.record;
    this.request = host.request;
    this.startedMs = host.startedMs;
    this.hostHeader = host.hostHeader;
    this.#current = attempt;
    this.#tried = [...place.tried];
    this.#last = attempt.address;
    this.#source = attempt.address;
    this.#heardAt = now;
    this.#head = Buffer.allocUnsafe(head.headEnd - head.headStart);
    head.bytes.copy(this.#head, 0, head.headStart, head.headEnd);
    const { stallMs } = place.settings;
    // A route whose bodies may fall silent has no silence that means something; a shorter gap ends the attempt anyway.
    this.#stallMs = stallMs < host.timeouts.gapMs ? stallMs : 0;
  }

  get routeIndex(): number {
    return this.#place.routeIndex;
  }

  get counters(): RouteCounters | null {
    return this.#host.counters;
  }

  modeLine(now: number): string {
    return this.#host.modeLine(now);
  }

  get timeouts(): TimeoutSettings {
    return this.#host.timeouts;
  }

  onLate(): void {
    // Never asked for.
  }

  onPoolSilent(): void {
    // A stall of its own length decides when somebody else is asked.
  }

  // ------------------------------------------------------------------ what the exchange tells

  /** A read of the current attempt is through. `clientWaits`: the client took it, so that it is the origin's turn again. */
  heard(clientWaits: boolean, now: number): void {
    if (this.#silentSince >= 0) this.#wentOn(now);
    if (clientWaits) this.awaited(now);
    else this.#core.wheel.disarm(this.#timer);
  }

  /** The client has taken everything: it is the origin's turn. */
  awaited(now: number): void {
    this.#heardAt = now;
    const waits = this.#stallMs > 0 && this.#current !== null && this.#next === null;
    if (waits) this.#core.wheel.arm(this.#timer, now, this.#stallMs);
  }

  /** The attempt that the client gets its bytes from ended before its time. */
  broke(attempt: Attempt, judgement: Judgement, now: number): void {
    if (attempt !== this.#current || this.#over) return;
    this.#core.wheel.disarm(this.#timer);
    this.#current = null;
    this.#silentSince = -1;
    this.#brokeBy = judgement;
    this.#failedAt(attempt.address);
    // One that was asked while it stood still is on its way already.
    if (this.#next === null && !this.#asking) this.#goOn(now);
    else this.#core.wheel.arm(this.#timer, now, this.#stallMs);
  }

  /** The exchange is over, or the client is gone. */
  close(now: number): void {
    this.#over = true;
    this.#core.wheel.remove(this.#timer);
    this.#letNextGo(now);
  }

  // ------------------------------------------------------------------ silence

  onTimer(_timer: WheelTimer, now: number): void {
    if (this.#next !== null) this.#giveUpNext(this.#next, now);
    else if (this.#current !== null) {
      if (this.#silentSince < 0) this.#silentSince = this.#heardAt;
      // Two origins for one body are a luxury of quieter times, unless it is what the others give way to.
      if (this.#place.isCritical || !this.#place.service.isShedding(now)) this.#goOn(now);
      this.#lookAgain(now);
    }
    this.#core.gather.flush();
  }

  /** It is silent and nobody could be asked now: a token of the budget, or room, may come. */
  #lookAgain(now: number): void {
    const isAlone = this.#current !== null && this.#next === null && !this.#asking;
    if (isAlone && this.#stallMs > 0) this.#core.wheel.arm(this.#timer, now, this.#stallMs);
  }

  /** The current attempt goes on after all, so that the other one is not needed. */
  #wentOn(now: number): void {
    this.#silentSince = -1;
    const { attempt } = this.#current ?? {};
    if (this.#next === null || attempt === undefined) return;
    this.#host.decide("relay", "resume.went-on", `${attempt.address} went on; ${this.#next.address.text} was let go`);
    this.#letNextGo(now);
    this.record.pool = attempt.pool;
    this.record.origin = attempt.origin;
  }

  /**
   * It has not begun to answer, and a client waits in the middle of a body. That is no fault: a first byte may take
   * longer. When nobody else is left to ask, it has the time that any request has.
   */
  #giveUpNext(next: Attempt, now: number): void {
    this.#failedAt(next.address);
    const verdict = this.#verdict(now);
    if (!verdict.resume) return;
    // The same one is another only where it broke before somebody else was asked.
    if (verdict.target === "same" && (this.#current !== null || this.#same === next.address)) return;
    const waited = durationInWords(this.#stallMs);
    this.#host.decide("rescue", "resume.given-up", `${next.address.text} did not begin to answer within ${waited}`);
    this.#letNextGo(now);
    this.#askForRest(verdict, now);
  }

  #letNextGo(now: number): void {
    this.#next?.abandon(now);
    this.#next = null;
    this.#asking = false;
  }

  // ------------------------------------------------------------------ asking for the rest

  /** The current attempt broke or is silent, or the one that was asked for the rest failed. */
  #goOn(now: number): void {
    const verdict = this.#verdict(now);
    if (verdict.resume) this.#askForRest(verdict, now);
    // Silence about which nothing can be done is no event; should it become a break, that will be told.
    else if (this.#current === null) this.#giveUp(verdict);
  }

  #verdict(now: number): ResumeVerdict {
    const promised = this.#promise();
    if (!promised.resumable) {
      return { resume: false, target: "other", takesToken: false, ...no(promised.code, promised.why) };
    }
    const { service, settings } = this.#place;
    const { retry } = service.settings;
    const budgetLeft = retriesLeft(retry, service.budget, now) >= 1;
    return decideResume(
      { attemptsMax: retry.attemptsMax, timesMax: settings.timesMax, gapMs: this.timeouts.gapMs },
      this.#state,
      {
        retryClass: CAUSES[this.#brokeBy.cause].retryClass,
        stalled: this.#current !== null,
        silentMs: now - this.#heardAt,
        received: this.#host.response.bodyBytes,
        bodyBytes: lengthOf(promised.body),
        othersLeft: this.#othersLeft(),
        sameLeft: !this.#different.includes(this.#same),
        budgetLeft,
        budgetWords: budgetLeft ? "" : budgetInWords(retry, service.budget, now),
      },
    );
  }

  #othersLeft(): number {
    const { service, routeIndex } = this.#place;
    const left = service.othersLeft(routeIndex, this.#excluded);
    if (left > 0) return left;
    // All have been asked: another time round, because what broke a while ago may be well again.
    this.#tried = [this.#last];
    return service.othersLeft(routeIndex, this.#excluded);
  }

  get #excluded(): readonly OriginAddress[] {
    const current = this.#current === null ? [] : [this.#current.address];
    return [...this.#tried, ...this.#different, ...current];
  }

  #failedAt(address: OriginAddress): void {
    this.#last = address;
    if (!this.#tried.includes(address)) this.#tried.push(address);
  }

  /**
   * Where the client's bytes come from, or came from last: that one is known to have the rest. Should it have become
   * another version in the meantime, the one that failed last.
   */
  get #same(): OriginAddress {
    return this.#different.includes(this.#source) ? this.#last : this.#source;
  }

  #askForRest(verdict: ResumeVerdict, now: number): void {
    const promised = this.#promise();
    if (!promised.resumable) return;
    this.#host.decide("rescue", verdict.code, verdict.reason);
    const { service, routeIndex } = this.#place;
    if (verdict.takesToken) takeRetry(service.settings.retry, service.budget, now);
    const { bodyBytes } = this.#host.response;
    countResume(this.#state, bodyBytes, lengthOf(promised.body), verdict.target);
    if (this.#state.fruitless === 0) this.#tried = [this.#last];
    this.part = { range: missingRange(promised.body, bodyBytes), validator: promised.body.validator };
    this.#host.onContinuing();
    if (verdict.target === "same") {
      this.#askSame(now);
      return;
    }
    const picked = service.pick(routeIndex, this.#excluded, true, now, "GET", "must");
    switch (picked.kind) {
      case "address":
        for (const note of picked.notes) this.#host.decide("pick", note.code, note.reason);
        this.#ask(picked.address, now);
        return;
      case "ask":
        this.#asking = true;
        picked.ask(() => this.#host.later((at) => this.#answered(at)));
        return;
      case "full":
      case "none":
        if (this.#current === null) this.#giveUp(no("resume.refused.no-origin", picked.evidence));
    }
  }

  /** Also when it is held back, whoever says so: half a body would be lost with it, and nobody else has the rest. */
  #askSame(now: number): void {
    const address = this.#same;
    if (address.share === 0) {
      const reason = `${address.text} is held back, but the client's bytes came from there and no other is known to have the rest`;
      this.#host.decide("pick", "pick.last-resort", reason);
    }
    this.#ask(address, now);
  }

  /** A name that was asked for has an answer, or a failure. */
  #answered(now: number): void {
    if (this.#over || !this.#asking) return;
    this.#asking = false;
    this.#goOn(now);
  }

  /** On a new connection: an idle one may have died of the same. */
  #ask(address: OriginAddress, now: number): void {
    const next = new Attempt(this.#core, this, address, now);
    this.#next = next;
    if (this.#stallMs > 0) this.#core.wheel.arm(this.#timer, now, this.#stallMs);
    next.start(null, now, true, false, false);
  }

  #giveUp({ code, reason }: { readonly code: DecisionCode; readonly reason: string }): void {
    this.#host.decide("rescue", code, reason);
    this.#host.onBroken(this.#brokeBy);
  }

  #promise(): Promised {
    this.#promised ??= promiseOf(this.#head);
    return this.#promised;
  }

  // ------------------------------------------------------------------ the answer

  onResponseHead(attempt: Attempt, connection: OriginConnection, head: MessageHead, now: number): boolean {
    const promised = this.#promise();
    if (!promised.resumable) return false;
    const { bodyBytes } = this.#host.response;
    const answer = judgeContinuation(promised.body, bodyBytes, factsOf(head));
    if (!answer.fits) {
      this.#refuse(attempt, head, answer, now);
      return false;
    }
    const how = answer.skip === 0 ? "" : `; it sends all again, and ${answer.skip} bytes are thrown away`;
    this.#host.decide("relay", "resume.continued", `${attempt.address.text} goes on from byte ${bodyBytes}${how}`);
    this.#skip = answer.skip;
    this.#takeOver(attempt, now);
    connection.wait("gap", this.timeouts.gapMs, now);
    return true;
  }

  #takeOver(next: Attempt, now: number): void {
    const silent = this.#current;
    const silence = durationInWords(now - this.#silentSince);
    this.#current = next;
    this.#source = next.address;
    this.#next = null;
    this.#silentSince = -1;
    this.#host.goOnWith(next);
    if (silent === null) return;
    const evidence = `silence for ${silence} after ${silent.attempt.receivedBytes} response bytes, and another origin had the rest`;
    silent.fail({ kind: "unusable", judgement: { cause: "origin.stall_mid_body", evidence } }, now);
  }

  #refuse(attempt: Attempt, head: MessageHead, { code, why }: Mismatch, now: number): void {
    const judged = judgeResponse(head);
    // Its own trouble says nothing about what it has.
    if (judged === null) this.#different.push(attempt.address);
    this.#host.decide("rescue", code, `${attempt.address.text} cannot go on: ${why}`);
    const judgement = judged ?? { cause: "origin.resume_mismatch", evidence: why };
    attempt.fail({ kind: "unusable", judgement }, now);
  }

  onResponseBody(_attempt: Attempt, bytes: Buffer, start: number, end: number): void {
    const thrown = Math.min(this.#skip, end - start);
    this.#skip -= thrown;
    if (start + thrown < end) this.#host.response.body(bytes, start + thrown, end, true);
  }

  onResponseEnd(attempt: Attempt, connection: OriginConnection, now: number): void {
    this.#host.onResponseEnd(attempt, connection, now);
  }

  onAttemptFailed(attempt: Attempt, judgement: Judgement, now: number): void {
    if (attempt === this.#next) {
      this.#core.wheel.disarm(this.#timer);
      this.#next = null;
      this.#failedAt(attempt.address);
      this.#goOn(now);
      this.#lookAgain(now);
    } else this.broke(attempt, judgement, now);
  }

  onOriginTurnEnd(attempt: Attempt, connection: OriginConnection, now: number): void {
    if (attempt === this.#current) this.#host.onOriginTurnEnd(attempt, connection, now);
  }

  onInterim(): void {
    // The client has its final head.
  }

  onUpgrade(attempt: Attempt, _connection: OriginConnection, _head: MessageHead, now: number): boolean {
    attempt.fail({ kind: "upgrade", why: "101 to a request for a part of a response" }, now);
    return false;
  }

  onRequestHeadSent(): void {
    // A GET without a body is sent whole with its head.
  }

  onRequestSent(): void {
    // As above.
  }

  onOriginDrain(attempt: Attempt, now: number): void {
    attempt.awaitOrigin(now);
  }

  onTunnelEnd(): void {
    // As above.
  }

  decide(step: Step, code: DecisionCode, reason: string): void {
    this.#host.decide(step, code, reason);
  }

  onFault(error: unknown): void {
    this.#host.onFault(error);
  }
}

type Mismatch = Extract<Continuation, { fits: false }>;

function promiseOf(copy: Buffer): Promised {
  let facts: ResponseFacts | null = null;
  readResponseHeadAgain(copy, "GET", (head) => {
    facts = factsOf(head);
  });
  if (facts === null) throw new Error("a head was read again and not seen");
  return promisedBody(facts);
}

function isPlainGet({ method, complete, bodyBytes }: ClientRequest): boolean {
  return method === "GET" && complete && bodyBytes === 0;
}

function lengthOf({ first, last }: PromisedBody): number {
  return last - first + 1;
}

function factsOf(head: MessageHead): ResponseFacts {
  return {
    status: head.status,
    contentLength: head.framing === "length" ? head.contentLength : -1,
    contentRange: joinedValue(head, "content-range"),
    contentType: joinedValue(head, "content-type"),
    contentEncoding: joinedValue(head, "content-encoding"),
    etag: joinedValue(head, "etag"),
    lastModified: joinedValue(head, "last-modified"),
    date: joinedValue(head, "date"),
  };
}

function no(code: ResumeRefusal, why: string): { readonly code: ResumeRefusal; readonly reason: string } {
  return { code, reason: `not resumed: ${why}` };
}
