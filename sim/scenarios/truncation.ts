import { causesWithin, happened } from "../expectations.ts";
import type { Scenario } from "../scenario.ts";

export const truncation: Scenario = {
  name: "truncation",
  what: "Responses break off anywhere, by FIN, RST or silence: no part of one ever looks whole, in any framing.",
  pools: { a: ["a1", "a2"] },
  play(world) {
    let broken = 0;
    for (const origin of world.origins) {
      origin.script = (asked, chance) => {
        if (!chance.happens(0.3)) return {};
        broken += 1;
        // An orderly end is the right end of a body without framing: nobody could tell.
        const hows = asked.answerFraming === "close" ? (["rst"] as const) : (["rst", "fin", "fin", "stall"] as const);
        return {
          breakAfter: Math.floor(chance.spread(1, asked.answerBytes + 200)),
          breakHow: chance.pick(hows),
          pieceBytes: Math.ceil(chance.spread(10, 60_000)),
          gapMs: chance.happens(0.5) ? 0 : chance.between(0, 20),
        };
      };
    }
    world.addClients(5, { requests: 40, thinkMs: [10, 800] });
    world.addClients(2, { requests: 40, thinkMs: [10, 800], version: "1.0" });
    return () => [
      ...causesWithin(world, [
        "origin.truncated",
        "origin.truncated_unframed",
        "net.mid_reset",
        "origin.stall_mid_body",
        "origin.ttfb_timeout",
        "origin.reset_before_response",
        "origin.keepalive_race",
      ]),
      ...happened("a break", broken, 10),
    ];
  },
};
