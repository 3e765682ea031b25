import { happened } from "../expectations.ts";
import { smallRead, smallWrite } from "../load.ts";
import { atMost, callsOf, duplicates, failedShare } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

/** Mechanism 19 of failures.md: the keep-alive reuse race. */
const ORIGIN_IDLE_MS = 1_000;
const REQUESTS = 2_000;
const PER_S = 30;
const BURST_MS = 300;
/** From the end of a burst to the next: what origins wait, and the way there. */
const BURST_EVERY_MS = BURST_MS + 920;

export const staleReuse: Scenario = {
  name: "stale-reuse",
  what: "Origins close connections after one idle second, just when they are used again, by reads and writes: nobody hears of it, and no write runs twice.",
  isMarked: true,
  // nginx does not pass on a POST once it was sent, also to a connection that was closed.
  naive: { repeats: "reads" },
  pools: { a: ["a1", "a2", "a3"] },
  service: { health: false },
  play(world) {
    world.straightenLines();
    for (const origin of world.origins) {
      origin.idleMs = ORIGIN_IDLE_MS;
      origin.script = (_, chance) => ({ delayMs: chance.between(5, 15) });
      // Long lines: FIN and request cross each other.
      world.network.setLines(origin.place.ip, {
        latencyMs: [20, 60],
        windowBytes: [400_000, 400_000],
        cuts: ["whole"],
      });
    }
    // Each burst finds the connections of the one before it.
    const load = world.addLoad({
      name: "load",
      perSecond: (atMs) => (atMs % BURST_EVERY_MS < BURST_MS ? (PER_S * BURST_EVERY_MS) / BURST_MS : 0),
      untilMs: (REQUESTS / PER_S) * 1000,
      plan: (chance) => (chance.happens(0.5) ? smallWrite(chance) : smallRead(chance)),
    });
    return {
      *marks() {
        yield* atMost("mechanism 19: share of calls failed", failedShare(callsOf(world, [load])), 0);
        yield* atMost("mechanism 19: writes that ran twice", duplicates(world), 0);
      },
      *also() {
        const raced = world.records.flatMap(({ attempts }) => attempts).filter(({ cause }) => cause !== null);
        const others = raced.filter(({ cause }) => cause !== "origin.keepalive_race").map(({ cause }) => cause);
        if (others.length > 0) yield `a closed connection is called ${[...new Set(others)].join(", ")}`;
        yield* happened("a request met the end of its connection", raced.length, 1);
      },
    };
  },
};
