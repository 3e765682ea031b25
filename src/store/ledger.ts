/**
 * The embedded ledger: the port of kernel/ledger.ts over a thread that owns the file (ledger-worker.ts). What is
 * asked within one turn of the event loop travels in one message; what waits for the disk is bounded, and beyond the
 * bound the answer is "busy" at once instead of late.
 *
 * A directory that another process holds, a file that cannot be written or a thread that died is tried again every
 * few seconds: until then every call fails with the reason, and the gateway says what that means for requests.
 */
import { Worker } from "node:worker_threads";
import type { Schedule } from "../kernel/clock.ts";
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
import type { LedgerFileOptions, LedgerOperation, LedgerResult } from "./ledger-file.ts";
import type { FromWorker, ToWorker } from "./ledger-worker.ts";

export interface LedgerOptions extends LedgerFileOptions {
  readonly schedule: Schedule;
  readonly onEvent: (event: LedgerEvent) => void;
}

/** What the owner should tell people. Each is said when it begins. */
export type LedgerEvent =
  /** It cannot be used for now. */
  | { readonly kind: "unusable"; readonly code: string; readonly detail: string }
  | { readonly kind: "usable" }
  /** The file could not be read; it was moved aside and an empty one made. */
  | { readonly kind: "moved aside"; readonly to: string }
  /** Keys that were under way when the gateway ended without a word. */
  | { readonly kind: "interrupted"; readonly keys: number }
  /** Room is made by forgetting before the time. */
  | { readonly kind: "forgetting" };

export interface EmbeddedLedger extends Ledger {
  /** Null: it can be used. */
  readonly unusable: LedgerFailure | null;
  /** So many bytes from now on; beyond them the oldest is forgotten with the next key that comes. */
  bound(bytesMax: number): void;
  /** Commits what was asked before and lets the file go. */
  close(): Promise<void>;
}

const TRY_AGAIN_MS = 3_000;
/** What may wait for the disk. */
const WAITING_MAX = 10_000;
const WAITING_BYTES_MAX = 64 * 1024 * 1024;

const WORKER = new URL(import.meta.url.endsWith(".ts") ? "./ledger-worker.ts" : "./ledger-worker.js", import.meta.url);

/** Resolves when the first try to open it is over, also when that failed. */
export async function openLedger(options: LedgerOptions): Promise<EmbeddedLedger> {
  const ledger = new WorkerLedger(options);
  await ledger.open();
  return ledger;
}

interface Waiting {
  readonly bytes: number;
  readonly done: (result: LedgerResult | LedgerFailure) => void;
}

