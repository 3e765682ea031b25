import { usualPlan } from "../client.ts";
import { happened } from "../expectations.ts";
import type { SimOrigin } from "../origin.ts";
import type { Scenario } from "../scenario.ts";
import type { World } from "../world.ts";

const FOR_MS = 60_000;

/**
 * Nothing is expected but what always has to hold. Limits are small, so that waiting for a connection, full buffers
 * and timeouts, which other scenarios hardly meet, happen all the time and on top of each other.
 */
export const chaos: Scenario = {
  name: "chaos",
  what: "Everything goes wrong at once, within narrow limits: whatever becomes of a request, every promise holds.",
  pools: { near: ["n1", "n2", "n3"], far: ["f1", "f2"] },
  service: {
    health: { path: "/healthz", interval: "1s", timeout: "500ms" },
    retry: { replayBuffer: "8KiB", budgetPerSecond: 2 },
    connections: { perOrigin: 3, idlePerOrigin: 2, idle: "5s" },
    ejection: { returnAfter: "500ms", returnAfterMax: "10s", ramp: "2s" },
    routes: [{ timeouts: { connect: "700ms", firstByte: "2s", gap: "3s" } }],
  },
  file: {
    limits: { replayBuffers: "30KiB", connections: 12 },
    listener: { timeouts: { head: "2s", bodyGap: "3s", idle: "6s", halfClosed: "1s" } },
    drain: "3s",
  },
  play(world) {
    for (const origin of world.origins) misbehave(world, origin);
    const chance = world.chance.fork("chaos");
    for (let at = chance.between(2_000, 20_000); at < FOR_MS; at += chance.between(5_000, 25_000)) {
      world.at(at, () => world.clock.stall(chance.spread(100, 2_500)));
    }
    world.network.setLines("10.0.0.1", {
      latencyMs: [0.1, 40],
      windowBytes: [300, 200_000],
      cuts: ["whole", "pieces", "crumbs"],
    });
    for (let index = 0; index < 9; index += 1) {
      const version = chance.happens(0.2) ? "1.0" : "1.1";
      world.addClients(1, {
        requests: 25,
        thinkMs: [1, 8_000],
        version,
        ahead: version === "1.1" && chance.happens(0.4) ? 4 : 1,
        readPauseMs: chance.happens(0.3) ? chance.spread(1, 300) : 0,
        pieceBytes: Math.ceil(chance.spread(10, 20_000)),
        pieceGapMs: chance.happens(0.3) ? chance.spread(0.1, 100) : 0,
        plan: (from) => ({
          ...usualPlan(from),
          abort: from.happens(0.1)
            ? { afterMs: from.spread(0.05, 3_000), how: from.pick(["reset", "close", "half-close"] as const) }
            : null,
        }),
      });
    }
    // The last requests are under way when it stops, now and then.
    if (chance.happens(0.3)) world.at(FOR_MS * chance.between(0.5, 1), () => void world.drain());
    return () => [...happened("a request", world.records.length, 10)];
  },
};

/** An origin that changes what is wrong with it every few seconds. */
function misbehave(world: World, origin: SimOrigin): void {
  const chance = origin.chance.fork("mood");
  const { network, resolver } = world;
  const { ip } = origin.place;
  const name = `${origin.place.name}.test`;
  origin.idleMs = chance.spread(300, 20_000);
  origin.tellsIdle = chance.happens(0.3);
  network.setLines(ip, { latencyMs: [0.1, 60], windowBytes: [500, 300_000], cuts: ["whole", "pieces", "crumbs"] });
  const troubles: (() => void)[] = [
    () => origin.crash(chance.happens(0.5) ? "fin" : "rst"),
    () => origin.stopGently(),
    () => network.setReach(ip, "silent"),
    () => network.setReach(ip, "unroutable"),
    () => network.cutPower(ip),
    () => resolver.setAnswer(name, chance.pick([[], { cause: "dns.servfail", code: "ESERVFAIL" }] as const)),
    () => {
      origin.health = chance.pick(["ill", "mute"] as const);
    },
    () => {
      origin.script = (asked) => ({
        delayMs: chance.spread(0.1, 4_000),
        status: chance.pick([200, 200, 200, 500, 503]),
        pieceBytes: Math.ceil(chance.spread(5, 60_000)),
        gapMs: chance.happens(0.5) ? 0 : chance.spread(0.1, 200),
        breakAfter: chance.happens(0.3) ? Math.floor(chance.spread(1, asked.answerBytes + 200)) - 1 : -1,
        breakHow: asked.answerFraming === "close" ? "rst" : chance.pick(["rst", "fin", "stall", "crash"] as const),
        extraBytes: chance.happens(0.1) && asked.answerFraming !== "close" ? chance.integer(1, 200) : 0,
        early: chance.pick(["no", "no", "reads on", "cuts"] as const),
        closes: chance.happens(0.2),
      });
    },
  ];
  const heal = (): void => {
    origin.start();
    network.setReach(ip, "reachable");
    resolver.setAnswer(name, [ip]);
    origin.health = "well";
    origin.script = () => ({});
  };
  for (let at = chance.between(0, 8_000); at < FOR_MS;) {
    world.at(at, () => chance.pick(troubles)());
    at += chance.spread(500, 12_000);
    world.at(at, heal);
    at += chance.spread(500, 10_000);
  }
  world.at(FOR_MS, heal);
}
