/** What the gateway itself decides or runs out of: no origin is to blame, whatever it looked like. Rows of the table of causes (causes.ts). */
import type { CauseRow } from "../causes.ts";

export const GATEWAY_CAUSES = {
  "gw.answer_not_kept": {
    party: "configuration",
    status: 409,
    proxyStatus: "proxy_internal_response",
    retryClass: "RX",
    title: "Answer to the key was not kept",
    means:
      "A request with this Idempotency-Key was carried out and answered before, and the answer is not at hand any more. It was not carried out again.",
    evidence:
      "The ledger has the key as answered and no answer with it: too large, a stream, given up for room, or settled by a person. The evidence says which.",
    lookFirst:
      "Raise `idempotency.answer` when real answers are larger, `idempotency.bytes` when room was needed. The client can read the state of its order by other means.",
    equivalents: {},
  },
  "gw.key_unprotected": {
    party: "gateway",
    status: 503,
    proxyStatus: "proxy_internal_error",
    retryClass: "R0",
    title: "Keys cannot be kept",
    means:
      "The route requires Idempotency-Key, and the gateway could not record the key durably. The request was not sent, because a repeat of it could not be told from a new one.",
    evidence:
      "The state directory is missing, full, slow or in use by another process; the evidence says which. Routes that only honour keys pass such requests on and record key.unprotected.",
    lookFirst:
      "Look at the disk of the state directory and at `goodgate doctor`; raise `idempotency.bytes` when it is full.",
    equivalents: { envoy: ["RLSE"], google: ["service_extension_error"] },
  },
  "gw.no_route": {
    party: "configuration",
    status: 404,
    proxyStatus: "destination_not_found",
    retryClass: "RX",
    title: "No route matches",
    means: "No service is configured for this host, or none of its routes takes this path, method and these fields.",
    evidence:
      "The route step ended without a service; nothing was dialled. A 404 of an origin has an origin status instead.",
    lookFirst: "Run `goodgate check --explain METHOD URL` and compare the configuration with the one before it.",
    equivalents: { envoy: ["NR", "NC"], cloudflare: ["1004", "1018"], google: ["config_not_found"] },
  },
  "gw.internal": {
    party: "gateway",
    status: 500,
    proxyStatus: "proxy_internal_error",
    retryClass: "RX",
    title: "Fault in the gateway",
    means: "The gateway's own code failed while it handled this request. That is a bug in Goodgate.",
    evidence: "An exception in the gateway, while neither the client's nor the origin's connection had failed.",
    lookFirst:
      "Take the stack from the log with this request id and report it. If one route triggers it, go back to the configuration before it.",
    equivalents: { haproxy: ["I"], nginx: ["500"], cloudflare: ["500"], google: ["internal_error"] },
  },
  "gw.loop": {
    party: "configuration",
    status: 502,
    proxyStatus: "proxy_loop_detected",
    retryClass: "RX",
    title: "Request came back to this gateway",
    means: "The request had already passed through this gateway: an origin, or something between, sends it back here.",
    evidence: "This gateway's own name stands in the Via field of the request (RFC 9110 §7.6.3).",
    lookFirst: "Find the origin of that route that points at this gateway, or at a name that resolves to it.",
    equivalents: { cloudflare: ["1019"], google: ["request_loop_detected"] },
  },
  "gw.proxy_header": {
    party: "configuration",
    status: 0,
    proxyStatus: null,
    retryClass: "RX",
    title: "No usable PROXY header",
    means:
      "The listener expects the PROXY protocol, and what a trusted load balancer sent was no header, a broken one, or came too late. The connection was closed; without the header nobody knows whose it was.",
    evidence:
      "The first bytes, or their absence within the time that the listener allows. A peer that is not trusted would be client.not_proxied.",
    lookFirst:
      "Is the PROXY protocol switched on at the load balancer for exactly this port, also for its health checks? The other way round, `proxyProtocol` may stand at the wrong listener.",
    equivalents: { haproxy: ["PR"] },
  },
  "gw.fd_exhausted": {
    party: "gateway",
    status: 503,
    proxyStatus: "proxy_internal_error",
    retryClass: "R0",
    title: "Out of file descriptors",
    means: "The process or the machine has no descriptor left, so no connection could be opened and no name looked up.",
    evidence:
      "EMFILE or ENFILE, or a lookup that fails with ENOTFOUND while nearly all descriptors are in use: the system's resolver reports a missing descriptor as a missing name. Told from dns.nxdomain by that count.",
    lookFirst:
      "Raise the limit on open files for the service, and look at which connections fill it (`goodgate doctor` shows both).",
    equivalents: { haproxy: ["RC", "CONF_FDLIM", "PROC_FDLIM", "SYS_FDLIM"], nginx: ["(24: Too many open files)"] },
  },
  "gw.ports_exhausted": {
    party: "gateway",
    status: 503,
    proxyStatus: "proxy_internal_error",
    retryClass: "R0",
    title: "Out of local ports",
    means: "No local port is left for another connection to this origin address; other addresses still work.",
    evidence:
      "EADDRNOTAVAIL at once when connecting, to one address and port, with many connections to it in TIME_WAIT.",
    lookFirst:
      "Find out why connections to that origin are not used again (is it answering with `Connection: close`?), then add origin addresses or widen the port range.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["RC", "PORT_RANGE", "FREE_PORTS", "ADDR_INUSE"],
      nginx: ["(99: Cannot assign requested address)"],
    },
  },
  "gw.mem_or_buffers": {
    party: "gateway",
    status: 503,
    proxyStatus: "proxy_internal_error",
    retryClass: "R0",
    title: "Out of memory for sockets",
    means: "The machine refused memory for a connection, so nothing was sent.",
    evidence: "ENOBUFS or ENOMEM when connecting.",
    lookFirst: "Look at the machine's free memory and its limits for TCP memory, then at what else runs there.",
    equivalents: {
      envoy: ["OM"],
      haproxy: ["RC", "SYS_MEMLIM", "ENOMEM", "ENOBUFS"],
      nginx: ["(12: Cannot allocate memory)"],
    },
  },
  "gw.loop_stall": {
    party: "gateway",
    status: 503,
    proxyStatus: "proxy_internal_error",
    retryClass: "R1",
    title: "Gateway paused",
    means:
      "The gateway itself stood still for so long that timers fired late and connections went stale unnoticed. The origin only seemed slow or gone.",
    evidence:
      "The measured delay of the gateway's own event loop covers the moment of the failure and a good part of the limit that ran out. All origins look slow at the same instant. Told from origin.ttfb_timeout and origin.keepalive_race by exactly that.",
    lookFirst:
      "Look at the event-loop delay and at the machine: a starved or throttled CPU, swapping, a paused virtual machine.",
    equivalents: {},
  },
  "gw.pool_wait": {
    party: "overload",
    status: 503,
    proxyStatus: "connection_limit_reached",
    retryClass: "R0",
    title: "No free connection in time",
    means: "Every connection that the origins may have is busy, and none became free while the request waited.",
    evidence:
      "The request waited for a connection and never got one; nothing was dialled for it. The origins' own response times tell whether they are slow or the limit is low.",
    lookFirst:
      "If the origins' latency is flat, raise `connections.perOrigin`. If it rises, they are the bottleneck and a higher limit makes it worse.",
    equivalents: { envoy: ["UO"], haproxy: ["sQ"] },
  },
  "gw.shed": {
    party: "overload",
    status: 503,
    proxyStatus: "proxy_internal_response",
    retryClass: "RX",
    title: "Turned away at the door",
    means:
      "There was more work than room, so this request was refused at once in order that others are answered in time. No origin was asked.",
    evidence:
      "One of three, and the sentence says which: every usable origin had as many requests as it can take and the wait for room ran out; the gateway neared a limit of its own; or more clients were connected than may be (`limits.connections`).",
    lookFirst:
      "With origins at their limit, look at their latency and add capacity. With many connections, see who holds them. Give what must go on the class `critical`.",
    equivalents: {
      envoy: ["OM", "DO", "UO"],
      haproxy: ["PC"],
      nginx: ["worker_connections are not enough"],
      cloudflare: ["1200"],
    },
  },
  "gw.draining": {
    party: "gateway",
    status: 503,
    proxyStatus: "proxy_internal_response",
    retryClass: "R0",
    title: "Gateway shutting down",
    means:
      "The gateway had been told to stop, and this request came too late or was still running when the time for draining ended.",
    evidence: "The gateway's own state was `draining`.",
    lookFirst:
      "Take the gateway out of whatever spreads load over it before stopping it, and give `drain` more time than your longest requests need.",
    equivalents: { envoy: ["LH"], haproxy: ["K"] },
  },
  "gw.deadline": {
    party: "overload",
    status: 504,
    proxyStatus: "proxy_internal_response",
    retryClass: "RX",
    title: "Too late to begin",
    means:
      "The time that the client or the route allows was over before an origin had the request, so it was dropped instead of being worked on for nobody.",
    evidence:
      "The deadline passed while the request waited inside the gateway or for a connection. Where an origin had the request it is origin.deadline.",
    lookFirst:
      "See what the request waited for: the decisions of its record say so. If many wait, there is more work than room; if one does, compare the deadline with what the route usually takes.",
    equivalents: { envoy: ["DT"], haproxy: ["sQ"] },
  },
} as const satisfies Record<string, CauseRow>;
