/**
 * Timers and a clock that a test moves by hand: nothing fires until `advance` is called, so a test that is
 * about time neither waits nor depends on how fast the machine is.
 */
import type { Clock, Schedule } from "../../src/kernel/clock.ts";

export interface ManualSchedule {
  readonly schedule: Schedule;
  readonly clock: Clock;
  /** How many timers are waiting. */
  waiting(): number;
  /** ms until the next timer is due, or null when none waits. */
  nextIn(): number | null;
  /** ms until each timer is due, in no order. */
  delays(): number[];
  /** Moves the clock and fires what becomes due, in order, timers that are armed meanwhile included. */
  advance(ms: number): void;
  /** Moves the clock and fires nothing: a process that stood still. What became due fires late, at the next `advance`. */
  stall(ms: number): void;
}

export function manualSchedule(startAt = 1_000): ManualSchedule {
  let now = startAt;
  const timers = new Set<{ readonly at: number; readonly run: () => void }>();
  function next(): { readonly at: number; readonly run: () => void } | null {
    let first: { readonly at: number; readonly run: () => void } | null = null;
    for (const timer of timers) if (first === null || timer.at < first.at) first = timer;
    return first;
  }
  return {
    schedule(ms, run) {
      const timer = { at: now + ms, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    clock: { monotonic: () => now, wall: () => 1_700_000_000_000 + now },
    waiting: () => timers.size,
    nextIn() {
      const first = next();
      return first === null ? null : first.at - now;
    },
    delays: () => [...timers].map((timer) => timer.at - now),
    advance(ms) {
      const until = now + ms;
      for (let first = next(); first !== null && first.at <= until; first = next()) {
        now = Math.max(now, first.at);
        timers.delete(first);
        first.run();
      }
      now = until;
    },
    stall(ms) {
      now += ms;
    },
  };
}
