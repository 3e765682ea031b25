import { expect, test } from "vitest";
import { causeText, classesText, impactText, lengthText } from "./incident-words.ts";

test("a cause is told with its party, and an undecided one is not told as one", () => {
  expect(causeText({ cause: "origin.refused", party: "origin", verdict: "decided" })).toBe(
    "origin.refused, at fault: origin",
  );
  expect(causeText({ cause: "origin.refused", party: "origin", verdict: "undecided" })).toMatch(/^undecided/);
  expect(causeText({ cause: null, party: null, verdict: "not enough evidence" })).toMatch(/^not enough/);
});

test("it lasts from the first failure to the recovery, or until now", () => {
  expect(lengthText({ firstFailureAt: 1_000, recoveredAt: 66_400 }, 0)).toBe("1 min 5 s");
  expect(lengthText({ firstFailureAt: 1_000, recoveredAt: null }, 1_200)).toBe("0 s");
});

test("what clients felt, the most important class first", () => {
  expect(impactText({ failed: 1204, rescued: 88, exchanges: 20_000 })).toBe(
    "1\u202F204 failed and 88 rescued of 20\u202F000 exchanges",
  );
  expect(classesText({ background: 9, critical: 1, normal: 0 })).toBe("1 critical, 9 background");
});
