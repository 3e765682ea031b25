import { happened } from "../expectations.ts";
import { atLeast, atMost, callsOf, failedShare } from "../measures.ts";
import type { Scenario } from "../scenario.ts";
import { GATEWAY_IP } from "../world.ts";

/** Mechanism 18 of failures.md, the ramp: something of the gateway's own runs out, steadily, and it says so before. */
const FROM_MS = 10_000;
const DESCRIPTORS = 600;
const MEMORY_BYTES = 512 * 1024 * 1024;
/** Of the memory before anything grows. */
const MEMORY_AT_REST = 0.3;
const PER_S = 20;
const WARNED_BEFORE_MS = 10_000;
const FAILED_MAX = 0.01;

export const resourceWall: Scenario = {
  name: "resource-wall",
  what: "Connections that stay, or memory, use up what the gateway may have: it says so ten seconds before, with the time that is left, and does not run into it.",
  isMarked: true,
  pools: { a: ["a1", "a2"] },
  // The descriptors are to be what runs out, not the connections that one file may say.
  file: { limits: { connections: 10_000 } },
  play(world) {
    world.straightenLines();
    for (const origin of world.origins) origin.script = (_, chance) => ({ delayMs: chance.between(5, 20) });
    const what = world.chance.pick(["descriptors", "memory"] as const);
    const rampMs = world.chance.pick([15_000, 25_000, 60_000]) * (what === "memory" ? 2 : 1);
    const untilMs = FROM_MS + rampMs + 20_000;
    const load = world.addLoad({ name: "load", perSecond: PER_S, untilMs, repeats: 1 });
    const wallAtMs = FROM_MS + rampMs;
    if (what === "descriptors") {
      world.limitDescriptors(DESCRIPTORS);
      const perSecond = DESCRIPTORS / (rampMs / 1000);
      world.addLoad({
        name: "stayers",
        perSecond: (atMs) => (atMs < wallAtMs ? perSecond : 0),
        fromMs: FROM_MS,
        untilMs,
        keepsOpen: true,
      });
    } else {
      const share = (atMs: number): number =>
        MEMORY_AT_REST + (1 - MEMORY_AT_REST) * Math.min(1, Math.max(0, atMs - FROM_MS) / rampMs);
      world.useMemory((atMs) => Math.round(share(atMs) * MEMORY_BYTES), MEMORY_BYTES);
    }
    return {
      *marks() {
        const warnings = world.events.flatMap(({ atMs, event }) =>
          event.kind === "gateway" && event.code === "pressure.warning" && event.detail.includes(what) ? [atMs] : [],
        );
        const beforeMs = wallAtMs - (warnings[0] ?? Infinity);
        yield* atLeast(`mechanism 18: warned before the wall (${what})`, beforeMs, WARNED_BEFORE_MS, " ms");
        yield* atMost("mechanism 18: sockets that found no descriptor", world.network.wallHits(GATEWAY_IP), 0);
        if (what === "descriptors") {
          yield* atMost("mechanism 18: share of calls failed", failedShare(callsOf(world, [load])), FAILED_MAX);
        }
      },
      *also() {
        yield* happened("a call came", load.calls.length, 500);
        const early = world.events.filter(
          ({ atMs, event }) => event.kind === "gateway" && event.code === "pressure.warning" && atMs < FROM_MS,
        );
        if (early.length > 0) yield "a warning came before anything grew";
      },
    };
  },
};
