/**
 * Requests that break the connections they are sent on, watched for one service: policies/poison.ts decides, this
 * knows fingerprints and tells of quarantines. While no connection breaks it only notes what was answered last.
 */
import {
  POISON_BODY_BYTES,
  admitFingerprint,
  createPoison,
  fingerprintOf,
  markBroken,
  markRefused,
  markSuccess,
  markUnproven,
  postponeTrial,
  sweepPoison,
} from "../policies/poison.ts";
import type { PoisonVerdict } from "../policies/poison.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import type { CauseId } from "../kernel/causes.ts";
import type { Attempt } from "./attempt.ts";
import type { ClientRequest } from "./client-request.ts";
import type { OriginAddress } from "./origin-address.ts";
import { RecentSuccesses } from "./recent-successes.ts";

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
  readonly #tell: (detail: string) => void;
  readonly #find: FindAmong;
  readonly #successes = new RecentSuccesses();
  #sweepAt = 0;

  /** `tell`: hears when a quarantine begins. */
  constructor(tell: (detail: string) => void, find: FindAmong) {
    this.#tell = tell;
    this.#find = find;
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
      this.#tell(verdict.because);
    }
    if (verdict.kind !== "try") return verdict;
    const found = this.#find(verdict.at);
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
    if (cause === "origin.refused" && this.active) markRefused(this.#state, address.text, now);
    // Of a body that was not kept nobody can tell whether it is the same.
    if (cause === "origin.reset_before_response" && request.kept) {
      if (this.clears(request, record, now)) return;
      const known = fingerprint(request, record);
      // An idle connection that broke under it first was not stale, then.
      const exchangeBegan = beganMs - attempt.startedUs / 1000;
      for (const earlier of record.attempts) {
        if (earlier.cause !== "origin.keepalive_race" || earlier.address === address.text) continue;
        const { startedUs, endedUs } = earlier;
        markBroken(
          this.#state,
          known,
          earlier.address,
          exchangeBegan + startedUs / 1000,
          exchangeBegan + endedUs / 1000,
        );
      }
      markBroken(this.#state, known, address.text, beganMs, now);
    }
  }

  /** An origin answered it, whatever it said. */
  answered(request: ClientRequest, record: ExchangeRecord, now: number): void {
    if (request.bodyBytes === 0) this.#successes.add(request.method, record.target, now);
    if (this.active) markSuccess(this.#state, fingerprint(request, record), now);
  }

  /** The one that was to try it ended without an answer and without harm. */
  unproven(request: ClientRequest, record: ExchangeRecord): void {
    markUnproven(this.#state, fingerprint(request, record));
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
