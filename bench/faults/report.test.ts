import { describe, expect, it } from "vitest";
import type { Seen } from "./clients.ts";
import { outcomeOf, renderOutcomes } from "./report.ts";
import type { Outcome } from "./report.ts";

function seen(dueMs: number, outcome: string, tookMs = 1): Seen {
  return { number: dueMs, class: "normal", method: "GET", dueMs, tookMs, outcome, ok: outcome === "200" };
}

/** Of a row that had its fault until 2 s. */
function outcome(all: readonly Seen[], payments: readonly string[] = []): Outcome {
  return outcomeOf("crash", "x", { slowMs: 100 }, { seen: all, payments, clearMs: 2_000 });
}

describe("what clients saw", () => {
  it("counts failures, and answers that came too late to be good", () => {
    const all = [seen(0, "200"), seen(10, "200", 101), seen(20, "502")];
    expect(outcome(all)).toMatchObject({ requests: 3, failed: 1, slow: 1, byOutcome: { "200": 2, "502": 1 } });
  });

  it("tells payments that ran and were not answered from those that never ran", () => {
    const post = (number: number, result: string): Seen => ({ ...seen(number, result), method: "POST" });
    const all = [post(1, "502"), post(2, "502"), post(3, "200"), seen(4, "502")];
    expect(outcome(all, ["1", "3", "4"])).toMatchObject({ failed: 3, ranUnanswered: 1, twice: 0 });
  });

  it("says how long after the end of the fault it is well again, and stays so", () => {
    const after = [seen(1_900, "502"), seen(2_100, "200"), seen(3_100, "502"), seen(3_600, "200"), seen(5_100, "200")];
    expect(outcome(after).recoveredAfter).toBe(1.5);
    expect(outcome(after.slice(3)).recoveredAfter).toBe(0);
  });

  it("says that it never got well when the last second failed", () => {
    expect(outcome([seen(4_100, "200"), seen(5_100, "502")]).recoveredAfter).toBeNull();
  });

  it("shows one line for each row and gateway", () => {
    const table = renderOutcomes([outcome([seen(0, "502"), seen(1, "200")], ["7", "7", "7"])]);
    expect(table.split("\n").at(-1)).toMatch(/^\| crash \| x \| 2 \| 50\.0 % \| 0 \| 50\.0 % \| 1 502 \| 0 \| 2 \|/);
  });
});
