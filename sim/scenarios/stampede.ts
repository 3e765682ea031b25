import { Capacity } from "../capacity.ts";
import { happened } from "../expectations.ts";
import { smallRead } from "../load.ts";
import { arrivals, atMost, callsOf, failedShare } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

/** Mechanism 9 of failures.md: cache loss, origin stampede. The run begins with the cache lost. */
const CAPACITY_PER_S = 40;
const PER_S = 120;
const KEYS = 50;
const HOT_SHARE = 0.3;
const FRESH_S = 4;
const BACK_WITHIN_MS = 20_000;
const FAILED_MAX = 0.01;
const IN_FLIGHT_MAX = 1;
const DOWN_FROM_MS = 22_000;
const DOWN_FOR_MS = 8_000;
const FOR_MS = 36_000;

export const stampede: Scenario = {
  name: "stampede",
  what: "A cache is empty under three times what its origin can do, and later the origin is gone for a while: one request for each thing is under way, and hardly anybody is refused.",
  isMarked: true,
  pools: { a: ["a1"] },
  service: { routes: [{ cache: { staleIfError: "1h" } }] },
  play(world) {
    world.straightenLines();
    const origin = world.origin("a1");
    origin.capacity = new Capacity(world.clock, CAPACITY_PER_S);
    const underWay = new Map<number, number>();
    let most = 0;
    origin.script = ({ resource }) => {
      // A health check.
      if (resource === 0) return {};
      const count = (underWay.get(resource) ?? 0) + 1;
      underWay.set(resource, count);
      most = Math.max(most, count);
      return { delayMs: 2, lines: `Cache-Control: max-age=${FRESH_S}, stale-while-revalidate=30\r\n`, version: 0 };
    };
    origin.onAnswered = ({ resource }) => void underWay.set(resource, (underWay.get(resource) ?? 0) - 1);
    world.at(DOWN_FROM_MS, () => {
      origin.crash("rst");
      underWay.clear();
    });
    world.at(DOWN_FROM_MS + DOWN_FOR_MS, () => origin.start());
    const load = world.addLoad({
      name: "load",
      perSecond: PER_S,
      untilMs: FOR_MS,
      patienceMs: 5_000,
      plan: (chance) => ({
        ...smallRead(chance),
        resource: chance.happens(HOT_SHARE) ? 1 : chance.integer(1, KEYS),
        answerBytes: 500,
      }),
    });
    return {
      *marks() {
        yield* atMost("mechanism 9: requests for one thing under way at once", most, IN_FLIGHT_MAX);
        yield* atMost("mechanism 9: share of calls failed", failedShare(callsOf(world, [load])), FAILED_MAX);
        const later = arrivals(world, "a1", BACK_WITHIN_MS - 5_000, BACK_WITHIN_MS) / 5;
        yield* atMost("mechanism 9: requests at the origin once the cache is back", later, CAPACITY_PER_S, "/s");
      },
      *also() {
        yield* happened("a call came", load.calls.length, PER_S * 20);
      },
    };
  },
};
