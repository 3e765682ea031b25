import fc from "fast-check";
import { expect, it } from "vitest";
import { parseHttpTime } from "./http-time.ts";

const NOW = Date.UTC(2026, 10, 21);

it("the three forms of RFC 9110 name the same moment", () => {
  const moment = Date.UTC(1994, 10, 6, 8, 49, 37);
  for (const text of ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]) {
    expect(parseHttpTime(text, NOW), text).toBe(moment);
  }
});

it("every date that we write is read back", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (seconds) => {
      expect(parseHttpTime(new Date(seconds * 1000).toUTCString(), NOW)).toBe(seconds * 1000);
    }),
  );
});

it.each([
  "0",
  "",
  "-1",
  "2026-11-21",
  "Sun, 06 Nov 1994 08:49:37",
  "Sun, 06 Nov 1994 08:49:37 +0100",
  "sun, 06 nov 1994 08:49:37 gmt",
  "Sun, 6 Nov 1994 08:49:37 GMT",
  "Sun, 06 Nov 1994 24:49:37 GMT",
  "Sun, 32 Nov 1994 08:49:37 GMT",
  "Sun, 06 Xyz 1994 08:49:37 GMT",
])("%j is no date", (text) => {
  expect(parseHttpTime(text, NOW)).toBeNaN();
});

it("a year of two digits is at most fifty years ahead", () => {
  expect(new Date(parseHttpTime("Sunday, 06-Nov-76 08:49:37 GMT", NOW)).getUTCFullYear()).toBe(2076);
  expect(new Date(parseHttpTime("Sunday, 06-Nov-77 08:49:37 GMT", NOW)).getUTCFullYear()).toBe(1977);
});
