/**
 * The count behind a learned limit: how many are held, how many may be, and what the requests of a round say together.
 * An address has one, and each route at it. What follows from a round is decided in limit-round.ts.
 */
import type { Leaving } from "./adaptive-limit.ts";

/** One limit: of an address, or of one route at it. */
export interface Gauge {
  limit: number;
  /** Requests that wait for their first byte. */
  held: number;
  /** Only requests sent since then count for the round under way. */
  roundAt: number;
  /** Most that were held at once in this round. */
  peak: number;
  /** Of the round: those that left and how late they were in sum; the answered ones and how long they waited in sum. */
  left: number;
  lateness: number;
  answered: number;
  waitMs: number;
  turnedAway: number;
  /** All that were answered since its begin, also those from before it: what the origin gets done. */
  done: number;
  /** When it last shrank. */
  shrunkAt: number;
  /** Since when it has been at the floor. */
  flooredAt: number;
  /** The trial that is under way, with what was before it. */
  readonly trial: Trial;
}

interface Trial {
  kind: "none" | "fewer" | "more";
  limit: number;
  waitMs: number;
  turnedAway: number;
  donePerMs: number;
}

export interface RouteGauge extends Gauge {
  /** The usual wait, and how many answers it comes from, up to a few. */
  usualMs: number;
  samples: number;
  sampledAt: number;
  /** When it was answered last, or began to wait after nobody did. */
  heardAt: number;
  /** When one of its answers came in time last. */
  inTimeAt: number;
  /** Until then it has not been here for long: quick answers come first. */
  isNewUntil: number;
  /** Until then longer waits are taken for the usual ones: a trial has told. */
  learnsUntil: number;
}

/**
 * Many for an origin that answers at once, few enough for one that does fifty a second to answer them within a second:
 * a crowd that comes within a tenth of a second is there before any answer tells of it.
 */
export const LIMIT_START = 32;
/** An origin is always asked, whatever it did; and one at a time would be too few to learn from. */
export const LIMIT_FLOOR = 4;
/** No limit. Not Infinity, which JSON does not know. */
export const NO_LIMIT = 1e9;
/** For so long after a shrink a limit grows gently, and longer waits are not taken for usual. */
export const HOLD_MS = 10_000;
const ROUND_MS = 50;
const ROUND_SAMPLES = 8;

export function createGauge(limit: number, now: number): Gauge {
  return {
    limit,
    held: 0,
    roundAt: now,
    peak: 0,
    left: 0,
    lateness: 0,
    answered: 0,
    waitMs: 0,
    turnedAway: 0,
    done: 0,
    shrunkAt: now - HOLD_MS,
    flooredAt: now,
    trial: { kind: "none", limit: 0, waitMs: 0, turnedAway: 0, donePerMs: 0 },
  };
}

export function hold(gauge: Gauge): void {
  gauge.held += 1;
  if (gauge.held > gauge.peak) gauge.peak = gauge.held;
}

export function givePlaceUp(gauge: Gauge): void {
  const from = gauge.limit >= NO_LIMIT ? gauge.held + 1 : gauge.limit;
  gauge.limit = Math.max(LIMIT_FLOOR, from - 1);
}

/** One more for each answer in time is twice as many in a round; fewer after a shrink. Unused limits do not grow. */
export function grow(gauge: Gauge, now: number): void {
  if (gauge.limit >= NO_LIMIT || gauge.held + 1 < gauge.limit / 2) return;
  gauge.limit += isHeldDown(gauge, now) ? 1 / Math.sqrt(gauge.limit) : 1;
}

export function isHeldDown(gauge: Gauge, now: number): boolean {
  return now - gauge.shrunkAt < HOLD_MS;
}

export function note(gauge: Gauge, lateness: number, leaving: Leaving, waitMs: number): void {
  gauge.left += 1;
  gauge.lateness += lateness;
  if (leaving === "answered") {
    gauge.answered += 1;
    gauge.waitMs += waitMs;
  } else if (leaving === "overloaded") gauge.turnedAway += 1;
}

export function isRoundOver(gauge: Gauge, now: number): boolean {
  return gauge.left >= Math.min(ROUND_SAMPLES, gauge.limit) && now - gauge.roundAt >= ROUND_MS;
}

export function waitOf(gauge: Gauge): number {
  return gauge.answered === 0 ? 0 : gauge.waitMs / gauge.answered;
}

export function nextRound(gauge: Gauge, now: number): void {
  gauge.roundAt = now;
  gauge.peak = gauge.held;
  gauge.left = 0;
  gauge.lateness = 0;
  gauge.answered = 0;
  gauge.waitMs = 0;
  gauge.turnedAway = 0;
  gauge.done = 0;
}
