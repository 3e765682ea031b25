/**
 * How often something happened in the last while: ten slots, cleared as time passes them by.
 *
 * Why slots and not a list of instants: constant memory and an add that allocates nothing, whatever the
 * traffic. The price is that the window is between nine and ten tenths of its nominal length. Nothing is
 * done by a timer: a count that nobody asks for costs nothing, and a jump of the clock only empties it.
 *
 * The state is changed in place; it is plain data and survives JSON.
 */
const SLOTS = 10;

export interface SlidingCount {
  readonly slotMs: number;
  readonly slots: number[];
  /** Number of the slot that `now` fell into last, counted from the start of the clock. */
  slot: number;
  /** Sum of the slots. */
  total: number;
}

export function createSlidingCount(windowMs: number): SlidingCount {
  return { slotMs: Math.max(1, windowMs / SLOTS), slots: Array.from({ length: SLOTS }, () => 0), slot: 0, total: 0 };
}

export function addToCount(count: SlidingCount, amount: number, now: number): void {
  advance(count, now);
  const index = count.slot % SLOTS;
  count.slots[index] = (count.slots[index] ?? 0) + amount;
  count.total += amount;
}

/** The count over the window that ends at `now`. */
export function countAt(count: SlidingCount, now: number): number {
  advance(count, now);
  return count.total;
}

export function clearCount(count: SlidingCount): void {
  count.slots.fill(0);
  count.total = 0;
}

function advance(count: SlidingCount, now: number): void {
  const slot = Math.floor(now / count.slotMs);
  const steps = slot - count.slot;
  // Also when `now` is older than what was seen: late news is counted in the newest slot.
  if (!(steps > 0)) return;
  count.slot = slot;
  if (steps >= SLOTS) {
    clearCount(count);
    return;
  }
  for (let back = 0; back < steps; back += 1) {
    const index = (slot - back) % SLOTS;
    count.total -= count.slots[index] ?? 0;
    count.slots[index] = 0;
  }
}
