import { describe, expect, test } from "vitest";
import { isCauseId } from "./causes.ts";
import { CONCLUSIONS, isConclusionId } from "./conclusions.ts";
import type { Conclusion } from "./conclusions.ts";

const rows: readonly Conclusion[] = Object.values(CONCLUSIONS);

describe("the table of conclusions", () => {
  test.each(rows)("$id is well formed and its texts are sentences", (row) => {
    expect(row.id).toMatch(/^(client|front|gw|net|dns|origin|check|provider|sys|change)\.[a-z]+(_[a-z]+)*$/);
    expect(row.title).toMatch(/^[A-Z].*[^.]$/);
    expect(row.title.length).toBeLessThanOrEqual(48);
    for (const text of [row.means, row.evidence, row.lookFirst]) expect(text).toMatch(/^[A-Z`].*[.?]$/s);
  });

  test("no row has the id of a cause, which a record may carry, and no two the same title", () => {
    for (const row of rows) expect(isCauseId(row.id), row.id).toBe(false);
    expect(new Set(rows.map((row) => row.title.toLowerCase())).size).toBe(rows.length);
  });

  test("what is named as a look-alike exists, in this table or in that of causes", () => {
    const prefix = "client|front|gw|net|dns|origin|check|provider|sys|change";
    const mentioned = rows.flatMap((row) => [
      ...`${row.means} ${row.evidence}`.matchAll(new RegExp(`\\b(?:${prefix})\\.[a-z0-9_]+`, "g")),
    ]);
    expect(mentioned.length).toBeGreaterThan(20);
    for (const [id] of mentioned) expect(isCauseId(id) || isConclusionId(id), id).toBe(true);
  });

  test("a change, a provider and a person's drill are parties only here: one exchange cannot show them", () => {
    const parties = new Set(rows.map((row) => row.party));
    expect(parties).toContain("provider");
    expect(parties).toContain("change");
    for (const row of rows) {
      if (row.id.startsWith("change.")) expect(row.party).toBe("change");
      if (row.id.startsWith("provider.")) expect(row.party).toBe("provider");
      if (row.id.startsWith("sys.")) expect(row.party).toBe("overload");
    }
  });

  test("rows cannot be changed by whoever holds them, and text from outside is a row only by its own name", () => {
    expect(Object.isFrozen(CONCLUSIONS)).toBe(true);
    expect(Object.isFrozen(CONCLUSIONS["provider.outage"])).toBe(true);
    expect(isConclusionId("constructor")).toBe(false);
  });
});
