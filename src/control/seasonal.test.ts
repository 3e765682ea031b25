import { expect, test } from "vitest";
import { SeededChance } from "../../sim/chance.ts";
import { SeasonBook } from "./season-book.ts";
import type { SavedSeasons } from "./season-book.ts";
import { createHours, createSeason, expectedAt, keepHour, learnSecond, restoreSeason, saveSeason } from "./seasonal.ts";
import type { SavedSeason, Second } from "./seasonal.ts";

const HOUR_MS = 3_600_000;
const WEEK_H = 168;
const WELL: Second = { total: 10, failed: 0, rescued: 0, durations: [], isWell: true };

/** `level` of each of the hours [from, to). */
function hoursOf(from: number, to: number, level: (hour: number) => number): ReturnType<typeof createHours> {
  const hours = createHours();
  for (let hour = from; hour < to; hour += 1) keepHour(hours, hour, level(hour));
  return hours;
}

test("Two days say nothing, three days or two weeks say what is usual at an hour", () => {
  const threeAt = (days: number): ReturnType<typeof expectedAt> =>
    expectedAt(
      hoursOf(1_000, 1_000 + days * 24, (hour) => hour % 24),
      (1_000 + days * 24) * HOUR_MS + 30 * 60_000,
    );
  expect(threeAt(2)).toBeNull();
  expect(threeAt(3)).toEqual({ low: 1_000 % 24, usual: 1_000 % 24, high: 1_000 % 24 });
  const twoWeeks = createHours();
  keepHour(twoWeeks, 1_000, 3);
  keepHour(twoWeeks, 1_000 + WEEK_H, 5);
  expect(expectedAt(twoWeeks, (1_000 + 2 * WEEK_H) * HOUR_MS + 30 * 60_000)).toEqual({ low: 3, usual: 3, high: 5 });
  expect(expectedAt(twoWeeks, (1_001 + 2 * WEEK_H) * HOUR_MS + 30 * 60_000)).toBeNull();
});

test("One bad night makes nothing usual, and raises what would be unusual", () => {
  const night = 2_000;
  const hours = hoursOf(night - 7 * 24, night, (hour) => (hour === night - 48 ? 0.4 : 0.01));
  expect(expectedAt(hours, night * HOUR_MS + 30 * 60_000)).toEqual({ low: 0.01, usual: 0.01, high: 0.4 });
});

test("What is so every Sunday is usual on Sundays, and on no other day", () => {
  const hours = hoursOf(10_000 - 4 * WEEK_H, 10_000, (hour) => ((10_000 - hour) % WEEK_H === 0 ? 9 : 1));
  expect(expectedAt(hours, 10_000 * HOUR_MS + 30 * 60_000)?.usual).toBe(9);
  keepHour(hours, 10_000, 9);
  expect(expectedAt(hours, 10_024 * HOUR_MS + 30 * 60_000)?.usual).toBe(1);
});

test("Ten minutes before and after an hour it may be as it is in that hour", () => {
  const hours = hoursOf(3_000 - 7 * 24, 3_000, (hour) => ((3_000 - hour) % 24 === 0 ? 9 : 1));
  const usualAt = (minutes: number): number | undefined => expectedAt(hours, 3_000 * HOUR_MS + minutes * 60_000)?.usual;
  expect([-11, -9, 0, 59, 69, 71].map(usualAt)).toEqual([1, 9, 9, 9, 9, 1]);
});

test("What is older than four weeks, or later than a clock that was set back, is not known", () => {
  const hours = hoursOf(5_000, 5_000 + 3 * 24, () => 1);
  expect(expectedAt(hours, (5_000 + 5 * WEEK_H) * HOUR_MS + 30 * 60_000)).toBeNull();
  keepHour(hours, 5_000 + 10, 2);
  expect(hours.newest).toBe(5_010);
  expect(expectedAt(hours, (5_000 + 3 * 24) * HOUR_MS + 30 * 60_000)).toBeNull();
});

test("An hour has the level of its worst quarter, and how often it was asked when it was well", () => {
  const season = createSeason();
  const start = 500_000 * HOUR_MS;
  for (let second = 0; second <= 3_600; second += 1) {
    const isBatch = second >= 1_800 && second < 2_400;
    learnSecond(season, start + second * 1000, {
      total: isBatch ? 1_000 : 10,
      failed: isBatch ? 50 : 0,
      rescued: 0,
      durations: [[[isBatch ? 60 : 40, 10]]],
      isWell: !isBatch,
    });
  }
  const level = (hours: { levels: number[] }): number => hours.levels[500_000 % (4 * WEEK_H)] ?? -1;
  expect(level(season.failed)).toBeCloseTo(30_000 / (603_000 + 300), 3);
  expect(level(season.perSecond)).toBe(10);
  const quiet = createSeason();
  for (let second = 0; second <= 3_600; second += 1)
    learnSecond(quiet, start + second * 1000, { ...WELL, durations: [[[40, 10]]] });
  expect(level(season.p95)).toBeGreaterThan(level(quiet.p95) * 8);
});

test("Of an hour that was seen for less than half nothing is kept", () => {
  const season = createSeason();
  for (let second = 0; second < 1_700; second += 1) learnSecond(season, second * 1000, WELL);
  for (let second = 0; second < 10; second += 1) learnSecond(season, HOUR_MS + second * 1000, WELL);
  expect(season.failed.newest).toBe(-1);
  expect(season.perSecond.newest).toBe(-1);
});

test("What was learned goes on after a restart", () => {
  const season = createSeason();
  const chance = new SeededChance(3);
  for (let hour = 400_000; hour < 400_000 + 30 * 24; hour += 1) keepHour(season.failed, hour, chance.next());
  // Written by JSON, as the store does.
  const saved = JSON.parse(JSON.stringify(saveSeason(season))) as SavedSeason;
  expect(restoreSeason(saved).failed).toEqual(season.failed);
});

test("Services and routes are without a season beyond a bound, and those that left make room", () => {
  const book = new SeasonBook();
  for (let index = 0; index < 300; index += 1) book.second("shop", `route ${index}`, 0, WELL);
  expect(book.save()).toHaveLength(200);
  book.forgetWhatLeft([{ name: "shop", objective: null, pools: [], routes: [{ name: "route 7", class: "normal" }] }]);
  expect(book.save().map(([, route]) => route)).toEqual(["route 7"]);
  book.second("shop", "new", 0, WELL);
  expect(book.save()).toHaveLength(2);
  const again = new SeasonBook();
  again.restore(JSON.parse(JSON.stringify(book.save())) as SavedSeasons);
  expect(again.save()).toEqual(book.save());
});
