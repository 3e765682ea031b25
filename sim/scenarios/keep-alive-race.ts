import { allServed, causesWithin, happened } from "../expectations.ts";
import { usualPlan } from "../client.ts";
import type { Scenario } from "../scenario.ts";

const ROUNDS = 6;
const ROUND_MS = 25_000;

/**
 * Clients that think for about as long as their origins wait. Origins change their minds every now and then, because
 * the gateway learns how long they wait and would meet no closed connection any more.
 */
export const keepAliveRace: Scenario = {
  name: "keep-alive-race",
  what: "Origins close idle connections just when they are used again: no client hears of it, and nothing runs twice.",
  pools: { a: ["a1", "a2", "a3"] },
  // Checks would be traffic that the origins do not wait for.
  service: { health: false },
  play(world) {
    const chance = world.chance.fork("idle");
    const thinkMs: [number, number] = [1, 1];
    const settle = (idleMs: number): void => {
      for (const origin of world.origins) origin.idleMs = idleMs;
      thinkMs[0] = idleMs * 0.9;
      thinkMs[1] = idleMs * 1.01;
    };
    settle(7_000);
    for (let round = 1; round < ROUNDS; round += 1) world.at(round * ROUND_MS, () => settle(chance.spread(1_500, 7_000) / round));
    // Long lines: FIN and request cross each other often.
    for (const { place } of world.origins) world.network.setLines(place.ip, { latencyMs: [5, 80] });
    world.addClients(8, {
      requests: 40,
      thinkMs,
      // Small enough to be kept for a repeat.
      plan: (from) => {
        const plan = usualPlan(from);
        return { ...plan, bodyBytes: Math.min(plan.bodyBytes, 8_000) };
      },
    });
    return () => [
      ...allServed(world, ({ plan }) => plan.method !== "POST"),
      ...causesWithin(world, ["origin.keepalive_race"]),
      ...happened("a race", world.records.filter(({ outcome }) => outcome !== "served").length, 1),
    ];
  },
};
