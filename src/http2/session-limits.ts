/** What one HTTP/2 connection of a client may do (listeners[].http2), and what it is bounded by when it does more. */
import type { MessageLimits } from "../http1/parser.ts";

export interface SessionLimits {
  /** Requests at the same time. */
  readonly streamsMax: number;
  /** Content that a client may send ahead for one request; four times as much for all of its connection. */
  readonly windowBytes: number;
  /** Requests that end by a reset before they are answered, in a minute. */
  readonly resetsPerMinute: number;
  /** Frames that ask for nothing, in a minute. */
  readonly idleFramesPerMinute: number;
  readonly heads: MessageLimits;
}

/** A window that is opened by less asks for hardly anything: a response would be cut into crumbs (CVE-2019-9511). */
export const CRUMB_BYTES = 256;

/**
 * What may happen so often in a minute, and all of it at once. Nothing is refunded before time has passed, so a client
 * that goes up to the limit again and again has the same on average.
 */
export class Allowance {
  readonly #perMinute: number;
  #left: number;
  #at: number;

  constructor(perMinute: number, now: number) {
    this.#perMinute = perMinute;
    this.#left = perMinute;
    this.#at = now;
  }

  /** False: it was one too many. `now` is asked for only when there is nothing left. */
  take(now: () => number): boolean {
    this.#left -= 1;
    if (this.#left >= 0) return true;
    const at = now();
    this.#left = Math.min(this.#perMinute, this.#left + ((at - this.#at) / 60_000) * this.#perMinute);
    this.#at = at;
    return this.#left >= 0;
  }

  /** Something useful came between. */
  giveBack(count: number): void {
    if (this.#left < this.#perMinute) this.#left += count;
  }
}
