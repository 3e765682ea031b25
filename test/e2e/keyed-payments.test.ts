/** The short form of `node bench/payments.ts`, which pays ten thousand times. */
import { expect, test } from "vitest";
import { runKeyedPayments } from "../support/keyed-payments.ts";

test("three hundred payments under resets, cuts, slowness and kills are carried out once each, or reported as uncertain", async () => {
  const report = await runKeyedPayments({ payments: 300, seed: 1, clients: 12, killRatio: 0.04 });
  expect(report.executedTwice).toEqual([]);
  expect(report.wrong).toEqual([]);
  expect(report.undecided).toEqual([]);
  expect(report.paid + report.uncertain).toBe(300);
  // It did go through fire.
  expect(Object.values(report.kills).reduce((sum, kills) => sum + kills)).toBeGreaterThan(3);
  expect(report.paid).toBeGreaterThan(150);
  expect(report.replayed).toBeGreaterThanOrEqual(report.paid);
});
