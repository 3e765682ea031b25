/**
 * The attempts at one address that wait for their first byte, oldest first, so that a wait can be seen to be too long
 * while it lasts. A list through the attempts themselves: each goes in and out once, in any order, and nothing is
 * allocated for it.
 */
import type { PinSign } from "../policies/pinning.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import type { ClientRequest } from "./client-request.ts";

/** A request, as far as it can be known again. */
export interface Asked {
  readonly request: ClientRequest;
  readonly record: ExchangeRecord;
}

export interface FirstByteWait {
  /** Monotonic ms when the attempt began. */
  readonly beganMs: number;
  /** Monotonic ms when the origin's turn began; -1: it does not wait. */
  turnMs: number;
  /** Monotonic ms when it was sent; -1: it has not been. */
  readonly sentMs: number;
  /** Its number among the attempts at its address. */
  readonly nth: number;
  asked(): Asked;
  /** Whether it keeps its origin busy, as far as anybody has looked. */
  pin: PinSign;
  /** It has been told as slow. */
  toldSlow: boolean;
  older: FirstByteWait | null;
  newer: FirstByteWait | null;
  /** No address of its pool says anything, while it waits. */
  onPoolSilent(now: number): void;
}

export class FirstByteWaits {
  oldest: FirstByteWait | null = null;
  #newest: FirstByteWait | null = null;
  /** Where those begin that have not been told as slow; null: all have. */
  #untold: FirstByteWait | null = null;

  add(wait: FirstByteWait, now: number): void {
    wait.turnMs = now;
    wait.older = this.#newest;
    wait.newer = null;
    if (this.#newest === null) this.oldest = wait;
    else this.#newest.newer = wait;
    this.#newest = wait;
    this.#untold ??= wait;
  }

  remove(wait: FirstByteWait): void {
    const { older, newer } = wait;
    if (older === null) this.oldest = newer;
    else older.newer = newer;
    if (newer === null) this.#newest = older;
    else newer.older = older;
    if (this.#untold === wait) this.#untold = newer;
    wait.older = null;
    wait.newer = null;
    wait.turnMs = -1;
  }

  /** The next that has waited for `slowFromMs` and has not been told; null: there is none. It counts as told. */
  nextSlow(slowFromMs: number, now: number): FirstByteWait | null {
    const wait = this.#untold;
    if (wait === null || now - wait.turnMs < slowFromMs) return null;
    this.#untold = wait.newer;
    wait.toldSlow = true;
    return wait;
  }
}
