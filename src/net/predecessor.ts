/**
 * The process whose place this one takes, as this one hears of it: over the channel to whoever started it. That is the
 * predecessor itself, or the process that keeps the place (keeper.ts), which passes on what the two say.
 */
import type { SendHandle } from "node:child_process";
import type {
  FromKeeper,
  FromSuccessor,
  KeyAnswer,
  KeyQuestion,
  ToKeeper,
  ToSuccessor,
} from "../contract/succession.ts";
import type { NextListener, StartNext } from "./keeper.ts";

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
  /** What it knows of the origins, as it came; null: it has ended. Never resolves where an older program says nothing of that. */
  readonly known: Promise<unknown>;
  /** This process serves: the predecessor accepts no more from now on. */
  ready(): void;
  /** Has whoever keeps the place start the next process. */
  readonly startNext: StartNext;
  /** Whoever started this process has ended. */
  readonly starterEnded: Promise<void>;
}

/** Called by a process that ends without having served, before it does. Resolves when whoever started it has been told. */
export function tellOfFailure(said: string): Promise<void> {
  return send({ kind: "failed", said });
}

/** Null: nobody was here before. */
export function meetPredecessor(): Predecessor | null {
  const { channel } = process;
  if (channel === undefined || process.send === undefined) return null;
  const control = Promise.withResolvers<void>();
  const keys = Promise.withResolvers<void>();
  const known = Promise.withResolvers<unknown>();
  const starter = Promise.withResolvers<void>();
  let next: NextListener | null = null;
  const predecessor: Predecessor = {
    controlIsFree: control.promise,
    keysAreFree: keys.promise,
    known: known.promise,
    ask: (message) => void send({ kind: "key", message }),
    onAnswer: () => undefined,
    onKeysEnd: () => Promise.resolve(),
    ready: () => void send({ kind: "ready", hearsOfEnd: true }),
    startNext({ sockets, state, configuration }, listener) {
      next = listener;
      for (const { handle, host, port, file } of sockets) {
        void send({ kind: "next socket", socket: { host, port, file } }, handle);
      }
      void send({ kind: "next", sockets: sockets.length, state, configuration });
      return {
        send: (message) => send({ kind: "to next", message }),
        giveUp: () => void send({ kind: "no next" }),
      };
    },
    starterEnded: starter.promise,
  };
  const endKeys = async (): Promise<void> => {
    await predecessor.onKeysEnd();
    void send({ kind: "keys ended" });
  };
  const ended = (): void => {
    control.resolve();
    keys.resolve();
    known.resolve(null);
  };
  process.on("message", (told) => {
    const message = told as ToSuccessor | FromKeeper;
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
        return;
      // What it had it has no more, whether it ended in order or not.
      case "known":
        known.resolve(message.known);
        return;
      case "predecessor ended":
        ended();
        return;
      case "from next":
        next?.onMessage(message.message, message.pid);
        return;
      case "next ended":
        next?.onEnd(message.because);
        next = null;
    }
  });
  process.once("disconnect", () => {
    ended();
    next?.onEnd("is nobody's any more: the process that keeps the place has ended");
    starter.resolve();
  });
  // Not a reason to live on.
  channel.unref();
  return predecessor;
}

/** Resolves when it has been handed over, or cannot be any more. */
function send(message: FromSuccessor | ToKeeper, handle?: unknown): Promise<void> {
  return new Promise((sent) => {
    if (!process.connected || process.send === undefined) sent();
    else {
      // The socket stays open here: this process may have to go on with it.
      process.send(message, handle as SendHandle, { keepOpen: true }, () => sent());
    }
  });
}
