import { expect, test } from "vitest";
import { secondFact } from "../../test/support/second-fact.ts";
import { KEYS_MAX, Rollup } from "./rollup.ts";
import { answerSeries } from "./series-answer.ts";

const START = 1_764_000_000_000;

test("Seconds are rolled up into tens, minutes and hours, with quantiles of all of it", () => {
  const rollup = new Rollup();
  for (let second = 0; second < 120; second += 1)
    rollup.add(
      secondFact(START + second * 1000, [{ service: "shop", route: "cart", served: 9, failed: 1, bucket: 40 }]),
    );
  const [minute] = rollup.points("shop", "all", "", 60, START, START + 60_000);
  expect(minute).toMatchObject({ at: START, known: 1, exchanges: 600, failed: 60, rescued: 0 });
  expect(minute?.p95Ms).toBeGreaterThan(0);
  const tens = rollup.points("shop", "route", "cart", 10, START, START + 120_000);
  expect(tens).toHaveLength(12);
  expect(tens.every(({ exchanges }) => exchanges === 100)).toBe(true);
});

test("Time without facts is not known, and time without traffic is", () => {
  const rollup = new Rollup();
  rollup.add(secondFact(START, [{ service: "shop", route: "cart", served: 1 }]));
  rollup.add(secondFact(START + 1000, []));
  rollup.add(secondFact(START + 5000, []));
  const points = rollup.points("shop", "all", "", 1, START, START + 6000);
  expect(points.map(({ known }) => known)).toEqual([1, 1, 0, 0, 0, 1]);
  expect(points.map(({ exchanges }) => exchanges)).toEqual([1, 0, 0, 0, 0, 0]);
  expect(rollup.points("shop", "all", "", 10, START, START + 10_000)[0]?.known).toBeCloseTo(0.3);
});

test("Values without number end in one that is called other, and no sum is lost", () => {
  const rollup = new Rollup();
  for (let index = 0; index < 500; index += 1)
    rollup.add(secondFact(START, [{ service: "shop", route: `r${index}`, served: 2 }]));
  const values = rollup.values("shop", "route", 1, START, START + 1000);
  expect(values[0]).toBe("other");
  expect(values.length).toBeLessThanOrEqual(61);
  const sum = values.reduce(
    (all, value) => all + (rollup.points("shop", "route", value, 1, START, START + 1000)[0]?.exchanges ?? 0),
    0,
  );
  expect(sum).toBe(1_000);
});

test("The number of series is bounded over all services", () => {
  const rollup = new Rollup();
  for (let index = 0; index < KEYS_MAX; index += 1)
    rollup.add(secondFact(START, [{ service: `s${index}`, route: "r", served: 1 }]));
  expect(rollup.points("", "all", "", 1, START, START + 1000)[0]?.exchanges).toBe(KEYS_MAX);
  expect(rollup.size).toBeLessThanOrEqual(KEYS_MAX + 20);
});

test("Points are given out once when they are complete, and taken back after a restart", () => {
  const rollup = new Rollup();
  for (let second = 0; second < 10; second += 1)
    rollup.add(
      secondFact(START + second * 1000, [{ service: "shop", route: "cart", served: 3, failed: 1, bucket: 30 }]),
    );
  const rows = rollup.takeClosed(START + 10_000).filter(({ service, by }) => service === "shop" && by === "all");
  expect(rows).toMatchObject([{ resolution: 10, at: START, exchanges: 40, failed: 10 }]);
  expect(rollup.takeClosed(START + 10_000)).toEqual([]);
  const again = new Rollup();
  again.putBack(rows);
  const before = rollup.points("shop", "all", "", 10, START, START + 10_000);
  expect(again.points("shop", "all", "", 10, START, START + 10_000)).toEqual(before);
});

test("A question for a dimension gets the busiest values as series of their own", () => {
  const rollup = new Rollup();
  rollup.add(
    secondFact(START, [
      { service: "shop", route: "cart", served: 5 },
      { service: "shop", route: "pay", served: 50 },
      { service: "mail", route: "inbox", served: 500 },
    ]),
  );
  const question = { service: "shop", by: "route", value: "", from: START, to: START + 1000, resolution: 1 } as const;
  expect(answerSeries(rollup, question).series.map(({ value }) => value)).toEqual(["pay", "cart"]);
  expect(answerSeries(rollup, { ...question, from: START + 1000, to: START }).series).toEqual([]);
});
