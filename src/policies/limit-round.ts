/**
 * What follows from a round of a learned limit (adaptive-limit.ts): answers were late on average and it shrinks, or they
 * were not; and whether lateness is a queue at all is found out by trying with fewer, or with more.
 */
import { HOLD_MS, LIMIT_FLOOR, LIMIT_START, NO_LIMIT, isHeldDown, nextRound, waitOf } from "./limit-gauge.ts";
import type { Gauge, RouteGauge } from "./limit-gauge.ts";
import { ALONE_AFTER_MS, isNear } from "./limit-state.ts";
import type { AdaptiveLimit } from "./limit-state.ts";

/** `own`: the route whose limit it is; null: the limit is the address's, and so of all routes. */
export function endRound(state: AdaptiveLimit, gauge: Gauge, own: RouteGauge | null, now: number): void {
  const { trial } = gauge;
  const lateness = gauge.lateness / gauge.left;
  if (lateness <= 1) settle(gauge, own, now);
  else if (trial.kind === "fewer" && isNoQueue(gauge, now) && (own === null || !isNear(state)))
    acquit(state, gauge, own, trial.limit, now);
  else if (trial.kind === "more") {
    if (gauge.answered + gauge.turnedAway > 0 && waitOf(gauge) <= trial.waitMs * LONGER && isMoreDone(gauge, now)) {
      acquit(state, gauge, own, gauge.limit, now);
    } else {
      gauge.limit = LIMIT_FLOOR;
      gauge.shrunkAt = now;
      gauge.flooredAt = now;
      trial.kind = "none";
    }
  } else if (gauge.limit <= LIMIT_FLOOR && now - gauge.flooredAt >= TRIAL_AT_FLOOR_MS) {
    beginTrial(gauge, "more", LIMIT_FLOOR, now);
    gauge.limit = LIMIT_FLOOR * 2;
  } else shrink(gauge, lateness, now);
  nextRound(gauge, now);
}

/** A route is held to a limit of its own while it is late beside others that are not. */
export function endRouteRound(state: AdaptiveLimit, own: RouteGauge, now: number): void {
  const besideOthers = now - state.mixedAt < ALONE_AFTER_MS && state.shrunkAt < own.roundAt && !isNear(state);
  if (own.limit < NO_LIMIT || besideOthers) endRound(state, own, own, now);
  else nextRound(own, now);
}

function shrink(gauge: Gauge, lateness: number, now: number): void {
  const used = Math.min(gauge.limit, Math.max(gauge.peak, LIMIT_FLOOR));
  if (gauge.trial.kind === "none" && used > LIMIT_FLOOR) beginTrial(gauge, "fewer", used, now);
  if (gauge.limit > LIMIT_FLOOR) gauge.flooredAt = now;
  gauge.limit = Math.max(LIMIT_FLOOR, used * Math.min(SHRINK_LEAST, 1 / lateness));
  gauge.shrunkAt = now;
  // Too near to tell: that is left to the trial at the floor.
  if (gauge.limit <= LIMIT_FLOOR && gauge.trial.limit * TRIAL_RATIO < LIMIT_FLOOR) gauge.trial.kind = "none";
}

function beginTrial(gauge: Gauge, kind: "fewer" | "more", limit: number, now: number): void {
  const before = gauge.trial;
  before.kind = kind;
  before.limit = limit;
  before.waitMs = waitOf(gauge);
  before.turnedAway = gauge.turnedAway / gauge.left;
  before.donePerMs = gauge.done / (now - gauge.roundAt);
}

/** With a third of the requests each waits as long as before, or as many are turned away, and fewer are done. */
function isNoQueue(gauge: Gauge, now: number): boolean {
  const { trial: before, limit } = gauge;
  // Where nothing was heard before or after, there is nothing to compare.
  if (limit > before.limit * TRIAL_RATIO || gauge.answered + gauge.turnedAway === 0) return false;
  if (before.turnedAway > 0) return gauge.turnedAway / gauge.left >= before.turnedAway * SHORTER;
  const donePerMs = gauge.done / (now - gauge.roundAt);
  return (
    before.waitMs > 0 &&
    waitOf(gauge) >= before.waitMs * SHORTER &&
    donePerMs <= before.donePerMs * (limit / before.limit) * PROPORTION
  );
}

/** Twice as many get twice as much done, unless they wait for each other or there were not so many. */
function isMoreDone({ trial: before, limit, done, roundAt }: Gauge, now: number): boolean {
  return done / (now - roundAt) >= (before.donePerMs * (limit / before.limit)) / PROPORTION;
}

/** The wait, or being turned away, does not come from how many there are. */
function acquit(state: AdaptiveLimit, gauge: Gauge, own: RouteGauge | null, limit: number, now: number): void {
  gauge.limit = limit;
  gauge.trial.kind = "none";
  gauge.shrunkAt = now - HOLD_MS;
  state.stopAt = 0;
  state.strained = 0;
  if (gauge.turnedAway > 0) state.deafUntil = now + DEAF_MS;
  const learnsUntil = now + LEARN_MS + 2 * waitOf(gauge);
  if (own !== null) own.learnsUntil = learnsUntil;
  else for (const route of state.routes) if (route !== null) route.learnsUntil = learnsUntil;
}

/** A round in time. A limit that is not used drifts back to where limits begin. */
function settle(gauge: Gauge, own: RouteGauge | null, now: number): void {
  gauge.trial.kind = "none";
  if (isHeldDown(gauge, now) || gauge.limit >= NO_LIMIT) return;
  // A round may be long because nobody came; that is no reason to be bolder.
  const drift = Math.min(DRIFT_STEP_MS, now - gauge.roundAt) / HOLD_MS;
  if (own !== null) gauge.limit = gauge.peak < gauge.limit / 2 ? NO_LIMIT : gauge.limit;
  else if (gauge.limit < LIMIT_START) gauge.limit += (LIMIT_START - gauge.limit) * drift;
  else if (gauge.limit > gauge.peak * 4) gauge.limit += (Math.max(LIMIT_START, gauge.peak * 4) - gauge.limit) * drift;
}

const SHRINK_LEAST = 0.95;
const DRIFT_STEP_MS = 500;
/** A trial tells when it has gone so far down. */
const TRIAL_RATIO = 1 / 3;
/** Fewer have to wait this much shorter, or it is not each other that they wait for; twice as many this much longer. */
const SHORTER = 0.8;
const LONGER = 1.25;
/** And where fewer are answered in proportion, there was no queue: a queue would have kept the origin busy. */
const PROPORTION = 1.4;
const TRIAL_AT_FLOOR_MS = 5_000;
const LEARN_MS = 5_000;
const DEAF_MS = 60_000;
