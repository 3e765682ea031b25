/**
 * Which pool comes first, and what share of the traffic each pool gets. Pools are listed in order of preference.
 *
 * Two things are kept apart. What is *missing* in the first pool spills to the next ones at once and in
 * proportion (spill.ts); it needs no decision, and it ends when the capacity has been back for a while. Which
 * pool is *first* is a decision, because caches, connections and data follow it: it changes at once when nothing
 * in the first pool is known to work and something elsewhere is, and otherwise only to go back to a preferred
 * pool that has been well for long enough, a long while after the last move. So a cut of seconds that comes
 * again and again moves the traffic once, and a relapse makes the next return wait twice as long.
 *
 * What is needed is not known, so it is taken from how pools are built: as much as the most preferred pool
 * carries with `threshold` of its capacity. Weights of origins count alike in all pools.
 *
 * Pure: the given state is not changed. Ask again whenever an assessment of a pool changed and when `nextAt`
 * has come; the shares of the last verdict hold in between.
 */
import { shareOut } from "./spill.ts";
import { durationInWords, shareInWords } from "./words.ts";

/** The shape of `FailoverSettings` in config/settings.ts. */
export interface PoolPreferenceOptions {
  /** The part of its capacity with which the most preferred pool carries all that is needed. */
  readonly threshold: number;
  /** How long capacity that came back must have been steady before it counts. */
  readonly backAfterMs: number;
  /** From one move to the next, unless the pool that was moved to fails as well. Twice as long after each relapse. */
  readonly holdMs: number;
}

export interface PoolCapacity {
  readonly name: string;
  /** `liveShare` of availability.ts; -1: nothing is known of it yet. */
  readonly liveShare: number;
  /** The weights of its origins together. */
  readonly weight: number;
  /** Its continuous share while it is not first, so that it is proven. */
  readonly standbyShare: number;
}

/** Arrays have one entry for each pool. */
export interface PoolPreferenceState {
  /** Index of the pool that comes first. */
  readonly first: number;
  /** Time of the last move; -1: there was none. */
  readonly movedAt: number;
  /** Departures soon after a return, without a calm spell between them. */
  readonly relapses: number;
  /** Live share when last seen; -1: never. */
  readonly seen: readonly number[];
  /** The part of it that has been steady. */
  readonly trusted: readonly number[];
  /** When it last fell below the threshold, or further. */
  readonly fellAt: readonly number[];
}

/** Every code of this policy with its meaning. */
export const POOL_CODES = {
  "pool.stay.preferred": "The most preferred pool has capacity enough and gets the traffic.",
  "pool.stay.away":
    "A less preferred pool is first, because a preferred one has not been well for long enough or the last move is too young.",
  "pool.stay.short":
    "The pools together have less capacity than is needed; each that works gets what it can take, the first the rest.",
  "pool.stay.none-live": "No pool has anything that is known to work; the first one stays first.",
  "pool.spill":
    "The first pool has less capacity than is needed, or has had enough for too short a time; what is missing goes to the next pools.",
  "pool.move.none-live": "Nothing in the first pool is known to work; another pool comes first now.",
  "pool.move.back": "A preferred pool has been well for long enough; it comes first again.",
} as const satisfies Record<string, string>;

