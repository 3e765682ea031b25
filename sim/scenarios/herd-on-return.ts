import { Capacity } from "../capacity.ts";
import { happened } from "../expectations.ts";
import { arrivals, atMost, callsOf, failedShare } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

/** Mechanism 8 of failures.md: herd on recovery. */
const DOWN_FROM_MS = 5_000;
const DOWN_MS = 20_000;
const BACK_AT_MS = DOWN_FROM_MS + DOWN_MS;
const WAITING_CLIENTS = 500;
const WEAK_PER_S = 30;
const WEAK_MS = 10_000;
const FULL_PER_S = 200;
const OVER_CAPACITY_MAX = 1.2;
const FULL_WITHIN_MS = 30_000;
const USUAL_PER_S = 15;
const LOOK_MS = 2_000;

export const herdOnReturn: Scenario = {
  name: "herd-on-return",
  what: "An origin comes back after 20 s, weak at first, and 500 waiting clients want it at once: it is given what it can do, and all are served.",
  isMarked: true,
  pools: { a: ["a1"] },
  play(world) {
    world.straightenLines();
    const origin = world.origin("a1");
    const capacity = new Capacity(world.clock, FULL_PER_S);
    origin.capacity = capacity;
    origin.script = () => ({ delayMs: 1 });
    world.at(DOWN_FROM_MS, () => origin.crash("rst"));
    world.at(BACK_AT_MS, () => {
      origin.start();
      capacity.setPace(WEAK_PER_S);
    });
    world.at(BACK_AT_MS + WEAK_MS, () => capacity.setPace(FULL_PER_S));
    world.wellFromMs = BACK_AT_MS;
    const untilMs = BACK_AT_MS + FULL_WITHIN_MS + 15_000;
    const usual = world.addLoad({ name: "usual", perSecond: USUAL_PER_S, untilMs, patienceMs: 3_000 });
    // They all came while it was down, and do not give up.
    const herd = world.addLoad({
      name: "herd",
      perSecond: (atMs) => (atMs < BACK_AT_MS ? WAITING_CLIENTS / (DOWN_MS / 1000) : 0),
      fromMs: DOWN_FROM_MS,
      untilMs,
      patienceMs: 10_000,
      repeats: 1_000,
      backoffMs: 1_000,
      obeysRetryAfter: true,
    });
    return {
      *marks() {
        for (let at = BACK_AT_MS; at < BACK_AT_MS + FULL_WITHIN_MS; at += LOOK_MS) {
          const pace = at < BACK_AT_MS + WEAK_MS ? WEAK_PER_S : FULL_PER_S;
          const ratio = arrivals(world, "a1", at, at + LOOK_MS) / ((pace * LOOK_MS) / 1000);
          const what = `mechanism 8: arrivals ${(at - BACK_AT_MS) / 1000} s after the return, of what the origin can do`;
          yield* atMost(what, ratio, OVER_CAPACITY_MAX);
        }
        const last = Math.max(...herd.calls.map(({ endedAt, state }) => (state === "served" ? endedAt : Infinity)));
        const fullMs = last - world.trafficBeganAt - BACK_AT_MS;
        yield* atMost("mechanism 8: the last of the herd is served after", fullMs, FULL_WITHIN_MS, " ms");
        const after = callsOf(world, [usual], BACK_AT_MS + FULL_WITHIN_MS);
        yield* atMost("mechanism 8: usual calls failed once all is well", failedShare(after), 0);
      },
      *also() {
        yield* happened("a client waited", herd.calls.length, WAITING_CLIENTS * 0.95);
      },
    };
  },
};
