/**
 * Which single exchanges a worker tells while somebody watches: no more than a stream of events carries anyway
 * (admin/event-stream.ts), half of them kept for those that did not go well. The channel has better things to carry.
 */
import type { GatewayEvent } from "../contract/view.ts";
import type { Clock } from "../kernel/clock.ts";

const PER_SECOND = 200;

export class WatchedExchanges {
  /** Somebody watches. */
  on = false;
  readonly #clock: Clock;
  #secondBegan = -Infinity;
  #told = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether this event is worth telling now. */
  wants(event: GatewayEvent): boolean {
    if (event.kind !== "exchange") return true;
    if (!this.on) return false;
    const now = this.#clock.monotonic();
    if (now - this.#secondBegan >= 1_000) {
      this.#secondBegan = now;
      this.#told = 0;
    }
    if (this.#told >= (event.record.outcome === "served" ? PER_SECOND / 2 : PER_SECOND)) return false;
    this.#told += 1;
    return true;
  }
}
