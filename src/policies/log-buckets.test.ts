import fc from "fast-check";
import { expect, test } from "vitest";
import { bucketIn, emptyBuckets, endOfBucket } from "./log-buckets.ts";

const BUCKETS = { leastMs: 0.25, steps: 3, count: 66 };

test("what is in a bucket is below its end and not below that of the one before it", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.2501, max: 100_000, noNaN: true }), (ms) => {
      const bucket = bucketIn(BUCKETS, ms);
      expect(ms).toBeLessThan(endOfBucket(BUCKETS, bucket) * 1.000001);
      expect(ms).toBeGreaterThanOrEqual(endOfBucket(BUCKETS, bucket - 1) * 0.999999);
    }),
  );
});

test("a wait that has lasted until the end of a bucket is in the next", () => {
  for (let bucket = 0; bucket < BUCKETS.count - 1; bucket += 3) {
    expect(bucketIn(BUCKETS, endOfBucket(BUCKETS, bucket))).toBe(bucket + 1);
  }
});

test("whatever is shorter than the first end, and no number, is in the first; whatever is longer than all is in the last", () => {
  for (const ms of [0, -1, 0.2499, Number.NaN]) expect(bucketIn(BUCKETS, ms)).toBe(0);
  for (const ms of [1e12, Number.POSITIVE_INFINITY]) expect(bucketIn(BUCKETS, ms)).toBe(BUCKETS.count - 1);
  expect(emptyBuckets(BUCKETS)).toHaveLength(BUCKETS.count);
});
