import { Capacity } from "../capacity.ts";
import { happened } from "../expectations.ts";
import { smallRead } from "../load.ts";
import { callsOf, failedShare } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

const SLOW_PER_S = 1;
const TAKES_MS = [3_000, 6_000] as const;
const EACH_PER_S = 200;
const OTHERS_PER_S = 60;
const FOR_MS = 40_000;
const STILL_EVERY_MS = 4_000;
const STILL_MS = [300, 1_500] as const;

export const slowPage: Scenario = {
  name: "slow-page",
  what: "The other side of poison-pins: a page takes seconds and costs nobody else anything, and now and then one or two of four origins stand still by themselves: nobody is refused for it.",
  pools: { a: ["a1", "a2", "a3", "a4"] },
  play(world) {
    world.straightenLines();
    for (const origin of world.origins) {
      origin.capacity = new Capacity(world.clock, EACH_PER_S);
      origin.script = ({ path }, chance) => ({
        delayMs: path === "/report" ? chance.between(...TAKES_MS) : chance.between(5, 20),
      });
    }
    const chance = world.chance.fork("still");
    for (let at = 5_000; at < FOR_MS; at += STILL_EVERY_MS) {
      const first = chance.integer(0, 3);
      const still = chance.happens(0.5) ? [first] : [first, (first + chance.integer(1, 3)) % 4];
      for (const index of still) {
        // Together or shortly one after the other, as where what they share stands still.
        const from = at + chance.between(0, 300);
        world.at(from, () => world.origins[index]?.capacity?.setPace(0));
        world.at(from + chance.between(...STILL_MS), () => world.origins[index]?.capacity?.setPace(EACH_PER_S));
      }
    }
    const slow = world.addLoad({
      name: "slow",
      perSecond: SLOW_PER_S,
      untilMs: FOR_MS,
      patienceMs: 14_000,
      plan: (from) => ({ ...smallRead(from), path: "/report", resource: 1, answerBytes: 100 }),
    });
    const others = world.addLoad({ name: "others", perSecond: OTHERS_PER_S, untilMs: FOR_MS, patienceMs: 5_000 });
    return function* () {
      yield* happened("a slow page was asked for", callsOf(world, [slow]).length, 20);
      const refused = world.records.filter(({ cause }) => cause === "origin.poison").length;
      if (refused > 0) yield `${refused} requests were taken for ones that keep origins busy`;
      if (failedShare(callsOf(world, [slow, others])) > 0) yield "calls failed that need not have";
    };
  },
};
