import fc from "fast-check";
import { expect, test } from "vitest";
import { parsePriority } from "./priority.ts";

test.each([
  ["u=0", 0, false],
  ["u=5, i", 5, true],
  ["u=5,i", 5, true],
  ["i", 3, true],
  ["i, u=2", 2, true],
  ["i=?0", 3, false],
  ["i=?1,u=7", 7, true],
  ["", 3, false],
  ["u=1;x=y, i;z", 1, true],
  ["new=1, u=4", 4, false],
  ["u=1, u=6", 6, false],
])("%j is urgency %i, in pieces: %s", (text, urgency, incremental) => {
  expect(parsePriority(text)).toEqual({ urgency, incremental });
});

test.each(["u=8", "u=-1", "u=1.0", "u=?1", 'u="1"', "u", "i=1", "i=yes"])(
  "%j is of no kind that was asked for",
  (text) => {
    expect(parsePriority(text)).toEqual({ urgency: 3, incremental: false });
  },
);

test.each(["U=1", "=1", ",", "u=1,", "u = 1", "é", `a=${"b".repeat(300)}`])("%j is no dictionary", (text) => {
  expect(parsePriority(text)).toBeNull();
});

test("whatever it says it is soon read, and its urgency is one of eight", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ maxLength: 300 }), fc.stringMatching(/^[ui=;, 0-9?x"-]{0,80}$/)), (text) => {
      const priority = parsePriority(text);
      if (priority === null) return;
      expect(priority.urgency).toBeGreaterThanOrEqual(0);
      expect(priority.urgency).toBeLessThanOrEqual(7);
    }),
  );
});
