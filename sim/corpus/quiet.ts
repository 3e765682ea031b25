/**
 * Weeks in which nothing is wrong: nights and days, swings of load, deploys that are done well, clients that leave, bots that ask for
 * what is not there, floods that are refused, a stray failure here and there, drills. Every incident of such a week is a false one.
 */
import type { Incident } from "../../src/contract/incident.ts";
import { createEngine } from "../../src/control/engine.ts";
import type { Fault, ModelSetup } from "./model.ts";
import { EPOCH_MS, Model } from "./model.ts";
import { SeededChance } from "../chance.ts";
import { mail, shop } from "./places.ts";

const DAY_S = 86_400;

export interface QuietKind {
  readonly name: string;
  readonly make: (chance: SeededChance) => Fault;
  /** Seconds in which the engine learns what is usual: what it tells of them is not counted. */
  readonly historyS?: number;
}

/** Day and night, and less at the weekend. */
function daily(second: number): number {
  const hour = (second / 3600) % 24;
  const day = Math.floor(second / DAY_S) % 7;
  return (0.35 + 0.65 * (1 - Math.cos((hour / 24) * 2 * Math.PI)) * 0.8) * (day >= 5 ? 0.7 : 1);
}

/** Of these nights the hour from two o'clock on is told, and everything of the one after them. */
const NIGHTS = 3;
const HISTORY_S = NIGHTS * DAY_S + 110 * 60;

export const QUIET_KINDS: readonly QuietKind[] = [
  { name: "days and nights", make: () => ({ load: (_, second) => daily(second) }) },
  {
    name: "swings of load",
    make: () => ({
      // Twice the load for ten minutes in every hour, a little slower, and nothing at all of it fails.
      load: (_, second) => daily(second) * (second % 3600 < 600 ? 2.2 : 1),
      attempt: ({ second }) => (second % 3600 < 600 ? { slow: 1.25 } : null),
    }),
  },
  {
    name: "deploys done well",
    make: () => ({
      load: (_, second) => daily(second),
      // One origin after the other is drained and restarted: its check fails for a while, and nobody is sent there.
      check: ({ pool, origin }, second) => {
        const into = second % 7200;
        const index = Number(/\/\/[a-z]+(\d)/.exec(origin)?.[1] ?? 0);
        return !(pool === "a" && into >= index * 60 && into < index * 60 + 26);
      },
      tell: (second) =>
        second % 7200 === 50
          ? [
              {
                what: "deploy announced",
                where: { service: "shop", pool: "a" },
                text: `version ${Math.floor(second / 7200)}`,
                by: "ci",
              },
            ]
          : [],
    }),
  },
  {
    name: "restarts done well",
    make: () => ({
      load: (_, second) => daily(second),
      // A second without anybody, and a little slower until connections are kept again.
      away: (second) => second % 5400 === 30,
      attempt: ({ second }) => (second % 5400 > 30 && second % 5400 < 36 ? { slow: 1.5 } : null),
      tell: (second) =>
        second % 5400 === 30
          ? [
              {
                what: "gateway started",
                where: { node: "node-1" },
                text: "Goodgate started with configuration r1",
                by: "",
              },
            ]
          : [],
    }),
  },
  {
    name: "clients that leave",
    make: () => ({
      load: (_, second) => daily(second),
      exchange: ({ second, chance }) =>
        chance.next() < 0.01 + 0.02 * Math.abs(Math.sin(second / 5000))
          ? { outcome: "aborted", cause: "client.abort_wait", ms: 400 }
          : null,
    }),
  },
  {
    name: "bots and floods",
    make: () => ({
      load: ({ name }, second) => daily(second) * (name === "shop" && second % 5400 < 300 ? 1.6 : 1),
      network: ({ second, chance, extra }) =>
        extra && second % 5400 < 300 ? `203.0.${chance.integer(0, 20)}.0/24` : null,
      exchange: ({ second, network, chance }) => {
        if (!network.startsWith("203.") || second % 5400 >= 300) return null;
        return chance.next() < 0.5
          ? { outcome: "refused", cause: "client.flood", ms: 0 }
          : { outcome: "refused", cause: chance.next() < 0.5 ? "gw.no_route" : "client.bad_request", ms: 0 };
      },
    }),
  },
  {
    name: "stray failures",
    make: () => ({
      load: (_, second) => daily(second),
      // A connection that was closed just then, an answer that took two seconds, one that was an error.
      attempt: ({ chance }) => {
        const roll = chance.next();
        if (roll < 0.0003) return { cause: "origin.keepalive_race", ms: 2, idleMs: 5_000 };
        if (roll < 0.0006) return { cause: "origin.app_5xx", ms: 20 };
        return roll < 0.002 ? { slow: 30 } : null;
      },
    }),
  },
  {
    name: "a batch every night",
    historyS: HISTORY_S,
    make: () => ({
      load: (_, second) => daily(second) * (isBatch(second) ? 1.5 : 1),
      away: (second) => {
        const into = second % DAY_S;
        return second < HISTORY_S && (into < 118 * 60 || into >= 165 * 60);
      },
      // It takes what the others would need; what fails for it is made good by another origin.
      attempt: ({ second, route, chance }) =>
        isBatch(second)
          ? route.method === "GET" && chance.next() < 0.02
            ? { cause: "origin.app_5xx", ms: 20 }
            : { slow: 6 }
          : null,
    }),
  },
  {
    name: "drills",
    make: () => ({
      load: (_, second) => daily(second),
      attempt: ({ at, second }) =>
        at.origin.includes("//b1.") && second % 10_800 < 300 && second % 10_800 >= 2
          ? { cause: "origin.refused", ms: 1 }
          : null,
      tell: (second) =>
        second % 10_800 === 0
          ? [
              {
                what: "drill",
                where: { service: "shop", origin: "http://b1.shop-beta.example:3000" },
                text: "b1 refuses connections",
                by: "drills",
              },
            ]
          : [],
    }),
  },
];

/** From two in the morning on, forty minutes, and a few of them sooner or later each time. */
function isBatch(second: number): boolean {
  const into = (second % DAY_S) - 120 * 60 - ((Math.floor(second / DAY_S) * 7) % 5) * 60;
  return into >= 0 && into < 40 * 60;
}

export function quietIncidents(kind: QuietKind, seed: number, seconds: number, perSecond = 6): Incident[] {
  const setup: ModelSetup = { services: [shop(perSecond), mail(perSecond / 4)], workers: 1, networks: 60 };
  const model = new Model(setup, kind.make(new SeededChance(seed, "quiet")), {
    seed,
    faultFrom: 0,
    faultUntil: Infinity,
    startMs: EPOCH_MS,
  });
  const engine = createEngine({ keepsFigures: false });
  engine.step(model.topology());
  const history = kind.historyS ?? 0;
  for (let second = 0; second < history + seconds; second += 1) {
    for (const fact of model.next()) engine.step(fact);
    engine.tick(EPOCH_MS + (second + 1) * 1000);
  }
  return engine
    .answer({ ask: "incidents", limit: 500 })
    .filter(({ state, firstFailureAt }) => state !== "merged" && firstFailureAt >= EPOCH_MS + history * 1000);
}
