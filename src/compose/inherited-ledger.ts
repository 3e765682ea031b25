/**
 * A ledger of keys that changes its place while it is used: first the predecessor's, over the channel, then one of our
 * own. In between, for the moment in which one process closes the file and the other opens it, what is asked waits; so
 * at no time two processes decide about one key, and at no time none does.
 */
import type { Begun, KeyState, Ledger, LedgerAnswer, LedgerEntry } from "../kernel/ledger.ts";
import type { LedgerFailure, LedgerFilter, LedgerView, NewLedgerEntry } from "../kernel/ledger.ts";

/** Of what waits for the file to change hands. */
const WAITING_MAX = 10_000;
const BUSY: LedgerFailure = {
  kind: "failed",
  code: "busy",
  detail: "the ledger changes hands, and too many operations wait for it",
};

export class InheritedLedger implements Ledger {
  /** Null: it is changing hands. */
  #now: Ledger | null;
  #waiting: ((ledger: Ledger) => void)[] = [];
  #asked = 0;
  #whenQuiet: () => void = () => undefined;
  /** Keys that exchanges of this process work on. */
  readonly #underWay = new Set<string>();
  /** Who waits until another process does not work on a key any more. */
  readonly #awaiting = new Set<() => void>();

  constructor(predecessors: Ledger) {
    this.#now = predecessors;
  }

  /** Recorded as started, and how they end is not known yet: no interruption, when the file is opened. */
  get underWay(): readonly string[] {
    return [...this.#underWay];
  }

  /** From now on everything waits. Resolves when what was asked has been answered. */
  hold(): Promise<void> {
    this.#now = null;
    return new Promise((resolve) => {
      this.#whenQuiet = () => {
        if (this.#asked === 0) resolve();
      };
      this.#whenQuiet();
    });
  }

  /** It is ours. What waited goes to it in the order in which it was asked. */
  open(own: Ledger): void {
    this.#now = own;
    for (const ask of this.#waiting.splice(0)) ask(own);
    // Whoever worked on those has ended.
    for (const over of this.#awaiting) over();
  }

  view(): LedgerView {
    return this.#now?.view() ?? { keys: 0, bytes: 0 };
  }

  begin(entry: NewLedgerEntry, done: (begun: Begun) => void): void {
    this.#ask<Begun>(
      (ledger, answered) => ledger.begin(entry, answered),
      (begun) => {
        if (begun.kind === "begun") this.#underWay.add(entry.id);
        done(begun);
      },
    );
  }

  again(id: string, requestId: string, done: (failure: LedgerFailure | null) => void): void {
    this.#underWay.add(id);
    this.#ask((ledger, answered) => ledger.again(id, requestId, answered), done);
  }

  answer(id: string, answer: LedgerAnswer, done: (failure: LedgerFailure | null) => void): void {
    this.#ask((ledger, answered) => ledger.answer(id, answer, answered), done);
  }

  mark(id: string, state: Exclude<KeyState, { kind: "started" }>, done: (failure: LedgerFailure | null) => void): void {
    this.#ask((ledger, answered) => ledger.mark(id, state, answered), done);
  }

  forget(id: string, done: (failure: LedgerFailure | null) => void): void {
    this.#ask((ledger, answered) => ledger.forget(id, answered), done);
  }

  find(filter: LedgerFilter, done: (found: readonly LedgerEntry[] | LedgerFailure) => void): void {
    this.#ask((ledger, answered) => ledger.find(filter, answered), done);
  }

  over(id: string): void {
    this.#underWay.delete(id);
    this.#now?.over?.(id);
  }

  whenOver(id: string, done: () => void): () => void {
    let cancel: () => void = () => undefined;
    const over = (): void => {
      cancel();
      if (this.#awaiting.delete(over)) done();
    };
    this.#awaiting.add(over);
    cancel = this.#now?.whenOver?.(id, over) ?? cancel;
    return () => {
      cancel();
      this.#awaiting.delete(over);
    };
  }

  #ask<Answer>(
    ask: (ledger: Ledger, answered: (answer: Answer | LedgerFailure) => void) => void,
    done: (answer: Answer | LedgerFailure) => void,
  ): void {
    const begin = (ledger: Ledger): void => {
      this.#asked += 1;
      ask(ledger, (answer) => {
        this.#asked -= 1;
        done(answer);
        this.#whenQuiet();
      });
    };
    if (this.#now !== null) begin(this.#now);
    else if (this.#waiting.length < WAITING_MAX) this.#waiting.push(begin);
    else queueMicrotask(() => done(BUSY));
  }
}
