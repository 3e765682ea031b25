/**
 * CPU time and memory of a process with all its threads and descendants, from /proc. Whole processes, not
 * threads: a garbage collector or a master process works for the exchanges too.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { residentBytes } from "../test/support/child.ts";

let ticksPerSecond = 0;

/** User and system time in µs, with children that have ended. The kernel counts in ticks of 10 ms. */
export function cpuMicros(pid: number): number {
  // utime, stime, cutime, cstime: fields 14 to 17 of proc(5), counted here from the one after the name.
  return treeOf(pid).reduce((sum, member) => sum + micros(member, [11, 12, 13, 14]), 0);
}

/** The same of this process alone, without any child. */
export function ownCpuMicros(pid: number): number {
  return micros(pid, [11, 12]);
}

function micros(pid: number, indices: readonly number[]): number {
  ticksPerSecond ||= Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
  const fields = statFields(pid);
  const ticks = indices.reduce((sum, index) => sum + Number(fields[index] ?? 0), 0);
  return (ticks / ticksPerSecond) * 1_000_000;
}

/** Resident memory of the tree. Pages that a master shares with its workers count once for each. */
export function treeResidentBytes(pid: number): number {
  return treeOf(pid).reduce((sum, member) => sum + residentBytes(member), 0);
}

function treeOf(root: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (Number.isNaN(pid)) continue;
    try {
      parents.set(pid, Number(statFields(pid)[1]));
    } catch {
      // It ended between the listing and the reading.
    }
  }
  const tree = [root];
  for (const member of tree) {
    for (const [pid, parent] of parents) if (parent === member) tree.push(pid);
  }
  return tree;
}

/** What follows the command name, which may itself contain spaces and parentheses. */
function statFields(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}
