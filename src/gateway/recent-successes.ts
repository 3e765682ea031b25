/**
 * What has just been answered, as far as a ring of the last few hundred requests remembers. Looked into only when a
 * connection breaks, to tell a request that kills from one that many ask and that was there when something died.
 * Filling it is three stores for each answer; a table by fingerprint would need a hash of each.
 */
const KEPT = 256;

export class RecentSuccesses {
  readonly #methods: string[] = Array.from({ length: KEPT }, () => "");
  readonly #targets: string[] = Array.from({ length: KEPT }, () => "");
  readonly #at = new Float64Array(KEPT);
  #next = 0;

  add(method: string, target: string, now: number): void {
    const place = this.#next;
    this.#next = (place + 1) % KEPT;
    this.#methods[place] = method;
    this.#targets[place] = target;
    this.#at[place] = now;
  }

  /** Monotonic ms of the newest, or -Infinity. */
  last(method: string, target: string): number {
    for (let back = 1; back <= KEPT; back += 1) {
      const place = (this.#next + KEPT - back) % KEPT;
      if (this.#targets[place] === target && this.#methods[place] === method) return this.#at[place] ?? -Infinity;
    }
    return -Infinity;
  }
}
