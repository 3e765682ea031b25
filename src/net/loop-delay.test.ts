import { expect, test } from "vitest";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import type { ManualSchedule } from "../../test/support/manual-schedule.ts";
import { watchLoopDelay } from "./loop-delay.ts";
import type { LoopDelay } from "./loop-delay.ts";

/** A loop whose timers come `lateMs` after they are due, for as long as `forMs`. */
function run(time: ManualSchedule, late: { ms: number }, forMs: number): void {
  const end = time.clock.monotonic() + forMs;
  while (time.clock.monotonic() < end) time.advance((time.nextIn() ?? 0) + late.ms);
}

/** A schedule in which a timer fires only when the loop gets to it: late by what `late` says at that moment. */
function start(): { time: ManualSchedule; late: { ms: number }; loop: LoopDelay } {
  const time = manualSchedule();
  const late = { ms: 0 };
  const loop = watchLoopDelay(time.clock, (ms, fire) => time.schedule(ms + late.ms, fire));
  return { time, late, loop };
}

test("before the first sample everything is zero", () => {
  expect(start().loop.read()).toEqual({ p50Ms: 0, p99Ms: 0, maxMs: 0 });
});

test("a loop that is on time shows no delay", () => {
  const { time, late, loop } = start();
  run(time, late, 5_000);
  expect(loop.read().maxMs).toBeLessThan(0.01);
});

test("one stall is the maximum at once, hardly moves the median, and is forgotten after ten seconds", () => {
  const { time, late, loop } = start();
  run(time, late, 5_000);
  late.ms = 300;
  time.advance(20);
  time.advance(320);
  late.ms = 0;
  time.advance(320);
  expect(loop.read().maxMs).toBeCloseTo(300, 3);
  expect(loop.read().p50Ms).toBeLessThan(0.01);
  run(time, late, 8_000);
  expect(loop.read().maxMs).toBeCloseTo(300, 3);
  run(time, late, 4_000);
  expect(loop.read().maxMs).toBeLessThan(0.01);
});

test("a loop that is always late shows it in the median, within the histogram's quarter", () => {
  const { time, late, loop } = start();
  late.ms = 8;
  run(time, late, 10_000);
  const { p50Ms, p99Ms } = loop.read();
  expect(p50Ms).toBeGreaterThanOrEqual(8);
  expect(p50Ms).toBeLessThanOrEqual(10);
  expect(p99Ms).toBeLessThanOrEqual(10);
});

test("old samples are not shown when the loop stood still for longer than the window", () => {
  const { time, late, loop } = start();
  late.ms = 8;
  run(time, late, 10_000);
  late.ms = 0;
  time.advance(28);
  time.advance(60_000);
  expect(loop.read().p50Ms).toBeLessThan(60_001);
  expect(loop.read().maxMs).toBeLessThan(60_001);
});

test("closing leaves no timer", () => {
  const { time, late, loop } = start();
  run(time, late, 100);
  loop.close();
  expect(time.waiting()).toBe(0);
});
