/**
 * Outlier ejection: an origin address whose real traffic fails, while its peers' does not, gets no traffic
 * for a while; then one real request tries it (probation), and its share grows back over a ramp.
 *
 * Whether it is an outlier is judged in outlier.ts by its failures and in slowness.ts by its latencies; this
 * file is the machine around those judgements.
 *
 * Local faults of the gateway (no descriptors, no ports, a client that left) are no evidence about an
 * origin: the caller reports them as `ignore`. Nor are late results of attempts that began before the
 * last change of phase: counting them would keep a recovered origin out as long as there is load.
 *
 * At most `ejectedRatioMax` of a pool is out (at least one may be, so that small pools are protected too; beyond it only
 * addresses where nobody listens, because that is no judgement that may be wrong),
 * and never the last one that is available. Beyond that the origin stays in, visibly: `fail-open`.
 *
 * The state is changed in place; it is plain data. On the usual path (a success) nothing is allocated and
 * the verdict is a shared constant. Time passes lazily: no timer is needed, and
 * `availability.ts` says when to look again.
 */
import { addLatency, bucketOf, createLatencyWindow, takeOut } from "./latency-window.ts";
import type { LatencyWindow } from "./latency-window.ts";
import { isBelowRatio, isSuspect, judgeOutlier, tallyOf } from "./outlier.ts";
import type { OutlierOptions } from "./outlier.ts";
import { addToCount, clearCount, countAt, createSlidingCount } from "./sliding-count.ts";
import type { SlidingCount } from "./sliding-count.ts";
import { clearSlow, countSlow, createSlow, isProven, LASTING_MS, lookAtPeers, slownessInWords } from "./slowness.ts";
import type { SlowOptions, SlowState } from "./slowness.ts";
import { durationInWords } from "./words.ts";

/** The shape of `EjectionSettings` in config/settings.ts. */
export interface EjectionOptions extends OutlierOptions {
  readonly windowMs: number;
  readonly returnAfterMs: number;
  readonly returnAfterMaxMs: number;
  readonly rampMs: number;
  readonly ejectedRatioMax: number;
  /** Null: slowness is no reason. */
  readonly slow: SlowOptions | null;
}

/** `refused`: a failure, and nobody listens there. `ignore`: the attempt says nothing about the origin. */
export type TrafficOutcome = "success" | "failure" | "refused" | "ignore";

/** `since`: monotonic ms; attempts that began before it carry no evidence. `times`: ejections without a calm spell between. */
export type EjectionPhase =
  | {
      readonly kind: "up";
      readonly since: number;
      readonly upSince: number;
      readonly times: number;
      readonly because: string;
    }
  | {
      readonly kind: "ejected";
      readonly since: number;
      readonly until: number;
      readonly times: number;
      readonly because: string;
    }
  | {
      readonly kind: "probation";
      readonly since: number;
      readonly until: number;
      readonly times: number;
      readonly because: string;
    }
  | {
      readonly kind: "ramping";
      readonly since: number;
      readonly until: number;
      readonly times: number;
      readonly because: string;
    };

export interface EjectionState {
  phase: EjectionPhase;
  /** Failures since the last success. */
  run: number;
  /** Refused connections since anything else was heard. */
  refusals: number;
  /** Monotonic ms when it was heard of; -1 never. */
  lastFailureAt: number;
  lastSuccessAt: number;
  /** When the last attempt that succeeded had begun; -1 never. */
  lastSuccessBegan: number;
  readonly successes: SlidingCount;
  readonly failures: SlidingCount;
  /** Why it is not ejected though it fails: a code and a sentence; empty when it does not fail. */
  heldCode: EjectionCode | "";
  heldBecause: string;
  /** Null: slowness is no reason. */
  readonly latencies: LatencyState | null;
}

export interface LatencyState {
  readonly window: LatencyWindow;
  readonly slow: SlowState;
  /** Monotonic ms when the peers are looked at again. */
  lookAt: number;
  /** It is out, or should be, because it is slow: then a slow answer is no proof that it is well. */
  accused: boolean;
  /** It has been ejected since: what is in the window is from before, and is taken out before anything is added. */
  stale: boolean;
}

/** What is needed of each address of a pool to judge one of them. */
export interface EjectionMember {
  readonly ejection: EjectionState;
  /** Set by availability.ts; 0: it gets no traffic now, for whatever reason. */
  share: number;
}

