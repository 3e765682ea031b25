import fc from "fast-check";
import { expect, test } from "vitest";
import { chooseTwo } from "./choose-two.ts";
import { createPeakEwma, expectedLatency, LATENCY_FLOOR_MS, load, recordFailure, recordLatency } from "./peak-ewma.ts";
import type { PeakEwma } from "./peak-ewma.ts";

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

test("an origin that fails in a millisecond counts as slower than one that answers in nearly a second", () => {
  const failing = known(1);
  recordFailure(failing, 1, 10);
  expect(expectedLatency(failing, 0, 10)).toBe(1_000);
});

test("one failure costs an origin a second, and then it is what it was", () => {
  const one = known(5);
  recordFailure(one, 1, 100);
  expect(expectedLatency(one, 0, 1_099)).toBe(1_000);
  expect(expectedLatency(one, 0, 1_100)).toBeLessThan(5);
  const never = createPeakEwma();
  recordFailure(never, 15_000, 100);
  expect(expectedLatency(never, 0, 1_099)).toBe(15_000);
  expect(expectedLatency(never, 0, 1_100)).toBe(0);
});

test("failures one after the other cost twice as much each, up to eight seconds", () => {
  const state = known(5);
  let at = 100;
  for (const forMs of [1_000, 2_000, 4_000, 8_000, 8_000]) {
    recordFailure(state, 1, at);
    expect(expectedLatency(state, 0, at + forMs - 1)).toBe(1_000);
    expect(expectedLatency(state, 0, at + forMs)).toBeLessThan(10);
    at += forMs;
  }
});

test("requests that were under way together and fail together are one failure", () => {
  const state = known(5);
  for (const at of [2_000, 2_001, 2_100]) recordFailure(state, 1_000, at);
  expect(expectedLatency(state, 0, 3_100)).toBeLessThan(10);
});

test("an answer to what was sent after the failure ends it, one to what was sent before does not", () => {
  const state = known(5);
  recordFailure(state, 1, 100);
  recordLatency(state, 10, 105);
  expect(expectedLatency(state, 0, 105)).toBe(1_000);
  recordLatency(state, 5, 110);
  expect(expectedLatency(state, 0, 110)).toBeLessThan(10);
});

test("of two idle origins one that failed once gets its share again within a second, whatever the pace", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.integer(), (perSecond, seed) => {
      const roll = rolls(seed);
      const origins = [known(5), known(5)].map((latency) => ({ weight: 100, share: 1, inFlight: 0, latency, got: 0 }));
      const failed = origins[0];
      if (failed === undefined) throw new Error("two were made");
      recordFailure(failed.latency, 1, 0);
      const until = 1_000 + 400_000 / perSecond;
      for (let at = 1; at < until; at += 1000 / perSecond) {
        const origin = origins[chooseTwo(origins, 2, roll(), roll(), at)];
        if (origin === undefined) throw new Error("one of two");
        origin.got += at >= 1_000 ? 1 : 0;
        recordLatency(origin.latency, 5, at + 5);
      }
      // Four hundred fair throws: less than a third would be a miracle.
      expect(failed.got).toBeGreaterThan(400 / 3);
    }),
    { numRuns: 50 },
  );
});

test("silence lowers the estimate, so an avoided origin is tried again", () => {
  const state = known(15_000);
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
        if (!failed) largest = Math.max(largest, counted);
        if (!failed) expect(state.estimateMs).toBeGreaterThanOrEqual(0);
        // A weighted mean may exceed its larger term by a rounding.
        expect(state.estimateMs).toBeLessThanOrEqual(largest * (1 + 1e-12));
        expect(load(state, 3, at)).toBeGreaterThanOrEqual(4 * LATENCY_FLOOR_MS);
        expect(Number.isFinite(load(state, 3, at))).toBe(true);
      }
    }),
  );
});

function known(ms: number): PeakEwma {
  const state = createPeakEwma();
  recordLatency(state, ms, 0);
  return state;
}

/** Numbers in [0, 1) that hang on the seed alone. */
function rolls(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
