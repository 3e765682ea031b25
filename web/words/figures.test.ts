import { expect, test } from "vitest";
import { grouped, msText, rateText, ratioText, timesText } from "./figures.ts";

test("rates keep two digits below a hundred, and little is not nothing", () => {
  expect([0, 0.004, 0.0234, 3.44, 42.4, 182.4, 12_345].map(rateText)).toEqual([
    "0/s",
    "< 0.01/s",
    "0.023/s",
    "3.4/s",
    "42/s",
    "182/s",
    "12\u202F345/s",
  ]);
});

test("a share is neither rounded down to nothing nor up to all", () => {
  expect([0, 0.00001, 0.0042, 0.25, 0.9995, 0.999999, 1, -0.2].map(ratioText)).toEqual([
    "0 %",
    "< 0.01 %",
    "0.42 %",
    "25 %",
    "99.95 %",
    "99.999 %",
    "100 %",
    "-20 %",
  ]);
});

test("what was not measured has no figure", () => {
  expect(msText(null)).toBe("–");
  expect(msText(12.34)).toBe("12.3 ms");
});

test("counts and factors", () => {
  expect([0, 999, 1000, 1_234_567, 1234.5].map(grouped)).toEqual([
    "0",
    "999",
    "1\u202F000",
    "1\u202F234\u202F567",
    "1\u202F234.5",
  ]);
  expect([0.04, 1, 14.44].map(timesText)).toEqual(["0×", "1×", "14×"]);
});
