/**
 * The process that takes this one's place: the same command line started once more, with whatever is on the disk now,
 * and with the listening sockets of this one. Two programs of different versions may meet here, so what they say to
 * each other is little and has to stay as it is (contract/succession.ts).
 */
import { spawn } from "node:child_process";
import type { FromSuccessor, KeyAnswer, KeyQuestion, ToSuccessor } from "../contract/succession.ts";
import type { Schedule } from "../kernel/clock.ts";
import { TESTAMENT } from "./heritage.ts";
import type { HandedSocket, Testament } from "./heritage.ts";

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
  readonly sockets: readonly HandedSocket[];
  readonly state: string | null;
  readonly schedule: Schedule;
  /** What it asks of the ledger, also before it serves. */
  readonly onKey: (message: KeyQuestion, answer: (message: KeyAnswer) => void) => void;
  /** It has ended: it works on no key any more. */
  readonly onEnd: () => void;
}

/** Behind the three standard descriptors and the channel. */
const FIRST_SOCKET = 4;
/** Reading a large configuration, resolving names, opening a cache. */
const READY_MS = 60_000;
/** What it asked last is answered in a moment. */
const KEYS_END_MS = 5_000;

/** Resolves when the successor serves, or when it is clear that it will not. */
export function startSuccessor({ sockets, state, schedule, onKey, onEnd }: SuccessionOptions): Promise<Succession> {
  const testament: Testament = {
    sockets: sockets.map((socket, index) => ({ ...socket, descriptor: FIRST_SOCKET + index })),
    state,
  };
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: ["inherit", "inherit", "inherit", "ipc", ...sockets.map(({ descriptor }) => descriptor)],
    // Bodies that are kept for keys go over it as bytes.
    serialization: "advanced",
    env: { ...process.env, [TESTAMENT]: JSON.stringify(testament) },
  });
  const keysEnded = Promise.withResolvers<void>();
  const send = (message: ToSuccessor): Promise<void> =>
    new Promise((sent) => {
      if (child.connected) child.send(message, () => sent());
      else sent();
    });
  return new Promise((resolve) => {
    // After the first of these the others change nothing.
    const give = (because: string): void => {
      cancel();
      child.kill("SIGKILL");
      resolve({ ok: false, because });
    };
    const cancel = schedule(READY_MS, () => give(`it did not serve within ${READY_MS / 1000} s`));
    child.on("error", (error) => give(error.message));
    child.once("exit", (code, signal) => {
      onEnd();
      keysEnded.resolve();
      give(signal === null ? `it ended with exit code ${code}` : `it ended by ${signal}`);
    });
    child.on("message", (told) => {
      const message = told as FromSuccessor;
      switch (message.kind) {
        case "key":
          onKey(message.message, (answer) => void send({ kind: "key", message: answer }));
          return;
        case "keys ended":
          keysEnded.resolve();
          return;
        case "ready":
          cancel();
          child.unref();
          resolve({
            ok: true,
            successor: {
              pid: child.pid ?? 0,
              send,
              async endKeys() {
                schedule(KEYS_END_MS, keysEnded.resolve);
                await send({ kind: "keys end" });
                await keysEnded.promise;
              },
            },
          });
      }
    });
  });
}
