import fc from "fast-check";
import { expect, test } from "vitest";
import { addSample, createQuantileWindow, quantileAt, samplesAt } from "./quantile-window.ts";

test("the answer is the quantile or up to a quarter more, whatever was measured", () => {
  const ms = fc.oneof(fc.double({ min: 0.3, max: 500_000, noNaN: true }), fc.double({ min: 1, max: 50, noNaN: true }));
  fc.assert(
    fc.property(fc.array(ms, { minLength: 1, maxLength: 300 }), (samples) => {
      const window = createQuantileWindow(0.95, 10_000, 0);
      for (const sample of samples) addSample(window, sample, 1);
      const sorted = samples.toSorted((a, b) => a - b);
      const exact = sorted[Math.ceil(0.95 * samples.length) - 1]!;
      const answer = quantileAt(window, 10);
      expect(answer).toBeGreaterThanOrEqual(exact * 0.999);
      expect(answer).toBeLessThanOrEqual(exact * 1.27);
    }),
  );
});

test("what was measured is forgotten after two windows, and half of it after one", () => {
  const window = createQuantileWindow(0.5, 10_000, 0);
  for (let times = 0; times < 100; times += 1) addSample(window, 1_000, 5_000);
  expect(samplesAt(window, 9_999)).toBe(100);
  for (let times = 0; times < 300; times += 1) addSample(window, 10, 12_000);
  expect(samplesAt(window, 12_000)).toBe(400);
  expect(quantileAt(window, 12_000)).toBeLessThan(13);
  addSample(window, 10, 23_000);
  expect(samplesAt(window, 23_000)).toBe(301);
  expect(samplesAt(window, 60_000)).toBe(0);
  expect(quantileAt(window, 60_000)).toBe(-1);
});

test("nothing known is said so, and odd samples do no harm", () => {
  const window = createQuantileWindow(0.95, 10_000, 0);
  expect(quantileAt(window, 0)).toBe(-1);
  for (const sample of [0, -1, Number.NaN, 1e12]) addSample(window, sample, 600);
  expect(samplesAt(window, 600)).toBe(4);
  expect(Number.isFinite(quantileAt(window, 1_200))).toBe(true);
});
