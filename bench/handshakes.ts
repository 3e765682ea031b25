/**
 * Runs of `openssl s_time` against one peer: one connection after the other, each with a handshake of TLS 1.3 and one
 * request, and what the reports say. Several run side by side, as clients do.
 *
 * wrk is no help here: it resumes every second session, so that a figure of both kinds would come of it.
 */
import { startChild } from "../test/support/child.ts";
import type { Row } from "./rows.ts";
import { LOAD_CORE } from "./wrk.ts";
import type { LoadReport } from "./wrk.ts";

/** The body of the answer; what is shorter is another answer. */
const ANSWER_BYTES_MIN = 500;

export async function runHandshakes(port: number, row: Row, seconds: number): Promise<LoadReport> {
  const reports = await Promise.all(Array.from({ length: row.connections }, () => runOne(port, row, seconds)));
  const sum = (pick: (report: LoadReport) => number): number => reports.reduce((all, one) => all + pick(one), 0);
  return {
    exchanges: sum(({ exchanges }) => exchanges),
    perSecond: sum(({ perSecond }) => perSecond),
    socketErrors: sum(({ socketErrors }) => socketErrors),
    badStatuses: sum(({ badStatuses }) => badStatuses),
  };
}

async function runOne(port: number, row: Row, seconds: number): Promise<LoadReport> {
  const child = await startChild("taskset", [
    "-c",
    LOAD_CORE,
    "openssl",
    "s_time",
    row.handshake === "resumed" ? "-reuse" : "-new",
    "-tls1_3",
    "-time",
    String(seconds),
    "-connect",
    `127.0.0.1:${port}`,
    "-www",
    row.path,
  ]);
  const ending = await child.ending;
  if (ending.code !== 0) throw new Error(`openssl s_time failed: ${child.stderr()}${child.stdout()}`);
  return readTimingReport(child.stdout(), row.handshake === "resumed");
}

/** It prints `r` for a handshake that went on with a session and `*` for a full one. */
export function readTimingReport(text: string, resumes: boolean): LoadReport {
  const counts = /(\d+) connections in (\d+) real seconds, (\d+) bytes read per connection/.exec(text);
  if (counts === null) throw new Error(`not a report of openssl s_time: ${text}`);
  const [exchanges = 0, seconds = 0, bytes = 0] = counts.slice(1).map(Number);
  // A sign for each connection, in a line of their own.
  const signs = /^[r*]+$/m.exec(text)?.[0] ?? "";
  const others = signs.replaceAll(resumes ? "r" : "*", "").length;
  return {
    exchanges,
    perSecond: exchanges / Math.max(seconds, 1),
    socketErrors: others,
    badStatuses: bytes < ANSWER_BYTES_MIN ? exchanges : 0,
  };
}
