import { expect, test } from "vitest";
import { SAMPLE_NOW } from "../../test/support/sample-view.ts";
import { storyRecord } from "../../test/support/story-records.ts";
import { causeBehind, evidenceBehind, RECENT_MINUTES, troublesByCause } from "./troubles.ts";

const at = (minutesAgo: number) => ({ startedAt: SAMPLE_NOW - minutesAgo * 60_000 });

test("what clients felt most comes first, each cause with its newest exchange", () => {
  const records = [
    storyRecord({ ...at(3), id: "old", outcome: "failed", cause: "origin.refused" }),
    storyRecord({ ...at(1), id: "new", outcome: "failed", cause: "origin.refused" }),
    storyRecord({ ...at(1), outcome: "aborted", cause: "client.abort_wait" }),
    storyRecord({ ...at(2), outcome: "failed", cause: "dns.nxdomain" }),
  ];
  expect(
    troublesByCause(records, SAMPLE_NOW).map(({ cause, failed, others, latest }) => [cause, failed, others, latest.id]),
  ).toEqual([
    ["origin.refused", 2, 0, "new"],
    ["dns.nxdomain", 1, 0, records[3]!.id],
    ["client.abort_wait", 0, 1, records[2]!.id],
  ]);
});

test("what is long ago explains nothing that is wrong now, and what went well is no trouble", () => {
  const records = [
    storyRecord({ ...at(RECENT_MINUTES + 1), outcome: "failed", cause: "origin.refused" }),
    storyRecord({ ...at(1), outcome: "served", cause: null, attempts: [] }),
  ];
  expect(troublesByCause(records, SAMPLE_NOW)).toEqual([]);
});

test("a rescued exchange has the cause and the evidence of the attempt that failed", () => {
  const [attempt] = storyRecord({}).attempts;
  const failed = { ...attempt!, cause: "origin.refused" as const, evidence: "ECONNREFUSED" };
  const rescued = storyRecord({ outcome: "rescued", cause: null, evidence: "", attempts: [failed] });
  expect([causeBehind(rescued), evidenceBehind(rescued)]).toEqual(["origin.refused", "ECONNREFUSED"]);
});
