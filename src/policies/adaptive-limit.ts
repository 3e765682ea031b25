/**
 * How many requests an origin address may have before it without having answered: learned, never set by hand.
 *
 * What is counted is what the origin has been given whole and has not begun to answer. A slow download, a slow upload,
 * a tunnel or an event stream holds no slot, so that slow clients cannot use up the slots of fast ones; the bodies have
 * bounds of their own.
 *
 * What is measured is the wait for the first byte, against what is usual for that route at this address: a report that
 * takes three seconds is no sign of trouble beside a thumbnail that takes five milliseconds. A wait is late beyond twice
 * the usual and a tenth of a second. The absolute part is what makes it safe to be on by default: on a fast origin a
 * few hundred busy connections multiply the shortest wait by a hundred and nothing is wrong; below a tenth of a second
 * no client is helped by a refusal.
 *
 * What is done about it: the limit grows while it is used and answers come well in time, follows a rush while they do,
 * stops where it is when a queue begins to show, and shrinks when the answers of a whole round are late on average,
 * in proportion, once a round. A round are the requests that were sent after the last change; the ones before it tell
 * of the old limit. The stop matters most: what an origin has been given cannot be taken back, and a rush of six times
 * what it can do fills a second of queue while its first late answer is still on its way. So it is foreseen: answers
 * take noticeably longer than usual, and at the pace at which they come now, all that the origin has been given would
 * be late.
 *
 * Two things that lateness can be besides a queue, each found out by trying:
 * - Waits that stay as long with half as many requests, or with twice as many at the floor, are not of our making: the
 *   work itself takes longer now. The limit goes back to where it was and the longer wait becomes the usual one. The
 *   same holds for an origin that goes on saying 429 (a rule for one client, not for us).
 * - One route that is late while the others are not has something of its own. It gets a limit of its own, and the
 *   address keeps its. And while others are there too, no route takes the whole of an address.
 *
 * And three that are none of the limit's business: refused connections, resets and errors say nothing about load. Only
 * when an address has answered nothing at all for a second, and several requests in a row, does it start again from the
 * floor, because everybody who waited for it will come at once.
 *
 * The state is changed in place, is plain data, and on the usual path nothing is allocated.
 */
import { foresee, keepPace, startPace } from "./limit-foresight.ts";
import { LIMIT_FLOOR, givePlaceUp, grow, hold, isHeldDown, isRoundOver, nextRound, note } from "./limit-gauge.ts";
import type { RouteGauge } from "./limit-gauge.ts";
import { endRound, endRouteRound } from "./limit-round.ts";
import { ALONE_AFTER_MS, isNear, routeOf } from "./limit-state.ts";
import type { AdaptiveLimit, AdaptiveLimitOptions } from "./limit-state.ts";
import { lateFrom, learnUsual } from "./usual-wait.ts";

/** How a request left the origin. */
export type Leaving =
  /** The head of its response began. */
  | "answered"
  /** The response said that it was turned away because of too much work (503 with Retry-After, 429). */
  | "overloaded"
  | "timeout"
  /** Refused, reset, unreachable: not answered, for a reason that is not its load. */
  | "failed"
  /** Taken back: the client left, or another attempt was faster. */
  | "left";

/** One request counts as so late at most, so that half of them have to be late; what was not answered counts so. */
const LATENESS_MAX = 2;
const FAILURES_IN_A_ROW = 5;
/** In less time nobody gathers who would come at once; and a few requests that are answered by a reset are no absence. */
const FAILING_MS = 1_000;
/** A limit that is met while nothing is late doubles in this time, in steps of at most so much of it. */
const STRETCH_MS = 200;
const STRETCH_STEP_MS = 50;
const ROUTE_SHARE = 0.75;

/** Whether one more of this route may go. */
export function hasRoom(options: AdaptiveLimitOptions, state: AdaptiveLimit, route: number, now: number): boolean {
  if (route !== state.lastRoute) {
    if (state.lastRoute !== -1) state.mixedAt = now;
    state.lastRoute = route;
  }
  if (fits(options, state, route, now)) return true;
  if (stretch(options, state, route, now) && fits(options, state, route, now)) return true;
  state.heldBackAt = now;
  return false;
}

function fits(options: AdaptiveLimitOptions, state: AdaptiveLimit, route: number, now: number): boolean {
  if (state.held >= limitNow(state)) return false;
  const own = state.routes[route];
  if (own === undefined || own === null) return true;
  if (own.held >= Math.floor(own.limit)) return false;
  if (now - state.mixedAt >= ALONE_AFTER_MS || options.whole[route] === true) return true;
  return own.held < Math.max(1, Math.floor(state.limit * ROUTE_SHARE));
}

