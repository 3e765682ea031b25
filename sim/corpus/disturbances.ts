/**
 * The labelled disturbances: the mechanisms of failures and both members of each pair that is mistaken for each other. A label says what
 * is true, not what the engine says: which party, which causes are right answers, or that nobody could know from here.
 */
import type { Party, CauseId } from "../../src/kernel/causes.ts";
import type { AnyCause } from "../../src/control/claim.ts";
import type { AttemptAsk, AttemptEffect, Fault, ModelSetup } from "./model.ts";
import { dual, one, shop, two } from "./places.ts";
import type { SeededChance } from "../chance.ts";

export interface Truth {
  /** Any of these is right. Empty: nobody could know. */
  readonly parties: readonly Party[];
  /** Empty: cannot be decided from what a gateway sees. */
  readonly causes: readonly AnyCause[];
}

export interface Disturbance {
  readonly name: string;
  readonly mechanism: string;
  readonly size: "outright" | "gray";
  readonly setup: ModelSetup;
  readonly fault: Fault;
  readonly truth: Truth;
  readonly lastsS: number;
  readonly warmUpS?: number;
}

export type Maker = (chance: SeededChance) => Disturbance;

const A1 = "http://a1.shop-alpha.example:3000";
const WARM_UP_S = 200;

function fails(
  cause: CauseId,
  ms: number,
  when: (ask: AttemptAsk) => boolean,
  ratio = 1,
): (ask: AttemptAsk) => AttemptEffect | null {
  return (ask) => (when(ask) && (ratio >= 1 || ask.chance.next() < ratio) ? { cause, ms } : null);
}

function anyOf(
  causes: readonly CauseId[],
  ms: number,
  when: (ask: AttemptAsk) => boolean,
  ratio = 1,
): (ask: AttemptAsk) => AttemptEffect | null {
  return (ask) =>
    when(ask) && (ratio >= 1 || ask.chance.next() < ratio) ? { cause: ask.chance.pick(causes), ms } : null;
}

const atA1 = ({ at }: AttemptAsk): boolean => at.origin === A1;
const isShop = ({ service }: AttemptAsk): boolean => service.name === "shop";
const isAlpha = ({ at }: AttemptAsk): boolean => at.provider === "alpha";

function rate(chance: SeededChance): number {
  return chance.pick([8, 25, 80]);
}

function of(
  name: string,
  mechanism: string,
  size: Disturbance["size"],
  truth: Truth,
  make: (chance: SeededChance) => { setup: ModelSetup; fault: Fault; lastsS?: number; warmUpS?: number },
): Maker {
  return (chance) => {
    const { setup, fault, lastsS = chance.integer(60, 90), warmUpS = WARM_UP_S } = make(chance);
    return { name, mechanism, size, truth, setup, fault, lastsS, warmUpS };
  };
}

const CHANGE_WHO = { by: "ci" };

