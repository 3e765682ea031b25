/**
 * A life of the control process: forked, with the channel that Node opens for it. It shares the gateway's standard
 * error for its faults and has no standard output, which may be the access log.
 *
 * It is not detached: whoever ends the whole group ends it too. Ctrl-C reaches it as well, and it does not heed that
 * (controller.ts): it ends when its parent says so or the channel closes. One that is busy with itself for ever hears
 * neither, so where the system can it ends a control process with its gateway (setpriv of util-linux): a gateway that
 * was killed has nothing more to tell it, and what it took it wrote down. Elsewhere it guards itself (orphan-guard.ts).
 */
import { fork, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { getCompileCacheDir } from "node:module";
import type { FromControl, ToControl } from "../contract/control-messages.ts";
import { hearChild } from "./hear-child.ts";
import type { ChannelListener, ControlChannel } from "./control-process.ts";

/** Tells a control process that nobody ends it with its gateway. */
export const GUARDED = "--guarded";
/** What it may hold; beyond it it ends and begins again from what it wrote down. */
const HEAP_MAX_MIB = 224;

export function forkControl(path: URL, listener: ChannelListener): ControlChannel {
  const cache = getCompileCacheDir();
  // Its own and no others: a debugger or a profiler is the gateway's.
  const own = [`--max-old-space-size=${HEAP_MAX_MIB}`, "--max-semi-space-size=4"];
  const withParent = endsWithParent();
  const child = fork(path, withParent === null ? [GUARDED] : [], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    ...(withParent === null
      ? { execArgv: own }
      : { execPath: withParent.command, execArgv: [...withParent.args, process.execPath, ...own] }),
    // Stripping the types of its sources would cost a start a second of CPU.
    env: cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: cache },
  });
  hearChild(child, (message) => listener.onMessage(message as FromControl), listener.onEnd.bind(listener));
  // Not a reason for the gateway to live on: its listeners are.
  child.unref();
  child.channel?.unref();
  return {
    send(message: ToControl) {
      if (child.connected) child.send(message, () => undefined);
    },
    kill: () => void child.kill("SIGKILL"),
    residentBytes: () => residentBytesOf(child.pid),
  };
}

const KIB = 1024;

/** Read when somebody asks, from what the system keeps in memory. */
function residentBytesOf(pid: number | undefined): number {
  if (pid === undefined) return 0;
  try {
    const kib = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
    return Number(kib ?? 0) * KIB;
  } catch {
    return 0;
  }
}

interface Launcher {
  readonly command: string;
  readonly args: readonly string[];
}

const SETPRIV: Launcher = { command: "setpriv", args: ["--pdeathsig", "KILL"] };
let launcher: Launcher | null | undefined;

/** What starts a process that the kernel ends with its parent. Null: this system has nothing. It becomes that process, with its number. */
function endsWithParent(): Launcher | null {
  // Of busybox there is one that cannot, so it is tried once.
  if (launcher === undefined && hasFileCapabilities()) launcher = null;
  if (launcher === undefined) {
    const tried = spawnSync(SETPRIV.command, [...SETPRIV.args, "true"], { stdio: "ignore" });
    launcher = tried.status === 0 ? SETPRIV : null;
  }
  return launcher;
}

/** A program that may do more than who starts it: the kernel forgets for it whose end it was to end with (prctl(2)). */
function hasFileCapabilities(): boolean {
  if (process.getuid?.() === 0) return false;
  try {
    const status = readFileSync("/proc/self/status", "latin1");
    const of = (set: string): bigint =>
      BigInt(`0x${new RegExp(`^${set}:\\s*([0-9a-f]+)$`, "m").exec(status)?.[1] ?? "0"}`);
    return (of("CapEff") & ~of("CapAmb")) !== 0n;
  } catch {
    return false;
  }
}
