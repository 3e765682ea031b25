import { describe, expect, it } from "vitest";
import type { Seen } from "./clients.ts";
import { outcomeOf, renderOutcomes } from "./report.ts";
import type { FaultRow } from "./rows.ts";

const row: FaultRow = {
  title: "",
  what: "",
  calmSeconds: 1,
  faultSeconds: 1,
  afterSeconds: 4,
  slowMs: 100,
  load: { rate: () => 1, ask: () => ({ method: "GET", path: "/", class: "normal" }) },
  fault: () => undefined,
  clear: () => undefined,
};

function seen(dueMs: number, outcome: string, tookMs = 1): Seen {
  return { class: "normal", method: "GET", dueMs, tookMs, outcome, ok: outcome === "200" };
}

describe("what clients saw", () => {
  it("counts failures, and answers that came too late to be good", () => {
    const outcome = outcomeOf("crash", "x", row, [seen(0, "200"), seen(10, "200", 101), seen(20, "502")], 0);
    expect(outcome).toMatchObject({ requests: 3, failed: 1, slow: 1, byOutcome: { "200": 2, "502": 1 } });
  });

  it("says after how many seconds of the end of the fault it is well again, and stays so", () => {
    const after = [seen(2_100, "200"), seen(3_100, "502"), seen(4_100, "200"), seen(5_100, "200")];
    expect(outcomeOf("crash", "x", row, after, 0).recoveredAfter).toBe(2);
  });

  it("says that it never got well when the last second failed", () => {
    expect(outcomeOf("crash", "x", row, [seen(4_100, "200"), seen(5_100, "502")], 0).recoveredAfter).toBeNull();
  });

  it("shows one line for each row and gateway", () => {
    const table = renderOutcomes([outcomeOf("crash", "x", row, [seen(0, "502"), seen(1, "200")], 2)]);
    expect(table.split("\n").at(-1)).toMatch(/^\| crash \| x \| 2 \| 50\.0 % \| 0 \| 50\.0 % \| 1 502 \| 2 \|/);
  });
});
