import { causesWithin, happened, idempotentServedOrCut } from "../expectations.ts";
import type { Scenario } from "../scenario.ts";
import type { World } from "../world.ts";

const NAMES = ["a1", "a2", "a3", "a4"] as const;
const FOR_MS = 60_000;
const ROUND_MS = 5_000;

/** One origin after the other crashes, and meanwhile nothing stays as it is configured. */
export const changes: Scenario = {
  name: "changes",
  what: "The configuration changes every second while origins crash: nothing is lost by it, and no promise is broken.",
  pools: { a: NAMES },
  returning: NAMES,
  play(world) {
    const chance = world.chance.fork("changes");
    for (const origin of world.origins) {
      origin.script = (_, draw) => ({ delayMs: draw.spread(1, 1_500), pieceBytes: 12_000, gapMs: draw.between(0, 20) });
    }
    for (let round = 0; round < FOR_MS / ROUND_MS; round += 1) {
      const origin = world.origin(NAMES[round % NAMES.length] ?? "a1");
      world.at(1_000 + round * ROUND_MS, () => origin.crash(chance.happens(0.5) ? "fin" : "rst"));
      world.at(3_000 + round * ROUND_MS, () => origin.start());
    }
    for (let at = 500; at < FOR_MS; at += chance.between(100, 2_000)) world.at(at, () => change(world));
    world.at(FOR_MS, () => world.reconfigure({}));
    world.addClients(6, { requests: 60, thinkMs: [200, 6_000] });
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
      ...happened("a change", world.reconfigurations, 20),
    ];
  },
};

/** At least three origins stay, so that what crashes leaves somebody who can answer. */
function change(world: World): void {
  const { chance } = world;
  const without = chance.happens(0.5) ? chance.pick(NAMES) : null;
  const left = NAMES.filter((name) => name !== without);
  const first = chance.happens(0.3) ? left.slice(0, 2) : left;
  const second = left.filter((name) => !first.includes(name));
  const route = (name: string): object => ({
    name,
    match: { path: `/${name}/*` },
    class: chance.pick(["critical", "normal"]),
  });
  const routes = ["x", "y", "z"].filter(() => chance.happens(0.5)).map(route);
  world.reconfigure({
    pools: second.length === 0 ? { a: first } : { a: first, b: second },
    service: {
      health: chance.pick([{ interval: "2s" }, { path: "/healthz", interval: "1s" }, false]),
      ejection: { window: chance.pick(["5s", "10s"]), slow: chance.pick([false, {}]) },
      overload: chance.happens(0.2) ? false : {},
      breaker: chance.happens(0.8),
      hedge: chance.happens(0.3) ? {} : false,
      routes,
    },
    file: {
      listener: { timeouts: { idle: chance.pick(["60s", "75s"]) } },
      limits: { rateLimitKeys: chance.pick([64, 128]) },
    },
  });
}
