/**
 * How much an origin can do: one queue, first come first served, and a pace at which it is worked off. So overload is
 * real: work waits for the work before it, and what nobody waits for any more is done all the same, because a process
 * does not see that its client has left before it answers. That is what keeps an overload alive after its cause.
 */
import type { VirtualClock } from "./virtual-clock.ts";

interface Work {
  readonly units: number;
  readonly done: () => void;
}

export class Capacity {
  /** The most that ever waited, what is being done included. */
  waitedMost = 0;
  readonly #clock: VirtualClock;
  #perSecond: number;
  #queue: Work[] = [];
  #next = 0;
  #cancel: (() => void) | null = null;

  constructor(clock: VirtualClock, perSecond: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
  }

  get perSecond(): number {
    return this.#perSecond;
  }

  get waiting(): number {
    return this.#queue.length - this.#next;
  }

  /** From the next piece of work on; 0: nothing is done until it changes again. */
  setPace(perSecond: number): void {
    this.#perSecond = perSecond;
    this.#goOn();
  }

  /** Calls `done` when its turn has come and it is done. */
  take(units: number, done: () => void): void {
    this.#queue.push({ units, done });
    this.waitedMost = Math.max(this.waitedMost, this.waiting);
    this.#goOn();
  }

  /** The process is gone, and all that waited in it. */
  clear(): void {
    this.#queue = [];
    this.#next = 0;
    this.#cancel?.();
    this.#cancel = null;
  }

  #goOn(): void {
    const work = this.#queue[this.#next];
    if (this.#cancel !== null || work === undefined || this.#perSecond <= 0) return;
    this.#cancel = this.#clock.schedule((work.units * 1000) / this.#perSecond, () => {
      this.#cancel = null;
      this.#next += 1;
      if (this.#next === this.#queue.length) this.clear();
      work.done();
      this.#goOn();
    });
  }
}
