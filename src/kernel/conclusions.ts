/**
 * The table of conclusions: what can be behind failures, or behind a change of how things go, that no single
 * exchange shows. A cause (causes.ts) is what the gateway saw happen to one exchange; a conclusion is why that
 * happens to several, and needs facts of other exchanges, of other places, or of what was changed. The engine of
 * incidents cites these ids as hypotheses, and a verdict names them where one exchange cannot decide between them.
 *
 * A row says what must have been seen before it may be concluded, and what it is mistaken for. An id of this table
 * never stands in a record: there are only causes.
 */
import type { CauseId, Equivalents, Party, PeerCodes } from "./causes.ts";
import { everyPeer } from "./causes.ts";

interface Row {
  readonly party: Party;
  readonly title: string;
  /** For an operator: what goes on. */
  readonly means: string;
  /** What shows it, and what tells it from its look-alikes. */
  readonly evidence: string;
  /** The first thing to do. */
  readonly lookFirst: string;
  /** The causes in which single exchanges show it. Empty: none fails because of it alone. */
  readonly showsAs: readonly CauseId[];
  /** Where another gateway has a code for the conclusion itself; otherwise those of the causes count. */
  readonly equivalents: PeerCodes;
}

export interface Conclusion extends Omit<Row, "equivalents"> {
  readonly id: ConclusionId;
  readonly equivalents: Equivalents;
}

