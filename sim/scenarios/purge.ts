import { Capacity } from "../capacity.ts";
import { happened } from "../expectations.ts";
import { versionOf } from "../ledger.ts";
import { smallRead } from "../load.ts";
import { arrivals, atMost, callsOf, failedShare } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

/** Mechanism 9 of failures.md, its flush: somebody purges everything while it is asked for five times as fast as it can be made. */
const CAPACITY_PER_S = 40;
const PER_S = 200;
const KEYS = 50;
const HOT_SHARE = 0.3;
const FRESH_S = 60;
/** The second comes in the middle of what the first has set off. */
const PURGES_AT_MS = [6_000, 6_600, 15_000] as const;
const BACK_WITHIN_MS = 5_000;
/** Longer than a request takes to the gateway: which of the two came first is not known. */
const ON_THE_WAY_MS = 2;
const LOOK_MS = 3_000;
const FOR_MS = 23_500;
const FAILED_MAX = 0.01;
const IN_FLIGHT_MAX = 1;
const HIT_RATE_MIN = 0.95;

export const purge: Scenario = {
  name: "purge",
  what: "A whole cache is purged, and once more in the middle of the stampede that follows: one request for each thing, nobody gets what was purged, and who is told to come again is served then.",
  isMarked: true,
  pools: { a: ["a1"] },
  service: { routes: [{ cache: true }] },
  play(world) {
    world.straightenLines();
    const origin = world.origin("a1");
    origin.capacity = new Capacity(world.clock, CAPACITY_PER_S);
    const underWay = new Map<string, number>();
    let most = 0;
    let version = 0;
    const purges: number[] = [];
    const asked = new Map<number, string>();
    origin.script = ({ id, resource }) => {
      // A health check.
      if (resource === 0) return {};
      // What was asked for before a purge may still be under way when it is asked for anew.
      const sentAt = world.ledger.stories.get(id)?.sentAt ?? 0;
      const isBoth = purges.some((at) => Math.abs(at - sentAt) < ON_THE_WAY_MS);
      const key = `${isBoth ? `#${id}` : resource} ${purges.filter((at) => at < sentAt).length}`;
      const count = (underWay.get(key) ?? 0) + 1;
      underWay.set(key, count);
      most = Math.max(most, count);
      asked.set(id, key);
      return { delayMs: 2, lines: `Cache-Control: max-age=${FRESH_S}\r\n`, version };
    };
    origin.onAnswered = ({ id }) => {
      const key = asked.get(id) ?? "";
      underWay.set(key, (underWay.get(key) ?? 0) - 1);
    };
    let removed = 0;
    for (const at of PURGES_AT_MS) {
      world.at(at, () => {
        version += 1;
        purges.push(world.clock.monotonic());
        removed += world.gateway.actions.purgeCache({ kind: "prefix", prefix: "/" })?.purged ?? 0;
      });
    }
    const load = world.addLoad({
      name: "load",
      perSecond: PER_S,
      untilMs: FOR_MS,
      patienceMs: 5_000,
      // What is made again for all is more than the origin can do at once: some are told to come again.
      repeats: 1,
      obeysRetryAfter: true,
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
        const old = load.calls
          .flatMap(({ stories }) => stories)
          .filter(
            ({ sentAt, contentId }) =>
              contentId > 0 && versionOf(contentId) < purges.filter((at) => at < sentAt).length,
          );
        yield* atMost("mechanism 9: answers that had been purged before they were asked for", old.length, 0);
        for (const at of PURGES_AT_MS.slice(1)) {
          const from = at + BACK_WITHIN_MS;
          const share =
            arrivals(world, "a1", from, from + LOOK_MS) / callsOf(world, [load], from, from + LOOK_MS).length;
          yield* atMost("mechanism 9: share that reaches the origin 5 s after a purge", share, 1 - HIT_RATE_MIN);
        }
      },
      *also() {
        yield* happened("a call came", load.calls.length, PER_S * 20);
        yield* happened("a stored response was purged", removed, KEYS * PURGES_AT_MS.length * 0.5);
      },
    };
  },
};
