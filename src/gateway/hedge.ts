/**
 * Whether a late request is sent to a second origin as well. Gathers what policies/hedge.ts needs to decide, and takes
 * the token from the retry budget when it said yes.
 */
import type { ExchangeRecord } from "../contract/record.ts";
import { decideHedge } from "../policies/hedge.ts";
import type { HedgeVerdict } from "../policies/hedge.ts";
import { retriesAllowed, retriesLeft, takeRetry } from "../policies/retry-budget.ts";
import type { ClientRequest } from "./client-request.ts";
import type { ServiceRuntime } from "./service-runtime.ts";

/** For so long after a request was turned away for lack of room, the service counts as stressed. */
const STRESSED_MS = 5_000;

export interface LateAttempt {
  /** Usable origins of its pool that were not tried. */
  readonly others: number;
  readonly usualMs: number;
  readonly waitedMs: number;
  readonly now: number;
}

export function hedge(
  service: ServiceRuntime,
  request: ClientRequest,
  record: ExchangeRecord,
  { others, usualMs, waitedMs, now }: LateAttempt,
): HedgeVerdict {
  const { retry } = service.settings;
  const verdict = decideHedge(
    {
      othersLeft: others,
      budgetLeft: retriesLeft(retry, service.budget, now),
      budgetAllowed: retriesAllowed(retry, service.budget, now),
      stressed: now - service.shedAt < STRESSED_MS || service.isShedding(now),
      attempts: record.attempts.length,
      attemptsMax: retry.attemptsMax,
      deadlineLeftMs: request.deadline === null ? Infinity : request.deadline.leftMs(now),
      usualMs,
    },
    waitedMs,
  );
  if (verdict.hedge) takeRetry(retry, service.budget, now);
  return verdict;
}
