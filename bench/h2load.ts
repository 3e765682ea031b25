/** One run of h2load against one peer: HTTP/2 on plain connections, and what its report says. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startChild } from "../test/support/child.ts";
import type { Row } from "./rows.ts";
import { LOAD_CORE } from "./wrk.ts";
import type { LoadReport } from "./wrk.ts";

export async function runH2load(port: number, row: Row, seconds: number, folder: string): Promise<LoadReport> {
  const content = join(folder, "h2load.body");
  const { bodyBytes = 0 } = row;
  if (bodyBytes > 0) await writeFile(content, Buffer.alloc(bodyBytes));
  const child = await startChild("taskset", [
    "-c",
    LOAD_CORE,
    "h2load",
    "-t1",
    `-c${row.connections}`,
    `-m${row.streams}`,
    `-D${seconds}`,
    ...row.fields.flatMap((field) => ["-H", field]),
    ...(bodyBytes > 0 ? ["-d", content] : []),
    `http://127.0.0.1:${port}${row.path}`,
  ]);
  const ending = await child.ending;
  if (ending.code !== 0) throw new Error(`h2load failed: ${child.stderr()}${child.stdout()}`);
  return readH2loadReport(child.stdout());
}

export function readH2loadReport(text: string): LoadReport {
  const perSecond = Number(/^finished in [\d.]+\w*, ([\d.]+) req\/s/m.exec(text)?.[1]);
  const counts = /(\d+) done, (\d+) succeeded, \d+ failed, (\d+) errored, (\d+) timeout/.exec(text);
  if (Number.isNaN(perSecond) || counts === null) throw new Error(`not a report of h2load: ${text}`);
  const [done = 0, succeeded = 0, errored = 0, timeouts = 0] = counts.slice(1).map(Number);
  const socketErrors = errored + timeouts;
  return { exchanges: done, perSecond, socketErrors, badStatuses: done - succeeded - socketErrors };
}
