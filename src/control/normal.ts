/**
 * How one thing usually is: how often it is asked and how long its answers take, as of the last minutes that went
 * well. What an incident is compared with ("before"), and where "slow" begins.
 *
 * Slow means twice the usual 95th percentile and at least 10 ms more: load that comes and goes by day moves latency by
 * less, a fault that people feel by more.
 */
import type { SparseHistogram } from "../contract/facts.ts";
import { createHistogram, quantileUs } from "../kernel/histogram.ts";
import type { Histogram } from "../kernel/histogram.ts";
import { createRatioWatch, watchRatio } from "./change-point.ts";
import type { RatioOptions, RatioWatch } from "./change-point.ts";
import { addSparse, countAbove, countOf, fade, toSparse } from "./sparse-histogram.ts";

export interface Normal {
  perSecond: number;
  readonly durations: Histogram;
  /** From where on an answer is slow, µs; 0: not enough was seen to say. */
  slowUs: number;
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

export function createNormal(): Normal {
  return { perSecond: 0, durations: createHistogram(), slowUs: 0, slow: createRatioWatch(), seconds: 0 };
}

export function watchNormal(
  normal: Normal,
  count: number,
  durations: SparseHistogram,
  at: number,
  learns: boolean,
): void {
  if (normal.slowUs > 0)
    watchRatio(normal.slow, countAbove(durations, normal.slowUs), countOf(durations), at, SLOW_OPTIONS, learns);
  if (!learns || normal.slow.alarm) return;
  normal.seconds += 1;
  normal.perSecond += (count - normal.perSecond) * Math.max(RATE_WEIGHT, 1 / normal.seconds);
  addSparse(normal.durations, durations);
  const isFirst = normal.slowUs === 0 && normal.seconds >= FIRST_S && normal.seconds < FADE_EVERY_S;
  if (normal.seconds % FADE_EVERY_S !== 0 && !isFirst) return;
  if (normal.durations.count >= OBSERVATIONS_MIN) {
    const p95 = quantileUs(normal.durations, 0.95);
    normal.slowUs = Math.max(p95 * SLOW_FACTOR, p95 + SLOW_LEAST_US);
  }
  if (!isFirst) fade(normal.durations, FADE);
}

/** Plain data, for the store. */
export type SavedNormal = readonly [perSecond: number, slowUs: number, durations: [number, number][], slow: RatioWatch];

export function saveNormal(normal: Normal): SavedNormal {
  return [normal.perSecond, normal.slowUs, toSparse(normal.durations), { ...normal.slow }];
}

export function restoreNormal([perSecond, slowUs, durations, slow]: SavedNormal): Normal {
  const normal = createNormal();
  normal.perSecond = perSecond;
  normal.slowUs = slowUs;
  addSparse(normal.durations, durations);
  Object.assign(normal.slow, slow);
  normal.seconds = FADE_EVERY_S;
  return normal;
}
