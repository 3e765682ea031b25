/**
 * Requests that break the connections they are sent on, or keep origins busy, watched for one service: policies/poison.ts decides, this
 * knows fingerprints and tells of quarantines. While no connection breaks it only notes what was answered last.
 */
import {
  POISON_BODY_BYTES,
  admitFingerprint,
  createPoison,
  fingerprintOf,
  hearQuarantine,
  isPinning,
  isSuspected,
  markBroken,
  markPinned,
  markRefused,
  markSuccess,
  markUnproven,
  postponeTrial,
  quarantineOf,
  sweepPoison,
} from "../policies/poison.ts";
import type { PoisonVerdict } from "../policies/poison.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import type { CauseId } from "../kernel/causes.ts";
import type { Attempt } from "./attempt.ts";
import type { ClientRequest } from "./client-request.ts";
import type { OriginAddress } from "./origin-address.ts";
import { SILENT_FROM_MS } from "../policies/pool-silence.ts";
import type { Asked } from "./first-byte-wait.ts";
import { RecentSuccesses } from "./recent-successes.ts";
import type { Siblings } from "./siblings.ts";
import { poisonTrialOf } from "../contract/news-keys.ts";
import type { News } from "../contract/shared-knowledge.ts";

/** How often what is over is looked for, while there is anything. */
const SWEEP_MS = 10_000;
/** What was answered this recently is no poison, whatever breaks under it now. */
const SUCCESS_COUNTS_MS = 60_000;

/**
 * Where a request that is tried again may go: to one of these addresses that is up. `none up`: later. `unknown`: the
 * service has none of them any more, so that whoever comes next is risked.
 */
export type FindAmong = (addresses: readonly string[]) => OriginAddress | "none up" | "unknown";

/** A trial without an address goes wherever any other request goes. */
export type Admitted = Exclude<PoisonVerdict, { kind: "try" }> | Trial;

interface Trial {
  readonly kind: "try";
  readonly address: OriginAddress | null;
  readonly because: string;
}

export class PoisonWatch {
  /** Times that requests like one began to be kept away. */
  quarantines = 0;
  readonly #state = createPoison();
  /** Hears when a quarantine begins. */
  tell: (detail: string) => void;
  find: FindAmong;
  readonly #successes = new RecentSuccesses();
  readonly #service: string;
  readonly #siblings: Siblings | null;
  #sweepAt = 0;

  /** `siblings`: null when there are none. */
  constructor(service: string, siblings: Siblings | null, tell: (detail: string) => void, find: FindAmong) {
    this.#service = service;
    this.#siblings = siblings;
    this.tell = tell;
    this.find = find;
  }

