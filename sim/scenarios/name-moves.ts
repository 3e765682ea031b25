import { happened } from "../expectations.ts";
import { arrivals, atMost, callsOf, failedShare } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

/** Mechanism 6 of failures.md: DNS moved, old address kept. */
const MOVED_AT_MS = 5_000;
const TTL_MS = 2_000;
const FOLLOWED_WITHIN_MS = TTL_MS + 2_000;
const FAILED_MAX = 0.01;
const PER_S = 20;

export const nameMoves: Scenario = {
  name: "name-moves",
  what: "A name moves and its old address refuses, then is another tenant's: the gateway follows within the TTL, and nobody gets the stranger's answer.",
  isMarked: true,
  pools: { a: ["a1"] },
  hosts: ["a2"],
  // The name alone has to tell: nothing but TCP says that an address is well.
  service: { health: {} },
  play(world) {
    world.straightenLines();
    const [old, next] = [world.origin("a1"), world.origin("a2")];
    for (const origin of world.origins) origin.script = () => ({ delayMs: 5 });
    world.at(MOVED_AT_MS, () => {
      world.resolver.setAnswer("a1.test", [next.place.ip]);
      old.crash("rst");
    });
    world.at(MOVED_AT_MS + FOLLOWED_WITHIN_MS, () => old.start());
    world.wellFromMs = MOVED_AT_MS + FOLLOWED_WITHIN_MS;
    const load = world.addLoad({
      name: "load",
      perSecond: PER_S,
      untilMs: 45_000,
      patienceMs: 5_000,
      repeats: 2,
      backoffMs: 1_000,
    });
    return {
      *marks() {
        yield* atMost("mechanism 6: share of calls failed", failedShare(callsOf(world, [load])), FAILED_MAX);
        const strange = arrivals(world, "a1", MOVED_AT_MS + FOLLOWED_WITHIN_MS, Infinity);
        yield* atMost("mechanism 6: requests that another tenant answered", strange, 0);
      },
      *also() {
        yield* happened("a call came", load.calls.length, PER_S * 20);
        yield* happened("the new place was asked", arrivals(world, "a2", MOVED_AT_MS, Infinity), PER_S * 10);
      },
    };
  },
};
