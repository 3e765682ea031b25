import { allServed, causesWithin } from "../expectations.ts";
import type { Scenario } from "../scenario.ts";

export const lyingChecks: Scenario = {
  name: "lying-checks",
  what: "Every health page fails while every request would succeed: the checks are disbelieved and nothing is lost.",
  pools: { a: ["a1", "a2", "a3", "a4"] },
  play(world) {
    const chance = world.chance.fork("checks");
    for (const origin of world.origins) {
      world.at(chance.between(0, 20_000), () => {
        origin.health = chance.pick(["ill", "mute"] as const);
      });
      world.at(chance.between(30_000, 50_000), () => {
        origin.health = "well";
      });
    }
    world.addClients(4, { requests: 60, thinkMs: [20, 3_000] });
    return () => [...allServed(world), ...causesWithin(world, [])];
  },
};
