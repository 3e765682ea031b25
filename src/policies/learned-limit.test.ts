import { describe, expect, it } from "vitest";
import { createAdaptiveLimit } from "./limit-state.ts";
import { isCongested, leaveSlot, limitNow, takeSlot } from "./adaptive-limit.ts";
import { LIMIT_START } from "./limit-gauge.ts";
import type { AdaptiveLimit } from "./limit-state.ts";
import { beginWithLearned, learnedLimit } from "./learned-limit.ts";

const OPTIONS = { concurrency: 0, whole: [] };

/** Rounds of so many at once, each of which is answered after so long. */
function served(state: AdaptiveLimit, atOnce: number, waitMs: number, from: number, rounds = 20): number {
  let now = from;
  for (let round = 0; round < rounds; round += 1) {
    for (let count = 0; count < atOnce; count += 1) takeSlot(state, 0, now);
    now += waitMs;
    for (let count = 0; count < atOnce; count += 1) leaveSlot(OPTIONS, state, 0, "answered", now - waitMs, now);
    now += 50;
  }
  return now;
}

/** As it comes to another process, whose clock is another one. */
function handedOn(state: AdaptiveLimit, now: number, ratio: number): AdaptiveLimit {
  const learned = learnedLimit(OPTIONS, state, now);
  if (learned === null) throw new Error("nothing was learned");
  const next = createAdaptiveLimit(OPTIONS, 7_000_000);
  beginWithLearned(OPTIONS, next, structuredClone(learned), ratio, 7_000_000);
  return next;
}

describe("what a limit has learned, in a process that begins", () => {
  it("is its limit and what is usual, and not the first guess", () => {
    const state = createAdaptiveLimit(OPTIONS, 0);
    const now = served(state, 100, 20, 0);
    expect(limitNow(state)).toBeGreaterThan(2 * LIMIT_START);
    const next = handedOn(state, now, 1);
    expect(next.limit).toBe(state.limit);
    expect(next.routes[0]?.usualMs).toBeCloseTo(20);
  });

  it("does not take the queue of the rush that it begins in for the usual wait", () => {
    const state = createAdaptiveLimit(OPTIONS, 0);
    const now = served(state, 20, 10, 0);
    const next = handedOn(state, now, 1);
    // All of them are late, which a limit that knows nothing would take for what is usual.
    served(next, 32, 600, 7_000_000, 6);
    expect(next.routes[0]?.usualMs).toBeLessThan(60);
    expect(limitNow(next)).toBeLessThan(LIMIT_START);
    const unknowing = createAdaptiveLimit(OPTIONS, 7_000_000);
    served(unknowing, 32, 600, 7_000_000, 6);
    expect(unknowing.routes[0]?.usualMs).toBeGreaterThan(500);
  });

  it("goes on to grow gently where it shrank a moment ago", () => {
    const state = createAdaptiveLimit(OPTIONS, 0);
    const now = served(state, 40, 400, served(state, 20, 10, 0), 4);
    expect(limitNow(state)).toBeLessThan(LIMIT_START);
    const next = handedOn(state, now, 1);
    expect(next.limit).toBe(state.limit);
    expect(isCongested(OPTIONS, next, 0, 7_000_000)).toBe(true);
  });

  it.each([
    [2, 2],
    [0.25, 0.25],
    [0.0001, 0],
  ])("is in proportion to its part of the traffic: %s of it", (ratio, part) => {
    const state = createAdaptiveLimit(OPTIONS, 0);
    const now = served(state, 200, 20, 0);
    expect(handedOn(state, now, ratio).limit).toBeCloseTo(Math.max(4, state.limit * part));
  });

  it("is nothing before anything was answered, and where the limit is set by hand", () => {
    const state = createAdaptiveLimit(OPTIONS, 0);
    expect(learnedLimit(OPTIONS, state, 0)).toBeNull();
    const now = served(state, 100, 20, 0);
    expect(learnedLimit({ ...OPTIONS, concurrency: 5 }, state, now)).toBeNull();
    const learned = learnedLimit(OPTIONS, state, now);
    if (learned === null) throw new Error("nothing was learned");
    const byHand = createAdaptiveLimit({ ...OPTIONS, concurrency: 5 }, 0);
    beginWithLearned({ ...OPTIONS, concurrency: 5 }, byHand, learned, 1, 0);
    expect(byHand.limit).toBe(5);
  });

  it("counts less than what the process has learned itself", () => {
    const [state, other] = [createAdaptiveLimit(OPTIONS, 0), createAdaptiveLimit(OPTIONS, 0)];
    const now = served(state, 100, 20, 0);
    served(other, 2, 5, 0);
    const own = structuredClone(other);
    const learned = learnedLimit(OPTIONS, state, now);
    if (learned === null) throw new Error("nothing was learned");
    beginWithLearned(OPTIONS, other, learned, 1, now);
    expect(other).toEqual(own);
  });
});
