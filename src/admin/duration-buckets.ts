/**
 * The buckets in which durations go to Prometheus: 128 of ours become 16 of theirs, because each is a time
 * series for every route and address.
 *
 * The limits look odd (0.098304 s instead of 0.1) because each of them is a limit of kernel/histogram.ts.
 * Counts are therefore exact: nothing is interpolated. Prometheus means `le` to be inclusive and ours are
 * exclusive; a duration that equals a limit to the microsecond is counted one bucket higher.
 */
import type { Histogram } from "../kernel/histogram.ts";
import { BUCKETS, bucketLimitUs } from "../kernel/histogram.ts";

/** µs: near 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500 ms and 1, 2.5, 5, 10, 30, 60 s. */
export const DURATION_LIMITS_US: readonly number[] = [
  512, 1024, 2560, 5120, 10_240, 24_576, 49_152, 98_304, 262_144, 524_288, 1_048_576, 2_621_440, 5_242_880, 10_485_760,
  29_360_128, 58_720_256,
];

/** For each limit the number of durations below it; what is above the last is in `histogram.count` only. */
export function cumulativeCounts(histogram: Histogram): number[] {
  const counts: number[] = [];
  let below = 0;
  let index = 0;
  for (const last of LAST_INDEXES) {
    for (; index <= last; index += 1) below += histogram.counts[index] ?? 0;
    counts.push(below);
  }
  return counts;
}

/** For each limit the last of our buckets that lies wholly below it. */
const LAST_INDEXES: readonly number[] = DURATION_LIMITS_US.map((limitUs) => {
  for (let index = 0; index < BUCKETS; index += 1) {
    if (bucketLimitUs(index) === limitUs) return index;
  }
  throw new Error(`${limitUs} µs is not a limit of kernel/histogram.ts, so its count would not be exact`);
});
