import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BUCKETS, bucketLimitUs, createHistogram, quantileUs, recordDuration } from "./histogram.ts";
import type { Histogram } from "./histogram.ts";

const TOP = 2 ** 32 - 1;

/** Every octave equally likely, so that small values are not drowned by huge ones. */
const durations = fc.oneof(
  fc.integer({ min: 0, max: 40 }),
  fc
    .tuple(fc.integer({ min: 0, max: 31 }), fc.double({ min: 1, max: 2, maxExcluded: true, noNaN: true }))
    .map(([octave, factor]) => Math.floor(2 ** octave * factor)),
);

function recorded(values: readonly number[]): Histogram {
  const histogram = createHistogram();
  for (const value of values) recordDuration(histogram, value);
  return histogram;
}

function bucketOf(value: number): number {
  return recorded([value]).counts.findIndex((count) => count === 1);
}

describe("the histogram of durations", () => {
  test("limits rise strictly, from 1 µs to the end of the range", () => {
    expect(bucketLimitUs(0)).toBe(1);
    expect(bucketLimitUs(BUCKETS - 1)).toBe(2 ** 32);
    for (let index = 1; index < BUCKETS; index += 1) {
      expect(bucketLimitUs(index)).toBeGreaterThan(bucketLimitUs(index - 1));
    }
  });

  test("every value falls below the limit of its bucket and not below the one before", () => {
    const limits = Array.from({ length: BUCKETS }, (_, index) => bucketLimitUs(index));
    const edges = limits.flatMap((limit) => [limit - 1, limit, limit + 1]).filter((value) => value <= TOP);
    fc.assert(
      fc.property(durations, (value) => {
        const bucket = bucketOf(value);
        expect(value).toBeLessThan(bucketLimitUs(bucket));
        if (bucket > 0) expect(value).toBeGreaterThanOrEqual(bucketLimitUs(bucket - 1));
      }),
      { examples: edges.map((edge) => [edge]), numRuns: 1000 },
    );
  });

  test("a bucket is no wider than a quarter of what is in it", () => {
    for (let index = 4; index < BUCKETS; index += 1) {
      expect(bucketLimitUs(index) / bucketLimitUs(index - 1)).toBeLessThanOrEqual(1.25);
    }
  });

  test("quantiles are within 25 % above the true value, or 1 µs, and never above the maximum", () => {
    const ratios = fc.constantFrom(0, 0.01, 0.5, 0.9, 0.99, 0.999, 1);
    fc.assert(
      fc.property(fc.array(durations, { minLength: 1, maxLength: 200 }), ratios, (values, ratio) => {
        const sorted = values.toSorted((a, b) => a - b);
        const truth = sorted[Math.max(1, Math.ceil(ratio * values.length)) - 1] ?? Number.NaN;
        const told = quantileUs(recorded(values), ratio);
        expect(told).toBeGreaterThanOrEqual(truth);
        expect(told).toBeLessThanOrEqual(Math.max(truth + 1, truth * 1.25));
        expect(told).toBeLessThanOrEqual(sorted.at(-1) ?? Number.NaN);
      }),
    );
  });

  test("count and sum are those of the values, and the buckets add up to the count", () => {
    fc.assert(
      fc.property(fc.array(durations), (values) => {
        const histogram = recorded(values);
        expect(histogram.count).toBe(values.length);
        expect(histogram.sumUs).toBe(values.reduce((sum, value) => sum + value, 0));
        expect(histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(values.length);
      }),
    );
  });

  test("what is out of range counts as the nearest value in it, and what is not a number as 0", () => {
    expect(recorded([-5, Number.NaN, -Infinity])).toMatchObject({ count: 3, sumUs: 0, maxUs: 0 });
    expect(recorded([2 ** 40, Infinity])).toMatchObject({ count: 2, sumUs: 2 * TOP, maxUs: TOP });
    expect(bucketOf(Infinity)).toBe(BUCKETS - 1);
    expect(bucketOf(3.99)).toBe(3);
  });

  test("nothing recorded has no quantile", () => {
    expect(quantileUs(createHistogram(), 0.5)).toBe(0);
  });
});
