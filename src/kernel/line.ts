/**
 * Members in the order in which they came, each of which knows its neighbours. For what comes and goes with every request:
 * streams, connections.
 *
 * Why not a Set or a Map. V8 makes a new table for one whenever so many have come and gone, and leaves the old one
 * pointing to it, with those in it that were there then. Once an old table has lived for long, collecting young objects
 * takes it for alive, and with it the table after it, and so on: every few dozen requests leave all that hangs on some of
 * them behind, until everything is collected. A quarter of the garbage of HTTP/2 was that, copied twice before it went.
 */

/** A member of one line at most. */
export interface InLine<T> {
  older: T | null;
  newer: T | null;
}

export class Line<T extends InLine<T>> implements Iterable<T> {
  oldest: T | null = null;
  newest: T | null = null;
  size = 0;

  /** To the end. It is in no line. */
  add(member: T): void {
    const { newest } = this;
    member.older = newest;
    if (newest === null) this.oldest = member;
    else newest.newer = member;
    this.newest = member;
    this.size += 1;
  }

  /** False: it is not in this line. A member of another one must not be given here. */
  delete(member: T): boolean {
    const { older, newer } = member;
    if (older === null && this.oldest !== member) return false;
    if (older === null) this.oldest = newer;
    else older.newer = newer;
    if (newer === null) this.newest = older;
    else newer.older = older;
    member.older = null;
    member.newer = null;
    this.size -= 1;
    return true;
  }

  has(member: T): boolean {
    return member.older !== null || this.oldest === member;
  }

  /** From the oldest. Each may leave in its turn. */
  *[Symbol.iterator](): Generator<T, void> {
    for (let member = this.oldest; member !== null;) {
      const { newer } = member;
      yield member;
      member = this.has(member) ? member.newer : newer;
    }
  }
}
