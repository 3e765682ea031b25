import { describe, expect, it } from "vitest";
import { isQuiet, isZone } from "./quiet-hours.ts";
import type { QuietHours } from "./quiet-hours.ts";

const NIGHT: QuietHours = { zone: "Europe/Berlin", fromMinute: 22 * 60, toMinute: 7 * 60, days: [] };

describe("quiet hours", () => {
  it("go over midnight, their begin included and their end not", () => {
    expect(isQuiet(NIGHT, Date.parse("2026-01-15T21:59:00+01:00"))).toBe(false);
    expect(isQuiet(NIGHT, Date.parse("2026-01-15T22:00:00+01:00"))).toBe(true);
    expect(isQuiet(NIGHT, Date.parse("2026-01-16T06:59:59+01:00"))).toBe(true);
    expect(isQuiet(NIGHT, Date.parse("2026-01-16T07:00:00+01:00"))).toBe(false);
  });

  it("follow the wall clock over the change to summer time and back", () => {
    // In the night of 29 March 2026 the hour from 2 to 3 is missing; on 25 October it comes twice.
    for (const [day, lastQuiet, over] of [
      ["2026-03-29", "04:59", "05:00"],
      ["2026-10-25", "05:59", "06:00"],
    ] as const) {
      for (const time of ["00:30", "01:30", lastQuiet])
        expect(isQuiet(NIGHT, Date.parse(`${day}T${time}:00Z`)), `${day} ${time}`).toBe(true);
      expect(isQuiet(NIGHT, Date.parse(`${day}T${over}:00Z`)), day).toBe(false);
    }
  });

  it("of some days belong to the day on which they begin", () => {
    // Friday evening into Saturday morning; Saturday evening is not quiet.
    const friday = { ...NIGHT, days: [5] };
    expect(isQuiet(friday, Date.parse("2026-01-16T23:00:00+01:00"))).toBe(true);
    expect(isQuiet(friday, Date.parse("2026-01-17T06:00:00+01:00"))).toBe(true);
    expect(isQuiet(friday, Date.parse("2026-01-17T23:00:00+01:00"))).toBe(false);
    expect(isQuiet(friday, Date.parse("2026-01-16T06:00:00+01:00"))).toBe(false);
  });

  it("within one day, and a whole day", () => {
    const lunch = { ...NIGHT, fromMinute: 12 * 60, toMinute: 13 * 60 };
    expect(isQuiet(lunch, Date.parse("2026-01-15T12:30:00+01:00"))).toBe(true);
    expect(isQuiet(lunch, Date.parse("2026-01-15T13:00:00+01:00"))).toBe(false);
    const sunday = { ...NIGHT, fromMinute: 0, toMinute: 0, days: [0] };
    expect(isQuiet(sunday, Date.parse("2026-01-18T00:00:00+01:00"))).toBe(true);
    expect(isQuiet(sunday, Date.parse("2026-01-18T23:59:00+01:00"))).toBe(true);
    expect(isQuiet(sunday, Date.parse("2026-01-19T00:00:00+01:00"))).toBe(false);
  });

  it("know the zones of the system and no others", () => {
    expect(isZone("America/New_York")).toBe(true);
    expect(isZone("Mars/Olympus")).toBe(false);
  });
});
