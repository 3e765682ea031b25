import { happened } from "../expectations.ts";
import { arrivals, atMost, callsOf, failedShare } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

/** Mechanism 12 (b) of failures.md: the fast-failing black hole. */
const FAILS_FROM_MS = 10_000;
const FAILS_FOR_MS = 30_000;
const FOUND_WITHIN_MS = 10_000;
const FAILED_MAX = 0.005;
const PER_S = 60;
const ORIGINS = 4;
const LOOK_MS = 5_000;
/** Chance alone makes a fair quarter of 300 requests into more than this once in 10,000. */
const SHARE_MAX = 1 / ORIGINS + 0.095;

export const fastFailing: Scenario = {
  name: "fast-failing",
  what: "One of four origins answers 500 in 1 ms and looks the least busy of all: it never draws more than its share, and is soon left alone.",
  isMarked: true,
  pools: { a: ["a1", "a2", "a3", "a4"] },
  play(world) {
    world.straightenLines();
    let fails = false;
    let failed = 0;
    for (const origin of world.origins) origin.script = (_, chance) => ({ delayMs: chance.between(30, 60) });
    const well = world.origin("a3").script;
    world.origin("a3").script = (asked, chance) => {
      if (!fails) return well(asked, chance);
      failed += 1;
      return { delayMs: 1, status: 500 };
    };
    world.at(FAILS_FROM_MS, () => {
      fails = true;
    });
    world.at(FAILS_FROM_MS + FAILS_FOR_MS, () => {
      fails = false;
    });
    const load = world.addLoad({ name: "load", perSecond: PER_S, untilMs: FAILS_FROM_MS + FAILS_FOR_MS + 5_000 });
    return {
      *marks() {
        for (let at = FAILS_FROM_MS; at < FAILS_FROM_MS + FAILS_FOR_MS; at += LOOK_MS) {
          const share = arrivals(world, "a3", at, at + LOOK_MS) / callsOf(world, [load], at, at + LOOK_MS).length;
          yield* atMost(`mechanism 12b: share of one in ${ORIGINS} from ${at / 1000} s on`, share, SHARE_MAX);
        }
        const calls = callsOf(world, [load], FAILS_FROM_MS + FOUND_WITHIN_MS, FAILS_FROM_MS + FAILS_FOR_MS);
        yield* atMost("mechanism 12b: share of calls failed after 10 s", failedShare(calls), FAILED_MAX);
      },
      *also() {
        yield* happened("a request failed at once", failed, 5);
      },
    };
  },
};
