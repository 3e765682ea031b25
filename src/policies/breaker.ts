/**
 * A breaker for each origin address and route: one route that is broken at one origin (a missing template, a
 * database that only this machine cannot reach) is served elsewhere, and the origin keeps the routes that work.
 *
 * Two comparisons decide whose fault a failure is, because one breaker over several things turns the failure of a
 * part into the failure of the whole:
 * - with the same origin's other routes. They fail too: the origin is at fault, and ejection.ts is told.
 * - with the same route at other origins. They fail too: the application is at fault. Then nothing opens, whatever
 *   the figures say, and nothing counts against the origins either.
 *
 * What is left fails on this route, here and not elsewhere, while the rest works: the breaker opens. After a pause
 * with jitter that doubles each time one real request tries it; its outcome closes or opens it again.
 *
 * A breaker is made with the first failure of its pair and forgotten after a calm spell, so that what works costs
 * nothing. What the pair did before its first failure is therefore missing from its ratio, which errs towards opening
 * by a few requests; the number that is needed makes up for that.
 */
import type { DecisionCode } from "../kernel/decisions.ts";
import { judgeOutlier, tallyOf } from "./outlier.ts";
import type { OutlierOptions, Tally } from "./outlier.ts";
import { addToCount, clearCount, countAt, createSlidingCount } from "./sliding-count.ts";
import type { SlidingCount } from "./sliding-count.ts";
import { durationInWords } from "./words.ts";

/** Part of the shape of `BreakerSettings` in config/settings.ts. */
export interface BreakerOptions extends OutlierOptions {
  readonly windowMs: number;
  readonly returnAfterMs: number;
  readonly returnAfterMaxMs: number;
}

export type BreakerPhase =
  | { readonly kind: "closed" }
  | { readonly kind: "open"; readonly since: number; readonly until: number }
  /** One request is trying it. Given up at `until`, so that a request that never ends blocks nothing. */
  | { readonly kind: "trying"; readonly since: number; readonly until: number };

export interface Breaker {
  readonly successes: SlidingCount;
  readonly failures: SlidingCount;
  /** Failures since the last success. */
  run: number;
  /** `succeeded` and `failed` of the address when the run began. */
  succeededBefore: number;
  failedBefore: number;
  phase: BreakerPhase;
  /** Openings without a calm spell between. */
  times: number;
  because: string;
}

/** What one origin address knows of its routes. Null stands for a route without a failure lately. */
export interface RouteBreakers {
  readonly routes: (Breaker | null)[];
  /** All attempts at the address lately, and since this was made. */
  readonly successes: SlidingCount;
  readonly failures: SlidingCount;
  succeeded: number;
  failed: number;
  lastFailureAt: number;
}

/**
 * `origin`: counts against the origin as a whole. `route`: belongs to the pair, ejection must not count it.
 * `application`: the route fails alike everywhere, ejection must not count it either.
 */
export type Blame = "origin" | "route" | "application";

export interface BreakerVerdict {
  readonly blame: Blame;
  /** The origin's other routes work, so it is not to be taken for a slow one because of this. */
  readonly othersWork: boolean;
  /** What changed; null: nothing. */
  readonly change: { readonly code: BreakerCode; readonly because: string } | null;
}

export type BreakerCode = Extract<DecisionCode, `breaker.${string}`>;

const OF_ORIGIN: BreakerVerdict = { blame: "origin", othersWork: false, change: null };
const UNCLEAR: BreakerVerdict = { blame: "origin", othersWork: true, change: null };
const OF_ROUTE: BreakerVerdict = { blame: "route", othersWork: true, change: null };
const OF_APPLICATION: BreakerVerdict = { blame: "application", othersWork: true, change: null };
/** The other routes of an origin work when this part of their requests does. */
const WORKS_MIN = 0.9;
/** Fewer failures than this of a pair are no pattern. */
const PATTERN_MIN = 3;
const TRY_MAX_MS = 30_000;
const CALM_FACTOR = 2;

/** `known`: requests of all routes that succeeded lately, and so many that failed. */
export function createRouteBreakers(
  options: BreakerOptions,
  routes: number,
  known: { readonly succeeded: number; readonly failed: number },
  now: number,
): RouteBreakers {
  const successes = createSlidingCount(options.windowMs);
  const failures = createSlidingCount(options.windowMs);
  addToCount(successes, known.succeeded, now);
  addToCount(failures, known.failed, now);
  return {
    routes: Array.from({ length: routes }, () => null),
    successes,
    failures,
    succeeded: 0,
    failed: 0,
    lastFailureAt: 0,
  };
}

