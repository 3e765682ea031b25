/**
 * Which pool new exchanges go to. Pools are listed in order of preference; the first that can serve gets
 * everything. The pool is left when less than half of its capacity is live (at once when nothing is), and
 * only for one that is better; it is gone back to after it has been well for a while.
 *
 * Moving all traffic is a large action, so it must not flap: the thresholds of leaving and returning are
 * apart, a partial loss must last, and each departure that follows soon after another move makes the next
 * return wait four times as long and the next departure a little. Spilling a part of the traffic in
 * proportion to what is lost is a different policy.
 *
 * Pure: the given state is not changed. Ask again whenever an assessment of a pool changed and when `nextAt`
 * has come; the answer between is the `pool` of the state.
 */
import { durationInWords, shareInWords } from "./words.ts";

export interface PoolPreferenceOptions {
  /** Below this live share the pool is left, when another is better. */
  readonly leaveBelowRatio: number;
  /** How long a share below that, but above 0, must last. */
  readonly leaveAfterMs: number;
  /** From this live share on a preferred pool counts as well. */
  readonly returnAtRatio: number;
  /** How long it must be well. Fourfold for each departure that follows soon after another move. */
  readonly returnAfterMs: number;
  /** At most this long; and this long without a move makes the next departure count as the first. */
  readonly returnAfterMaxMs: number;
}

export const POOL_PREFERENCE_DEFAULTS: PoolPreferenceOptions = {
  leaveBelowRatio: 0.5,
  leaveAfterMs: 5_000,
  returnAtRatio: 0.7,
  returnAfterMs: 30_000,
  returnAfterMaxMs: 600_000,
};

const DEPARTURE_WAIT_MAX_MS = 60_000;

export interface PoolCapacity {
  readonly name: string;
  /** `liveShare` of availability.ts. */
  readonly liveShare: number;
}

export interface PoolPreferenceState {
  /** Index of the pool in use. */
  readonly pool: number;
  /** Time of the last move. */
  readonly since: number;
  /** Since when the pool in use is below the threshold; -1: it is not. */
  readonly poorSince: number;
  /** For each pool: since when it is well; -1: it is not. */
  readonly wellSince: readonly number[];
  /** Departures without a calm spell between them. */
  readonly departures: number;
}

/** Every code of this policy with its meaning. */
export const POOL_CODES = {
  "pool.stay.preferred": "The most preferred pool is in use and has capacity enough.",
  "pool.stay.poor":
    "The pool in use has lost much of its capacity, but no other is better, or the loss is too young to move all traffic.",
  "pool.stay.away": "A less preferred pool is in use because a preferred one is not well, or not for long enough.",
  "pool.stay.none-live": "No pool has anything that is known to work; the one in use stays in use.",
  "pool.move.none-live": "Nothing in the pool in use is known to work; the next pool gets the traffic.",
  "pool.move.below-threshold":
    "The pool in use has been below the threshold for a while; a better pool gets the traffic.",
  "pool.move.back": "A preferred pool has been well for long enough; it gets the traffic again.",
} as const satisfies Record<string, string>;

export interface PoolVerdict {
  readonly kind: "stay" | "move";
  readonly pool: number;
  readonly code: keyof typeof POOL_CODES;
  readonly because: string;
  /** Live share of the pool in use, before a move, and how far that is above the threshold (below: negative). */
  readonly liveShare: number;
  readonly threshold: number;
  readonly distance: number;
  /** Monotonic ms when time alone may change the answer; -1: it will not. */
  readonly nextAt: number;
}

export interface PoolPreferenceStep {
  readonly state: PoolPreferenceState;
  readonly verdict: PoolVerdict;
}

export function createPoolPreference(now: number): PoolPreferenceState {
  return { pool: 0, since: now, poorSince: -1, wellSince: [], departures: 0 };
}

/** `pools` in order of preference, at least one. */
export function preferPool(
  options: PoolPreferenceOptions,
  state: PoolPreferenceState,
  pools: readonly PoolCapacity[],
  now: number,
): PoolPreferenceStep {
  const seen = lookAt(options, state, pools, now);
  const live = shareOf(pools, seen.pool);

  const back = pools.findIndex(
    (_, index) => index < seen.pool && isWellSince(seen, index, now - returnWaitMs(options, seen)),
  );
  if (back >= 0) {
    const because = `pool ${nameOf(pools, back)} is preferred and has been well for ${durationInWords(returnWaitMs(options, seen))}`;
    return moveTo(options, seen, pools, back, "pool.move.back", because, now);
  }

  const best = bestOf(options, pools);
  const bestLive = shareOf(pools, best);
  if (live <= 0 && bestLive > 0 && now - seen.since >= departureWaitMs(seen)) {
    const because = `nothing in pool ${nameOf(pools, seen.pool)} is known to work; ${liveInWords(pools, best)}`;
    return moveTo(options, seen, pools, best, "pool.move.none-live", because, now);
  }
  const isPoor = seen.poorSince >= 0;
  const isOtherBetter = best !== seen.pool && bestLive > live && bestLive >= options.leaveBelowRatio;
  if (isPoor && isOtherBetter && now - seen.poorSince >= options.leaveAfterMs) {
    const because =
      `${liveInWords(pools, seen.pool)}, below the threshold of ${shareInWords(options.leaveBelowRatio)} ` +
      `for ${durationInWords(now - seen.poorSince)}; ${liveInWords(pools, best)}`;
    return moveTo(options, seen, pools, best, "pool.move.below-threshold", because, now);
  }
  return { state: seen, verdict: stay(options, seen, pools, isPoor && isOtherBetter, now) };
}

