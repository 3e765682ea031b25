import { expect, test } from "vitest";
import type { Decision, Outcome } from "../contract/record.ts";
import { newExchangeRecord } from "./new-record.ts";
import { copyOfRescues, countRescues, createRescueCounts } from "./rescue-counts.ts";

function add(counts: ReturnType<typeof createRescueCounts>, outcome: Outcome, ...codes: Decision["code"][]): void {
  const decisions = codes.map((code): Decision => ({ step: "rescue", code, reason: "" }));
  countRescues(counts, { ...newExchangeRecord("1", 0, "l"), outcome, decisions });
}

test("a body is complete once, however often it went on, and only when its client got all of it", () => {
  const counts = createRescueCounts();
  add(counts, "rescued", "resume.allowed.broken", "resume.continued", "resume.allowed.stalled", "resume.continued");
  add(counts, "failed", "resume.allowed.same-origin", "resume.continued");
  add(counts, "aborted", "resume.allowed.broken", "resume.mismatch.validator");
  expect(counts.resumes).toEqual({ begun: 4, completed: 1, mismatched: 1 });
});

test("a hedge that neither won nor was cancelled is one of which both were waited for", () => {
  const counts = createRescueCounts();
  add(counts, "rescued", "hedge.sent", "hedge.goes-on");
  add(counts, "served", "hedge.refused.budget");
  expect(counts.hedges).toEqual({ started: 1, won: 0, cancelled: 0 });
});

test("a copy stays as it is", () => {
  const counts = createRescueCounts();
  const copy = copyOfRescues(counts);
  add(counts, "served", "key.stored", "hedge.sent", "resume.allowed.broken");
  expect(copy).toEqual(createRescueCounts());
});
