import { Capacity } from "../capacity.ts";
import { happened } from "../expectations.ts";
import { smallRead } from "../load.ts";
import { arrivals, atMost, callsOf, failedShare } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

/** Mechanism 15 of failures.md: the standby is not ready. What a preflight would find is no part of this. */
const LOST_FROM_MS = 10_000;
const LOST_FOR_MS = 25_000;
const EACH_OF_A_PER_S = 60;
/** 30 % of what the first pool can do. */
const STANDBY_PER_S = 36;
const CRITICAL_PER_S = 15;
const NORMAL_PER_S = 60;
const OVER_CAPACITY_MAX = 1;
const CRITICAL_FAILED_MAX = 0.02;
const SHIFTED_WITHIN_MS = 10_000;
const LOOK_MS = 5_000;
/** What one look may be off by: work that was under way at its beginning. */
const LOOK_SLACK = 1.1;
/** A wait in the standby's own queue that nobody should have: it is what being over 100 % looks like. */
const WAITED_MAX_MS = 1_000;

export const weakStandby: Scenario = {
  name: "weak-standby",
  what: "The first pool is lost and the second can do 30 % of its work: it gets no more than that, and the critical calls get it.",
  isMarked: true,
  pools: { a: ["a1", "a2"], b: ["b1"] },
  service: {
    routes: [{ match: { path: "/critical/*" }, class: "critical" }, { match: { path: "/*" } }],
  },
  play(world) {
    world.straightenLines();
    for (const origin of world.origins) {
      const pace = origin.place.name === "b1" ? STANDBY_PER_S : EACH_OF_A_PER_S;
      origin.capacity = new Capacity(world.clock, pace);
      origin.script = () => ({ delayMs: 5 });
    }
    const first = [world.origin("a1"), world.origin("a2")];
    world.at(LOST_FROM_MS, () => first.forEach((origin) => origin.crash("rst")));
    world.at(LOST_FROM_MS + LOST_FOR_MS, () => first.forEach((origin) => origin.start()));
    const untilMs = LOST_FROM_MS + LOST_FOR_MS + 25_000;
    const critical = world.addLoad({
      name: "critical",
      perSecond: CRITICAL_PER_S,
      untilMs,
      patienceMs: 3_000,
      plan: (chance) => ({ ...smallRead(chance), path: "/critical" }),
    });
    const normal = world.addLoad({ name: "normal", perSecond: NORMAL_PER_S, untilMs, patienceMs: 3_000 });
    return {
      *marks() {
        for (let at = LOST_FROM_MS; at < LOST_FROM_MS + LOST_FOR_MS; at += LOOK_MS) {
          const ratio = arrivals(world, "b1", at, at + LOOK_MS) / ((STANDBY_PER_S * LOOK_MS) / 1000);
          const what = `mechanism 15: what the standby gets from ${at / 1000} s on, of what it can do`;
          yield* atMost(what, ratio, OVER_CAPACITY_MAX * LOOK_SLACK);
        }
        const waitedMs = ((world.origin("b1").capacity?.waitedMost ?? 0) * 1000) / STANDBY_PER_S;
        yield* atMost("mechanism 15: longest wait at the standby", waitedMs, WAITED_MAX_MS, " ms");
        const important = failedShare(callsOf(world, [critical], LOST_FROM_MS, LOST_FROM_MS + LOST_FOR_MS));
        yield* atMost("mechanism 15: share of critical calls failed", important, CRITICAL_FAILED_MAX);
        const shifted = callsOf(world, [critical], LOST_FROM_MS + SHIFTED_WITHIN_MS, LOST_FROM_MS + LOST_FOR_MS);
        yield* atMost("mechanism 15: critical calls failed after 10 s", failedShare(shifted), CRITICAL_FAILED_MAX);
        const back = callsOf(world, [critical, normal], LOST_FROM_MS + LOST_FOR_MS + 15_000);
        yield* atMost("mechanism 15: share of calls failed on the way back", failedShare(back), CRITICAL_FAILED_MAX);
      },
      *also() {
        yield* happened("the standby was asked", arrivals(world, "b1", 0, Infinity), 300);
      },
    };
  },
};
