import { causesWithin, happened } from "../expectations.ts";
import { smallRead } from "../load.ts";
import { atMost, callsOf, failedShare } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

const CUT_MS = 6_000;
const OUT_MS = 6_000;
/** Checks and probations need this long to see that all is well. */
const WELL_AFTER_MS = 5_000;
const FOR_MS = 30_000;
const PER_S = 80;

export const powerCutOnePath: Scenario = {
  name: "power-cut-one-path",
  what: "All origins die at once under one path that everybody asks for, and come back six seconds later: it was there, and is not taken for what killed them.",
  pools: { a: ["a1", "a2", "a3"] },
  play(world) {
    world.straightenLines();
    const together = world.chance.fork("cut").happens(0.5) ? "fin" : "rst";
    for (const origin of world.origins) {
      origin.script = (_, chance) => ({ delayMs: chance.between(5, 120) });
      world.at(CUT_MS, () => origin.crash(together));
      world.at(CUT_MS + OUT_MS, () => origin.start());
    }
    const everybody = world.addLoad({
      name: "everybody",
      perSecond: PER_S,
      untilMs: FOR_MS,
      plan: (chance) => ({ ...smallRead(chance), path: "/home", resource: 1, answerBytes: 2_000 }),
    });
    return function* () {
      yield* happened("a call that met the cut", callsOf(world, [everybody], CUT_MS - 100, CUT_MS).length, 1);
      const late = callsOf(world, [everybody], CUT_MS + OUT_MS + WELL_AFTER_MS);
      yield* atMost("share of calls that failed when all origins were well again", failedShare(late), 0);
      const refused = world.records.filter(({ cause }) => cause === "origin.poison").length;
      if (refused > 0) yield `${refused} requests were refused as poison, and none was`;
      yield* causesWithin(world, [
        "origin.refused",
        "origin.keepalive_race",
        "origin.reset_before_response",
        "origin.truncated",
        "net.mid_reset",
        "gw.shed",
      ]);
    };
  },
};
