/**
 * Time that passes only when everything due has happened. One queue of events, ordered by instant and, within an
 * instant, by the order in which they were asked for; so the same seed always gives the same run, and a minute of
 * waiting costs nothing.
 *
 * The program under it still has promises of its own (start, drain). They get their turns before time
 * goes on.
 */
import type { Clock } from "../src/kernel/clock.ts";

/** Not zero, so that code which takes 0 for "never" is found out; with a fraction, as the real clock has. */
const STARTS_AT_MS = 4_321.25;
const WALL_AT_START_MS = Date.UTC(2027, 0, 1);
/** How deep a chain of promises may be that an event sets off: `drain` over `close` over the listeners' own. */
const TURNS_PER_INSTANT = 4;
/** Most timers are cancelled long before they are due: beyond this many of them the queue is cleared of them. */
const CANCELLED_MIN = 1_000;
/** An instant in which this many events happen is a loop that feeds itself. */
const EVENTS_PER_INSTANT_MAX = 200_000;

/** Awaiting it lets every promise that is settled by now do what hangs on it. */
export const TURN: Promise<void> = Promise.resolve();

interface TimedEvent {
  readonly at: number;
  readonly order: number;
  run: (() => void) | null;
}

export class VirtualClock implements Clock {
  /** Events that have happened. */
  happened = 0;
  /** Hears what an event threw; without it the run ends. */
  onFault: ((error: unknown) => void) | null = null;
  #queue: TimedEvent[] = [];
  #now = STARTS_AT_MS;
  #order = 0;
  #waiting = 0;

  monotonic(): number {
    return this.#now;
  }

  wall(): number {
    return Math.floor(WALL_AT_START_MS + this.#now - STARTS_AT_MS);
  }

  /** ms since the run began, for people. */
  get elapsedMs(): number {
    return this.#now - STARTS_AT_MS;
  }

  /** Events that wait to happen. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Never runs inside this call. */
  schedule(ms: number, run: () => void): () => void {
    const event: TimedEvent = { at: this.#now + Math.max(0, ms), order: (this.#order += 1), run };
    this.#waiting += 1;
    this.#push(event);
    return () => {
      if (event.run === null) return;
      event.run = null;
      this.#waiting -= 1;
      const cancelled = this.#queue.length - this.#waiting;
      if (cancelled > CANCELLED_MIN && cancelled > this.#waiting) this.#clear();
    };
  }

  every(ms: number, run: () => void): () => void {
    let cancel: () => void = () => undefined;
    let over = false;
    const again = (): void => {
      cancel = this.schedule(ms, () => {
        run();
        // It may have been stopped by what it just did.
        if (!over) again();
      });
    };
    again();
    return () => {
      over = true;
      cancel();
    };
  }

  /** The process stands still: everything that falls due meanwhile happens at its end, in order. */
  stall(ms: number): void {
    this.#now += ms;
  }

  /** Lets everything happen for `ms`, or until `isDone` says so after an event, or until nothing is left. */
  async run(ms: number, isDone: () => boolean = () => false): Promise<void> {
    const until = this.#now + ms;
    let sameInstant = 0;
    for (let event = this.#queue[0]; event !== undefined && event.at <= until; event = this.#queue[0]) {
      this.#pop();
      const { run } = event;
      if (run === null) continue;
      event.run = null;
      this.#waiting -= 1;
      sameInstant = event.at > this.#now ? 0 : sameInstant + 1;
      if (sameInstant > EVENTS_PER_INSTANT_MAX) throw new Error(`time stands still at ${this.elapsedMs} ms`);
      this.#now = Math.max(this.#now, event.at);
      this.happened += 1;
      this.#happen(run);
      if (!this.#isMoreNow()) {
        // oxlint-disable-next-line no-await-in-loop -- The turns that promises get are what this waits for.
        for (let turn = 0; turn < TURNS_PER_INSTANT; turn += 1) await TURN;
      }
      if (isDone()) return;
    }
    if (until !== Infinity) this.#now = Math.max(this.#now, until);
  }

  #isMoreNow(): boolean {
    const next = this.#queue[0];
    return next !== undefined && next.at <= this.#now;
  }

  #happen(run: () => void): void {
    if (this.onFault === null) {
      run();
      return;
    }
    try {
      run();
    } catch (error) {
      this.onFault(error);
    }
  }

  /** An ascending list is a heap, too. */
  #clear(): void {
    this.#queue = this.#queue.filter(({ run }) => run !== null).sort((one, other) => (isBefore(one, other) ? -1 : 1));
  }

  // A binary heap: the smallest at the front, each parent before its two children.

  #push(event: TimedEvent): void {
    const queue = this.#queue;
    let at = queue.length;
    queue.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = queue[parent];
      if (above === undefined || isBefore(above, event)) break;
      queue[at] = above;
      at = parent;
    }
    queue[at] = event;
  }

  #pop(): void {
    const queue = this.#queue;
    const last = queue.pop();
    if (last === undefined || queue.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      let below = queue[child];
      if (below === undefined) break;
      const right = queue[child + 1];
      if (right !== undefined && isBefore(right, below)) {
        child += 1;
        below = right;
      }
      if (isBefore(last, below)) break;
      queue[at] = below;
      at = child;
    }
    queue[at] = last;
  }
}

function isBefore(one: TimedEvent, other: TimedEvent): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
