/**
 * `npm run sim -- --seed 7 --scenario calm --seeds 100`: runs scenarios with many seeds, on all cores, and stops at
 * the first run that breaks a promise, with everything needed to see it again. Ends with 1 then, otherwise with 0.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { runStretches } from "./jobs.ts";
import type { Scenario } from "./scenario.ts";
import { runScenario } from "./scenario.ts";
import { SCENARIOS } from "./scenario-list.ts";
import { NOTHING, add } from "./stretch.ts";
import type { Stretch, Totals } from "./stretch.ts";

/** Long enough for a process to have something to do, short enough for all to end at about the same time. */
const STRETCH_MAX = 25;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "10" },
    scenario: { type: "string", default: "" },
    jobs: { type: "string", default: String(availableParallelism()) },
    trace: { type: "boolean", default: false },
    naive: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (values.help) help();
else process.exitCode = await simulate(chosen(values.scenario), Number(values.seed), Number(values.seeds));

async function simulate(scenarios: readonly Scenario[], first: number, count: number): Promise<number> {
  const jobs = Number(values.jobs);
  if (scenarios.length === 0 || !Number.isSafeInteger(first) || !(count >= 1) || !(jobs >= 1)) {
    console.error("No such scenario, or not a number of seeds or jobs. --help lists what there is.");
    return 2;
  }
  if (values.naive) {
    await contrast(scenarios, first, count);
    return 0;
  }
  const stretches = scenarios.flatMap(({ name }) => stretchesOf(name, first, count, jobs));
  const sums = new Map<string, { totals: Totals; left: number }>();
  for (const { scenario, count: seeds } of stretches) {
    sums.set(scenario, { totals: NOTHING, left: (sums.get(scenario)?.left ?? 0) + seeds });
  }
  let broken: string | null = null;
  // Lines of several processes at once would be nobody's.
  await runStretches(stretches, values.trace ? 1 : jobs, ({ scenario, count: seeds }, result) => {
    broken = result.broken;
    if (result.broken !== null) return false;
    const sum = sums.get(scenario);
    if (sum === undefined) return true;
    sum.totals = add(sum.totals, result.totals);
    sum.left -= seeds;
    if (sum.left === 0) tell(scenario, count, sum.totals);
    return true;
  });
  if (broken === null) return 0;
  console.log(broken);
  return 1;
}

function stretchesOf(scenario: string, first: number, count: number, jobs: number): Stretch[] {
  const length = Math.min(STRETCH_MAX, Math.ceil(count / jobs));
  const stretches: Stretch[] = [];
  for (let from = first; from < first + count; from += length) {
    stretches.push({ scenario, first: from, count: Math.min(length, first + count - from), trace: values.trace });
  }
  return stretches;
}

function tell(scenario: string, count: number, { requests, rescued, failed, other, ms }: Totals): void {
  console.log(
    `${scenario.padEnd(22)} ${count} seeds, ${requests} requests: ${rescued} rescued, ${failed} failed, ${other} refused or aborted; ${(ms / count).toFixed(0)} ms a run`,
  );
}

/** What the negative control makes of it. */
async function contrast(scenarios: readonly Scenario[], first: number, count: number): Promise<void> {
  for (const scenario of scenarios) {
    if (scenario.isMarked !== true) continue;
    for (let seed = first; seed < first + count; seed += 1) {
      // oxlint-disable-next-line no-await-in-loop -- One after the other: each is deterministic and uses a whole core.
      const { findings } = await runScenario(scenario, { seed, gateway: "naive" });
      console.log(
        `${scenario.name}, seed ${seed}, a naive gateway: ${findings.length === 0 ? "meets every mark" : ""}`,
      );
      for (const { what } of findings) console.log(`  ${what}`);
    }
  }
}

function chosen(name: string): readonly Scenario[] {
  return name === "" ? SCENARIOS : SCENARIOS.filter((scenario) => scenario.name === name);
}

function help(): void {
  console.log(
    "npm run sim -- [--scenario NAME] [--seed FIRST] [--seeds COUNT] [--jobs PROCESSES] [--trace] [--naive]\n",
  );
  for (const { name, what } of SCENARIOS) console.log(`  ${name.padEnd(22)} ${what}`);
}
