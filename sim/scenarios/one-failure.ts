import { happened } from "../expectations.ts";
import { arrivals, callsOf } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

const FAILS_AT_MS = 10_000;
const PER_S = 5;
const ORIGINS = 3;
/** A failure costs its origin a second; what is looked at then are spans of so many calls that chance is even in them. */
const PAID_MS = 1_500;
const SPAN_MS = 10_000;
/** A third would be fair; of some fifty throws, so few fall to one of three once in ten thousand times. */
const SHARE_MIN = 0.08;

export const oneFailure: Scenario = {
  name: "one-failure",
  what: "An origin of a quiet service fails once, in any of three ways: it gets its share again after a second.",
  pools: { a: ["a1", "a2", "a3"] },
  play(world) {
    world.straightenLines();
    let hasFailed = false;
    let failedAt = 0;
    const how = world.chance.pick(["reset", "500", "refusal"] as const);
    for (const origin of world.origins) origin.script = (_, chance) => ({ delayMs: chance.between(5, 9) });
    const well = world.origin("a2").script;
    world.origin("a2").script = (asked, chance) => {
      if (hasFailed || world.clock.monotonic() - world.trafficBeganAt < FAILS_AT_MS) return well(asked, chance);
      hasFailed = true;
      failedAt = world.clock.monotonic() - world.trafficBeganAt;
      if (how === "reset") return { breakAfter: 0, breakHow: "rst", delayMs: 5 };
      return how === "500" ? { status: 500, delayMs: 5 } : { status: 503, delayMs: 5 };
    };
    const load = world.addLoad({ name: "load", perSecond: PER_S, untilMs: FAILS_AT_MS + 45_000 });
    return function* () {
      yield* happened("the origin failed", hasFailed ? 1 : 0, 1);
      for (let from = failedAt + PAID_MS; from + SPAN_MS < FAILS_AT_MS + 45_000; from += SPAN_MS) {
        const got = arrivals(world, "a2", from, from + SPAN_MS) / callsOf(world, [load], from, from + SPAN_MS).length;
        if (got >= SHARE_MIN) continue;
        const share = `${Math.round(got * 100)} % of the calls for ${SPAN_MS / 1000} s`;
        yield `the one of ${ORIGINS} origins that failed once (${how}) got ${share}, ${(from - failedAt) / 1000} s after that`;
      }
    };
  },
};
