/**
 * The quantile of what was measured lately, cheaply: two histograms, one that fills and one that is full. After a
 * window the full one is forgotten and the filling one takes its place, so an answer covers one to two windows.
 *
 * Why not a formula that follows a quantile sample by sample: it needs hundreds of samples to come down after a
 * disturbance, and nobody can check it. Why not the histogram of the metrics: that one never forgets.
 *
 * Three buckets for each doubling, from a quarter of a millisecond up: an answer is at most a quarter too high, which
 * for "when is it late?" is the right side. The answer is worked out anew once in a while and kept between.
 * Changed in place; nothing is allocated.
 */
import { bucketIn, emptyBuckets, endOfBucket } from "./log-buckets.ts";

const BUCKETS = { leastMs: 0.25, steps: 3, count: 66 } as const;

export interface QuantileWindow {
  readonly windowMs: number;
  readonly ratio: number;
  filling: number[];
  full: number[];
  fillingCount: number;
  fullCount: number;
  /** Monotonic ms when the filling one began. */
  since: number;
  /** The answer and until when it is kept; -1: nothing is known. */
  valueMs: number;
  valueUntil: number;
}

export function createQuantileWindow(ratio: number, windowMs: number, now: number): QuantileWindow {
  return {
    windowMs,
    ratio,
    filling: emptyBuckets(BUCKETS),
    full: emptyBuckets(BUCKETS),
    fillingCount: 0,
    fullCount: 0,
    since: now,
    valueMs: -1,
    valueUntil: now,
  };
}

export function addSample(window: QuantileWindow, ms: number, now: number): void {
  if (now - window.since >= window.windowMs) turn(window, now);
  const bucket = bucketIn(BUCKETS, ms);
  window.filling[bucket] = (window.filling[bucket] ?? 0) + 1;
  window.fillingCount += 1;
}

/** How many samples an answer would rest on. */
export function samplesAt(window: QuantileWindow, now: number): number {
  if (now - window.since >= window.windowMs) turn(window, now);
  return window.fillingCount + window.fullCount;
}

/** ms, the upper end of its bucket; -1 when there is no sample. */
export function quantileAt(window: QuantileWindow, now: number): number {
  if (now < window.valueUntil) return window.valueMs;
  const count = samplesAt(window, now);
  // A twentieth of the window: late enough to cost nothing, early enough to follow.
  window.valueUntil = now + window.windowMs / 20;
  window.valueMs = count === 0 ? -1 : find(window, Math.max(1, Math.ceil(window.ratio * count)));
  return window.valueMs;
}

function find(window: QuantileWindow, rank: number): number {
  let seen = 0;
  for (let bucket = 0; bucket < BUCKETS.count; bucket += 1) {
    seen += (window.filling[bucket] ?? 0) + (window.full[bucket] ?? 0);
    if (seen >= rank) return endOfBucket(BUCKETS, bucket);
  }
  return endOfBucket(BUCKETS, BUCKETS.count - 1);
}

function turn(window: QuantileWindow, now: number): void {
  const { full, filling } = window;
  const stale = now - window.since >= 2 * window.windowMs;
  full.fill(0);
  if (stale) filling.fill(0);
  window.filling = full;
  window.full = filling;
  window.fullCount = stale ? 0 : window.fillingCount;
  window.fillingCount = 0;
  window.since = now;
}
