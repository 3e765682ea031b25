/** The table of the fault bench: for each row and gateway what clients saw. */
import type { Class, Seen } from "./clients.ts";
import type { FaultRow } from "./rows.ts";

export interface Outcome {
  readonly row: string;
  readonly peer: string;
  readonly requests: number;
  readonly failed: number;
  /** Answered rightly, but later than the row's bound. */
  readonly slow: number;
  /** Payments that ran twice. */
  readonly twice: number;
  readonly wrongBodies: number;
  /** Right answers a second, from the end of the fault until the end. */
  readonly afterPerSecond: number;
  /** Seconds after the fault until 95 % of what is asked is answered rightly for good; null: not within the run. */
  readonly recoveredAfter: number | null;
  readonly criticalFailed: number | null;
  readonly byOutcome: Readonly<Record<string, number>>;
}

export function outcomeOf(
  row: string,
  peer: string,
  { calmSeconds, faultSeconds, slowMs }: FaultRow,
  seen: readonly Seen[],
  twice: number,
): Outcome {
  const byOutcome: Record<string, number> = {};
  for (const { outcome } of seen) byOutcome[outcome] = (byOutcome[outcome] ?? 0) + 1;
  const endOfFault = (calmSeconds + faultSeconds) * 1000;
  const after = seen.filter((one) => one.dueMs >= endOfFault);
  const seconds =
    after.length === 0 ? 1 : Math.max(1, (Math.max(...after.map((one) => one.dueMs)) - endOfFault) / 1000);
  return {
    row,
    peer,
    requests: seen.length,
    failed: seen.filter((one) => !one.ok).length,
    slow: seen.filter((one) => one.ok && one.tookMs > slowMs).length,
    twice,
    wrongBodies: byOutcome["wrong body"] ?? 0,
    afterPerSecond: after.filter((one) => one.ok).length / seconds,
    recoveredAfter: recovery(after, endOfFault),
    criticalFailed: shareFailed(seen, "critical"),
    byOutcome,
  };
}

function recovery(after: readonly Seen[], from: number): number | null {
  const bySecond = new Map<number, { asked: number; right: number }>();
  for (const one of after) {
    const second = Math.floor((one.dueMs - from) / 1000);
    const count = bySecond.get(second) ?? { asked: 0, right: 0 };
    count.asked += 1;
    if (one.ok) count.right += 1;
    bySecond.set(second, count);
  }
  const last = Math.max(-1, ...bySecond.keys());
  let recovered = last + 1;
  for (let second = last; second >= 0; second -= 1) {
    const count = bySecond.get(second);
    if (count !== undefined && count.right < 0.95 * count.asked) break;
    recovered = second;
  }
  return recovered > last ? null : recovered;
}

function shareFailed(seen: readonly Seen[], of: Class): number | null {
  const those = seen.filter((one) => one.class === of);
  return those.length === 0 ? null : those.filter((one) => !one.ok).length / those.length;
}

export function renderOutcomes(outcomes: readonly Outcome[]): string {
  const lines = [
    "| row | gateway | asked | right in time | slow | failed | of it | run twice | well again after | critical failed |",
    "|---|---|--:|--:|--:|--:|---|--:|--:|--:|",
  ];
  for (const one of outcomes) {
    lines.push(
      `| ${one.row} | ${one.peer} | ${one.requests} | ${percent(1 - (one.failed + one.slow) / one.requests)} | ${percent(one.slow / one.requests)} | ${percent(one.failed / one.requests)} | ${failures(one)} | ${one.twice} | ${one.recoveredAfter === null ? "never" : `${one.recoveredAfter} s`} | ${one.criticalFailed === null ? "" : percent(one.criticalFailed)} |`,
    );
  }
  return lines.join("\n");
}

function failures({ byOutcome }: Outcome): string {
  return Object.entries(byOutcome)
    .filter(([outcome]) => outcome !== "200" && outcome !== "206")
    .toSorted(([, left], [, right]) => right - left)
    .map(([outcome, count]) => `${count} ${outcome}`)
    .join(", ");
}

function percent(share: number): string {
  if (share === 1) return "100 %";
  return share === 0 ? "0" : `${(share * 100).toFixed(share < 0.001 ? 3 : share < 0.1 || share > 0.99 ? 2 : 1)} %`;
}
