import { happened } from "../expectations.ts";
import { smallRead } from "../load.ts";
import { atLeast, atMost, callsOf } from "../measures.ts";
import type { AnswerPlan } from "../origin.ts";
import type { Scenario } from "../scenario.ts";

/** Mechanism 20 of failures.md: failure after the first byte (freeze mid-play). */
const BUFFER_MS = 6_000;
const COMPLETE_MIN = 0.99;
const STALL_FOUND_MS = 1_000;
const SEGMENT_BYTES = 60_000;
const PER_S = 20;
const FOR_MS = 30_000;
const BROKEN_SHARE = 0.1;
/** A while in which one origin has a newer version of everything. */
const DEPLOY_FROM_MS = 15_000;
const DEPLOY_FOR_MS = 10_000;

export const brokenSegments: Scenario = {
  name: "broken-segments",
  what: "Three origins stall, close or reset in the middle of what players need within 6 s: it goes on from another one, and never with bytes of another version.",
  isMarked: true,
  pools: { a: ["a1", "a2", "a3"] },
  play(world) {
    world.straightenLines();
    let version = 0;
    let broken = 0;
    let isBreaking = true;
    for (const origin of world.origins) {
      origin.script = (_, chance) => {
        const plan: Partial<AnswerPlan> = {
          delayMs: chance.between(5, 15),
          pieceBytes: 8_000,
          gapMs: 2,
          version: origin.place.name === "a2" ? version : 0,
        };
        if (!isBreaking || !chance.happens(BROKEN_SHARE)) return plan;
        broken += 1;
        return {
          ...plan,
          breakAfter: Math.floor(chance.between(1, SEGMENT_BYTES)),
          breakHow: chance.pick(["rst", "fin", "stall"] as const),
        };
      };
    }
    world.at(DEPLOY_FROM_MS, () => {
      version = 1;
    });
    world.at(DEPLOY_FROM_MS + DEPLOY_FOR_MS, () => {
      version = 0;
    });
    world.at(FOR_MS, () => {
      isBreaking = false;
    });
    const load = world.addLoad({
      name: "players",
      perSecond: PER_S,
      untilMs: FOR_MS,
      patienceMs: BUFFER_MS,
      repeats: 1,
      backoffMs: 100,
      plan: (chance) => ({ ...smallRead(chance), resource: chance.integer(1, 40), answerBytes: SEGMENT_BYTES }),
    });
    return {
      *marks() {
        const calls = callsOf(world, [load]);
        const intime = calls.filter(({ state, at, endedAt }) => state === "served" && endedAt - at <= BUFFER_MS);
        yield* atLeast("mechanism 20: share of segments complete in time", intime.length / calls.length, COMPLETE_MIN);
        const first = calls.filter(({ tries }) => tries === 1).length / calls.length;
        yield* atLeast("mechanism 20: share complete at the first try", first, COMPLETE_MIN);
        const slow = calls.filter(({ at, endedAt }) => endedAt - at > 2 * STALL_FOUND_MS).length / calls.length;
        yield* atMost("mechanism 20: share that a stall held up for long", slow, 1 - COMPLETE_MIN);
        const spliced = world.ledger.sightings.filter(({ checker }) => checker === "own response").length;
        yield* atMost("mechanism 20: bodies spliced wrongly", spliced, 0);
      },
      *also() {
        yield* happened("a segment broke", broken, 30);
        const resumed = world.records.filter(({ decisions }) =>
          decisions.some(({ code }) => code === "resume.continued"),
        );
        yield* happened("a body went on from elsewhere", resumed.length, 20);
      },
    };
  },
};
