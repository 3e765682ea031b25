import { readingPlan } from "../client.ts";
import { allServed, causesWithin, happened } from "../expectations.ts";
import { idOf } from "../ledger.ts";
import type { Scenario } from "../scenario.ts";

/** How often an answer breaks; silence and crashes besides, more rarely. */
const BROKEN_SHARE = 0.5;
const SILENT_SHARE = 0.02;

export const cutDownloads: Scenario = {
  name: "cut-downloads",
  what: "Half of all answers break off anywhere, continuations too, over lines that cut bytes anywhere, to quick and slow clients: every download arrives whole.",
  pools: { a: ["a1", "a2"], b: ["b1"] },
  // So many breaks at once are more than any budget means to pay for.
  service: { retry: { budgetPerSecond: 1000 }, ejection: false },
  play(world) {
    let broken = 0;
    for (const origin of world.origins) {
      origin.script = (asked, chance) => {
        const plan = {
          version: 0,
          pieceBytes: Math.ceil(chance.spread(100, 60_000)),
          gapMs: chance.happens(0.5) ? 0 : chance.between(0, 20),
        };
        if (asked.method !== "GET" || !chance.happens(BROKEN_SHARE)) return plan;
        broken += 1;
        const breakHow = chance.happens(SILENT_SHARE) ? "stall" : chance.pick(["fin", "rst"] as const);
        return { ...plan, breakAfter: Math.floor(chance.between(0, asked.answerBytes + 200)), breakHow };
      };
    }
    const downloads = {
      requests: 15,
      thinkMs: [10, 500] as const,
      plan: (chance: Parameters<typeof readingPlan>[0]) => ({
        ...readingPlan(chance),
        method: "GET" as const,
        answerFraming: "length" as const,
        answerBytes: Math.ceil(chance.spread(20_000, 600_000)),
      }),
    };
    world.addClients(4, downloads);
    world.addClients(2, { ...downloads, version: "1.0" });
    for (const client of world.addClients(2, { ...downloads, requests: 6, readPauseMs: 15 })) {
      world.network.setLines(client.ip, {});
    }
    return () => {
      // What breaks two origins before their answers begin is not sent to a third, and nothing tells chance from poison.
      const brokeTwo = new Set(
        world.records
          .filter(({ decisions }) => decisions.some(({ code }) => code === "retry.refused.breaks-origins"))
          .map(({ target, userAgent }) => idOf(target, userAgent)),
      );
      return [
        ...allServed(world, ({ id }) => !brokeTwo.has(id)),
        ...causesWithin(world, [
          "origin.truncated",
          "net.mid_reset",
          "origin.stall_mid_body",
          "origin.reset_before_response",
          "origin.keepalive_race",
          "origin.ttfb_timeout",
        ]),
        ...happened("a break", broken, 50),
      ];
    };
  },
};
