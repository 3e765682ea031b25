import fc from "fast-check";
import { expect, it } from "vitest";
import { numberRoutes } from "./route-numbers.ts";

it("gives a route the number that it has, wherever it stands in the list, and others the lowest that is free", () => {
  expect(numberRoutes(["a", "b"], [])).toEqual([0, 1]);
  expect(numberRoutes(["new", "b", "a"], ["a", "b"])).toEqual([2, 1, 0]);
  expect(numberRoutes(["new", "b"], [null, "b"])).toEqual([0, 1]);
  // `gone` is not configured any more, and somebody waits under its number.
  expect(numberRoutes(["new", "b"], ["gone", "b"])).toEqual([2, 1]);
});

it("never gives a number to two, and takes none from anybody", () => {
  const name = fc.constantFrom("a", "b", "c", "d", "e", "f");
  const names = fc.uniqueArray(name);
  const before = fc.uniqueArray(fc.option(name), { selector: (one) => one ?? Symbol("free") });
  fc.assert(
    fc.property(names, before, (wanted, known) => {
      const numbers = numberRoutes(wanted, known);
      expect(new Set(numbers).size).toBe(wanted.length);
      wanted.forEach((one, index) => {
        const number = numbers[index] ?? -1;
        const holder = known[number] ?? null;
        expect(holder === null || holder === one).toBe(true);
        if (known.includes(one)) expect(number).toBe(known.indexOf(one));
      });
    }),
  );
});
