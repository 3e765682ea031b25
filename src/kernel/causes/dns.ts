/** What becomes of the names of origins. Rows of the table of causes (causes.ts). */
import type { CauseRow } from "../causes.ts";

export const DNS_CAUSES = {
  "dns.nxdomain": {
    party: "dns",
    status: 502,
    proxyStatus: "dns_error",
    retryClass: "R0",
    title: "Origin's name does not exist",
    means:
      "The resolver says that the origin's name does not exist, and the gateway has never had a good answer for it.",
    evidence:
      "NXDOMAIN (ENOTFOUND) while descriptors were free; with none free it is gw.fd_exhausted. A name that once resolved goes on with its last good addresses and shows a note instead.",
    lookFirst:
      "Check the spelling of the origin, then what changed in the zone. Ask a second resolver for the same name.",
    equivalents: { envoy: ["DF"], nginx: ["could not be resolved (3: Host not found)"], cloudflare: ["530", "1016"] },
  },
  "dns.servfail": {
    party: "dns",
    status: 502,
    proxyStatus: "dns_error",
    retryClass: "R0",
    title: "Resolver could not answer",
    means:
      "The resolver answered that it failed or refuses to answer, and the gateway holds no earlier answer for the name.",
    evidence:
      "SERVFAIL or REFUSED, or an answer that could not be read. Other names through the same resolver tell whether the zone is broken or the resolver.",
    lookFirst:
      "Ask another resolver. If it answers, replace or add one under `dns.resolvers`; if not, the zone's servers or its signatures are broken.",
    equivalents: {
      envoy: ["DF"],
      nginx: ["could not be resolved (2: Server failure)", "could not be resolved (5: Operation refused)"],
      cloudflare: ["530", "1001"],
    },
  },
  "dns.timeout": {
    party: "dns",
    status: 504,
    proxyStatus: "dns_timeout",
    retryClass: "R0",
    title: "Resolver silent",
    means: "No resolver answered in time, and the gateway holds no earlier answer for the name.",
    evidence:
      "The questions ran into their time limit, or the resolver's port refused them. Connections to origins that are already known still work, which tells it from a dead network.",
    lookFirst:
      "Check that the resolvers can be reached from this machine (UDP and TCP port 53), and name more than one.",
    equivalents: {
      envoy: ["DF"],
      nginx: ["could not be resolved (110: Operation timed out)"],
      cloudflare: ["530", "1001"],
    },
  },
  "dns.empty_or_prohibited": {
    party: "dns",
    status: 502,
    proxyStatus: "dns_error",
    retryClass: "R0",
    title: "Name has no usable address",
    means:
      "The name exists but has no address record, or none that may be dialled, and the gateway holds no earlier answer.",
    evidence:
      "An answer without addresses (NODATA). An answer that suddenly becomes empty is not believed: the last good one stays in use.",
    lookFirst: "Look at the zone's automation: records that vanish all at once are usually deleted by a program.",
    equivalents: { envoy: ["DF"], cloudflare: ["1000", "1002"], google: ["invalid_external_origin_endpoint"] },
  },
  "dns.stale_ip": {
    party: "dns",
    status: 502,
    proxyStatus: "dns_error",
    retryClass: "R0",
    title: "Address no longer in DNS",
    means:
      "A connection failed to an address that the name no longer has: the gateway was still using an answer from before a change.",
    evidence:
      "The dialled address is missing from the newest answer, or the answer could not be refreshed for longer than its lifetime, and only that address fails.",
    lookFirst:
      "Check that the name can be resolved now and how long its TTL is. Keep old addresses answering for one TTL when you move an origin.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC", "sC"],
      nginx: [
        "connect() failed (111: Connection refused)",
        "upstream timed out (110: Connection timed out) while connecting to upstream",
      ],
      cloudflare: ["521", "522"],
      alb: ["502", "504"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "dns.wrong_tenant": {
    party: "dns",
    status: 502,
    proxyStatus: "dns_error",
    retryClass: "R0",
    title: "Another tenant answers",
    means:
      "The addresses that the name leads to belong to somebody else: what answers there does not show what the wanted origin shows. Nothing was sent to it.",
    evidence:
      "The active check got an answer without the field or the word that `health.expect` asks for, and no other address of the route's pools may be used.",
    lookFirst:
      "Ask the address for the check's path yourself and compare. Either the name still leads to an address that was given back, or the origin no longer shows what is expected.",
    equivalents: {},
  },
} as const satisfies Record<string, CauseRow>;