/** Nothing failed for so long that all of it may be forgotten, open ones included: their trial is long due. */
export function isCalm(options: BreakerOptions, breakers: RouteBreakers, now: number): boolean {
  return now - breakers.lastFailureAt > CALM_FACTOR * options.returnAfterMaxMs;
}

/**
 * An attempt on `route` succeeded. Only for addresses that have breakers. True: the breaker closed with it.
 */
export function breakerSucceeded(breakers: RouteBreakers, route: number, now: number): boolean {
  addToCount(breakers.successes, 1, now);
  breakers.succeeded += 1;
  const breaker = breakers.routes[route] ?? null;
  if (breaker === null) return false;
  addToCount(breaker.successes, 1, now);
  breaker.run = 0;
  if (breaker.phase.kind === "closed") return false;
  // Also one that came while it was open, from a request that was sent before: it is as good a proof.
  breaker.phase = { kind: "closed" };
  breaker.because = "";
  clearCount(breaker.failures);
  return true;
}

/**
 * An attempt on `route` failed through the origin's fault. `peers`: what the other addresses of the pool know; null
 * for those without any failure lately. `roll` in [0, 1).
 */
export function breakerFailed(
  options: BreakerOptions,
  breakers: RouteBreakers,
  route: number,
  peers: readonly (RouteBreakers | null)[],
  roll: number,
  now: number,
): BreakerVerdict {
  const breaker = (breakers.routes[route] ??= createBreaker(options));
  if (breaker.run === 0) {
    breaker.succeededBefore = breakers.succeeded;
    breaker.failedBefore = breakers.failed;
  }
  addToCount(breakers.failures, 1, now);
  breakers.failed += 1;
  breakers.lastFailureAt = now;
  addToCount(breaker.failures, 1, now);
  breaker.run += 1;
  switch (breaker.phase.kind) {
    case "trying":
      open(options, breaker, "the request that tried it failed", roll, now);
      return {
        blame: "route",
        othersWork: true,
        change: { code: "breaker.stays-open", because: breaker.because },
      };
    case "open":
      return OF_ROUTE;
    case "closed":
      break;
  }
  const own = tallyOf(breaker, now);
  if (!othersWork(breakers, breaker, own, now)) return OF_ORIGIN;
  const alike = peersOn(route, peers, own.total, now);
  if (alike.failing > 0 && alike.failing >= alike.known) return failOpen(route, peers, own);
  const judged = judgeOutlier(options, breaker.run, own, { failures: alike.failures, total: alike.total });
  const stands = alike.closed > 0;
  if ((judged === "failures-in-a-row" || judged === "success-ratio") && stands) {
    const what =
      judged === "failures-in-a-row"
        ? `${breaker.run} requests of the route in a row failed here`
        : `${own.failures} of ${own.total} requests of the route in the last ${durationInWords(options.windowMs)} failed here`;
    open(options, breaker, `${what} and not elsewhere, while the origin's other routes work`, roll, now);
    return { blame: "route", othersWork: true, change: { code: "breaker.opened", because: breaker.because } };
  }
  return own.failures >= PATTERN_MIN ? OF_ROUTE : UNCLEAR;
}

/** The attempt that was to try it ended without evidence for or against: another may try. */
export function breakerUnproven(breakers: RouteBreakers, route: number, now: number): void {
  const breaker = breakers.routes[route] ?? null;
  if (breaker?.phase.kind === "trying") breaker.phase = { kind: "open", since: breaker.phase.since, until: now };
}

/** What another worker did with the same pair, in times of this process. */
export type HeardBreaker =
  | { readonly kind: "closed" }
  | {
      readonly kind: "open" | "trying";
      readonly since: number;
      readonly until: number;
      readonly times: number;
      readonly because: string;
    };

/** It saw what this one may not have seen: that counts here too. */
export function hearBreaker(
  options: BreakerOptions,
  breakers: RouteBreakers,
  route: number,
  heard: HeardBreaker,
  now: number,
): void {
  const breaker = (breakers.routes[route] ??= createBreaker(options));
  if (heard.kind === "closed") {
    breaker.phase = heard;
    breaker.because = "";
    breaker.run = 0;
    clearCount(breaker.failures);
    return;
  }
  const { kind, since, until, times, because } = heard;
  breaker.phase = { kind, since, until };
  breaker.times = times;
  breaker.because = because;
  // It is forgotten after a calm spell, which has not begun.
  breakers.lastFailureAt = now;
}

