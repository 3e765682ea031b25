/**
 * One row of a rate limit that several workers use together: who may have how many of the requests that the limit
 * allows. The same leaky bucket as in rate-limit.ts, held in one place; workers get requests out of it in advance,
 * so that none of them has to ask for each.
 *
 * What was given out and not used yet counts like what was used and does not drain: nobody knows when it will be used.
 * So the level of the bucket and what is out never exceed the burst together, and whatever the workers do in whichever
 * order, all of them together never admit more than one gateway with this limit would. Whoever dies with something in
 * hand is taken to have used it.
 */
import type { RateLimitOptions } from "./rate-limit.ts";

export interface RatePool {
  /** As in rate-limit.ts: a request weighs `periodMs`, a millisecond takes `count` away. */
  level: number;
  /** When the level was that, whole ms. */
  at: number;
  /** Requests given out and not known to be used, by worker. */
  readonly out: Record<string, number>;
  outAll: number;
}

/** `level`: what still counts of requests before. */
export function createRatePool(level: number, now: number): RatePool {
  return { level, at: Math.floor(now), out: {}, outAll: 0 };
}

/** What still counts of requests that a worker admitted by itself before the row was pooled. */
export function addToLevel(options: RateLimitOptions, pool: RatePool, level: number, now: number): void {
  pool.level = levelOf(options, pool, now) + level;
  pool.at = Math.floor(now);
}

/** So many are left to be given out. */
export function freeOf(options: RateLimitOptions, pool: RatePool, now: number): number {
  const room = options.burst * options.periodMs - levelOf(options, pool, now);
  return Math.max(0, Math.floor(room / options.periodMs) - pool.outAll);
}

/** Gives out as many as there are, at most `want`; returns how many. */
export function takeOut(options: RateLimitOptions, pool: RatePool, worker: string, want: number, now: number): number {
  const count = Math.min(Math.max(0, Math.floor(want)), freeOf(options, pool, now));
  if (count === 0) return 0;
  pool.out[worker] = (pool.out[worker] ?? 0) + count;
  pool.outAll += count;
  return count;
}

/** Of what a worker had, so many were used, by `now`, and so many come back. Never more than it had. */
export function settleOut(
  options: RateLimitOptions,
  pool: RatePool,
  worker: string,
  used: number,
  back: number,
  now: number,
): void {
  const had = pool.out[worker] ?? 0;
  const isUsed = Math.min(had, used);
  const left = had - isUsed - Math.min(had - isUsed, back);
  pool.outAll -= had - left;
  if (left === 0) delete pool.out[worker];
  else pool.out[worker] = left;
  addToLevel(options, pool, isUsed * options.periodMs, now);
}

/** It is gone, and nobody knows what it did with what it had. */
export function loseOut(options: RateLimitOptions, pool: RatePool, worker: string, now: number): void {
  settleOut(options, pool, worker, pool.out[worker] ?? 0, 0, now);
}

/** ms until one more can be given out, if nothing comes back; 0: now. */
export function waitMsOf(options: RateLimitOptions, pool: RatePool, now: number): number {
  const { burst, periodMs, count } = options;
  const above = levelOf(options, pool, now) + (pool.outAll + 1 - burst) * periodMs;
  return above <= 0 ? 0 : Math.ceil(above / count);
}

/** Nothing counts any more, and nobody has anything of it. */
export function isEmptyPool(options: RateLimitOptions, pool: RatePool, now: number): boolean {
  return pool.outAll === 0 && levelOf(options, pool, now) === 0;
}

function levelOf({ count }: RateLimitOptions, { level, at }: RatePool, now: number): number {
  return Math.max(0, level - Math.max(0, Math.floor(now) - at) * count);
}
