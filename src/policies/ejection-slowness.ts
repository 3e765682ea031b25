/**
 * Ejection for slowness: what a wait for a first byte changes about an origin address. Who is slow is judged in
 * slowness.ts, against its peers; this is what follows from it.
 */
import { holdByCaps } from "./ejection-bounds.ts";
import { clearHeld, eject, settleEjection, timesNow } from "./ejection-phase.ts";
import { NO_CHANGE } from "./ejection-state.ts";
import type {
  EjectionMember,
  EjectionOptions,
  EjectionState,
  EjectionVerdict,
  LatencyState,
} from "./ejection-state.ts";
import { addLatency, bucketOf, takeOut } from "./latency-window.ts";
import type { LatencyWindow } from "./latency-window.ts";
import { LASTING_MS, countSlow, isProven, lookAtPeers, slownessInWords } from "./slowness.ts";

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

/** How often the peers are looked at for what is slow. */
const SLOW_LOOK_MS = 1_000;
