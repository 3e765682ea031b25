/** What may happen at origins: their processes, their answers, the check of them. */
import type { Maker } from "./disturbance.ts";
import { within, fails, anyOf, atA1, isShop, rate, A1 } from "./disturbance.ts";
import { one, two } from "./places.ts";

/** Of the first of two. */
const ENDS_S = 30;
const A3 = "http://a3.shop-alpha.example:3000";
const of = within("origins");

export const AT_ORIGINS: readonly Maker[] = [
  of("origin crashes", "outright", { parties: ["origin"], causes: ["origin.down", "origin.refused"] }, (chance) => ({
    setup: two(rate(chance)),
    fault: { attempt: fails("origin.refused", 1, atA1), check: ({ origin }) => origin !== A1 },
  })),
  of(
    "origin accepts and never answers",
    "outright",
    { parties: ["origin"], causes: ["origin.down", "origin.paused", "origin.slow", "origin.ttfb_timeout"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: {
        attempt: fails("origin.ttfb_timeout", chance.pick([2_000, 4_000]), atA1),
        check: ({ origin }) => origin !== A1,
      },
    }),
  ),
  of(
    "origin stands still for a few seconds again and again",
    "gray",
    { parties: ["origin"], causes: ["origin.paused"] },
    (chance) => {
      const every = chance.pick([12, 18]);
      return {
        setup: two(chance.pick([40, 80])),
        fault: {
          attempt: (ask) => {
            const phase = ((ask.second % every) + every) % every;
            return atA1(ask) && phase < 5 ? { exactMs: (5 - phase) * 1000 + ask.route.ms } : null;
          },
        },
      };
    },
  ),
  of("gray origin: resets", "gray", { parties: ["origin"], causes: ["origin.gray"] }, (chance) => ({
    setup: two(chance.pick([25, 80])),
    fault: {
      attempt: anyOf(["origin.reset_before_response", "net.mid_reset"], 5, atA1, chance.pick([0.05, 0.2, 0.4])),
    },
  })),
  of("gray origin: errors", "gray", { parties: ["origin"], causes: ["origin.gray"] }, (chance) => ({
    setup: two(chance.pick([25, 80])),
    fault: { attempt: fails("origin.app_5xx", 5, atA1, chance.pick([0.05, 0.2, 0.4])) },
  })),
  of(
    "fast failing origin",
    "outright",
    { parties: ["origin"], causes: ["origin.down", "origin.gray", "origin.app_5xx"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: { attempt: fails("origin.app_5xx", 1, atA1) },
    }),
  ),
  of("one origin slow", "gray", { parties: ["origin"], causes: ["origin.slow"] }, (chance) => {
    const slow = chance.pick([6, 15, 40]);
    return { setup: two(chance.pick([25, 80])), fault: { attempt: (ask) => (atA1(ask) ? { slow } : null) } };
  }),
  of("one route slow", "gray", { parties: ["origin"], causes: ["origin.slow"] }, (chance) => {
    const slow = chance.pick([6, 15, 40]);
    return {
      setup: two(chance.pick([25, 80])),
      fault: { attempt: (ask) => (isShop(ask) && ask.route.name === "cart" ? { slow } : null) },
    };
  }),
  of("one route fails everywhere", "outright", { parties: ["origin"], causes: ["origin.route_broken"] }, (chance) => ({
    setup: two(rate(chance)),
    fault: {
      attempt: fails("origin.app_5xx", 20, (ask) => isShop(ask) && ask.route.name === "feed", chance.pick([1, 0.5])),
    },
  })),
  of("application fails everywhere", "outright", { parties: ["origin"], causes: ["origin.app_5xx"] }, (chance) => ({
    setup: two(rate(chance)),
    fault: { attempt: fails("origin.app_5xx", 20, isShop, chance.pick([1, 0.4])) },
  })),
  of(
    "inner gateway answers for the application",
    "outright",
    { parties: ["origin"], causes: ["origin.nested_gw_5xx", "origin.route_broken"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: { attempt: fails("origin.nested_gw_5xx", 20, isShop, chance.pick([1, 0.5])) },
    }),
  ),
  of(
    "another origin fails as the first one ends",
    "outright",
    { parties: ["origin"], causes: ["origin.gray", "origin.app_5xx", "origin.down"], incidents: 2 },
    () => ({
      setup: two(25),
      lastsS: ENDS_S + 62,
      fault: {
        attempt: (ask) =>
          ask.second < ENDS_S
            ? fails("origin.app_5xx", 20, atA1, 0.5)(ask)
            : ask.second >= ENDS_S + 22
              ? fails("origin.refused", 1, ({ at }) => at.origin === A3)(ask)
              : null,
      },
    }),
  ),
  of("origin comes and goes", "outright", { parties: ["origin"], causes: ["origin.flapping"] }, (chance) => {
    const every = chance.pick([20, 24]);
    const down = (second: number): boolean => second % every < 10;
    return {
      setup: two(chance.pick([25, 80])),
      lastsS: 150,
      fault: {
        attempt: fails("origin.refused", 1, (ask) => atA1(ask) && down(ask.second)),
        check: ({ origin }, second) => origin !== A1 || !down(second),
      },
    };
  }),
  of("keep-alive race", "gray", { parties: ["configuration"], causes: ["origin.keepalive_short"] }, (chance) => {
    const ratio = chance.pick([0.05, 0.15]);
    const everywhere = chance.happens(0.5);
    return {
      setup: two(chance.pick([25, 80])),
      fault: {
        attempt: (ask) =>
          isShop(ask) && (everywhere || atA1(ask)) && ask.chance.next() < ratio
            ? { cause: "origin.keepalive_race", ms: 2, idleMs: ask.chance.integer(4_900, 5_100) }
            : null,
      },
    };
  }),
  of(
    "crash on one request",
    "outright",
    { parties: ["origin"], causes: ["origin.crash_request", "origin.poison"] },
    (chance) => {
      const broken = new Map<string, number>();
      return {
        setup: two(chance.pick([25, 80])),
        fault: {
          attempt: (ask) => {
            const until = broken.get(ask.at.address) ?? -1;
            if (ask.second < until) return { cause: "origin.refused", ms: 1 };
            if (isShop(ask) && ask.route.name === "feed" && ask.chance.next() < 0.15) {
              broken.set(ask.at.address, ask.second + 3);
              return { cause: ask.chance.next() < 0.6 ? "origin.poison" : "origin.reset_before_response", ms: 8 };
            }
            return null;
          },
        },
      };
    },
  ),
  of(
    "truncated answers",
    "gray",
    { parties: ["origin"], causes: ["origin.truncated", "origin.gray", "origin.route_broken"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: { attempt: fails("origin.truncated", 200, isShop, chance.pick([0.1, 0.3])) },
    }),
  ),
  of(
    "malformed heads on one route",
    "outright",
    { parties: ["origin"], causes: ["origin.malformed", "origin.route_broken"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: { attempt: fails("origin.malformed", 20, (ask) => isShop(ask) && ask.route.name === "cart") },
    }),
  ),
  of("check broken", "outright", { parties: ["configuration"], causes: ["check.broken"] }, (chance) => ({
    setup: two(rate(chance)),
    fault: { check: ({ service }) => service !== "shop" },
  })),
  of(
    "one of four origins answers errors only",
    "outright",
    { parties: ["origin"], causes: ["origin.down", "origin.gray", "origin.app_5xx"] },
    (chance) => ({
      setup: { ...two(rate(chance)), workers: 4 },
      fault: { attempt: fails("origin.app_5xx", 15, atA1) },
    }),
  ),
  of(
    "everything refuses",
    "outright",
    { parties: ["origin"], causes: ["origin.refused", "origin.down"] },
    (chance) => ({
      setup: one(rate(chance)),
      fault: { attempt: fails("origin.refused", 1, () => true), check: () => false },
    }),
  ),
  of(
    "answers stop halfway at one origin",
    "gray",
    { parties: ["origin"], causes: ["origin.gray", "origin.paused", "origin.stall_mid_body"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: {
        attempt: (ask) =>
          atA1(ask) && ask.chance.next() < 0.4
            ? { cause: "origin.stall_mid_body", ms: 2_000, receivedBytes: ask.chance.integer(2_000, 400_000) }
            : null,
      },
    }),
  ),
  of(
    "one route is never answered",
    "outright",
    { parties: ["origin"], causes: ["origin.route_broken", "origin.slow"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: {
        attempt: fails(
          "origin.ttfb_timeout",
          2_000,
          (ask) => isShop(ask) && ask.route.name === "cart",
          chance.pick([1, 0.7]),
        ),
      },
    }),
  ),
  of("the application slow everywhere", "gray", { parties: ["origin"], causes: ["origin.slow"] }, (chance) => {
    const slow = chance.pick([6, 15]);
    return { setup: two(chance.pick([25, 80])), fault: { attempt: (ask) => (isShop(ask) ? { slow } : null) } };
  }),
  of(
    "some keys of a route fail on every origin",
    "gray",
    { parties: ["origin"], causes: ["origin.route_broken", "origin.app_5xx"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: {
        attempt: fails(
          "origin.app_5xx",
          15,
          (ask) => isShop(ask) && ask.route.name === "cart",
          chance.pick([0.08, 0.2]),
        ),
      },
    }),
  ),
  of(
    "the socket of one origin is missing",
    "outright",
    { parties: ["origin"], causes: ["origin.socket_missing", "origin.down"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: { attempt: fails("origin.socket_missing", 1, atA1), check: ({ origin }) => origin !== A1 },
    }),
  ),
  of(
    "one origin does not read what it is sent",
    "gray",
    { parties: ["origin"], causes: ["origin.gray", "origin.paused", "origin.write_stall", "origin.slow"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: { attempt: fails("origin.write_stall", 2_000, (ask) => atA1(ask) && ask.route.name !== "cart") },
    }),
  ),
  of(
    "heads too large on one route",
    "outright",
    { parties: ["origin"], causes: ["origin.header_too_big", "origin.route_broken"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: { attempt: fails("origin.header_too_big", 20, (ask) => isShop(ask) && ask.route.name === "cart") },
    }),
  ),
  of(
    "two framings from one origin",
    "outright",
    { parties: ["origin"], causes: ["origin.framing", "origin.gray", "origin.down"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: { attempt: fails("origin.framing", 8, atA1, chance.pick([1, 0.5])) },
    }),
  ),
];
