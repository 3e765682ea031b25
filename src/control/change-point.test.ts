import fc from "fast-check";
import { expect, test } from "vitest";
import { SeededChance } from "../../sim/chance.ts";
import { alarmLimit, createRatioWatch, FALSE_ALARM_EVERY_S, usualRatio, watchRatio } from "./change-point.ts";
import type { RatioWatch } from "./change-point.ts";

const OPTIONS = { floor: 0.001, step: 0.03 };

function feed(
  watch: RatioWatch,
  seconds: number,
  total: number,
  ratio: number,
  chance: SeededChance,
  from = 0,
): number {
  for (let second = 0; second < seconds; second += 1) {
    let bad = 0;
    for (let one = 0; one < total; one += 1) if (chance.next() < ratio) bad += 1;
    watchRatio(watch, bad, total, (from + second) * 1000, OPTIONS, true);
    if (watch.alarm) return second;
  }
  return -1;
}

test("An outright failure is found after a handful of requests, however few there are in a second", () => {
  const watch = createRatioWatch();
  const chance = new SeededChance(1);
  feed(watch, 600, 1, 0, chance);
  expect(feed(watch, 60, 1, 1, chance, 600)).toBeLessThanOrEqual(5);
  expect(watch.since).toBe(600_000);
});

test("One in twenty is found within a minute at ten requests a second", () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const watch = createRatioWatch();
    const chance = new SeededChance(seed);
    feed(watch, 600, 10, 0.0002, chance);
    const after = feed(watch, 60, 10, 0.05, chance, 600);
    expect(after).toBeGreaterThan(0);
    expect(after).toBeLessThan(60);
  }
});

test("At its usual ratio it gives no false alarm in a simulated week, at any usual ratio", () => {
  for (const [seed, ratio] of [0.0001, 0.001, 0.01, 0.1].entries()) {
    const watch = createRatioWatch();
    const chance = new SeededChance(seed + 10);
    // It learns for ten minutes what is usual, as after a start.
    for (let second = 0; second < 600; second += 1) {
      let bad = 0;
      for (let one = 0; one < 5; one += 1) if (chance.next() < ratio) bad += 1;
      watchRatio(watch, bad, 5, second * 1000, OPTIONS, true);
      watch.alarm = false;
      watch.score = 0;
    }
    expect(feed(watch, 60_000, 5, ratio, chance, 600), `at ${ratio}`).toBe(-1);
  }
});

test("The limit is the stated rate of false alarms: e to the power of it are the observations of thirty days", () => {
  expect(Math.exp(alarmLimit(10))).toBeCloseTo(FALSE_ALARM_EVERY_S * 10, -3);
});

test("A stray failure long before is not taken for the beginning", () => {
  const watch = createRatioWatch();
  watchRatio(watch, 1, 1, 1_000, OPTIONS, true);
  for (let second = 2; second < 40; second += 1) watchRatio(watch, 0, 1, second * 1000, OPTIONS, true);
  for (let second = 40; second < 60; second += 1) watchRatio(watch, 1, 1, second * 1000, OPTIONS, true);
  expect(watch.alarm).toBe(true);
  expect(watch.since).toBe(40_000);
});

test("What failed a quarter of an hour before, and was well or not asked for since, is not when it began", () => {
  const failing = { ...OPTIONS, outright: true };
  const onsetOf = (options: typeof OPTIONS, before: number, good: boolean): number => {
    const watch = createRatioWatch();
    const tell = (from: number, to: number, bad: number): void => {
      for (let second = from; second < to; second += 5) watchRatio(watch, bad, 1, second * 1000, options, true);
    };
    tell(5, 3_600, 0);
    tell(3_600, 3_600 + before * 5, 1);
    if (good) tell(3_600 + before * 5, 4_500, 0);
    expect(watch.alarm).toBe(false);
    tell(4_500, 4_560, 1);
    expect(watch.alarm).toBe(true);
    return watch.since / 1000;
  };
  expect(onsetOf(failing, 2, true)).toBe(4_500);
  expect(onsetOf(OPTIONS, 3, true)).toBe(4_500);
  expect(onsetOf(failing, 2, false)).toBe(4_500);
  expect(onsetOf(OPTIONS, 3, false)).toBe(4_500);
});

