/**
 * Whether an HTTP/2 connection to an origin is in use, idle or closed, as it is counted for those who look; and for how
 * long it may be idle.
 */
import type { Schedule } from "../kernel/clock.ts";
import type { Http2Transport } from "../kernel/socket.ts";

export interface StandingPlace {
  readonly schedule: Schedule;
  /** As it is configured now. */
  readonly http2: Http2Transport;
}

export class SessionStanding {
  #is: "busy" | "idle" | "closed" = "busy";
  #cancelIdle: (() => void) | null = null;
  readonly #place: StandingPlace;
  readonly #onIdledOut: () => void;

  /** It is open, and waited for. */
  constructor(place: StandingPlace, onIdledOut: () => void) {
    this.#place = place;
    this.#onIdledOut = onIdledOut;
    place.http2.sessions.open += 1;
  }

  busy(): void {
    this.#cancelIdle?.();
    this.#cancelIdle = null;
    if (this.#is === "idle") this.#place.http2.sessions.idle -= 1;
    if (this.#is !== "closed") this.#is = "busy";
  }

  idle(): void {
    this.busy();
    if (this.#is === "closed") return;
    this.#cancelIdle = this.#place.schedule(this.#place.http2.idleMs, this.#onIdledOut);
    this.#is = "idle";
    this.#place.http2.sessions.idle += 1;
  }

  closed(): void {
    this.busy();
    if (this.#is === "closed") return;
    this.#is = "closed";
    this.#place.http2.sessions.open -= 1;
  }
}
