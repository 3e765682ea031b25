/**
 * What wait is usual for a route at an address, and from when on one is late: beyond twice the usual and a tenth of a
 * second. The absolute part is what makes it safe to be on by default: on a fast origin a few hundred busy connections
 * multiply the shortest wait by a hundred and nothing is wrong; below a tenth of a second no client is helped by a refusal.
 */
import { HOLD_MS, LIMIT_FLOOR, isHeldDown } from "./limit-gauge.ts";
import type { RouteGauge } from "./limit-gauge.ts";
import { STRAINED_IN_A_ROW, isNear } from "./limit-state.ts";
import type { AdaptiveLimit } from "./limit-state.ts";

/** What a wait may be above twice the usual. */
export const LATE_MS = 100;
export const LATE_RATIO = 2;
/** For a route that was never answered here. */
const UNKNOWN_LATE_MS = 5_000;
export const USUAL_SAMPLES = 8;
const USUAL_TIME_MS = 10_000;

/** ms from which an answer of this route counts as late. */
export function lateFrom(own: RouteGauge): number {
  return own.samples === 0 ? UNKNOWN_LATE_MS : own.usualMs * LATE_RATIO + LATE_MS;
}

/** An average over time. Upwards only where the wait is not our own doing, or the queue would become the usual. */
export function learnUsual(state: AdaptiveLimit, own: RouteGauge, waitMs: number, sinceMs: number, now: number): void {
  const few = sinceMs >= state.roundAt && state.peak < LIMIT_FLOOR;
  const isTold = now < own.learnsUntil;
  const isNew = own.samples < USUAL_SAMPLES || now < own.isNewUntil;
  const quickly = isTold || isNew || few;
  if (waitMs > own.usualMs && own.samples > 0 && !isTold) {
    // A route that is new here would take the queue of a rush, or of the others, for its own wait.
    if (isNear(state)) return;
    if (!quickly) {
      if (isHeldDown(state, now) || isHeldDown(own, now) || now - state.heldBackAt < HOLD_MS) return;
      // Late ones among quick ones count: otherwise a route that is both would be taken for a quick one.
      if (state.strained >= STRAINED_IN_A_ROW) return;
    }
  }
  if (own.samples < USUAL_SAMPLES) own.samples += 1;
  const most = 1 / own.samples;
  own.usualMs += (waitMs - own.usualMs) * (quickly ? most : Math.min(most, (now - own.sampledAt) / USUAL_TIME_MS));
  own.sampledAt = now;
}
