/** One run of wrk against one peer, and what its report says. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startChild, type Child } from "../test/support/child.ts";
import type { Row } from "./rows.ts";

/** What a load generator says. */
export interface LoadReport {
  readonly exchanges: number;
  readonly perSecond: number;
  /** Connect, read, write and timeout errors together. */
  readonly socketErrors: number;
  /** Responses that were not 2xx or 3xx. */
  readonly badStatuses: number;
}

/** The load generator shares core 1 with the origin; the peer has core 0 for itself. */
export const LOAD_CORE = "1";

export async function runWrk(port: number, row: Row, seconds: number, folder: string): Promise<LoadReport> {
  const child = await startWrk(port, row, seconds, folder);
  const ending = await child.ending;
  if (ending.code !== 0) throw new Error(`wrk failed: ${child.stderr()}${child.stdout()}`);
  return readWrkReport(child.stdout());
}

export async function startWrk(port: number, row: Row, seconds: number, folder: string): Promise<Child> {
  const args = ["-c", LOAD_CORE, "wrk", "-t1", `-c${row.connections}`, `-d${seconds}s`, "--timeout", "10s"];
  for (const field of row.fields) args.push("-H", field);
  if (row.script !== "") {
    const file = join(folder, "wrk.lua");
    await writeFile(file, row.script);
    args.push("-s", file);
  }
  return startChild("taskset", [...args, `${row.tls === true ? "https" : "http"}://127.0.0.1:${port}${row.path}`]);
}

export function readWrkReport(text: string): LoadReport {
  const exchanges = Number(/^\s*(\d+) requests in /m.exec(text)?.[1]);
  const perSecond = Number(/^Requests\/sec:\s+([\d.]+)/m.exec(text)?.[1]);
  if (Number.isNaN(exchanges) || Number.isNaN(perSecond)) throw new Error(`not a report of wrk: ${text}`);
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text);
  const socketErrors = errors === null ? 0 : errors.slice(1).reduce((sum, count) => sum + Number(count), 0);
  const badStatuses = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0);
  return { exchanges, perSecond, socketErrors, badStatuses };
}
