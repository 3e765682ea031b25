import { describe, expect, it } from "vitest";
import { parseSince } from "./since.ts";

const NOW = Date.UTC(2026, 10, 21, 14, 10, 0);

describe("since", () => {
  it.each([
    ["10m", NOW - 600_000],
    ["1.5h", NOW - 5_400_000],
    ["250ms", NOW - 250],
    ["30s", NOW - 30_000],
    ["2d", NOW - 172_800_000],
    ["1795270200000", 1_795_270_200_000],
    ["2026-11-21T14:05:00Z", NOW - 300_000],
    ["2026-11-21T16:05:00.500+02:00", NOW - 299_500],
    ["2026-11-21", Date.UTC(2026, 10, 21)],
  ])("understands %s", (text, at) => {
    expect(parseSince(text, NOW)).toEqual({ ok: true, at });
  });

  it.each([
    ["10", "10 has no unit"],
    ["1795270200", "looks like seconds, and this is in ms: write 1795270200000"],
    ["1795270200000000000", "no unit"],
    ["-10m", "negative"],
    ["10 m", "is not a time"],
    ["10min", "is not a time"],
    ["yesterday", "is not a time"],
    ["2026-11-21T14:05:00", "has no zone: add Z"],
    ["2026-11-21T14:05:00 02:00", "in a URL write %2B"],
    ["2026-13-41", "does not exist"],
    ["2026-11-21 14:05", "is not an ISO 8601 time"],
    ["", "is not a time"],
  ])("refuses %s and says what would be right", (text, words) => {
    const since = parseSince(text, NOW);
    expect(since).toMatchObject({ ok: false, detail: expect.stringContaining(words) as string });
    expect(since).toMatchObject({ detail: expect.stringContaining("10m") as string });
  });
});