const TABLE = {
  "client.abort_wave": {
    party: "client",
    title: "Many clients leave before their answer",
    means:
      "Far more clients than usual left before they were answered, while those who stayed were answered as fast as ever.",
    evidence:
      "The count of client.abort_wait rises for one network, agent or listener, and the time to first byte of the same routes is unchanged. If that time has risen and the leaving follows it, it is origin.slow.",
    lookFirst:
      "Look at who left: one agent is a release of that client, one network is a proxy in front with a timeout of its own, all at one duration is a timeout everywhere.",
    showsAs: ["client.abort_wait", "client.abort_body"],
    equivalents: {},
  },
  "client.surge": {
    party: "overload",
    title: "More work came than ever fits",
    means: "Clients ask for far more than usual, and it is new work: the same origins would serve the usual load well.",
    evidence:
      "The rate of exchanges rises before latency and failures do, while attempts per exchange stay near one and ids do not repeat. If attempts rise instead it is sys.retry_storm.",
    lookFirst: "See which route and which clients grew. Add capacity, shed the background class, or limit the route.",
    showsAs: ["gw.shed", "gw.pool_wait", "gw.deadline", "origin.ttfb_timeout", "origin.overload_reply"],
    equivalents: {},
  },
  "front.silence": {
    party: "network",
    title: "Traffic stopped arriving",
    means: "Requests that always come at this hour do not come. Nothing fails here, because nothing is asked.",
    evidence:
      "The rate of a service or a listener fell far below what its history allows, without failures before it and without a change of ours. A rate that falls after failures is those failures.",
    lookFirst:
      "Ask for the service from outside: its public name, its certificate, the load balancer and the network in front.",
    showsAs: [],
    equivalents: {},
  },
  "gw.starved": {
    party: "gateway",
    title: "Gateway is slow itself",
    means: "This process gets too little of its processor or is kept busy, so everything behind it looks slow.",
    evidence:
      "The delay of the event loop rose at the same seconds as the latency of all origins at once, and what origins say about their own time did not. If one origin alone is slow it is origin.slow.",
    lookFirst:
      "Compare the loop's delay with the machine's load: a throttled container, a noisy neighbour, swapping, a full log disk.",
    showsAs: ["gw.loop_stall", "origin.ttfb_timeout", "origin.keepalive_race", "net.connect_timeout"],
    equivalents: {},
  },
  "gw.resource_wall": {
    party: "gateway",
    title: "Gateway runs into a limit of its own",
    means: "Descriptors, local ports, memory or connections of this process or machine are used up, again and again.",
    evidence:
      "A count of the process is at its limit while exchanges fail with causes of the gateway, or names seem to vanish (dns.nxdomain with no descriptor left). Connections that are already open go on.",
    lookFirst: "`goodgate doctor` names the limit. Raise it, and find out what fills it.",
    showsAs: ["gw.fd_exhausted", "gw.ports_exhausted", "gw.mem_or_buffers", "gw.shed", "dns.nxdomain"],
    equivalents: {},
  },
  "gw.self_block": {
    party: "configuration",
    title: "Defence turned on good traffic",
    means: "A limit or the flood guard refuses clients that were always welcome: a batch, a partner, a probe.",
    evidence:
      "Refusals (client.flood, client.rate_limited) hit clients with a history of success, and the origins were not strained. Clients without a history that ask for everything are a flood.",
    lookFirst: "Look at who is refused. Put them under `trusted`, or set the rule to `shadow: true` while you look.",
    showsAs: ["client.flood", "client.rate_limited"],
    equivalents: {},
  },
  "gw.crash_loop": {
    party: "gateway",
    title: "Worker crashes again and again",
    means:
      "A process that serves ends soon after each start. It is started again, later each time; its siblings accept for it. What was under way in it was cut without a record.",
    evidence:
      "The supervisor saw five ends within a minute and says by what: SIGKILL is usually the machine's or the container's memory, SIGSEGV and SIGABRT a defect of the runtime or of a native part, an exit code an exception that stands in the log. A worker that was told to end, or replaced, is none of these.",
    lookFirst:
      "Read what it printed before it ended (the gateway's standard error) and, after SIGKILL, the kernel's log. Where it began with a change of the configuration or the version, go back: `goodgate config rollback`. Other workers that serve well need nothing.",
    showsAs: [],
    equivalents: {},
  },
  "gw.drift": {
    party: "configuration",
    title: "One worker or node is unlike the others",
    means: "A part of the gateway behaves in another way than the rest: another configuration, version or resolver.",
    evidence:
      "Failures split cleanly by worker or node and evenly by origin, and nothing was changed on purpose. If they split by origin it is that origin.",
    lookFirst: "Compare revision, version and effective configuration of that one with another.",
    showsAs: ["gw.no_route", "origin.app_5xx"],
    equivalents: {},
  },
  "gw.clock_wrong": {
    party: "gateway",
    title: "This machine's clock is wrong",
    means: "The clock of this machine is off, so certificates that are good look expired, or not valid yet.",
    evidence:
      "Failures with tls.cert_time at origins of several hosts within a minute, which had no certificate in common. One origin alone is its own certificate.",
    lookFirst: "Compare `date -u` with another machine, and see that the clock is kept by NTP; then restart nothing.",
    showsAs: ["tls.cert_time"],
    equivalents: {},
  },
  "net.local_drop": {
    party: "gateway",
    title: "This machine drops new connections",
    means:
      "New connections to hosts that have nothing in common fail, while those that are open go on: the machine's own table of connections (conntrack) or its firewall drops them.",
    evidence:
      "Failures with net.connect_timeout towards unrelated origins of several providers at once, the control to a known-good address fails too, and connections that are open work. If only one provider's origins fail it is provider.outage.",
    lookFirst:
      "Compare `nf_conntrack_count` with `nf_conntrack_max` and look for `table full, dropping packet` in the kernel's log. Raise the limit, and use connections again.",
    showsAs: ["net.connect_timeout", "net.unroutable", "dns.timeout"],
    equivalents: {},
  },
  "net.filtered": {
    party: "network",
    title: "Something between drops the packets",
    means: "A firewall, a security group or a router between discards what is sent to this address, without a word.",
    evidence:
      "Connecting ends in silence from the first try on, to one port or from one place only, whatever the load; the machine answers elsewhere or others reach it. Silence that comes and goes with load is origin.backlog_full.",
    lookFirst: "Compare the rules on the way with the last change of them, and try the same port from another network.",
    showsAs: ["net.connect_timeout", "net.unroutable"],
    equivalents: {},
  },
  "net.path": {
    party: "network",
    title: "The way to one place is broken",
    means:
      "Packets between here and one network are lost or cannot go in one direction, while the place itself is well.",
    evidence:
      "All origins in one network fail or lose packets from here, other origins do not, and another vantage point reaches them. Without another vantage point it cannot be told from provider.outage.",
    lookFirst: "Trace the way in both directions, try another provider's line, and ask whoever runs the link.",
    showsAs: ["net.connect_timeout", "net.unroutable", "net.mid_reset", "net.half_open", "origin.stall_mid_body"],
    equivalents: {},
  },
  "net.address_family": {
    party: "network",
    title: "IPv4 or IPv6 does not get through",
    means: "Addresses of one family fail and those of the other work, for the same names.",
    evidence:
      "Failures to connect split by address family, and by nothing else. If they split by address, it is those.",
    lookFirst: "Check this machine's route and address of that family before looking at the origins.",
    showsAs: ["net.connect_timeout", "net.unroutable"],
    equivalents: {},
  },
  "net.idle_dropped": {
    party: "network",
    title: "A device forgets idle connections",
    means: "Something between forgets connections after a fixed idle time, and says nothing to either end.",
    evidence:
      "Failures with net.half_open on connections that had been idle for longer than some duration, and never below it; new connections work. If idle time does not matter the origin is slow.",
    lookFirst: "Set `connections.idle` below the shortest idle time that failed.",
    showsAs: ["net.half_open"],
    equivalents: {},
  },
  "net.mtu_blackhole": {
    party: "network",
    title: "Large packets vanish",
    means: "Small exchanges work and those with full-sized packets stand still: a link drops them without saying so.",
    evidence:
      "Stalls begin at a size of about 1.4 KB in one direction, at one origin or network, and never below it. If size does not matter it is origin.paused or origin.slow.",
    lookFirst: "Try pings of 1,200, 1,400 and 1,472 bytes that must not be split, then clamp the segment size.",
    showsAs: ["origin.stall_mid_body", "origin.ttfb_timeout", "origin.write_stall"],
    equivalents: {},
  },
  "dns.resolver_down": {
    party: "dns",
    title: "Resolver fails for every name",
    means: "Names of unrelated zones cannot be resolved through a resolver: it is down, unreachable or overloaded.",
    evidence:
      "All names asked through it fail alike, while another resolver answers. If one zone fails it is that zone.",
    lookFirst: "Replace the resolver or add another under `dns.resolvers`, then look why it fails.",
    showsAs: ["dns.timeout", "dns.servfail"],
    equivalents: {},
  },
  "dns.zone_broken": {
    party: "dns",
    title: "One zone does not answer",
    means: "The names of one zone fail through every resolver, while all others resolve.",
    evidence: "Failures split by zone and not by resolver. If they split by resolver it is dns.resolver_down.",
    lookFirst: "Ask the zone's own servers, and look at its delegation, its signatures and its last change.",
    showsAs: ["dns.servfail", "dns.nxdomain", "dns.empty_or_prohibited", "dns.timeout"],
    equivalents: {},
  },
  "dns.drift": {
    party: "dns",
    title: "A name leads elsewhere than before",
    means: "The addresses of an origin's name changed, shrank or differ between resolvers, and failures began there.",
    evidence:
      "A change of the answer before the first failure, and the failing addresses are those that came or that left. If all addresses fail alike the change is not the reason.",
    lookFirst: "Compare the answers of two resolvers with what the zone should say.",
    showsAs: ["dns.stale_ip", "dns.wrong_tenant", "origin.refused", "net.connect_timeout"],
    equivalents: {},
  },
  "dns.query_cap": {
    party: "dns",
    title: "Too many questions for the resolver",
    means: "The resolver answers only so many questions a second from this machine and drops the rest.",
    evidence:
      "Questions begin to time out at one rate of asking, for all names alike, and stop when the rate falls. If the rate does not matter it is dns.resolver_down.",
    lookFirst: "Find out what asks so often, and put a caching resolver on this machine.",
    showsAs: ["dns.timeout"],
    equivalents: {},
  },
  "origin.down": {
    party: "origin",
    title: "An origin is down",
    means: "Everything that is tried at one origin fails, while its peers in the pool work.",
    evidence:
      "All attempts and checks at it fail with causes of its own (refused, closed, silent); others of the same pool do not. If the whole pool fails look further: provider.outage, net.path.",
    lookFirst: "Is its process running? Look at its log, at out-of-memory kills and at its last deploy.",
    showsAs: ["origin.refused", "origin.reset_before_response", "net.connect_timeout", "origin.all_unhealthy"],
    equivalents: { haproxy: ["D"] },
  },
  "origin.host_dead": {
    party: "origin",
    title: "The origin's machine is gone",
    means:
      "Nothing answers at the address at all, on any port, from anywhere: the machine is off or has another address.",
    evidence:
      "Silence or EHOSTUNREACH for every port and from every vantage point. If another port of it answers it is origin.backlog_full or net.filtered.",
    lookFirst: "Look at the machine or its provider's console; then whether its name still means this address.",
    showsAs: ["net.connect_timeout", "net.unroutable"],
    equivalents: {},
  },
  "origin.backlog_full": {
    party: "overload",
    title: "Origin's queue for connections is full",
    means: "The origin's machine is up, and its process accepts connections more slowly than they come.",
    evidence:
      "Connecting to one port ends in silence while other tries succeed, late by one, three or seven seconds, and the machine answers on other ports. ListenOverflows rises there. Silence that never lifts is net.filtered.",
    lookFirst:
      "Look at ListenOverflows and ListenDrops at the origin (`nstat`), then at why its process does not accept.",
    showsAs: ["net.connect_timeout", "origin.ttfb_timeout"],
    equivalents: {},
  },
  "origin.flapping": {
    party: "origin",
    title: "An origin comes and goes",
    means: "An origin fails and recovers again and again, in shorter turns than anybody could repair it in.",
    evidence: "At least three changes between failing and working within minutes, without changes of ours.",
    lookFirst: "Look for a restart loop, a check that kills it, or a link that goes up and down.",
    showsAs: ["origin.refused", "origin.reset_before_response", "net.connect_timeout", "net.mid_reset"],
    equivalents: {},
  },
  "origin.gray": {
    party: "origin",
    title: "An origin fails in part",
    means: "One origin passes its checks and fails a part of the real requests.",
    evidence: "Its share of failures is far above its peers' on the same routes, while its checks succeed.",
    lookFirst: "Take it out with a reason and compare it with a peer: version, disk, dependencies.",
    showsAs: [
      "origin.app_5xx",
      "origin.reset_before_response",
      "origin.truncated",
      "origin.ttfb_timeout",
      "net.mid_reset",
    ],
    equivalents: {},
  },
  "origin.slow": {
    party: "origin",
    title: "An origin has become slow",
    means: "Answers take longer than before, though no more is asked. Clients begin to leave before anything fails.",
    evidence:
      "The time to first byte rose for one origin or one route while the gateway's loop was free and the load did not grow. If it grows with what is in flight it is origin.overload.",
    lookFirst: "One route points to a query or a dependency, all routes of one origin to its machine.",
    showsAs: ["origin.ttfb_timeout", "origin.deadline", "client.abort_wait"],
    equivalents: {},
  },
  "origin.paused": {
    party: "origin",
    title: "An origin stood still",
    means: "One origin did nothing for a while, on all routes at once, and then answered everything together.",
    evidence:
      "No byte on any of its connections for a time, connecting still works (the kernel accepts), and many answers end within one moment. If the gateway's loop stood still at that time it is gw.starved.",
    lookFirst: "Garbage collection, a blocked event loop, a frozen container, a machine being moved.",
    showsAs: ["origin.ttfb_timeout", "origin.write_stall", "origin.stall_mid_body"],
    equivalents: {},
  },
  "origin.overload": {
    party: "overload",
    title: "Origins have more work than they can do",
    means: "What origins are asked for is more than they can do in time, so everything waits in queues.",
    evidence:
      "Latency rises with what is in flight and falls with it; limits that are learned go down; requests wait for room. If attempts per exchange are well above one see sys.retry_storm.",
    lookFirst: "Add capacity or let the gateway shed. Do not raise timeouts or limits: the queue only gets longer.",
    showsAs: ["origin.ttfb_timeout", "origin.overload_reply", "gw.shed", "gw.pool_wait", "gw.deadline"],
    equivalents: {},
  },
  "origin.route_broken": {
    party: "origin",
    title: "One route fails on every origin",
    means: "The application fails on one class of requests, on all its origins alike; its other routes work.",
    evidence:
      "Failures split by route and evenly by origin. If they began with a new version it is change.bad_deploy; if they split by origin it is that origin.",
    lookFirst: "The application's log for that route, and what the route depends on.",
    showsAs: ["origin.app_5xx", "origin.reset_before_response", "origin.ttfb_timeout", "origin.nested_gw_5xx"],
    equivalents: {},
  },
  "origin.crash_request": {
    party: "origin",
    title: "One kind of request breaks origins",
    means: "Requests of one shape end the process that takes them, on whichever origin they are tried.",
    evidence:
      "Connections break without an answer for one shape of request at several origins, and what else is under way there breaks with it. If breaks do not follow the request it is origin.down.",
    lookFirst: "Run the request against an origin that nobody uses. The gateway quarantines it meanwhile.",
    showsAs: ["origin.reset_before_response", "origin.poison"],
    equivalents: {},
  },
  "origin.keepalive_short": {
    party: "configuration",
    title: "Origin closes idle connections too early",
    means: "The idle timeout of an origin is so near to ours that connections are again and again used as they close.",
    evidence:
      "The cause origin.keepalive_race keeps coming, the idle times at failure lie close together, and new connections do not fail. If new ones break as well the origin crashes.",
    lookFirst: "Raise the origin's idle timeout above `connections.idle`.",
    showsAs: ["origin.keepalive_race"],
    equivalents: {},
  },
  "origin.deploy_close": {
    party: "change",
    title: "Origins were replaced without draining",
    means: "Origins that were on their way out were stopped while they had work, so a short burst of requests broke.",
    evidence:
      "A mix of refused and closed connections, only at addresses that left or whose process restarted, that begins with that change and ends by itself within seconds. If it goes on it is change.bad_deploy or origin.down.",
    lookFirst: "Take an origin out first, wait for its last answer, close its idle connections, then stop it.",
    showsAs: ["origin.refused", "origin.reset_before_response", "origin.truncated", "net.mid_reset", "dns.stale_ip"],
    equivalents: {},
  },
  "check.broken": {
    party: "configuration",
    title: "The check is wrong, not the origins",
    means: "Active checks fail while real requests succeed: the check asks for something that traffic does not need.",
    evidence:
      "Checks of all origins turn within one interval, and requests go on succeeding. If requests fail too it is no fault of the check.",
    lookFirst: "See what the check's path depends on, and let it ask for no more than the process itself.",
    showsAs: ["origin.all_unhealthy"],
    equivalents: {},
  },
  "provider.outage": {
    party: "provider",
    title: "A provider or region is out",
    means: "Origins and routes that have only their provider or region in common fail together.",
    evidence:
      "At least two unrelated origins of one pool or provider fail within the same seconds, those of other providers work, and the gateway's control to itself and to a known-good address works. If that control fails too it is net.local_drop.",
    lookFirst: "Send the traffic to another provider's pool, then read the provider's status page, which comes later.",
    showsAs: [
      "net.connect_timeout",
      "net.unroutable",
      "origin.refused",
      "origin.ttfb_timeout",
      "origin.nested_gw_5xx",
      "origin.all_unhealthy",
      "dns.servfail",
    ],
    equivalents: {},
  },
  "sys.retry_storm": {
    party: "overload",
    title: "Repeats are the load",
    means: "A growing part of what origins get are repeats of what failed before, and that makes more fail.",
    evidence:
      "Attempts per exchange, or the same request from the same client, rise with the failures, while goodput falls. If each request is new it is client.surge.",
    lookFirst: "Cut the repeats first, in every layer; capacity that is added only feeds them.",
    showsAs: ["origin.overload_reply", "origin.ttfb_timeout", "gw.shed", "gw.pool_wait"],
    equivalents: { envoy: ["URX"] },
  },
  "sys.metastable": {
    party: "overload",
    title: "Overload that keeps itself up",
    means: "What began it is over, the load is as always, and still next to nothing is answered in time.",
    evidence:
      "Load at its usual level, goodput far below it, and what is worked on is older than its client's patience. While the trigger lasts it is plain overload.",
    lookFirst: "Shed hard, to below half of the capacity, until the queues are empty; then let traffic back in a ramp.",
    showsAs: ["gw.deadline", "gw.shed", "origin.ttfb_timeout", "client.abort_wait"],
    equivalents: {},
  },
  "sys.herd": {
    party: "overload",
    title: "Everybody comes back at once",
    means: "After an outage, clients that waited reconnect and ask at the same moment, more than there is room for.",
    evidence: "A burst of new connections and requests right after recovery, from clients that were there before.",
    lookFirst: "Let the gateway ramp and say Retry-After with jitter; do not restart anything now.",
    showsAs: ["gw.shed", "net.connect_timeout", "origin.overload_reply"],
    equivalents: {},
  },
  "sys.stampede": {
    party: "overload",
    title: "The cache was lost, origins get everything",
    means: "What the cache used to answer goes to the origins, which were never sized for it.",
    evidence: "The share of hits fell before the origins' load rose, with the same number of requests.",
    lookFirst: "See what emptied the cache (a purge, a restart, a changed key), and let it fill under a limit.",
    showsAs: ["origin.overload_reply", "origin.ttfb_timeout", "gw.shed"],
    equivalents: {},
  },
  "change.bad_deploy": {
    party: "change",
    title: "A new version of the origin is broken",
    means: "Failures began with a new version and are where it runs.",
    evidence:
      "The first failure comes after the change, failures are confined to the origins or routes that changed, and those that did not change are well. A change after the first failure is not its cause.",
    lookFirst: "Stop the rollout and go back to the version before; look for the reason afterwards.",
    showsAs: [
      "origin.app_5xx",
      "origin.refused",
      "origin.reset_before_response",
      "origin.malformed",
      "origin.framing",
      "origin.grpc_error",
      "origin.h2_reset",
      "origin.ttfb_timeout",
    ],
    equivalents: {},
  },
  "change.config": {
    party: "change",
    title: "A configuration of the gateway is wrong",
    means: "Failures began when this gateway took a new revision of its configuration, and are where it differs.",
    evidence:
      "The first failure comes after the revision, on services or routes that it touches; the others are well. A provider that fails at that time by chance fails also where nothing was changed.",
    lookFirst: "Go back to the revision before, then read the difference.",
    showsAs: ["gw.no_route", "origin.refused", "net.connect_timeout", "dns.nxdomain", "origin.all_unhealthy"],
    equivalents: {},
  },
  "change.alternating": {
    party: "change",
    title: "Good and bad configurations take turns",
    means: "Two sources publish different configurations in turn, so failures come and go with each.",
    evidence: "Failures follow the revision that is in force, back and forth, while load and clients do not change.",
    lookFirst: "Stop one of the two publishers.",
    showsAs: ["gw.no_route", "origin.all_unhealthy"],
    equivalents: {},
  },
  "change.origin_set": {
    party: "change",
    title: "The set of origins was changed",
    means:
      "Origins or addresses were added or taken away, and failures are at those that came or for want of those that left.",
    evidence: "The set changed before the first failure, and failures are confined to new members or are lack of room.",
    lookFirst: "Put the former set back; then see why the new members do not work.",
    showsAs: ["origin.refused", "net.connect_timeout", "origin.all_unhealthy", "dns.stale_ip", "gw.shed"],
    equivalents: {},
  },
  "change.restart": {
    party: "change",
    title: "The gateway was restarted",
    means: "Shortly after its start the gateway has no kept connections, no learned limits and perhaps no cache.",
    evidence: "Failures begin with the start and fade within a minute, evenly over origins.",
    lookFirst: "Nothing if it fades. Otherwise compare version and configuration with those before the restart.",
    showsAs: ["gw.draining", "gw.shed", "net.connect_timeout"],
    equivalents: {},
  },
  "change.drill": {
    party: "change",
    title: "A drill is running",
    means: "The failure was made on purpose, to rehearse it.",
    evidence: "A drill with this fault was running at that time at that place. It has an owner and an end.",
    lookFirst: "Ask the drill's owner, or stop it.",
    showsAs: [],
    equivalents: { envoy: ["DI", "FI"], google: ["fault_filter_abort"] },
  },
} as const satisfies Record<string, Row>;

export type ConclusionId = keyof typeof TABLE;

export const CONCLUSIONS: Readonly<Record<ConclusionId, Conclusion>> = withIds();

export function isConclusionId(text: string): text is ConclusionId {
  return Object.hasOwn(TABLE, text);
}

function withIds(): Record<ConclusionId, Conclusion> {
  const conclusions: Partial<Record<ConclusionId, Conclusion>> = {};
  for (const [id, row] of Object.entries(TABLE)) {
    const known = id as ConclusionId; // Object.entries widens the keys of TABLE, which are ConclusionId by definition.
    conclusions[known] = Object.freeze({ id: known, ...row, equivalents: everyPeer(row.equivalents) });
  }
  return Object.freeze(conclusions) as Record<ConclusionId, Conclusion>; // Every key of TABLE has just been set.
}
