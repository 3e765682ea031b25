import { causesWithin, happened, idempotentServedOrCut, storiesOf } from "../expectations.ts";
import type { Scenario } from "../scenario.ts";

export const resetAfterRequest: Scenario = {
  name: "reset-after-request",
  what: "An origin takes requests whole and resets without a byte: reads are repeated elsewhere, payments never.",
  pools: { a: ["a1", "a2", "a3"] },
  play(world) {
    let broken = 0;
    world.origin("a1").script = (_, chance) => {
      if (!chance.happens(0.5)) return {};
      broken += 1;
      return { breakAfter: 0, breakHow: chance.pick(["rst", "fin"] as const) };
    };
    world.addClients(5, { requests: 60, thinkMs: [10, 800] });
    return () => [
      ...idempotentServedOrCut(world, ({ plan }) => plan.bodyBytes < 60_000),
      ...causesWithin(world, ["origin.reset_before_response", "origin.keepalive_race"]),
      ...storiesOf(world, ({ plan, runs, status }) => plan.method === "POST" && runs.length > 0 && status === 503).map(
        ({ id }) => `POST #${id} was run and answered 503, which invites its client to send it again`,
      ),
      ...happened("a reset", broken, 3),
    ];
  },
};
