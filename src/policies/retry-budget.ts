/**
 * How many attempts a service may repeat: a tenth of its exchanges, plus a few per second, over the last
 * ten seconds. A count per request is no bound: three attempts each triple the load on origins that fail
 * because they are overloaded. A budget for the whole service bounds the amplification at 1.1 whatever
 * breaks; the few per second let services with little traffic repeat at all.
 *
 * A token is the right to one repeat. Exchanges and time add tokens, repeats take them, and after the
 * window both are forgotten, so no credit is saved up for the next outage. Changed in place, no allocation.
 */
import { addToCount, countAt, createSlidingCount } from "./sliding-count.ts";
import type { SlidingCount } from "./sliding-count.ts";
import { shareInWords } from "./words.ts";

/** Part of the shape of `RetrySettings` in config/settings.ts. */
export interface RetryBudgetOptions {
  readonly budgetRatio: number;
  readonly budgetPerSecond: number;
}

export interface RetryBudget {
  readonly exchanges: SlidingCount;
  readonly retries: SlidingCount;
}

const WINDOW_MS = 10_000;

export function createRetryBudget(): RetryBudget {
  return { exchanges: createSlidingCount(WINDOW_MS), retries: createSlidingCount(WINDOW_MS) };
}

/** Once for each exchange that reaches the pick step. */
export function countExchange(budget: RetryBudget, now: number): void {
  addToCount(budget.exchanges, 1, now);
}

/** Whole repeats that are left at `now`; 0 when none is. */
export function retriesLeft(options: RetryBudgetOptions, budget: RetryBudget, now: number): number {
  const earned = retriesAllowed(options, budget, now);
  // A tenth of ten exchanges must be one repeat, also in floating point.
  return Math.max(0, Math.floor(earned - countAt(budget.retries, now) + 1e-9));
}

/** How many repeats are allowed in the window that ends at `now`, whether they were made or not. */
export function retriesAllowed(options: RetryBudgetOptions, budget: RetryBudget, now: number): number {
  return options.budgetRatio * countAt(budget.exchanges, now) + options.budgetPerSecond * (WINDOW_MS / 1000);
}

/** Takes a token; false when there is none. Call it last, when everything else already allows the repeat. */
export function takeRetry(options: RetryBudgetOptions, budget: RetryBudget, now: number): boolean {
  if (retriesLeft(options, budget, now) < 1) return false;
  addToCount(budget.retries, 1, now);
  return true;
}

/** For the reason of a refusal: "1300 repeated of 12000 exchanges in the last 10 s; allowed are 10 % and 10 per second". */
export function budgetInWords(options: RetryBudgetOptions, budget: RetryBudget, now: number): string {
  const retries = countAt(budget.retries, now);
  const exchanges = countAt(budget.exchanges, now);
  return (
    `${retries} repeated of ${exchanges} exchanges in the last 10 s; ` +
    `allowed are ${shareInWords(options.budgetRatio)} and ${options.budgetPerSecond} per second`
  );
}
