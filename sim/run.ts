/**
 * `npm run sim -- --seed 7 --scenario calm --seeds 100`: runs scenarios with many seeds and stops at the first run
 * that breaks a promise, with everything needed to see it again. Ends with 1 then, otherwise with 0.
 */
import { parseArgs } from "node:util";
import { idOf } from "./ledger.ts";
import type { Scenario } from "./scenario.ts";
import { runScenario } from "./scenario.ts";
import type { RunReport } from "./scenario.ts";
import { SCENARIOS, UNMET } from "./scenario-list.ts";
import { lineInWords } from "./trace.ts";

const LAST_LINES = 40;
const FINDINGS_SHOWN = 10;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "10" },
    scenario: { type: "string", default: "" },
    trace: { type: "boolean", default: false },
    naive: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (values.help) help();
else process.exitCode = await simulate(chosen(values.scenario), Number(values.seed), Number(values.seeds));

async function simulate(scenarios: readonly Scenario[], first: number, count: number): Promise<number> {
  if (scenarios.length === 0 || !Number.isSafeInteger(first) || !(count >= 1)) {
    console.error("No such scenario, or not a number of seeds. --help lists what there is.");
    return 2;
  }
  for (const scenario of scenarios) {
    if (values.naive && scenario.isMarked !== true) continue;
    const began = performance.now();
    const totals = { requests: 0, rescued: 0, failed: 0, other: 0 };
    for (let seed = first; seed < first + count; seed += 1) {
      // oxlint-disable-next-line no-await-in-loop -- One after the other: each is deterministic and uses a whole core.
      const report = await runScenario(scenario, {
        seed,
        gateway: values.naive ? "naive" : "ours",
        onWorld: (world) => {
          if (values.trace) world.trace.onLine = (line) => console.log(lineInWords(line));
        },
      });
      if (values.naive) {
        contrast(report);
        continue;
      }
      if (report.findings.length > 0) {
        explain(report);
        return 1;
      }
      totals.requests += report.world.ledger.stories.size;
      for (const { outcome } of report.world.records) {
        if (outcome === "rescued" || outcome === "failed") totals[outcome] += 1;
        else if (outcome !== "served") totals.other += 1;
      }
    }
    if (values.naive) continue;
    const ms = (performance.now() - began) / count;
    const { requests, rescued, failed, other } = totals;
    console.log(
      `${scenario.name.padEnd(22)} ${count} seeds, ${requests} requests: ${rescued} rescued, ${failed} failed, ${other} refused or aborted; ${ms.toFixed(0)} ms a run`,
    );
  }
  return 0;
}

/** What the negative control makes of it. */
function contrast({ scenario, seed, findings }: RunReport): void {
  console.log(`${scenario}, seed ${seed}, a naive gateway: ${findings.length === 0 ? "meets every mark" : ""}`);
  for (const { what } of findings) console.log(`  ${what}`);
}

function explain({ scenario, seed, findings, world }: RunReport): void {
  console.log(`${scenario}, seed ${seed}: ${findings.length} findings`);
  for (const { checker, what, id } of findings.slice(0, FINDINGS_SHOWN)) {
    console.log(`  ${checker}: ${id > 0 ? `#${id} ` : ""}${what}`);
  }
  const about = [...new Set(findings.map(({ id }) => id))].filter((id) => id > 0).slice(0, 1);
  const lines = world.trace.last(
    LAST_LINES,
    about.map((id) => `#${id}`),
  );
  console.log(about.length > 0 ? `\nWhat is known of #${about.join(", #")}:` : "\nThe last that happened:");
  for (const line of lines) console.log(lineInWords(line));
  const record = world.records.find(({ target, userAgent }) => about.includes(idOf(target, userAgent)));
  if (record !== undefined) console.log(`\nIts record:\n${JSON.stringify(record, null, 2)}`);
  console.log(`\nAgain, with all that happens: npm run sim -- --scenario ${scenario} --seed ${seed} --seeds 1 --trace`);
}

function chosen(name: string): readonly Scenario[] {
  return name === "" ? SCENARIOS : [...SCENARIOS, ...UNMET].filter((scenario) => scenario.name === name);
}

function help(): void {
  console.log("npm run sim -- [--scenario NAME] [--seed FIRST] [--seeds COUNT] [--trace] [--naive]\n");
  for (const { name, what } of [...SCENARIOS, ...UNMET]) console.log(`  ${name.padEnd(22)} ${what}`);
}
