import { happened } from "../expectations.ts";
import { smallRead, smallWrite } from "../load.ts";
import { atMost, callsOf, duplicates, failedShare } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

/** Mechanism 16 of failures.md: flapping and needless failover. */
const CUT_EVERY_MS = 20_000;
const CUT_MS = 3_000;
const CUTS = 6;
const FAILED_MAX = 0.01;
const MOVES_MAX = 1;
const PER_S = 20;

export const flapping: Scenario = {
  name: "flapping",
  what: "The first pool is gone for 3 s every 20 s: what may go elsewhere does, no write runs twice, and the preference does not move to and fro.",
  isMarked: true,
  pools: { a: ["a1", "a2"], b: ["b1"] },
  play(world) {
    world.straightenLines();
    // Long enough for writes to be under way at each cut.
    for (const origin of world.origins) origin.script = (_, chance) => ({ delayMs: chance.between(50, 150) });
    const first = [world.origin("a1"), world.origin("a2")];
    for (let number = 0; number < CUTS; number += 1) {
      const at = 10_000 + number * CUT_EVERY_MS;
      // By turns the way there is cut, and the processes are.
      const isCrash = number % 2 === 1;
      for (const origin of first) {
        const { ip } = origin.place;
        world.at(at, () => (isCrash ? origin.crash("rst") : world.network.setReach(ip, "silent")));
        world.at(at + CUT_MS, () => (isCrash ? origin.start() : world.network.setReach(ip, "reachable")));
      }
    }
    const load = world.addLoad({
      name: "load",
      perSecond: PER_S,
      untilMs: CUTS * CUT_EVERY_MS,
      patienceMs: 8_000,
      plan: (chance) => (chance.happens(0.3) ? smallWrite(chance) : smallRead(chance)),
    });
    return {
      *marks() {
        yield* atMost("mechanism 16: share of calls failed", failedShare(callsOf(world, [load])), FAILED_MAX);
        yield* atMost("mechanism 16: writes that ran twice", duplicates(world), 0);
      },
      *also() {
        const moves = world.events.filter(({ event }) => event.kind === "pool").length;
        yield* atMost("mechanism 16: moves of the preferred pool in two minutes", moves, MOVES_MAX);
        yield* happened("a call came", load.calls.length, PER_S * 100);
      },
    };
  },
};