/** Nothing is late, only more come than before: the limit follows them, as fast as lateness would show. */
function stretch(options: AdaptiveLimitOptions, state: AdaptiveLimit, route: number, now: number): boolean {
  if (isCongested(options, state, route, now)) return false;
  state.limit += (state.limit * Math.min(STRETCH_STEP_MS, now - state.stretchedAt)) / STRETCH_MS;
  state.stretchedAt = now;
  return true;
}

/** How many it may have now. */
export function limitNow(state: AdaptiveLimit): number {
  return Math.floor(isNear(state) ? Math.min(state.limit, state.stopAt) : state.limit);
}

/** It goes, with room or without. */
export function takeSlot(state: AdaptiveLimit, route: number, now: number): void {
  const own = routeOf(state, route, now);
  if (own.held === 0) own.heardAt = now;
  if (state.held === 0) startPace(state, now);
  hold(state);
  hold(own);
}

/** It does not wait any more. `sinceMs`: when its slot was taken. */
export function leaveSlot(
  options: AdaptiveLimitOptions,
  state: AdaptiveLimit,
  route: number,
  leaving: Leaving,
  sinceMs: number,
  now: number,
): void {
  const own = routeOf(state, route, now);
  if (state.held > 0) state.held -= 1;
  if (own.held > 0) own.held -= 1;
  if (leaving === "failed") {
    failed(options, state, own, now);
    return;
  }
  const waitMs = Math.max(0, now - sinceMs);
  const lateness = Math.min(LATENESS_MAX, waitMs / lateFrom(own));
  // Taken back before its time it says nothing; after it, that it was not answered in time.
  if (leaving === "left" && lateness < 1) return;
  if (leaving === "answered" || leaving === "overloaded") {
    state.failures = 0;
    state.done += 1;
    own.done += 1;
    own.heardAt = now;
  }
  if (options.concurrency > 0) return;
  if (leaving === "answered") keepPace(state, now);
  // A queue shows in answers. What hangs and is given up, many at once when they began together, would stop those that
  // are quick, and then nobody could show that they are.
  if (leaving === "answered" || leaving === "overloaded") foresee(state, route, own, waitMs, now);
  if (lateness <= 1) {
    state.heardAt = now;
    own.inTimeAt = now;
  } else if (leaving === "left" || leaving === "timeout") {
    // The origin may be at it still, or have it in a queue of its own: its place is not free for another one.
    // A route that others are answered in time on has some that hang, and no queue.
    if (now - state.heardAt > lateFrom(own)) givePlaceUp(state);
    else if (now - own.inTimeAt > lateFrom(own)) givePlaceUp(own);
  }
  if (leaving === "answered") {
    learnUsual(state, own, waitMs, sinceMs, now);
    weigh(state, own, lateness, leaving, waitMs, sinceMs, now);
  } else if (leaving !== "overloaded" || now >= state.deafUntil) {
    weigh(state, own, LATENESS_MAX, leaving, waitMs, sinceMs, now);
  }
}

/** Whether this route has to wait here because answers are late, and not because many came at once. */
export function isCongested(options: AdaptiveLimitOptions, state: AdaptiveLimit, route: number, now: number): boolean {
  if (options.concurrency > 0 || isNear(state) || isHeldDown(state, now)) return true;
  const own = state.routes[route];
  if (own === undefined || own === null) return false;
  return isHeldDown(own, now) || (own.held > 0 && now - own.heardAt > lateFrom(own));
}

function weigh(
  state: AdaptiveLimit,
  own: RouteGauge,
  lateness: number,
  leaving: Leaving,
  waitMs: number,
  sinceMs: number,
  now: number,
): void {
  if (lateness <= 1 && !isNear(state)) {
    // A route that fills the address with what is late shall not make it grow by what others get in time.
    if (own.held + 1 >= state.limit / 8) grow(state, now);
    grow(own, now);
  }
  if (sinceMs >= state.roundAt) {
    note(state, lateness, leaving, waitMs);
    if (isRoundOver(state, now)) endRound(state, state, null, now);
  }
  if (sinceMs >= own.roundAt) {
    note(own, lateness, leaving, waitMs);
    if (isRoundOver(own, now)) endRouteRound(state, own, now);
  }
}

/** Nobody was answered: whoever waits for it will come at once, so it begins at the floor when it is back. */
function failed(options: AdaptiveLimitOptions, state: AdaptiveLimit, own: RouteGauge, now: number): void {
  if (state.failures === 0) state.failingSince = now;
  state.failures += 1;
  if (options.concurrency > 0 || state.failures < FAILURES_IN_A_ROW || now - state.failingSince < FAILING_MS) return;
  state.limit = LIMIT_FLOOR;
  state.trial.kind = "none";
  state.shrunkAt = now;
  state.flooredAt = now;
  own.heardAt = now;
  nextRound(state, now);
}
