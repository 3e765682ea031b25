/**
 * Is an origin an outlier: does it fail while its peers do not? When all fail alike, the fault is not this
 * origin's (a bad release, one broken route, our own network), and taking it out would only put its load
 * on the others.
 *
 * Two tests, because each is blind where the other sees. A run of failures is quick on a dead origin and
 * needs no traffic to speak of; a success ratio finds the one that fails every fourth request. Both ask
 * how the peers do: a run must be longer than chance makes it at the peers' failure ratio, and a ratio
 * must be clearly worse than theirs.
 */
import { countAt } from "./sliding-count.ts";
import type { SlidingCount } from "./sliding-count.ts";

/** Part of the shape of `EjectionSettings` in config/settings.ts. */
export interface OutlierOptions {
  readonly consecutiveFailures: number;
  readonly successRatioMin: number;
  readonly requestsMin: number;
}

/** Results of a window. */
export interface Tally {
  readonly failures: number;
  readonly total: number;
}

/** `alike`: it fails, but so do its peers. */
export type OutlierVerdict = "sound" | "failures-in-a-row" | "success-ratio" | "alike";

/** How rare a run must be, if the origin were like its peers, to count as evidence. */
const CHANCE_OF_RUN = 1e-6;
/** Peers are clearly better when they fail at most half as often. */
const CLEARLY_BETTER = 0.5;

/** What has been counted in the window that ends now. */
export function tallyOf(
  counts: { readonly successes: SlidingCount; readonly failures: SlidingCount },
  now: number,
): Tally {
  const failures = countAt(counts.failures, now);
  return { failures, total: failures + countAt(counts.successes, now) };
}

/** Cheap, and without the peers: nothing more needs to be asked unless this says so. */
export function isSuspect(options: OutlierOptions, run: number, own: Tally): boolean {
  return run >= options.consecutiveFailures || isBelowRatio(options, own);
}

/** `run`: its failures since its last success. */
export function judgeOutlier(options: OutlierOptions, run: number, own: Tally, peers: Tally): OutlierVerdict {
  const inARow = run >= options.consecutiveFailures;
  const belowRatio = isBelowRatio(options, own);
  if (!inARow && !belowRatio) return "sound";
  if (inARow && run >= runNeeded(options, peers)) return "failures-in-a-row";
  if (belowRatio && isClearlyWorse(options, own, peers)) return "success-ratio";
  return "alike";
}

export function isBelowRatio(options: OutlierOptions, own: Tally): boolean {
  return own.total >= options.requestsMin && own.total - own.failures < options.successRatioMin * own.total;
}

/** A ratio can only be compared with a ratio, so the peers need as many results as the origin. */
function isClearlyWorse(options: OutlierOptions, own: Tally, peers: Tally): boolean {
  if (peers.total < options.requestsMin) return false;
  return peers.failures / peers.total <= (own.failures / own.total) * CLEARLY_BETTER;
}

/** With a third of the peers' requests failing, five in a row are an everyday event; then thirteen are needed. */
function runNeeded(options: OutlierOptions, peers: Tally): number {
  if (peers.failures === 0) return options.consecutiveFailures;
  // Few results of peers are taken with a grain of salt: as if the missing ones had been good.
  const ratio = peers.failures / Math.max(peers.total, options.requestsMin);
  if (ratio >= 1) return Number.POSITIVE_INFINITY;
  return Math.max(options.consecutiveFailures, Math.ceil(Math.log(CHANCE_OF_RUN) / Math.log(ratio)));
}