test("What fails now and then in a row of good ones began with the first of them", () => {
  const watch = createRatioWatch();
  const chance = new SeededChance(4);
  feed(watch, 600, 10, 0, chance);
  for (let second = 600; !watch.alarm; second += 1)
    watchRatio(watch, second % 3 === 0 ? 1 : 0, 10, second * 1000, OPTIONS, true);
  expect(watch.since).toBe(600_000);
});

test("Nothing is learned while the sum is on the rise: what begins to fail does not make failing usual", () => {
  const watch = createRatioWatch();
  for (let second = 0; second < 4; second += 1) watchRatio(watch, 1, 1, second * 1000, OPTIONS, true);
  expect(watch.alarm).toBe(false);
  expect(watch.usualBad).toBeLessThan(2);
});

test("Three failures in a row of what hardly anybody asks are enough, where few in a row cannot come by themselves", () => {
  const quiet = { ...OPTIONS, outright: true };
  for (const [options, alarms] of [
    [quiet, true],
    [OPTIONS, false],
  ] as const) {
    const watch = createRatioWatch();
    for (let second = 0; second < 3_600; second += 5) watchRatio(watch, 0, 1, second * 1000, options, true);
    for (let second = 3_600; second < 3_615; second += 5) {
      expect(watch.alarm).toBe(false);
      watchRatio(watch, 1, 1, second * 1000, options, true);
    }
    expect(watch.alarm).toBe(alarms);
  }
});

test("An alarm ends when what is seen is well again, and a disturbance is never learned as usual", () => {
  const watch = createRatioWatch();
  const chance = new SeededChance(3);
  feed(watch, 600, 10, 0, chance);
  for (let second = 0; second < 900; second += 1) watchRatio(watch, 8, 10, second * 1000, OPTIONS, true);
  expect(watch.alarm).toBe(true);
  expect(watch.usualBad / watch.usualTotal).toBeLessThan(0.02);
  for (let second = 0; second < 60; second += 1) watchRatio(watch, 0, 10, second * 1000, OPTIONS, true);
  expect(watch.alarm).toBe(false);
});

test("What this hour mostly is raises no alarm, and the most that it was is all that may become usual", () => {
  // 2 % as every night, where the last minutes had nothing.
  const expected = { low: 0.018, usual: 0.02, high: 0.03 };
  for (const [known, alarms] of [
    [expected, false],
    [null, true],
  ] as const) {
    const watch = createRatioWatch();
    for (let second = 0; second < 600; second += 1) watchRatio(watch, 0, 100, second * 1000, OPTIONS, true, known);
    for (let second = 600; second < 1_200; second += 1)
      watchRatio(watch, second % 10 === 0 ? 4 : 2, 100, second * 1000, OPTIONS, true, known);
    expect(watch.alarm).toBe(alarms);
  }
  // From nothing to 4 % within three hours: so slowly that the last minutes always have nearly as much.
  for (const [known, alarms] of [
    [{ low: 0, usual: 0.002, high: 0.004 }, true],
    [null, false],
  ] as const) {
    const watch = createRatioWatch();
    for (let second = 0; second < 10_800 && !watch.alarm; second += 1) {
      const due = Math.floor((second * second) / 27_000);
      const before = Math.floor(((second - 1) * (second - 1)) / 27_000);
      watchRatio(watch, Math.max(0, due - before), 20, second * 1000, OPTIONS, true, known);
    }
    expect(watch.alarm).toBe(alarms);
  }
});

test("What breaks every night is told every night", () => {
  const expected = { low: 0.9, usual: 0.95, high: 1 };
  expect(usualRatio(createRatioWatch(), OPTIONS, expected)).toBeLessThan(0.1);
});

test("Whatever is counted, its state stays finite and its usual ratio a ratio", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(1000), fc.nat(1000), fc.boolean()), { maxLength: 200 }), (seconds) => {
      const watch = createRatioWatch();
      seconds.forEach(([bad, good, learns], index) =>
        watchRatio(watch, bad, bad + good, index * 1000, OPTIONS, learns),
      );
      for (const value of [watch.score, watch.usualBad, watch.usualTotal, watch.recentBad, watch.perSecond])
        expect(Number.isFinite(value) && value >= 0).toBe(true);
      expect(watch.usualBad).toBeLessThanOrEqual(watch.usualTotal + 1e-9);
    }),
  );
});