class WorkerLedger implements EmbeddedLedger {
  unusable: LedgerFailure | null = { kind: "failed", code: "closed", detail: "it is being opened" };
  #view: LedgerView = { keys: 0, bytes: 0 };
  readonly #options: LedgerOptions;
  #worker: Worker | null = null;
  readonly #waiting = new Map<number, Waiting>();
  #waitingBytes = 0;
  #number = 0;
  #numbers: number[] = [];
  #operations: LedgerOperation[] = [];
  #toldUnusable = "";
  #toldForgetting = false;
  #cancelRetry: (() => void) | null = null;
  #closing = false;
  #bytesMax: number;

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.#bytesMax = options.bytesMax;
  }

  open(): Promise<void> {
    const { directory, underWay = [] } = this.#options;
    const data: LedgerFileOptions = { directory, bytesMax: this.#bytesMax, underWay };
    const worker = new Worker(WORKER, { workerData: data });
    this.#worker = worker;
    // The process ends when its last socket is closed; whatever was promised before has been committed by then.
    worker.unref();
    return new Promise((resolve) => {
      worker.on("message", (message: FromWorker) => {
        this.#heard(message);
        if (message.kind !== "results") resolve();
      });
      worker.on("error", (error) => this.#lost(`its thread failed: ${error.message}`));
      worker.on("exit", () => {
        this.#lost("its thread has ended");
        resolve();
      });
    });
  }

  view(): LedgerView {
    return this.#view;
  }

  begin(entry: NewLedgerEntry, done: (begun: Begun) => void): void {
    // What comes back for a `begin` is what a `begin` answers (ledger-file.ts).
    this.#ask({ op: "begin", entry }, 1_024, (result) => done(result as Begun));
  }

  again(id: string, requestId: string, done: (failure: LedgerFailure | null) => void): void {
    this.#ask({ op: "again", id, requestId }, 256, (result) => done(failureIn(result)));
  }

  answer(id: string, answer: LedgerAnswer, done: (failure: LedgerFailure | null) => void): void {
    const bytes = answer.head.length + answer.body.length;
    this.#ask({ op: "answer", id, answer }, bytes, (result) => done(failureIn(result)));
  }

  mark(id: string, state: Exclude<KeyState, { kind: "started" }>, done: (failure: LedgerFailure | null) => void): void {
    this.#ask({ op: "mark", id, state }, 256, (result) => done(failureIn(result)));
  }

  forget(id: string, done: (failure: LedgerFailure | null) => void): void {
    this.#ask({ op: "forget", id }, 256, (result) => done(failureIn(result)));
  }

  find(filter: LedgerFilter, done: (found: readonly LedgerEntry[] | LedgerFailure) => void): void {
    this.#ask({ op: "find", filter }, 256, (result) => {
      if (result.kind === "entries") done(result.entries);
      else if (result.kind === "failed") done(result);
    });
  }

  bound(bytesMax: number): void {
    this.#bytesMax = bytesMax;
    this.#toldForgetting = false;
    const message: ToWorker = { kind: "bound", bytesMax };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- A thread, not a window.
    this.#worker?.postMessage(message);
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#cancelRetry?.();
    const worker = this.#worker;
    if (worker === null) return;
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    worker.on("exit", () => resolve());
    worker.ref();
    this.#send();
    const last: ToWorker = { kind: "close" };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- A thread, not a window.
    worker.postMessage(last);
    await gone;
  }

  #ask(operation: LedgerOperation, bytes: number, done: Waiting["done"]): void {
    const failure = this.#refusal(bytes);
    if (failure !== null) {
      setImmediate(done, failure);
      return;
    }
    this.#number += 1;
    this.#waiting.set(this.#number, { bytes, done });
    this.#waitingBytes += bytes;
    if (this.#operations.length === 0) setImmediate(() => this.#send());
    this.#operations.push(operation);
    this.#numbers.push(this.#number);
  }

  #refusal(bytes: number): LedgerFailure | null {
    if (this.#closing) return { kind: "failed", code: "closed", detail: "the gateway stops" };
    if (this.unusable !== null) return this.unusable;
    if (this.#waiting.size < WAITING_MAX && this.#waitingBytes + bytes <= WAITING_BYTES_MAX) return null;
    return { kind: "failed", code: "busy", detail: `${this.#waiting.size} operations wait for the disk already` };
  }

  #send(): void {
    if (this.#operations.length === 0) return;
    const message: ToWorker = { kind: "operations", numbers: this.#numbers, operations: this.#operations };
    this.#numbers = [];
    this.#operations = [];
    this.#worker?.postMessage(message);
  }

  #heard(message: FromWorker): void {
    const { onEvent } = this.#options;
    switch (message.kind) {
      case "opened":
        this.unusable = null;
        this.#view = { keys: message.keys, bytes: message.bytes };
        if (this.#toldUnusable !== "") onEvent({ kind: "usable" });
        this.#toldUnusable = "";
        if (message.movedTo !== "") onEvent({ kind: "moved aside", to: message.movedTo });
        if (message.interrupted > 0) onEvent({ kind: "interrupted", keys: message.interrupted });
        return;
      case "not opened":
        this.#isUnusable({ kind: "failed", code: "broken", detail: message.detail }, message.code);
        return;
      case "lost its file":
        this.#isUnusable(failed("its file was deleted or replaced while it was in use"), "unusable");
        return;
      case "results":
        this.#view = { keys: message.keys, bytes: message.bytes };
        if (message.forgottenEarly > 0 && !this.#toldForgetting) {
          this.#toldForgetting = true;
          onEvent({ kind: "forgetting" });
        }
        for (const [index, number] of message.numbers.entries()) {
          const result = message.results[index];
          if (result !== undefined) this.#settle(number, result);
        }
    }
  }

  #settle(number: number, result: LedgerResult | LedgerFailure): void {
    const waiting = this.#waiting.get(number);
    if (waiting === undefined) return;
    this.#waiting.delete(number);
    this.#waitingBytes -= waiting.bytes;
    waiting.done(result);
  }

  /** The thread is gone. What it was asked for may have been done or not, which is what "failed" leaves open. */
  #lost(detail: string): void {
    if (this.#worker === null) return;
    this.#worker = null;
    const reason = this.unusable?.code === "broken" ? this.unusable : failed(detail);
    if (!this.#closing) {
      this.#isUnusable(reason, "unusable");
      this.#cancelRetry = this.#options.schedule(TRY_AGAIN_MS, () => {
        this.#cancelRetry = null;
        void this.open();
      });
    }
    for (const number of this.#waiting.keys()) this.#settle(number, reason);
    this.#numbers = [];
    this.#operations = [];
  }

  #isUnusable(failure: LedgerFailure, code: string): void {
    this.unusable = failure;
    if (this.#toldUnusable !== "") return;
    this.#toldUnusable = failure.detail;
    this.#options.onEvent({ kind: "unusable", code, detail: failure.detail });
  }
}

function failed(detail: string): LedgerFailure {
  return { kind: "failed", code: "broken", detail };
}

function failureIn(result: LedgerResult | LedgerFailure): LedgerFailure | null {
  return result.kind === "failed" ? result : null;
}
