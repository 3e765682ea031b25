/** What may go wrong in TLS, HTTP/2 and gRPC, which TCP and the process behind it survive. */
import type { AttemptEffect } from "./model.ts";
import type { AttemptAsk } from "./model.ts";
import { A1, atA1, CHANGE_WHO, fails, isAlpha, isShop, rate, within } from "./disturbance.ts";
import type { Maker } from "./disturbance.ts";
import { ELSEWHERE, moved, two } from "./places.ts";

const of = within("TLS and protocols");
const isFeed = ({ service, route }: AttemptAsk): boolean => service.name === "shop" && route.name === "feed";

/** In the words of judge-tls.ts. */
function expired({ at }: AttemptAsk): AttemptEffect {
  const host = at.origin.slice("http://".length).split(":")[0] ?? "";
  return {
    cause: "tls.cert_time",
    ms: 4,
    evidence: `the certificate of ${host}, valid from 2025-08-24 to 2025-11-22, has expired`,
  };
}

export const IN_PROTOCOLS: readonly Maker[] = [
  of("one certificate has expired", "outright", { parties: ["origin"], causes: ["tls.cert_time"] }, (chance) => ({
    setup: two(rate(chance)),
    fault: { attempt: (ask) => (atA1(ask) ? expired(ask) : null), check: ({ origin }) => origin !== A1 },
  })),
  of("this machine's clock is wrong", "outright", { parties: ["gateway"], causes: ["gw.clock_wrong"] }, (chance) => ({
    setup: two(rate(chance)),
    fault: { attempt: expired, check: () => false },
  })),
  of("wrong certificate deployed", "outright", { parties: ["origin"], causes: ["tls.cert_name"] }, (chance) => ({
    setup: two(rate(chance)),
    fault: { attempt: fails("tls.cert_name", 4, isAlpha), check: ({ provider }) => provider !== "alpha" },
  })),
  of(
    "a name leads to somebody else's certificate",
    "outright",
    { parties: ["dns"], causes: ["dns.drift", "dns.stale_ip"] },
    (chance) => ({
      setup: moved(rate(chance)),
      fault: {
        there: ({ origin, address }, second) => origin !== A1 || (address === ELSEWHERE) === second >= -1,
        attempt: fails("tls.cert_name", 4, atA1),
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
  of("an issuer that nobody knows", "outright", { parties: ["origin"], causes: ["tls.cert_trust"] }, (chance) => ({
    setup: two(rate(chance)),
    fault: { attempt: fails("tls.cert_trust", 4, isShop), check: ({ service }) => service !== "shop" },
  })),
  of(
    "plain text where TLS is meant",
    "outright",
    { parties: ["configuration"], causes: ["tls.not_tls"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: { attempt: fails("tls.not_tls", 3, atA1), check: ({ origin }) => origin !== A1 },
    }),
  ),
  of(
    "our own certificate is refused",
    "outright",
    { parties: ["configuration"], causes: ["tls.client_cert"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: { attempt: fails("tls.client_cert", 5, isShop), check: ({ service }) => service !== "shop" },
    }),
  ),
  of("no version of TLS in common", "outright", { parties: ["configuration"], causes: ["tls.protocol"] }, (chance) => ({
    setup: two(rate(chance)),
    fault: { attempt: fails("tls.protocol", 3, isShop), check: ({ service }) => service !== "shop" },
  })),
  of(
    "one origin closes in the handshake",
    "outright",
    { parties: ["origin"], causes: ["tls.handshake_closed", "origin.down"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: { attempt: fails("tls.handshake_closed", 3, atA1), check: ({ origin }) => origin !== A1 },
    }),
  ),
  of(
    "one origin never ends its handshakes",
    "outright",
    { parties: ["origin"], causes: ["tls.handshake_timeout", "origin.down", "origin.slow", "origin.paused"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: { attempt: fails("tls.handshake_timeout", 4_000, atA1), check: ({ origin }) => origin !== A1 },
    }),
  ),
  of(
    "streams of one route are reset",
    "outright",
    { parties: ["origin"], causes: ["origin.route_broken", "origin.h2_reset"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: { attempt: fails("origin.h2_reset", 10, isFeed, chance.pick([1, 0.5])) },
    }),
  ),
  of(
    "one origin resets streams",
    "gray",
    { parties: ["origin"], causes: ["origin.gray", "origin.h2_reset"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: { attempt: fails("origin.h2_reset", 10, atA1, chance.pick([0.1, 0.3])) },
    }),
  ),
  of(
    "sessions are sent away at a deploy",
    "outright",
    { parties: ["change"], causes: ["origin.deploy_close"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: {
        attempt: fails("origin.h2_refused", 2, atA1, 0.9),
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
  of(
    "HTTP/2 is not agreed on",
    "outright",
    { parties: ["configuration"], causes: ["origin.h2_handshake"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: { attempt: fails("origin.h2_handshake", 3, isShop), check: ({ service }) => service !== "shop" },
    }),
  ),
  of(
    "one origin breaks the rules of HTTP/2",
    "outright",
    { parties: ["origin"], causes: ["origin.h2_protocol", "origin.down", "origin.gray"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: { attempt: fails("origin.h2_protocol", 5, atA1) },
    }),
  ),
  of(
    "calls of one kind fail",
    "outright",
    { parties: ["origin"], causes: ["origin.route_broken", "origin.grpc_error"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: { attempt: fails("origin.grpc_error", 12, isFeed, chance.pick([1, 0.5])) },
    }),
  ),
  of(
    "all calls fail",
    "outright",
    { parties: ["origin"], causes: ["origin.grpc_error", "origin.app_5xx"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: { attempt: fails("origin.grpc_error", 12, isShop, chance.pick([1, 0.4])) },
    }),
  ),
  of(
    "upgrades are refused",
    "outright",
    { parties: ["origin"], causes: ["origin.upgrade_failed", "origin.route_broken"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: { attempt: fails("origin.upgrade_failed", 6, isFeed) },
    }),
  ),
];