/** Is this pair not to be used now? */
export function isOpen(breakers: RouteBreakers | null, route: number): boolean {
  const phase = breakers?.routes[route]?.phase;
  return phase !== undefined && phase.kind !== "closed";
}

/** May the next request be the one that tries it? */
export function isTrialDue(breakers: RouteBreakers | null, route: number, now: number): boolean {
  const phase = breakers?.routes[route]?.phase;
  return phase !== undefined && phase.kind !== "closed" && now >= phase.until;
}

/** The request that is about to be sent is the one. */
export function beginTrial(breakers: RouteBreakers, route: number, now: number): void {
  const breaker = breakers.routes[route] ?? null;
  if (breaker !== null) breaker.phase = { kind: "trying", since: now, until: now + TRY_MAX_MS };
}

function createBreaker(options: BreakerOptions): Breaker {
  return {
    successes: createSlidingCount(options.windowMs),
    failures: createSlidingCount(options.windowMs),
    run: 0,
    succeededBefore: 0,
    failedBefore: 0,
    phase: { kind: "closed" },
    times: 0,
    because: "",
  };
}

/**
 * What the address answered on its other routes, and that it was well. During a run only what came after its first
 * failure counts: an origin that has just died looks fine over the last ten seconds.
 */
function othersWork(breakers: RouteBreakers, breaker: Breaker, own: Tally, now: number): boolean {
  const succeeded = breakers.succeeded - breaker.succeededBefore;
  const failed = breakers.failed - breaker.failedBefore - breaker.run;
  const since = succeeded + failed;
  if (since > 0) return succeeded >= since * WORKS_MIN;
  if (breaker.run >= PATTERN_MIN) return false;
  const failures = countAt(breakers.failures, now) - own.failures;
  const total = countAt(breakers.successes, now) + countAt(breakers.failures, now) - own.total;
  return total >= PATTERN_MIN && total - failures >= total * WORKS_MIN;
}

interface PeersOnRoute {
  /** Peers with results of this route, and those of them that fail on it. */
  known: number;
  failing: number;
  /** Peers that may be used for it. */
  closed: number;
  failures: number;
  total: number;
}

/** `assumed`: results that a peer without any failure counts with; how many it has is not known, only that all were good. */
function peersOn(route: number, peers: readonly (RouteBreakers | null)[], assumed: number, now: number): PeersOnRoute {
  const on: PeersOnRoute = { known: 0, failing: 0, closed: 0, failures: 0, total: 0 };
  for (const peer of peers) {
    const breaker = peer?.routes[route] ?? null;
    if (breaker === null) {
      on.closed += 1;
      on.total += assumed;
      continue;
    }
    const tally = tallyOf(breaker, now);
    if (breaker.phase.kind === "closed") on.closed += 1;
    // An open one has few results of its own: that it is open is what is known of it.
    const failing =
      breaker.phase.kind !== "closed" || (tally.failures >= PATTERN_MIN && tally.failures * 2 > tally.total);
    if (breaker.phase.kind === "closed" && tally.total < PATTERN_MIN) continue;
    on.known += 1;
    if (failing) on.failing += 1;
    on.failures += tally.failures;
    on.total += tally.total;
  }
  return on;
}

/** It fails wherever it was asked: what is open is closed again, because nothing is gained by asking less of them. */
function failOpen(route: number, peers: readonly (RouteBreakers | null)[], own: Tally): BreakerVerdict {
  if (own.failures < PATTERN_MIN) return OF_APPLICATION;
  let closed = 0;
  for (const peer of peers) {
    const breaker = peer?.routes[route] ?? null;
    if (breaker === null || breaker.phase.kind === "closed") continue;
    breaker.phase = { kind: "closed" };
    breaker.because = "";
    closed += 1;
  }
  if (closed === 0) return OF_APPLICATION;
  return {
    blame: "application",
    othersWork: true,
    change: { code: "breaker.fails-open", because: "the route fails alike on every origin, so none of them is spared" },
  };
}

function open(options: BreakerOptions, breaker: Breaker, what: string, roll: number, now: number): void {
  breaker.times += 1;
  const longest = Math.min(options.returnAfterMaxMs, options.returnAfterMs * 2 ** Math.min(breaker.times - 1, 30));
  const waitMs = longest * (1 - 0.3 * roll);
  breaker.because = `${what}; spared for ${durationInWords(waitMs)}`;
  breaker.phase = { kind: "open", since: now, until: now + waitMs };
}
