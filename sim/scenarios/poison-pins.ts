import { Capacity } from "../capacity.ts";
import { happened } from "../expectations.ts";
import { smallRead } from "../load.ts";
import { atMost, callsOf, failedShare } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

/** Mechanism 23 of failures.md, its variant: the request does not kill an origin but keeps it busy, and is answered. */
const POISON_FROM_MS = 5_000;
const POISON_PER_S = 1;
const PINS_S = 5;
const EACH_PER_S = 200;
const OTHERS_PER_S = 60;
const TOUCHED_MAX = 2;
const OTHERS_FAILED_MAX = 0.01;
const FOR_MS = 30_000;

export const poisonPins: Scenario = {
  name: "poison-pins",
  what: "One shape of request keeps whatever origin gets it busy for 5 s, once a second: it reaches two of them and no more, and nobody else is harmed.",
  isMarked: true,
  pools: { a: ["a1", "a2", "a3", "a4"] },
  play(world) {
    world.straightenLines();
    const touched = new Set<string>();
    for (const origin of world.origins) {
      origin.capacity = new Capacity(world.clock, EACH_PER_S);
      origin.script = ({ path }, chance) => {
        if (path !== "/poison") return { delayMs: chance.between(5, 20) };
        touched.add(origin.place.name);
        return { work: PINS_S * EACH_PER_S, delayMs: 1 };
      };
    }
    // The same request each time: whoever sends it sends it again.
    world.addLoad({
      name: "poison",
      perSecond: POISON_PER_S,
      fromMs: POISON_FROM_MS,
      untilMs: FOR_MS,
      plan: (chance) => ({ ...smallRead(chance), path: "/poison", resource: 1, answerBytes: 100 }),
    });
    const others = world.addLoad({ name: "others", perSecond: OTHERS_PER_S, untilMs: FOR_MS, patienceMs: 5_000 });
    return {
      *marks() {
        yield* atMost("mechanism 23: origins that the poison reached", touched.size, TOUCHED_MAX);
        const failed = failedShare(callsOf(world, [others]));
        yield* atMost("mechanism 23: share of other calls failed", failed, OTHERS_FAILED_MAX);
      },
      *also() {
        yield* happened("an origin was kept busy by it", touched.size, 1);
      },
    };
  },
};
