import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Ring } from "./ring.ts";

describe("Ring", () => {
  test("keeps the newest, newest first, and hands over what falls out in the order in which it came", () => {
    const evicted: string[] = [];
    const ring = new Ring<string>(2, (item) => evicted.push(item));
    for (const item of ["a", "b", "c", "d", "e"]) ring.push(item);
    expect([...ring.newestFirst()]).toEqual(["e", "d"]);
    expect(evicted).toEqual(["a", "b", "c"]);
  });

  test("with room for nothing it evicts every item at once", () => {
    const evicted: number[] = [];
    const ring = new Ring<number>(0, (item) => evicted.push(item));
    ring.push(1);
    ring.push(0);
    expect(evicted).toEqual([1, 0]);
    expect([...ring.newestFirst()]).toEqual([]);
  });

  test("holds exactly the last items of any sequence, falsy ones included", () => {
    fc.assert(
      fc.property(fc.nat({ max: 9 }), fc.array(fc.constantFrom(0, 1, "", "x", false, true)), (capacity, items) => {
        const evicted: unknown[] = [];
        const ring = new Ring<number | string | boolean>(capacity, (item) => evicted.push(item));
        for (const item of items) ring.push(item);
        const kept = [...ring.newestFirst()].toReversed();
        expect(kept).toHaveLength(Math.min(capacity, items.length));
        expect(ring.size).toBe(kept.length);
        expect([...evicted, ...kept]).toEqual(items);
      }),
    );
  });

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("refuses %d as a capacity", (capacity) => {
    expect(() => new Ring(capacity)).toThrow(RangeError);
  });
});
