/**
 * A ledger that somebody else still has: what is asked of it waits until it is opened here, so that no key is begun
 * while a promise about it may be made elsewhere. What waits is bounded; beyond that the answer is "busy" at once.
 */
import type { Begun, KeyState, Ledger, LedgerAnswer, LedgerEntry } from "../kernel/ledger.ts";
import type { LedgerFailure, LedgerFilter, LedgerView, NewLedgerEntry } from "../kernel/ledger.ts";

const WAITING_MAX = 10_000;
const BUSY: LedgerFailure = {
  kind: "failed",
  code: "busy",
  detail: "the process that was here before still has the ledger, and too many operations wait for it",
};

export class LateLedger implements Ledger {
  #ledger: Ledger | null = null;
  #waiting: ((ledger: Ledger) => void)[] = [];

  /** From now on it is this one; what waited goes to it in the order in which it was asked. */
  open(ledger: Ledger): void {
    this.#ledger = ledger;
    for (const ask of this.#waiting.splice(0)) ask(ledger);
  }

  view(): LedgerView {
    return this.#ledger?.view() ?? { keys: 0, bytes: 0 };
  }

  begin(entry: NewLedgerEntry, done: (begun: Begun) => void): void {
    this.#ask((ledger) => ledger.begin(entry, done), done);
  }

  again(id: string, requestId: string, done: (failure: LedgerFailure | null) => void): void {
    this.#ask((ledger) => ledger.again(id, requestId, done), done);
  }

  answer(id: string, answer: LedgerAnswer, done: (failure: LedgerFailure | null) => void): void {
    this.#ask((ledger) => ledger.answer(id, answer, done), done);
  }

  mark(id: string, state: Exclude<KeyState, { kind: "started" }>, done: (failure: LedgerFailure | null) => void): void {
    this.#ask((ledger) => ledger.mark(id, state, done), done);
  }

  forget(id: string, done: (failure: LedgerFailure | null) => void): void {
    this.#ask((ledger) => ledger.forget(id, done), done);
  }

  find(filter: LedgerFilter, done: (found: readonly LedgerEntry[] | LedgerFailure) => void): void {
    this.#ask((ledger) => ledger.find(filter, done), done);
  }

  #ask(ask: (ledger: Ledger) => void, refuse: (failure: LedgerFailure) => void): void {
    if (this.#ledger !== null) ask(this.#ledger);
    else if (this.#waiting.length < WAITING_MAX) this.#waiting.push(ask);
    else setImmediate(refuse, BUSY);
  }
}
