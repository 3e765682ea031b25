/**
 * A wait of an exchange: for its deadline, for a pause between attempts, for the moment at which an answer is late.
 * Made when there is something to wait for, and gone with its exchange.
 */
import type { TimerOwner, TimerWheel } from "../kernel/timer-wheel.ts";
import { WheelTimer } from "../kernel/timer-wheel.ts";

/** Goes on with `step` in a turn of its own; see `Exchange.later`. */
export interface Waits {
  later(step: (now: number) => void): void;
}

export class Wait implements TimerOwner {
  readonly #wheel: TimerWheel;
  readonly #owner: Waits;
  readonly #step: (now: number) => void;
  readonly #timer: WheelTimer = new WheelTimer(this);

  constructor(wheel: TimerWheel, owner: Waits, forMs: number, now: number, step: (now: number) => void) {
    this.#wheel = wheel;
    this.#owner = owner;
    this.#step = step;
    wheel.arm(this.#timer, now, Math.max(0, forMs));
  }

  cancel(): void {
    this.#wheel.remove(this.#timer);
  }

  onTimer(): void {
    this.#owner.later(this.#step);
  }

  onFault(error: unknown): void {
    // `later` answers for what its step throws.
    throw error;
  }
}
