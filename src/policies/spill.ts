/**
 * How the traffic of a service is shared between its pools, given what each can take: the first pool gets all
 * until it has less capacity than is needed, then the next ones get the rest, in order, and none more than it
 * can take. A neighbour that is toppled by what it was given is a second outage, so what nobody has room for
 * stays with the first pool that works: its own limits shed it.
 *
 * Capacity that has just come back is trusted last: it is used when the rest would have nowhere to go.
 *
 * Shares are parts of 1 and deterministic; an exchange takes its pool by a roll. Pure, no state.
 */
export interface PoolRoom {
  /** What it can take now, as a part of what is needed. */
  readonly live: number;
  /** The part of that which has been there for long enough. */
  readonly trusted: number;
}

/** `order`: indexes into `rooms`, the first pool first. One share for each pool; they sum up to 1. */
export function shareOut(rooms: readonly PoolRoom[], order: readonly number[]): number[] {
  const shares = rooms.map(() => 0);
  let left = 1;
  const give = (index: number, room: number): void => {
    const part = Math.min(left, Math.max(0, room));
    shares[index] = (shares[index] ?? 0) + part;
    left -= part;
  };
  for (const index of order) give(index, rooms[index]?.trusted ?? 0);
  for (const index of order) give(index, (rooms[index]?.live ?? 0) - (shares[index] ?? 0));
  const works = order.find((index) => (rooms[index]?.live ?? 0) > 0) ?? order[0];
  if (works !== undefined && left > 0) shares[works] = (shares[works] ?? 0) + left;
  return shares;
}

/** The pool of an exchange: `roll` in [0, 1). */
export function poolByRoll(shares: readonly number[], roll: number): number {
  let left = roll;
  let last = 0;
  for (let index = 0; index < shares.length; index += 1) {
    const share = shares[index] ?? 0;
    if (share <= 0) continue;
    last = index;
    left -= share;
    if (left < 0) return index;
  }
  // A crumb of rounding belongs to the last one that has a share.
  return last;
}
