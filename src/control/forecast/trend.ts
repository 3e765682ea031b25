/**
 * Where a series of values is going: the median of the slopes between all pairs of points (Theil 1950, Sen 1968). A
 * line by least squares would follow a single odd point; this one stands until three in ten of them are odd.
 */
import { median } from "../../kernel/median.ts";

export interface Point {
  /** ms. */
  readonly at: number;
  readonly value: number;
}

export interface Trend {
  /** By ms. */
  readonly slope: number;
  /** The value at the last point, on the line. */
  readonly value: number;
  /** 0–1: how much more pairs go the way of the slope than against it (Kendall's tau, no less than 0). */
  readonly confidence: number;
}

/** Pairs grow with the square: of more points every second one is taken, and so on. */
const POINTS_MAX = 64;
const POINTS_MIN = 8;

/** Points in order of time. Null: too few to tell. */
export function trendOf(points: readonly Point[]): Trend | null {
  const step = Math.ceil(points.length / POINTS_MAX);
  const some = step <= 1 ? points : points.filter((_, index) => (points.length - 1 - index) % step === 0);
  const last = some.at(-1);
  if (last === undefined || some.length < POINTS_MIN) return null;
  const slopes: number[] = [];
  let up = 0;
  let down = 0;
  for (const [index, from] of some.entries()) {
    for (const to of some.slice(index + 1)) {
      if (to.at === from.at) continue;
      slopes.push((to.value - from.value) / (to.at - from.at));
      if (to.value > from.value) up += 1;
      else if (to.value < from.value) down += 1;
    }
  }
  if (slopes.length === 0) return null;
  const slope = median(slopes);
  const height = median(some.map(({ at, value }) => value - slope * at));
  return {
    slope,
    value: height + slope * last.at,
    confidence: Math.max(0, (slope >= 0 ? up - down : down - up) / slopes.length),
  };
}
