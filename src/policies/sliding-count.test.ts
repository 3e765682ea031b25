import fc from "fast-check";
import { expect, test } from "vitest";
import { addToCount, clearCount, countAt, createSlidingCount } from "./sliding-count.ts";

test("what happened more than the window ago is forgotten, what happened within nine tenths of it is not", () => {
  const count = createSlidingCount(10_000);
  addToCount(count, 3, 500);
  expect(countAt(count, 9_400)).toBe(3);
  expect(countAt(count, 10_500)).toBe(0);
});

test("an event that is heard late counts in the newest slot and takes nothing back", () => {
  const count = createSlidingCount(10_000);
  addToCount(count, 1, 50_000);
  addToCount(count, 1, 10_000);
  expect(countAt(count, 50_000)).toBe(2);
});

test("clearing forgets all and keeps the place in time", () => {
  const count = createSlidingCount(10_000);
  addToCount(count, 5, 70_000);
  clearCount(count);
  expect(countAt(count, 70_000)).toBe(0);
  addToCount(count, 1, 70_001);
  expect(countAt(count, 70_001)).toBe(1);
});

test("for any sequence the count lies between the events of nine tenths of the window and those of all of it", () => {
  const step = fc.record({ after: fc.integer({ min: 0, max: 4_000 }), amount: fc.integer({ min: 0, max: 5 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const count = createSlidingCount(10_000);
      const events: { at: number; amount: number }[] = [];
      let now = 0;
      for (const { after, amount } of steps) {
        now += after;
        addToCount(count, amount, now);
        events.push({ at: now, amount });
        const since = (start: number): number =>
          events.filter(({ at }) => at > start).reduce((sum, event) => sum + event.amount, 0);
        expect(countAt(count, now)).toBeLessThanOrEqual(since(now - 10_000));
        expect(countAt(count, now)).toBeGreaterThanOrEqual(since(now - 9_000));
      }
    }),
  );
});
