import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sealOf } from "./sealed-text.ts";

const key = randomBytes(32);
const seal = sealOf(key.toString("base64"));

test("what is closed is opened by the same key, in any of its notations, and for the same row only", () => {
  const others = [key.toString("hex"), key.toString("base64url")].map(sealOf);
  fc.assert(
    fc.property(fc.string(), fc.string({ maxLength: 30 }), (text, row) => {
      const closed = seal?.close(text, row) ?? "";
      for (const one of [seal, ...others]) expect(one?.open(closed, row)).toBe(text);
      expect(seal?.open(closed, `${row}x`)).toBeNull();
      expect(seal?.close(text, row)).not.toBe(closed);
    }),
  );
});

test("what was changed, cut, or closed with another key is not opened", () => {
  const closed = Buffer.from(seal?.close("private", "a") ?? "", "base64");
  fc.assert(
    fc.property(fc.nat(closed.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
      const changed = Buffer.from(closed);
      changed[at] = (changed[at] ?? 0) ^ by;
      expect(seal?.open(changed.toString("base64"), "a")).toBeNull();
      expect(seal?.open(closed.subarray(0, at).toString("base64"), "a")).toBeNull();
    }),
  );
  const other = sealOf(randomBytes(32).toString("base64"));
  expect(other?.open(closed.toString("base64"), "a")).toBeNull();
  expect(other?.mark).not.toBe(seal?.mark);
});

test("what is no key is none", () => {
  for (const text of ["", "short", randomBytes(31).toString("base64"), `${key.toString("base64")}AA`, "z".repeat(64)])
    expect(sealOf(text)).toBeNull();
});
