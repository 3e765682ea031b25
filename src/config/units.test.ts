import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatDuration, formatRatio, formatSize, parseDuration, parseRatio, parseSize } from "./units.ts";

const ANY = { min: 0, max: Number.MAX_SAFE_INTEGER };

describe("durations", () => {
  test.each([
    ["300ms", 300],
    ["2s", 2000],
    ["1.1s", 1100],
    ["1.5m", 90_000],
    ["1h", 3_600_000],
    ["1d", 86_400_000],
    ["0s", 0],
  ])("%s is %d ms", (text, ms) => {
    expect(parseDuration(text, ANY)).toEqual({ ok: true, value: ms });
  });

  test.each([30, "30", 0, "1m30s", "-1s", "1e3s", "1 s", "1S", ".5s", "s", "", true, null, [], "1s\n", "١s"])(
    "%j is none",
    (input) => {
      expect(parseDuration(input, ANY).ok).toBe(false);
    },
  );

  test("the shown form of any duration reads as that duration", () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 31 - 1 }), (ms) => {
        expect(parseDuration(formatDuration(ms), ANY)).toEqual({ ok: true, value: ms });
      }),
    );
    expect([0, 1, 1500, 60_000, 90_000, 86_400_000].map(formatDuration)).toEqual([
      "0s",
      "1ms",
      "1500ms",
      "1m",
      "90s",
      "1d",
    ]);
  });
});

describe("sizes", () => {
  test.each([
    ["512B", 512],
    ["64KiB", 65_536],
    ["1.5MiB", 1_572_864],
    ["10KB", 10_000],
    ["10MB", 10_000_000],
    ["1GiB", 1_073_741_824],
    ["1GB", 1_000_000_000],
  ])("%s is %d bytes", (text, bytes) => {
    expect(parseSize(text, ANY)).toEqual({ ok: true, value: bytes });
  });

  test("the shown form of any size reads as that size", () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 31 - 1 }), (bytes) => {
        expect(parseSize(formatSize(bytes), ANY)).toEqual({ ok: true, value: bytes });
      }),
    );
    expect([0, 1000, 65_536, 1_048_576].map(formatSize)).toEqual(["0B", "1000B", "64KiB", "1MiB"]);
  });
});

describe("ratios", () => {
  const unit = { min: 0, max: 1 };

  test.each([
    ["10%", 0.1],
    ["99.95%", 0.9995],
    ["0%", 0],
    ["100%", 1],
    [0.5, 0.5],
    [1, 1],
  ])("%s is %d", (input, ratio) => {
    expect(parseRatio(input, unit)).toEqual({ ok: true, value: ratio });
  });

  test.each(["0.5", "-1%", "101%", -0.1, 2, Number.NaN, Infinity, "%", null])("%s is none", (input) => {
    expect(parseRatio(input, unit).ok).toBe(false);
  });

  test("a percentage is shown without the dust of binary fractions", () => {
    expect([0.1, 0.9995, 0.07, 1].map(formatRatio)).toEqual(["10%", "99.95%", "7%", "100%"]);
  });
});

test("bounds include their ends", () => {
  const bounds = { min: 1000, max: 2000 };
  expect(["999ms", "1s", "2s", "2001ms"].map((text) => parseDuration(text, bounds).ok)).toEqual([
    false,
    true,
    true,
    false,
  ]);
});
