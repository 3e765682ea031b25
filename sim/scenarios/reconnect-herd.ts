import { Capacity } from "../capacity.ts";
import { happened } from "../expectations.ts";
import { smallRead } from "../load.ts";
import { arrivals, atMost, callsOf, failedShare, latenciesMs, quantile } from "../measures.ts";
import type { Scenario } from "../scenario.ts";
import { GATEWAY_IP } from "../world.ts";

/**
 * Mechanisms 8 and 18 of failures.md, as Discord met them: nothing is wrong with the origins, but hundreds of clients
 * lose their connections at the same instant and come back within a moment, each with something to ask.
 */
const CLIENTS = 600;
const CONNECT_IN_MS = 20_000;
const DROPPED_AT_MS = 25_000;
const BACK_WITHIN_MS = 300;
const EACH_PER_S = 60;
const CRITICAL_PER_S = 10;
const NORMAL_PER_S = 30;
const DESCRIPTORS = 2_000;
const ALL_BACK_WITHIN_MS = 60_000;
const OVER_CAPACITY_MAX = 1.2;
const LOOK_MS = 2_000;
/** In the origin's own queue: what the gateway has given away it cannot take back. */
const WAITED_MAX_MS = 1_000;
const CRITICAL_FAILED_MAX = 0.006;
const CRITICAL_P99_MS = 1_000;

export const reconnectHerd: Scenario = {
  name: "reconnect-herd",
  what: "Six hundred clients lose their connections at once and come back within 300 ms: the origins get what they can do, all are back within a minute, and critical calls hardly notice.",
  isMarked: true,
  pools: { a: ["a1", "a2"] },
  service: { routes: [{ match: { path: "/critical/*" }, class: "critical" }, { match: { path: "/*" } }] },
  play(world) {
    world.straightenLines();
    world.limitDescriptors(DESCRIPTORS);
    for (const origin of world.origins) {
      origin.capacity = new Capacity(world.clock, EACH_PER_S);
      origin.script = () => ({ delayMs: 5 });
    }
    const untilMs = DROPPED_AT_MS + ALL_BACK_WITHIN_MS + 5_000;
    const critical = world.addLoad({
      name: "critical",
      perSecond: CRITICAL_PER_S,
      untilMs,
      patienceMs: 3_000,
      plan: (chance) => ({ ...smallRead(chance), path: "/critical" }),
    });
    const usual = world.addLoad({ name: "usual", perSecond: NORMAL_PER_S, untilMs, patienceMs: 3_000, repeats: 1 });
    const stayers = world.addLoad({
      name: "stayers",
      perSecond: (atMs) => (atMs < CONNECT_IN_MS ? CLIENTS / (CONNECT_IN_MS / 1000) : 0),
      untilMs,
      keepsOpen: true,
    });
    world.at(DROPPED_AT_MS, () => stayers.drop());
    const herd = world.addLoad({
      name: "herd",
      perSecond: (atMs) => (atMs < DROPPED_AT_MS + BACK_WITHIN_MS ? CLIENTS / (BACK_WITHIN_MS / 1000) : 0),
      fromMs: DROPPED_AT_MS,
      untilMs,
      keepsOpen: true,
      patienceMs: 10_000,
      repeats: 1_000,
      backoffMs: 1_000,
      obeysRetryAfter: true,
    });
    return {
      *marks() {
        for (const { place, capacity } of world.origins) {
          for (let at = DROPPED_AT_MS; at < DROPPED_AT_MS + ALL_BACK_WITHIN_MS; at += LOOK_MS) {
            const ratio = arrivals(world, place.name, at, at + LOOK_MS) / ((EACH_PER_S * LOOK_MS) / 1000);
            const what = `mechanism 8: arrivals at ${place.name} ${(at - DROPPED_AT_MS) / 1000} s after the cut, of what it can do`;
            yield* atMost(what, ratio, OVER_CAPACITY_MAX);
          }
          const waitedMs = ((capacity?.waitedMost ?? 0) * 1000) / EACH_PER_S;
          yield* atMost(`mechanism 8: longest wait in the queue of ${place.name}`, waitedMs, WAITED_MAX_MS, " ms");
        }
        const last = Math.max(...herd.calls.map(({ endedAt, state }) => (state === "served" ? endedAt : Infinity)));
        const backMs = last - world.trafficBeganAt - DROPPED_AT_MS;
        yield* atMost("mechanism 18: the last client is back after", backMs, ALL_BACK_WITHIN_MS, " ms");
        yield* atMost("mechanism 18: sockets that found no descriptor", world.network.wallHits(GATEWAY_IP), 0);
        const meanwhile = callsOf(world, [critical], DROPPED_AT_MS);
        yield* atMost("mechanism 17: share of critical calls failed", failedShare(meanwhile), CRITICAL_FAILED_MAX);
        const p99 = quantile(latenciesMs(meanwhile), 0.99);
        yield* atMost("mechanism 17: p99 of critical calls", p99, CRITICAL_P99_MS, " ms");
        const after = callsOf(world, [usual], DROPPED_AT_MS + ALL_BACK_WITHIN_MS);
        yield* atMost("mechanism 8: usual calls failed once all are back", failedShare(after), 0);
      },
      *also() {
        yield* happened("a client was connected", stayers.calls.length, CLIENTS * 0.95);
        yield* happened("a client came back", herd.calls.length, CLIENTS * 0.95);
      },
    };
  },
};
