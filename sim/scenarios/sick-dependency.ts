import { happened } from "../expectations.ts";
import { smallRead } from "../load.ts";
import { arrivals, atLeast, atMost, callsOf, failedShare } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

/** Mechanism 11 of failures.md: a probe removes everybody. */
const DEAD_FROM_MS = 10_000;
const DEAD_FOR_MS = 30_000;
/** A dead dependency is needed by one route in ten. */
const NEEDS_IT_EVERY = 10;
const FAILED_OVER_MAX = 0.01;
const KEPT_MIN = 0.5;
const TOLD_WITHIN_MS = 5_000;
const PER_S = 40;
const ASKED_LEAST = 20;

export const sickDependency: Scenario = {
  name: "sick-dependency",
  what: "Every health page needs what one route in ten needs, and that dies: no more fails than truly fails, and the disagreement is told.",
  isMarked: true,
  naive: { checks: "obeyed" },
  pools: { a: ["a1", "a2", "a3", "a4"] },
  play(world) {
    world.straightenLines();
    let isDead = false;
    for (const origin of world.origins) {
      origin.script = ({ path }) => ({ delayMs: 5, ...(isDead && path === "/needs" ? { status: 500 } : {}) });
    }
    const set = (dead: boolean): void => {
      isDead = dead;
      for (const origin of world.origins) origin.health = dead ? "ill" : "well";
    };
    world.at(DEAD_FROM_MS, () => set(true));
    world.at(DEAD_FROM_MS + DEAD_FOR_MS, () => set(false));
    const load = world.addLoad({
      name: "load",
      perSecond: PER_S,
      untilMs: DEAD_FROM_MS + DEAD_FOR_MS + 10_000,
      plan: (chance, number) => ({ ...smallRead(chance), path: number % NEEDS_IT_EVERY === 0 ? "/needs" : "/works" }),
    });
    return {
      *marks() {
        const dead = callsOf(world, [load], DEAD_FROM_MS, DEAD_FROM_MS + DEAD_FOR_MS);
        const most = 1 / NEEDS_IT_EVERY + FAILED_OVER_MAX;
        yield* atMost("mechanism 11: share of calls failed", failedShare(dead), most);
        const inUse = world.origins.filter(
          ({ place }) =>
            arrivals(world, place.name, DEAD_FROM_MS + TOLD_WITHIN_MS, DEAD_FROM_MS + DEAD_FOR_MS) > ASKED_LEAST,
        );
        yield* atLeast("mechanism 11: share of origins kept", inUse.length / world.origins.length, KEPT_MIN);
      },
      *also() {
        const told = world.events.filter(
          ({ atMs, event }) =>
            event.kind === "disagreement" && atMs > DEAD_FROM_MS && atMs < DEAD_FROM_MS + TOLD_WITHIN_MS,
        );
        yield* happened("mechanism 11: the gateway told of checks that traffic contradicts", told.length, 1);
      },
    };
  },
};
