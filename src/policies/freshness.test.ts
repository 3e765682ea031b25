import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judgeFreshness, mayAnswerForOrigin } from "./freshness.ts";
import type { AskedFreshness, Freshness, StalePermissions } from "./freshness.ts";

const PLAIN: Freshness = {
  lifetimeMs: 60_000,
  noCache: false,
  mustRevalidate: false,
  sharedMaxAge: false,
  whileRevalidateMs: 0,
  ifErrorMs: 0,
};
const NONE: StalePermissions = { whileRevalidateMs: 0, ifStatusMs: 0, ifDisconnectedMs: 0 };
const ALL: StalePermissions = { whileRevalidateMs: 10_000, ifStatusMs: 10_000, ifDisconnectedMs: 10_000 };
const asked = (changes: Partial<AskedFreshness>): AskedFreshness => ({
  noCache: false,
  maxAgeMs: -1,
  minFreshMs: -1,
  maxStaleMs: -1,
  ...changes,
});

describe("freshness", () => {
  it("ends with the lifetime, to the millisecond", () => {
    expect(judgeFreshness(PLAIN, NONE, 59_999, null)).toBe("fresh");
    expect(judgeFreshness(PLAIN, NONE, 60_000, null)).toBe("stale");
  });

  it.each([
    [{ noCache: true }, 1_000, "asked-anew"],
    [{ maxAgeMs: 999 }, 1_000, "asked-anew"],
    [{ maxAgeMs: 1_000 }, 1_000, "fresh"],
    [{ minFreshMs: 59_001 }, 1_000, "asked-anew"],
    [{ minFreshMs: 59_000 }, 1_000, "fresh"],
    [{ maxStaleMs: 5_000 }, 65_000, "stale-wanted"],
    [{ maxStaleMs: 5_000 }, 65_001, "stale"],
    [{ maxStaleMs: Infinity }, 1e12, "stale-wanted"],
  ] as const)("a client that asks for %j gets a copy %i ms old as %s", (wish, ageMs, verdict) => {
    expect(judgeFreshness(PLAIN, NONE, ageMs, asked(wish))).toBe(verdict);
  });

  it("must-revalidate and no-cache outrank every permission and every wish, for ever", () => {
    const anything = fc.record({ ageMs: fc.nat(), wish: fc.option(fc.constant(asked({ maxStaleMs: Infinity }))) });
    fc.assert(
      fc.property(anything, fc.boolean(), ({ ageMs, wish }, isNoCache) => {
        const strict = { ...PLAIN, lifetimeMs: 0, whileRevalidateMs: 1e9, ifErrorMs: 1e9 };
        const stored = isNoCache ? { ...strict, noCache: true } : { ...strict, mustRevalidate: true };
        expect(judgeFreshness(stored, ALL, ageMs, wish)).toBe("stale");
        expect(mayAnswerForOrigin(stored, ALL, ageMs, "error")).toBe(false);
        expect(mayAnswerForOrigin(stored, ALL, ageMs, "disconnected")).toBe(false);
      }),
    );
  });

  it("s-maxage forbids what only the route permits, and not what the response permits itself", () => {
    const shared = { ...PLAIN, sharedMaxAge: true };
    expect(judgeFreshness(shared, ALL, 61_000, null)).toBe("stale");
    expect(mayAnswerForOrigin(shared, ALL, 61_000, "disconnected")).toBe(false);
    const explicit = { ...shared, whileRevalidateMs: 5_000, ifErrorMs: 5_000 };
    expect(judgeFreshness(explicit, NONE, 61_000, null)).toBe("stale-while-revalidate");
    expect(mayAnswerForOrigin(explicit, NONE, 61_000, "error")).toBe(true);
    expect(mayAnswerForOrigin(explicit, NONE, 66_000, "error")).toBe(false);
  });

  it("an origin's error and its silence are two permissions", () => {
    const onlySilence = { ...NONE, ifDisconnectedMs: 10_000 };
    expect(mayAnswerForOrigin(PLAIN, onlySilence, 61_000, "disconnected")).toBe(true);
    expect(mayAnswerForOrigin(PLAIN, onlySilence, 61_000, "error")).toBe(false);
    expect(mayAnswerForOrigin(PLAIN, onlySilence, 70_000, "disconnected")).toBe(false);
  });

  it("never gets better with age", () => {
    const order = ["fresh", "stale-while-revalidate", "stale"];
    fc.assert(
      fc.property(fc.nat({ max: 200_000 }), fc.nat({ max: 200_000 }), fc.nat({ max: 50_000 }), (age, more, swr) => {
        const stored = { ...PLAIN, whileRevalidateMs: swr };
        const [young, old] = [judgeFreshness(stored, NONE, age, null), judgeFreshness(stored, NONE, age + more, null)];
        expect(order.indexOf(old)).toBeGreaterThanOrEqual(order.indexOf(young));
      }),
    );
  });
});
