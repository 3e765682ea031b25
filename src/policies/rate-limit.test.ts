import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRateTable, fullMsAt, placeOf, remainingAt, takeOne, waitMsAt } from "./rate-limit.ts";
import type { RateLimitOptions, RateTable } from "./rate-limit.ts";

const options: fc.Arbitrary<RateLimitOptions> = fc.record({
  count: fc.integer({ min: 1, max: 100_000 }),
  periodMs: fc.constantFrom(1_000, 60_000, 3_600_000, 86_400_000),
  burst: fc.integer({ min: 1, max: 1_000_000 }),
});
const small: fc.Arbitrary<RateLimitOptions> = fc.record({
  count: fc.integer({ min: 1, max: 50 }),
  periodMs: fc.constantFrom(1_000, 60_000),
  burst: fc.integer({ min: 1, max: 20 }),
});

function ask(limit: RateLimitOptions, table: RateTable, key: number, now: number): boolean {
  const place = placeOf(limit, table, key, now);
  if (remainingAt(limit, table, place, now) < 1) return false;
  takeOne(limit, table, place, now);
  return true;
}

/** The virtual-scheduling form of the algorithm, in exact fractions: times in units of 1/count ms. */
function scheduling({ count, periodMs, burst }: RateLimitOptions): (now: number) => boolean {
  let theoretical = 0n;
  const increment = BigInt(periodMs);
  const tolerance = increment * BigInt(burst - 1);
  return (now) => {
    const arrival = BigInt(Math.floor(now)) * BigInt(count);
    const start = theoretical > arrival ? theoretical : arrival;
    if (start - arrival > tolerance) return false;
    theoretical = start + increment;
    return true;
  };
}

describe("the rate limit", () => {
  test("decides as the textbook's other form does in exact arithmetic, however late in the life of the process", () => {
    const gaps = fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 3_000 }), fc.nat({ max: 10_000_000 })), {
      minLength: 1,
      maxLength: 200,
    });
    fc.assert(
      fc.property(fc.oneof(small, options), gaps, fc.nat({ max: 2 ** 41 }), (limit, pauses, start) => {
        const table = createRateTable(1);
        const reference = scheduling(limit);
        let now = start;
        for (const pause of pauses) {
          now += pause;
          expect(ask(limit, table, 7, now)).toBe(reference(now));
        }
      }),
    );
  });

  test("lets no more through than the burst and the rate, over any stretch of time", () => {
    fc.assert(
      fc.property(small, fc.array(fc.nat({ max: 300 }), { maxLength: 300 }), (limit, pauses) => {
        const table = createRateTable(1);
        const passed: number[] = [];
        let now = 0;
        for (const pause of pauses) {
          now += pause;
          if (ask(limit, table, 1, now)) passed.push(now);
        }
        for (let from = 0; from < passed.length; from += 1) {
          for (let to = from; to < passed.length; to += 1) {
            const elapsed = (passed[to] ?? 0) - (passed[from] ?? 0);
            const allowed = limit.burst + (elapsed * limit.count) / limit.periodMs;
            expect(to - from + 1).toBeLessThanOrEqual(allowed + 1e-9);
          }
        }
      }),
    );
  });

  test("says truly when one more may come, and when all of the burst is back", () => {
    fc.assert(
      fc.property(small, fc.nat({ max: 40 }), fc.nat({ max: 5_000 }), (limit, asked, now) => {
        const table = createRateTable(1);
        for (let i = 0; i < asked; i += 1) ask(limit, table, 1, now);
        const place = placeOf(limit, table, 1, now);
        const wait = waitMsAt(limit, table, place, now);
        expect(remainingAt(limit, table, place, now) > 0).toBe(wait === 0);
        if (wait > 0) expect(remainingAt(limit, table, place, now + wait - 1)).toBe(0);
        expect(remainingAt(limit, table, place, now + wait)).toBeGreaterThanOrEqual(1);
        const full = fullMsAt(limit, table, place, now);
        expect(remainingAt(limit, table, place, now + full)).toBe(limit.burst);
        if (full > 0) expect(remainingAt(limit, table, place, now + full - 1)).toBeLessThan(limit.burst);
      }),
    );
  });

  test("counts clients apart, and a request that is refused costs nothing", () => {
    const limit = { count: 1, periodMs: 1_000, burst: 2 };
    const table = createRateTable(64);
    expect([1, 1, 1, 2].map((key) => ask(limit, table, key, 0))).toEqual([true, true, false, true]);
    for (let i = 0; i < 50; i += 1) ask(limit, table, 1, 500);
    expect(ask(limit, table, 1, 1_000)).toBe(true);
  });
});

describe("a table that is full", () => {
  const key = fc.integer({ min: 1, max: 40 });

  test("gives nobody more than a table of his own would", () => {
    fc.assert(
      fc.property(
        small,
        fc.array(fc.tuple(key, fc.nat({ max: 200 })), { maxLength: 400, size: "max" }),
        (limit, requests) => {
          const shared = createRateTable(8);
          const own = new Map<number, RateTable>();
          let now = 0;
          for (const [who, pause] of requests) {
            now += pause;
            const alone = own.get(who) ?? createRateTable(1);
            own.set(who, alone);
            // He comes with every request; what passes in the shared table has to pass alone as well.
            if (!ask(limit, shared, who, now)) continue;
            expect(ask(limit, alone, who, now)).toBe(true);
          }
        },
      ),
    );
  });

  test("cannot be used to reset one's own limit by inventing keys", () => {
    const limit = { count: 1, periodMs: 60_000, burst: 5 };
    const table = createRateTable(8);
    let passed = 0;
    let invented = 100;
    for (let now = 0; now < 60_000; now += 10) {
      if (ask(limit, table, 1, now)) passed += 1;
      for (let i = 0; i < 20; i += 1) ask(limit, table, (invented += 1), now);
    }
    expect(passed).toBeLessThanOrEqual(6);
  });

  test("takes in newcomers again as soon as somebody's level is empty", () => {
    const limit = { count: 10, periodMs: 1_000, burst: 10 };
    const table = createRateTable(8);
    for (let who = 1; who <= 8; who += 1) for (let i = 0; i < 10; i += 1) ask(limit, table, who, 0);
    expect(ask(limit, table, 99, 0)).toBe(false);
    expect(remainingAt(limit, table, placeOf(limit, table, 100, 1_000), 1_000)).toBe(10);
  });
});
