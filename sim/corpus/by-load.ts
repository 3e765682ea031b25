/** What load and clients may do. */
import type { Maker } from "./disturbance.ts";
import { within, isShop } from "./disturbance.ts";
import { one, shop, two } from "./places.ts";

const of = within("load");

export const BY_LOAD: readonly Maker[] = [
  of(
    "surge of new work",
    "outright",
    { parties: ["overload"], causes: ["client.surge", "origin.overload"] },
    (chance) => {
      const factor = chance.pick([2.5, 4]);
      return {
        setup: two(chance.pick([25, 80])),
        fault: {
          load: ({ name }, second) => (name === "shop" && second >= -4 && second < 70 ? factor : 1),
          exchange: ({ service, second, chance: own }) =>
            service.name === "shop" && second >= 0 && own.next() < 1 - 1.4 / factor
              ? { outcome: "failed", cause: own.next() < 0.7 ? "gw.shed" : "gw.pool_wait", ms: 20 }
              : null,
          attempt: (ask) => (isShop(ask) ? { slow: 3 } : null),
        },
        lastsS: 70,
      };
    },
  ),
  of("repeats are the load", "outright", { parties: ["overload"], causes: ["sys.retry_storm"] }, (chance) => ({
    setup: two(chance.pick([25, 80])),
    fault: {
      load: ({ name }, second) => (name === "shop" && second >= 4 && second < 75 ? 2.5 : 1),
      exchange: ({ service, second, chance: own }) =>
        service.name === "shop" && second >= 4 && own.next() < 0.5
          ? { outcome: "failed", cause: "gw.shed", ms: 20 }
          : null,
      attempt: (ask) =>
        isShop(ask)
          ? ask.chance.next() < 0.5
            ? { cause: ask.chance.next() < 0.7 ? "origin.overload_reply" : "origin.ttfb_timeout", ms: 900 }
            : { slow: 8 }
          : null,
    },
    lastsS: 75,
  })),
  of("overload outlives its trigger", "outright", { parties: ["overload"], causes: ["sys.metastable"] }, (chance) => ({
    setup: two(chance.pick([25, 80])),
    fault: {
      load: ({ name }, second) => (name === "shop" && second >= -4 && second < 15 ? 3 : 1),
      exchange: ({ service, chance: own }) =>
        service.name === "shop" && own.next() < 0.5
          ? { outcome: "failed", cause: own.next() < 0.5 ? "gw.deadline" : "gw.shed", ms: 300 }
          : null,
      attempt: (ask) =>
        isShop(ask) ? (ask.chance.next() < 0.1 ? { cause: "origin.ttfb_timeout", ms: 2_000 } : { slow: 10 }) : null,
    },
    lastsS: 100,
  })),
  of(
    "origins too small for the usual load",
    "outright",
    { parties: ["overload"], causes: ["origin.overload"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: {
        exchange: ({ service, chance: own }) =>
          service.name === "shop" && own.next() < 0.3
            ? { outcome: "failed", cause: own.next() < 0.7 ? "gw.shed" : "gw.pool_wait", ms: 30 }
            : null,
        attempt: (ask) => (isShop(ask) ? { slow: 6 } : null),
      },
    }),
  ),
  of("cache lost", "outright", { parties: ["overload"], causes: ["sys.stampede"] }, (chance) => ({
    setup: { services: [shop(chance.pick([60, 120]))], workers: 1, networks: 60 },
    fault: {
      cached: (second) => (second < 0 ? 0.8 : 0),
      attempt: (ask) => (ask.chance.next() < 0.35 ? { cause: "origin.overload_reply", ms: 10 } : { slow: 5 }),
    },
  })),
  of(
    "clients leave, answers as fast as ever",
    "outright",
    { parties: ["client"], causes: ["client.abort_wave", "client.abort_wait"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: {
        exchange: ({ service, chance: own }) =>
          service.name === "shop" && own.next() < 0.4
            ? { outcome: "aborted", cause: "client.abort_wait", ms: 1_000 }
            : null,
      },
    }),
  ),
  of("clients leave because it is slow", "gray", { parties: ["origin"], causes: ["origin.slow"] }, (chance) => ({
    setup: two(chance.pick([25, 80])),
    fault: {
      exchange: ({ service, second, chance: own }) =>
        service.name === "shop" && second > 3 && own.next() < 0.35
          ? { outcome: "aborted", cause: "client.abort_wait", ms: 1_000 }
          : null,
      attempt: (ask) => (isShop(ask) ? { slow: 20 } : null),
    },
  })),
  of("traffic vanished", "gray", { parties: ["network"], causes: ["front.silence"] }, (chance) => ({
    setup: two(chance.pick([8, 25, 80])),
    fault: { load: ({ name }, second) => (name === "shop" && second >= 0 && second < 120 ? 0 : 1) },
    lastsS: 120,
    warmUpS: 1_000,
  })),
  of(
    "waves of new work",
    "outright",
    { parties: ["overload"], causes: ["client.surge", "origin.overload"] },
    (chance) => {
      const inWave = (second: number): boolean => second >= 0 && second < 75 && second % 15 < 6;
      return {
        setup: two(chance.pick([25, 80])),
        fault: {
          load: ({ name }, second) => (name === "shop" && inWave(second) ? 4 : 1),
          network: ({ second, chance: own, extra }) =>
            extra && inWave(second) ? `203.0.${own.integer(0, 40)}.0/24` : null,
          exchange: ({ service, second, chance: own }) =>
            service.name === "shop" && inWave(second) && own.next() < 0.6
              ? { outcome: "failed", cause: own.next() < 0.7 ? "gw.shed" : "gw.pool_wait", ms: 20 }
              : null,
          attempt: (ask) => (isShop(ask) && inWave(ask.second) ? { slow: 3 } : null),
        },
        lastsS: 75,
      };
    },
  ),
  of("everybody comes back at once", "outright", { parties: ["overload"], causes: ["sys.herd"] }, (chance) => {
    const factor = chance.pick([2.5, 4]);
    const awayS = chance.pick([20, 40]);
    return {
      setup: { services: [shop(chance.pick([25, 80]))], workers: 1, networks: 60 },
      fault: {
        load: (_, second) => (second >= -awayS && second < 0 ? 0 : second >= 0 && second < 40 ? factor : 1),
        exchange: ({ chance: own }) =>
          own.next() < 1 - 1.4 / factor
            ? { outcome: "failed", cause: own.next() < 0.7 ? "gw.shed" : "gw.pool_wait", ms: 20 }
            : null,
        attempt: () => ({ slow: 3 }),
      },
      lastsS: 40,
    };
  }),
  of(
    "an outage, and everybody comes back at once",
    "outright",
    { parties: ["origin", "overload"], causes: ["origin.refused", "origin.down", "sys.herd"] },
    (chance) => ({
      setup: one(chance.pick([25, 80])),
      fault: {
        load: (_, second) => (second >= 20 && second < 40 ? 3 : 1),
        exchange: ({ second, chance: own }) =>
          second >= 20 && own.next() < 0.5 ? { outcome: "failed", cause: "gw.shed", ms: 20 } : null,
        attempt: (ask) => (ask.second < 20 ? { cause: "origin.refused", ms: 1 } : { slow: 3 }),
      },
      lastsS: 40,
    }),
  ),
];
