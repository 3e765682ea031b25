import { describe, expect, it } from "vitest";
import { sampleIncident } from "../../test/support/sample-incident.ts";
import { writePostmortem } from "./postmortem.ts";

describe("a draft of a postmortem", () => {
  const closed = sampleIncident({
    state: "closed",
    recoveredAt: sampleIncident().firstFailureAt + 90_000,
    closedAt: sampleIncident().firstFailureAt + 120_000,
    told: [{ at: sampleIncident().detectedAt, to: "mail", text: "open" }],
    owner: "ada",
  });

  it("tells when, where, how bad, why and what was done, each from the record", () => {
    const text = writePostmortem(closed);
    for (const expected of [
      "| First failure | 2026-01-15 12:00:00 |",
      "| Detected | 2026-01-15 12:00:05 (5 s later) |",
      "| Recovered | 2026-01-15 12:01:30 (after ",
      "| Cause | origin.refused, origin |",
      "- 3 exchanges failed and 117 were rescued, of 1500 in all.",
      "spent: 0.1 %.",
      "**The processes behind pool aws are not running** (origin.refused, 90 %)",
      "[failures 120 exchanges, usually 0]",
      "mail was told",
      "ada took over",
    ])
      expect(text).toContain(expected);
  });

  it("says of one that goes on that it is not over, and that nobody was told", () => {
    const text = writePostmortem(sampleIncident());
    expect(text).toContain("| Recovered | not yet |");
    expect(text).toContain("- Nobody was told.");
  });

  it("keeps what came over the wire as text, in its cell and on its line", () => {
    const text = writePostmortem(
      sampleIncident({ title: "# a | b\n[x](http://evil)", where: { origin: "http://a|b<script>" } }),
    );
    expect(text.split("\n")[0]).toBe("# \\# a \\| b \\[x\\](http://evil)");
    expect(text).not.toContain("<script>");
  });
});

it("has nothing in it that a terminal would obey", () => {
  const at = Date.UTC(2026, 0, 1);
  const text = writePostmortem(
    sampleIncident({ timeline: [{ at, kind: "person", text: "ada: \u001b]0;owned\u0007\u202E" }] }),
  );
  expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});
