import { causesWithin, happened, idempotentServedOrCut } from "../expectations.ts";
import type { Scenario } from "../scenario.ts";

const NAMES = ["a1", "a2", "a3", "a4"] as const;
const ROUND_MS = 5_000;

export const rollingCrash: Scenario = {
  name: "rolling-crash",
  what: "One origin after another crashes and comes back: what may be repeated is served, what had begun is visibly cut.",
  pools: { a: NAMES },
  returning: NAMES,
  play(world) {
    const chance = world.chance.fork("crashes");
    // Slow enough for a crash to find requests under way.
    for (const origin of world.origins) {
      origin.script = (_, draw) => ({ delayMs: draw.spread(1, 1_500), pieceBytes: 12_000, gapMs: draw.between(0, 20) });
    }
    let crashes = 0;
    for (let round = 0; round < 12; round += 1) {
      const origin = world.origin(NAMES[round % NAMES.length] ?? "a1");
      world.at(1_000 + round * ROUND_MS + chance.between(0, 1_500), () => {
        crashes += 1;
        origin.crash(chance.happens(0.5) ? "fin" : "rst");
      });
      world.at(3_000 + round * ROUND_MS + chance.between(0, 1_500), () => origin.start());
    }
    world.addClients(5, { requests: 65, thinkMs: [300, 6_000] });
    return () => [
      ...idempotentServedOrCut(world, ({ plan }) => plan.bodyBytes < 60_000),
      ...causesWithin(world, [
        "origin.refused",
        "origin.keepalive_race",
        "origin.reset_before_response",
        "origin.truncated",
        "origin.truncated_unframed",
        "net.mid_reset",
      ]),
      ...happened("a crash", crashes, 5),
    ];
  },
};
