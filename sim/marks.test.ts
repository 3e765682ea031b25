import { describe, expect, it } from "vitest";
import { SCENARIOS } from "./scenario-list.ts";
import { runStretch } from "./stretch.ts";

/** Thousands of calls are made in each run; what is chance in one is even in so many. */
const SEEDS = 3;

// Apart from sim.test.ts, so that another core can run it.
describe("the gateway keeps its promises and meets the marks", () => {
  it.each(SCENARIOS.filter(({ isMarked }) => isMarked === true))("$name: $what", async ({ name }) => {
    const { broken } = await runStretch({ scenario: name, first: 1, count: SEEDS, trace: false });
    if (broken !== null) expect.fail(broken);
  });
});
