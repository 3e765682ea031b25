/**
 * How one thing usually is: how often it is asked and how long its answers take, as of the last minutes that went
 * well. What an incident is compared with ("before"), and where "slow" begins.
 *
 * Slow means twice the usual 95th percentile and at least 10 ms more: load that comes and goes by day moves latency by
 * less, a fault that people feel by more. Once it is known what is usual at this hour, what counts as slow is not less than twice that
 * (a batch at night makes no incident) and not more than twice the most that it was (what becomes slow step by step does).
 */
import type { SparseHistogram } from "../contract/facts.ts";
import { createHistogram, quantileUs } from "../kernel/histogram.ts";
import type { Histogram } from "../kernel/histogram.ts";
import { createRatioWatch, watchRatio } from "./change-point.ts";
import type { RatioOptions, RatioWatch } from "./change-point.ts";
import type { Expected } from "./seasonal.ts";
import { addSparse, countAbove, countOf, fade, toSparse } from "./sparse-histogram.ts";

export interface Normal {
  perSecond: number;
  readonly durations: Histogram;
  /** From where on an answer is slow, µs; 0: not enough was seen to say. */
  slowUs: number;
  /** The same by the last minutes alone. */
  recentUs: number;
  readonly slow: RatioWatch;
  /** Learned from. */
  seconds: number;
}

export const SLOW_OPTIONS: RatioOptions = { floor: 0.015, step: 0.06 };

const RATE_WEIGHT = 1 / 300;
const FADE_EVERY_S = 60;
/** A first idea of it, for an outage shortly after the start. */
const FIRST_S = 20;
/** Half of it is left after ten minutes. */
const FADE = 0.5 ** (FADE_EVERY_S / 600);
const OBSERVATIONS_MIN = 100;
const SLOW_FACTOR = 2;
const SLOW_LEAST_US = 10_000;
/** Of what is later than twice the most that it was at this hour there is no more than of what is later than that. */
const EXPECTED_SLOW: Expected = { low: 0, usual: 0, high: 0.05 };

export function createNormal(): Normal {
  return { perSecond: 0, durations: createHistogram(), slowUs: 0, recentUs: 0, slow: createRatioWatch(), seconds: 0 };
}

/** `expected`: the 95th percentile at this hour, µs. `lift`: how much later than in the last minutes may be usual now, at least 1. */
export function watchNormal(
  normal: Normal,
  count: number,
  durations: SparseHistogram,
  at: number,
  learns: boolean,
  expected: Expected | null = null,
  lift = 1,
): void {
  if (normal.recentUs > 0) {
    normal.slowUs = expected === null ? normal.recentUs * lift : heldUs(normal.recentUs, expected);
    const slow = countAbove(durations, normal.slowUs);
    const held = expected === null ? null : EXPECTED_SLOW;
    watchRatio(normal.slow, slow, countOf(durations), at, SLOW_OPTIONS, learns, held);
  }
  if (!learns || normal.slow.alarm) return;
  normal.seconds += 1;
  normal.perSecond += (count - normal.perSecond) * Math.max(RATE_WEIGHT, 1 / normal.seconds);
  addSparse(normal.durations, durations);
  const isFirst = normal.recentUs === 0 && normal.seconds >= FIRST_S && normal.seconds < FADE_EVERY_S;
  if (normal.seconds % FADE_EVERY_S !== 0 && !isFirst) return;
  if (normal.durations.count >= OBSERVATIONS_MIN) {
    const before = normal.recentUs;
    normal.recentUs = slowFromUs(quantileUs(normal.durations, 0.95));
    if (before === 0) normal.slowUs = normal.recentUs;
  }
  if (!isFirst) fade(normal.durations, FADE);
}

/** How much later than in the last minutes is usual at this hour; 1: no later. */
export function liftOf({ slowUs, recentUs }: Normal): number {
  return recentUs > 0 ? Math.max(1, slowUs / recentUs) : 1;
}

function heldUs(recentUs: number, { usual, high }: Expected): number {
  return Math.max(Math.min(recentUs, slowFromUs(high)), slowFromUs(usual));
}

function slowFromUs(p95: number): number {
  return Math.max(p95 * SLOW_FACTOR, p95 + SLOW_LEAST_US);
}

/** Plain data, for the store. */
export type SavedNormal = readonly [
  perSecond: number,
  recentUs: number,
  durations: [number, number][],
  slow: RatioWatch,
];

export function saveNormal(normal: Normal): SavedNormal {
  return [normal.perSecond, normal.recentUs, toSparse(normal.durations), { ...normal.slow }];
}

export function restoreNormal([perSecond, recentUs, durations, slow]: SavedNormal): Normal {
  const normal = createNormal();
  normal.perSecond = perSecond;
  normal.slowUs = recentUs;
  normal.recentUs = recentUs;
  addSparse(normal.durations, durations);
  Object.assign(normal.slow, slow);
  normal.seconds = FADE_EVERY_S;
  return normal;
}
