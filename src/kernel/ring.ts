/**
 * Keeps the newest items up to a bound. What falls out is handed to `onEvict`, so that an index beside the
 * ring can forget it or a counter can tell that something was lost. One array, filled once and then written
 * over in place: pushing allocates nothing.
 *
 * It does not search, sort or age; whoever needs that keeps its own order beside it.
 */
export class Ring<T extends NonNullable<unknown>> {
  readonly capacity: number;
  readonly #onEvict: ((item: T) => void) | null;
  readonly #slots: T[] = [];
  /** Where the next item goes once all slots are filled: the place of the oldest. */
  #oldest = 0;

  /** `capacity` 0 keeps nothing: every item is evicted as it comes. */
  constructor(capacity: number, onEvict: ((item: T) => void) | null = null) {
    if (!Number.isSafeInteger(capacity) || capacity < 0) throw new RangeError(`not a capacity: ${capacity}`);
    this.capacity = capacity;
    this.#onEvict = onEvict;
  }

  get size(): number {
    return this.#slots.length;
  }

  push(item: T): void {
    if (this.#slots.length < this.capacity) {
      this.#slots.push(item);
      return;
    }
    // Undefined only where there are no slots at all.
    const evicted = this.#slots[this.#oldest] ?? item;
    if (this.capacity > 0) {
      this.#slots[this.#oldest] = item;
      this.#oldest = this.#oldest + 1 === this.capacity ? 0 : this.#oldest + 1;
    }
    this.#onEvict?.(evicted);
  }

  /** Newest first. Pushing while this runs may skip or repeat items; copy with `[...]` first if that matters. */
  *newestFirst(): Generator<T, void, undefined> {
    for (let back = 1; back <= this.#slots.length; back += 1) {
      const index = (this.#oldest + this.#slots.length - back) % this.#slots.length;
      const item = this.#slots[index];
      if (item !== undefined) yield item;
    }
  }
}
