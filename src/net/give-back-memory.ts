/**
 * A process that only waits from now on gives back what it held. Left alone it would not: V8 collects when something
 * asks for memory, and nothing does any more.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What was closed may be let go of in two steps: a finalizer runs between them. */
const ROUNDS = 2;

export function giveBackMemory(): void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  if (typeof collect !== "function") return;
  for (let round = 0; round < ROUNDS; round += 1) collect({ type: "major", execution: "sync", flavor: "last-resort" });
}
