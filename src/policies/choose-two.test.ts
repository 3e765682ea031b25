import fc from "fast-check";
import { expect, test } from "vitest";
import { chooseTwo } from "./choose-two.ts";
import type { Candidate } from "./choose-two.ts";
import { createPeakEwma } from "./peak-ewma.ts";

interface Origin extends Candidate {
  inFlight: number;
}

function origin(over: Partial<Origin> & { ms?: number } = {}): Origin {
  const { ms, ...rest } = over;
  return { weight: 100, share: 1, inFlight: 0, latency: { ...createPeakEwma(), estimateMs: ms ?? 10 }, ...rest };
}

/** How often each is chosen when the two rolls go evenly through all values. */
function shares(candidates: readonly Origin[], tried: readonly Origin[] = [], even = false): number[] {
  const counts = candidates.map(() => 0);
  const steps = 120;
  for (let a = 0; a < steps; a += 1) {
    for (let b = 0; b < steps; b += 1) {
      const index = chooseTwo(candidates, candidates.length, (a + 0.5) / steps, (b + 0.5) / steps, 0, tried, even);
      counts[index] = (counts[index] ?? 0) + 1;
    }
  }
  return counts.map((count) => count / (steps * steps));
}

test("nobody to choose from gives -1, a single candidate is chosen whatever its load", () => {
  expect(chooseTwo([], 0, 0.5, 0.5, 0)).toBe(-1);
  expect(chooseTwo([origin({ inFlight: 1e6 })], 1, 0.99, 0.99, 0)).toBe(0);
  expect(chooseTwo([origin({ share: 0 })], 1, 0.5, 0.5, 0)).toBe(-1);
});

test("equal origins get equal parts, with and without the scan", () => {
  const pool = [origin(), origin(), origin()];
  for (const part of shares(pool)) expect(part).toBeCloseTo(1 / 3, 2);
  for (const part of shares(pool, [], true)) expect(part).toBeCloseTo(1 / 3, 2);
});

test("of two, the one with less in flight is taken, whichever was drawn first", () => {
  const pool = [origin({ inFlight: 3 }), origin({ inFlight: 2 })];
  expect(shares(pool)).toEqual([0, 1]);
  expect(shares(pool, [], true)).toEqual([0, 1]);
});

test("a latency within a factor of 1.5 is no reason to prefer anyone, a clear difference is", () => {
  for (const part of shares([origin({ ms: 10 }), origin({ ms: 14 })])) expect(part).toBeCloseTo(0.5, 2);
  expect(shares([origin({ ms: 10 }), origin({ ms: 16 })])).toEqual([1, 0]);
});

test("latencies below the noise of our own event loop are alike", () => {
  for (const part of shares([origin({ ms: 0.1 }), origin({ ms: 1.9 })])) expect(part).toBeCloseTo(0.5, 2);
});

test("a slow origin is used once enough waits at the fast one", () => {
  expect(shares([origin({ ms: 10, inFlight: 8 }), origin({ ms: 100 })])).toEqual([1, 0]);
  expect(shares([origin({ ms: 10, inFlight: 10 }), origin({ ms: 100 })])).toEqual([0, 1]);
});

test("an unknown origin is tried at once, and not again before its first answer", () => {
  const unknown = createPeakEwma();
  expect(shares([origin(), origin({ latency: unknown })])).toEqual([0, 1]);
  expect(shares([origin({ inFlight: 20 }), origin({ latency: unknown, inFlight: 1 })])).toEqual([1, 0]);
});

test("weights divide an idle pool exactly and a busy pool by queues in the same proportion", () => {
  const idle = shares([origin({ weight: 300 }), origin({ weight: 100 })]);
  expect(idle[0]).toBeCloseTo(0.75, 2);
  expect(shares([origin({ weight: 300, inFlight: 31 }), origin({ weight: 100, inFlight: 10 })])).toEqual([0, 1]);
  expect(shares([origin({ weight: 300, inFlight: 29 }), origin({ weight: 100, inFlight: 10 })])).toEqual([1, 0]);
});

test("a ramping origin gets at most twice its share, however attractive it looks", () => {
  const unknown = createPeakEwma();
  const part = shares([origin({ inFlight: 50 }), origin({ share: 0.1, latency: unknown })])[1];
  expect(part).toBeGreaterThan(0.05);
  expect(part).toBeLessThan(0.2);
});

test("an origin that was tried for this exchange is not drawn again", () => {
  const pool = [origin(), origin({ inFlight: 9 }), origin({ inFlight: 9 })];
  const first = pool[0]!;
  expect(shares(pool, [first])[0]).toBe(0);
  expect(shares(pool, [first], true)[0]).toBe(0);
  expect(chooseTwo(pool, 3, 0.5, 0.5, 0, pool)).toBe(-1);
});

test("only the first n are looked at", () => {
  const pool = [origin({ inFlight: 5 }), origin({ inFlight: 5 }), origin()];
  for (let roll = 0; roll < 1; roll += 0.05) expect(chooseTwo(pool, 2, roll, roll, 0)).toBeLessThan(2);
});

test("for any pool and rolls the choice is an untried candidate with a share, or -1 when there is none", () => {
  const roll = fc.oneof(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.constant(1 - 2 ** -53));
  const member = fc.record({
    weight: fc.integer({ min: 1, max: 1000 }),
    share: fc.constantFrom(0, 0.1, 0.55, 1),
    inFlight: fc.integer({ min: 0, max: 500 }),
    ms: fc.constantFrom(-1, 0, 1, 10, 600_000),
    tried: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(member, { maxLength: 12 }), roll, roll, (members, roll1, roll2) => {
      const pool = members.map(({ weight, share, inFlight, ms }) => origin({ weight, share, inFlight, ms }));
      const tried = pool.filter((_, index) => members[index]!.tried);
      const index = chooseTwo(pool, pool.length, roll1, roll2, 5, tried);
      const possible = pool.filter((candidate) => candidate.share > 0 && !tried.includes(candidate));
      expect(index >= 0).toBe(possible.length > 0);
      if (index >= 0) expect(possible).toContain(pool[index]);
      expect(chooseTwo(pool, pool.length, roll1, roll2, 5, tried)).toBe(index);
    }),
    { numRuns: 500 },
  );
});
