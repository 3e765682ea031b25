import { allServed, causesWithin, happened } from "../expectations.ts";
import { usualPlan } from "../client.ts";
import type { Scenario } from "../scenario.ts";

/** How long origins wait, one after the other: each time less than what the gateway has just learned to trust. */
const IDLE_MS = [7_000, 5_300, 3_900, 2_700, 1_800] as const;
const ROUND_MS = 20_000;
/** Clients think for about that long: a request leaves while the origin's FIN is on its way. */
const BEFORE_MS = 500;

export const keepAliveRace: Scenario = {
  name: "keep-alive-race",
  what: "Origins close idle connections just when they are used again: no client hears of it, and nothing runs twice.",
  pools: { a: ["a1", "a2", "a3"] },
  // Checks would be traffic that the origins do not wait for.
  service: { health: false },
  play(world) {
    const chance = world.chance.fork("idle");
    const thinkMs: [number, number] = [1, 1];
    IDLE_MS.forEach((usual, round) => {
      const idleMs = usual * chance.between(0.95, 1.05);
      const settle = (): void => {
        for (const origin of world.origins) origin.idleMs = idleMs;
        thinkMs[0] = idleMs - BEFORE_MS;
        thinkMs[1] = idleMs;
      };
      if (round === 0) settle();
      else world.at(round * ROUND_MS, settle);
    });
    // Long lines: FIN and request cross each other often.
    for (const { place } of world.origins) world.network.setLines(place.ip, { latencyMs: [60, 170] });
    world.addClients(6, {
      requests: 30,
      thinkMs,
      // Small enough to be kept for a repeat.
      plan: (from) => {
        const plan = usualPlan(from);
        return { ...plan, bodyBytes: Math.min(plan.bodyBytes, 8_000) };
      },
    });
    const rested = (): number =>
      world.records.flatMap(({ attempts }) => attempts).filter(({ connectionIdleMs }) => connectionIdleMs > 1_000)
        .length;
    return () => [
      ...allServed(world),
      ...causesWithin(world, ["origin.keepalive_race"]),
      ...happened("a connection was used again after a rest", rested(), 10),
    ];
  },
};
