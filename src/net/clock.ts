/**
 * The operating system's clocks and timers behind the kernel's ports. `performance.now` because it is the
 * cheapest monotonic clock Node has with a fraction of a ms, and because a change of the wall clock (NTP, a
 * person, a suspended machine) must never look like a slow origin.
 */
import type { Clock, Schedule } from "../kernel/clock.ts";

export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
};

/**
 * Timers that never keep the process alive: housekeeping (a refresh, a flush, a sample) must not delay an
 * exit. What has to keep the process alive is an open listener or connection.
 */
export const systemSchedule: Schedule = (ms, run) => {
  // Beyond this Node fires at once.
  const timer = setTimeout(run, Math.min(ms, 2 ** 31 - 1));
  timer.unref();
  return () => clearTimeout(timer);
};

/** Again and again, with the same promise. */
export function systemEvery(ms: number, run: () => void): () => void {
  const timer = setInterval(run, ms);
  timer.unref();
  return () => clearInterval(timer);
}
