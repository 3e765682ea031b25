import { expect, test } from "vitest";
import { durationInWords, shareInWords, sizeInWords } from "./words.ts";

test("durations have at most two digits that matter and the unit a person would choose", () => {
  const cases: [number, string][] = [
    [-1, "0 ms"],
    [0, "0 ms"],
    [0.3, "0.3 ms"],
    [4.4, "4 ms"],
    [999.4, "999 ms"],
    [999.6, "1 s"],
    [1_000, "1 s"],
    [4_520, "4.5 s"],
    [9_960, "10 s"],
    [60_000, "60 s"],
    [119_600, "2 min"],
    [600_000, "10 min"],
    [Number.NaN, "0 ms"],
  ];
  for (const [ms, words] of cases) expect(durationInWords(ms), String(ms)).toBe(words);
});

test("sizes are counted in powers of 1024, as the configuration writes them", () => {
  const cases: [number, string][] = [
    [0, "0 bytes"],
    [1, "1 byte"],
    [1023, "1023 bytes"],
    [1024, "1 KiB"],
    [65_536, "64 KiB"],
    [3 * 1024 * 1024 + 200_000, "3.2 MiB"],
    [1024 * 1024 - 1, "1 MiB"],
    [2 ** 50, "1024 TiB"],
  ];
  for (const [bytes, words] of cases) expect(sizeInWords(bytes), String(bytes)).toBe(words);
});

test("a share below one is never rounded up to 100 %", () => {
  expect(shareInWords(0.9999)).toBe("99.9 %");
  expect(shareInWords(1)).toBe("100 %");
  expect(shareInWords(2 / 3)).toBe("67 %");
  expect(shareInWords(0)).toBe("0 %");
});
