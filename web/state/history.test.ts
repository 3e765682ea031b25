import { expect, test } from "vitest";
import { HISTORY_MAX, remember, sampleOf, withGaps } from "./history.ts";
import type { Sample } from "./history.ts";

const sample = (at: number): Sample => ({
  at,
  perSecond: 1,
  failedPerSecond: 0,
  rescuedPerSecond: 0,
  p50Ms: 1,
  p95Ms: 2,
  p99Ms: 3,
});

test("it forgets the oldest, and an answer that comes late or twice is not a step back", () => {
  let history: readonly Sample[] = [];
  for (let at = 1; at <= HISTORY_MAX + 10; at += 1) history = remember(history, sample(at));
  expect(history).toHaveLength(HISTORY_MAX);
  expect(history[0]?.at).toBe(11);
  expect(remember(history, sample(12))).toBe(history);
});

test("where nothing was heard there is a gap", () => {
  expect(withGaps([sample(0), sample(2_000), sample(20_000)]).map((one) => "isGap" in one)).toEqual([
    false,
    false,
    true,
    false,
  ]);
});

test("a point without facts is a gap, and one with half of them is counted for that half", () => {
  const point = { at: 5, known: 0, exchanges: 0, failed: 0, rescued: 0, p50Ms: null, p95Ms: null, p99Ms: null };
  expect(sampleOf(point, 10)).toEqual({ at: 5, isGap: true });
  expect(sampleOf({ ...point, known: 0.5, exchanges: 50, failed: 5 }, 10)).toMatchObject({
    perSecond: 10,
    failedPerSecond: 1,
  });
});