export type EjectionCode = keyof typeof EJECTION_CODES;

/** Every code of this policy with its meaning, for docs/reference/decisions.md. */
export const EJECTION_CODES = {
  "eject.out.failures-in-a-row":
    "An origin failed several times in a row while its peers did not; it gets no traffic for a while.",
  "eject.out.success-ratio":
    "An origin's success ratio fell below the limit and is clearly worse than its peers'; it gets no traffic for a while.",
  "eject.out.slow":
    "Far more of an origin's requests were slow than of its peers'; it gets no traffic for a while, though it answers.",
  "eject.out.probation-slow":
    "The one request that tried an origin, ejected for slowness, was slow again; it stays out for longer.",
  "eject.out.heard": "Another worker of the node took an origin out; it gets no traffic here either.",
  "eject.out.probation-failed": "The one request that tried an ejected origin failed; it stays out for longer.",
  "eject.held.peers-alike": "An origin fails, but its peers fail alike, so it is no outlier and stays in use.",
  "eject.held.ratio-cap":
    "An origin should be out, but as many of its pool are out as may be; it stays in use (fail open).",
  "eject.held.last-origin": "An origin should be out, but it is the last one available; it stays in use (fail open).",
  "eject.probation.unproven":
    "The one request that tried an ejected origin ended without evidence for or against it; another may try.",
  "eject.back.ramping": "A request to an ejected origin succeeded; its share of traffic grows back step by step.",
  "eject.back.recovered": "An origin that failed, but was held in use, works again.",
} as const satisfies Record<string, string>;

export type EjectionVerdict =
  | { readonly kind: "none" }
  | {
      /** `ejected`: out from now on. `fail-open`: should be out and is not. `back`: traffic returns. `unproven`: still out. All four: assess the pool again. */
      readonly kind: "ejected" | "fail-open" | "back" | "unproven";
      readonly code: EjectionCode;
      readonly because: string;
    };

const NO_CHANGE: EjectionVerdict = { kind: "none" };
const UNPROVEN: EjectionVerdict = {
  kind: "unproven",
  code: "eject.probation.unproven",
  because: "the request that tried it proved nothing; another may try",
};
/** A probation whose request never ends is given up after this, and another request may try. */
const PROBATION_MAX_MS = 30_000;
/** Requests that cannot be repeated are spared the probation for this long after it is due. */
const REPEATABLE_FIRST_MS = 5_000;
export const RAMP_SHARE_MIN = 0.1;
/** How often the peers are looked at for what is slow. */
const SLOW_LOOK_MS = 1_000;

export function createEjection(options: EjectionOptions, now: number): EjectionState {
  return {
    phase: { kind: "up", since: now, upSince: now, times: 0, because: "" },
    run: 0,
    refusals: 0,
    lastFailureAt: -1,
    lastSuccessAt: -1,
    lastSuccessBegan: -1,
    successes: createSlidingCount(options.windowMs),
    failures: createSlidingCount(options.windowMs),
    heldCode: "",
    heldBecause: "",
    latencies:
      options.slow === null
        ? null
        : {
            window: createLatencyWindow(options.windowMs),
            slow: createSlow(),
            lookAt: 0,
            accused: false,
            stale: false,
          },
  };
}

/** The windows are of another length, or slowness counts or does not: evidence begins anew, the verdict stands. */
export function reshapeEjection(options: EjectionOptions, before: EjectionState, now: number): EjectionState {
  const { successes, failures, latencies } = createEjection(options, now);
  return { ...before, successes, failures, latencies };
}

/**
 * A request to `member` had its first byte `sampleMs` after the origin's turn began, or has been waiting for so long
 * that it is slow whatever becomes of it (`slowFromMs`). Slow ones have to be told when they become so and not when
 * they end: the quick ones that began with them are told by then, and they would come in clusters without them.
 * To be told before `observeOutcome`, so that a slow probation is no success. `all` is the sum over the pool.
 */
