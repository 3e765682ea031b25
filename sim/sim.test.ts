import { describe, expect, it } from "vitest";
import { runScenario } from "./scenario.ts";
import type { RunReport } from "./scenario.ts";
import { SCENARIOS } from "./scenario-list.ts";
import { lineInWords } from "./trace.ts";

const SEEDS = 16;
/** Where thousands of calls are made; what is chance in one is even in so many. */
const MARKED_SEEDS = 5;
const LINES = 25;

describe("the gateway keeps its promises", () => {
  it.each(SCENARIOS)("$name: $what", async (scenario) => {
    const seeds = scenario.isMarked === true ? MARKED_SEEDS : SEEDS;
    for (let seed = 1; seed <= seeds; seed += 1) {
      const report = await runScenario(scenario, { seed });
      if (report.findings.length > 0) expect.fail(inWords(report));
    }
  });
});

describe("a run", () => {
  it("is the same run again with the same seed, and another one with another", async () => {
    const scenario = SCENARIOS.find(({ name }) => name === "rolling-crash")!;
    const digest = async (seed: number): Promise<number> => (await runScenario(scenario, { seed })).world.trace.digest;
    const first = await digest(4711);
    expect(await digest(4711)).toBe(first);
    expect(await digest(4712)).not.toBe(first);
  });
});

function inWords({ scenario, seed, findings, world }: RunReport): string {
  const first = findings[0];
  const about = first === undefined || first.id === 0 ? [] : [`#${first.id}`];
  return [
    `seed ${seed}: ${findings.length} findings`,
    ...findings.slice(0, 5).map(({ checker, id, what }) => `${checker}: ${id === 0 ? "" : `#${id} `}${what}`),
    ...world.trace.last(LINES, about).map(lineInWords),
    `Again: npm run sim -- --scenario ${scenario} --seed ${seed} --seeds 1 --trace`,
  ].join("\n");
}
