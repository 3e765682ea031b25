/**
 * The attempts of one exchange together: where the next one goes, which of two under way at once counts, and the
 * answer that is held back while another origin may have a better one. The exchange says when; policies/retry.ts and
 * policies/hedge.ts say whether; here is kept what they have to know of each other.
 */
import type { RouteSettings } from "../config/settings.ts";
import type { Decision } from "../contract/record.ts";
import type { MessageHead } from "../http1/head.ts";
import type { CauseId } from "../kernel/causes.ts";
import { countAsked, isWorthAsking, mayBeBetterElsewhere, yieldInWords } from "../policies/answer-worth-retrying.ts";
import { chooseTwo } from "../policies/choose-two.ts";
import { isRead } from "../policies/retry.ts";
import { takeRetry } from "../policies/retry-budget.ts";
import type { RetryVerdict } from "../policies/retry.ts";
import { durationInWords } from "../policies/words.ts";
import { Attempt } from "./attempt.ts";
import { wasStale } from "./attempt-facts.ts";
import type { AttemptHost } from "./attempt-host.ts";
import type { ClientResponse } from "./client-response.ts";
import type { Core } from "./core.ts";
import { responseLines } from "./forward-response.ts";
import { hedge } from "./hedge.ts";
import { HeldAnswer } from "./held-answer.ts";
import { overloadedForMs } from "./judge-response.ts";
import type { AnswerJudgement } from "./judge-response.ts";
import type { Lateness } from "./lateness.ts";
import type { OriginAddress } from "./origin-address.ts";
import { rescue } from "./rescue.ts";
import type { FailedAttempt } from "./rescue.ts";
import type { ServiceRuntime } from "./service-runtime.ts";
import { Wait } from "./wait.ts";

/** The exchange whose attempts they are. */
export interface TriesHost extends AttemptHost {
  readonly response: ClientResponse;
  /** It has ended, with its record. */
  readonly over: boolean;
  /** An origin is to be picked for another attempt. */
  forward(now: number): void;
  later(step: (now: number) => void): void;
}

export interface TriesPlace {
  readonly service: ServiceRuntime;
  readonly route: RouteSettings;
  /** The request may be sent twice, whatever the ledger of keys says. */
  readonly idempotent: boolean;
  /** Its Idempotency-Key is honoured: the answer is what the ledger says, so none is held back or raced for. */
  readonly isKeyed: boolean;
  /** The origins carry out its key once, all of them together. */
  readonly originsHonourKey: boolean;
  /** Somebody but another attempt may need the head again. */
  readonly keepHead: boolean;
}

export class Tries {
  /** The one that the exchange counts on: the newest, or the one whose response is passed on. */
  current: Attempt | null = null;
  tried: OriginAddress[] = [];
  /** After how long an attempt is late; 0: it may not be sent twice, or that is not known. */
  readonly lateMs: number;
  readonly #core: Core;
  readonly #host: TriesHost;
  readonly #place: TriesPlace;
  readonly #lateness: Lateness | null;
  /** The second of two under way at once. */
  #rival: Attempt | null = null;
  /** A 5xx that is held back while another origin is asked. */
  #held: HeldAnswer | null = null;
  /** Another pool was asked besides because this one was silent; empty: none was. */
  #silentPool = "";
  /** An idle connection was found dead. */
  #metStale = false;
  /** A connection to an origin was broken. */
  #metBroken = false;
  /** How often all origins have been tried, this time included. */
  #pass = 1;
  /** The decision to repeat, until it is known where. */
  #repeat: Decision | null = null;
  /** Until the next attempt. */
  #pause: Wait | null = null;

  constructor(core: Core, host: TriesHost, place: TriesPlace, now: number) {
    this.#core = core;
    this.#host = host;
    this.#place = place;
    this.#lateness = this.#latenessNow(now);
    this.lateMs = place.service.repeats && this.#lateness !== null ? this.#lateness.afterMs(now) : 0;
  }

