import { Capacity } from "../capacity.ts";
import { happened } from "../expectations.ts";
import { smallRead, smallWrite } from "../load.ts";
import type { Load } from "../load.ts";
import { arrivals, atLeast, atMost, callsOf, failedShare } from "../measures.ts";
import type { RequestPlan } from "../ledger.ts";
import type { AnswerPlan } from "../origin.ts";
import type { Scenario } from "../scenario.ts";
import type { SeededChance } from "../chance.ts";

/**
 * Mechanism 20 of failures.md, the rest of it: players of a live stream ask for its manifest every second, for a segment
 * every two, and report what they see. One origin is slow at the peak, and for a while none has a manifest.
 */
const PLAYERS = 60;
const SEGMENT_S = 2;
const SEGMENT_BYTES = 40_000;
const BUFFER_MS = 6_000;
const MANIFEST_TTL_S = 1;
/** What origins can do at the peak: the segments, and a part of the reports. */
const EACH_PER_S = 16;
const SLOW_PER_S = 4;
const SLOW_FROM_MS = 10_000;
const SLOW_FOR_MS = 15_000;
const DARK_FROM_MS = 14_000;
const DARK_FOR_MS = 6_000;
const FOR_MS = 32_000;
const BROKEN_SHARE = 0.05;
const SEGMENTS_MIN = 0.99;
const MANIFESTS_FAILED_MAX = 0;

export const liveStream: Scenario = {
  name: "live-stream",
  what: "Players need a manifest and segments while one origin is slow and none has a manifest for a while: the last manifest is served stale, segments come before reports, and nobody's film freezes.",
  isMarked: true,
  pools: { a: ["a1", "a2", "a3"] },
  service: {
    routes: [
      { match: { path: "/manifest/*" }, class: "critical", cache: { staleIfError: "30s", staleWhileRevalidate: "5s" } },
      { match: { path: "/segment/*" }, class: "critical" },
      { match: { path: "/report/*" }, class: "background" },
    ],
  },
  play(world) {
    world.straightenLines();
    let isDark = false;
    let refusedManifests = 0;
    let broken = 0;
    const segment = (chance: SeededChance): Partial<AnswerPlan> => {
      const plan = { delayMs: chance.between(5, 15), pieceBytes: 8_000, gapMs: 2, version: 0 };
      if (!chance.happens(BROKEN_SHARE)) return plan;
      broken += 1;
      const breakHow = chance.pick(["rst", "fin", "stall"] as const);
      return { ...plan, breakAfter: Math.floor(chance.between(1, SEGMENT_BYTES)), breakHow };
    };
    const manifest = (): Partial<AnswerPlan> => {
      if (!isDark) return { delayMs: 5, lines: `Cache-Control: max-age=${MANIFEST_TTL_S}\r\n`, version: 0 };
      refusedManifests += 1;
      return { delayMs: 5, status: 503 };
    };
    for (const origin of world.origins) {
      origin.capacity = new Capacity(world.clock, EACH_PER_S);
      origin.script = ({ path }, chance) => {
        if (path === "/manifest") return manifest();
        return path === "/segment" ? segment(chance) : { delayMs: 5 };
      };
    }
    const slow = world.origin("a1").capacity;
    world.at(SLOW_FROM_MS, () => slow?.setPace(SLOW_PER_S));
    world.at(SLOW_FROM_MS + SLOW_FOR_MS, () => slow?.setPace(EACH_PER_S));
    world.at(DARK_FROM_MS, () => {
      isDark = true;
    });
    world.at(DARK_FROM_MS + DARK_FOR_MS, () => {
      isDark = false;
    });
    const add = (name: string, perSecond: number, repeats: number, plan: (chance: SeededChance) => RequestPlan): Load =>
      world.addLoad({ name, perSecond, untilMs: FOR_MS, patienceMs: BUFFER_MS, repeats, backoffMs: 300, plan });
    const manifests = add("manifests", PLAYERS, 0, (chance) => ({
      ...smallRead(chance),
      path: "/manifest",
      resource: 1,
      answerBytes: 700,
    }));
    const segments = add("segments", PLAYERS / SEGMENT_S, 2, (chance) => ({
      ...smallRead(chance),
      path: "/segment",
      resource: chance.integer(2, 40),
      answerBytes: SEGMENT_BYTES,
    }));
    const reports = add("reports", PLAYERS / SEGMENT_S, 0, (chance) => ({ ...smallWrite(chance), path: "/report" }));
    return {
      *marks() {
        const calls = callsOf(world, [segments]);
        const intime = calls.filter(({ state, at, endedAt }) => state === "served" && endedAt - at <= BUFFER_MS);
        yield* atLeast("mechanism 20: share of segments complete in time", intime.length / calls.length, SEGMENTS_MIN);
        yield* atMost(
          "mechanism 20: manifests that failed",
          failedShare(callsOf(world, [manifests])),
          MANIFESTS_FAILED_MAX,
        );
        const spliced = world.ledger.sightings.filter(({ checker }) => checker === "own response").length;
        yield* atMost("mechanism 20: bodies spliced wrongly", spliced, 0);
      },
      *also() {
        yield* happened("a segment broke", broken, 10);
        yield* happened("an origin had no manifest", refusedManifests, 2);
        const during = callsOf(world, [reports], SLOW_FROM_MS, SLOW_FROM_MS + SLOW_FOR_MS);
        yield* happened("a report gave way", during.filter(({ state }) => state === "failed").length, 10);
        yield* happened("the slow origin was asked", arrivals(world, "a1", 0, SLOW_FROM_MS), 50);
      },
    };
  },
};
