import { causesWithin, happened, storiesOf } from "../expectations.ts";
import { usualPlan } from "../client.ts";
import type { Scenario } from "../scenario.ts";

export const earlyReply: Scenario = {
  name: "early-reply",
  what: "Origins answer uploads before they have them: the answer arrives or is visibly cut, and no body is taken for a request.",
  pools: { a: ["a1", "a2"] },
  play(world) {
    for (const origin of world.origins) {
      origin.script = (_, chance) => ({
        early: chance.pick(["no", "reads on", "reads on", "cuts"] as const),
        status: chance.pick([200, 413]),
        delayMs: chance.spread(0.1, 30),
      });
    }
    world.addClients(6, {
      requests: 40,
      pieceBytes: 3_000,
      pieceGapMs: 1,
      plan: (chance) => ({
        ...usualPlan(chance),
        method: chance.pick(["PUT", "POST"] as const),
        bodyBytes: Math.floor(chance.spread(10, 200_000)),
        expectContinue: chance.happens(0.2),
      }),
    });
    return () => [
      ...causesWithin(world, [
        "origin.early_reply",
        "origin.reset_before_response",
        "origin.keepalive_race",
        "origin.truncated",
        "origin.truncated_unframed",
        "net.mid_reset",
      ]),
      ...happened("an answer", storiesOf(world, ({ state }) => state === "answered").length, 100),
    ];
  },
};