  /** What happened at another worker. All judge by the same events, so all come to the same. */
  hear(news: Extract<News, { kind: "poison" | "quarantine" }>, now: number): void {
    const at = now - news.agoMs;
    if (news.kind === "quarantine") {
      const { fingerprint: known, times, broken } = news;
      hearQuarantine(this.#state, known, { until: at + news.forMs, times, broken }, now);
      return;
    }
    const { what, fingerprint: known, origin, sentAgoMs } = news;
    if (what === "broke") markBroken(this.#state, known, origin, at - sentAgoMs, at);
    else if (what === "pinned") markPinned(this.#state, known, origin, at - sentAgoMs, at);
    else if (what === "refused") markRefused(this.#state, origin, at);
    else markSuccess(this.#state, known, at);
  }

  #broke(known: string, origin: string, sentAt: number, at: number, now: number): void {
    markBroken(this.#state, known, origin, sentAt, at);
    this.#tellMark("broke", known, origin, sentAt, at, now);
  }

  /** Nobody else is answered at this origin since the request was sent there. */
  pinned(origin: string, { request, record }: Asked, sentAt: number, now: number): void {
    // Of a body that was not kept nobody can tell whether it is the same.
    if (!request.kept) return;
    const known = fingerprint(request, record);
    markPinned(this.#state, known, origin, sentAt, now);
    this.#tellMark("pinned", known, origin, sentAt, now, now);
  }

  #tellMark(what: "broke" | "pinned", known: string, origin: string, sentAt: number, at: number, now: number): void {
    if (this.#siblings === null) return;
    const times = { agoMs: now - at, sentAgoMs: at - sentAt };
    this.#siblings.tell({ kind: "poison", service: this.#service, what, fingerprint: known, origin, ...times });
    this.#tellQuarantine(known, now);
    this.#siblings.turnOver(poisonTrialOf(this.#service, known));
  }

  #tellQuarantine(known: string, now: number): void {
    const quarantine = quarantineOf(this.#state, known);
    if (quarantine === null || this.#siblings === null) return;
    const { until, times, broken } = quarantine;
    const forMs = Math.max(0, until - now);
    this.#siblings.tell({
      kind: "quarantine",
      service: this.#service,
      fingerprint: known,
      agoMs: 0,
      forMs,
      times,
      broken: [...broken],
    });
  }

  /** There is something to watch. */
  get active(): boolean {
    return this.#state.size > 0;
  }

  /** Before the first attempt. Null: more of the body has to come before one request can be told from another. */
  admit(request: ClientRequest, record: ExchangeRecord, now: number): Admitted | null {
    if (now >= this.#sweepAt) {
      this.#sweepAt = now + SWEEP_MS;
      sweepPoison(this.#state, now);
    }
    const enough = request.complete || request.bodyBytes >= POISON_BODY_BYTES;
    // Whoever waits to be asked for its body would wait for ever.
    if (!enough && !request.awaitsContinue) return null;
    const known = fingerprint(request, record);
    const verdict = admitFingerprint(this.#state, known, now);
    if (verdict.kind === "refuse" && verdict.begins) {
      this.quarantines += 1;
      this.tell(verdict.because);
      this.#tellQuarantine(known, now);
    }
    if (verdict.kind !== "try") return verdict;
    if (this.#siblings?.mayTry(poisonTrialOf(this.#service, known)) === false) {
      const later = postponeTrial(this.#state, known, now);
      return later.kind === "try" ? null : later;
    }
    const found = this.find(verdict.at);
    if (found === "unknown") return { ...verdict, address: null };
    if (found !== "none up") return { ...verdict, address: found };
    const postponed = postponeTrial(this.#state, known, now);
    return postponed.kind === "try" ? null : postponed;
  }

  /** The same was answered a moment ago, so that whatever breaks under it now does not break of it. */
  clears(request: ClientRequest, record: ExchangeRecord, now: number): boolean {
    return request.bodyBytes === 0 && now - this.#successes.last(request.method, record.target) < SUCCESS_COUNTS_MS;
  }

  /** The attempt failed by this cause. */
  failed(
    cause: CauseId,
    { address, beganMs, attempt }: Attempt,
    request: ClientRequest,
    record: ExchangeRecord,
    now: number,
  ): void {
    if ((cause === "origin.refused" || cause === "origin.socket_missing") && this.active) {
      markRefused(this.#state, address.text, now);
      const { text: origin } = address;
      const none = { fingerprint: "", agoMs: 0, sentAgoMs: 0 };
      this.#siblings?.tell({ kind: "poison", service: this.#service, what: "refused", origin, ...none });
    }
    // Of a body that was not kept nobody can tell whether it is the same.
    if (cause === "origin.reset_before_response" && request.kept) {
      if (this.clears(request, record, now)) return;
      const known = fingerprint(request, record);
      // An idle connection that broke under it first was not stale, then.
      const exchangeBegan = beganMs - attempt.startedUs / 1000;
      for (const earlier of record.attempts) {
        if (earlier.cause !== "origin.keepalive_race" || earlier.address === address.text) continue;
        const { startedUs, endedUs } = earlier;
        this.#broke(known, earlier.address, exchangeBegan + startedUs / 1000, exchangeBegan + endedUs / 1000, now);
      }
      this.#broke(known, address.text, beganMs, now, now);
    }
  }

  /** An origin answered it, whatever it said. */
  answered(attempt: Attempt, request: ClientRequest, record: ExchangeRecord, now: number): void {
    if (request.bodyBytes === 0) this.#successes.add(request.method, record.target, now);
    if (!this.active) return;
    const known = fingerprint(request, record);
    // What keeps an origin busy is answered as well, in the end.
    const isClear = attempt.pin === "answered beside" || now - attempt.beganMs < SILENT_FROM_MS;
    if (!isClear && isPinning(this.#state, known)) {
      if (request.onTrial && attempt.pin === "checked beside") this.#unproven(known, true, now);
      return;
    }
    if (this.#siblings !== null && isSuspected(this.#state, known)) {
      const none = { origin: "", agoMs: 0, sentAgoMs: 0 };
      this.#siblings.tell({ kind: "poison", service: this.#service, what: "succeeded", fingerprint: known, ...none });
      this.#siblings.turnOver(poisonTrialOf(this.#service, known));
    }
    markSuccess(this.#state, known, now);
  }

  /** The one that was to try it ended without an answer and without harm. */
  unproven(request: ClientRequest, record: ExchangeRecord, now: number): void {
    this.#unproven(fingerprint(request, record), false, now);
  }

  #unproven(known: string, harmless: boolean, now: number): void {
    markUnproven(this.#state, known, harmless, now);
    this.#siblings?.turnOver(poisonTrialOf(this.#service, known));
  }
}

/** The same for the same request: kept with it, because its body may be gone when it is asked for again. */
function fingerprint(request: ClientRequest, record: ExchangeRecord): string {
  if (request.fingerprint === "") {
    const pieces = request.replay?.pieces ?? [];
    request.fingerprint = fingerprintOf(request.method, record.route, record.target, pieces);
  }
  return request.fingerprint;
}
