import { causesWithin, happened, idempotentServedOrCut } from "../expectations.ts";
import type { Scenario } from "../scenario.ts";

const SICK_FROM_MS = 1_000;
const SICK_FOR_MS = 15_000;

export const sickOrigin: Scenario = {
  name: "sick-origin",
  what: "An origin answers its checks and breaks on every request: traffic finds out, leaves it, and comes back when it works.",
  pools: { a: ["a1", "a2", "a3"] },
  play(world) {
    const sick = world.origin("a1");
    let isSick = false;
    // All are slow: where a failure is slow in comparison, the balancer avoids its origin before it can be ejected.
    for (const origin of world.origins) origin.script = (_, chance) => ({ delayMs: chance.spread(500, 1_500) });
    const well = sick.script;
    sick.script = (asked, chance) => (isSick ? { delayMs: 1, breakAfter: 0, breakHow: "rst" } : well(asked, chance));
    world.at(SICK_FROM_MS, () => {
      isSick = true;
    });
    world.at(SICK_FROM_MS + SICK_FOR_MS, () => {
      isSick = false;
      sick.recovers();
    });
    world.addClients(14, { requests: 30, thinkMs: [10, 1_000] });
    return () => {
      const states = world.events.flatMap(({ event }) =>
        event.kind === "origin" ? [`${world.nameAt(event.address)} ${event.state}`] : [],
      );
      const times = (state: string): number => states.filter((seen) => seen === `a1 ${state}`).length;
      return [
        ...idempotentServedOrCut(world, ({ plan }) => plan.bodyBytes < 60_000),
        ...causesWithin(world, ["origin.reset_before_response", "origin.keepalive_race", "net.mid_reset"]),
        ...states.filter((seen) => !seen.startsWith("a1 ")).map((seen) => `${seen}, though only a1 was sick`),
        ...happened("a1 was ejected", times("ejected"), 1),
        ...happened("a1 came back", times("ramping"), 1),
        ...(sick.requestsAt.some((at) => at > sick.wellSince + 5_000) ? [] : ["a1 works again and got no traffic"]),
      ];
    };
  },
};
