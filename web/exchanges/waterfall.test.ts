import { describe, expect, test } from "vitest";
import type { AttemptRecord } from "../../src/contract/record.ts";
import { STORY_RECORDS, storyRecord } from "../../test/support/story-records.ts";
import { waterfallOf } from "./waterfall.ts";

const attempt = (changes: Partial<AttemptRecord>): AttemptRecord => ({ ...storyRecord({}).attempts[0]!, ...changes });

describe("a waterfall", () => {
  test.each(Object.entries(STORY_RECORDS))("of %s stays within the exchange, each stretch in its row", (_, record) => {
    for (const row of waterfallOf(record)) {
      expect(row.tookUs).toBeGreaterThanOrEqual(0);
      let from = row.startUs;
      for (const stretch of row.stretches) {
        expect(stretch.from).toBeGreaterThanOrEqual(from);
        expect(stretch.to).toBeGreaterThanOrEqual(stretch.from);
        from = stretch.to;
      }
      expect(from).toBeLessThanOrEqual(row.startUs + row.tookUs);
    }
  });

  test("tells connecting, sending, waiting and receiving of an attempt apart", () => {
    const one = attempt({
      reused: false,
      startedUs: 100,
      connectedUs: 200,
      sentUs: 210,
      firstByteUs: 500,
      endedUs: 600,
      cause: null,
    });
    const row = waterfallOf(storyRecord({ attempts: [one] })).find(({ name }) => name.startsWith("Attempt"));
    expect(row?.stretches).toEqual([
      { from: 100, to: 200, kind: "connect" },
      { from: 200, to: 210, kind: "send" },
      { from: 210, to: 500, kind: "wait" },
      { from: 500, to: 600, kind: "receive" },
    ]);
  });

  test("of a connection that never came is all connecting, and ends in failure", () => {
    const one = attempt({
      reused: false,
      startedUs: 100,
      connectedUs: -1,
      sentUs: -1,
      firstByteUs: -1,
      endedUs: 900,
      cause: "origin.refused",
    });
    const row = waterfallOf(storyRecord({ attempts: [one] })).find(({ name }) => name.startsWith("Attempt"));
    expect(row?.stretches.map(({ kind }) => kind)).toEqual(["connect", "failed"]);
  });

  test("of a message that was no request has what there was and no more", () => {
    const rows = waterfallOf(storyRecord({ headUs: -1, routedUs: -1, replyUs: -1, requestEndUs: -1, attempts: [] }));
    expect(rows).toEqual([]);
  });
});
