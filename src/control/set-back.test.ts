import { expect, test } from "vitest";
import { SetBack } from "./set-back.ts";

function heed(...seconds: readonly number[]): number[] {
  const setBack = new SetBack();
  return seconds.map((second) => setBack.heed(second * 1000));
}

test("Five seconds in a row, all of them long ago, are a clock that was set back", () => {
  expect(heed(9_000, 9_001, 1_000, 1_001, 1_002, 1_003, 1_004, 1_005)).toEqual([0, 0, 0, 0, 0, 0, 7_997_000, 0]);
});

test("Late facts, and a slow clock beside one that is right, are not", () => {
  expect(heed(100, 80, 101, 102, 95, 103).every((byMs) => byMs === 0)).toBe(true);
  expect(heed(100, 1, 101, 2, 102, 3, 103, 4, 104, 5, 105, 6, 106, 7).every((byMs) => byMs === 0)).toBe(true);
});