/** Updates what is known of each pool; moves nothing. */
function lookAt(
  options: PoolPreferenceOptions,
  state: PoolPreferenceState,
  pools: readonly PoolCapacity[],
  now: number,
): PoolPreferenceState {
  // A reload may have left fewer pools than before.
  const pool = state.pool < pools.length ? state.pool : 0;
  const isPoor = shareOf(pools, pool) < options.leaveBelowRatio;
  return {
    ...state,
    pool,
    poorSince: isPoor ? (state.poorSince < 0 || pool !== state.pool ? now : state.poorSince) : -1,
    wellSince: pools.map(({ liveShare }, index) => {
      if (!(liveShare >= options.returnAtRatio)) return -1;
      const before = state.wellSince[index] ?? -1;
      return before < 0 ? now : before;
    }),
  };
}

function moveTo(
  options: PoolPreferenceOptions,
  seen: PoolPreferenceState,
  pools: readonly PoolCapacity[],
  pool: number,
  code: keyof typeof POOL_CODES,
  because: string,
  now: number,
): PoolPreferenceStep {
  const isCalm = now - seen.since >= options.returnAfterMaxMs;
  const departures = code === "pool.move.back" ? seen.departures : (isCalm ? 0 : seen.departures) + 1;
  const state: PoolPreferenceState = { ...seen, pool, since: now, poorSince: -1, departures };
  const nextAt = now + options.leaveAfterMs;
  return { state, verdict: { ...measured(options, pools, seen.pool), kind: "move", pool, code, because, nextAt } };
}

function returnWaitMs(options: PoolPreferenceOptions, state: PoolPreferenceState): number {
  return Math.min(
    options.returnAfterMaxMs,
    options.returnAfterMs * 4 ** Math.min(Math.max(0, state.departures - 1), 20),
  );
}

/** The first departure is at once; when pools die by turns, traffic is not thrown about faster than this. */
function departureWaitMs(state: PoolPreferenceState): number {
  return state.departures < 1 ? 0 : Math.min(DEPARTURE_WAIT_MAX_MS, 1000 * 2 ** Math.min(state.departures, 20));
}

function stay(
  options: PoolPreferenceOptions,
  seen: PoolPreferenceState,
  pools: readonly PoolCapacity[],
  isLeaving: boolean,
  now: number,
): PoolVerdict {
  const base = { ...measured(options, pools, seen.pool), kind: "stay" as const, pool: seen.pool };
  const live = base.liveShare;
  const isNoneLive = pools.every(({ liveShare }) => liveShare <= 0);
  const waits: number[] = [];
  seen.wellSince.forEach((since, index) => {
    if (index < seen.pool && since >= 0) waits.push(since + returnWaitMs(options, seen));
  });
  if (isLeaving) waits.push(seen.poorSince + options.leaveAfterMs);
  if (live <= 0 && !isNoneLive) waits.push(seen.since + departureWaitMs(seen));
  const later = waits.filter((at) => at > now);
  const nextAt = later.length === 0 ? -1 : Math.min(...later);

  if (isNoneLive) {
    const because = "no pool has anything that is known to work";
    return { ...base, nextAt, code: "pool.stay.none-live", because };
  }
  if (live <= 0) {
    const because = `nothing in pool ${nameOf(pools, seen.pool)} is known to work, but the traffic was moved just now`;
    return { ...base, nextAt, code: "pool.stay.poor", because };
  }
  if (live < options.leaveBelowRatio) {
    const why = isLeaving ? `not yet for ${durationInWords(options.leaveAfterMs)}` : "but no other pool is better";
    const because = `${liveInWords(pools, seen.pool)}, below the threshold of ${shareInWords(options.leaveBelowRatio)}, ${why}`;
    return { ...base, nextAt, code: "pool.stay.poor", because };
  }
  const above = `${Math.round(base.distance * 100)} points above the threshold of ${shareInWords(options.leaveBelowRatio)}`;
  const here = `${liveInWords(pools, seen.pool)}, ${above}`;
  if (seen.pool === 0) return { ...base, nextAt, code: "pool.stay.preferred", because: here };
  const wait =
    nextAt >= 0
      ? `returns to a preferred pool in ${durationInWords(nextAt - now)} if it stays well`
      : `${liveInWords(pools, 0)} and counts as well from ${shareInWords(options.returnAtRatio)}`;
  return { ...base, nextAt, code: "pool.stay.away", because: `${here}; ${wait}` };
}

function measured(
  options: PoolPreferenceOptions,
  pools: readonly PoolCapacity[],
  pool: number,
): Pick<PoolVerdict, "liveShare" | "threshold" | "distance"> {
  const liveShare = shareOf(pools, pool);
  return { liveShare, threshold: options.leaveBelowRatio, distance: liveShare - options.leaveBelowRatio };
}

/** The most preferred that is above the threshold of leaving; if none is, the one with the most. */
function bestOf(options: PoolPreferenceOptions, pools: readonly PoolCapacity[]): number {
  const enough = pools.findIndex(({ liveShare }) => liveShare >= options.leaveBelowRatio);
  if (enough >= 0) return enough;
  let best = 0;
  for (let index = 1; index < pools.length; index += 1) {
    if (shareOf(pools, index) > shareOf(pools, best)) best = index;
  }
  return best;
}

function isWellSince(state: PoolPreferenceState, index: number, at: number): boolean {
  const since = state.wellSince[index] ?? -1;
  return since >= 0 && since <= at;
}

function shareOf(pools: readonly PoolCapacity[], index: number): number {
  return pools[index]?.liveShare ?? 0;
}

function nameOf(pools: readonly PoolCapacity[], index: number): string {
  return pools[index]?.name ?? "?";
}

function liveInWords(pools: readonly PoolCapacity[], index: number): string {
  return `pool ${nameOf(pools, index)} has ${shareInWords(shareOf(pools, index))} of its capacity live`;
}
