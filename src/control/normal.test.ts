import { expect, test } from "vitest";
import { bucketLimitUs } from "../kernel/histogram.ts";
import { createNormal, liftOf, restoreNormal, saveNormal, watchNormal } from "./normal.ts";
import type { Normal } from "./normal.ts";
import type { Expected } from "./seasonal.ts";

const [FAST, LATE] = [40, 52];
const FAST_US = bucketLimitUs(FAST);
const LATE_US = bucketLimitUs(LATE);

function play(normal: Normal, from: number, until: number, bucket: number, expected: Expected | null): Normal {
  for (let second = from; second < until; second += 1)
    watchNormal(normal, 10, [[bucket, 10]], second * 1000, true, expected);
  return normal;
}

test("Answers that are late at this hour every night are not slow, those that are later still are", () => {
  const known: Expected = { low: LATE_US, usual: LATE_US, high: LATE_US };
  const normal = play(createNormal(), 0, 300, FAST, known);
  expect(play(normal, 300, 600, LATE, known).slow.alarm).toBe(false);
  expect(play(normal, 600, 660, LATE + 8, known).slow.alarm).toBe(true);
  expect(play(play(createNormal(), 0, 300, FAST, null), 300, 360, LATE, null).slow.alarm).toBe(true);
});

test("What becomes slow step by step is slow where it never was so at this hour", () => {
  const creeping = (expected: Expected | null): boolean => {
    const normal = createNormal();
    // A quarter later every half an hour.
    for (let step = 0; step < 12 && !normal.slow.alarm; step += 1)
      play(normal, step * 1_800, (step + 1) * 1_800, FAST + step, expected);
    return normal.slow.alarm;
  };
  expect(creeping(null)).toBe(false);
  expect(creeping({ low: FAST_US, usual: FAST_US, high: FAST_US * 1.2 })).toBe(true);
});

test("How much later it may be than in the last minutes goes for what is behind it as well", () => {
  const known: Expected = { low: LATE_US, usual: LATE_US, high: LATE_US };
  const service = play(createNormal(), 0, 300, FAST, known);
  expect(liftOf(service)).toBeGreaterThan(3);
  expect(liftOf(createNormal())).toBe(1);
  const origin = play(createNormal(), 0, 300, FAST, null);
  for (let second = 300; second < 360; second += 1)
    watchNormal(origin, 10, [[LATE, 10]], second * 1000, true, null, liftOf(service));
  expect(origin.slow.alarm).toBe(false);
});

test("A restart keeps from where on an answer is slow", () => {
  const normal = play(createNormal(), 0, 300, FAST, null);
  expect(restoreNormal(saveNormal(normal)).slowUs).toBe(normal.slowUs);
});
