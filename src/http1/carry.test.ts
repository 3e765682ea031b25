import { expect, test } from "vitest";
import { Carry } from "./carry.ts";

test("pieces stand one after another, however small, and the room never exceeds the limit", () => {
  const carry = new Carry(5000);
  const piece = Buffer.from("0123456789");
  let taken = 0;
  for (let count = 0; count < 600; count += 1) taken += carry.append(piece, 0, piece.length);
  expect([taken, carry.length, carry.bytes.length]).toEqual([5000, 5000, 5000]);
  expect(carry.bytes.toString("latin1")).toBe("0123456789".repeat(500));
});

test("a piece larger than the room that is left is taken in part", () => {
  const carry = new Carry(8);
  const piece = Buffer.from("..abcdef..");
  expect([carry.append(piece, 2, 8), carry.append(piece, 2, 8), carry.append(piece, 2, 8)]).toEqual([6, 2, 0]);
  expect(carry.bytes.toString("latin1", 0, carry.length)).toBe("abcdefab");
});

test("it begins small: most heads that are cut are small ones", () => {
  expect(new Carry(32 * 1024).bytes.length).toBe(1024);
});