export function observeLatency(
  options: EjectionOptions,
  member: EjectionMember,
  pool: readonly EjectionMember[],
  all: LatencyWindow,
  sampleMs: number,
  startedAt: number,
  roll: number,
  now: number,
): EjectionVerdict {
  const state = member.ejection;
  const { latencies } = state;
  if (options.slow === null || latencies === null || startedAt < state.phase.since) return NO_CHANGE;
  if (latencies.stale) {
    latencies.stale = false;
    takeOut(all, latencies.window, now);
  }
  const bucket = bucketOf(sampleMs);
  addLatency(latencies.window, bucket, now);
  addLatency(all, bucket, now);
  const { slow } = latencies;
  if (now >= latencies.lookAt) {
    latencies.lookAt = now + SLOW_LOOK_MS;
    lookAtPeers(options.slow, slow, all, latencies.window, now);
  }
  // Of those that began before anybody knew what is slow, the slow ones alone would be heard of now.
  if (startedAt < slow.knownSince) return NO_CHANGE;
  const isSlower = countSlow(options.slow, slow, bucket, all, latencies.window, now);
  if (isSlower) return wasSlower(options, member, latencies, pool, roll, now);
  if (!latencies.accused) return NO_CHANGE;
  if (bucket > slow.above && state.phase.kind === "probation") {
    const what = "the request that tried it was slow again";
    return eject(options, state, state.phase.times + 1, "eject.out.probation-slow", what, roll, now);
  }
  return slow.sum === 0 && state.heldCode !== "" ? releaseSlow(state, latencies) : NO_CHANGE;
}

/**
 * The request that has waited longest at `member` has waited `waitedMs`, and has been told as slow. An origin that
 * hangs gets no more requests as soon as those that it has outnumber those of its peers, so no more would be told.
 */
export function observeStuck(
  options: EjectionOptions,
  member: EjectionMember,
  pool: readonly EjectionMember[],
  all: LatencyWindow,
  waitedMs: number,
  roll: number,
  now: number,
): EjectionVerdict {
  const { latencies } = member.ejection;
  if (options.slow === null || latencies === null || waitedMs < LASTING_MS) return NO_CHANGE;
  if (!isProven(options.slow, latencies.slow, all, latencies.window, now)) return NO_CHANGE;
  return wasSlower(options, member, latencies, pool, roll, now);
}

/** From how long on a wait is slow, whatever becomes of it. */
export function slowFromMs(state: EjectionState): number {
  return state.latencies === null ? Number.POSITIVE_INFINITY : state.latencies.slow.fromMs;
}

/**
 * An attempt at `member` ended. `pool` holds all addresses of the pool, `member` among them; `startedAt` is
 * when the attempt began; `roll` in [0, 1) spreads the returns of origins that went out together.
 */
export function observeOutcome(
  options: EjectionOptions,
  member: EjectionMember,
  pool: readonly EjectionMember[],
  outcome: TrafficOutcome,
  startedAt: number,
  roll: number,
  now: number,
): EjectionVerdict {
  const state = member.ejection;
  const phase = settleEjection(state, now);
  if (startedAt < phase.since) return NO_CHANGE;
  switch (outcome) {
    case "ignore":
      return ignored(state, phase, now);
    case "success":
      return succeeded(options, state, phase, startedAt, now);
    case "failure":
    case "refused":
      state.refusals = outcome === "refused" ? state.refusals + 1 : 0;
      return failed(options, member, pool, phase, roll, now);
  }
}

/** Brings the phase up to date with time alone: a ramp ends, a probation that never ended is given up. */
export function settleEjection(state: EjectionState, now: number): EjectionPhase {
  const phase = state.phase;
  switch (phase.kind) {
    case "up":
    case "ejected":
      break;
    case "probation":
      if (now >= phase.until) {
        state.phase = {
          kind: "ejected",
          since: phase.since,
          until: phase.until,
          times: phase.times,
          because: phase.because,
        };
      }
      break;
    case "ramping":
      if (now >= phase.until) {
        // Evidence goes back to the start of the ramp: what it answered then counts.
        state.phase = { kind: "up", since: phase.since, upSince: phase.until, times: phase.times, because: "" };
      }
      break;
  }
  return state.phase;
}

/**
 * May the next request be the one that tries this origin? `repeatable`: it could be sent elsewhere if this
 * failed. Those go first; only when none came for a while does another have to do.
 */
export function isProbationDue(state: EjectionState, repeatable: boolean, now: number): boolean {
  const phase = state.phase;
  return phase.kind === "ejected" && now >= (repeatable ? phase.until : phase.until + REPEATABLE_FIRST_MS);
}

/** The request that is about to be sent is the one. Its `startedAt` must not be before `now`. */
export function beginProbation(state: EjectionState, now: number): void {
  const phase = state.phase;
  if (phase.kind !== "ejected") return;
  state.phase = {
    kind: "probation",
    since: now,
    until: now + PROBATION_MAX_MS,
    times: phase.times,
    because: phase.because,
  };
}

