import fc from "fast-check";
import { expect, it } from "vitest";
import { DAY, heightMarks, timeMarks } from "./axes.ts";

it("marks of height go from zero in equal steps over the greatest, and are few", () => {
  expect(heightMarks(0)).toEqual([0, 1]);
  expect(heightMarks(7)).toEqual([0, 2, 4, 6, 8]);
  expect(heightMarks(100)).toEqual([0, 50, 100]);
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), (most) => {
      const marks = heightMarks(most);
      expect(marks.length).toBeGreaterThanOrEqual(2);
      expect(marks.length).toBeLessThanOrEqual(6);
      expect(marks[0]).toBe(0);
      expect(marks.at(-1)).toBeGreaterThanOrEqual(most * (1 - 1e-6));
    }),
  );
});

it("marks of time are at round moments of the clock that is shown, within the chart, and few", () => {
  const from = Date.parse("2026-01-15T12:03:20Z");
  expect(timeMarks(from, from + 900_000, 0).at.map((at) => new Date(at).toISOString().slice(11, 16))).toEqual([
    "12:05",
    "12:10",
    "12:15",
  ]);
  const week = timeMarks(from, from + 7 * DAY, 3_600_000);
  expect(week.at.map((at) => new Date(at + 3_600_000).toISOString().slice(11, 16))).toEqual([
    "00:00",
    "00:00",
    "00:00",
  ]);
  expect(timeMarks(from, from, 0).at).toEqual([]);
  fc.assert(
    fc.property(fc.integer({ min: 1_000, max: 400 * DAY }), fc.integer({ min: -12, max: 14 }), (ms, hours) => {
      const { at } = timeMarks(from, from + ms, hours * 3_600_000);
      expect(at.length).toBeLessThanOrEqual(7);
      for (const one of at) expect(one >= from && one <= from + ms).toBe(true);
    }),
  );
});
