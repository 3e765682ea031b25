/**
 * Collecting by order. V8 collects when something asks for memory; a process that waits, or is calm, asks for none and
 * keeps what it held.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What was closed may be let go of in two steps: a finalizer runs between them. */
const ROUNDS = 2;

/** For a process that only waits from now on. */
export function giveBackMemory(): void {
  for (let round = 0; round < ROUNDS; round += 1) collectGarbage("last-resort");
}

/** `last-resort` gives back code that may be wanted again, and takes several times as long. */
export function collectGarbage(flavor: "regular" | "last-resort"): void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  if (typeof collect === "function") collect({ type: "major", execution: "sync", flavor });
}
