/**
 * Outlier ejection: an origin address whose real traffic fails, while its peers' does not, gets no traffic
 * for a while; then one real request tries it (probation), and its share grows back over a ramp.
 *
 * Whether it is an outlier is judged in outlier.ts by its failures and in slowness.ts by its latencies; how many may be
 * out is in ejection-bounds.ts, what becomes of one that is out in ejection-phase.ts. This file is what the end of an
 * attempt changes.
 *
 * Local faults of the gateway (no descriptors, no ports, a client that left) are no evidence about an
 * origin: the caller reports them as `ignore`. Nor are late results of attempts that began before the
 * last change of phase: counting them would keep a recovered origin out as long as there is load.
 *
 * The state is changed in place; it is plain data. On the usual path (a success) nothing is allocated and
 * the verdict is a shared constant.
 */
import { hold, holdByCaps, peersInWords, peersOf } from "./ejection-bounds.ts";
import { beginRamp, clearHeld, eject, settleEjection, timesNow } from "./ejection-phase.ts";
import { NO_CHANGE, UNPROVEN } from "./ejection-state.ts";
import type {
  EjectionMember,
  EjectionOptions,
  EjectionPhase,
  EjectionState,
  EjectionVerdict,
} from "./ejection-state.ts";
import { isBelowRatio, isSuspect, judgeOutlier, tallyOf } from "./outlier.ts";
import { addToCount, clearCount, countAt } from "./sliding-count.ts";
import { durationInWords } from "./words.ts";

/** `refused`: a failure, and nobody listens there. `ignore`: the attempt says nothing about the origin. */
export type TrafficOutcome = "success" | "failure" | "refused" | "ignore";

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

function releaseHeld(options: EjectionOptions, state: EjectionState, now: number): EjectionVerdict {
  if (state.latencies?.accused === true || trafficEvidence(options, state, now).failing) return NO_CHANGE;
  clearHeld(state);
  return { kind: "back", code: "eject.back.recovered", because: "requests to it succeed again" };
}

export function failed(
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
