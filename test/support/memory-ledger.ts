/**
 * The ledger of keys on a disk in memory: nothing is durable, and nobody hears of it, before a test says so. What a
 * crash leaves is what was committed, with everything that was started become uncertain.
 */
import type {
  Begun,
  KeyState,
  Ledger,
  LedgerAnswer,
  LedgerEntry,
  LedgerFailure,
  NewLedgerEntry,
} from "../../src/kernel/ledger.ts";

export interface MemoryLedger extends Ledger {
  /** Operations that are not durable yet. */
  readonly waiting: number;
  /** Makes the next one durable and tells so; the calls that this leads to wait again. */
  commit(): void;
  /** All that wait, and what they lead to. */
  commitAll(): void;
  /** The next one becomes durable, and nobody hears of it any more. */
  commitUnheard(): void;
  /** Not null: everything fails like this, and nothing becomes durable. */
  failure: LedgerFailure | null;
  /** What a new process finds. */
  afterCrash(): MemoryLedger;
  readonly entries: readonly LedgerEntry[];
}

interface Stored {
  readonly entry: LedgerEntry;
  readonly answer: LedgerAnswer | null;
}

export function memoryLedger(disk: ReadonlyMap<string, Stored> = new Map()): MemoryLedger {
  const stored = new Map(disk);
  const operations: { readonly perform: () => () => void; readonly refuse: (failure: LedgerFailure) => void }[] = [];

  function ask<Result>(perform: () => Result, done: (result: Result | LedgerFailure) => void): void {
    operations.push({
      perform: () => {
        const result = perform();
        return () => done(result);
      },
      refuse: done,
    });
  }

  function set(id: string, state: KeyState, answer: LedgerAnswer | null, requestId?: string): null {
    const before = stored.get(id);
    if (before === undefined) throw new Error(`key ${id} is missing`);
    const entry = { ...before.entry, state, requestId: requestId ?? before.entry.requestId };
    stored.set(id, { entry, answer });
    return null;
  }

  function begin(entry: NewLedgerEntry): Exclude<Begun, LedgerFailure> {
    const known = stored.get(entry.id);
    if (known !== undefined && known.entry.expiresAt > entry.startedAt) return { kind: "found", ...known };
    stored.set(entry.id, { entry: { ...entry, state: { kind: "started" } }, answer: null });
    return { kind: "begun" };
  }

  function answered(id: string, answer: LedgerAnswer): null {
    return set(id, { kind: "answered", status: answer.status, kept: true, because: "" }, answer);
  }

  const ledger: MemoryLedger = {
    failure: null,
    view: () => ({ keys: stored.size, bytes: 0 }),
    begin: (entry, done) => ask(() => begin(entry), done),
    again: (id, requestId, done) => ask(() => set(id, { kind: "started" }, null, requestId), done),
    answer: (id, answer, done) => ask(() => answered(id, answer), done),
    mark: (id, state, done) => ask(() => set(id, state, null), done),
    forget: (id, done) =>
      ask(() => {
        stored.delete(id);
        return null;
      }, done),
    find: (filter, done) =>
      ask(
        () =>
          ledger.entries.filter(({ id, key, state }) => {
            const fits = (filter.key ?? key) === key && (filter.id ?? id) === id;
            return fits && (filter.uncertain !== true || state.kind === "uncertain");
          }),
        done,
      ),
    get waiting() {
      return operations.length;
    },
    get entries() {
      return [...stored.values()].map(({ entry }) => entry);
    },
    commit() {
      const operation = operations.shift();
      if (operation === undefined) return;
      if (ledger.failure !== null) operation.refuse(ledger.failure);
      else operation.perform()();
    },
    commitAll() {
      while (operations.length > 0) ledger.commit();
    },
    commitUnheard() {
      operations.shift()?.perform();
    },
    afterCrash() {
      const left = new Map<string, Stored>();
      for (const [id, { entry, answer }] of stored) {
        const interrupted: KeyState = { kind: "uncertain", because: "the gateway was interrupted" };
        const state = entry.state.kind === "started" ? interrupted : entry.state;
        left.set(id, { entry: { ...entry, state }, answer });
      }
      return memoryLedger(left);
    },
  };
  return ledger;
}
