/** What counters that only grow have grown by since they were last asked: how a second's facts are had for nothing. */
import type { SparseHistogram } from "../contract/facts.ts";
import { BUCKETS } from "../kernel/histogram.ts";
import type { Histogram } from "../kernel/histogram.ts";

/** A histogram as it was when it was last asked. */
export class HistogramSeen {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;
  #sumUs = 0;
  /** Of what came since, µs. */
  sumUs = 0;

  /** Sets `sumUs` too. */
  since(histogram: Histogram): SparseHistogram {
    this.sumUs = histogram.sumUs - this.#sumUs;
    this.#sumUs = histogram.sumUs;
    if (histogram.count === this.#count) return NOTHING;
    this.#count = histogram.count;
    const grown: [number, number][] = [];
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      const now = histogram.counts[bucket] ?? 0;
      const by = now - (this.#counts[bucket] ?? 0);
      if (by === 0) continue;
      grown.push([bucket, by]);
      this.#counts[bucket] = now;
    }
    return grown;
  }
}

const NOTHING: SparseHistogram = [];

/** What `counts` has more than `seen`, which is brought up to it. Those that have not grown are left out. */
export function countsSince<Key extends string>(
  counts: Readonly<Partial<Record<Key, number>>>,
  seen: Partial<Record<Key, number>>,
): Partial<Record<Key, number>> {
  const grown: Partial<Record<Key, number>> = {};
  for (const key in counts) {
    const now = counts[key] ?? 0;
    const by = now - (seen[key] ?? 0);
    if (by === 0) continue;
    grown[key] = by;
    seen[key] = now;
  }
  return grown;
}