/**
 * Checks say that an origin works again that they had taken out: its share grows back too. It has been without
 * traffic, and may have been restarted; all of its share at once is what a cold cache is worst at.
 */
export function returnByChecks(options: EjectionOptions, state: EjectionState, now: number): void {
  returnSlowly(options, state, "its checks succeed again", now);
}

/** It was without traffic for another reason than its failures, and that is over. */
export function returnSlowly(options: EjectionOptions, state: EjectionState, because: string, now: number): void {
  if (settleEjection(state, now).kind === "up") beginRamp(options, state, 0, because, now);
}

/**
 * A check has reached it: that nobody listens is over, whatever is remembered of it, and a request may try it at once.
 * Returns whether anything changed.
 */
export function endRefusals(state: EjectionState, now: number): boolean {
  if (state.refusals === 0) return false;
  state.refusals = 0;
  state.run = 0;
  clearCount(state.failures);
  const phase = settleEjection(state, now);
  if (phase.kind === "ejected" && phase.until > now) state.phase = { ...phase, until: now };
  return true;
}

/** Part of its weight that the phase allows, 0–1. Grows from 0.1 over the ramp. */
export function ejectionShare(phase: EjectionPhase, now: number): number {
  switch (phase.kind) {
    case "up":
      return 1;
    case "ejected":
    case "probation":
      return 0;
    case "ramping": {
      const done = (now - phase.since) / (phase.until - phase.since);
      return Math.min(1, Math.max(RAMP_SHARE_MIN, done));
    }
  }
}

/** What another worker did with the same address, in times of this process. */
export interface HeardPhase {
  readonly kind: "ejected" | "probation" | "ramping";
  readonly since: number;
  readonly until: number;
  readonly times: number;
  /** Nobody listens there. */
  readonly refused: boolean;
  readonly because: string;
}

/**
 * Another worker of the node took `member` out, tries it, or brought it back, by traffic of its own. That counts as if
 * it had been seen here, with one exception: whether so many may be out is decided here, by what is out here. Of two
 * that say different things at once, the later holds.
 */
export function hearEjection(
  options: EjectionOptions,
  member: EjectionMember,
  pool: readonly EjectionMember[],
  heard: HeardPhase,
  now: number,
): EjectionVerdict {
  const state = member.ejection;
  const phase = settleEjection(state, now);
  const { kind, since, until, times, because } = heard;
  // One that began later than what it hears knows nothing newer.
  const isUnused = phase.kind === "up" && state.lastSuccessAt < 0 && state.lastFailureAt < 0;
  if (since < phase.since && !isUnused) return NO_CHANGE;
  const isOut = phase.kind === "ejected" || phase.kind === "probation";
  switch (kind) {
    case "ejected": {
      if (heard.refused) {
        state.refusals = Math.max(state.refusals, options.consecutiveFailures);
        state.run = Math.max(state.run, options.consecutiveFailures);
        state.lastFailureAt = Math.max(state.lastFailureAt, since);
      }
      const held = isOut ? null : holdByCaps(options, member, pool, because, now);
      if (held !== null) return held;
      takeOutAs(state, { kind, since, until, times, because });
      return isOut ? UNPROVEN : { kind: "ejected", code: "eject.out.heard", because };
    }
    case "probation":
      if (phase.kind !== "ejected") return NO_CHANGE;
      state.phase = { kind, since, until, times: phase.times, because: phase.because };
      return UNPROVEN;
    case "ramping":
      if (!isOut) return NO_CHANGE;
      state.phase = { kind, since, until, times, because };
      state.run = 0;
      state.refusals = 0;
      clearCount(state.failures);
      clearHeld(state);
      if (state.latencies !== null) state.latencies.accused = false;
      return { kind: "back", code: "eject.back.ramping", because };
  }
}

/** What recent traffic says about an origin, for those who compare it with other evidence. */
export interface TrafficEvidence {
  readonly succeeded: number;
  readonly total: number;
  /** Nothing works: enough failures in a row, the last of them within the window. */
  readonly dead: boolean;
  /** `dead`, or its success ratio is below the limit. */
  readonly failing: boolean;
}

