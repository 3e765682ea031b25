/**
 * The ledger of keys as a worker has it: the one of the node, in another process, over the channel to the hub. Same
 * promises: what `done` says is durable, and calls take effect in the order in which they are made, because the channel
 * keeps it. One more is added: of two workers that get the same key at once, one is told that the other is at it.
 *
 * When the channel is gone nothing is known of what was asked for last, which is what "failed" leaves open.
 */
import type { FromHub, KeyOperation, KeyResult, ToHub } from "../contract/shared-knowledge.ts";
import type {
  Begun,
  KeyState,
  Ledger,
  LedgerAnswer,
  LedgerEntry,
  LedgerFailure,
  LedgerFilter,
  LedgerView,
  NewLedgerEntry,
} from "../kernel/ledger.ts";

/** What may wait for the other process; beyond it the answer is "busy" at once. */
const WAITING_MAX = 10_000;
const LOST: LedgerFailure = {
  kind: "failed",
  code: "closed",
  detail: "the process that keeps the keys of this node is gone",
};

export class RemoteLedger implements Ledger {
  readonly #send: (message: ToHub) => void;
  readonly #waiting = new Map<number, (result: KeyResult) => void>();
  readonly #awaited = new Map<string, Set<() => void>>();
  #number = 0;
  #view: LedgerView = { keys: 0, bytes: 0 };
  #isLost = false;

  constructor(send: (message: ToHub) => void) {
    this.#send = send;
  }

  view(): LedgerView {
    return this.#view;
  }

  begin(entry: NewLedgerEntry, done: (begun: Begun) => void): void {
    this.#ask({ op: "begin", entry }, (result) => {
      // What comes back for a `begin` is what a `begin` answers (control/ledger-desk.ts).
      if (result.kind !== "done" && result.kind !== "entries") done(result);
    });
  }

  again(id: string, requestId: string, done: (failure: LedgerFailure | null) => void): void {
    this.#ask({ op: "again", id, requestId }, (result) => done(failureIn(result)));
  }

  answer(id: string, answer: LedgerAnswer, done: (failure: LedgerFailure | null) => void): void {
    this.#ask({ op: "answer", id, answer }, (result) => done(failureIn(result)));
  }

  mark(id: string, state: Exclude<KeyState, { kind: "started" }>, done: (failure: LedgerFailure | null) => void): void {
    this.#ask({ op: "mark", id, state }, (result) => done(failureIn(result)));
  }

  forget(id: string, done: (failure: LedgerFailure | null) => void): void {
    this.#ask({ op: "forget", id }, (result) => done(failureIn(result)));
  }

  find(filter: LedgerFilter, done: (found: readonly LedgerEntry[] | LedgerFailure) => void): void {
    this.#ask({ op: "find", filter }, (result) => {
      if (result.kind === "entries") done(result.entries);
      else if (result.kind === "failed") done(result);
    });
  }

  over(id: string): void {
    if (!this.#isLost) this.#send({ kind: "key over", id });
  }

  whenOver(id: string, done: () => void): () => void {
    const waiting = this.#awaited.get(id) ?? new Set();
    this.#awaited.set(id, waiting.add(done));
    return () => {
      waiting.delete(done);
      if (waiting.size === 0 && this.#awaited.get(id) === waiting) this.#awaited.delete(id);
    };
  }

  hear(message: Extract<FromHub, { kind: "ledger" | "key over" }>): void {
    if (message.kind === "key over") {
      const waiting = this.#awaited.get(message.id);
      this.#awaited.delete(message.id);
      for (const done of waiting ?? []) done();
      return;
    }
    this.#view = message.view;
    this.#settle(message.number, message.result);
  }

  /** The channel has ended. */
  lost(): void {
    this.#isLost = true;
    for (const number of this.#waiting.keys()) this.#settle(number, LOST);
  }

  #ask(operation: KeyOperation, done: (result: KeyResult) => void): void {
    const { size } = this.#waiting;
    if (this.#isLost || size >= WAITING_MAX) {
      const failure: LedgerFailure = this.#isLost
        ? LOST
        : { kind: "failed", code: "busy", detail: `${size} operations wait for the process that keeps keys` };
      queueMicrotask(() => done(failure));
      return;
    }
    this.#number += 1;
    this.#waiting.set(this.#number, done);
    this.#send({ kind: "ledger", number: this.#number, operation });
  }

  #settle(number: number, result: KeyResult): void {
    const done = this.#waiting.get(number);
    if (done === undefined) return;
    this.#waiting.delete(number);
    done(result);
  }
}

function failureIn(result: KeyResult): LedgerFailure | null {
  return result.kind === "failed" ? result : null;
}
