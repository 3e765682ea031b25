import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { trendOf } from "./trend.ts";

const line = (slope: number, height: number, count: number): { at: number; value: number }[] =>
  Array.from({ length: count }, (_, index) => ({ at: index * 1000, value: height + slope * index * 1000 }));

describe("a trend", () => {
  it("of points on a line is that line, for sure", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -5, max: 5, noNaN: true }).filter((slope) => Math.abs(slope) > 1e-3),
        fc.double({ min: -1e3, max: 1e3, noNaN: true }),
        fc.integer({ min: 8, max: 200 }),
        (slope, height, count) => {
          const points = line(slope, height, count);
          const trend = trendOf(points);
          expect(trend?.slope).toBeCloseTo(slope, 6);
          expect(trend?.value).toBeCloseTo(points.at(-1)?.value ?? NaN, 3);
          expect(trend?.confidence).toBe(1);
        },
      ),
    );
  });

  it("does not follow a quarter of wild points", () => {
    const points = line(0.01, 5, 40).map((point, index) => (index % 4 === 0 ? { ...point, value: 1e6 } : point));
    expect(trendOf(points)?.slope).toBeCloseTo(0.01, 2);
  });

  it("of a wave is nothing to rely on", () => {
    const points = Array.from({ length: 60 }, (_, index) => ({ at: index * 1000, value: Math.sin(index) }));
    expect(trendOf(points)?.confidence).toBeLessThan(0.2);
  });

  it("needs eight points", () => {
    expect(trendOf(line(1, 0, 7))).toBe(null);
    expect(trendOf([])).toBe(null);
  });

  it("of points at one moment is none", () => {
    expect(trendOf(Array.from({ length: 10 }, (_, value) => ({ at: 5, value })))).toBe(null);
  });
});
