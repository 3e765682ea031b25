/** The few figures that the benchmark needs. Medians throughout: one disturbed round must not decide. */
import { median } from "../src/kernel/median.ts";

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function summarise(values: readonly number[]): Summary {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * The slope of y over x as the median of the slopes between all pairs (Theil and Sen): a garbage collector's
 * saw-tooth does not bend it, as it would a least-squares line.
 */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const slopes: number[] = [];
  for (const [index, [x, y]] of points.entries()) {
    for (const [laterX, laterY] of points.slice(index + 1)) {
      if (laterX !== x) slopes.push((laterY - y) / (laterX - x));
    }
  }
  return slopes.length === 0 ? 0 : median(slopes);
}
