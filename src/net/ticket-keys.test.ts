import { expect, it } from "vitest";
import { TicketKeys } from "./ticket-keys.ts";

const HOUR = 3_600_000;

it("all who know the secret open what one of them has sealed; nobody else does", () => {
  const [one, other, stranger] = ["s", "s", "t"].map((secret) => new TicketKeys(secret, () => 5 * HOUR));
  const [, hmac, aes, name = Buffer.alloc(0)] = one?.answer(Buffer.alloc(0), true) ?? [];
  expect(other?.answer(name, false)).toEqual([1, hmac, aes]);
  expect(stranger?.answer(name, false)[0]).toBe(0);
});

it("what was sealed with the key before is opened and sealed anew, and what is older is not", () => {
  let now = 11 * HOUR;
  const keys = new TicketKeys("secret", () => now);
  const [, hmac, aes, name = Buffer.alloc(0)] = keys.answer(Buffer.alloc(0), true);
  now = 13 * HOUR;
  expect(keys.answer(name, false)).toEqual([2, hmac, aes]);
  expect(keys.answer(Buffer.alloc(0), true)[3]).not.toEqual(name);
  now = 25 * HOUR;
  expect(keys.answer(name, false)[0]).toBe(0);
});

it("no two tickets begin alike", () => {
  const keys = new TicketKeys("secret", () => 0);
  const ivs = Array.from({ length: 50 }, () => keys.answer(Buffer.alloc(0), true)[4]?.toString("hex"));
  expect(new Set(ivs).size).toBe(50);
});
