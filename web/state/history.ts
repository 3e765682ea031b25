/**
 * The last minutes as this page has seen them: what charts show while the control plane has no series to give. A stretch
 * in which nothing was heard is a gap and not a line through it.
 */
import type { SeriesPoint } from "../../src/contract/series.ts";

export interface Sample {
  /** Epoch ms. */
  readonly at: number;
  readonly perSecond: number;
  readonly failedPerSecond: number;
  readonly rescuedPerSecond: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

export const HISTORY_MAX = 450;
const GAP_MS = 6_000;

export function remember(history: readonly Sample[], sample: Sample): readonly Sample[] {
  const last = history.at(-1);
  if (last !== undefined && sample.at <= last.at) return history;
  return [...history.slice(-(HISTORY_MAX - 1)), sample];
}

/** With an empty sample where nothing was heard for long. */
export function withGaps(
  history: readonly Sample[],
): readonly (Sample | { readonly at: number; readonly isGap: true })[] {
  return history.flatMap((sample, index) => {
    const before = history[index - 1];
    if (before === undefined || sample.at - before.at <= GAP_MS) return [sample];
    return [{ at: before.at + 1, isGap: true as const }, sample];
  });
}

/** Points of the control plane in the same form; null: no facts, which is not nothing. */
export function sampleOf(
  point: SeriesPoint,
  resolutionS: number,
): Sample | { readonly at: number; readonly isGap: true } {
  if (point.known <= 0) return { at: point.at, isGap: true };
  // What is known of a part of the stretch is counted for that part.
  const seconds = resolutionS * point.known;
  return {
    at: point.at,
    perSecond: point.exchanges / seconds,
    failedPerSecond: point.failed / seconds,
    rescuedPerSecond: point.rescued / seconds,
    p50Ms: point.p50Ms,
    p95Ms: point.p95Ms,
    p99Ms: point.p99Ms,
  };
}
