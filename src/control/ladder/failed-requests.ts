/**
 * The newest request that failed at each origin, of those that facts bring along as samples: what the ladder may send
 * once more. Of several, one that may be sent is kept before one that may not.
 */
import type { SecondFact } from "../../contract/facts.ts";
import type { AttemptRecord, ExchangeRecord } from "../../contract/record.ts";
import type { CauseId } from "../../kernel/causes.ts";
import { whyNotRepeated } from "./repeatable.ts";

export interface FailedRequest {
  /** When it failed, by the facts' time. */
  readonly at: number;
  readonly record: ExchangeRecord;
  readonly attempt: AttemptRecord;
  readonly cause: CauseId;
  /** Null: it may be sent once more. */
  readonly whyNot: string | null;
}

/** What failed longer ago says little of now. */
const FAILED_FOR_MS = 120_000;
const ORIGINS_MAX = 500;

export class FailedRequests {
  /** By service and origin; the longest unheard of first. */
  readonly #newest = new Map<string, FailedRequest>();
  #now = 0;

  hear({ at, samples }: SecondFact): void {
    this.#now = Math.max(this.#now, at);
    for (const record of samples) for (const attempt of record.attempts) this.#keep(at, record, attempt);
    for (const key of this.#newest.keys()) {
      if (this.#newest.size <= ORIGINS_MAX) break;
      this.#newest.delete(key);
    }
  }

  of(service: string, origin: string): FailedRequest | null {
    const found = this.#newest.get(keyOf(service, origin));
    return found === undefined || this.#now - found.at > FAILED_FOR_MS ? null : found;
  }

  #keep(at: number, record: ExchangeRecord, attempt: AttemptRecord): void {
    const { cause } = attempt;
    if (cause === null || cause.startsWith("gw.")) return;
    const whyNot = whyNotRepeated(record, attempt);
    const known = this.of(record.service, attempt.origin);
    if (known !== null && known.whyNot === null && whyNot !== null) return;
    const key = keyOf(record.service, attempt.origin);
    this.#newest.delete(key);
    this.#newest.set(key, { at, record, attempt, cause, whyNot });
  }
}

function keyOf(service: string, origin: string): string {
  return `${service}\n${origin}`;
}
