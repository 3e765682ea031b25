import { allServed, causesWithin } from "../expectations.ts";
import { usualPlan } from "../client.ts";
import type { Scenario } from "../scenario.ts";

export const slowUpload: Scenario = {
  name: "slow-upload",
  what: "Origins take large uploads slowly: they get them whole, and the gateway makes the clients wait instead of collecting.",
  pools: { a: ["a1", "a2"] },
  play(world) {
    for (const origin of world.origins) {
      origin.readPauseMs = 20;
      world.network.setLines(origin.place.ip, {
        latencyMs: [0.1, 10],
        windowBytes: [3_000, 40_000],
        cuts: ["whole", "pieces"],
      });
    }
    world.addClients(5, {
      requests: 6,
      plan: (chance) => ({
        ...usualPlan(chance),
        method: chance.pick(["PUT", "POST"] as const),
        bodyBytes: Math.floor(chance.spread(1_000, 900_000)),
        expectContinue: chance.happens(0.2),
      }),
    });
    return () => [...allServed(world), ...causesWithin(world, [])];
  },
};
