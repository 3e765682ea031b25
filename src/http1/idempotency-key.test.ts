import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KEY_LENGTH_MAX, parseIdempotencyKey } from "./idempotency-key.ts";

describe("Idempotency-Key", () => {
  test.each([
    ['"8e03978e-40d5-43dd-bc93-6894a57f9324"', "8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ["8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ["order:17/retry", "order:17/retry"],
    ["YWJjZA==", "YWJjZA=="],
    ['"with a space"', "with a space"],
    [String.raw`"a \"b\" \\c"`, String.raw`a "b" \c`],
    ['"key";v=1; w', "key"],
    ["a".repeat(KEY_LENGTH_MAX), "a".repeat(KEY_LENGTH_MAX)],
  ])("%s is the key %s", (value, key) => {
    expect(parseIdempotencyKey(value)).toEqual({ key });
  });

  test.each([
    "",
    '""',
    "a b",
    "a, b",
    "a;b",
    '"open',
    'closed"',
    '"a" "b"',
    '"a", "b"',
    String.raw`"a\b"`,
    "schlüssel",
    '"schlüssel"',
    "a\tb",
    '"a\tb"',
    '"key";',
    "a".repeat(KEY_LENGTH_MAX + 1),
    `"${"a".repeat(KEY_LENGTH_MAX + 1)}"`,
    `"${"\\".repeat(100_000)}`,
  ])("%j is no key", (value) => {
    expect(parseIdempotencyKey(value)).toHaveProperty("wrong");
  });

  test("whatever is written as a string is read as what was written", () => {
    const text = fc.string({ minLength: 1, maxLength: KEY_LENGTH_MAX, unit: "grapheme-ascii" });
    fc.assert(
      fc.property(text, (key) => {
        const written = `"${key.replace(/["\\]/g, String.raw`\$&`)}"`;
        expect(parseIdempotencyKey(written)).toEqual({ key });
      }),
    );
  });

  test("odd values take no time", () => {
    const odd = fc.string({ maxLength: 1_020, unit: fc.constantFrom('"', "\\", ";", "a", "=", " ") });
    fc.assert(
      fc.property(odd, (value) => {
        const parsed = parseIdempotencyKey(value);
        if ("key" in parsed) expect(parsed.key.length).toBeLessThanOrEqual(KEY_LENGTH_MAX);
      }),
    );
  });
});
