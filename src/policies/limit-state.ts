/**
 * What a learned limit knows of an address (adaptive-limit.ts): plain data, changed in place, and what it begins with.
 */
import { HOLD_MS, LIMIT_START, NO_LIMIT, createGauge } from "./limit-gauge.ts";
import type { Gauge, RouteGauge } from "./limit-gauge.ts";

export interface AdaptiveLimitOptions {
  /** 0: learned. Otherwise a limit set by hand, and nothing is learned. */
  readonly concurrency: number;
  /** By number of the route: whether it may have the whole of an address also while others are there. */
  readonly whole: readonly boolean[];
}

export interface AdaptiveLimit extends Gauge {
  /** By number of the route; null: never came here. */
  readonly routes: (RouteGauge | null)[];
  /** Failures since the last answer, and when the first of them was. */
  failures: number;
  failingSince: number;
  /** Until then being turned away is not taken for overload. */
  deafUntil: number;
  lastRoute: number;
  /** When two routes last took turns. */
  mixedAt: number;
  stretchedAt: number;
  /** When it last had no room for somebody. */
  heldBackAt: number;
  /** For so long after its first request a route counts as new. */
  learnsMs: number;
  /** When any route was last answered in time. */
  heardAt: number;
  /** Answers in a row that took noticeably longer than usual; of which route, -1: of several. */
  strained: number;
  strainedRoute: number;
  /** Answers in a row that took long and came in the order of asking: that is a queue. */
  inLine: number;
  /** When the newest request was sent of those that were answered. */
  answeredSince: number;
  /** The last one that did not: of which route, and when. */
  wellRoute: number;
  wellAt: number;
  /** What was held when a queue was foreseen: no more are given until the strain is over; 0: none is foreseen. */
  stopAt: number;
  /** Time from one answer to the next while there is something to answer, of the last few; 0: not known. */
  paceMs: number;
  /** Since when, and how many answers, for the next figure of it. */
  paceAt: number;
  paceDone: number;
}

export function createAdaptiveLimit(options: AdaptiveLimitOptions, now: number): AdaptiveLimit {
  return {
    ...createGauge(options.concurrency > 0 ? options.concurrency : LIMIT_START, now),
    routes: [],
    failures: 0,
    failingSince: now,
    deafUntil: 0,
    lastRoute: -1,
    mixedAt: now - ALONE_AFTER_MS,
    stretchedAt: now,
    heldBackAt: now - HOLD_MS,
    learnsMs: FIRST_MS,
    heardAt: now,
    strained: 0,
    inLine: 0,
    answeredSince: now,
    strainedRoute: -1,
    wellRoute: -1,
    wellAt: now,
    stopAt: 0,
    paceMs: 0,
    paceAt: now,
    paceDone: 0,
  };
}

/**
 * Overflow of others is about to come to an address that has never answered anything: nothing is known of what it can
 * do or what is usual there, and a rush would fill it before it shows. So it begins with few, and gets more as it answers.
 */
export function beginGently(state: AdaptiveLimit): void {
  const isUnknown = state.held === 0 && state.routes.every((own) => own === null || own.samples === 0);
  if (!isUnknown) return;
  state.limit = Math.min(state.limit, GENTLE_START);
  // What it is given is a rush from the beginning, and shall not become the usual.
  state.learnsMs = 0;
}

/** Made where it never came here. */
export function routeOf(state: AdaptiveLimit, route: number, now: number): RouteGauge {
  const known = state.routes[route];
  if (known !== undefined && known !== null) return known;
  // No holes: JSON does not know them either.
  while (state.routes.length <= route) state.routes.push(null);
  const gauge = createGauge(NO_LIMIT, now);
  const made = {
    ...gauge,
    usualMs: 0,
    samples: 0,
    sampledAt: now,
    heardAt: now,
    inTimeAt: now,
    isNewUntil: now + state.learnsMs,
    learnsUntil: now,
  };
  state.routes[route] = made;
  return made;
}

/** For an address that is to take what others cannot, and was never heard of. */
export const GENTLE_START = 4;
const FIRST_MS = 2_000;
export const ALONE_AFTER_MS = 10_000;

/** A queue is foreseen: no more than there are already, until answers come sooner or the round tells what to do. */
export function isNear(state: AdaptiveLimit): boolean {
  return state.stopAt > 0;
}

/** One or two that are later are chance. Of a route of which half is quick, the next quick one ends it. */
export const STRAINED_IN_A_ROW = 3;
