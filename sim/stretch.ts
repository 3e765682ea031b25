/** A stretch of seeds of one scenario, run one after the other until the first that breaks a promise. */
import { idOf } from "./ledger.ts";
import { runScenario } from "./scenario.ts";
import type { RunReport, Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenario-list.ts";
import { lineInWords } from "./trace.ts";

/** Plain data: it goes to another process. */
export interface Stretch {
  readonly scenario: string;
  readonly first: number;
  readonly count: number;
  readonly trace: boolean;
}

export interface Totals {
  readonly requests: number;
  readonly rescued: number;
  readonly failed: number;
  readonly other: number;
  readonly ms: number;
}

/** `broken`: everything needed to see it again, in lines. */
export interface StretchResult {
  readonly totals: Totals;
  readonly broken: string | null;
}

export const NOTHING: Totals = { requests: 0, rescued: 0, failed: 0, other: 0, ms: 0 };
const LAST_LINES = 40;
const FINDINGS_SHOWN = 10;

export async function runStretch({ scenario: name, first, count, trace }: Stretch): Promise<StretchResult> {
  const scenario = SCENARIOS.find((one) => one.name === name);
  if (scenario === undefined) throw new Error(`no scenario ${name}`);
  let totals = NOTHING;
  for (let seed = first; seed < first + count; seed += 1) {
    const began = performance.now();
    // oxlint-disable-next-line no-await-in-loop -- One after the other: each is deterministic and uses a whole core.
    const report = await runOne(scenario, seed, trace);
    if (report.findings.length > 0) return { totals, broken: explained(report) };
    totals = add(totals, { ...totalsOf(report), ms: performance.now() - began });
  }
  return { totals, broken: null };
}

export function add(one: Totals, other: Totals): Totals {
  return {
    requests: one.requests + other.requests,
    rescued: one.rescued + other.rescued,
    failed: one.failed + other.failed,
    other: one.other + other.other,
    ms: one.ms + other.ms,
  };
}

function runOne(scenario: Scenario, seed: number, trace: boolean): Promise<RunReport> {
  return runScenario(scenario, {
    seed,
    onWorld: (world) => {
      if (trace) world.trace.onLine = (line) => console.log(lineInWords(line));
    },
  });
}

function totalsOf({ world }: RunReport): Omit<Totals, "ms"> {
  const totals = { requests: world.ledger.stories.size, rescued: 0, failed: 0, other: 0 };
  for (const { outcome } of world.records) {
    if (outcome === "rescued" || outcome === "failed") totals[outcome] += 1;
    else if (outcome !== "served") totals.other += 1;
  }
  return totals;
}

function explained({ scenario, seed, findings, world }: RunReport): string {
  const about = findings.find(({ id }) => id > 0)?.id ?? 0;
  const record = world.records.find(({ target, userAgent }) => about > 0 && idOf(target, userAgent) === about);
  return [
    `${scenario}, seed ${seed}: ${findings.length} findings`,
    ...findings
      .slice(0, FINDINGS_SHOWN)
      .map(({ checker, what, id }) => `  ${checker}: ${id > 0 ? `#${id} ` : ""}${what}`),
    about > 0 ? `\nWhat is known of #${about}:` : "\nThe last that happened:",
    ...world.trace.last(LAST_LINES, about > 0 ? [`#${about}`] : []).map(lineInWords),
    ...(record === undefined ? [] : [`\nIts record:\n${JSON.stringify(record, null, 2)}`]),
    `\nAgain, with all that happens: npm run sim -- --scenario ${scenario} --seed ${seed} --seeds 1 --trace`,
  ].join("\n");
}
