/**
 * Counters by name. Those of what has left the configuration, or the answer of its name, stay for when it comes back:
 * the last thousand of them, because names that never come back must not add up.
 */
const GONE_MAX = 1_000;

export class KeptCounters<Counters> {
  readonly #all = new Map<string, Counters>();
  /** Oldest first. */
  readonly #gone = new Set<string>();

  /** As they are, or new ones. */
  of(name: string, make: () => Counters): Counters {
    this.#gone.delete(name);
    const known = this.#all.get(name);
    if (known !== undefined) return known;
    const made = make();
    this.#all.set(name, made);
    return made;
  }

  left(name: string): void {
    this.#gone.delete(name);
    this.#gone.add(name);
    for (const oldest of this.#gone) {
      if (this.#gone.size <= GONE_MAX) break;
      this.#gone.delete(oldest);
      this.#all.delete(oldest);
    }
  }

  /** Also of what is gone. */
  values(): IterableIterator<Counters> {
    return this.#all.values();
  }
}
