/**
 * What another worker of the node did with the same address. A fault is found by whoever has the traffic to find it, and
 * the others shall not have to lose requests to find it again.
 */
import { holdByCaps } from "./ejection-bounds.ts";
import { clearHeld, settleEjection, takeOutAs } from "./ejection-phase.ts";
import { NO_CHANGE, UNPROVEN } from "./ejection-state.ts";
import type { EjectionMember, EjectionOptions, EjectionVerdict } from "./ejection-state.ts";
import { clearCount } from "./sliding-count.ts";

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
