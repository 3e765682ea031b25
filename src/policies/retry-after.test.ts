import { expect, test } from "vitest";
import { parseRetryAfter } from "./retry-after.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");

test.each([
  ["0", 0],
  ["120", 120_000],
  ["9999999999", 86_400_000],
  ["Sat, 21 Nov 2026 12:00:30 GMT", 30_000],
  ["Sat, 21 Nov 2026 11:00:00 GMT", 0],
  // The two old forms, which a recipient must still read (RFC 9110 §5.6.7).
  ["Saturday, 21-Nov-26 12:00:30 GMT", 30_000],
  ["Sat Nov 21 12:00:30 2026", 30_000],
  ["Sat, 99 Nov 2026 11:00:00 GMT", 0],
  ["-1", 0],
  ["1.5", 0],
  ["soon", 0],
  ["2026", 2_026_000],
  ["2026-11-22", 0],
  ["", 0],
])("Retry-After: %s asks to wait %d ms", (value, ms) => {
  expect(parseRetryAfter(value, NOW)).toBe(ms);
});
