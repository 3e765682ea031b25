import { Capacity } from "../capacity.ts";
import { happened } from "../expectations.ts";
import { smallRead } from "../load.ts";
import type { Load } from "../load.ts";
import { atLeast, atMost, callsOf, failedShare, quantile, refusalsMs, servedBySecond } from "../measures.ts";
import type { Scenario } from "../scenario.ts";
import type { World } from "../world.ts";

/** Mechanism 17 of failures.md: a peak above capacity, and a spill that topples the next. */
const EACH_PER_S = 40;
const ORIGINS = 3;
const USUAL_PER_S = 0.6 * EACH_PER_S * ORIGINS;
const PEAK_PER_S = 3 * EACH_PER_S * ORIGINS;
const FIRST_LOST_MS = 8_000;
const SECOND_LOST_MS = 16_000;
const BACK_MS = 24_000;
const PEAK_FROM_MS = 34_000;
const PEAK_MS = 20_000;
/** Shares of the three classes, in the peak as before it. */
const CRITICAL_SHARE = 0.2;
const NORMAL_SHARE = 0.4;
const GOODPUT_MIN = 0.9;
const CRITICAL_SERVED_MIN = 0.994;
const REFUSED_WITHIN_MS = 20;
const OSCILLATION_MAX = 0.1;
const LOOK_S = 4;

export const peak: Scenario = {
  name: "peak",
  what: "Origins are lost one after the other, and then three times as much is asked as they can do: they do what they can, the critical calls first, and the rest is refused at once.",
  isMarked: true,
  pools: { a: ["a1", "a2", "a3"] },
  service: {
    routes: [
      { match: { path: "/critical/*" }, class: "critical" },
      { match: { path: "/background/*" }, class: "background" },
      { match: { path: "/*" } },
    ],
  },
  play(world) {
    world.straightenLines();
    for (const origin of world.origins) {
      origin.capacity = new Capacity(world.clock, EACH_PER_S);
      origin.script = () => ({ delayMs: 2 });
    }
    world.at(FIRST_LOST_MS, () => world.origin("a1").crash("rst"));
    world.at(SECOND_LOST_MS, () => world.origin("a2").crash("rst"));
    world.at(BACK_MS, () => ["a1", "a2"].forEach((name) => world.origin(name).start()));
    const add = (name: string, path: string, share: number): Load =>
      world.addLoad({
        name,
        perSecond: (atMs) => share * (atMs >= PEAK_FROM_MS && atMs < PEAK_FROM_MS + PEAK_MS ? PEAK_PER_S : USUAL_PER_S),
        untilMs: PEAK_FROM_MS + PEAK_MS + 12_000,
        patienceMs: 3_000,
        plan: (chance) => ({ ...smallRead(chance), path }),
      });
    const critical = add("critical", "/critical", CRITICAL_SHARE);
    const loads = [
      critical,
      add("normal", "", NORMAL_SHARE),
      add("background", "/background", 1 - CRITICAL_SHARE - NORMAL_SHARE),
    ];
    return {
      *marks() {
        for (const [from, to, live] of [
          [FIRST_LOST_MS, SECOND_LOST_MS, ORIGINS - 1],
          [SECOND_LOST_MS, BACK_MS, ORIGINS - 2],
          [PEAK_FROM_MS, PEAK_FROM_MS + PEAK_MS, ORIGINS],
        ] as const) {
          yield* atLeast(
            `mechanism 17: goodput from ${from / 1000} s on, of what can be`,
            least(world, loads, from, to, live * EACH_PER_S),
            GOODPUT_MIN,
          );
        }
        const important = 1 - failedShare(callsOf(world, [critical]));
        yield* atLeast("mechanism 17: share of critical calls served", important, CRITICAL_SERVED_MIN);
        const refused = refusalsMs(callsOf(world, loads, PEAK_FROM_MS, PEAK_FROM_MS + PEAK_MS));
        yield* atMost("mechanism 17: p99 of refusals", quantile(refused, 0.99), REFUSED_WITHIN_MS, " ms");
        const told = callsOf(world, loads).flatMap(({ stories }) => stories);
        const untold = told.filter(
          ({ status, answeredBy, retryAfter }) => answeredBy === "gateway" && status === 503 && retryAfter < 0,
        );
        yield* atMost("mechanism 17: refusals without Retry-After", untold.length, 0);
        const swing = 1 - least(world, loads, PEAK_FROM_MS + 4_000, PEAK_FROM_MS + PEAK_MS, EACH_PER_S * ORIGINS);
        yield* atMost("mechanism 17: swing of goodput in the peak", swing, OSCILLATION_MAX);
      },
      *also() {
        yield* happened("a call came", callsOf(world, loads).length, 8_000);
      },
    };
  },
};

/**
 * The least that was served in any few seconds of a span, from a second after its beginning on, of what was asked then
 * and could be done.
 */
function least(world: World, loads: readonly Load[], fromMs: number, untilMs: number, perSecond: number): number {
  const seconds = servedBySecond(world, loads);
  let found = Infinity;
  for (let second = Math.ceil(fromMs / 1000) + 1; second + LOOK_S <= Math.floor(untilMs / 1000); second += 1) {
    const served = seconds.slice(second, second + LOOK_S).reduce((sum, count) => sum + count, 0);
    const asked = callsOf(world, loads, second * 1000, (second + LOOK_S) * 1000).length;
    found = Math.min(found, served / Math.min(asked, LOOK_S * perSecond));
  }
  return found;
}
