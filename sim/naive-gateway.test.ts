import { describe, expect, it } from "vitest";
import { runScenario } from "./scenario.ts";
import type { Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenario-list.ts";
import type { World } from "./world.ts";

const SEEDS = 5;
/** Chance may spare it once. */
const MISSED_LEAST = 4;

describe("a naive gateway", () => {
  it.each(SCENARIOS.filter(({ isMarked }) => isMarked === true))("misses a mark of $name", async (scenario) => {
    let missed = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const { findings } = await runScenario(scenario, { seed, gateway: "naive" });
      if (findings.length > 0) missed += 1;
    }
    expect(missed).toBeGreaterThanOrEqual(MISSED_LEAST);
  });

  it("serves what nothing is wrong with", async () => {
    const play = (world: World): (() => readonly string[]) => {
      world.addClients(5);
      return () => [];
    };
    const calm: Scenario = { name: "calm", what: "Nothing is wrong.", pools: { a: ["a1", "a2"], b: ["b1"] }, play };
    const { world } = await runScenario(calm, { seed: 1, gateway: "naive" });
    const stories = [...world.ledger.stories.values()];
    expect(world.gaveUp).toBe("");
    expect(stories.length).toBeGreaterThanOrEqual(100);
    expect(stories.filter(({ state, status }) => state !== "answered" || status !== 200)).toEqual([]);
  });
});
