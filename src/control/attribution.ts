/**
 * Where a disturbance is: which value of which dimension explains it. For each dimension the failures of each value are
 * compared with what the value would have if all were alike: its part of everything that was tried at the same time.
 * That is the baseline which nothing else disturbs, a change of load least of all.
 *
 * After Adtributor (Bhagwan et al., NSDI 2014): the *explained share* is the part of the failures that a set of values has,
 * the *surprise* is the Jensen–Shannon divergence between the set's part of the failures and its part of the traffic. Of the
 * dimensions whose smallest set explains enough and surprises enough, the one that surprises most is named;
 * among those that nest (address, origin, pool, provider) the narrowest. None is an answer: it is everywhere alike.
 */
export interface Tally {
  readonly value: string;
  readonly bad: number;
  readonly total: number;
}

export interface Culprits {
  readonly dimension: string;
  /** Worst first. */
  readonly values: readonly string[];
  /** Part of the failures that they have, 0–1. */
  readonly explained: number;
  /** Their part of what was tried, 0–1. */
  readonly exposure: number;
  readonly surprise: number;
}

const EXPLAINED_MIN = 0.8;
const LIFT_MIN = 1.4;
const SURPRISE_MIN = 0.02;
const VALUES_MAX = 8;

/** The smallest set of values that explains the failures and is more than its part of the traffic; null: it is even. */
export function culpritsOf(dimension: string, tallies: readonly Tally[]): Culprits | null {
  let bad = 0;
  let total = 0;
  for (const tally of tallies) {
    bad += tally.bad;
    total += tally.total;
  }
  if (bad === 0 || total === 0) return null;
  const overall = bad / total;
  const worst = tallies
    .filter((tally) => tally.bad > 0 && tally.bad / Math.max(1, tally.total) > overall)
    .toSorted((a, b) => excess(b, overall) - excess(a, overall) || (a.value < b.value ? -1 : 1));
  const values: string[] = [];
  let explained = 0;
  let exposure = 0;
  for (const tally of worst.slice(0, VALUES_MAX)) {
    values.push(tally.value);
    explained += tally.bad / bad;
    exposure += tally.total / total;
    if (explained >= EXPLAINED_MIN) break;
  }
  if (explained < EXPLAINED_MIN || values.length === 0) return null;
  const surprise = divergence(explained, exposure);
  if (explained < exposure * LIFT_MIN || surprise < SURPRISE_MIN) return null;
  return { dimension, values, explained, exposure, surprise };
}

/** Of candidates given from the narrowest to the widest: the most surprising; the narrower one when they are alike. */
export function narrowest(candidates: readonly (Culprits | null)[]): Culprits | null {
  let best: Culprits | null = null;
  for (const candidate of candidates) {
    if (candidate === null) continue;
    if (best === null || isBetter(candidate, best)) best = candidate;
  }
  return best;
}

function isBetter(candidate: Culprits, best: Culprits): boolean {
  // One wider value for many narrow ones says more in fewer words: the pool, not its four origins.
  if (candidate.values.length < best.values.length && candidate.surprise >= best.surprise * 0.8) return true;
  return candidate.surprise > best.surprise * 1.25;
}

function excess({ bad, total }: Tally, overall: number): number {
  return bad - total * overall;
}

/** Jensen–Shannon divergence of two yes-or-no distributions, in nats; 0: the same, ln 2: opposite. */
function divergence(p: number, q: number): number {
  return (half(p, q) + half(1 - p, 1 - q)) / 2;
}

function half(p: number, q: number): number {
  const middle = (p + q) / 2;
  return (p > 0 ? p * Math.log(p / middle) : 0) + (q > 0 ? q * Math.log(q / middle) : 0);
}
