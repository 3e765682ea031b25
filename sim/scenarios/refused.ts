import { allServed, causesWithin } from "../expectations.ts";
import type { Scenario } from "../scenario.ts";

export const refused: Scenario = {
  name: "refused",
  what: "An origin is not there for a while: nothing was sent to it, so every request goes elsewhere, payments too.",
  pools: { a: ["a1", "a2", "a3"] },
  // Without checks it is the requests that find out.
  service: { health: false },
  returning: ["a2"],
  play(world) {
    const origin = world.origin("a2");
    origin.crash("fin");
    world.at(30_000, () => origin.start());
    world.addClients(5, { requests: 65, thinkMs: [300, 6_000] });
    return () => [...allServed(world), ...causesWithin(world, ["origin.refused"])];
  },
};
