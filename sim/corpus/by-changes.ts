/** What may come of a change, and what only happens beside one. */
import type { Maker } from "./disturbance.ts";
import { within, fails, anyOf, atA1, isShop, isAlpha, A1, CHANGE_WHO } from "./disturbance.ts";
import { two } from "./places.ts";

const of = within("changes");

export const BY_CHANGES: readonly Maker[] = [
  of("bad version on one pool", "outright", { parties: ["change"], causes: ["change.bad_deploy"] }, (chance) => {
    const ratio = chance.pick([1, 0.4, 0.15]);
    return {
      setup: two(chance.pick([25, 80])),
      fault: {
        attempt: fails(
          "origin.app_5xx",
          20,
          (ask) => isShop(ask) && (ask.at.origin === A1 || ask.at.origin.includes("//a2")),
          ratio,
        ),
        tell: (second) =>
          second === -5
            ? [A1, A1.replace("a1", "a2")]
                .map((origin) => ({
                  what: "deploy announced" as const,
                  where: { service: "shop", origin },
                  text: `version 42 at ${origin}`,
                  ...CHANGE_WHO,
                }))
                .slice(0, 1)
                .map((change) => ({ ...change, where: { service: "shop", pool: "a" } }))
            : [],
      },
    };
  }),
  of(
    "a deploy while its provider fails",
    "outright",
    { parties: ["provider"], causes: ["provider.outage"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: {
        attempt: anyOf(["net.connect_timeout", "origin.refused"], 1_000, isAlpha),
        check: ({ provider }) => provider !== "alpha",
        tell: (second) =>
          second === -10
            ? [
                {
                  what: "deploy announced",
                  where: { service: "shop", pool: "a" },
                  text: "version 43 at pool a",
                  ...CHANGE_WHO,
                },
              ]
            : [],
      },
    }),
  ),
  of("a change after it began", "outright", { parties: ["origin"], causes: ["origin.route_broken"] }, (chance) => ({
    setup: two(chance.pick([25, 80])),
    fault: {
      attempt: fails("origin.app_5xx", 20, (ask) => isShop(ask) && ask.route.name === "feed"),
      tell: (second) =>
        second === 6
          ? [{ what: "configuration applied", where: { service: "shop" }, text: "revision 8 applied", ...CHANGE_WHO }]
          : [],
    },
  })),
  of("wrong configuration", "outright", { parties: ["change"], causes: ["change.config"] }, (chance) => ({
    setup: two(chance.pick([25, 80])),
    fault: {
      attempt: fails(chance.pick(["origin.refused", "origin.app_5xx"] as const), 2, isShop),
      tell: (second) =>
        second === 0
          ? [{ what: "configuration applied", where: { service: "shop" }, text: "revision 9 applied", ...CHANGE_WHO }]
          : [],
      revision: (_, second) => (second >= 0 ? "r9" : "r1"),
    },
  })),
  of(
    "good and bad configurations take turns",
    "outright",
    { parties: ["change"], causes: ["change.alternating"] },
    (chance) => {
      const bad = (second: number): boolean => second >= 0 && Math.floor(second / 10) % 2 === 0;
      return {
        setup: two(chance.pick([25, 80])),
        fault: {
          attempt: fails("origin.app_5xx", 2, (ask) => isShop(ask) && bad(ask.second)),
          revision: (_, second) => (bad(second) ? "r2" : "r1"),
          tell: (second) =>
            second >= 0 && second % 10 === 0 && second < 90
              ? [
                  {
                    what: "configuration applied",
                    where: {},
                    text: `revision ${bad(second) ? "r2" : "r1"} applied`,
                    by: "publisher",
                  },
                ]
              : [],
        },
        lastsS: 90,
      };
    },
  ),
  of(
    "origins replaced without draining",
    "outright",
    { parties: ["change"], causes: ["origin.deploy_close"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: {
        attempt: anyOf(["origin.refused", "origin.reset_before_response", "origin.truncated"], 3, atA1, 0.9),
        tell: (second) =>
          second === -1
            ? [
                {
                  what: "deploy announced",
                  where: { service: "shop", origin: A1 },
                  text: `${A1} is replaced`,
                  ...CHANGE_WHO,
                },
              ]
            : [],
      },
      lastsS: 7,
    }),
  ),
  of("the gateway restarted and cold", "outright", { parties: ["change"], causes: ["change.restart"] }, (chance) => ({
    setup: two(chance.pick([25, 80])),
    fault: {
      away: (second) => second === -2 || second === -1,
      exchange: ({ chance: own }) => (own.next() < 0.25 ? { outcome: "failed", cause: "gw.shed", ms: 10 } : null),
      attempt: () => ({ slow: 3 }),
      tell: (second) =>
        second === -1
          ? [
              {
                what: "gateway started",
                where: { node: "node-1" },
                text: "Goodgate started with configuration r1",
                by: "",
              },
            ]
          : [],
    },
    lastsS: 20,
  })),
  of(
    "a restart beside an origin that crashes",
    "outright",
    { parties: ["origin"], causes: ["origin.down", "origin.refused"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: {
        away: (second) => second === -6,
        attempt: fails("origin.refused", 1, atA1),
        check: ({ origin }) => origin !== A1,
        tell: (second) =>
          second === -5
            ? [
                {
                  what: "gateway started",
                  where: { node: "node-1" },
                  text: "Goodgate started with configuration r1",
                  by: "",
                },
              ]
            : [],
      },
    }),
  ),
  of(
    "a new origin that does not work",
    "outright",
    { parties: ["change"], causes: ["change.origin_set"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: {
        there: ({ origin }, second) => origin !== A1 || second >= 0,
        attempt: fails(chance.pick(["origin.refused", "origin.app_5xx"] as const), 2, atA1),
        tell: (second) =>
          second === 0
            ? [
                {
                  what: "origins changed",
                  where: { service: "shop", pool: "a" },
                  text: `pool a of shop: ${A1} came`,
                  by: "",
                },
              ]
            : [],
      },
    }),
  ),
  of(
    "a configuration that only some workers have",
    "outright",
    { parties: ["change", "configuration"], causes: ["change.config", "gw.drift"] },
    (chance) => ({
      setup: { ...two(chance.pick([25, 80])), workers: 4 },
      fault: {
        attempt: fails("origin.refused", 2, (ask) => isShop(ask) && ask.worker < 2),
        revision: (worker, second) => (second >= 0 && worker < 2 ? "r9" : "r1"),
        tell: (second) =>
          second === 0
            ? [
                {
                  what: "configuration applied",
                  where: { node: "node-1", revision: "r9" },
                  text: "configuration r9 instead of r1",
                  by: "",
                },
              ]
            : [],
      },
    }),
  ),
];
