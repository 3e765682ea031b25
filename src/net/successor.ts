/**
 * The process that takes this one's place: the same command line started once more, with whatever is on the disk now,
 * and with the listening sockets of this one. Two programs of different versions may meet here, so what they say to
 * each other is little and has to stay as it is (contract/succession.ts).
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { Writable } from "node:stream";
import type { ConfigurationLeft, FromSuccessor, KeyAnswer, KeyQuestion, ToSuccessor } from "../contract/succession.ts";
import type { Schedule } from "../kernel/clock.ts";
import { TESTAMENT } from "./heritage.ts";
import type { HandedSocket, Testament } from "./heritage.ts";

export interface Successor {
  readonly pid: number;
  /** Resolves with its exit code when it has ended. */
  readonly ended: Promise<number>;
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
  /** Null: it begins with the file on the disk. */
  readonly configuration: ConfigurationLeft | null;
  /** This process waits for its end. */
  readonly stays: boolean;
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
export function startSuccessor(options: SuccessionOptions): Promise<Succession> {
  const { sockets, state, configuration, stays, schedule, onKey, onEnd } = options;
  const behind = FIRST_SOCKET + sockets.length;
  const testament: Testament = {
    sockets: sockets.map((socket, index) => ({ ...socket, descriptor: FIRST_SOCKET + index })),
    state,
    configuration: configuration === null ? null : behind,
    stays,
  };
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: [
      "inherit",
      "inherit",
      "inherit",
      "ipc",
      ...sockets.map(({ descriptor }) => descriptor),
      ...(configuration === null ? [] : ["pipe" as const]),
    ],
    // Bodies that are kept for keys go over it as bytes.
    serialization: "advanced",
    env: { ...process.env, [TESTAMENT]: JSON.stringify(testament) },
  });
  const pipe = child.stdio[behind];
  if (configuration !== null && pipe instanceof Writable) {
    // One that ended without reading it is told by its end.
    pipe.on("error", () => undefined);
    pipe.end(JSON.stringify(configuration));
  }
  const keysEnded = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<number>();
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
      ended.resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
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
              ended: ended.promise,
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
