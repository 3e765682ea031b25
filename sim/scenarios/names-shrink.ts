import { Capacity } from "../capacity.ts";
import { happened } from "../expectations.ts";
import { atMost, callsOf, failedShare } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

/** Mechanism 4 of failures.md: empty, old or shrunken control data obeyed. Here the data are a name's addresses. */
const FROM_MS = 5_000;
/** Less than the TTL of 2 s: one answer, which is not enough to be believed. */
const WRONG_MS = 1_900;
const FAILED_MAX = 0;
const PER_S = 60;
const CAPACITY_PER_S = 30;

export const namesShrink: Scenario = {
  name: "names-shrink",
  what: "A name with four addresses is said to have none, and then one, all of them well: neither is obeyed at once, and nothing is lost.",
  isMarked: true,
  naive: { names: "obeyed" },
  pools: { a: ["a1"] },
  hosts: ["a2", "a3", "a4"],
  play(world) {
    world.straightenLines();
    const { resolver } = world;
    const all = world.origins.map(({ place }) => place.ip);
    resolver.setAnswer("a1.test", all);
    for (const origin of world.origins) {
      origin.capacity = new Capacity(world.clock, CAPACITY_PER_S);
      origin.script = () => ({ delayMs: 2 });
    }
    const wrong = [[], all.slice(0, 1)];
    wrong.forEach((answer, index) => {
      world.at(FROM_MS + index * 3 * WRONG_MS, () => resolver.setAnswer("a1.test", answer));
      world.at(FROM_MS + index * 3 * WRONG_MS + WRONG_MS, () => resolver.setAnswer("a1.test", all));
    });
    const load = world.addLoad({ name: "load", perSecond: PER_S, untilMs: 30_000, patienceMs: 2_000 });
    return {
      *marks() {
        yield* atMost("mechanism 4: share of calls failed", failedShare(callsOf(world, [load])), FAILED_MAX);
      },
      *also() {
        yield* happened("a call came", load.calls.length, PER_S * 20);
      },
    };
  },
};