export const DISTURBANCES: readonly Maker[] = [
  of(
    "origin crashes",
    "crash",
    "outright",
    { parties: ["origin"], causes: ["origin.down", "origin.refused"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: { attempt: fails("origin.refused", 1, atA1), check: ({ origin }) => origin !== A1 },
    }),
  ),
  of(
    "origin accepts and never answers",
    "hang",
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
    "pause",
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
  of("gray origin: resets", "12a", "gray", { parties: ["origin"], causes: ["origin.gray"] }, (chance) => ({
    setup: two(chance.pick([25, 80])),
    fault: {
      attempt: anyOf(["origin.reset_before_response", "net.mid_reset"], 5, atA1, chance.pick([0.05, 0.2, 0.4])),
    },
  })),
  of("gray origin: errors", "12a", "gray", { parties: ["origin"], causes: ["origin.gray"] }, (chance) => ({
    setup: two(chance.pick([25, 80])),
    fault: { attempt: fails("origin.app_5xx", 5, atA1, chance.pick([0.05, 0.2, 0.4])) },
  })),
  of(
    "fast failing origin",
    "12b",
    "outright",
    { parties: ["origin"], causes: ["origin.down", "origin.gray", "origin.app_5xx"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: { attempt: fails("origin.app_5xx", 1, atA1) },
    }),
  ),
  of("one origin slow", "slow", "gray", { parties: ["origin"], causes: ["origin.slow"] }, (chance) => {
    const slow = chance.pick([6, 15, 40]);
    return { setup: two(chance.pick([25, 80])), fault: { attempt: (ask) => (atA1(ask) ? { slow } : null) } };
  }),
  of("one route slow", "slow", "gray", { parties: ["origin"], causes: ["origin.slow"] }, (chance) => {
    const slow = chance.pick([6, 15, 40]);
    return {
      setup: two(chance.pick([25, 80])),
      fault: { attempt: (ask) => (isShop(ask) && ask.route.name === "cart" ? { slow } : null) },
    };
  }),
  of(
    "one route fails everywhere",
    "12c",
    "outright",
    { parties: ["origin"], causes: ["origin.route_broken"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: {
        attempt: fails("origin.app_5xx", 20, (ask) => isShop(ask) && ask.route.name === "feed", chance.pick([1, 0.5])),
      },
    }),
  ),
  of(
    "application fails everywhere",
    "app",
    "outright",
    { parties: ["origin"], causes: ["origin.app_5xx"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: { attempt: fails("origin.app_5xx", 20, isShop, chance.pick([1, 0.4])) },
    }),
  ),
  of(
    "inner gateway answers for the application",
    "nested",
    "outright",
    { parties: ["origin"], causes: ["origin.nested_gw_5xx", "origin.route_broken"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: { attempt: fails("origin.nested_gw_5xx", 20, isShop, chance.pick([1, 0.5])) },
    }),
  ),
  of("origin comes and goes", "16", "outright", { parties: ["origin"], causes: ["origin.flapping"] }, (chance) => {
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
  of("machine gone or filtered", "A: silence", "outright", { parties: [], causes: [] }, (chance) => ({
    setup: two(rate(chance)),
    fault: { attempt: fails("net.connect_timeout", 2_000, atA1), check: ({ origin }) => origin !== A1 },
  })),
  of(
    "machine off, its network says so",
    "host dead",
    "outright",
    { parties: ["origin"], causes: ["origin.host_dead", "net.unroutable"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: { attempt: fails("net.unroutable", 3_000, atA1), check: ({ origin }) => origin !== A1 },
    }),
  ),
  of(
    "queue for connections full",
    "A: backlog",
    "gray",
    { parties: ["overload"], causes: ["origin.backlog_full"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: { attempt: fails("net.connect_timeout", 2_000, atA1, chance.pick([0.3, 0.5])) },
    }),
  ),
  of(
    "provider out: silence",
    "provider",
    "outright",
    { parties: ["provider"], causes: ["provider.outage"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: {
        attempt: anyOf(["origin.refused", "origin.ttfb_timeout", "net.connect_timeout"], 1_500, isAlpha),
        check: ({ provider }) => provider !== "alpha",
      },
    }),
  ),
  of(
    "provider out: refused",
    "provider",
    "outright",
    { parties: ["provider"], causes: ["provider.outage"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: { attempt: fails("origin.refused", 2, isAlpha), check: ({ provider }) => provider !== "alpha" },
    }),
  ),
  of(
    "provider fails in part",
    "provider",
    "gray",
    { parties: ["provider"], causes: ["provider.outage"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: { attempt: fails("origin.nested_gw_5xx", 30, isAlpha, chance.pick([0.2, 0.5])) },
    }),
  ),
  of("the only provider cannot be connected to", "A10", "outright", { parties: [], causes: [] }, (chance) => ({
    setup: one(rate(chance)),
    fault: { attempt: fails("net.connect_timeout", 2_000, () => true), check: () => false },
  })),
  of(
    "this machine drops new connections",
    "conntrack",
    "outright",
    { parties: ["gateway"], causes: ["net.local_drop"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: {
        attempt: fails("net.connect_timeout", 2_000, () => true, chance.pick([0.5, 0.8])),
        check: (_, second) => second % 3 === 0,
      },
    }),
  ),
  of(
    "one address family broken",
    "family",
    "outright",
    { parties: ["network"], causes: ["net.address_family"] },
    (chance) => ({
      setup: { services: [dual(rate(chance))], workers: 1, networks: 60 },
      fault: { attempt: fails("net.connect_timeout", 1_000, ({ at }) => at.family === "IPv6") },
    }),
  ),
  of(
    "idle connections forgotten",
    "idle",
    "gray",
    { parties: ["network"], causes: ["net.idle_dropped"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: {
        attempt: (ask) =>
          isShop(ask) && ask.chance.next() < 0.06
            ? { cause: "net.half_open", ms: 3_000, idleMs: ask.chance.integer(350_000, 500_000) }
            : null,
      },
    }),
  ),
  of(
    "keep-alive race",
    "19/A1",
    "gray",
    { parties: ["configuration"], causes: ["origin.keepalive_short"] },
    (chance) => {
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
    },
  ),
  of(
    "crash on one request",
    "23",
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
  of("resets everywhere: device or crash", "A: WAF", "outright", { parties: [], causes: [] }, (chance) => ({
    setup: { services: [shop(chance.pick([25, 80]))], workers: 1, networks: 60 },
    fault: { attempt: fails("origin.reset_before_response", 4, () => true, chance.pick([0.1, 0.3])) },
  })),
  of(
    "truncated answers",
    "20",
    "gray",
    { parties: ["origin"], causes: ["origin.truncated", "origin.gray", "origin.route_broken"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: { attempt: fails("origin.truncated", 200, isShop, chance.pick([0.1, 0.3])) },
    }),
  ),
  of(
    "malformed heads on one route",
    "malformed",
    "outright",
    { parties: ["origin"], causes: ["origin.malformed", "origin.route_broken"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: { attempt: fails("origin.malformed", 20, (ask) => isShop(ask) && ask.route.name === "cart") },
    }),
  ),
  of("check broken", "11/A3", "outright", { parties: ["configuration"], causes: ["check.broken"] }, (chance) => ({
    setup: two(rate(chance)),
    fault: { check: ({ service }) => service !== "shop" },
  })),
  of("resolver down", "5/A2", "outright", { parties: ["dns"], causes: ["dns.resolver_down"] }, (chance) => {
    const silent = chance.happens(0.5);
    return {
      setup: two(rate(chance)),
      fault: {
        attempt: fails(silent ? "dns.timeout" : "dns.servfail", silent ? 1_500 : 5, () => true, chance.pick([1, 0.6])),
      },
    };
  }),
  of(
    "resolver down, last good addresses used",
    "5",
    "outright",
    { parties: ["dns"], causes: ["dns.resolver_down", "dns.zone_broken", "dns.query_cap"] },
    (chance) => {
      const setup = two(rate(chance));
      const origins = setup.services.flatMap(({ addresses }) => addresses);
      return {
        setup,
        fault: {
          tell: (second) =>
            second === 0
              ? origins.map(({ service, origin }) => ({
                  kind: "resolution" as const,
                  at: 0,
                  service,
                  origin,
                  because: "the resolver did not answer (SERVFAIL)",
                }))
              : second === 70
                ? origins.map(({ service, origin }) => ({
                    kind: "resolution" as const,
                    at: 0,
                    service,
                    origin,
                    because: "",
                  }))
                : [],
        },
        lastsS: 71,
      };
    },
  ),
  of("one zone broken", "zone", "outright", { parties: ["dns"], causes: ["dns.zone_broken"] }, (chance) => ({
    setup: two(rate(chance)),
    fault: {
      attempt: fails(chance.pick(["dns.nxdomain", "dns.servfail"] as const), 5, (ask) =>
        ask.at.origin.includes("shop-alpha.example"),
      ),
    },
  })),
  of("one name fails: zone or resolver", "A2", "outright", { parties: ["dns"], causes: [] }, (chance) => ({
    setup: one(rate(chance)),
    fault: { attempt: fails("dns.servfail", 5, () => true) },
  })),
  of(
    "name moved to a wrong address",
    "6",
    "outright",
    { parties: ["dns"], causes: ["dns.drift", "dns.stale_ip"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: {
        attempt: fails("dns.stale_ip", 1, atA1),
        check: ({ origin }) => origin !== A1,
        tell: (second) =>
          second === -2
            ? [
                {
                  what: "dns answer changed",
                  where: { service: "shop", origin: A1 },
                  text: `the addresses of ${A1} changed`,
                  by: "",
                },
              ]
            : [],
      },
    }),
  ),
  of(
    "gateway stands still",
    "A6",
    "outright",
    { parties: ["gateway"], causes: ["gw.starved", "gw.loop_stall"] },
    (chance) => {
      const stalls = (second: number): boolean => second % 3 !== 2;
      const ms = chance.pick([600, 1_500]);
      return {
        setup: two(rate(chance)),
        fault: {
          attempt: (ask) =>
            stalls(ask.second)
              ? ask.chance.next() < 0.15
                ? { cause: "gw.loop_stall", ms }
                : { slow: 1 + ms / ask.route.ms }
              : null,
          own: (_, second) => (stalls(second) ? { loopDelayMaxMs: ms, loopUtilisation: 1 } : {}),
        },
      };
    },
  ),
  of("gateway slow, nothing fails", "A6", "gray", { parties: ["gateway"], causes: ["gw.starved"] }, (chance) => {
    const ms = chance.pick([350, 800]);
    return {
      setup: two(rate(chance)),
      fault: {
        attempt: (ask) => ({ slow: 1 + (ms * ask.chance.next()) / ask.route.ms }),
        own: () => ({ loopDelayMaxMs: ms, loopUtilisation: 1 }),
      },
    };
  }),
  of(
    "descriptors used up",
    "18",
    "outright",
    { parties: ["gateway"], causes: ["gw.resource_wall", "gw.fd_exhausted"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: {
        attempt: anyOf(["gw.fd_exhausted", "gw.fd_exhausted", "dns.nxdomain"], 1, () => true, 0.5),
        own: () => ({ descriptorsOpen: 9_990 }),
      },
    }),
  ),
  of(
    "no local ports",
    "ports",
    "outright",
    { parties: ["gateway"], causes: ["gw.resource_wall", "gw.ports_exhausted"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: { attempt: fails("gw.ports_exhausted", 1, isAlpha, 0.6), own: () => ({ portsUsed: 27_990 }) },
    }),
  ),
  of(
    "one worker unlike the others",
    "22/A7",
    "outright",
    { parties: ["configuration"], causes: ["gw.drift"] },
    (chance) => ({
      setup: { ...two(chance.pick([25, 80])), workers: 4 },
      fault: {
        attempt: fails(
          chance.pick(["origin.app_5xx", "origin.refused"] as const),
          3,
          ({ worker }) => worker === 2,
          chance.pick([1, 0.6]),
        ),
      },
    }),
  ),
  of(
    "our own limit hits a friend",
    "13",
    "outright",
    { parties: ["configuration"], causes: ["gw.self_block", "client.flood"] },
    (chance) => {
      const friend = "10.0.1.0/24";
      return {
        setup: two(chance.pick([25, 80])),
        fault: {
          load: ({ name }, second) => (name === "shop" && second >= 0 && second < 60 ? 3 : 1),
          network: ({ extra }) => (extra ? friend : null),
          exchange: ({ network, chance: own }) =>
            network === friend && own.next() < 0.9 ? { outcome: "refused", cause: "client.flood", ms: 0 } : null,
        },
        lastsS: 60,
      };
    },
  ),
  of(
    "surge of new work",
    "17",
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
  of("repeats are the load", "7", "outright", { parties: ["overload"], causes: ["sys.retry_storm"] }, (chance) => ({
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
  of(
    "overload outlives its trigger",
    "7",
    "outright",
    { parties: ["overload"], causes: ["sys.metastable"] },
    (chance) => ({
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
    }),
  ),
  of(
    "origins too small for the usual load",
    "overload",
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
  of("cache lost", "9", "outright", { parties: ["overload"], causes: ["sys.stampede"] }, (chance) => ({
    setup: { services: [shop(chance.pick([60, 120]))], workers: 1, networks: 60 },
    fault: {
      cached: (second) => (second < 0 ? 0.8 : 0),
      attempt: (ask) => (ask.chance.next() < 0.35 ? { cause: "origin.overload_reply", ms: 10 } : { slow: 5 }),
    },
  })),
  of(
    "clients leave, answers as fast as ever",
    "A: abort wave",
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
  of(
    "clients leave because it is slow",
    "A: abort wave",
    "gray",
    { parties: ["origin"], causes: ["origin.slow"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: {
        exchange: ({ service, second, chance: own }) =>
          service.name === "shop" && second > 3 && own.next() < 0.35
            ? { outcome: "aborted", cause: "client.abort_wait", ms: 1_000 }
            : null,
        attempt: (ask) => (isShop(ask) ? { slow: 20 } : null),
      },
    }),
  ),
  of("traffic vanished", "silence", "gray", { parties: ["network"], causes: ["front.silence"] }, (chance) => ({
    setup: two(chance.pick([8, 25, 80])),
    fault: { load: ({ name }, second) => (name === "shop" && second >= 0 && second < 120 ? 0 : 1) },
    lastsS: 120,
    warmUpS: 1_000,
  })),
  of(
    "bad version on one pool",
    "deploy",
    "outright",
    { parties: ["change"], causes: ["change.bad_deploy"] },
    (chance) => {
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
    },
  ),
  of(
    "a deploy while its provider fails",
    "deploy or provider",
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
  of(
    "a change after it began",
    "A5",
    "outright",
    { parties: ["origin"], causes: ["origin.route_broken"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: {
        attempt: fails("origin.app_5xx", 20, (ask) => isShop(ask) && ask.route.name === "feed"),
        tell: (second) =>
          second === 6
            ? [{ what: "configuration applied", where: { service: "shop" }, text: "revision 8 applied", ...CHANGE_WHO }]
            : [],
      },
    }),
  ),
  of("wrong configuration", "1", "outright", { parties: ["change"], causes: ["change.config"] }, (chance) => ({
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
    "3/A4",
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
    "deploy close",
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
];
