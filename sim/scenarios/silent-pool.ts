import { causesWithin, happened } from "../expectations.ts";
import { smallRead } from "../load.ts";
import { atMost, callsOf, failedShare, latenciesMs } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

const CUT_MS = 10_000;
const OUT_MS = 20_000;
const FOR_MS = 45_000;
const PER_S = 100;
/** The promise of the issue: a whole pool lost costs less than a second of degraded service. */
const LATE_MS = 1_000;

export const silentPool: Scenario = {
  name: "silent-pool",
  what: "The way to the whole preferred pool is cut without a word: reads go to the next pool before a second is over, and come back.",
  pools: { near: ["n1", "n2"], far: ["f1", "f2"] },
  service: { failover: { hold: "5s" } },
  play(world) {
    world.straightenLines();
    for (const origin of world.origins) origin.script = (_, chance) => ({ delayMs: chance.between(5, 60) });
    for (const name of ["n1", "n2"]) {
      const origin = world.origin(name);
      world.at(CUT_MS, () => world.network.setReach(origin.place.ip, "silent"));
      world.at(CUT_MS + OUT_MS, () => {
        world.network.setReach(origin.place.ip, "reachable");
        origin.recovers();
      });
    }
    const reads = world.addLoad({
      name: "reads",
      perSecond: PER_S,
      untilMs: FOR_MS,
      plan: smallRead,
    });
    return function* () {
      yield* happened("a call that met the cut", callsOf(world, [reads], CUT_MS - 500, CUT_MS).length, 1);
      const calls = callsOf(world, [reads]);
      yield* atMost("share of calls that failed", failedShare(calls), 0);
      const late = latenciesMs(calls).filter((ms) => ms > LATE_MS).length;
      yield* atMost(`calls that took more than ${LATE_MS} ms`, late, 0);
      yield* causesWithin(world, [
        "net.connect_timeout",
        "net.half_open",
        "origin.ttfb_timeout",
        "origin.stall_mid_body",
        "net.mid_reset",
      ]);
    };
  },
};
