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
  /** Payments that ran once and failed for their client: nobody may repeat them, so nobody could have saved them. */
  readonly ranUnanswered: number;
  readonly wrongBodies: number;
  /** Right answers a second, from when everything works again until the end. */
  readonly afterPerSecond: number;
  /** Seconds from then until 95 % of what is asked is answered rightly for good; null: not within the run. */
  readonly recoveredAfter: number | null;
  readonly criticalFailed: number | null;
  readonly byOutcome: Readonly<Record<string, number>>;
}

export interface Observed {
  readonly seen: readonly Seen[];
  /** What origins carried out. */
  readonly payments: readonly string[];
  /** ms of the load when all origins could do again what they can do. */
  readonly clearMs: number;
}

/** How finely recovery is told. */
const STEP_MS = 500;

export function outcomeOf(
  row: string,
  peer: string,
  { slowMs }: Pick<FaultRow, "slowMs">,
  { seen, payments, clearMs }: Observed,
): Outcome {
  const ran = new Set(payments);
  const byOutcome: Record<string, number> = {};
  for (const { outcome } of seen) byOutcome[outcome] = (byOutcome[outcome] ?? 0) + 1;
  const after = seen.filter((one) => one.dueMs >= clearMs);
  const seconds = after.length === 0 ? 1 : Math.max(1, (Math.max(...after.map((one) => one.dueMs)) - clearMs) / 1000);
  return {
    row,
    peer,
    requests: seen.length,
    failed: seen.filter((one) => !one.ok).length,
    slow: seen.filter((one) => one.ok && one.tookMs > slowMs).length,
    twice: payments.length - ran.size,
    ranUnanswered: seen.filter(({ ok, method, number }) => !ok && method === "POST" && ran.has(String(number))).length,
    wrongBodies: byOutcome["wrong body"] ?? 0,
    afterPerSecond: after.filter((one) => one.ok).length / seconds,
    recoveredAfter: recovery(after, clearMs),
    criticalFailed: shareFailed(seen, "critical"),
    byOutcome,
  };
}

function recovery(after: readonly Seen[], from: number): number | null {
  const steps = new Map<number, { asked: number; right: number }>();
  for (const one of after) {
    const step = Math.floor((one.dueMs - from) / STEP_MS);
    const count = steps.get(step) ?? { asked: 0, right: 0 };
    count.asked += 1;
    if (one.ok) count.right += 1;
    steps.set(step, count);
  }
  const last = Math.max(-1, ...steps.keys());
  let recovered = last + 1;
  for (let step = last; step >= 0; step -= 1) {
    const count = steps.get(step);
    if (count !== undefined && count.right < 0.95 * count.asked) break;
    recovered = step;
  }
  return recovered > last ? null : (recovered * STEP_MS) / 1000;
}

function shareFailed(seen: readonly Seen[], of: Class): number | null {
  const those = seen.filter((one) => one.class === of);
  return those.length === 0 ? null : those.filter((one) => !one.ok).length / those.length;
}

export function renderOutcomes(outcomes: readonly Outcome[]): string {
  const lines = [
    "| row | gateway | asked | right in time | slow | failed | of it | had run | run twice | well again after | critical failed |",
    "|---|---|--:|--:|--:|--:|---|--:|--:|--:|--:|",
  ];
  for (const one of outcomes) {
    lines.push(
      `| ${one.row} | ${one.peer} | ${one.requests} | ${percent(1 - (one.failed + one.slow) / one.requests)} | ${percent(one.slow / one.requests)} | ${percent(one.failed / one.requests)} | ${failures(one)} | ${one.ranUnanswered} | ${one.twice} | ${one.recoveredAfter === null ? "never" : `${one.recoveredAfter} s`} | ${one.criticalFailed === null ? "" : percent(one.criticalFailed)} |`,
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
