import fc from "fast-check";
import { expect, test } from "vitest";
import { createPeakEwma, expectedLatency, LATENCY_FLOOR_MS, load, recordFailure, recordLatency } from "./peak-ewma.ts";

test("an unknown origin is free until something waits at it, and dear from then on", () => {
  const state = createPeakEwma();
  expect(load(state, 0, 0)).toBe(0);
  expect(load(state, 1, 0)).toBeGreaterThan(1_000);
});

test("the first sample is believed as it is, later ones raise the estimate at once but at most fourfold", () => {
  const state = createPeakEwma();
  recordLatency(state, 5, 0);
  expect(state.estimateMs).toBe(5);
  recordLatency(state, 7, 1);
  expect(state.estimateMs).toBe(7);
  recordLatency(state, 3_000, 2);
  expect(state.estimateMs).toBe(28);
});

test("an origin that has become slow is known to be after five answers, one slow report is soon forgotten", () => {
  const slow = createPeakEwma();
  recordLatency(slow, 5, 0);
  for (let at = 1; at <= 5; at += 1) recordLatency(slow, 3_000, at);
  expect(slow.estimateMs).toBe(3_000);

  const once = createPeakEwma();
  recordLatency(once, 5, 0);
  recordLatency(once, 3_000, 1);
  for (let at = 100; at <= 10_000; at += 100) recordLatency(once, 5, at);
  expect(once.estimateMs).toBeLessThan(12);
});

test("old samples weigh 37 % after ten seconds", () => {
  const state = createPeakEwma();
  recordLatency(state, 100, 0);
  recordLatency(state, 0, 10_000);
  expect(state.estimateMs).toBeCloseTo(100 / Math.E, 6);
});

test("an origin that fails in a millisecond ends up slower than one that answers in a second", () => {
  const failing = createPeakEwma();
  recordLatency(failing, 1, 0);
  for (let at = 1; at <= 6; at += 1) recordFailure(failing, 1, at);
  expect(expectedLatency(failing, 0, 6)).toBeGreaterThanOrEqual(999);
});

test("a failure that took longer than the penalty counts as long as it took", () => {
  const state = createPeakEwma();
  recordFailure(state, 15_000, 0);
  expect(state.estimateMs).toBe(15_000);
});

test("silence lowers the estimate, so an avoided origin is tried again", () => {
  const state = createPeakEwma();
  recordFailure(state, 15_000, 0);
  expect(expectedLatency(state, 0, 100_000)).toBe(LATENCY_FLOOR_MS);
});

test("for any samples and times the estimate is finite, at least 0 and never above the largest sample", () => {
  const sample = fc.oneof(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.constantFrom(Number.NaN, -5, 1e12));
  const step = fc.record({ sample, failed: fc.boolean(), at: fc.integer({ min: 0, max: 1_000_000 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const state = createPeakEwma();
      let largest = 0;
      for (const { sample: ms, failed, at } of steps) {
        if (failed) recordFailure(state, ms, at);
        else recordLatency(state, ms, at);
        const counted = ms > 0 ? Math.min(ms, 600_000) : 0;
        largest = Math.max(largest, failed ? Math.max(counted, 1_000) : counted);
        expect(state.estimateMs).toBeGreaterThanOrEqual(0);
        // A weighted mean may exceed its larger term by a rounding.
        expect(state.estimateMs).toBeLessThanOrEqual(largest * (1 + 1e-12));
        expect(load(state, 3, at)).toBeGreaterThanOrEqual(4 * LATENCY_FLOOR_MS);
        expect(Number.isFinite(load(state, 3, at))).toBe(true);
      }
    }),
  );
});
