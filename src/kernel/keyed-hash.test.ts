import fc from "fast-check";
import { expect, test } from "vitest";
import { keyedHash } from "./keyed-hash.ts";

/** The key of the reference vectors: the bytes 0 to 7, little-endian. */
const KEY = { k0: 0x03020100, k1: 0x07060504 };

/** The first of the published vectors of HalfSipHash-2-4 with 64 bits: of no byte, of 0, of 0 1, and so on. */
const VECTORS = ["218d1f59b9b83cc8", "be552412f8387315", "064f39ef7c50eb57", "ce0f1a45f7060679", "d5e78a175be52ea1"];

test.each(VECTORS.map((vector, length) => [length, vector] as const))(
  "%i bytes give what the authors published, as far as 53 bits hold it",
  (length, vector) => {
    const text = String.fromCharCode(...Array.from({ length }, (_, byte) => byte));
    const bytes = Buffer.from(vector, "hex");
    const expected = (bytes.readUInt32LE(4) & 0x1fffff) * 2 ** 32 + bytes.readUInt32LE(0);
    expect(keyedHash(KEY, text)).toBe(expected);
  },
);

test("another key gives another order, and every value fits a number", () => {
  const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), word, word, (text, k0, k1) => {
      const value = keyedHash({ k0, k1 }, text);
      expect(Number.isSafeInteger(value) && value > 0).toBe(true);
      expect(keyedHash({ k0: k0 ^ 1, k1 }, text)).not.toBe(value);
    }),
  );
});

test("addresses of one network spread evenly over a table", () => {
  const buckets = Array.from({ length: 64 }, () => 0);
  for (let a = 0; a < 256; a += 1) {
    for (let b = 0; b < 100; b += 1) {
      const bucket = keyedHash(KEY, `10.0.${a}.${b}`) % 64;
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
  }
  expect(Math.min(...buckets)).toBeGreaterThan(300);
  expect(Math.max(...buckets)).toBeLessThan(500);
});
