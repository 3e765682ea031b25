import { allServed, causesWithin, happened } from "../expectations.ts";
import { usualPlan } from "../client.ts";
import type { Scenario } from "../scenario.ts";

export const sentAhead: Scenario = {
  name: "sent-ahead",
  what: "Clients send several requests at once, the last with a large body: each is answered in its turn, and none leaks into another.",
  pools: { a: ["a1", "a2"] },
  play(world) {
    for (const origin of world.origins) origin.script = (_, chance) => ({ delayMs: chance.spread(1, 60) });
    world.network.setLines("10.0.0.1", {
      latencyMs: [0.1, 20],
      windowBytes: [2_000, 400_000],
      cuts: ["whole", "pieces", "crumbs"],
    });
    world.addClients(6, {
      requests: 40,
      ahead: 8,
      plan: (chance) => {
        const plan = usualPlan(chance);
        return chance.happens(0.2)
          ? {
              ...plan,
              method: "PUT",
              bodyBytes: Math.floor(chance.spread(100, 60_000)),
              bodyFraming: chance.pick(["chunked", "chunked", "length"] as const),
              expectContinue: false,
            }
          : { ...plan, method: chance.pick(["GET", "HEAD"] as const), bodyBytes: 0, expectContinue: false };
      },
    });
    return () => {
      const behind = [...world.ledger.stories.values()].filter(
        ({ ahead, plan }) => ahead > 0 && plan.bodyBytes > 4_096,
      );
      return [
        ...allServed(world),
        ...causesWithin(world, []),
        ...happened("a large body behind other requests", behind.length, 3),
      ];
    };
  },
};
