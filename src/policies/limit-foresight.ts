/**
 * The queue that is foreseen. What an origin has been given cannot be taken back, and a rush of six times what it can do
 * fills a second of queue while its first late answer is still on its way. So the limit stops where it is as soon as
 * answers take noticeably longer than usual, and at the pace at which they come now all that it has been given would be
 * late.
 */
import { LIMIT_FLOOR } from "./limit-gauge.ts";
import type { RouteGauge } from "./limit-gauge.ts";
import { STRAINED_IN_A_ROW, isNear } from "./limit-state.ts";
import type { AdaptiveLimit } from "./limit-state.ts";
import { LATE_RATIO, lateFrom } from "./usual-wait.ts";

export function foresee(state: AdaptiveLimit, route: number, own: RouteGauge, waitMs: number, now: number): void {
  const sinceMs = now - waitMs;
  const overtakenMs = state.answeredSince - sinceMs;
  if (overtakenMs < 0) state.answeredSince = sinceMs;
  if (own.samples === 0) return;
  // Who waits in line is answered in the order of coming. Whom others overtook by far waited for something of its own.
  const isInLine = waitMs > own.usualMs * LATE_RATIO + PLAIN_MS && overtakenMs <= own.usualMs + PLAIN_MS;
  state.inLine = isInLine ? state.inLine + 1 : 0;
  if (waitMs <= own.usualMs + (lateFrom(own) - own.usualMs) * STRAIN) {
    state.strained = 0;
    state.stopAt = 0;
    state.wellRoute = route;
    state.wellAt = now;
    return;
  }
  if (state.strained === 0) state.strainedRoute = route;
  else if (route !== state.strainedRoute) state.strainedRoute = -1;
  state.strained += 1;
  if (state.stopAt > 0) {
    // A stall is over: at the pace that it has now more of them are answered in time.
    state.stopAt = Math.max(state.stopAt, Math.floor(lateFrom(own) / state.paceMs));
    return;
  }
  if (state.held * state.paceMs <= lateFrom(own)) return;
  const isOne = state.strainedRoute !== -1 && state.wellRoute !== route && now - state.wellAt < WELL_MS;
  if (state.strained >= (isOne ? STRAINED_BESIDE_OTHERS : STRAINED_IN_A_ROW)) {
    state.stopAt = Math.max(state.held, STOP_LEAST);
  }
}

/** The mean of a few answers, because several may come in one read. */
export function keepPace(state: AdaptiveLimit, now: number): void {
  state.paceDone += 1;
  const tookMs = now - state.paceAt;
  if (state.paceDone < PACE_ANSWERS || tookMs < PACE_MS) return;
  state.paceMs = tookMs / state.paceDone;
  startPace(state, now);
}

export function startPace(state: AdaptiveLimit, now: number): void {
  state.paceAt = now;
  state.paceDone = 0;
}

/** What those who wait for room have to expect of the addresses together. */
export interface Outlook {
  /** What is got done in a second, as the last few answers came; Infinity: not known. */
  perSecond: number;
  /** Held beyond the fewest that a limit may come down to: so many may be answered before anybody who waits goes on. */
  ahead: number;
}

export const NO_OUTLOOK: Readonly<Outlook> = { perSecond: Infinity, ahead: 0 };

/**
 * Adds what this address will do. False: that is not known. It is while a queue is foreseen and answers show that they
 * stood in line: then they come as fast as it can give them. Otherwise they come as fast as it is asked.
 */
export function addOutlook(state: AdaptiveLimit, outlook: Outlook): boolean {
  if (!isNear(state) || state.inLine < STRAINED_IN_A_ROW || state.paceMs <= 0) return false;
  outlook.perSecond += 1_000 / state.paceMs;
  outlook.ahead += Math.max(0, state.held - LIMIT_FLOOR);
  return true;
}

/** So far on the way from usual to late an answer is noticeably later; with an origin that is quick, 20 ms. */
const STRAIN = 0.2;
/** Beyond twice the usual a wait in line is sure; and so far beyond the usual may one be overtaken in it, by chance. */
const PLAIN_MS = 20;
/** And of one route alone, while another did well a moment ago, it is more than that only when it is many. */
const STRAINED_BESIDE_OTHERS = 8;
const WELL_MS = 60;
/** But so many may always be tried: an origin whose answers vary shall not keep a few waiting. */
const STOP_LEAST = 10;
const PACE_ANSWERS = 3;
const PACE_MS = 20;
