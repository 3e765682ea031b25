import { describe, expect, it } from "vitest";
import { SAMPLE_NOW, sampleView } from "../../test/support/sample-view.ts";
import { STORY_RECORDS, storyRecord } from "../../test/support/story-records.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import { latestTroubled, troublesByCause } from "./troubles.ts";

const NOW = SAMPLE_NOW;

function at(secondsAgo: number, changes: Partial<ExchangeRecord>): ExchangeRecord {
  return storyRecord({ startedAt: NOW - secondsAgo * 1000, ...changes });
}

describe("troubles", () => {
  it("are ranked by what clients felt: failures, then rescues, then the rest", () => {
    const troubles = troublesByCause(
      [
        ...Array.from({ length: 50 }, () => at(1, { outcome: "aborted", cause: "client.abort_wait" })),
        ...Array.from({ length: 5 }, () => at(1, { outcome: "rescued", cause: "origin.keepalive_race" })),
        at(1, { outcome: "failed", cause: "dns.timeout" }),
      ],
      NOW,
    );
    expect(troubles.map(({ cause, failed, rescued, others }) => [cause.id, failed, rescued, others])).toEqual([
      ["dns.timeout", 1, 0, 0],
      ["origin.keepalive_race", 0, 5, 0],
      ["client.abort_wait", 0, 0, 50],
    ]);
  });

  it("take the cause of a rescued exchange from the attempt that failed", () => {
    const rescued = { ...STORY_RECORDS["rescued from a refused connection"]!, startedAt: NOW };
    expect(rescued.cause).toBeNull();
    expect(troublesByCause([rescued], NOW)).toMatchObject([{ cause: { id: "origin.refused" }, rescued: 1 }]);
  });

  it("name the latest of each, and forget what is older than 15 minutes", () => {
    const [latest, earlier] = [at(10, { id: "b", cause: "dns.timeout" }), at(20, { id: "a", cause: "dns.timeout" })];
    expect(troublesByCause([latest, earlier], NOW)[0]?.latest.id).toBe("b");
    expect(troublesByCause([at(901, { outcome: "failed", cause: "dns.timeout" })], NOW)).toEqual([]);
  });

  it("come from the view newest first and without what went well", () => {
    const records = latestTroubled(sampleView());
    expect(records.length).toBeGreaterThan(20);
    expect(records.every((record) => record.outcome !== "served")).toBe(true);
    const times = records.map((record) => record.startedAt);
    expect(times).toEqual(times.toSorted((one, other) => other - one));
  });
});
