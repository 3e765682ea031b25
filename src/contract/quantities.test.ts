import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countText, durationText, ordinalText, sizeText } from "./quantities.ts";

describe("durations", () => {
  test.each([
    [-1, "–"],
    [0, "0 µs"],
    [812, "812 µs"],
    [999.4, "999 µs"],
    [999.6, "1 ms"],
    [12_340, "12.3 ms"],
    [123_400, "123 ms"],
    [999_499, "999 ms"],
    [999_500, "1 s"],
    [3_204_000, "3.2 s"],
    [59_949_999, "59.9 s"],
    [59_950_000, "1 min"],
    [125_000_000, "2 min 5 s"],
    [3_600_000_000, "1 h"],
    [11_400_000_000, "3 h 10 min"],
    [176_400_000_000, "2 d 1 h"],
  ])("%d µs read as %s", (us, text) => {
    expect(durationText(us)).toBe(text);
  });

  test("never say 60 of a unit that has a larger one", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e15, noNaN: true }), (us) => {
        expect(durationText(us)).not.toMatch(/\b60 (s|min)\b|\b24 h$/);
      }),
    );
  });
});

describe("sizes", () => {
  test.each([
    [0, "0 bytes"],
    [1, "1 byte"],
    [1023, "1023 bytes"],
    [1024, "1 KiB"],
    [3200, "3.1 KiB"],
    [65_536, "64 KiB"],
    [1_048_575, "1 MiB"],
    [1_610_612_736, "1.5 GiB"],
    [5e15, "4547 TiB"],
  ])("%d bytes read as %s", (bytes, text) => {
    expect(sizeText(bytes)).toBe(text);
  });
});

test("counts agree with their noun", () => {
  expect([countText(0, "attempt"), countText(1, "attempt"), countText(2, "attempt")]).toEqual([
    "0 attempts",
    "1 attempt",
    "2 attempts",
  ]);
  expect(countText(2, "address", "addresses")).toBe("2 addresses");
});

test("ordinals end as they are spoken", () => {
  expect([1, 2, 3, 4, 11, 12, 13, 21, 22, 101, 111].map(ordinalText)).toEqual([
    "1st",
    "2nd",
    "3rd",
    "4th",
    "11th",
    "12th",
    "13th",
    "21st",
    "22nd",
    "101st",
    "111th",
  ]);
});
