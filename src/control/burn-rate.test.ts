import { expect, test } from "vitest";
import { budgetLeft, burnOf, createBudgetBook, countInBudget } from "./burn-rate.ts";
import type { BudgetBook } from "./burn-rate.ts";

const START = 1_764_000_000_000;
const BUDGET = 0.001;

function spend(
  book: BudgetBook,
  fromMinute: number,
  minutes: number,
  ratio: number,
  perMinute = 1_000,
  isTold = false,
): number {
  for (let minute = fromMinute; minute < fromMinute + minutes; minute += 1)
    countInBudget(book, START + minute * 60_000, perMinute * ratio, perMinute, isTold);
  return START + (fromMinute + minutes - 1) * 60_000;
}

test("Burning 14.4 times too fast for an hour pages, and the alert ends within minutes of the trouble", () => {
  const book = createBudgetBook();
  spend(book, 0, 600, 0);
  const now = spend(book, 600, 60, 0.02);
  expect(burnOf(book, now, BUDGET)).toMatchObject({ page: true, rule: "14.4× over 1 h and 5 min" });
  const after = spend(book, 660, 8, 0);
  expect(burnOf(book, after, BUDGET).rule).not.toBe("14.4× over 1 h and 5 min");
});

test("A short burst that spends little of the budget does not page", () => {
  const book = createBudgetBook();
  spend(book, 0, 600, 0);
  const now = spend(book, 600, 3, 0.05);
  expect(burnOf(book, now, BUDGET).page).toBe(false);
});

test("What an incident told of burns the budget and is no reason for another incident", () => {
  const book = createBudgetBook();
  spend(book, 0, 600, 0);
  const now = spend(book, 600, 60, 0.02, 1_000, true);
  expect(burnOf(book, now, BUDGET)).toMatchObject({ page: true });
  expect(burnOf(book, now, BUDGET, true)).toMatchObject({ page: false, ticket: false });
  expect(budgetLeft(book, now, BUDGET)).toBeLessThan(1);
});

test("A slow burn becomes a ticket after hours", () => {
  const book = createBudgetBook();
  const now = spend(book, 0, 3 * 24 * 60, 0.0015);
  expect(burnOf(book, now, BUDGET)).toMatchObject({ page: false, ticket: true });
});

test("On a small service a few failures are no burn", () => {
  const book = createBudgetBook();
  const now = spend(book, 0, 60, 0.1, 1);
  expect(burnOf(book, now, BUDGET)).toMatchObject({ page: false, ticket: false });
});

test("What is left of the budget falls with what failed, and below nothing when it is overspent", () => {
  const book = createBudgetBook();
  const half = spend(book, 0, 60, 0.0005);
  expect(budgetLeft(book, half, BUDGET)).toBeCloseTo(0.5, 5);
  const over = spend(book, 60, 60, 0.01);
  expect(budgetLeft(book, over, BUDGET)).toBeLessThan(0);
});

test("It keeps three days of minutes and thirty days of hours, whatever comes", () => {
  const book = createBudgetBook();
  spend(book, 0, 40 * 24 * 60, 0);
  expect(book.minutes.length).toBe(3 * 24 * 60);
  expect(book.hours.length).toBe(30 * 24);
});
