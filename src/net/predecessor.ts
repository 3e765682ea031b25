/** The process whose place this one takes, as this one hears of it. */
import type { FromSuccessor, ToSuccessor } from "../contract/succession.ts";

export interface Predecessor {
  readonly controlIsFree: Promise<void>;
  readonly keysAreFree: Promise<void>;
  /** This process serves: the predecessor accepts no more from now on. */
  ready(): void;
}

/** Null: nobody was here before. */
export function meetPredecessor(): Predecessor | null {
  const { channel } = process;
  if (channel === undefined || process.send === undefined) return null;
  const control = Promise.withResolvers<void>();
  const keys = Promise.withResolvers<void>();
  process.on("message", (message) => {
    const { kind } = message as ToSuccessor;
    if (kind === "control is free") control.resolve();
    else if (kind === "keys are free") keys.resolve();
  });
  // It has ended, so it has nothing any more: in order or not.
  process.once("disconnect", () => {
    control.resolve();
    keys.resolve();
  });
  // Not a reason to live on.
  channel.unref();
  return {
    controlIsFree: control.promise,
    keysAreFree: keys.promise,
    ready: () => void process.send?.({ kind: "ready" } satisfies FromSuccessor, undefined, undefined, () => undefined),
  };
}
