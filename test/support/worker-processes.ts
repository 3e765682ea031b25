/** The processes of a gateway with several workers, as the machine shows them (Linux). */
import { readdirSync, readFileSync } from "node:fs";

export interface WorkerPid {
  readonly worker: number;
  readonly pid: number;
}

/** Of a supervisor, by number, as far as they have named themselves. */
export function workersOf(supervisor: number): WorkerPid[] {
  return childrenOf(supervisor).flatMap((pid) => {
    const worker = /^goodgate worker (\d+)/.exec(commandOf(pid))?.[1];
    return worker === undefined ? [] : [{ worker: Number(worker), pid }];
  });
}

export function childrenOf(parent: number): number[] {
  return readdirSync("/proc").flatMap((name) => {
    // The command's name may hold spaces and brackets: the parent is the second field behind the last one.
    const stat = /^\d+$/.test(name) ? textOf(`/proc/${name}/stat`) : "";
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(fields[1]) === parent && fields[0] !== "Z" ? [Number(name)] : [];
  });
}

/** A process that has ended and was not asked about yet counts as ended. */
export function isRunning(pid: number): boolean {
  const stat = textOf(`/proc/${pid}/stat`);
  return stat !== "" && stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3) !== "Z";
}

function commandOf(pid: number): string {
  return textOf(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It has ended in the meantime.
    return "";
  }
}