export interface PoolVerdict {
  readonly kind: "stay" | "move";
  readonly code: keyof typeof POOL_CODES;
  readonly because: string;
  readonly first: number;
  /** What each pool gets, summing up to 1. */
  readonly shares: readonly number[];
  /** What each pool gets of requests that do no harm, so that it is proven; 0 where its share is as large already. */
  readonly standby: readonly number[];
  /** Live share of the pool that was first before the verdict, and how far above the threshold that is (below: negative). */
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

/** A smaller change of the live share is no news. */
const NEWS = 0.01;
const RELAPSES_MAX = 4;

export function createPoolPreference(): PoolPreferenceState {
  return { first: 0, movedAt: -1, relapses: 0, seen: [], trusted: [], fellAt: [] };
}

/**
 * The pools are others, or in another order: `from` has for each of them where it stood, -1: nowhere. What was known of
 * those that stay holds. Traffic that was at home stays at home, whichever pool that is now.
 */
export function rearrange(state: PoolPreferenceState, from: readonly number[]): PoolPreferenceState {
  return {
    ...state,
    first: state.first === 0 ? 0 : Math.max(0, from.indexOf(state.first)),
    seen: from.map((index) => state.seen[index] ?? -1),
    trusted: from.map((index) => state.trusted[index] ?? -1),
    fellAt: from.map((index) => state.fellAt[index] ?? -1),
  };
}

/** `pools` in order of preference, at least one. */
export function preferPool(
  options: PoolPreferenceOptions,
  state: PoolPreferenceState,
  pools: readonly PoolCapacity[],
  now: number,
): PoolPreferenceStep {
  const seen = lookAt(options, state, pools, now);
  const { first } = seen;
  const back = preferredAndWell(options, seen, first);
  if (back >= 0 && now >= holdEnd(options, seen)) {
    const because =
      `pool ${nameOf(pools, back)} is preferred and has had ${shareInWords(seen.trusted[back] ?? 0)} of its capacity ` +
      `live for ${durationInWords(options.backAfterMs)}, ${distanceInWords(options, seen.trusted[back] ?? 0)}`;
    return moved(options, seen, pools, back, "pool.move.back", because, now);
  }
  // A pool of which nothing is known yet, because its names take their time at the start, has not failed.
  const isDead = pools[first]?.liveShare === 0;
  const other = isDead ? bestBesides(options, pools, first) : -1;
  if (other >= 0) {
    const because =
      `nothing in pool ${nameOf(pools, first)} is known to work, ${distanceInWords(options, 0)}; ` +
      liveInWords(pools, other);
    return moved(options, seen, pools, other, "pool.move.none-live", because, now);
  }
  return { state: seen, verdict: stay(options, seen, pools, back, now) };
}

/** Takes in what is known of each pool; moves nothing. */
function lookAt(
  options: PoolPreferenceOptions,
  state: PoolPreferenceState,
  pools: readonly PoolCapacity[],
  now: number,
): PoolPreferenceState {
  const fellAt: number[] = [];
  const trusted = pools.map(({ liveShare }, index) => {
    const before = state.seen[index] ?? -1;
    const trustedBefore = state.trusted[index] ?? -1;
    const isFirstNews = before < 0 || trustedBefore < 0;
    const isFall = liveShare < before - NEWS && (liveShare < options.threshold || liveShare < trustedBefore);
    fellAt[index] = isFall || isFirstNews ? now : (state.fellAt[index] ?? now);
    if (liveShare < 0) return trustedBefore;
    if (isFirstNews || liveShare <= trustedBefore) return liveShare;
    return now - (fellAt[index] ?? now) >= options.backAfterMs ? liveShare : trustedBefore;
  });
  // A reload may have left fewer pools than before.
  const first = state.first < pools.length ? state.first : 0;
  return { ...state, first, seen: pools.map(({ liveShare }) => liveShare), trusted, fellAt };
}

function moved(
  options: PoolPreferenceOptions,
  seen: PoolPreferenceState,
  pools: readonly PoolCapacity[],
  first: number,
  code: "pool.move.back" | "pool.move.none-live",
  because: string,
  now: number,
): PoolPreferenceStep {
  const isSoon = seen.movedAt >= 0 && now - seen.movedAt < options.holdMs;
  const relapses = code === "pool.move.back" ? seen.relapses : isSoon ? Math.min(RELAPSES_MAX, seen.relapses + 1) : 0;
  const state: PoolPreferenceState = { ...seen, first, movedAt: now, relapses };
  const from = liveOf(pools, seen.first);
  return {
    state,
    verdict: {
      ...measured(options, from),
      ...divided(options, state, pools),
      kind: "move",
      code,
      because,
      first,
      nextAt: nextAtOf(options, state, now),
    },
  };
}

function stay(
  options: PoolPreferenceOptions,
  seen: PoolPreferenceState,
  pools: readonly PoolCapacity[],
  back: number,
  now: number,
): PoolVerdict {
  const { first } = seen;
  const live = liveOf(pools, first);
  const { shares, standby } = divided(options, seen, pools);
  const base = {
    ...measured(options, live),
    kind: "stay" as const,
    first,
    shares,
    standby,
    nextAt: nextAtOf(options, seen, now),
  };
  const here = `${liveInWords(pools, first)}, ${distanceInWords(options, live)}${youngInWords(options, seen, first)}`;
  const elsewhere = sharesInWords(pools, shares, first);
  if (pools.every((_, index) => liveOf(pools, index) <= 0)) {
    const because = `no pool has anything that is known to work, ${distanceInWords(options, live)}; pool ${nameOf(pools, first)} stays first`;
    return { ...base, code: "pool.stay.none-live", because };
  }
  const room = pools.reduce((sum, _, index) => sum + roomOf(options, pools, index, liveOf(pools, index)), 0);
  if (room < 1 - NEWS) {
    const because = `${here}; all pools together have ${shareInWords(room)} of what is needed${elsewhere}`;
    return { ...base, code: "pool.stay.short", because };
  }
  if (first !== 0) {
    const wait =
      back < 0
        ? `${liveInWords(pools, 0)} and has to have ${shareInWords(options.threshold)} for ${durationInWords(options.backAfterMs)}`
        : `pool ${nameOf(pools, back)} is well, and comes first again in ${durationInWords(holdEnd(options, seen) - now)} if it stays so`;
    return { ...base, code: "pool.stay.away", because: `${here}; ${wait}${elsewhere}` };
  }
  return { ...base, code: elsewhere === "" ? "pool.stay.preferred" : "pool.spill", because: `${here}${elsewhere}` };
}

function divided(
  options: PoolPreferenceOptions,
  state: PoolPreferenceState,
  pools: readonly PoolCapacity[],
): { shares: readonly number[]; standby: readonly number[] } {
  const rooms = pools.map((_, index) => ({
    live: roomOf(options, pools, index, liveOf(pools, index)),
    trusted: roomOf(options, pools, index, Math.max(0, Math.min(liveOf(pools, index), state.trusted[index] ?? 0))),
  }));
  const order = [state.first, ...pools.map((_, index) => index).filter((index) => index !== state.first)];
  const shares = shareOut(rooms, order);
  const standby = pools.map(({ standbyShare }, index) =>
    index === state.first || liveOf(pools, index) <= 0 || (shares[index] ?? 0) >= standbyShare ? 0 : standbyShare,
  );
  return { shares, standby };
}

/** What a pool can take with `live` of its capacity, as a part of what is needed. */
function roomOf(options: PoolPreferenceOptions, pools: readonly PoolCapacity[], index: number, live: number): number {
  const needed = options.threshold * (pools[0]?.weight ?? 0);
  return needed > 0 ? ((pools[index]?.weight ?? 0) * live) / needed : 0;
}

function preferredAndWell(options: PoolPreferenceOptions, state: PoolPreferenceState, first: number): number {
  return state.trusted.findIndex((trusted, index) => index < first && trusted >= options.threshold);
}

/** The most preferred that can take all; if none can, the one that can take most; -1: nothing else works. */
function bestBesides(options: PoolPreferenceOptions, pools: readonly PoolCapacity[], first: number): number {
  let best = -1;
  let most = 0;
  for (let index = 0; index < pools.length; index += 1) {
    const room = Math.min(1, roomOf(options, pools, index, liveOf(pools, index)));
    if (index === first || room <= most) continue;
    best = index;
    most = room;
  }
  return best;
}

function holdEnd(options: PoolPreferenceOptions, state: PoolPreferenceState): number {
  return state.movedAt < 0 ? 0 : state.movedAt + options.holdMs * 2 ** state.relapses;
}

function nextAtOf(options: PoolPreferenceOptions, state: PoolPreferenceState, now: number): number {
  const waits = state.seen.flatMap((live, index) =>
    live > (state.trusted[index] ?? 0) ? [(state.fellAt[index] ?? now) + options.backAfterMs] : [],
  );
  if (preferredAndWell(options, state, state.first) >= 0) waits.push(holdEnd(options, state));
  const later = waits.filter((at) => at > now);
  return later.length === 0 ? -1 : Math.min(...later);
}

function measured(
  options: PoolPreferenceOptions,
  liveShare: number,
): Pick<PoolVerdict, "liveShare" | "threshold" | "distance"> {
  return { liveShare, threshold: options.threshold, distance: liveShare - options.threshold };
}

function liveOf(pools: readonly PoolCapacity[], index: number): number {
  return Math.max(0, pools[index]?.liveShare ?? 0);
}

function nameOf(pools: readonly PoolCapacity[], index: number): string {
  return pools[index]?.name ?? "?";
}

function liveInWords(pools: readonly PoolCapacity[], index: number): string {
  return `pool ${nameOf(pools, index)} has ${shareInWords(liveOf(pools, index))} of its capacity live`;
}

function distanceInWords(options: PoolPreferenceOptions, live: number): string {
  const points = Math.round((live - options.threshold) * 100);
  const where = points < 0 ? `${-points} points below` : points === 0 ? "at" : `${points} points above`;
  return `${where} the threshold of ${shareInWords(options.threshold)}`;
}

/** `, but had only 33 % within the last 30 s`: why a pool that is above the threshold does not get all; empty: it does, or is below. */
function youngInWords(options: PoolPreferenceOptions, state: PoolPreferenceState, first: number): string {
  const trusted = state.trusted[first] ?? 0;
  if ((state.seen[first] ?? 0) < options.threshold || trusted >= options.threshold) return "";
  return `, but had only ${shareInWords(Math.max(0, trusted))} within the last ${durationInWords(options.backAfterMs)}`;
}

/** `; 29 % of the traffic goes to pool gcp`; empty when all goes to the first. */
function sharesInWords(pools: readonly PoolCapacity[], shares: readonly number[], first: number): string {
  return pools
    .map((pool, index) =>
      index === first || (shares[index] ?? 0) <= 0
        ? ""
        : `; ${shareInWords(shares[index] ?? 0)} of the traffic goes to pool ${pool.name}`,
    )
    .join("");
}
