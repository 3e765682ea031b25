import { expect, test } from "vitest";
import { SeededChance } from "../../sim/chance.ts";
import { createSeasons, learnSecond, usualAt } from "./seasonal.ts";
import { createSilenceWatch, watchSilence } from "./silence.ts";
import type { SilenceWatch } from "./silence.ts";

function asUsual(perSecond: number, seconds: number, seed = 1): SilenceWatch {
  const watch = createSilenceWatch();
  const chance = new SeededChance(seed);
  const seasons = createSeasons();
  for (let second = 0; second < seconds; second += 1)
    watchSilence(watch, chance.next() < perSecond ? 1 + Math.floor(perSecond) : 0, second * 1000, seasons);
  return watch;
}

function quiet(watch: SilenceWatch, seconds: number): number {
  for (let second = 0; second < seconds; second += 1) {
    watchSilence(watch, 0, 10_000_000 + second * 1000, createSeasons());
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
  watchSilence(watch, 5, 20_000_000, createSeasons());
  expect(watch.alarm).toBe(false);
  expect(quiet(watch, 120)).toBeGreaterThan(0);
});

test("A season has an opinion about an hour only when it has seen it before", () => {
  const seasons = createSeasons();
  for (let second = 0; second < 2 * 3_600; second += 1) learnSecond(seasons, second * 1000, 7);
  expect(usualAt(seasons, 0)).toMatchObject({ mean: 7 });
  expect(usualAt(seasons, 5 * 3_600_000)).toBeNull();
  // The same hour a week later.
  expect(usualAt(seasons, 168 * 3_600_000 + 60_000)).toMatchObject({ mean: 7 });
});
