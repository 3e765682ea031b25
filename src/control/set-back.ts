/**
 * Whether the clock that facts are stamped with was set back. A machine that starts with a wrong clock is put right a
 * minute later, by hours; whoever waits for the old time to come again would see nothing for so long.
 *
 * One fact that comes late is no such thing, and neither is one of two tellers whose clock is slow: it takes several
 * facts in a row, all of them far behind, and none that is not.
 */

const FAR_MS = 10_000;
const IN_A_ROW = 5;

export class SetBack {
  #newest = Number.NEGATIVE_INFINITY;
  #behind = 0;

  /** Of each second that is told, in order. By how much time went back, in ms, when that is certain now; otherwise 0. */
  heed(at: number): number {
    if (at >= this.#newest - FAR_MS) {
      this.#newest = Math.max(this.#newest, at);
      this.#behind = 0;
      return 0;
    }
    this.#behind += 1;
    if (this.#behind < IN_A_ROW) return 0;
    const byMs = this.#newest - at;
    this.#newest = at;
    this.#behind = 0;
    return byMs;
  }
}
