import { happened } from "../expectations.ts";
import { atMost, callsOf, failedShare } from "../measures.ts";
import type { Scenario } from "../scenario.ts";
import { GATEWAY_IP } from "../world.ts";

/** Mechanism 18 of failures.md: connection storms and hard limits. */
const DESCRIPTORS = 300;
const IDLE_CLIENTS = 400;
const FROM_MS = 5_000;
const ARRIVE_IN_MS = 40_000;
const FOR_MS = 60_000;
const PER_S = 20;
const EMFILE_MAX = 0;
const FAILED_MAX = 0.01;

export const connectionFlood: Scenario = {
  name: "connection-flood",
  what: "More clients than there are descriptors connect, ask once and stay: the gateway never meets the wall, and those who have something to ask are answered.",
  isMarked: true,
  pools: { a: ["a1", "a2"] },
  // What `goodgate run` makes of so few descriptors (see `boundByDescriptors` in compose/).
  file: { limits: { connections: Math.floor(DESCRIPTORS / 2) - 32 } },
  play(world) {
    world.straightenLines();
    world.limitDescriptors(DESCRIPTORS);
    for (const origin of world.origins) origin.script = (_, chance) => ({ delayMs: chance.between(5, 20) });
    const load = world.addLoad({ name: "load", perSecond: PER_S, untilMs: FOR_MS, repeats: 1 });
    const stayers = world.addLoad({
      name: "stayers",
      perSecond: (atMs) => (atMs < FROM_MS + ARRIVE_IN_MS ? IDLE_CLIENTS / (ARRIVE_IN_MS / 1000) : 0),
      fromMs: FROM_MS,
      untilMs: FOR_MS,
      keepsOpen: true,
    });
    return {
      *marks() {
        yield* atMost("mechanism 18: sockets that found no descriptor", world.network.wallHits(GATEWAY_IP), EMFILE_MAX);
        yield* atMost("mechanism 18: share of calls failed", failedShare(callsOf(world, [load, stayers])), FAILED_MAX);
      },
      *also() {
        yield* happened("a client came to stay", stayers.calls.length, IDLE_CLIENTS * 0.95);
      },
    };
  },
};
