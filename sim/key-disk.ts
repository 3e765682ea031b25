/**
 * The disk on which a simulated gateway keeps what it promised for each Idempotency-Key. What it is told becomes
 * durable a little later; a crash loses what was not, and sometimes what nobody has heard of is durable all the same.
 */
import { memoryLedger } from "../test/support/memory-ledger.ts";
import type { MemoryLedger } from "../test/support/memory-ledger.ts";
import type { Ledger } from "../src/kernel/ledger.ts";
import type { SeededChance } from "./chance.ts";
import type { VirtualClock } from "./virtual-clock.ts";

const COMMIT_MS = [0.2, 4] as const;

export class KeyDisk {
  readonly #clock: VirtualClock;
  readonly #chance: SeededChance;
  #kept: MemoryLedger = memoryLedger();

  constructor(clock: VirtualClock, chance: SeededChance) {
    this.#clock = clock;
    this.#chance = chance;
  }

  /** For one process, until the next crash. */
  open(): Ledger {
    const kept = this.#kept;
    const soon = (): void => {
      this.#clock.schedule(this.#chance.between(...COMMIT_MS), () => {
        if (kept === this.#kept) kept.commit();
      });
    };
    return {
      view: () => kept.view(),
      begin: (entry, done) => (kept.begin(entry, done), soon()),
      again: (id, requestId, done) => (kept.again(id, requestId, done), soon()),
      answer: (id, answer, done) => (kept.answer(id, answer, done), soon()),
      mark: (id, state, done) => (kept.mark(id, state, done), soon()),
      forget: (id, done) => (kept.forget(id, done), soon()),
      find: (filter, done) => (kept.find(filter, done), soon()),
    };
  }

  /** The process that wrote to it is gone. */
  crash(): void {
    for (let heard = false; !heard && this.#kept.waiting > 0; heard = this.#chance.happens(0.5)) {
      this.#kept.commitUnheard();
    }
    this.#kept = this.#kept.afterCrash();
  }
}
