import fc from "fast-check";
import { expect, test } from "vitest";
import { median } from "./median.ts";

test("The middle one, or what is between the two in the middle, whatever the order", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([Infinity, 1, Infinity])).toBe(Infinity);
  expect(median([])).toBe(0);
});

test("As many are above it as below", () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
      const middle = median(values);
      const half = values.length / 2;
      expect(values.filter((value) => value < middle).length).toBeLessThanOrEqual(half);
      expect(values.filter((value) => value > middle).length).toBeLessThanOrEqual(half);
    }),
  );
});
