import { happened } from "../expectations.ts";
import { smallRead } from "../load.ts";
import { atMost, callsOf, failedShare, latenciesMs, quantile, refusalsMs } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

/** Mechanism 10 of failures.md: a slow origin drains shared pools. */
const SLOW_FROM_MS = 10_000;
const SLOW_FOR_MS = 20_000;
const SLOW_ANSWER_MS = 10_000;
const EACH_PER_S = 50;
const P99_RATIO_MAX = 1.2;
const REFUSED_WITHIN_MS = 50;
/** "Once open": the gateway has had this long to see it. */
const OPEN_AFTER_MS = 12_000;

export const slowNeighbour: Scenario = {
  name: "slow-neighbour",
  what: "One route's origin takes 10 s for everything: the other route of the same gateway does not notice, and the slow one is refused quickly.",
  isMarked: true,
  pools: { a: ["a1"], b: ["b1"] },
  service: {
    routes: [
      { match: { path: "/a/*" }, pools: ["a"] },
      { match: { path: "/b/*" }, pools: ["b"] },
    ],
  },
  file: { limits: { connections: 400 } },
  play(world) {
    world.straightenLines();
    let isSlow = false;
    world.at(SLOW_FROM_MS, () => {
      isSlow = true;
    });
    world.at(SLOW_FROM_MS + SLOW_FOR_MS, () => {
      isSlow = false;
    });
    world.wellFromMs = SLOW_FROM_MS + SLOW_FOR_MS;
    const usual = (): { delayMs: number } => ({ delayMs: world.chance.between(8, 12) });
    world.origin("a1").script = () => (isSlow ? { delayMs: SLOW_ANSWER_MS } : usual());
    world.origin("b1").script = usual;
    const of = (name: string, path: string): ReturnType<typeof world.addLoad> =>
      world.addLoad({
        name,
        perSecond: EACH_PER_S,
        untilMs: SLOW_FROM_MS + SLOW_FOR_MS + 10_000,
        patienceMs: 12_000,
        plan: (chance) => ({ ...smallRead(chance), path }),
      });
    const slow = of("slow", "/a");
    const other = of("other", "/b");
    const p99 = (fromMs: number, untilMs: number): number =>
      quantile(latenciesMs(callsOf(world, [other], fromMs, untilMs)), 0.99);
    return {
      *marks() {
        const ratio = p99(SLOW_FROM_MS, SLOW_FROM_MS + SLOW_FOR_MS) / p99(0, SLOW_FROM_MS);
        yield* atMost("mechanism 10: p99 of the other route, to what it was", ratio, P99_RATIO_MAX);
        yield* atMost("mechanism 10: share of the other route's calls failed", failedShare(callsOf(world, [other])), 0);
        const open = callsOf(world, [slow], SLOW_FROM_MS + OPEN_AFTER_MS, SLOW_FROM_MS + SLOW_FOR_MS);
        const refused = quantile(refusalsMs(open), 0.99);
        yield* atMost("mechanism 10: p99 of the slow route's refusals", refused, REFUSED_WITHIN_MS, " ms");
      },
      *also() {
        yield* happened("a call came", callsOf(world, [slow, other]).length, EACH_PER_S * 60);
        const open = callsOf(world, [slow], SLOW_FROM_MS + OPEN_AFTER_MS, SLOW_FROM_MS + SLOW_FOR_MS);
        yield* happened("the slow route was refused", refusalsMs(open).length, 50);
      },
    };
  },
};
