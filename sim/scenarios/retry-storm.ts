import { Capacity } from "../capacity.ts";
import { happened } from "../expectations.ts";
import { smallRead } from "../load.ts";
import { amplification, atMost, callsOf, failedShare, recoveredAfterMs } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

/** Mechanism 7 of failures.md: retry storm, metastable overload. */
const CAPACITY_PER_S = 50;
const OFFERED_PER_S = 40;
const CRITICAL_SHARE = 0.25;
const STALL_FROM_MS = 10_000;
const STALL_MS = 5_000;
const AMPLIFICATION_MAX = 1.1;
const RECOVERED_WITHIN_MS = 5_000;
const CRITICAL_FAILED_MAX = 0.02;
/** Without a queue an answer takes some 10 ms. */
const GOOD_ANSWER_MS = 1_000;

export const retryStorm: Scenario = {
  name: "retry-storm",
  what: "An origin near its capacity stalls for 5 s under clients that ask again: what is served returns unaided, and critical calls fare well.",
  isMarked: true,
  pools: { a: ["a1"] },
  // Two addresses stand for many callers; as two, the one with more would be held back as a flood.
  file: { limits: { flood: false } },
  service: { routes: [{ match: { path: "/critical/*" }, class: "critical" }, { match: { path: "/*" } }] },
  play(world) {
    world.straightenLines();
    const { clock } = world;
    const capacity = new Capacity(clock, CAPACITY_PER_S);
    const origin = world.origin("a1");
    origin.capacity = capacity;
    origin.script = () => ({ delayMs: 1 });
    world.at(STALL_FROM_MS, () => capacity.setPace(0));
    world.at(STALL_FROM_MS + STALL_MS, () => capacity.setPace(CAPACITY_PER_S));
    world.wellFromMs = STALL_FROM_MS + STALL_MS;
    const habits = { untilMs: 50_000, patienceMs: 2_000, repeats: 3, backoffMs: 200 };
    const critical = world.addLoad({
      ...habits,
      name: "critical",
      perSecond: OFFERED_PER_S * CRITICAL_SHARE,
      plan: (chance) => ({ ...smallRead(chance), path: "/critical" }),
    });
    const normal = world.addLoad({ ...habits, name: "normal", perSecond: OFFERED_PER_S * (1 - CRITICAL_SHARE) });
    const endedMs = STALL_FROM_MS + STALL_MS;
    return {
      *marks() {
        yield* atMost("mechanism 7: requests at origins for each of clients", amplification(world), AMPLIFICATION_MAX);
        const recoveredMs = recoveredAfterMs(world, [critical, normal], endedMs, GOOD_ANSWER_MS);
        yield* atMost("mechanism 7: time to recover", recoveredMs, RECOVERED_WITHIN_MS, " ms");
        const after = callsOf(world, [critical], endedMs);
        yield* atMost("mechanism 7: critical calls failed after the stall", failedShare(after), CRITICAL_FAILED_MAX);
      },
      *also() {
        yield* happened("a call came", callsOf(world, [critical, normal]).length, 1_500);
        yield* happened("requests waited at the origin", capacity.waitedMost, 5);
      },
    };
  },
};
