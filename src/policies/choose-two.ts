/**
 * Which origin gets the next attempt: two drawn at random, the less loaded of them taken.
 *
 * Why two and not the best of all: every gateway process sees only its own traffic; if all took the best,
 * all would take the same one. Two draws are nearly as even as full knowledge and have no herd.
 *
 * How weights act: an origin is drawn in proportion to weight × share, and what is in flight at it counts
 * in proportion to the inverse. So weights hold when everything is idle (the draw decides) and when
 * everything is busy (the queues decide). Multiplying the whole load instead would give an idle pool's
 * traffic to the heaviest origin alone.
 *
 * How a ramp acts: the first draw is by weight × share; an origin that is still ramping comes into the
 * comparison as the second only with the probability of its share. However attractive it looks (it has
 * been idle, so it does), it gets at most twice its share.
 *
 * Latencies within a factor of 1.5 count as alike, and then the queues decide alone; otherwise load does
 * (peak-ewma.ts). Without that, noise would decide where an idle pool's traffic goes.
 *
 * Nothing is allocated. Deterministic: chance comes in as two numbers.
 */
import { expectedLatency } from "./peak-ewma.ts";
import type { PeakEwma } from "./peak-ewma.ts";

export interface Candidate {
  /** Relative share as configured, above 0. */
  readonly weight: number;
  /** Part of its weight that it gets now: 1 usually, less while ramping, 0 is never drawn. */
  share: number;
  /** Attempts at it that have not ended. */
  readonly inFlight: number;
  readonly latency: PeakEwma;
}

const ALIKE_RATIO = 1.5;
const NONE: readonly never[] = [];

/**
 * Index into `candidates` below `n`, or -1 when none of them can be drawn. `roll1`, `roll2` in [0, 1).
 * `tried` are candidates that this exchange used already; they are not drawn again.
 * `even`: the caller knows that all weights are equal and all shares 1; then no scan is needed.
 */
export function chooseTwo<C extends Candidate>(
  candidates: readonly C[],
  n: number,
  roll1: number,
  roll2: number,
  now: number,
  tried: readonly C[] = NONE,
  even = false,
): number {
  if (n === 1 && tried.length === 0) return pull(candidates[0], NONE) > 0 ? 0 : -1;
  if (even && tried.length === 0) return chooseEven(candidates, n, roll1, roll2, now);

  const first = drawFirst(candidates, n, roll1, tried);
  if (first < 0) return -1;
  const second = drawSecond(candidates, n, roll2, tried, first);
  if (second < 0) return first;
  return lighterOf(candidates, first, second, now);
}

function chooseEven(candidates: readonly Candidate[], n: number, roll1: number, roll2: number, now: number): number {
  if (n < 1) return -1;
  const first = Math.floor(roll1 * n);
  // Drawn from the n - 1 others, so that it never is the first again.
  let second = Math.floor(roll2 * (n - 1));
  if (second >= first) second += 1;
  return lighterOf(candidates, first, second, now);
}

function lighterOf(candidates: readonly Candidate[], first: number, second: number, now: number): number {
  const a = candidates[first];
  const b = candidates[second];
  if (a === undefined || b === undefined) return first;
  const pullA = a.weight * a.share;
  const pullB = b.weight * b.share;
  const pullMax = Math.max(pullA, pullB);
  const queueA = 1 + (a.inFlight * pullMax) / pullA;
  const queueB = 1 + (b.inFlight * pullMax) / pullB;
  const latencyA = expectedLatency(a.latency, a.inFlight, now);
  const latencyB = expectedLatency(b.latency, b.inFlight, now);
  const alike = latencyA <= latencyB * ALIKE_RATIO && latencyB <= latencyA * ALIKE_RATIO;
  if (alike) return queueB < queueA ? second : first;
  return latencyB * queueB < latencyA * queueA ? second : first;
}

function drawFirst<C extends Candidate>(
  candidates: readonly C[],
  n: number,
  roll: number,
  tried: readonly C[],
): number {
  let total = 0;
  for (let index = 0; index < n; index += 1) total += pull(candidates[index], tried);
  let left = roll * total;
  let last = -1;
  for (let index = 0; index < n; index += 1) {
    const part = pull(candidates[index], tried);
    if (part <= 0) continue;
    last = index;
    left -= part;
    if (left < 0) return index;
  }
  // Rounding may leave a crumb after the last one; it belongs to the last one.
  return last;
}

/** By weight alone; the place inside the drawn part, itself evenly spread, is the lottery for its share. */
function drawSecond<C extends Candidate>(
  candidates: readonly C[],
  n: number,
  roll: number,
  tried: readonly C[],
  first: number,
): number {
  let total = 0;
  for (let index = 0; index < n; index += 1) {
    if (index !== first && pull(candidates[index], tried) > 0) total += candidates[index]?.weight ?? 0;
  }
  let left = roll * total;
  for (let index = 0; index < n; index += 1) {
    const candidate = candidates[index];
    if (candidate === undefined || index === first || pull(candidate, tried) <= 0) continue;
    if (left < candidate.weight) return left < candidate.weight * candidate.share ? index : -1;
    left -= candidate.weight;
  }
  return -1;
}

function pull<C extends Candidate>(candidate: C | undefined, tried: readonly C[]): number {
  if (candidate === undefined) return 0;
  const part = candidate.weight * candidate.share;
  return part > 0 && !tried.includes(candidate) ? part : 0;
}
