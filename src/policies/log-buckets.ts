/**
 * Times sorted into buckets that grow by a factor: fine where times are short, few in all. A bucket holds what is
 * below its end and not below that of the one before it: a wait that has lasted until the end belongs to the next.
 */
export interface LogBuckets {
  /** The end of the first one, which holds everything that is shorter, too. */
  readonly leastMs: number;
  /** Buckets for each doubling. */
  readonly steps: number;
  /** How many there are; the last one has no end. */
  readonly count: number;
}

export function bucketIn({ leastMs, steps, count }: LogBuckets, ms: number): number {
  if (!(ms >= leastMs)) return 0;
  return Math.min(count - 1, 1 + Math.floor(Math.log2(ms / leastMs) * steps));
}

/** What everything in the bucket is below, in ms. */
export function endOfBucket({ leastMs, steps }: LogBuckets, bucket: number): number {
  return leastMs * 2 ** (bucket / steps);
}

export function emptyBuckets({ count }: LogBuckets): number[] {
  return Array.from({ length: count }, () => 0);
}