export function trafficEvidence(options: EjectionOptions, state: EjectionState, now: number): TrafficEvidence {
  const succeeded = countAt(state.successes, now);
  const failures = countAt(state.failures, now);
  const total = succeeded + failures;
  const fresh = state.lastFailureAt >= 0 && now - state.lastFailureAt < options.windowMs;
  const dead = fresh && state.run >= options.consecutiveFailures;
  const failing = dead || isBelowRatio(options, { failures, total });
  return { succeeded, total, dead, failing };
}

/** How many of a pool of `size` may be out at once. */
export function ejectedMax(options: EjectionOptions, size: number): number {
  if (size < 2 || !(options.ejectedRatioMax > 0)) return 0;
  return Math.min(size - 1, Math.max(1, Math.floor(options.ejectedRatioMax * size)));
}

function ignored(state: EjectionState, phase: EjectionPhase, now: number): EjectionVerdict {
  if (phase.kind !== "probation") return NO_CHANGE;
  state.phase = { kind: "ejected", since: now, until: now, times: phase.times, because: phase.because };
  return UNPROVEN;
}

function succeeded(
  options: EjectionOptions,
  state: EjectionState,
  phase: EjectionPhase,
  startedAt: number,
  now: number,
): EjectionVerdict {
  // Nobody listened and somebody does: how often that was found out says nothing about how well it answers.
  if (state.refusals >= options.consecutiveFailures) clearCount(state.failures);
  state.run = 0;
  state.refusals = 0;
  state.lastSuccessAt = now;
  state.lastSuccessBegan = startedAt;
  addToCount(state.successes, 1, now);
  switch (phase.kind) {
    case "up":
    case "ramping":
      return state.heldCode === "" ? NO_CHANGE : releaseHeld(options, state, now);
    // A success in `ejected` came through a pool that failed open: it is as good a proof as a probation.
    case "ejected":
    case "probation":
      return beginRamp(options, state, phase.times, "a request to it succeeded", now);
  }
}

function beginRamp(
  options: EjectionOptions,
  state: EjectionState,
  times: number,
  what: string,
  now: number,
): EjectionVerdict {
  const because = options.rampMs > 0 ? `${what}; its share grows back over ${durationInWords(options.rampMs)}` : what;
  state.phase =
    options.rampMs > 0
      ? { kind: "ramping", since: now, until: now + options.rampMs, times, because }
      : { kind: "up", since: now, upSince: now, times, because: "" };
  clearCount(state.failures);
  clearHeld(state);
  if (state.latencies !== null) state.latencies.accused = false;
  return { kind: "back", code: "eject.back.ramping", because };
}

function releaseHeld(options: EjectionOptions, state: EjectionState, now: number): EjectionVerdict {
  if (state.latencies?.accused === true || trafficEvidence(options, state, now).failing) return NO_CHANGE;
  clearHeld(state);
  return { kind: "back", code: "eject.back.recovered", because: "requests to it succeed again" };
}

function failed(
  options: EjectionOptions,
  member: EjectionMember,
  pool: readonly EjectionMember[],
  phase: EjectionPhase,
  roll: number,
  now: number,
): EjectionVerdict {
  const state = member.ejection;
  state.run += 1;
  state.lastFailureAt = now;
  addToCount(state.failures, 1, now);
  switch (phase.kind) {
    case "ejected":
      return NO_CHANGE;
    case "probation":
      return eject(
        options,
        state,
        phase.times + 1,
        "eject.out.probation-failed",
        "the request that tried it failed",
        roll,
        now,
      );
    case "up":
    case "ramping":
      break;
  }
  const own = tallyOf(state, now);
  if (!isSuspect(options, state.run, own)) return NO_CHANGE;

  const peers = peersOf(member, pool, now);
  const judged = judgeOutlier(options, state.run, own, peers);
  const what =
    judged === "success-ratio" || state.run < options.consecutiveFailures
      ? `${own.failures} of ${own.total} requests in the last ${durationInWords(options.windowMs)} failed`
      : `${state.run} requests in a row failed`;
  if (judged === "alike" || judged === "sound") {
    return hold(state, "eject.held.peers-alike", `${what}, but ${peersInWords(peers)}: no outlier, so it stays in use`);
  }
  const held = holdByCaps(options, member, pool, what, now);
  if (held !== null) return held;
  return eject(options, state, timesNow(options, phase, now), `eject.out.${judged}`, what, roll, now);
}

