import { happened } from "../expectations.ts";
import { smallRead } from "../load.ts";
import { atMost, callsOf, latenciesMs, quantile } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

/** Mechanism 12 (c) of failures.md: only keys A to F fail, on every origin. */
const FAIL_FROM_MS = 10_000;
const FAIL_FOR_MS = 30_000;
const KEYS = Array.from("ABCDEFGHIJKLMNOPQRSTUVWX");
const SICK_KEYS = "ABCDEF";
const PER_S = 60;
/** How long a call for a sick key hangs before it fails. */
const HANGS_MS = 20_000;
const P99_RATIO_MAX = 1.2;

export const sickKeys: Scenario = {
  name: "sick-keys",
  what: "A quarter of the keys hang and fail on every origin, on one route with the healthy ones: no healthy key is refused or slowed, and no origin blamed.",
  isMarked: true,
  pools: { a: ["a1", "a2", "a3", "a4"] },
  play(world) {
    world.straightenLines();
    let isSick = false;
    let hung = 0;
    const keyOf = (path: string): string => path.slice("/key/".length);
    for (const origin of world.origins) {
      origin.script = ({ path }, chance) => {
        if (!isSick || !SICK_KEYS.includes(keyOf(path))) return { delayMs: chance.between(10, 20) };
        hung += 1;
        return { delayMs: HANGS_MS, status: 500 };
      };
    }
    world.at(FAIL_FROM_MS, () => {
      isSick = true;
    });
    world.at(FAIL_FROM_MS + FAIL_FOR_MS, () => {
      isSick = false;
    });
    const load = world.addLoad({
      name: "load",
      perSecond: PER_S,
      untilMs: FAIL_FROM_MS + FAIL_FOR_MS + 5_000,
      patienceMs: 30_000,
      plan: (chance) => ({ ...smallRead(chance), path: `/key/${chance.pick(KEYS)}` }),
    });
    const healthy = (fromMs: number, untilMs: number): ReturnType<typeof callsOf> =>
      callsOf(world, [load], fromMs, untilMs).filter(({ plan }) => !SICK_KEYS.includes(keyOf(plan.path)));
    return {
      *marks() {
        const during = healthy(FAIL_FROM_MS, FAIL_FROM_MS + FAIL_FOR_MS);
        const failed = during.filter(({ state }) => state !== "served").length;
        yield* atMost("mechanism 12c: calls for healthy keys that failed", failed, 0);
        const ratio = quantile(latenciesMs(during), 0.99) / quantile(latenciesMs(healthy(0, FAIL_FROM_MS)), 0.99);
        yield* atMost("mechanism 12c: p99 of healthy keys, to what it was", ratio, P99_RATIO_MAX);
      },
      *also() {
        yield* happened("a sick key hung", hung, 50);
      },
    };
  },
};
