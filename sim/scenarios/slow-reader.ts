import { allServed, causesWithin } from "../expectations.ts";
import { readingPlan } from "../client.ts";
import type { Scenario } from "../scenario.ts";

export const slowReader: Scenario = {
  name: "slow-reader",
  what: "Clients take large responses slowly: they get them whole, and the gateway holds no more than a read of each.",
  pools: { a: ["a1", "a2"] },
  play(world) {
    for (const client of world.addClients(5, {
      requests: 6,
      readPauseMs: 20,
      plan: (chance) => ({ ...readingPlan(chance), answerBytes: Math.floor(chance.spread(1_000, 500_000)) }),
    })) {
      world.network.setLines(client.ip, {});
    }
    world.network.setLines("10.0.0.1", { latencyMs: [1, 40], windowBytes: [1_500, 30_000], cuts: ["whole", "pieces"] });
    world.addClients(2, { requests: 20 });
    return () => [...allServed(world), ...causesWithin(world, [])];
  },
};
