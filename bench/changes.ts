/**
 * Is anything lost while the configuration changes? Two hundred changes in a row under two thousand requests a second,
 * on kept and on new connections, beside a download and a tunnel that outlast them all. Exits 1 when something was lost
 * or memory grew.
 *
 * Arguments: [CHANGES] (default 200) [RATE] (default 2000) [WORKERS] (default 1).
 */
import { changesUnderLoad } from "../test/support/changes-under-load.ts";
import type { LoadResult } from "../test/support/load.ts";

/** What the heap may move by, from a quarter of the way to the end. A gateway kept for each change exceeds it. */
const GROWTH_MAX_BYTES = 64 * 1024 * 1024;

const [changes = 200, ratePerSecond = 2_000, workers = 1] = process.argv.slice(2).map(Number);
const report = await changesUnderLoad({
  changes,
  ratePerSecond,
  requestsBetween: Math.ceil(ratePerSecond / 10),
  ...(workers === 1 ? {} : { workers }),
});
const { kept, fresh, refused, download, echoed, residentBytes, descriptors } = report;
const lost = lostOf(kept) + lostOf(fresh);
const isWhole = download.sent === download.received && echoed.sent === echoed.received;
const grownBytes = residentBytes.late - residentBytes.early;
const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

process.stdout.write(
  [
    `${report.revision - 1} of ${changes} changes took effect; ${refused.length} were refused`,
    `kept connections: ${kept.sent} requests, ${lostOf(kept)} lost ${said({ ...kept.byStatus, ...kept.byError })}`,
    `new connections: ${fresh.sent} requests, ${lostOf(fresh)} lost ${said({ ...fresh.byStatus, ...fresh.byError })}`,
    `causes ${said(report.causes)}`,
    `download ${download.sent === download.received ? "whole" : "BROKEN"}, tunnel ${echoed.received} of ${echoed.sent} bytes`,
    `resident ${mib(residentBytes.early)} after a quarter, ${mib(residentBytes.late)} at the end`,
    `descriptors ${descriptors.before} before, ${descriptors.after} after`,
    ...refused.slice(0, 3),
    report.faults,
    "",
  ].join("\n"),
);
process.exit(lost === 0 && isWhole && refused.length === 0 && grownBytes <= GROWTH_MAX_BYTES ? 0 : 1);

function said(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name}: ${count}`)
    .join(", ");
}

/** Everything but a complete 200. */
function lostOf({ sent, byStatus }: LoadResult): number {
  return sent - (byStatus["200"] ?? 0);
}
