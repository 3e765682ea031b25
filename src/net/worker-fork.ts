/**
 * A worker's process: forked, with a channel and with the listening sockets that are its own as descriptors from
 * `FIRST_SOCKET` on. The channel copies by structured clone, because bytes and typed arrays go over it.
 *
 * It is not detached: whoever ends the whole group ends it too; but it heeds no signal that stops a server (worker.ts),
 * because its supervisor tells it when.
 */
import { fork } from "node:child_process";
import { getCompileCacheDir } from "node:module";
import type { FromWorker, ToWorker } from "../contract/worker-messages.ts";
import { hearChild } from "./hear-child.ts";
import type { WorkerListener, WorkerProcess } from "./worker-life.ts";

/** Behind the three standard descriptors and the channel. */
export const FIRST_SOCKET = 4;

export function forkWorker(path: URL, sockets: readonly number[], listener: WorkerListener): WorkerProcess {
  const cache = getCompileCacheDir();
  const child = fork(path, [], {
    // Standard output may be the access log.
    stdio: ["ignore", "inherit", "inherit", "ipc", ...sockets],
    serialization: "advanced",
    env: cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: cache },
  });
  hearChild(child, (message) => listener.onMessage(message as FromWorker), listener.onEnd.bind(listener));
  return {
    pid: child.pid ?? 0,
    send(message: ToWorker, socket?: unknown) {
      if (!child.connected) return;
      // The socket stays open here: it is lent, and a later worker gets it again.
      child.send(message, socket as Parameters<typeof child.send>[1], { keepOpen: true }, () => undefined);
    },
    kill: (signal) => void child.kill(signal),
  };
}
