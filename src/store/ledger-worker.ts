/**
 * The thread of the ledger: the event loop that serves must never wait for a disk. All that has arrived by the time
 * the last commit was done goes into the next one, so that many keys share one fsync.
 */
import { parentPort, workerData } from "node:worker_threads";
import type { LedgerFile, LedgerFileOptions, LedgerOperation, LedgerResult } from "./ledger-file.ts";
import { openLedgerFile } from "./ledger-file.ts";

export type ToWorker =
  | {
      readonly kind: "operations";
      readonly numbers: readonly number[];
      readonly operations: readonly LedgerOperation[];
    }
  | { readonly kind: "bound"; readonly bytesMax: number }
  | { readonly kind: "close" };

export type FromWorker =
  | {
      readonly kind: "opened";
      readonly interrupted: number;
      readonly movedTo: string;
      readonly bytes: number;
      readonly keys: number;
    }
  | { readonly kind: "not opened"; readonly code: "in-use" | "newer" | "unusable"; readonly detail: string }
  /** It ends, because what it commits is in a file that is not there any more. */
  | { readonly kind: "lost its file" }
  | {
      readonly kind: "results";
      readonly numbers: readonly number[];
      readonly results: readonly LedgerResult[];
      readonly bytes: number;
      readonly keys: number;
      readonly forgottenEarly: number;
    };

if (parentPort !== null) {
  const port = parentPort;
  const say = (message: FromWorker): void => port.postMessage(message);
  // What the starter of this thread hands over; the two files are one program.
  const opened = openLedgerFile(workerData as LedgerFileOptions);
  if (opened.ok) {
    serve(opened.file, say);
    const { file, interrupted, movedTo } = opened;
    say({ kind: "opened", interrupted, movedTo, bytes: file.bytes, keys: file.keys });
  } else say({ kind: "not opened", code: opened.code, detail: opened.detail });

  function serve(file: LedgerFile, say: (message: FromWorker) => void): void {
    let numbers: number[] = [];
    let operations: LedgerOperation[] = [];
    let closing = false;

    function commit(): void {
      if (operations.length > 0) {
        const batch = operations;
        const batchNumbers = numbers;
        operations = [];
        numbers = [];
        const results = file.apply(batch);
        // Nothing is told of this batch: whoever asked hears that the thread has ended.
        if (!file.isInPlace) {
          say({ kind: "lost its file" });
          file.close();
          port.close();
          return;
        }
        say({
          kind: "results",
          numbers: batchNumbers,
          results,
          bytes: file.bytes,
          keys: file.keys,
          forgottenEarly: file.forgottenEarly,
        });
      }
      if (closing) {
        file.close();
        port.close();
      }
    }

    port.on("message", (message: ToWorker) => {
      if (message.kind === "bound") {
        file.bytesMax = message.bytesMax;
        return;
      }
      if (operations.length === 0 && !closing) setImmediate(commit);
      if (message.kind === "close") closing = true;
      else {
        numbers.push(...message.numbers);
        operations.push(...message.operations);
      }
    });
  }
}
