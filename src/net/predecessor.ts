/** The process whose place this one takes, as this one hears of it. */
import type { FromSuccessor, KeyAnswer, KeyQuestion, ToSuccessor } from "../contract/succession.ts";

export interface Predecessor {
  readonly controlIsFree: Promise<void>;
  /** Asks its ledger. */
  ask(message: KeyQuestion): void;
  /** Set by whoever asks. */
  onAnswer: (message: KeyAnswer) => void;
  /** Set by whoever asks: resolves when nothing is asked any more. */
  onKeysEnd: () => Promise<void>;
  /** Its ledger is closed, or it has ended without that. */
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
  const send = (message: FromSuccessor): void => {
    if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
  };
  const predecessor: Predecessor = {
    controlIsFree: control.promise,
    keysAreFree: keys.promise,
    ask: (message) => send({ kind: "key", message }),
    onAnswer: () => undefined,
    onKeysEnd: () => Promise.resolve(),
    ready: () => send({ kind: "ready" }),
  };
  const endKeys = async (): Promise<void> => {
    await predecessor.onKeysEnd();
    send({ kind: "keys ended" });
  };
  process.on("message", (told) => {
    const message = told as ToSuccessor;
    switch (message.kind) {
      case "control is free":
        control.resolve();
        return;
      case "key":
        predecessor.onAnswer(message.message);
        return;
      case "keys end":
        void endKeys();
        return;
      case "keys are free":
        keys.resolve();
    }
  });
  // It has ended, so it has nothing any more: in order or not.
  process.once("disconnect", () => {
    control.resolve();
    keys.resolve();
  });
  // Not a reason to live on.
  channel.unref();
  return predecessor;
}
