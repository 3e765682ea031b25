import { describe, expect, it } from "vitest";
import type { Begun, Ledger, LedgerFailure, NewLedgerEntry } from "../kernel/ledger.ts";
import { InheritedLedger } from "./inherited-ledger.ts";

/** Keeps what it is asked, and answers when the test says so. */
class PlayedLedger implements Ledger {
  readonly asked: string[] = [];
  readonly #answers: (() => void)[] = [];
  readonly overs: (() => void)[] = [];

  answerAll(): void {
    for (const answer of this.#answers.splice(0)) answer();
  }

  view(): { keys: number; bytes: number } {
    return { keys: this.asked.length, bytes: 0 };
  }

  begin(entry: NewLedgerEntry, done: (begun: Begun) => void): void {
    this.asked.push(`begin ${entry.id}`);
    this.#answers.push(() => done({ kind: "begun" }));
  }

  again(id: string, _requestId: string, done: (failure: LedgerFailure | null) => void): void {
    this.#ask(`again ${id}`, done);
  }

  answer(id: string, _answer: unknown, done: (failure: LedgerFailure | null) => void): void {
    this.#ask(`answer ${id}`, done);
  }

  mark(id: string, _state: unknown, done: (failure: LedgerFailure | null) => void): void {
    this.#ask(`mark ${id}`, done);
  }

  forget(id: string, done: (failure: LedgerFailure | null) => void): void {
    this.#ask(`forget ${id}`, done);
  }

  find(_filter: unknown, done: (found: []) => void): void {
    this.asked.push("find");
    this.#answers.push(() => done([]));
  }

  over(id: string): void {
    this.asked.push(`over ${id}`);
  }

  whenOver(_id: string, done: () => void): () => void {
    this.overs.push(done);
    return () => undefined;
  }

  #ask(what: string, done: (failure: LedgerFailure | null) => void): void {
    this.asked.push(what);
    this.#answers.push(() => done(null));
  }
}

function entry(id: string): NewLedgerEntry {
  const texts = { key: "k", fingerprint: "f", service: "s", route: "r", method: "POST", target: "/", requestId: "x" };
  return { id, ...texts, startedAt: 0, expiresAt: 1 };
}

const ignore = (): void => undefined;

describe("a ledger that changes hands", () => {
  it("asks the predecessor's, then nobody, then its own, in the order of the questions", async () => {
    const [theirs, own] = [new PlayedLedger(), new PlayedLedger()];
    const ledger = new InheritedLedger(theirs);
    ledger.begin(entry("a"), ignore);
    ledger.begin(entry("b"), ignore);
    let isQuiet = false;
    const quiet = ledger.hold().then(() => (isQuiet = true));
    ledger.mark("a", { kind: "uncertain", because: "" }, ignore);
    ledger.begin(entry("c"), ignore);
    await Promise.resolve();
    expect(theirs.asked).toEqual(["begin a", "begin b"]);
    expect(isQuiet).toBe(false);
    theirs.answerAll();
    await quiet;
    ledger.open(own);
    ledger.forget("b", ignore);
    expect(own.asked).toEqual(["mark a", "begin c", "forget b"]);
    expect(theirs.asked).toEqual(["begin a", "begin b"]);
  });

  it("knows which keys are under way here when the file is opened", () => {
    const theirs = new PlayedLedger();
    const ledger = new InheritedLedger(theirs);
    for (const id of ["a", "b", "c"]) ledger.begin(entry(id), ignore);
    expect(ledger.underWay).toEqual([]);
    theirs.answerAll();
    ledger.over("b");
    expect(ledger.underWay).toEqual(["a", "c"]);
  });

  it("wakes who waited for a key of the predecessor's, once, when that has let go", async () => {
    const [theirs, own] = [new PlayedLedger(), new PlayedLedger()];
    const ledger = new InheritedLedger(theirs);
    const woken: string[] = [];
    ledger.whenOver("a", () => woken.push("a"));
    const cancel = ledger.whenOver("b", () => woken.push("b"));
    ledger.whenOver("c", () => woken.push("c"));
    cancel();
    theirs.overs[2]?.();
    expect(woken).toEqual(["c"]);
    await ledger.hold();
    ledger.open(own);
    expect(woken).toEqual(["c", "a"]);
    theirs.overs[0]?.();
    expect(woken).toEqual(["c", "a"]);
  });

  it("lets only so many wait, and answers the others at once", async () => {
    const ledger = new InheritedLedger(new PlayedLedger());
    await ledger.hold();
    const refused: Begun[] = [];
    for (let i = 0; i < 10_001; i += 1) ledger.begin(entry(String(i)), (begun) => refused.push(begun));
    await Promise.resolve();
    expect(refused).toMatchObject([{ kind: "failed", code: "busy" }]);
  });
});
