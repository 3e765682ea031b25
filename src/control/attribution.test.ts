import fc from "fast-check";
import { expect, test } from "vitest";
import { culpritsOf, narrowest } from "./attribution.ts";

test("One value that has the failures and a part of the traffic is named", () => {
  const found = culpritsOf("origin", [
    { value: "a1", bad: 90, total: 250 },
    { value: "a2", bad: 1, total: 250 },
    { value: "a3", bad: 0, total: 250 },
    { value: "a4", bad: 2, total: 250 },
  ]);
  expect(found).toMatchObject({ values: ["a1"], exposure: 0.25 });
  expect(found?.explained).toBeGreaterThan(0.95);
});

test("What fails everywhere alike is nobody's", () => {
  expect(
    culpritsOf("origin", [
      { value: "a1", bad: 30, total: 250 },
      { value: "a2", bad: 33, total: 250 },
      { value: "a3", bad: 28, total: 250 },
    ]),
  ).toBeNull();
});

test("A value that has most of the traffic has most of the failures, and explains nothing by that", () => {
  expect(
    culpritsOf("route", [
      { value: "big", bad: 95, total: 900 },
      { value: "small", bad: 5, total: 100 },
    ]),
  ).toBeNull();
});

test("The pool is named and not its four origins, and one origin and not its pool", () => {
  const addresses = [
    ...["a1", "a2", "a3", "a4"].map((value) => ({ value, bad: 50, total: 50 })),
    ...["b1", "b2", "b3", "b4"].map((value) => ({ value, bad: 0, total: 50 })),
  ];
  const pools = [
    { value: "a", bad: 200, total: 200 },
    { value: "b", bad: 0, total: 200 },
  ];
  expect(narrowest([culpritsOf("address", addresses), culpritsOf("pool", pools)])).toMatchObject({ values: ["a"] });
  const one = addresses.map((tally) => ({ ...tally, bad: tally.value === "a1" ? 50 : 0 }));
  const its = pools.map((tally) => ({ ...tally, bad: tally.value === "a" ? 50 : 0 }));
  expect(narrowest([culpritsOf("address", one), culpritsOf("pool", its)])).toMatchObject({ values: ["a1"] });
});

test("Shares are shares, whatever is counted", () => {
  const tally = fc.record({ value: fc.string(), bad: fc.nat(1000), total: fc.nat(1000) });
  fc.assert(
    fc.property(fc.array(tally, { maxLength: 30 }), (tallies) => {
      const consistent = tallies.map((one) => ({ ...one, total: one.bad + one.total }));
      const found = culpritsOf("x", consistent);
      if (found === null) return;
      expect(found.explained).toBeGreaterThanOrEqual(0.8);
      expect(found.explained).toBeLessThanOrEqual(1 + 1e-9);
      expect(found.exposure).toBeLessThan(found.explained);
      expect(found.surprise).toBeLessThanOrEqual(Math.LN2 + 1e-9);
    }),
  );
});
