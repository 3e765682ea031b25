import { allServed, causesWithin, happened } from "../expectations.ts";
import type { Scenario } from "../scenario.ts";

export const ownStall: Scenario = {
  name: "own-stall",
  what: "The gateway's own process stands still now and then: no origin is blamed or left out for it.",
  pools: { a: ["a1", "a2", "a3"] },
  play(world) {
    const chance = world.chance.fork("stalls");
    // One pause at a time: several in a row are no pause any more, and requests are turned away then.
    for (let at = 2_000; at < 40_000; at += chance.between(2_000, 8_000)) {
      const ms = chance.spread(200, 5_000);
      world.at(at, () => world.clock.stall(ms));
      at += ms;
    }
    world.addClients(5, { requests: 40, thinkMs: [50, 3_000] });
    const out = (): number =>
      world.events.filter(({ event }) => event.kind === "origin" && event.state !== "up").length;
    return () => [
      ...allServed(world),
      ...causesWithin(world, ["gw.loop_stall"]),
      ...happened("a request", world.records.length, 150),
      ...(out() > 0 ? [`an origin was left out ${out()} times`] : []),
    ];
  },
};
