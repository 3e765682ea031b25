/** What may happen to the names of origins. */
import type { Maker } from "./disturbance.ts";
import { within, fails, atA1, rate, A1 } from "./disturbance.ts";
import { one, two } from "./places.ts";

const of = within("names");

export const AT_NAMES: readonly Maker[] = [
  of("resolver down", "outright", { parties: ["dns"], causes: ["dns.resolver_down"] }, (chance) => {
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
  of("one zone broken", "outright", { parties: ["dns"], causes: ["dns.zone_broken"] }, (chance) => ({
    setup: two(rate(chance)),
    fault: {
      attempt: fails(chance.pick(["dns.nxdomain", "dns.servfail"] as const), 5, (ask) =>
        ask.at.origin.includes("shop-alpha.example"),
      ),
    },
  })),
  of("one name fails: zone or resolver", "outright", { parties: ["dns"], causes: [] }, (chance) => ({
    setup: one(rate(chance)),
    fault: { attempt: fails("dns.servfail", 5, () => true) },
  })),
  of(
    "name moved to a wrong address",
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
  of("a zone answers with nothing", "outright", { parties: ["dns"], causes: ["dns.zone_broken"] }, (chance) => ({
    setup: two(rate(chance)),
    fault: {
      attempt: fails("dns.empty_or_prohibited", 5, ({ at }) => at.origin.includes("shop-alpha.example")),
    },
  })),
  of(
    "an address belongs to somebody else now",
    "outright",
    { parties: ["dns"], causes: ["dns.wrong_tenant", "dns.drift"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: { attempt: fails("dns.wrong_tenant", 4, atA1) },
    }),
  ),
  of("too many questions for the resolver", "outright", { parties: ["dns"], causes: ["dns.query_cap"] }, (chance) => {
    const factor = chance.pick([2.5, 4]);
    return {
      setup: two(chance.pick([25, 80])),
      fault: {
        load: (_, second) => (second >= -4 && second < 70 ? factor : 1),
        attempt: fails("dns.timeout", 1_500, () => true, 1 - 1.4 / factor),
      },
      lastsS: 70,
    };
  }),
];
