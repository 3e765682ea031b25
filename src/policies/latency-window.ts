/**
 * How the latencies of the last while were spread: counts in buckets half an octave wide, for the window that
 * runs and the one before it.
 *
 * Why buckets and not an average: an origin that answers four requests in 10 ms and the fifth in 3 s has a
 * good median and a middling average; only the shape shows it. Why two halves and not ten slots as in
 * sliding-count.ts: every slot would be a histogram of its own. The price is that the window is between half
 * and all of its nominal length.
 *
 * All windows of the same length turn over at the same instants, so one can be the sum of others and one can
 * be taken from the sum again. The state is changed in place, is plain data, and an add allocates nothing.
 */
import { bucketIn, emptyBuckets, endOfBucket } from "./log-buckets.ts";

const BUCKETS = { leastMs: 1, steps: 2, count: 48 } as const;
/** What no sample is above: the limit while nothing is known. */
export const NO_BUCKET: number = BUCKETS.count;

export interface LatencyWindow {
  readonly halfMs: number;
  /** Number of the half that `now` fell into last, counted from the start of the clock. */
  half: number;
  newer: number[];
  older: number[];
  /** Since it was made: never emptied, for differences between two instants. */
  readonly ever: number[];
}

export function createLatencyWindow(windowMs: number): LatencyWindow {
  return {
    halfMs: Math.max(1, windowMs / 2),
    half: 0,
    newer: emptyBuckets(BUCKETS),
    older: emptyBuckets(BUCKETS),
    ever: emptyBuckets(BUCKETS),
  };
}

/** Under a millisecond, then half an octave each: 1, 1.4, 2, 2.8, … ms. */
export function bucketOf(ms: number): number {
  return bucketIn(BUCKETS, ms);
}

/** What every latency in the bucket is below, in ms. */
export function bucketEndMs(bucket: number): number {
  return endOfBucket(BUCKETS, bucket);
}

export function addLatency(window: LatencyWindow, bucket: number, now: number): void {
  turn(window, now);
  window.newer[bucket] = (window.newer[bucket] ?? 0) + 1;
  window.ever[bucket] = (window.ever[bucket] ?? 0) + 1;
}

/** Takes `part` out of the sum that it belongs to, and empties it. */
export function takeOut(sum: LatencyWindow, part: LatencyWindow, now: number): void {
  turn(sum, now);
  turn(part, now);
  for (let bucket = 0; bucket < BUCKETS.count; bucket += 1) {
    sum.newer[bucket] = Math.max(0, (sum.newer[bucket] ?? 0) - (part.newer[bucket] ?? 0));
    sum.older[bucket] = Math.max(0, (sum.older[bucket] ?? 0) - (part.older[bucket] ?? 0));
  }
  part.newer.fill(0);
  part.older.fill(0);
}

/** How many were above the end of `bucket`; -1 counts all. */
export function countAbove(window: LatencyWindow, bucket: number, now: number): number {
  turn(window, now);
  let count = 0;
  for (let index = bucket + 1; index < BUCKETS.count; index += 1) {
    count += (window.newer[index] ?? 0) + (window.older[index] ?? 0);
  }
  return count;
}

/** The same since the window was made. */
export function everAbove(window: LatencyWindow, bucket: number): number {
  let count = 0;
  for (let index = bucket + 1; index < BUCKETS.count; index += 1) count += window.ever[index] ?? 0;
  return count;
}

/** The median of what is in `sum` and not in `part`, in ms, rounded up to the end of its bucket; -1: nothing is. */
export function medianBesides(sum: LatencyWindow, part: LatencyWindow, now: number): number {
  const total = countAbove(sum, -1, now) - countAbove(part, -1, now);
  if (total <= 0) return -1;
  let left = total / 2;
  for (let bucket = 0; bucket < BUCKETS.count; bucket += 1) {
    const here = (sum.newer[bucket] ?? 0) + (sum.older[bucket] ?? 0);
    left -= Math.max(0, here - (part.newer[bucket] ?? 0) - (part.older[bucket] ?? 0));
    if (left <= 0) return bucketEndMs(bucket);
  }
  return -1;
}

const NOTHING: LatencyWindow = createLatencyWindow(1);

/** The median of all, in ms, rounded up to the end of its bucket; -1: there is nothing. */
export function medianOf(window: LatencyWindow, now: number): number {
  return medianBesides(window, NOTHING, now);
}

function turn(window: LatencyWindow, now: number): void {
  const half = Math.floor(now / window.halfMs);
  const steps = half - window.half;
  // Late news is counted in the newest half.
  if (!(steps > 0)) return;
  window.half = half;
  const emptied = window.older;
  window.older = window.newer;
  window.newer = emptied;
  emptied.fill(0);
  if (steps > 1) window.older.fill(0);
}