function wasSlower(
  options: EjectionOptions,
  member: EjectionMember,
  latencies: LatencyState,
  pool: readonly EjectionMember[],
  roll: number,
  now: number,
): EjectionVerdict {
  const state = member.ejection;
  const phase = settleEjection(state, now);
  if (phase.kind === "ejected" || phase.kind === "probation") return NO_CHANGE;
  const what = slownessInWords(latencies.slow);
  latencies.accused = true;
  const held = holdByCaps(options, member, pool, what, now);
  return held ?? eject(options, state, timesNow(options, phase, now), "eject.out.slow", what, roll, now);
}

/** Fast answers in between are what a gray origin is made of: it is released when they have outweighed the slow ones. */
function releaseSlow(state: EjectionState, latencies: LatencyState): EjectionVerdict {
  latencies.accused = false;
  clearHeld(state);
  return { kind: "back", code: "eject.back.recovered", because: "requests to it are as fast as its peers' again" };
}

/** It should be out: not as the last one, and not when as many are out as may be. Null: nothing speaks against it. */
function holdByCaps(
  options: EjectionOptions,
  member: EjectionMember,
  pool: readonly EjectionMember[],
  what: string,
  now: number,
): EjectionVerdict | null {
  const peers = peersOf(member, pool, now);
  const most = ejectedMax(options, pool.length);
  if (peers.available === 0) {
    const because = `${what}, but no other origin of the pool is available, so it stays in use`;
    return hold(member.ejection, "eject.held.last-origin", because);
  }
  if (peers.out >= most && (most === 0 || member.ejection.refusals < options.consecutiveFailures)) {
    const because = `${what}, but ${peers.out} of ${pool.length} are out already and at most ${most} may be, so it stays in use`;
    return hold(member.ejection, "eject.held.ratio-cap", because);
  }
  return null;
}

interface Peers {
  /** Those that are out already; their results are not counted. */
  out: number;
  available: number;
  failures: number;
  total: number;
}

function peersOf(member: EjectionMember, pool: readonly EjectionMember[], now: number): Peers {
  const peers: Peers = { out: 0, available: 0, failures: 0, total: 0 };
  for (const other of pool) {
    if (other === member) continue;
    const { phase, successes, failures } = other.ejection;
    if (phase.kind === "ejected" || phase.kind === "probation") {
      peers.out += 1;
      continue;
    }
    if (other.share > 0) peers.available += 1;
    const failed = countAt(failures, now);
    peers.failures += failed;
    peers.total += failed + countAt(successes, now);
  }
  return peers;
}

function peersInWords(peers: Peers): string {
  if (peers.total === 0) return "its peers have no traffic to compare with";
  return `${peers.failures} of ${peers.total} at its peers failed too`;
}

function timesNow(options: EjectionOptions, phase: EjectionPhase, now: number): number {
  // A calm spell as long as the longest wait makes it a first time again.
  if (phase.kind === "up" && now - phase.upSince >= options.returnAfterMaxMs) return 1;
  return phase.times + 1;
}

function eject(
  options: EjectionOptions,
  state: EjectionState,
  times: number,
  code: EjectionCode,
  what: string,
  roll: number,
  now: number,
): EjectionVerdict {
  // 2^30 would be a number of weeks; the bound keeps the power finite whatever `times` is.
  const longest = Math.min(options.returnAfterMaxMs, options.returnAfterMs * 2 ** Math.min(times - 1, 30));
  // Up to 30 % earlier, never later: origins that went out together do not come back together.
  const waitMs = longest * (1 - 0.3 * roll);
  const because = `${what}; out for ${durationInWords(waitMs)}${times > 1 ? ` (time ${times} in a row)` : ""}`;
  takeOutAs(state, { kind: "ejected", since: now, until: now + waitMs, times, because });
  return { kind: "ejected", code, because };
}

function takeOutAs(state: EjectionState, phase: Extract<EjectionPhase, { kind: "ejected" }>): void {
  state.phase = phase;
  clearCount(state.successes);
  clearCount(state.failures);
  clearHeld(state);
  if (state.latencies !== null) {
    state.latencies.stale = true;
    clearSlow(state.latencies.slow);
  }
}

/** Says so once; further failures for the same reason change nothing. */
function hold(state: EjectionState, code: EjectionCode, because: string): EjectionVerdict {
  state.heldBecause = because;
  if (state.heldCode === code) return NO_CHANGE;
  state.heldCode = code;
  return { kind: "fail-open", code, because };
}

function clearHeld(state: EjectionState): void {
  state.heldCode = "";
  state.heldBecause = "";
}
