import { allServed, causesWithin } from "../expectations.ts";
import type { Scenario } from "../scenario.ts";

export const calm: Scenario = {
  name: "calm",
  what: "Nothing is wrong: every request is served at its first attempt and nobody is blamed, however bytes are cut.",
  pools: { a: ["a1", "a2", "a3"] },
  play(world) {
    world.addClients(4);
    world.addClients(2, { ahead: 5 });
    world.addClients(1, { version: "1.0" });
    return () => [...allServed(world), ...causesWithin(world, [])];
  },
};
