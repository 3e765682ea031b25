/**
 * Processes that tests started and lost sight of. Each worker of a run marks its environment, which all that comes from it
 * inherits, whichever process group or session it is in and whoever its parent is by now (Linux; elsewhere none is found).
 *
 * One that lives on is more than untidy: it may hold the output of its worker open, and the run waits for the end of that.
 */
import { readFileSync, readdirSync } from "node:fs";
import { isRunning } from "./worker-processes.ts";

const MARK = "GOODGATE_TEST_WORKER";
const FILE = "GOODGATE_TEST_FILE";

export interface LeftOver {
  readonly pid: number;
  readonly command: string;
  /** The file of tests that it comes from. */
  readonly file: string;
}

/** In a worker, before it starts anything. */
export function markWorker(file: string): void {
  process.env[MARK] = `${process.ppid}.${process.pid}`;
  process.env[FILE] = file;
}

/** What comes from workers of the run `main`: of those that are gone themselves, or of all. */
export function leftOver(main: number, of: "gone" | "all"): LeftOver[] {
  return pids().flatMap((pid) => {
    const environment = read(pid, "environ");
    const worker = new RegExp(`(?:^|\\0)${MARK}=${main}\\.(\\d+)\\0`).exec(environment)?.[1];
    if (worker === undefined || (of === "gone" && isRunning(Number(worker)))) return [];
    const file = new RegExp(`(?:^|\\0)${FILE}=([^\\0]*)\\0`).exec(environment)?.[1] ?? "";
    return [{ pid, command: read(pid, "cmdline").replaceAll("\0", " ").trim(), file }];
  });
}

function pids(): number[] {
  try {
    return readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
  } catch {
    return [];
  }
}

/** Empty also for what ended in the meantime, is a zombie, or belongs to somebody else. */
function read(pid: number, what: "environ" | "cmdline"): string {
  try {
    return readFileSync(`/proc/${pid}/${what}`, "latin1");
  } catch {
    return "";
  }
}