  /** How late is late, for requests that may be sent to two origins at once. */
  #latenessNow(now: number): Lateness | null {
    const { request, routeIndex } = this.#host;
    const { route, service } = this.#place;
    // A route without a limit for the first byte answers late on purpose.
    // A call of gRPC is repeated by the rules of gRPC, and those know no second one beside the first.
    if (!request.complete || route.timeouts.firstByteMs === 0 || request.grpc) return null;
    if (!(route.idempotent || isRead(request.method)) || request.repeatedInFront) return null;
    return service.latenessOf(routeIndex, now);
  }

  // ------------------------------------------------------------------ one try

  /** `fresh`: not on an idle connection, because one has just been found dead. */
  start(address: OriginAddress, head: MessageHead | null, now: number, fresh: boolean): void {
    const { service, idempotent, keepHead } = this.#place;
    // Not by `push` where one is all there will be: see Attempt.
    if (!fresh && this.tried.length === 0) this.tried = [address];
    else if (!fresh) this.tried.push(address);
    if (this.#host.record.attempts.length === 0) service.asksOrigin(now);
    const repeat = this.#repeat;
    this.#repeat = null;
    if (repeat !== null) repeat.reason += `; next is ${address.text} in pool ${address.poolName}`;
    const attempt = new Attempt(this.#core, this.#host, address, now);
    this.current = attempt;
    // Behind a stale connection others may be as stale, and they could use up every attempt; and if it was the request
    // that broke it, only a new one tells. Behind a broken connection the next origin may have died with the first: a
    // new one finds that out, and is refused, where one that lies idle would swallow the request.
    const isNew = fresh || this.#metBroken || this.#metStale;
    attempt.start(head, now, isNew, !idempotent, keepHead || service.settings.retry.attemptsMax > 1);
  }

  /** Ends all of it, without blame. */
  leave(now: number): void {
    this.#pause?.cancel();
    this.#held?.close();
    this.#held = null;
    this.current?.abandon(now);
    this.#rival?.abandon(now);
  }

  // ------------------------------------------------------------------ two at once

  /** The attempt is later than nearly all answers of its route. */
  onLate(attempt: Attempt, waitedMs: number, now: number): void {
    const { service } = this.#place;
    const { request, record, routeIndex } = this.#host;
    if (attempt !== this.current || this.#rival !== null || !this.#mayGoTwice) return;
    const others = service.othersInPool(attempt.address.poolName, routeIndex, this.tried, now);
    const verdict = hedge(service, request, record, { others: others.length, usualMs: this.lateMs, waitedMs, now });
    this.#host.decide("attempt", verdict.code, verdict.reason);
    if (verdict.hedge) this.#startBeside(attempt, others, now);
  }

  /**
   * All of its pool says nothing: a second origin there, which may have been asked already, will not answer either. So
   * the request goes to another pool besides, from the same budget as what failed: it has, in all but name.
   */
  onPoolSilent(attempt: Attempt, now: number): void {
    const { service } = this.#place;
    const { record, routeIndex } = this.#host;
    const rival = this.#rival;
    const first = this.current;
    if (first === null || (attempt !== first && attempt !== rival) || !this.#mayGoTwice) return;
    if (this.#lateness === null || record.attempts.length >= service.settings.retry.attemptsMax) return;
    const { poolName } = attempt.address;
    // The other of two may have been sent elsewhere already.
    if (rival !== null && rival.address.poolName !== first.address.poolName) return;
    const place = service.elsewhere(poolName, routeIndex, this.tried, now);
    if (place === null || service.isShedding(now) || !takeRetry(service.settings.retry, service.budget, now)) return;
    this.#host.decide("attempt", "hedge.silent-pool", `sent to another pool as well: ${place.because}`);
    if (rival !== null) {
      this.#rival = null;
      rival.giveUp(now);
    }
    this.#silentPool = poolName;
    this.#startBeside(first, place.addresses, now);
  }

  /** Nobody counts on its being carried out once, and it may not be what breaks origins. */
  get #mayGoTwice(): boolean {
    const { request } = this.#host;
    return !this.#place.isKeyed && request.kept && !request.onTrial && !this.#metBroken;
  }

  /** `first` goes on, and one of `others` is asked as well. */
  #startBeside(first: Attempt, others: readonly OriginAddress[], now: number): void {
    const { chance } = this.#core;
    const { record, counters } = this.#host;
    const other = others[chooseTwo(others, others.length, chance(), chance(), now)];
    if (other === undefined) return;
    if (counters !== null) counters.retries += 1;
    this.#repeat = record.decisions.at(-1) ?? null;
    this.start(other, null, now, false);
    // Unless that has ended already: then the first goes on alone.
    const second = this.current;
    this.current = first;
    if (this.#host.over) first.abandon(now);
    else if (second !== null && second !== first && !second.ended) this.#rival = second;
  }

  /** Answers of the route take so long. */
  tookMs(ms: number, now: number): void {
    this.#lateness?.took(ms, now);
  }

  /** Its response is the exchange's: what else is under way or held back is let go. */
  chosen(winner: Attempt, status: number, now: number): void {
    if (this.#rival !== null) this.#winsOver(winner, now);
    if (this.#held !== null) this.#letHeldGo(status < 500, now);
  }

  #winsOver(winner: Attempt, now: number): void {
    const first = this.current;
    const loser = winner === first ? this.#rival : first;
    this.current = winner;
    this.#rival = null;
    if (loser === null) return;
    const tookMs = now - loser.beganMs;
    // Waited for in vain, like everybody's there: that has failed, and whoever looks for what is wrong has to see it. Not
    // so the other pool's, where the silent one spoke again first.
    if (loser.address.poolName === this.#silentPool && winner.address.poolName !== this.#silentPool) loser.giveUp(now);
    else loser.abandon(now, loser === first);
    this.#lateness?.took(tookMs, now);
    this.#nowAt(winner);
    const reason = `${winner.address.text} answered first; ${loser.address.text} was let go after ${durationInWords(tookMs)}`;
    this.#host.decide("relay", winner === first ? "hedge.cancelled" : "hedge.won", reason);
  }

  /** One of two failed: the other goes on alone. False: there is no other. */
  #goesOnWithout(failed: Attempt, cause: CauseId): boolean {
    const first = this.current;
    const left = failed === first ? this.#rival : first;
    if (this.#rival === null || left === null) return false;
    this.current = left;
    this.#rival = null;
    this.#nowAt(left);
    this.#host.decide(
      "rescue",
      "hedge.goes-on",
      `${failed.address.text} failed (${cause}); ${left.address.text} goes on`,
    );
    return true;
  }

  #nowAt({ attempt }: Attempt): void {
    this.#host.record.pool = attempt.pool;
    this.#host.record.origin = attempt.origin;
  }

  // ------------------------------------------------------------------ one after the other

  /** An attempt failed. True: the exchange goes on; false: nothing is left to try. */
  failed(attempt: Attempt, cause: CauseId, now: number): boolean {
    if (cause === "origin.keepalive_race" || cause === "net.half_open") this.#metStale = true;
    if (cause === "origin.reset_before_response") this.#metBroken = true;
    this.#place.service.poison?.failed(cause, attempt, this.#host.request, this.#host.record, now);
    return this.#goesOnWithout(attempt, cause);
  }

  /** Begins another attempt, if that is safe and allowed. False: it is not. */
  repeat(attempt: Attempt, cause: CauseId, now: number): boolean {
    const verdict = this.#verdictOn(attempt, cause, null, now);
    if (verdict.retry) this.#again(attempt, verdict, now);
    return verdict.retry;
  }

  /** Whether it is repeated, on the record. */
  #verdictOn(attempt: Attempt, cause: CauseId, answer: FailedAttempt["answer"], now: number): RetryVerdict {
    const { service, route, originsHonourKey } = this.#place;
    const { request, record, response, routeIndex, counters } = this.#host;
    const verdict = rescue({
      cause,
      request,
      record,
      routeIdempotent: route.idempotent || originsHonourKey,
      isCritical: route.class === "critical",
      responseBegun: response.begun,
      answer,
      service,
      staleConnection: wasStale(attempt.attempt),
      othersLeft: service.othersLeft(routeIndex, this.tried),
      pass: this.#pass,
      roll: this.#core.chance(),
      now,
    });
    this.#host.decide("rescue", verdict.code, verdict.reason);
    if (verdict.retry) {
      if (counters !== null) counters.retries += 1;
      this.#repeat = record.decisions.at(-1) ?? null;
    } else if (verdict.code === "retry.refused.budget" && counters !== null) counters.retriesRefusedByBudget += 1;
    return verdict;
  }

  #again(failed: Attempt, { target, waitMs }: RetryVerdict, now: number): void {
    switch (target) {
      case "same":
        this.start(failed.address, null, now, true);
        return;
      case "other":
        this.#host.forward(now);
        return;
      case "any":
        this.#pass += 1;
        this.tried = [];
        this.#pause = new Wait(this.#core.wheel, this.#host, waitMs, now, (at) => this.#host.forward(at));
    }
  }

  // ------------------------------------------------------------------ an answer held back

  /** Another origin may have a better answer than this 5xx: it is asked, and this one waits. */
  holdBack(attempt: Attempt, head: MessageHead, judged: AnswerJudgement, now: number): boolean {
    const { service, route, isKeyed } = this.#place;
    const { record, request, routeIndex } = this.#host;
    if (isKeyed || service.settings.retry.attemptsMax < 2 || !request.complete) return false;
    if (!mayBeBetterElsewhere(judged.status, record.method, route.idempotent)) return false;
    const answers = service.answersOf(routeIndex);
    if (!isWorthAsking(answers, now)) {
      this.#host.decide("rescue", "held.same-everywhere", `passed on: ${yieldInWords(answers, now)}`);
      return false;
    }
    if (this.#goesOnWithout(attempt, judged.cause)) {
      this.#hold(attempt, head, judged, now);
      return true;
    }
    const overloaded = overloadedForMs(head, this.#core.clock.wall());
    const verdict = this.#verdictOn(attempt, judged.cause, { status: judged.status, overloadedForMs: overloaded }, now);
    if (!verdict.retry) return false;
    this.#hold(attempt, head, judged, now);
    this.current = null;
    this.#again(attempt, verdict, now);
    return true;
  }

  /** No origin has a better answer than the one that is held back; null: there is none, or it broke, too. */
  takeHeld(now: number): HeldAnswer | null {
    const held = this.#held;
    if (held === null) return null;
    this.#held = null;
    countAsked(this.#place.service.answersOf(this.#host.routeIndex), false, now);
    if (held.broken) return null;
    this.#host.record.originStatus = held.status;
    this.#nowAt(held.attempt);
    return held;
  }

  #hold(attempt: Attempt, head: MessageHead, judged: AnswerJudgement, now: number): void {
    if (this.#held !== null) this.#letHeldGo(false, now);
    const { gapMs } = this.#host.timeouts;
    const lines = responseLines(head, judged.cause, this.#core);
    const onFault = (error: unknown): void => this.#host.onFault(error);
    this.#held = new HeldAnswer(attempt, head, judged, { lines, gapMs, onFault });
    attempt.handOver(this.#held);
    attempt.waitForMore(gapMs);
  }

  /** The answer that was held back is not needed: another is passed on, or nobody is there. */
  #letHeldGo(better: boolean, now: number): void {
    const held = this.#held;
    if (held === null) return;
    this.#held = null;
    held.close();
    countAsked(this.#place.service.answersOf(this.#host.routeIndex), better, now);
  }
}
