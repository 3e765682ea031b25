import { causesWithin, happened, idempotentServedOrCut } from "../expectations.ts";
import type { Scenario } from "../scenario.ts";

const DOWN_AT_MS = 6_000;
const UP_AT_MS = 40_000;

export const failover: Scenario = {
  name: "failover",
  what: "The preferred pool dies as a whole: the next one takes over without a lost read, and hands back when all is steady.",
  pools: { near: ["n1", "n2"], far: ["f1", "f2"] },
  // By default the new place is kept for five minutes at least.
  service: { failover: { hold: "40s" } },
  play(world) {
    const chance = world.chance.fork("crashes");
    const began = world.clock.monotonic();
    for (const name of ["n1", "n2"]) {
      world.at(DOWN_AT_MS + chance.between(0, 3_000), () =>
        world.origin(name).crash(chance.happens(0.5) ? "fin" : "rst"),
      );
      world.at(UP_AT_MS + chance.between(0, 2_000), () => world.origin(name).start());
    }
    world.addClients(5, { requests: 65, thinkMs: [300, 6_000] });
    return () => {
      const farAt = world.origin("f1").requestsAt.concat(world.origin("f2").requestsAt);
      // Steady for half a minute, and the checks before it.
      const back = began + UP_AT_MS + 60_000;
      const late = [...world.ledger.stories.values()].filter(({ sentAt }) => sentAt > back).length;
      return [
        ...idempotentServedOrCut(world, ({ plan }) => plan.bodyBytes < 60_000),
        ...causesWithin(world, [
          "origin.refused",
          "origin.keepalive_race",
          "origin.reset_before_response",
          "origin.truncated",
          "origin.truncated_unframed",
          "net.mid_reset",
        ]),
        ...happened("a request to the far pool", farAt.length, 20),
        ...(farAt.some((at) => at < began + DOWN_AT_MS) ? ["the far pool was used while the near one was well"] : []),
        ...(late > 20 && farAt.some((at) => at > back)
          ? ["the far pool is in use a minute after the near one came back"]
          : []),
      ];
    };
  },
};
