import { allServed, causesWithin, happened } from "../expectations.ts";
import { usualPlan } from "../client.ts";
import type { Scenario } from "../scenario.ts";

export const clientAborts: Scenario = {
  name: "client-aborts",
  what: "Clients leave at any moment and in any way: the others notice nothing, and nothing goes on without them.",
  pools: { a: ["a1", "a2"] },
  play(world) {
    for (const origin of world.origins) {
      origin.script = (_, chance) => ({
        delayMs: chance.spread(0.5, 900),
        gapMs: chance.between(0, 5),
        pieceBytes: 5_000,
      });
    }
    world.addClients(8, {
      requests: 40,
      pieceGapMs: 2,
      plan: (chance) => ({
        ...usualPlan(chance),
        abort: chance.happens(0.4)
          ? { afterMs: chance.spread(0.05, 900), how: chance.pick(["reset", "close", "half-close"] as const) }
          : null,
      }),
    });
    return () => [
      ...allServed(world),
      ...causesWithin(world, ["client.abort_wait", "client.abort_body", "client.bad_request"]),
      ...happened("a client that left", world.ledger.count("aborted"), 30),
    ];
  },
};
