import { describe, expect, it } from "vitest";
import { CHECKERS } from "./checkers.ts";
import { DEFECTS } from "./defects.ts";
import { runScenario } from "./scenario.ts";
import { SCENARIOS } from "./scenario-list.ts";

describe("the checkers", () => {
  it.each(DEFECTS)("find $name: $what", async ({ scenario: name, checker, options }) => {
    const scenario = SCENARIOS.find((one) => one.name === name)!;
    const found = new Set<string>();
    // A defect of chance may spare a seed; it may not spare three.
    for (let seed = 1; seed <= 3; seed += 1) {
      const { findings } = await runScenario(scenario, { seed, ...options });
      for (const finding of findings) found.add(finding.checker);
    }
    expect([...found]).toContain(checker);
  });

  it("all have a defect to find", () => {
    const tested = new Set(DEFECTS.map((defect) => defect.checker));
    expect(CHECKERS.map((checker) => checker.name).filter((name) => !tested.has(name))).toEqual([]);
  });
});
