import fc from "fast-check";
import { expect, test } from "vitest";
import {
  deadlineInWords,
  parseGrpcTimeout,
  parseRequestTimeout,
  writeGrpcTimeout,
  writeRequestTimeout,
} from "./deadline.ts";

test.each([
  ["1", 1_000],
  ["0.25", 250],
  ["30.000", 30_000],
  ["99999999", 86_400_000],
  ["0", null],
  ["0.0", null],
  ["-1", null],
  ["1e3", null],
  [".5", null],
  ["5.", null],
  ["1s", null],
  ["", null],
  ["1, 2", null],
])("X-Request-Timeout: %s allows %j ms", (text, ms) => {
  expect(parseRequestTimeout(text)).toBe(ms);
});

test.each([
  ["100m", 100],
  ["2S", 2_000],
  ["1M", 60_000],
  ["1H", 3_600_000],
  ["500u", 0.5],
  ["1000000n", 1],
  ["99999999H", 86_400_000],
  ["0S", null],
  ["123456789m", null],
  ["1.5S", null],
  ["1s", null],
  ["S", null],
  ["", null],
])("grpc-timeout: %s allows %j ms", (text, ms) => {
  expect(parseGrpcTimeout(text)).toBe(ms);
});

test("what is written for the origin is read as no more than what is left, and never as nothing", () => {
  fc.assert(
    fc.property(fc.double({ min: 1, max: 86_400_000, noNaN: true }), (left) => {
      for (const read of [parseRequestTimeout(writeRequestTimeout(left)), parseGrpcTimeout(writeGrpcTimeout(left))]) {
        expect(read).toBeGreaterThan(0);
        expect(read).toBeLessThanOrEqual(left);
        expect(read).toBeGreaterThan(left - 1_001);
      }
    }),
  );
  expect(writeRequestTimeout(-3)).toBe("0.001");
  expect(writeGrpcTimeout(0)).toBe("1m");
});

test("whose time is over is said in a sentence", () => {
  expect(deadlineInWords(500, "client")).toBe("the 500 ms that the client allows are over");
  expect(deadlineInWords(2_000, "route")).toBe("the 2 s that the route allows are over");
});
