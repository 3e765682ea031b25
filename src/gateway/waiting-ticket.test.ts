import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { issueTicket, ticketCookie, ticketSince } from "./waiting-ticket.ts";

const KEY = { secret: "0123456789abcdef", expiresMs: 600_000 };
const NOW = 1_790_000_000_000;
const cookie = (value: string): string => `theme=dark; goodgate-wait=${value}; other=1`;

describe("a ticket", () => {
  const value = issueTicket(KEY, "192.0.2.7", NOW);

  it("says since when its holder waits, until it expires", () => {
    expect(ticketSince(KEY, cookie(value), "192.0.2.7", NOW)).toBe(NOW);
    expect(ticketSince(KEY, cookie(value), "192.0.2.7", NOW + 599_000)).toBe(NOW);
    expect(ticketSince(KEY, cookie(value), "192.0.2.7", NOW + 600_000)).toBeNull();
  });

  it("is worth nothing elsewhere, under another secret, or from the future", () => {
    expect(ticketSince(KEY, cookie(value), "192.0.2.8", NOW)).toBeNull();
    expect(ticketSince({ ...KEY, secret: "fedcba9876543210" }, cookie(value), "192.0.2.7", NOW)).toBeNull();
    expect(ticketSince(KEY, cookie(value), "192.0.2.7", NOW - 60_000)).toBeNull();
  });

  it("cannot be changed in any character, nor made up", () => {
    const character = fc.constantFrom("0", "1", "9", "a", "k", "z", "A", "Q", "-", "_", ".");
    fc.assert(
      fc.property(fc.nat({ max: value.length - 1 }), character, (at, other) => {
        const forged = value.slice(0, at) + other + value.slice(at + 1);
        const since = ticketSince(KEY, cookie(forged), "192.0.2.7", NOW);
        // The last of 22 characters carries four bits beyond the signature's 128.
        expect(since === null || forged === value || at === value.length - 1).toBe(true);
      }),
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        expect(ticketSince(KEY, cookie(text), "192.0.2.7", NOW)).toBeNull();
        expect(ticketSince(KEY, text, "192.0.2.7", NOW)).toBeNull();
      }),
    );
    expect(ticketSince(KEY, null, "192.0.2.7", NOW)).toBeNull();
  });

  it("holds no word about who has it", () => {
    expect(value).toMatch(/^[0-9a-z]+\.[\w-]{22}$/);
    expect(ticketCookie(value, KEY)).toBe(`goodgate-wait=${value}; Path=/; Max-Age=600; HttpOnly; SameSite=Lax`);
  });
});
