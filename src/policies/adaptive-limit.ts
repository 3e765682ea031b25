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

export interface AdaptiveLimitOptions {
  /** 0: learned. Otherwise a limit set by hand, and nothing is learned. */
  readonly concurrency: number;
  /** By number of the route: whether it may have the whole of an address also while others are there. */
  readonly whole: readonly boolean[];
}

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

/**
 * Many for an origin that answers at once, few enough for one that does fifty a second to answer them within a second:
 * a crowd that comes within a tenth of a second is there before any answer tells of it.
 */
export const LIMIT_START = 32;
/** For an address that is to take what others cannot, and was never heard of. */
export const GENTLE_START = 4;
/** An origin is always asked, whatever it did; and one at a time would be too few to learn from. */
export const LIMIT_FLOOR = 4;
/** What a wait may be above twice the usual. */
export const LATE_MS = 100;
const LATE_RATIO = 2;
/** For a route that was never answered here. */
const UNKNOWN_LATE_MS = 5_000;
/** One request counts as so late at most, so that half of them have to be late; what was not answered counts so. */
const LATENESS_MAX = 2;
/** So far on the way from usual to late an answer is noticeably later; with an origin that is quick, 20 ms. */
const STRAIN = 0.2;
/** One or two that are later are chance. Of a route of which half is quick, the next quick one ends it. */
const STRAINED_IN_A_ROW = 3;
/** Beyond twice the usual a wait in line is sure; and so far beyond the usual may one be overtaken in it, by chance. */
const PLAIN_MS = 20;
/** And of one route alone, while another did well a moment ago, it is more than that only when it is many. */
const STRAINED_BESIDE_OTHERS = 8;
const WELL_MS = 60;
/** But so many may always be tried: an origin whose answers vary shall not keep a few waiting. */
const STOP_LEAST = 10;
const PACE_ANSWERS = 3;
const PACE_MS = 20;
const SHRINK_LEAST = 0.95;
const ROUND_MS = 50;
const ROUND_SAMPLES = 8;
/** For so long after a shrink a limit grows gently, and longer waits are not taken for usual. */
const HOLD_MS = 10_000;
const DRIFT_STEP_MS = 500;
const USUAL_TIME_MS = 10_000;
export const USUAL_SAMPLES = 8;
/** A trial tells when it has gone so far down. */
const TRIAL_RATIO = 1 / 3;
/** Fewer have to wait this much shorter, or it is not each other that they wait for; twice as many this much longer. */
const SHORTER = 0.8;
const LONGER = 1.25;
/** And where fewer are answered in proportion, there was no queue: a queue would have kept the origin busy. */
const PROPORTION = 1.4;
const TRIAL_AT_FLOOR_MS = 5_000;
const LEARN_MS = 5_000;
const FIRST_MS = 2_000;
const DEAF_MS = 60_000;
const FAILURES_IN_A_ROW = 5;
/** In less time nobody gathers who would come at once; and a few requests that are answered by a reset are no absence. */
const FAILING_MS = 1_000;
/** A limit that is met while nothing is late doubles in this time, in steps of at most so much of it. */
const STRETCH_MS = 200;
const STRETCH_STEP_MS = 50;
const ROUTE_SHARE = 0.75;
const ALONE_AFTER_MS = 10_000;
/** No limit. Not Infinity, which JSON does not know. */
export const NO_LIMIT = 1e9;

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

/** ms from which an answer of this route counts as late. */
export function lateFrom(own: RouteGauge): number {
  return own.samples === 0 ? UNKNOWN_LATE_MS : own.usualMs * LATE_RATIO + LATE_MS;
}

function givePlaceUp(gauge: Gauge): void {
  const from = gauge.limit >= NO_LIMIT ? gauge.held + 1 : gauge.limit;
  gauge.limit = Math.max(LIMIT_FLOOR, from - 1);
}

function createGauge(limit: number, now: number): Gauge {
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

function hold(gauge: Gauge): void {
  gauge.held += 1;
  if (gauge.held > gauge.peak) gauge.peak = gauge.held;
}

function isHeldDown(gauge: Gauge, now: number): boolean {
  return now - gauge.shrunkAt < HOLD_MS;
}

/** An average over time. Upwards only where the wait is not our own doing, or the queue would become the usual. */
function learnUsual(state: AdaptiveLimit, own: RouteGauge, waitMs: number, sinceMs: number, now: number): void {
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

/** A queue is foreseen: no more than there are already, until answers come sooner or the round tells what to do. */
function isNear(state: AdaptiveLimit): boolean {
  return state.stopAt > 0;
}

function foresee(state: AdaptiveLimit, route: number, own: RouteGauge, waitMs: number, now: number): void {
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
function keepPace(state: AdaptiveLimit, now: number): void {
  state.paceDone += 1;
  const tookMs = now - state.paceAt;
  if (state.paceDone < PACE_ANSWERS || tookMs < PACE_MS) return;
  state.paceMs = tookMs / state.paceDone;
  startPace(state, now);
}

function startPace(state: AdaptiveLimit, now: number): void {
  state.paceAt = now;
  state.paceDone = 0;
}

/** One more for each answer in time is twice as many in a round; fewer after a shrink. Unused limits do not grow. */
function grow(gauge: Gauge, now: number): void {
  if (gauge.limit >= NO_LIMIT || gauge.held + 1 < gauge.limit / 2) return;
  gauge.limit += isHeldDown(gauge, now) ? 1 / Math.sqrt(gauge.limit) : 1;
}

function note(gauge: Gauge, lateness: number, leaving: Leaving, waitMs: number): void {
  gauge.left += 1;
  gauge.lateness += lateness;
  if (leaving === "answered") {
    gauge.answered += 1;
    gauge.waitMs += waitMs;
  } else if (leaving === "overloaded") gauge.turnedAway += 1;
}

function isRoundOver(gauge: Gauge, now: number): boolean {
  return gauge.left >= Math.min(ROUND_SAMPLES, gauge.limit) && now - gauge.roundAt >= ROUND_MS;
}

/** A route is held to a limit of its own while it is late beside others that are not. */
function endRouteRound(state: AdaptiveLimit, own: RouteGauge, now: number): void {
  const besideOthers = now - state.mixedAt < ALONE_AFTER_MS && state.shrunkAt < own.roundAt && !isNear(state);
  if (own.limit < NO_LIMIT || besideOthers) endRound(state, own, own, now);
  else nextRound(own, now);
}

/** `own`: the route whose limit it is; null: the limit is the address's, and so of all routes. */
function endRound(state: AdaptiveLimit, gauge: Gauge, own: RouteGauge | null, now: number): void {
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

function waitOf(gauge: Gauge): number {
  return gauge.answered === 0 ? 0 : gauge.waitMs / gauge.answered;
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

function nextRound(gauge: Gauge, now: number): void {
  gauge.roundAt = now;
  gauge.peak = gauge.held;
  gauge.left = 0;
  gauge.lateness = 0;
  gauge.answered = 0;
  gauge.waitMs = 0;
  gauge.turnedAway = 0;
  gauge.done = 0;
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
