import { happened } from "../expectations.ts";
import { amplification, atMost, callsOf, failedShare } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

/** Mechanism 7 of failures.md, with its three stacked hops: where each of them repeats, they multiply. */
const LAYERS = 3;
const FAILS_FROM_MS = 10_000;
const FAILS_FOR_MS = 10_000;
const FOR_MS = 30_000;
const PER_S = 60;
const AMPLIFICATION_MAX = 1.1;
const FAILED_MAX = 0.02;

export const stackedGateways: Scenario = {
  name: "stacked-gateways",
  what: "Three gateways stand one behind the other while origins reset all that they get: one of the three repeats, and origins are not asked much more for it.",
  isMarked: true,
  layers: LAYERS,
  pools: { a: ["a1", "a2", "a3"] },
  play(world) {
    world.straightenLines();
    let fails = false;
    let failed = 0;
    for (const origin of world.origins) {
      origin.script = (_, chance) => {
        if (!fails) return { delayMs: chance.between(5, 15) };
        failed += 1;
        return { delayMs: 5, breakAfter: 0, breakHow: "rst" };
      };
    }
    world.at(FAILS_FROM_MS, () => {
      fails = true;
    });
    world.at(FAILS_FROM_MS + FAILS_FOR_MS, () => {
      fails = false;
    });
    const load = world.addLoad({ name: "load", perSecond: PER_S, untilMs: FOR_MS });
    return {
      *marks() {
        yield* atMost("mechanism 7: requests at origins for each of clients", amplification(world), AMPLIFICATION_MAX);
        const after = callsOf(world, [load], FAILS_FROM_MS + FAILS_FOR_MS + 5_000);
        yield* atMost("mechanism 7: share of calls failed afterwards", failedShare(after), FAILED_MAX);
      },
      *also() {
        yield* happened("a request was reset", failed, 100);
      },
    };
  },
};
