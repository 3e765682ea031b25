import fc from "fast-check";
import { expect, test } from "vitest";
import {
  createKeepAlive,
  keepAliveBecause,
  learnFromHint,
  learnFromIdleClose,
  learnFromRace,
  maxIdleMs,
  mayReuse,
} from "./keep-alive.ts";

const options = { idleMaxMs: 60_000 };

test("without a word from the origin the configured cap holds", () => {
  const state = createKeepAlive();
  expect(maxIdleMs(options, state, 0)).toBe(60_000);
  expect(keepAliveBecause(options, state, 0)).toBe("the configured cap of 60 s; nothing shorter was learned");
});

test("the origin's hint is kept with a second or a fifth to spare, half of it when it is very short", () => {
  const cases: [number, number][] = [
    [0, 0],
    [1, 500],
    [2, 1_000],
    [5, 4_000],
    [20, 16_000],
    [300, 60_000],
  ];
  for (const [seconds, limit] of cases) {
    const state = createKeepAlive();
    learnFromHint(state, seconds, 0);
    expect(maxIdleMs(options, state, 0), String(seconds)).toBe(limit);
  }
});

test("the hint is quoted as the reason", () => {
  const state = createKeepAlive();
  learnFromHint(state, 5, 0);
  expect(keepAliveBecause(options, state, 0)).toBe(
    "the origin said Keep-Alive: timeout=5, so idle connections are retired after 4 s",
  );
});

test("nonsense in a hint is ignored", () => {
  const state = createKeepAlive();
  for (const seconds of [Number.NaN, -1, Number.POSITIVE_INFINITY]) learnFromHint(state, seconds, 0);
  expect(maxIdleMs(options, state, 0)).toBe(60_000);
});

test("three idle closes at the same age, at different moments, are a timeout", () => {
  const state = createKeepAlive();
  learnFromIdleClose(state, 5_004, 10_000);
  learnFromIdleClose(state, 5_010, 20_000);
  expect(maxIdleMs(options, state, 20_000)).toBe(60_000);
  learnFromIdleClose(state, 5_001, 30_000);
  expect(maxIdleMs(options, state, 30_000)).toBeCloseTo(4_000.8);
  expect(keepAliveBecause(options, state, 30_000)).toBe(
    "the origin closed idle connections after 5 s 3 times in a row, so idle connections are retired after 4 s",
  );
});

test("a deploy teaches nothing: many closes at one moment count as one, and ages that differ are no timeout", () => {
  const state = createKeepAlive();
  for (let connection = 0; connection < 50; connection += 1) learnFromIdleClose(state, 3_000, 10_000 + connection);
  expect(maxIdleMs(options, state, 11_000)).toBe(60_000);
  learnFromIdleClose(state, 700, 20_000);
  learnFromIdleClose(state, 9_000, 30_000);
  learnFromIdleClose(state, 3_100, 40_000);
  expect(maxIdleMs(options, state, 40_000)).toBe(60_000);
});

test("a race is believed at once, unless it came so soon that a crash is likelier", () => {
  const state = createKeepAlive();
  learnFromRace(state, 30, 0);
  expect(maxIdleMs(options, state, 0)).toBe(60_000);
  learnFromRace(state, 2_000, 0);
  expect(maxIdleMs(options, state, 0)).toBe(1_000);
  expect(keepAliveBecause(options, state, 0)).toBe(
    "a request on a connection idle for 2 s found it closed, so idle connections are retired after 1 s",
  );
});

test("what is not heard again for ten minutes is doubled, and doubled again, up to the cap", () => {
  const state = createKeepAlive();
  learnFromRace(state, 5_000, 0);
  expect(maxIdleMs(options, state, 599_999)).toBe(4_000);
  expect(maxIdleMs(options, state, 600_000)).toBe(8_000);
  expect(maxIdleMs(options, state, 1_200_000)).toBe(16_000);
  expect(maxIdleMs(options, state, 36_000_000)).toBe(60_000);
});

test("an origin that said 0 once and then nothing more is tried again in the end", () => {
  const state = createKeepAlive();
  learnFromHint(state, 0, 0);
  expect(mayReuse(options, state, 0, true, 599_999)).toBe(false);
  expect(mayReuse(options, state, 0, true, 600_000)).toBe(true);
});

test("a request that must not run twice keeps half the limit and at most a second", () => {
  const state = createKeepAlive();
  expect(mayReuse(options, state, 499, false, 0)).toBe(true);
  expect(mayReuse(options, state, 500, false, 0)).toBe(false);
  expect(mayReuse(options, state, 59_999, true, 0)).toBe(true);
  learnFromHint(state, 1, 0);
  expect(mayReuse(options, state, 249, false, 0)).toBe(true);
  expect(mayReuse(options, state, 250, false, 0)).toBe(false);
  expect(mayReuse(options, state, 499, true, 0)).toBe(true);
  expect(mayReuse(options, state, 500, true, 0)).toBe(false);
});

test("for any lessons the limit is within 0 and the cap, never above a fresh hint, and the cap comes back", () => {
  const age = fc.oneof(fc.integer({ min: 0, max: 120_000 }), fc.constantFrom(Number.NaN, -5));
  const lesson = fc.record({
    after: fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.constant(700_000)),
    kind: fc.constantFrom("hint", "close", "race"),
    age,
  });
  fc.assert(
    fc.property(fc.array(lesson, { maxLength: 80 }), (lessons) => {
      const state = createKeepAlive();
      let now = 0;
      for (const { after, kind, age: ms } of lessons) {
        now += after;
        if (kind === "hint") learnFromHint(state, ms / 1000, now);
        else if (kind === "close") learnFromIdleClose(state, ms, now);
        else learnFromRace(state, ms, now);
        const limit = maxIdleMs(options, state, now);
        expect(limit).toBeGreaterThanOrEqual(0);
        expect(limit).toBeLessThanOrEqual(60_000);
        if (kind === "hint" && ms >= 0) expect(limit).toBeLessThanOrEqual(ms);
        expect(state.closes.length).toBeLessThanOrEqual(3);
        expect(keepAliveBecause(options, state, now)).not.toMatch(/NaN|-1/);
      }
      expect(maxIdleMs(options, state, now + 36_000_000)).toBe(60_000);
    }),
  );
});
