import { happened } from "../expectations.ts";
import { smallRead } from "../load.ts";
import { atMost, callsOf, failedShare } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

/** Mechanism 23 of failures.md: a poison request. */
const POISON_FROM_MS = 5_000;
const POISON_PER_S = 1;
const OTHERS_PER_S = 60;
const TOUCHED_MAX = 2;
const QUARANTINED_WITHIN_MS = 5_000;
const OTHERS_FAILED_MAX = 0.01;
const RESTART_MS = 4_000;
const FOR_MS = 35_000;

export const poison: Scenario = {
  name: "poison",
  what: "One shape of request crashes whatever origin gets it, once a second: it reaches two of them and no more, and nobody else is harmed.",
  isMarked: true,
  pools: { a: ["a1", "a2", "a3", "a4"] },
  play(world) {
    world.straightenLines();
    const touched = new Map<string, number>();
    for (const origin of world.origins) {
      origin.restartMs = RESTART_MS;
      origin.script = ({ path }, chance) => {
        if (path !== "/poison") return { delayMs: chance.between(5, 20) };
        touched.set(origin.place.name, (touched.get(origin.place.name) ?? 0) + 1);
        return { delayMs: 20, breakAfter: 0, breakHow: "crash" };
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
    const others = world.addLoad({ name: "others", perSecond: OTHERS_PER_S, untilMs: FOR_MS });
    return {
      *marks() {
        yield* atMost("mechanism 23: origins that the poison reached", touched.size, TOUCHED_MAX);
        const late = world.origins.reduce((sum, { crashes }) => sum + crashes, 0);
        yield* atMost("mechanism 23: crashes before it was kept out", late, TOUCHED_MAX + QUARANTINED_WITHIN_MS / 1000);
        yield* atMost(
          "mechanism 23: share of other calls failed",
          failedShare(callsOf(world, [others])),
          OTHERS_FAILED_MAX,
        );
      },
      *also() {
        yield* happened("an origin crashed of it", touched.size, 1);
      },
    };
  },
};
