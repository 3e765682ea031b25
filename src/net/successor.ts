/**
 * The process that takes this one's place: the same command line started once more, with whatever is on the disk now,
 * and with the listening sockets of this one. Two programs of different versions may meet here, so what they say to
 * each other is little and has to stay as it is (contract/succession.ts).
 */
import { spawn } from "node:child_process";
import type { FromSuccessor, ToSuccessor } from "../contract/succession.ts";
import type { Schedule } from "../kernel/clock.ts";
import { TESTAMENT } from "./heritage.ts";
import type { HandedSocket, Testament } from "./heritage.ts";

export interface Successor {
  readonly pid: number;
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
}

/** Behind the three standard descriptors and the channel. */
const FIRST_SOCKET = 4;
/** Reading a large configuration, resolving names, opening a cache. */
const READY_MS = 60_000;

/** Resolves when the successor serves, or when it is clear that it will not. */
export function startSuccessor({ sockets, state, schedule }: SuccessionOptions): Promise<Succession> {
  const testament: Testament = {
    sockets: sockets.map((socket, index) => ({ ...socket, descriptor: FIRST_SOCKET + index })),
    state,
  };
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: ["inherit", "inherit", "inherit", "ipc", ...sockets.map(({ descriptor }) => descriptor)],
    env: { ...process.env, [TESTAMENT]: JSON.stringify(testament) },
  });
  return new Promise((resolve) => {
    const give = (because: string): void => {
      cancel();
      child.removeAllListeners();
      child.on("error", () => undefined);
      child.kill("SIGKILL");
      resolve({ ok: false, because });
    };
    const cancel = schedule(READY_MS, () => give(`it did not serve within ${READY_MS / 1000} s`));
    child.once("error", (error) => give(error.message));
    child.once("exit", (code, signal) =>
      give(signal === null ? `it ended with exit code ${code}` : `it ended by ${signal}`),
    );
    child.on("message", (message) => {
      if ((message as FromSuccessor).kind !== "ready") return;
      cancel();
      child.removeAllListeners();
      child.on("error", () => undefined);
      child.unref();
      resolve({
        ok: true,
        successor: {
          pid: child.pid ?? 0,
          send: (message) =>
            new Promise((sent) => {
              if (child.connected) child.send(message, () => sent());
              else sent();
            }),
        },
      });
    });
  });
}
