import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { slope, summarise } from "./statistics.ts";

describe("the median", () => {
  it("is the middle value, or the mean of the two middle ones", () => {
    expect(summarise([5, 1, 9])).toEqual({ median: 5, min: 1, max: 9 });
  });
});

describe("the slope", () => {
  it("is that of the line for points on a line", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: -1000, max: 1000 }), (rise, start) => {
        const points = Array.from({ length: 8 }, (_, x) => [x, start + rise * x] as const);
        expect(slope(points)).toBe(rise);
      }),
    );
  });

  it("is not bent by a few wild values, as a collector's peaks are", () => {
    const points = Array.from({ length: 20 }, (_, x) => [x, x % 7 === 3 ? 10_000 : 100] as const);
    expect(slope(points)).toBe(0);
  });
});
