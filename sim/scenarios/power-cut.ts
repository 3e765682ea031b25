import { causesWithin, idempotentServedOrCut } from "../expectations.ts";
import type { Scenario } from "../scenario.ts";

export const powerCut: Scenario = {
  name: "power-cut",
  what: "A machine loses its power and comes back without knowing any connection: the half-open ones do no harm.",
  pools: { a: ["a1", "a2", "a3"] },
  returning: ["a3"],
  play(world) {
    const origin = world.origin("a3");
    world.at(5_000, () => {
      world.network.cutPower(origin.place.ip);
      origin.crash("fin");
    });
    world.at(25_000, () => {
      origin.start();
      world.network.setReach(origin.place.ip, "reachable");
      origin.recovers();
    });
    world.addClients(5, { requests: 65, thinkMs: [300, 6_000] });
    return () => [
      ...idempotentServedOrCut(world, ({ plan }) => plan.bodyBytes < 60_000),
      ...causesWithin(world, [
        "net.connect_timeout",
        "net.half_open",
        "net.mid_reset",
        "origin.refused",
        "origin.keepalive_race",
        "origin.reset_before_response",
        "origin.truncated_unframed",
        "origin.ttfb_timeout",
        "origin.stall_mid_body",
        "origin.write_stall",
      ]),
    ];
  },
};
