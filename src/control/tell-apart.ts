/** The check that tells two hypotheses apart: for the pairs that are mistaken for each other most, in so many words. */
import { CAUSES, isCauseId } from "../kernel/causes.ts";
import { CONCLUSIONS } from "../kernel/conclusions.ts";
import type { AnyCause } from "./claim.ts";

const PAIRS: readonly (readonly [AnyCause, AnyCause, string])[] = [
  [
    "origin.host_dead",
    "net.filtered",
    "Try another port of the machine, and the same port from another network: if either answers, the machine lives and something between drops the packets.",
  ],
  [
    "origin.backlog_full",
    "net.filtered",
    "Look at ListenOverflows on the origin's machine, and whether connecting succeeds late or never: a full queue lifts when load falls, a filter does not.",
  ],
  [
    "origin.backlog_full",
    "origin.host_dead",
    "Try another port of the machine: a machine with a full queue answers there, one that is gone does not.",
  ],
  [
    "provider.outage",
    "net.path",
    "Reach the same addresses from another network: if they answer there, the provider is well and the way to it is not.",
  ],
  [
    "provider.outage",
    "net.local_drop",
    "Connect from this machine to any other host, and compare `nf_conntrack_count` with `nf_conntrack_max`: if others fail as well, it is this machine.",
  ],
  [
    "net.path",
    "net.local_drop",
    "Connect from this machine to a host of another network: if that fails as well, it is this machine.",
  ],
  [
    "net.mtu_blackhole",
    "origin.slow",
    "Send pings of 1,200 and of 1,472 bytes that must not be split to the origin's machine: if only the small ones return, it is the way; if both do, look at the origin.",
  ],
  [
    "net.mtu_blackhole",
    "origin.down",
    "Ask the origin for the same with HEAD and with GET from its own machine: if both are answered there, large packets are lost on the way.",
  ],
  [
    "net.mid_reset",
    "origin.reset_before_response",
    "Capture packets at the origin: a reset that the origin never sent comes from a firewall or an inspection device between.",
  ],
  [
    "dns.resolver_down",
    "dns.zone_broken",
    "Ask the same resolver for a name of another zone, and another resolver for this name.",
  ],
  [
    "dns.resolver_down",
    "dns.query_cap",
    "Ask once from another machine, and look whether answers return when fewer questions are asked.",
  ],
  [
    "change.bad_deploy",
    "provider.outage",
    "See whether what was not deployed at that provider fails as well, and whether the version before works now.",
  ],
  [
    "change.bad_deploy",
    "origin.route_broken",
    "Let one origin run the version before, and compare the same route on both.",
  ],
  [
    "origin.slow",
    "origin.overload",
    "Take some load off: latency that falls with it is a queue, latency that stays is the work itself.",
  ],
  [
    "client.surge",
    "sys.retry_storm",
    "Look at the requests: new ones are a surge, the same ones from the same clients again are repeats.",
  ],
  ["origin.down", "origin.gray", "Ask the origin ten times by hand: one that is down answers none, a gray one some."],
];

export function tellApart(a: AnyCause, b: AnyCause): string {
  for (const [one, other, check] of PAIRS) if ((one === a && other === b) || (one === b && other === a)) return check;
  return `${sign(a)} ${sign(b)}`;
}

function sign(cause: AnyCause): string {
  const { title, evidence } = isCauseId(cause) ? CAUSES[cause] : CONCLUSIONS[cause];
  return `A sign of “${title}”: ${evidence}`;
}
