/**
 * Timeouts by the ten thousand, cheap. Each connection moves its deadline several times in an exchange, and
 * nearly none ever fires; so a timer is one object that its owner keeps, moving a deadline later is one store,
 * and slots are visited on a coarse tick. A timeout is late by at most one tick and never early.
 *
 * It also notices when the process itself stood still: after a stall nothing fires until one more tick has
 * passed, so that bytes which arrived meanwhile are read before somebody is blamed for silence.
 */
const SLOTS = 2048;
const MASK = SLOTS - 1;

export interface TimerOwner {
  onTimer(timer: WheelTimer, now: number): void;
  /** `onTimer` threw, which only a defect of ours does. */
  onFault(error: unknown): void;
}

export class WheelTimer {
  /** Monotonic ms; Infinity: not armed. */
  deadline = Infinity;
  readonly owner: TimerOwner;
  /** The tick whose slot holds it; -1: in none. */
  tick = -1;
  previous: WheelTimer | null = null;
  next: WheelTimer | null = null;

  constructor(owner: TimerOwner) {
    this.owner = owner;
  }
}

export class TimerWheel {
  readonly tickMs: number;
  /** Length and end of the last stall, monotonic ms; zero when there was none. */
  stallMs = 0;
  stallEndedAt = 0;
  readonly #slots: (WheelTimer | null)[] = Array.from({ length: SLOTS }, () => null);
  readonly #stallFromMs: number;
  #tick: number;
  #lastAdvance: number;
  #postponed = false;

  /** `now` in monotonic ms; a gap between two ticks of more than `stallFromMs` is a stall. */
  constructor(now: number, tickMs = 50, stallFromMs = 250) {
    this.tickMs = tickMs;
    this.#stallFromMs = stallFromMs;
    this.#tick = Math.floor(now / tickMs);
    this.#lastAdvance = now;
  }

  /** Fires `delayMs` after `now`, or up to one tick later. Replaces the deadline it had. */
  arm(timer: WheelTimer, now: number, delayMs: number): void {
    const deadline = now + delayMs;
    timer.deadline = deadline;
    const tick = Math.max(Math.ceil(deadline / this.tickMs), this.#tick + 1);
    // Later than where it waits: it is looked at there and moved on then.
    if (timer.tick !== -1 && timer.tick <= tick) return;
    if (timer.tick !== -1) this.#unlink(timer);
    this.#link(timer, Math.min(tick, this.#tick + MASK));
  }

  /** Cheap, for timers that will soon be armed again: stays in its slot until that is visited. */
  disarm(timer: WheelTimer): void {
    timer.deadline = Infinity;
  }

  /** Takes it out, for owners that go away. */
  remove(timer: WheelTimer): void {
    timer.deadline = Infinity;
    if (timer.tick !== -1) this.#unlink(timer);
  }

  /** Visits the slots up to `now` and fires what is due. Called on every tick. */
  advance(now: number): void {
    const gap = now - this.#lastAdvance;
    this.#lastAdvance = now;
    if (gap > this.#stallFromMs) {
      this.stallMs = gap;
      this.stallEndedAt = now;
      // Once, not for ever: a process that is late at every tick must still time out what is due.
      this.#postponed = !this.#postponed;
      if (this.#postponed) return;
    } else this.#postponed = false;
    const last = Math.floor(now / this.tickMs);
    // After a very long stall one revolution visits every slot there is.
    if (last - this.#tick > SLOTS) this.#tick = last - SLOTS;
    while (this.#tick < last) {
      this.#tick += 1;
      this.#visit(this.#tick, now);
    }
  }

  /** How long no tick has come, where that is a stall that none has noticed yet; otherwise 0. */
  unnoticedStallMs(now: number): number {
    const gap = now - this.#lastAdvance;
    return gap > this.#stallFromMs ? gap : 0;
  }

  #visit(tick: number, now: number): void {
    const slot = tick & MASK;
    // Taken one by one from the front, because firing one may remove or arm any other. None lands here again:
    // `arm` puts a timer at least one tick ahead and less than a whole revolution.
    for (let timer = this.#slots[slot] ?? null; timer !== null; timer = this.#slots[slot] ?? null) {
      this.#unlink(timer);
      if (timer.deadline <= now) {
        timer.deadline = Infinity;
        this.#fire(timer, now);
      } else if (timer.deadline !== Infinity) {
        this.arm(timer, now, timer.deadline - now);
      }
    }
  }

  /** One owner's defect must not keep the timers behind it from firing. */
  #fire(timer: WheelTimer, now: number): void {
    try {
      timer.owner.onTimer(timer, now);
    } catch (error) {
      timer.owner.onFault(error);
    }
  }

  #link(timer: WheelTimer, tick: number): void {
    const slot = tick & MASK;
    const first = this.#slots[slot] ?? null;
    timer.tick = tick;
    timer.previous = null;
    timer.next = first;
    if (first !== null) first.previous = timer;
    this.#slots[slot] = timer;
  }

  #unlink(timer: WheelTimer): void {
    if (timer.previous !== null) timer.previous.next = timer.next;
    else this.#slots[timer.tick & MASK] = timer.next;
    if (timer.next !== null) timer.next.previous = timer.previous;
    timer.previous = null;
    timer.next = null;
    timer.tick = -1;
  }
}
