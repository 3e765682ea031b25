import { happened } from "../expectations.ts";
import type { Call } from "../load.ts";
import { arrivals, atMost, callsOf } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

/** Mechanism 12 (a) of failures.md: a gray origin. */
const GRAY_FROM_MS = 10_000;
const GRAY_FOR_MS = 40_000;
const GRAY_SHARE = 0.2;
const GRAY_DELAY_MS = 3_000;
const FOUND_WITHIN_MS = 10_000;
const FAILED_MAX = 0.005;
const PER_S = 40;
const ORIGINS = 4;
/** It is asked now and then whether it is well again; a fair share would be a quarter. */
const TRIED_MAX = 0.08;
const GOOD_ANSWER_MS = 1_000;

export const grayOrigin: Scenario = {
  name: "gray-origin",
  what: "One of four origins answers its checks and delays or resets one request in five: it is found within 10 s, and then nearly nobody meets it.",
  isMarked: true,
  pools: { a: ["a1", "a2", "a3", "a4"] },
  play(world) {
    world.straightenLines();
    let isGray = false;
    let harmed = 0;
    for (const origin of world.origins) origin.script = (_, chance) => ({ delayMs: chance.between(10, 30) });
    const well = world.origin("a2").script;
    world.origin("a2").script = (asked, chance) => {
      if (!isGray || !chance.happens(GRAY_SHARE)) return well(asked, chance);
      harmed += 1;
      return chance.happens(0.5) ? { breakAfter: 0, breakHow: "rst", delayMs: 5 } : { delayMs: GRAY_DELAY_MS };
    };
    world.at(GRAY_FROM_MS, () => {
      isGray = true;
    });
    world.at(GRAY_FROM_MS + GRAY_FOR_MS, () => {
      isGray = false;
    });
    const load = world.addLoad({ name: "load", perSecond: PER_S, untilMs: GRAY_FROM_MS + GRAY_FOR_MS + 5_000 });
    const isBad = ({ state, at, endedAt }: Call): boolean => state !== "served" || endedAt - at > GOOD_ANSWER_MS;
    return {
      *marks() {
        const [from, until] = [GRAY_FROM_MS + FOUND_WITHIN_MS, GRAY_FROM_MS + GRAY_FOR_MS];
        const calls = callsOf(world, [load], from, until);
        const bad = calls.filter(isBad).length / calls.length;
        yield* atMost("mechanism 12a: share of calls failed or slow after 10 s", bad, FAILED_MAX);
        const share = arrivals(world, "a2", from, until) / calls.length;
        yield* atMost(`mechanism 12a: share of the gray one of ${ORIGINS} after 10 s`, share, TRIED_MAX);
      },
      *also() {
        yield* happened("the gray origin harmed a request", harmed, 3);
      },
    };
  },
};
