/**
 * The machine of an ejected origin address: out for a while, tried by one real request (probation), back over a ramp. Why
 * it goes out and what the one request proved is decided elsewhere (ejection.ts, ejection-slowness.ts).
 *
 * Time passes lazily: no timer is needed, and `availability.ts` says when to look again.
 */
import type { EjectionCode, EjectionOptions, EjectionPhase, EjectionState, EjectionVerdict } from "./ejection-state.ts";
import { clearCount } from "./sliding-count.ts";
import { clearSlow } from "./slowness.ts";
import { durationInWords } from "./words.ts";

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

export function beginRamp(
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

export function timesNow(options: EjectionOptions, phase: EjectionPhase, now: number): number {
  // A calm spell as long as the longest wait makes it a first time again.
  if (phase.kind === "up" && now - phase.upSince >= options.returnAfterMaxMs) return 1;
  return phase.times + 1;
}

export function eject(
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

export function takeOutAs(state: EjectionState, phase: Extract<EjectionPhase, { kind: "ejected" }>): void {
  state.phase = phase;
  clearCount(state.successes);
  clearCount(state.failures);
  clearHeld(state);
  if (state.latencies !== null) {
    state.latencies.stale = true;
    clearSlow(state.latencies.slow);
  }
}

export function clearHeld(state: EjectionState): void {
  state.heldCode = "";
  state.heldBecause = "";
}

/** A probation whose request never ends is given up after this, and another request may try. */
const PROBATION_MAX_MS = 30_000;
/** Requests that cannot be repeated are spared the probation for this long after it is due. */
const REPEATABLE_FIRST_MS = 5_000;
export const RAMP_SHARE_MIN = 0.1;
