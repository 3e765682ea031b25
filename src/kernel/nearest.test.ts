import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nearest } from "./nearest.ts";

const KEYS = ["listeners", "admin", "services", "origins", "timeouts", "firstByte", "gap", "perOriginMax"];

describe("nearest", () => {
  test.each([
    ["listners", "listeners"],
    ["orgiins", "origins"],
    ["origin", "origins"],
    ["first_byte", "firstByte"],
    ["FIRST-BYTE", "firstByte"],
    ["gpa", "gap"],
    ["service", "services"],
  ])("%s was meant as %s", (word, meant) => {
    expect(nearest(word, KEYS)).toBe(meant);
  });

  test.each(["", "x", "gp", "retries", "completely different", "a".repeat(10_000)])("%s resembles nothing", (word) => {
    expect(nearest(word, KEYS)).toBe(null);
  });

  test("a word too long to be a slip is not compared at all, not even with itself", () => {
    const word = "a".repeat(65);
    expect(nearest(word, [word])).toBe(null);
  });

  test("of two equally near names the first wins, and a nearer one beats an earlier one", () => {
    expect(nearest("pat", ["path", "pats"])).toBe("path");
    expect(nearest("puth", ["path", "pith"])).toBe("path");
    expect(nearest("paths", ["pats", "path_s"])).toBe("path_s");
  });

  test("a word finds itself after any single slip of the fingers", () => {
    const word = fc.stringMatching(/^[a-z]{4,20}$/);
    fc.assert(
      fc.property(word, fc.nat(), fc.constantFrom("drop", "double", "swap", "change"), (name, seed, slip) => {
        const at = seed % (name.length - 1);
        const [a, b] = [name.charAt(at), name.charAt(at + 1)];
        const [head, tail] = [name.slice(0, at), name.slice(at + 2)];
        const slipped = {
          drop: head + b + tail,
          double: head + a + a + b + tail,
          swap: head + b + a + tail,
          change: `${head}#${b}${tail}`,
        };
        expect(nearest(slipped[slip], [name])).toBe(name);
      }),
    );
  });

  test("the order of equally long words does not decide whether there is a guess", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.array(fc.string({ maxLength: 12 })), (word, names) => {
        const backwards = names.toReversed();
        expect(nearest(word, names) === null).toBe(nearest(word, backwards) === null);
      }),
    );
  });
});
