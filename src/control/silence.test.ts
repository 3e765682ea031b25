import { expect, test } from "vitest";
import { SeededChance } from "../../sim/chance.ts";
import { createSilenceWatch, watchSilence } from "./silence.ts";
import type { SilenceWatch } from "./silence.ts";

function asUsual(perSecond: number, seconds: number, seed = 1): SilenceWatch {
  const watch = createSilenceWatch();
  const chance = new SeededChance(seed);
  for (let second = 0; second < seconds; second += 1)
    watchSilence(watch, chance.next() < perSecond ? 1 + Math.floor(perSecond) : 0, second * 1000, null);
  return watch;
}

function quiet(watch: SilenceWatch, seconds: number): number {
  for (let second = 0; second < seconds; second += 1) {
    watchSilence(watch, 0, 10_000_000 + second * 1000, null);
    if (watch.alarm) return second;
  }
  return -1;
}

test("A service that is asked all the time and then not at all is told within a minute", () => {
  const watch = asUsual(8, 1_800);
  const after = quiet(watch, 120);
  expect(after).toBeGreaterThanOrEqual(19);
  expect(after).toBeLessThan(60);
  expect(watch.since).toBe(10_000_000);
});

test("One that is asked now and then is never called silent", () => {
  expect(quiet(asUsual(0.05, 7_200), 3_600)).toBe(-1);
});

test("One that is new has no silence yet", () => {
  expect(quiet(asUsual(8, 300), 600)).toBe(-1);
});

test("Silence ends with the first request, and is told again the next time", () => {
  const watch = asUsual(8, 1_800);
  expect(quiet(watch, 120)).toBeGreaterThan(0);
  watchSilence(watch, 5, 20_000_000, null);
  expect(watch.alarm).toBe(false);
  expect(quiet(watch, 120)).toBeGreaterThan(0);
});

test("An hour that was quieter in an earlier week is waited for longer", () => {
  const watch = asUsual(8, 1_800);
  for (let second = 0; second < 120; second += 1)
    watchSilence(watch, 0, 10_000_000 + second * 1000, { low: 0.5, usual: 4, high: 8 });
  expect(watch.alarm).toBe(false);
  for (let second = 120; second < 600; second += 1)
    watchSilence(watch, 0, 10_000_000 + second * 1000, { low: 0.5, usual: 4, high: 8 });
  expect(watch.alarm).toBe(true);
});
