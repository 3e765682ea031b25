/**
 * Sparse histograms of facts ([bucket, count] pairs of kernel/histogram.ts) added up, faded and asked. Dense inside,
 * because what is added up once a second is asked more often than it is sent.
 */
import type { SparseHistogram } from "../contract/facts.ts";
import { BUCKETS, bucketLimitUs, quantileUs } from "../kernel/histogram.ts";
import type { Histogram } from "../kernel/histogram.ts";

export function addSparse(histogram: Histogram, sparse: SparseHistogram): void {
  for (const [bucket, count] of sparse) {
    if (!(bucket >= 0 && bucket < BUCKETS && count > 0)) continue;
    histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + count;
    histogram.count += count;
    const limit = bucketLimitUs(bucket);
    if (limit > histogram.maxUs) histogram.maxUs = limit;
  }
}

/** Keeps `ratio` of everything that was counted: what is old weighs less and less. */
export function fade(histogram: Histogram, ratio: number): void {
  let count = 0;
  for (let index = 0; index < BUCKETS; index += 1) {
    const kept = (histogram.counts[index] ?? 0) * ratio;
    histogram.counts[index] = kept;
    count += kept;
  }
  histogram.count = count;
}

export function clear(histogram: Histogram): void {
  histogram.counts.fill(0);
  histogram.count = 0;
  histogram.sumUs = 0;
  histogram.maxUs = 0;
}

export function toSparse(histogram: Histogram): [number, number][] {
  const pairs: [number, number][] = [];
  for (let index = 0; index < BUCKETS; index += 1) {
    const count = histogram.counts[index] ?? 0;
    if (count > 0) pairs.push([index, count]);
  }
  return pairs;
}

/** ms; null when nothing was counted. */
export function quantileMs(histogram: Histogram, ratio: number): number | null {
  // Below half a count there is only dust of what was faded.
  return histogram.count < 0.5 ? null : quantileUs(histogram, ratio) / 1000;
}

/** How many of `sparse` lasted for `limitUs` or longer, as far as buckets tell. */
export function countAbove(sparse: SparseHistogram, limitUs: number): number {
  let above = 0;
  for (const [bucket, count] of sparse) if (bucketLimitUs(bucket) > limitUs) above += count;
  return above;
}

export function countOf(sparse: SparseHistogram): number {
  let all = 0;
  for (const [, count] of sparse) all += count;
  return all;
}
