import { happened } from "../expectations.ts";
import { smallRead, smallWrite } from "../load.ts";
import { atMost, callsOf, duplicates, failedShare } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

/**
 * Mechanism 16 of failures.md, its one-way cut: what is sent arrives, and what is answered does not (`mute`), or the
 * reverse (`deaf`). By turns the whole pool is cut for a moment, and one of its origins for longer than clients wait.
 */
const CUTS = [
  { fromMs: 10_000, forMs: 3_000, how: "mute", who: ["a1", "a2"] },
  { fromMs: 30_000, forMs: 12_000, how: "mute", who: ["a1"] },
  { fromMs: 60_000, forMs: 3_000, how: "deaf", who: ["a1", "a2"] },
  { fromMs: 80_000, forMs: 12_000, how: "deaf", who: ["a1"] },
] as const;
const FOR_MS = 110_000;
const PATIENCE_MS = 8_000;
const FAILED_MAX = 0.01;
const MOVES_MAX = 1;
const PER_S = 40;

export const oneWayCut: Scenario = {
  name: "one-way-cut",
  what: "Packets get through in one direction only, to or from a pool for 3 s, to or from one origin for 12 s: reads go elsewhere, writes that were carried out unheard are not sent again, and the preference does not move to and fro.",
  isMarked: true,
  pools: { a: ["a1", "a2"], b: ["b1"] },
  play(world) {
    world.straightenLines();
    let unheard = 0;
    for (const { fromMs, forMs, how, who } of CUTS) {
      for (const name of who) {
        const { ip } = world.origin(name).place;
        world.at(fromMs, () => world.network.setReach(ip, how));
        world.at(fromMs + forMs, () => world.network.setReach(ip, "reachable"));
      }
    }
    for (const origin of world.origins) {
      const { name } = origin.place;
      const isMute = (atMs: number): boolean =>
        CUTS.some(
          ({ fromMs, forMs, how, who }) =>
            how === "mute" && who.some((one) => one === name) && atMs >= fromMs && atMs < fromMs + forMs,
        );
      origin.script = ({ method }, chance) => {
        // Long enough for writes to be under way at each cut.
        const delayMs = chance.between(200, 500);
        if (method === "POST" && isMute(world.clock.monotonic() - world.trafficBeganAt + delayMs)) unheard += 1;
        return { delayMs };
      };
    }
    const load = world.addLoad({
      name: "load",
      perSecond: PER_S,
      untilMs: FOR_MS,
      patienceMs: PATIENCE_MS,
      plan: (chance) => (chance.happens(0.5) ? smallWrite(chance) : smallRead(chance)),
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
        yield* happened("a write was carried out unheard", unheard, 1);
      },
    };
  },
};
