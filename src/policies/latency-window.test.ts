import fc from "fast-check";
import { expect, test } from "vitest";
import {
  addLatency,
  bucketEndMs,
  bucketOf,
  countAbove,
  createLatencyWindow,
  medianBesides,
  takeOut,
} from "./latency-window.ts";

test("a latency is below the end of its bucket and not below the end of the one before", () => {
  fc.assert(
    fc.property(fc.double({ min: 1, max: 1e6, noNaN: true }), (ms) => {
      const bucket = bucketOf(ms);
      expect(ms).toBeLessThan(bucketEndMs(bucket) * 1.000001);
      expect(ms).toBeGreaterThan(bucketEndMs(bucket - 1) * 0.999999);
    }),
  );
  expect(bucketOf(0)).toBe(0);
  expect(bucketOf(Number.NaN)).toBe(0);
  expect(bucketOf(Number.POSITIVE_INFINITY)).toBe(bucketOf(1e9));
});

test("what is older than the window is forgotten, what is younger than half of it is not", () => {
  const window = createLatencyWindow(10_000);
  addLatency(window, 3, 1_000);
  addLatency(window, 3, 6_000);
  expect(countAbove(window, -1, 9_999)).toBe(2);
  expect(countAbove(window, -1, 10_000)).toBe(1);
  expect(countAbove(window, -1, 15_000)).toBe(0);
  addLatency(window, 3, 2_000_000_000);
  expect(countAbove(window, 2, 2_000_000_000)).toBe(1);
  expect(countAbove(window, 3, 2_000_000_000)).toBe(0);
});

test("the median besides one is that of the others", () => {
  const [pool, own] = [createLatencyWindow(10_000), createLatencyWindow(10_000)];
  for (let time = 0; time < 100; time += 1) {
    for (const window of [pool, own]) addLatency(window, bucketOf(3_000), 0);
    if (time < 11) addLatency(pool, bucketOf(9), 0);
  }
  expect(medianBesides(pool, own, 0)).toBeCloseTo(bucketEndMs(bucketOf(9)));
  takeOut(pool, own, 0);
  expect(countAbove(pool, -1, 0)).toBe(11);
  expect(countAbove(own, -1, 0)).toBe(0);
  expect(medianBesides(own, pool, 0)).toBe(-1);
});
