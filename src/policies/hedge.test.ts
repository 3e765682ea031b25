import { expect, test } from "vitest";
import { DECISIONS } from "../kernel/decisions.ts";
import { decideHedge, hedgeAfterMs } from "./hedge.ts";
import type { HedgeCode, HedgeInput } from "./hedge.ts";
import { createRetryBudget, retriesAllowed, retriesLeft, takeRetry } from "./retry-budget.ts";

const input: HedgeInput = {
  othersLeft: 1,
  budgetLeft: 100,
  budgetAllowed: 100,
  stressed: false,
  attempts: 1,
  attemptsMax: 3,
  deadlineLeftMs: Infinity,
  usualMs: 20,
};

test("each rule by its case, with the sentence that a person reads", () => {
  const cases: [Partial<HedgeInput>, HedgeCode, string][] = [
    [
      {},
      "hedge.sent",
      "sent to a second origin as well: no answer in 60 ms, and nearly all answers of the route come sooner",
    ],
    [
      { stressed: true },
      "hedge.refused.stressed",
      "not hedged: the service turns requests away, and a hedge is more load",
    ],
    [{ attempts: 3 }, "hedge.refused.attempts", "not hedged: 3 of 3 attempts were made"],
    [{ othersLeft: 0 }, "hedge.refused.no-other-origin", "not hedged: no other usable origin of its pool is left"],
    [{ deadlineLeftMs: 15 }, "hedge.refused.deadline", "not hedged: only 15 ms are left until the deadline"],
    [
      { budgetLeft: 49 },
      "hedge.refused.budget",
      "not hedged: less than half of the retry budget is left, and that is for failures",
    ],
  ];
  for (const [change, code, reason] of cases) {
    expect(decideHedge({ ...input, ...change }, 60)).toEqual({ hedge: code === "hedge.sent", code, reason });
  }
  const promised = Object.keys(DECISIONS).filter((code) => /^hedge\.(?:sent|refused)/.test(code));
  expect(new Set(cases.map(([, code]) => code))).toEqual(new Set(promised));
});

test("an answer is late after what nearly all of them take, never before the least, and never while little is known", () => {
  const options = { afterMinMs: 20, samplesMin: 50 };
  expect(hedgeAfterMs(options, 80, 50)).toBe(80);
  expect(hedgeAfterMs(options, 3, 1_000)).toBe(20);
  expect(hedgeAfterMs(options, 80, 49)).toBe(0);
  expect(hedgeAfterMs(options, -1, 50)).toBe(0);
});

test("with every answer late, hedges stop at half of the budget and leave the rest to failures", () => {
  const options = { budgetRatio: 0.1, budgetPerSecond: 10 };
  const budget = createRetryBudget();
  let sent = 0;
  for (let times = 0; times < 1_000; times += 1) {
    const left = retriesLeft(options, budget, 5_000);
    const verdict = decideHedge(
      { ...input, budgetLeft: left, budgetAllowed: retriesAllowed(options, budget, 5_000) },
      60,
    );
    if (!verdict.hedge) break;
    takeRetry(options, budget, 5_000);
    sent += 1;
  }
  expect(sent).toBe(51);
  expect(retriesLeft(options, budget, 5_000)).toBe(49);
});
