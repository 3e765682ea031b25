/**
 * The process that takes this one's place: the same command line started once more, with whatever is on the disk now,
 * and with the listening sockets of this one. Two programs of different versions may meet here, so what they say to
 * each other is little and has to stay as it is (contract/succession.ts).
 */
import { stripVTControlCharacters } from "node:util";
import type { ConfigurationLeft, KeyAnswer, KeyQuestion, ToSuccessor } from "../contract/succession.ts";
import type { KnownLeft } from "../contract/known-news.ts";
import type { Schedule } from "../kernel/clock.ts";
import type { NextSocket, StartNext } from "./keeper.ts";

export interface Successor {
  readonly pid: number;
  /** Resolves when it asks its predecessor for no key any more, or when that takes too long. */
  endKeys(): Promise<void>;
  /** Resolves when it has been handed over, or cannot be any more. */
  send(message: ToSuccessor): Promise<void>;
}

export type Succession =
  | { readonly ok: true; readonly successor: Successor }
  | { readonly ok: false; readonly because: string };

export interface SuccessionOptions {
  /** Descriptors of this process. */
  readonly sockets: readonly NextSocket[];
  readonly state: string | null;
  /** Null: it begins with the file on the disk. */
  readonly configuration: ConfigurationLeft | null;
  readonly known: KnownLeft;
  /** Somebody waits for the end of the process that starts it. */
  readonly stays: boolean;
  readonly start: StartNext;
  /** It is not wanted any more: this process ends. */
  readonly unwanted: AbortSignal;
  readonly schedule: Schedule;
  /** What it asks of the ledger, also before it serves. */
  readonly onKey: (message: KeyQuestion, answer: (message: KeyAnswer) => void) => void;
  /** It has ended: it works on no key any more. */
  readonly onEnd: () => void;
}

/** Reading a large configuration, resolving names, opening a cache. */
const READY_MS = 60_000;
/** What it asked last is answered in a moment. */
const KEYS_END_MS = 5_000;

/** What a program says first is what is wrong. */
const SAID_MAX = 400;

/** Resolves when the successor serves, or when it is clear that it will not. */
export function startSuccessor(options: SuccessionOptions): Promise<Succession> {
  const { start, known, unwanted, schedule, onKey, onEnd } = options;
  let said = "";
  const keysEnded = Promise.withResolvers<void>();
  return new Promise((resolve) => {
    // After the first of these the others change nothing.
    const decide = (succession: Succession): void => {
      cancel();
      unwanted.removeEventListener("abort", abort);
      resolve(succession);
    };
    const giveUp = (because: string): void => {
      next.giveUp();
      decide({ ok: false, because });
    };
    const abort = (): void => giveUp("this process ends");
    unwanted.addEventListener("abort", abort);
    const cancel = schedule(READY_MS, () => giveUp(`it did not serve within ${READY_MS / 1000} s`));
    const next = start(options, {
      onMessage(message, pid) {
        switch (message.kind) {
          case "key":
            onKey(message.message, (answer) => void next.send({ kind: "key", message: answer }));
            return;
          case "keys ended":
            keysEnded.resolve();
            return;
          case "failed":
            said = inOneLine(message.said);
            return;
          case "ready":
            decide({
              ok: true,
              successor: {
                pid,
                send: (told) => next.send(told),
                async endKeys() {
                  schedule(KEYS_END_MS, keysEnded.resolve);
                  await next.send({ kind: "keys end" });
                  await keysEnded.promise;
                },
              },
            });
        }
      },
      onEnd(because) {
        onEnd();
        keysEnded.resolve();
        decide({ ok: false, because: said === "" ? `it ${because}` : `it ${because} and said: ${said}` });
      },
    });
    void next.send({ kind: "known", known });
  });
}

/** For a log and a terminal, whatever it is, in the middle of a sentence. */
function inOneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- They are what is taken out.
  const line = stripVTControlCharacters(text)
    .replaceAll(/[\s\u0000-\u001f\u007f-\u009f]+/g, " ")
    .trim()
    .replace(/\.$/, "");
  return line.length <= SAID_MAX ? line : `${line.slice(0, SAID_MAX)}…`;
}
