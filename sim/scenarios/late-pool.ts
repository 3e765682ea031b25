import { causesWithin, happened } from "../expectations.ts";
import { smallRead } from "../load.ts";
import { atMost, callsOf, failedShare } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

const LATE_MS = 2_000;
const LATE_FROM_MS = 40_000;
const LATE_FOR_MS = 25_000;
const PER_S = 25;

export const latePool: Scenario = {
  name: "late-pool",
  what: "The whole preferred pool answers everything two seconds late: nobody's read fails, and the pool is called slow, not gone.",
  pools: { near: ["n1", "n2"], far: ["f1", "f2"] },
  service: { failover: { hold: "5s" } },
  play(world) {
    world.straightenLines();
    let isLate = false;
    world.at(LATE_FROM_MS, () => {
      isLate = true;
    });
    world.at(LATE_FROM_MS + LATE_FOR_MS, () => {
      isLate = false;
    });
    for (const name of ["n1", "n2"])
      world.origin(name).script = (_, chance) => ({ delayMs: chance.between(10, 30) + (isLate ? LATE_MS : 0) });
    for (const name of ["f1", "f2"]) world.origin(name).script = (_, chance) => ({ delayMs: chance.between(10, 30) });
    const reads = world.addLoad({
      name: "reads",
      perSecond: PER_S,
      untilMs: LATE_FROM_MS + LATE_FOR_MS + 5_000,
      plan: smallRead,
    });
    return function* () {
      yield* happened("a call while it was late", callsOf(world, [reads], LATE_FROM_MS, LATE_FROM_MS + 500).length, 1);
      yield* atMost("share of calls that failed", failedShare(callsOf(world, [reads])), 0);
      yield* causesWithin(world, ["origin.ttfb_timeout"]);
    };
  },
};
