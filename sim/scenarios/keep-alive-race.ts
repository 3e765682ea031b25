import { allServed, causesWithin, happened, isServed, storiesOf } from "../expectations.ts";
import { usualPlan } from "../client.ts";
import type { Scenario } from "../scenario.ts";

/** Clients that think for about as long as their origins wait: each request may meet a connection that just closed. */
export const keepAliveRace: Scenario = {
  name: "keep-alive-race",
  what: "Origins close idle connections just when they are used again: no client hears of it, and nothing runs twice.",
  pools: { a: ["a1", "a2", "a3"] },
  // Checks would come between the closes and teach nothing new.
  service: { health: false },
  play(world) {
    const chance = world.chance.fork("idle");
    for (const origin of world.origins) {
      origin.idleMs = chance.spread(1_300, 6_000);
      // Long lines: FIN and request cross each other often.
      world.network.setLines(origin.place.ip, { latencyMs: [2, 60] });
    }
    world.addClients(8, {
      requests: 30,
      thinkMs: [400, 9_000],
      // Small enough to be kept for a repeat.
      plan: (from) => {
        const plan = usualPlan(from);
        return { ...plan, bodyBytes: Math.min(plan.bodyBytes, 8_000) };
      },
    });
    return () => [
      ...allServed(world),
      ...causesWithin(world, ["origin.keepalive_race"]),
      ...happened("a request", storiesOf(world, isServed).length, 200),
    ];
  },
};
