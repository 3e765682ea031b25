/**
 * Whether an origin at the other end of an HTTP/2 connection still lives: while exchanges are under way and nothing is
 * heard, it is asked (PING, RFC 9113 §6.7), and its silence to that is its end. One that is gone without a word shows in
 * no other way: TCP waits for a quarter of an hour.
 *
 * It is asked seldom, because gRPC servers close connections that are pinged more often while nothing is said
 * ("too_many_pings"; docs/decisions/0055).
 */
import type { Clock, Schedule } from "../kernel/clock.ts";

export interface SignOfLifePlace {
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** Sends PING. */
  ask(): void;
  /** `silentMs`: since anything was heard. */
  onSilence(silentMs: number): void;
}

const LOOK_MS = 5_000;
/** Silence under an exchange after which the origin is asked for a sign of life, and how long that may take. */
const SILENT_MS = 10_000;
const PONG_MS = 5_000;
const ASK_AGAIN_MS = 5 * 60_000;

export class SignOfLife {
  /** When bytes last came. */
  #heardAt: number;
  /** The same for anything but an answer to a question of ours. */
  #saidAt = 0;
  #askedAt = -Infinity;
  #asking = false;
  #cancelLook: (() => void) | null = null;
  readonly #place: SignOfLifePlace;

  constructor(place: SignOfLifePlace) {
    this.#place = place;
    this.#heardAt = place.clock.monotonic();
  }

  /** Exchanges are under way. */
  watch(): void {
    this.#cancelLook ??= this.#place.schedule(LOOK_MS, () => this.#look());
  }

  rest(): void {
    this.#cancelLook?.();
    this.#cancelLook = null;
  }

  /** Bytes have come. */
  heard(): void {
    this.#heardAt = this.#place.clock.monotonic();
  }

  /** They were something else than PING. */
  said(): void {
    this.#saidAt = this.#heardAt;
  }

  answered(): void {
    this.#asking = false;
  }

  #look(): void {
    const now = this.#place.clock.monotonic();
    this.#cancelLook = this.#place.schedule(LOOK_MS, () => this.#look());
    if (this.#asking) {
      if (now - this.#askedAt < PONG_MS || this.#heardAt >= this.#askedAt) return;
      this.#place.onSilence(now - this.#heardAt);
      return;
    }
    const isSilent = now - this.#heardAt >= SILENT_MS;
    const wasAsked = this.#saidAt < this.#askedAt && now - this.#askedAt < ASK_AGAIN_MS;
    if (!isSilent || wasAsked) return;
    this.#asking = true;
    this.#askedAt = now;
    this.#place.ask();
  }
}
