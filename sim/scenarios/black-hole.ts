import { causesWithin, idempotentServedOrCut } from "../expectations.ts";
import type { Scenario } from "../scenario.ts";

export const blackHole: Scenario = {
  name: "black-hole",
  what: "Packets to one origin vanish for half a minute: what may be repeated is served elsewhere, and it comes back.",
  pools: { a: ["a1", "a2", "a3"] },
  returning: ["a1"],
  play(world) {
    const { place } = world.origin("a1");
    world.at(4_000, () => world.network.setReach(place.ip, "silent"));
    world.at(34_000, () => {
      world.network.setReach(place.ip, "reachable");
      world.origin("a1").recovers();
    });
    world.addClients(5, { requests: 65, thinkMs: [300, 6_000] });
    return () => [
      ...idempotentServedOrCut(world, ({ plan }) => plan.bodyBytes < 60_000),
      ...causesWithin(world, [
        "net.connect_timeout",
        "net.half_open",
        "origin.ttfb_timeout",
        "origin.stall_mid_body",
        "origin.write_stall",
      ]),
    ];
  },
};
