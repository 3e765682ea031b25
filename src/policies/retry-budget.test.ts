import fc from "fast-check";
import { expect, test } from "vitest";
import { budgetInWords, countExchange, createRetryBudget, retriesLeft, takeRetry } from "./retry-budget.ts";

const options = { budgetRatio: 0.1, budgetPerSecond: 10 };

test("a service without traffic may repeat ten times a second, over ten seconds", () => {
  const budget = createRetryBudget();
  expect(retriesLeft(options, budget, 0)).toBe(100);
  for (let time = 0; time < 100; time += 1) expect(takeRetry(options, budget, 0)).toBe(true);
  expect(takeRetry(options, budget, 0)).toBe(false);
  expect(takeRetry(options, budget, 8_999)).toBe(false);
  expect(takeRetry(options, budget, 10_000)).toBe(true);
});

test("every tenth exchange earns a repeat, and no credit is saved up beyond ten seconds", () => {
  const none = { budgetRatio: 0.1, budgetPerSecond: 0 };
  const budget = createRetryBudget();
  for (let time = 0; time < 9; time += 1) countExchange(budget, 0);
  expect(takeRetry(none, budget, 0)).toBe(false);
  countExchange(budget, 0);
  expect(takeRetry(none, budget, 0)).toBe(true);
  expect(takeRetry(none, budget, 0)).toBe(false);
  for (let time = 0; time < 1000; time += 1) countExchange(budget, 1_000);
  expect(retriesLeft(none, budget, 10_999)).toBe(100);
  expect(retriesLeft(none, budget, 11_000)).toBe(0);
});

test("a budget of nothing allows nothing", () => {
  const budget = createRetryBudget();
  countExchange(budget, 0);
  expect(takeRetry({ budgetRatio: 0, budgetPerSecond: 0 }, budget, 0)).toBe(false);
});

test("the words name what was used and what is allowed", () => {
  const budget = createRetryBudget();
  for (let time = 0; time < 20; time += 1) countExchange(budget, 0);
  takeRetry(options, budget, 0);
  expect(budgetInWords(options, budget, 0)).toBe(
    "1 repeated of 20 exchanges in the last 10 s; allowed are 10 % and 10 per second",
  );
});

test("however exchanges and failures come, repeats stay within a tenth plus ten per second", () => {
  const step = fc.record({
    after: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3_000 })),
    exchanges: fc.integer({ min: 0, max: 200 }),
    wanted: fc.integer({ min: 0, max: 200 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const budget = createRetryBudget();
      let now = 0;
      let exchanges = 0;
      let retries = 0;
      for (const { after, exchanges: more, wanted } of steps) {
        now += after;
        for (let time = 0; time < more; time += 1) countExchange(budget, now);
        exchanges += more;
        for (let time = 0; time < wanted; time += 1) if (takeRetry(options, budget, now)) retries += 1;
        // The window is at least nine seconds long, and each began window may spend its own ten per second.
        expect(retries).toBeLessThanOrEqual(0.1 * exchanges + 100 * (Math.floor(now / 9_000) + 1));
        expect(budget.retries.total).toBeLessThanOrEqual(0.1 * exchanges + 100);
      }
    }),
  );
});
