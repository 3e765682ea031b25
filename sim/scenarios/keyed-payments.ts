import { happened } from "../expectations.ts";
import { smallWrite } from "../load.ts";
import { atMost, callsOf } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

/** Mechanism 15 of failures.md: retries without idempotency. */
const PER_S = 25;
const FOR_MS = 40_000;
const CRASHES = 5;
const TWICE_MAX = 0;
/** Of the requests that reach an origin so many are carried out and never answered, or answered late. */
const BROKEN_SHARE = 0.06;
const LATE_SHARE = 0.05;

export const keyedPayments: Scenario = {
  name: "keyed-payments",
  what: "Payments with an Idempotency-Key, repeated by whoever got no answer, while origins break off and the gateway itself is killed again and again: none is carried out twice, and what nobody knows is said to be unknown.",
  isMarked: true,
  keepsKeys: true,
  pools: { a: ["a1", "a2"], b: ["b1"] },
  service: { routes: [{ timeouts: { firstByte: "2s" } }] },
  file: { idempotency: { wait: "1s", late: "5s" } },
  play(world) {
    world.straightenLines();
    for (const origin of world.origins) {
      origin.restartMs = 1_500;
      origin.script = ({ resource }, chance) => {
        if (resource === 0) return {};
        const delayMs = chance.spread(1, 60);
        if (chance.happens(BROKEN_SHARE)) {
          const breakHow = chance.happens(0.05) ? "crash" : chance.pick(["rst", "fin"] as const);
          return { delayMs, breakAfter: Math.floor(chance.between(0, 60)), breakHow };
        }
        return { delayMs: chance.happens(LATE_SHARE) ? 2_600 : delayMs };
      };
    }
    const chance = world.chance.fork("kills");
    for (let number = 0; number < CRASHES; number += 1) {
      const at = 3_000 + number * 7_000 + chance.between(0, 5_000);
      world.at(at, () => world.crashGateway(chance.pick(["fin", "rst"]), chance.between(100, 1_200)));
    }
    const payments = world.addLoad({
      name: "payments",
      perSecond: PER_S,
      untilMs: FOR_MS,
      patienceMs: 2_500,
      repeats: 8,
      backoffMs: 600,
      plan: (draw, number) => ({
        ...smallWrite(draw),
        // The same request each time, so without a body, which would tell who sends it.
        bodyBytes: 0,
        resource: number,
        answerBytes: 120,
        lines: `Idempotency-Key: "payment-${number}"\r\n`,
      }),
    });
    const runsOf = (): Map<number, number> => {
      const runs = new Map<number, number>();
      for (const { plan, runs: own } of world.ledger.stories.values()) {
        runs.set(plan.resource, (runs.get(plan.resource) ?? 0) + own.length);
      }
      return runs;
    };
    return {
      *marks() {
        const twice = [...runsOf().values()].filter((count) => count > 1).length;
        yield* atMost("mechanism 15: payments carried out more than once", twice, TWICE_MAX);
      },
      *also() {
        const runs = runsOf();
        const calls = callsOf(world, [payments]);
        for (const { number, state, stories } of calls) {
          const count = runs.get(number) ?? 0;
          if (state === "served" && count !== 1) yield `payment ${number} was answered and carried out ${count} times`;
          // 409: it may have been carried out, and is not sent again.
          if (state === "failed" && !stories.some(({ status }) => status === 409))
            yield `payment ${number} failed, and was not said to be unknown`;
        }
        const unknown = calls.filter(({ state }) => state === "failed").length;
        yield* happened("the gateway was killed", world.gatewayCrashes.length, CRASHES - 1);
        yield* happened("a payment was unknown", unknown, 5);
        const replayed = world.records.filter(({ decisions }) => decisions.some(({ code }) => code === "key.replayed"));
        yield* happened("an answer was given again", replayed.length, 3);
      },
    };
  },
};
