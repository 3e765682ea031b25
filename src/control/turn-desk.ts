/**
 * Who of several workers may try something again: an ejected origin, an open breaker, a request that broke others. One
 * at a time, so that what is tried is asked by one request of the node and not by one of each worker.
 *
 * Whoever asks first gets it and keeps it until it says that it is over. One that lies with a worker which has no
 * request for it is called back for another that has; a worker that is gone has given back all of its turns.
 */
import type { TurnKey } from "../contract/shared-knowledge.ts";

export interface TurnHolder {
  give(turn: TurnKey): void;
  /** To be given back unless it is in use. */
  recall(turn: TurnKey): void;
}

interface Turn {
  holder: TurnHolder;
  since: number;
  /** Who asked next; null: nobody. */
  next: TurnHolder | null;
}

/** For this long it is left with whoever has it, so that two who ask by turns do not only pass it to each other. */
const LEFT_MS = 2_000;
/** A trial is given up after this long; a holder that never said so is forgotten. */
const HELD_MAX_MS = 60_000;
const TURNS_MAX = 4_096;

export class TurnDesk {
  readonly #turns = new Map<TurnKey, Turn>();

  want(turn: TurnKey, holder: TurnHolder, now: number): void {
    const known = this.#turns.get(turn);
    if (known === undefined || now - known.since >= HELD_MAX_MS) {
      this.#give(turn, holder, now);
      return;
    }
    if (known.holder === holder) {
      // It was told and has not heard: a message that crossed this one.
      holder.give(turn);
      return;
    }
    if (now - known.since < LEFT_MS) return;
    if (known.next === null) known.holder.recall(turn);
    known.next = holder;
  }

  over(turn: TurnKey, holder: TurnHolder, now: number): void {
    const known = this.#turns.get(turn);
    if (known?.holder !== holder) return;
    this.#turns.delete(turn);
    if (known.next !== null) this.#give(turn, known.next, now);
  }

  /** A worker is gone. */
  leave(holder: TurnHolder, now: number): void {
    for (const [turn, known] of this.#turns) {
      if (known.next === holder) known.next = null;
      if (known.holder === holder) this.over(turn, holder, now);
    }
  }

  #give(turn: TurnKey, holder: TurnHolder, now: number): void {
    this.#turns.delete(turn);
    this.#turns.set(turn, { holder, since: now, next: null });
    if (this.#turns.size > TURNS_MAX) {
      for (const oldest of this.#turns.keys()) {
        this.#turns.delete(oldest);
        break;
      }
    }
    holder.give(turn);
  }
}
