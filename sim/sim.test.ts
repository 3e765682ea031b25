import { describe, expect, it } from "vitest";
import { runScenario } from "./scenario.ts";
import { SCENARIOS } from "./scenario-list.ts";
import { runStretch } from "./stretch.ts";

const SEEDS = 8;

describe("the gateway keeps its promises", () => {
  it.each(SCENARIOS.filter(({ isMarked }) => isMarked !== true))("$name: $what", async ({ name }) => {
    const { broken } = await runStretch({ scenario: name, first: 1, count: SEEDS, trace: false });
    if (broken !== null) expect.fail(broken);
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
