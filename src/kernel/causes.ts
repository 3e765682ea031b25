/**
 * The one table of causes: every way an exchange can go wrong that this gateway can tell from every other
 * way. Records, replies, metrics, the API, `explain` and docs/reference/causes.md all speak in these ids.
 *
 * A cause is not a status: one 502 stands for a dozen of these, and the same cause may end in a 502, in a
 * cut body or in nothing at all because another origin answered. Each row says who is at fault, what tells
 * it from its look-alikes and what to do first. `origin` as a party means that the origin did it; a cause
 * whose id begins with `origin.` only says where it showed.
 *
 * Only causes that one gateway can conclude from what it saw of one exchange belong here. What needs other
 * facts (a deploy, a second vantage point, a whole provider) is in conclusions.ts.
 */

/** Who is at fault: who has to act so that it does not happen again. */
export type Party =
  /** Whoever sent the request. Nothing to repair behind the gateway; kept out of objectives. */
  | "client"
  /** This process or the machine under it. Never an origin's fault, whatever it looked like. */
  | "gateway"
  /** The path between gateway and origin: routers, firewalls, address translation. */
  | "network"
  /** Name resolution: the zone, its servers, or the resolver that was asked. */
  | "dns"
  /** The process that answers, or something on its machine. */
  | "origin"
  /** Settings that contradict each other or the world, here or at the origin: people repair it, not restarts. */
  | "configuration"
  /** Nothing is broken; there is more work than room for it. */
  | "overload"
  /** Whoever runs the machines, the network or the service that several origins share. Never of one exchange alone. */
  | "provider"
  /** Something that was changed on purpose: a version, a configuration, a set of origins. Never of one exchange alone. */
  | "change";

/** Who can be at fault as far as one exchange shows: a provider or a change takes more than one to see. */
export type PartyOfCause = Exclude<Party, "provider" | "change">;

/** What may still be done for the request. Each needs a token from the retry budget as well. */
export type RetryClass =
  /** The origin provably saw nothing of it: any method may go to another origin. */
  | "R0"
  /** It may have been run, no response byte came: only idempotent requests (RFC 9110 §9.2.2). */
  | "R1"
  /** A response began: only idempotent requests of which nothing has been sent to the client. */
  | "R2"
  /** Another attempt cannot help, or must not be made. */
  | "RX";

/** The error types of RFC 9209 §2.3 that this table uses. */
export type ProxyStatusError =
  | "connection_limit_reached"
  | "connection_read_timeout"
  | "connection_refused"
  | "connection_terminated"
  | "connection_timeout"
  | "connection_write_timeout"
  | "destination_ip_unroutable"
  | "destination_not_found"
  | "destination_unavailable"
  | "dns_error"
  | "dns_timeout"
  | "http_protocol_error"
  | "http_request_denied"
  | "http_request_error"
  | "http_response_header_section_size"
  | "http_response_incomplete"
  | "http_response_timeout"
  | "http_response_transfer_coding"
  | "http_upgrade_failed"
  | "proxy_internal_error"
  | "proxy_internal_response"
  | "proxy_loop_detected"
  | "tls_alert_received"
  | "tls_certificate_error"
  | "tls_protocol_error";

/** Other gateways whose codes are translated (contract/foreign-codes.ts has them all). */
export type PeerName = "envoy" | "haproxy" | "nginx" | "cloudflare" | "alb" | "google";

/** Exact codes of other gateways; a gateway that has none is left out. */
export type PeerCodes = Readonly<Partial<Record<PeerName, readonly string[]>>>;

/** The nearest codes of other gateways; empty where one has none. */
export type Equivalents = Readonly<Record<PeerName, readonly string[]>>;

interface Row {
  readonly party: PartyOfCause;
  /**
   * What the client gets when the gateway has to answer and nothing of a response has been sent yet; once a
   * head is out, the connection is cut instead. 0: the gateway never answers with this cause, because the
   * client is gone or because the origin's own response is passed on.
   */
  readonly status: 0 | 400 | 403 | 404 | 408 | 409 | 421 | 422 | 429 | 500 | 502 | 503 | 504;
  /** The `error` parameter of Proxy-Status (RFC 9209 §2.1.1); null when there is none to report. */
  readonly proxyStatus: ProxyStatusError | null;
  readonly retryClass: RetryClass;
  readonly title: string;
  /** For an operator: what happened. */
  readonly means: string;
  /** What shows it, and what tells it from the causes it is mistaken for. */
  readonly evidence: string;
  /** The first thing to do. */
  readonly lookFirst: string;
  readonly equivalents: PeerCodes;
}

export interface Cause extends Omit<Row, "equivalents"> {
  readonly id: CauseId;
  readonly equivalents: Equivalents;
}

const TABLE = {
  "client.abort_wait": {
    party: "client",
    status: 0,
    proxyStatus: null,
    retryClass: "RX",
    title: "Client left while waiting",
    means: "The client closed its connection before a response head had been sent to it, so the attempt was cancelled.",
    evidence:
      "The client's socket closed while an attempt was pending or being prepared. A FIN alone is not enough: a client that half-closes after its request still gets its answer.",
    lookFirst:
      "Compare how long these clients waited with the usual time to first byte. Many of them near one duration mean a timeout in front of you, or an origin that has become slow.",
    equivalents: {
      envoy: ["DC"],
      haproxy: ["CC", "CH", "CQ"],
      nginx: ["499", "client prematurely closed connection"],
      cloudflare: ["499"],
      alb: ["460"],
      google: ["client_disconnected_before_any_response"],
    },
  },
  "client.abort_body": {
    party: "client",
    status: 0,
    proxyStatus: null,
    retryClass: "RX",
    title: "Client left during a body",
    means: "The client closed its connection while its request body or the response body was under way.",
    evidence:
      "The client's socket closed or was reset after the first body byte and before the last. The origin's connection was healthy at that moment; otherwise the origin's failure is the cause.",
    lookFirst:
      "Usually nothing: people close tabs and stop downloads. Look closer when one route or one size stands out.",
    equivalents: {
      envoy: ["DC"],
      haproxy: ["CD"],
      nginx: ["499", "client prematurely closed connection"],
      cloudflare: ["499"],
      alb: ["460"],
      google: ["client_disconnected_after_partial_response"],
    },
  },
  "client.slow": {
    party: "client",
    status: 408,
    proxyStatus: "http_request_error",
    retryClass: "RX",
    title: "Client too slow",
    means:
      "The client did not finish its request head in time, paused too long inside its request body, or stopped taking the response.",
    evidence:
      "A limit on the client's side ran out while the gateway was waiting for the client and not for an origin. Told from origin.write_stall by who was not moving: here the gateway had room for more bytes, or had bytes to give.",
    lookFirst:
      "See whether few addresses hold many connections (an attack that trickles heads) or many addresses hold one each (bad mobile links, for which the limits may be too tight).",
    equivalents: {
      envoy: ["SI"],
      haproxy: ["cR", "cH", "cD"],
      nginx: ["408"],
      cloudflare: ["408"],
      alb: ["408"],
      google: ["client_timed_out"],
    },
  },
  "client.bad_request": {
    party: "client",
    status: 400,
    proxyStatus: "http_request_error",
    retryClass: "RX",
    title: "Malformed or oversized request",
    means:
      "The request breaks the rules of HTTP, is ambiguous, or exceeds a limit on heads. It was refused and the connection closed; no origin saw it.",
    evidence:
      "The parser stopped with a reason id, which stands in the record. The status is the reason's own and may be 414, 417, 431, 501 or 505 instead of 400.",
    lookFirst:
      "Read the reason id and the client's address. Two framings, odd lengths and bare line ends from one address are smuggling probes; one client of your own is a bug to report.",
    equivalents: {
      envoy: ["DPE", "IH"],
      haproxy: ["PR"],
      nginx: ["400", "414", "494"],
      cloudflare: ["400"],
      alb: ["400", "501", "505"],
      google: ["invalid_request_headers", "invalid_chunk_framing", "malformed_chunked_body", "headers_too_long"],
    },
  },
  "client.tls_not_tls": {
    party: "client",
    status: 400,
    proxyStatus: "http_request_error",
    retryClass: "RX",
    title: "No TLS on a port for TLS",
    means:
      "The client connected to a listener with TLS and sent something else, or a handshake that cannot be read. Whoever spoke plain HTTP got an answer that says so.",
    evidence:
      "The first bytes are in the evidence. A handshake that was understood and led to nothing is client.tls_no_shared; one that stopped in the middle is client.tls_left.",
    lookFirst:
      "Look for a link, a health check or a proxy that says http:// with this port. Many addresses with odd bytes are scanners, and nothing to repair.",
    equivalents: { nginx: ["497"] },
  },
  "client.tls_no_shared": {
    party: "client",
    status: 0,
    proxyStatus: null,
    retryClass: "RX",
    title: "TLS without common ground",
    means: "Client and listener share no version, cipher, signature or protocol of TLS, so no connection came about.",
    evidence:
      "OpenSSL's reason and the newest version that the client offered are in the evidence. A client that refuses on its side is client.tls_alert.",
    lookFirst:
      "See what the client offers: versions below `tls.minVersion` are refused on purpose. One client of your own needs an update; a certificate of another kind of key helps old ones.",
    equivalents: {},
  },
  "client.tls_unknown_name": {
    party: "client",
    status: 0,
    proxyStatus: null,
    retryClass: "RX",
    title: "TLS for a name that is not here",
    means: "The client asked for a name that no certificate of the listener is for, and `tls.strictSni` refuses that.",
    evidence:
      "The name is in the evidence; empty, when the client asked for none. The alert unrecognized_name was sent.",
    lookFirst:
      "If the name is yours, add a certificate for it. Otherwise somebody's DNS leads here, or a scanner asks by address.",
    equivalents: {},
  },
  "client.tls_certificate": {
    party: "client",
    status: 403,
    proxyStatus: "http_request_denied",
    retryClass: "RX",
    title: "Client certificate missing or wrong",
    means:
      "The name that was asked for is only for clients with a certificate (`tls.clientCertificates`), and this one showed none, or one that is not believed. Nothing was read but, over HTTP/2, the head of the request that the answer is for.",
    evidence: "OpenSSL's reason is in the evidence: expired, from another authority, not for clients.",
    lookFirst: "Compare the issuer of the client's certificate with the file under `ca`, and its dates with the clock.",
    equivalents: { nginx: ["495", "496"], google: ["client_cert_not_provided", "client_cert_validation_failed"] },
  },
  "client.tls_misdirected": {
    party: "client",
    status: 421,
    proxyStatus: "http_request_error",
    retryClass: "RX",
    title: "Asked over another name's connection",
    means:
      "The request is for a host that has its own rule for clients' certificates (`tls.clientCertificates`), and the connection was made for a name with another rule or none. It was refused with 421, so that the client connects anew.",
    evidence:
      "Both names are in the evidence. A client that shows no certificate at all to the right name is client.tls_certificate.",
    lookFirst:
      "Usually nothing: browsers use one connection for several names of a certificate and come back by themselves (RFC 9110 §15.5.20). From a program of your own: let it send the name that it asks for.",
    equivalents: {},
  },
  "client.tls_alert": {
    party: "client",
    status: 0,
    proxyStatus: null,
    retryClass: "RX",
    title: "Client refused the handshake",
    means:
      "The client ended the handshake with an alert: usually it does not believe the certificate that it was shown.",
    evidence:
      "The alert's name is in the evidence. unknown_ca, bad_certificate and certificate_unknown are about the certificate here; the others say that the client found no common ground.",
    lookFirst:
      "Open the name in a browser or with `openssl s_client -connect HOST:PORT -servername NAME`. An intermediate certificate that is missing in the file is the usual reason.",
    equivalents: {},
  },
  "client.tls_left": {
    party: "client",
    status: 0,
    proxyStatus: null,
    retryClass: "RX",
    title: "Client left in the handshake",
    means: "The client closed or reset its connection before the TLS handshake was done, without saying why.",
    evidence:
      "FIN or RST came before the end of the handshake. With an alert it is client.tls_alert; without an end it is client.tls_slow.",
    lookFirst:
      "Usually nothing: health checks of balancers open and close ports, and browsers open connections that they do not use.",
    equivalents: {},
  },
  "client.tls_slow": {
    party: "client",
    status: 0,
    proxyStatus: null,
    retryClass: "RX",
    title: "Handshake not done in time",
    means: "The client did not finish its TLS handshake within `timeouts.handshake`.",
    evidence: "How far it came is in the evidence. After the handshake, a request that does not come is client.slow.",
    lookFirst:
      "Many connections of few addresses that say nothing are an attack on connections. Many addresses at once point at a path that loses large packets, or at this machine being busy.",
    equivalents: {},
  },
  "client.rate_limited": {
    party: "client",
    status: 429,
    proxyStatus: "http_request_denied",
    retryClass: "RX",
    title: "Rate limit reached",
    means: "The client, or all clients of the route together, asked for more than the route's `rateLimit` allows.",
    evidence:
      "A configured limit was used up; its name and figures stand in the evidence. Told from client.flood by who set the bound: here the operator did, and no origin was asked in either.",
    lookFirst:
      "Look at the clients that meet it. A fair one needs a higher `burst` or `rate`; try a new limit with `shadow: true` first.",
    equivalents: {
      envoy: ["RL"],
      haproxy: ["PR"],
      nginx: ["limiting requests"],
      cloudflare: ["1015"],
      google: ["throttled_by_security_policy"],
    },
  },
  "client.flood": {
    party: "client",
    status: 429,
    proxyStatus: "http_request_denied",
    retryClass: "RX",
    title: "Held back as a flood",
    means:
      "One client held far more connections, or asked far more often, than all others, and was refused for a while so that the others are served.",
    evidence:
      "The rule that refused stands in the evidence with its figures: `flood.…` for requests, `limits.connectionsPerClient` for connections, `http2.…` for what one HTTP/2 connection may do (resets, frames that ask for nothing, requests at once). A limit that the operator set on a route is client.rate_limited.",
    lookFirst:
      "Look at who it was. Put your own batches, probes and partners under `trusted`, and the addresses of a proxy in front under `trustedProxies`: behind one, all clients look like one.",
    equivalents: {
      envoy: ["RL"],
      haproxy: ["PR"],
      nginx: ["limiting connections"],
      cloudflare: ["1015"],
      google: ["banned_by_security_policy"],
    },
  },
  "client.not_proxied": {
    party: "client",
    status: 0,
    proxyStatus: null,
    retryClass: "RX",
    title: "Came round the load balancer",
    means:
      "The listener expects the PROXY protocol, and this peer is none of its `trustedProxies`: it was turned away before it could say anything.",
    evidence:
      "The peer's address, looked at when it connected. A peer that is trusted and sends no header, or a bad one, would be gw.proxy_header.",
    lookFirst:
      "If the address is your load balancer's, add it to `trustedProxies`. If it is a client's, close the port to everybody but the load balancer.",
    equivalents: {},
  },
  "client.key_missing": {
    party: "client",
    status: 400,
    proxyStatus: "http_request_error",
    retryClass: "RX",
    title: "Idempotency-Key missing",
    means: "The route requires an Idempotency-Key in requests like this one, and there was none. No origin saw it.",
    evidence:
      "The method is not idempotent, the route says `idempotencyKey: required`, and the field is not there. A key that cannot be read is client.key_malformed.",
    lookFirst: "Find the client that sends no key. Until it is repaired the route can say `honour` instead.",
    equivalents: {},
  },
  "client.key_malformed": {
    party: "client",
    status: 400,
    proxyStatus: "http_request_error",
    retryClass: "RX",
    title: "Idempotency-Key unreadable",
    means:
      "The Idempotency-Key is empty, longer than 255 characters, there twice, or written so that two readers could take it for different keys. No origin saw the request.",
    evidence: "The evidence says what is wrong with it. A key that is not there at all is client.key_missing.",
    lookFirst: 'Let the client send one key in quotes or bare, such as `Idempotency-Key: "8e03978e-40d5-43dd"`.',
    equivalents: {},
  },
  "client.key_reused": {
    party: "client",
    status: 422,
    proxyStatus: "http_request_error",
    retryClass: "RX",
    title: "Idempotency-Key of another request",
    means:
      "The key was used before with another method, target or body, so it cannot mean this request. No origin saw it.",
    evidence:
      "The fingerprints differ; the evidence names the request that the key belongs to. With the same fingerprint it would have been answered again, or be client.key_in_flight.",
    lookFirst:
      "Find out whether the client reuses keys, or builds a body that differs each time (a timestamp, the order of fields).",
    equivalents: {},
  },
  "client.key_in_flight": {
    party: "client",
    status: 409,
    proxyStatus: "http_request_error",
    retryClass: "RX",
    title: "Same Idempotency-Key under way",
    means:
      "Another request with the same key was still under way after this one had waited for it, or too many waited already. It was not sent a second time.",
    evidence:
      "The first one has neither been answered nor failed. When its fate is unknown for good the cause is origin.uncertain instead.",
    lookFirst: "Look at the first request: usually its origin is slow, and the client's own timeout is shorter.",
    equivalents: {},
  },
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
  "net.unroutable": {
    party: "network",
    status: 502,
    proxyStatus: "destination_ip_unroutable",
    retryClass: "R0",
    title: "No way to the address",
    means: "The network says that there is no way to the origin's address.",
    evidence:
      "ENETUNREACH within milliseconds (no route), or EHOSTUNREACH after about three seconds (the machine does not answer on its own network). Silence would be net.connect_timeout.",
    lookFirst:
      "Try the other address family and the routes of this machine; then whether the origin's machine exists at all.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC", "EUNREACH"],
      nginx: ["connect() failed (113: No route to host)", "connect() failed (101: Network is unreachable)"],
      cloudflare: ["523"],
      alb: ["502"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "net.connect_timeout": {
    party: "network",
    status: 504,
    proxyStatus: "connection_timeout",
    retryClass: "R0",
    title: "Connecting took too long",
    means: "The origin's address did not answer the attempt to connect. Nothing of the request was sent.",
    evidence:
      "No connection by the deadline and no error either. A firewall that drops and an origin whose queue for new connections is full look the same from here; a closed port would be origin.refused.",
    lookFirst:
      "Does the machine answer on another port? Then look at the origin's firewall and at its accept queue (ListenOverflows). If it answers nowhere, it is the path or the machine.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["sC"],
      nginx: ["upstream timed out (110: Connection timed out) while connecting to upstream"],
      cloudflare: ["522"],
      alb: ["504"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "net.half_open": {
    party: "network",
    status: 504,
    proxyStatus: "connection_read_timeout",
    retryClass: "R1",
    title: "Idle connection silently dropped",
    means:
      "A connection that had been idle swallowed the request: something between dropped it without telling either end.",
    evidence:
      "A reused connection with a long idle time, no byte and no error until the deadline, while new connections to the same address work. Told from origin.ttfb_timeout by that comparison.",
    lookFirst:
      "Find the device between that forgets idle connections (often at 350 s or less) and keep `connections.idle` below it.",
    equivalents: {
      envoy: ["UT"],
      haproxy: ["sH", "sD"],
      nginx: ["upstream timed out (110: Connection timed out) while reading response header from upstream"],
      cloudflare: ["522", "524"],
      alb: ["504"],
      google: ["backend_timeout"],
    },
  },
  "net.mid_reset": {
    party: "network",
    status: 502,
    proxyStatus: "connection_terminated",
    retryClass: "R2",
    title: "Reset during the response",
    means:
      "The connection was reset while the response was under way, by the path or by a crashing origin; the client's copy was cut, too, unless another origin could go on with it.",
    evidence:
      "RST (ECONNRESET while reading) after response bytes and before the framing said that all had come. A FIN at that point is origin.truncated.",
    lookFirst:
      "If the origin's log shows these requests as complete, look at the path; if it shows nothing or a crash, at the origin.",
    equivalents: {
      envoy: ["UC", "UR"],
      haproxy: ["SD", "ERESET"],
      nginx: ["recv() failed (104: Connection reset by peer) while reading upstream"],
      cloudflare: ["520"],
      alb: ["502"],
      google: ["backend_connection_closed_after_partial_response_sent"],
    },
  },
  "tls.not_tls": {
    party: "configuration",
    status: 502,
    proxyStatus: "tls_protocol_error",
    retryClass: "R0",
    title: "Origin does not speak TLS",
    means: "The origin's URL says `https`, and what answered there does not speak TLS: usually plain HTTP.",
    evidence:
      "The first bytes that came back in the handshake are no record of TLS. One that speaks plain HTTP and waits for more ends in tls.handshake_timeout instead, one that closes in tls.handshake_closed; the probe ladder tells them apart by asking without TLS.",
    lookFirst: "Compare scheme and port of the origin with what it listens on; `http://` is for plain ports.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC", "SSL_HANDSHAKE"],
      nginx: ["SSL_do_handshake() failed"],
      cloudflare: ["525"],
      alb: ["502"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "tls.alert": {
    party: "origin",
    status: 502,
    proxyStatus: "tls_alert_received",
    retryClass: "R0",
    title: "Origin refused the TLS handshake",
    means: "The origin ended the handshake with an alert: it does not want to speak TLS in this way.",
    evidence:
      "The alert's name and number stand in the evidence (RFC 8446 §6). handshake_failure and protocol_version mean nothing in common, unrecognized_name a name that it does not serve. Alerts about our own certificate are tls.client_cert.",
    lookFirst:
      "Look up the alert. For unrecognized_name set `tls.serverName`; for protocol_version compare `tls.minVersion` with what the origin offers; an old origin that says handshake_failure may want a client certificate.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC", "SSL_HANDSHAKE"],
      nginx: ["SSL_do_handshake() failed"],
      cloudflare: ["525"],
      alb: ["502"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "tls.protocol": {
    party: "configuration",
    status: 502,
    proxyStatus: "tls_protocol_error",
    retryClass: "R0",
    title: "No TLS in common with the origin",
    means:
      "The origin speaks TLS, and this gateway ended the handshake: the version, the keys or a message of the origin's are not what it accepts.",
    evidence:
      "OpenSSL's word for what was wrong stands in the evidence, and no alert came. Bytes that are no TLS at all are tls.not_tls; a certificate that was not accepted is one of tls.cert_time, tls.cert_trust, tls.cert_name, tls.cert_pin.",
    lookFirst:
      "Compare `tls.minVersion` with the versions that the origin offers, and renew keys that are shorter than 2048 bits.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC", "SSL_HANDSHAKE"],
      nginx: ["SSL_do_handshake() failed"],
      cloudflare: ["525"],
      alb: ["502"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "tls.handshake_timeout": {
    party: "origin",
    status: 504,
    proxyStatus: "connection_timeout",
    retryClass: "R0",
    title: "TLS handshake not done in time",
    means: "The TCP connection stood, and the TLS handshake was not over before `timeouts.handshake`.",
    evidence:
      "TCP connected and the handshake did not end. Silence before TCP is net.connect_timeout. A machine that is short of processor answers late; a path that drops large packets loses the certificates, which come in the largest; a plain port waits for a request.",
    lookFirst:
      "Compare with the origin's load. If small handshakes (resumed ones) work and full ones do not, look at packet sizes on the way (MTU).",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC", "SSL_TIMEOUT"],
      nginx: ["upstream timed out (110: Connection timed out) while SSL handshaking to upstream"],
      cloudflare: ["522", "525"],
      alb: ["504"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "tls.handshake_closed": {
    party: "origin",
    status: 502,
    proxyStatus: "tls_protocol_error",
    retryClass: "R0",
    title: "Origin hung up in the TLS handshake",
    means: "The origin closed or reset the connection in the middle of the TLS handshake, without an alert.",
    evidence:
      "FIN or RST between TCP being connected and the end of the handshake. With an alert it is tls.alert; a reset instead of the TCP connection is origin.refused.",
    lookFirst:
      "Ask for the name by hand: `openssl s_client -connect HOST:PORT -servername NAME`. Servers do this for names that they do not know, and some for a client certificate that is missing; behind a balancer it can be that nothing listens.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC", "SSL_EMPTY", "SSL_ABORT"],
      nginx: ["peer closed connection in SSL handshake"],
      cloudflare: ["525"],
      alb: ["502"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "tls.cert_time": {
    party: "origin",
    status: 502,
    proxyStatus: "tls_certificate_error",
    retryClass: "R0",
    title: "Origin's certificate is out of date",
    means: "The origin's certificate, or one above it, has expired or is not valid yet, by this machine's clock.",
    evidence:
      "The dates stand in the evidence. When certificates of several origins that have nothing in common fail like this at once, it is this machine's clock; one alone is that certificate.",
    lookFirst:
      "Renew the certificate and see that the server loaded it. If `goodgate doctor` says that the clock is off, set the clock first.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC", "SSL_CRT_FAIL"],
      nginx: ["upstream SSL certificate verify error"],
      cloudflare: ["526"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "tls.cert_trust": {
    party: "origin",
    status: 502,
    proxyStatus: "tls_certificate_error",
    retryClass: "R0",
    title: "Origin's certificate is not trusted",
    means: "The origin's certificate does not lead to an authority that is trusted here.",
    evidence:
      "OpenSSL's word stands in the evidence: self-signed, an issuer that is not known, a chain whose middle the server does not send. It may be right for a name and a time for which it is not trusted; those are tls.cert_name and tls.cert_time.",
    lookFirst:
      "If the authority is your own, name it under `tls.ca`. Otherwise let the server send the certificates between as well: `openssl s_client -showcerts`.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC", "SSL_CA_FAIL"],
      nginx: ["upstream SSL certificate verify error"],
      cloudflare: ["526"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "tls.cert_name": {
    party: "origin",
    status: 502,
    proxyStatus: "tls_certificate_error",
    retryClass: "R0",
    title: "Origin's certificate is for another name",
    means: "The origin proved to be somebody, and not the one that is wanted.",
    evidence:
      "A certificate that is trusted and in its time, whose names do not have the one that was asked for; both stand in the evidence. At an address that the name has left it is dns.stale_ip. After a change of the certificate it is the certificate, otherwise somebody else lives at that address now.",
    lookFirst:
      "Read the names. Your own under another name: set `tls.serverName`. A stranger's: look at the DNS records of the origin.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC", "SSL_MISMATCH_SNI"],
      nginx: ["upstream SSL certificate does not match"],
      cloudflare: ["526", "1013"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "tls.cert_pin": {
    party: "configuration",
    status: 502,
    proxyStatus: "tls_certificate_error",
    retryClass: "R0",
    title: "Origin's key is none of those pinned",
    means: "The origin's certificate is good, and neither its key nor one above it is among the `pins`.",
    evidence:
      "The key's pin stands in the evidence. It is either a new key that nobody pinned, or somebody between who has a certificate that is trusted.",
    lookFirst:
      "Compare the pin with what the people who run the origin say. Only then add it; keep a spare one pinned before keys change.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC"],
      cloudflare: ["526"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "tls.client_cert": {
    party: "configuration",
    status: 502,
    proxyStatus: "tls_alert_received",
    retryClass: "R0",
    title: "Origin wants another client certificate",
    means:
      "The origin asks for a certificate of this gateway and got none, or does not accept the one that it was shown.",
    evidence:
      "An alert about our certificate: certificate_required, bad_certificate, certificate_expired, unknown_ca and the like. In TLS 1.3 it comes after this side has finished the handshake, even after the request was handed over; the origin never takes a request before it is satisfied, so it is safe to send again.",
    lookFirst: "Name a certificate under `tls.clientCertificate`, or renew it; see that the origin trusts its issuer.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC", "SSL_HANDSHAKE"],
      nginx: ["SSL_do_handshake() failed"],
      cloudflare: ["520"],
      alb: ["502"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "tls.files": {
    party: "configuration",
    status: 502,
    proxyStatus: "tls_protocol_error",
    retryClass: "R0",
    title: "Certificate files cannot be used",
    means: "A file that is named under `tls` of the service or the pool cannot be read, or is not what it has to be.",
    evidence:
      "No connection was made. The file and what is wrong with it stand in the evidence. A start with such a file is refused; this is one that came with a change of the configuration.",
    lookFirst: "Repair the file or its rights; `goodgate doctor` looks at all of them.",
    equivalents: {},
  },
  "origin.uncertain": {
    party: "origin",
    status: 409,
    proxyStatus: "proxy_internal_response",
    retryClass: "RX",
    title: "May have been carried out before",
    means:
      "A request with this Idempotency-Key was sent before and never answered, so it may have been carried out. It was not sent again, because that could carry it out twice.",
    evidence:
      "The ledger has the key as uncertain: the origin broke off, answered too late, or the gateway was interrupted meanwhile. A request that is still under way is client.key_in_flight.",
    lookFirst:
      "Look in the origin's own records for the key, then settle it: `goodgate keys resolve KEY --executed` or `--not-executed`. Origins that honour the key themselves make this unnecessary (`idempotencyKey: { origins: honour }`).",
    equivalents: {},
  },
  "origin.refused": {
    party: "origin",
    status: 502,
    proxyStatus: "connection_refused",
    retryClass: "R0",
    title: "Connection refused",
    means: "The origin's machine answers but nothing listens on that port.",
    evidence:
      "ECONNREFUSED within a round trip. The machine is up and reachable: that is what tells it from every timeout.",
    lookFirst:
      "Is the process running, and on that port and address? A restart shows as a short burst that ends by itself.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC", "EREFUSED"],
      nginx: ["connect() failed (111: Connection refused)"],
      cloudflare: ["521"],
      alb: ["502"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "origin.socket_missing": {
    party: "origin",
    status: 502,
    proxyStatus: "connection_refused",
    retryClass: "R0",
    title: "No such Unix socket",
    means: "The origin is a Unix socket, and there is no file at its path.",
    evidence:
      "ENOENT when connecting. A file that is there and has no listener would be origin.refused; one that may not be opened, origin.socket_denied.",
    lookFirst:
      "Has the application started, and with this path? In a container the directory has to be shared with it under the same name.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC"],
    },
  },
  "origin.socket_denied": {
    party: "configuration",
    status: 502,
    proxyStatus: "connection_refused",
    retryClass: "R0",
    title: "Unix socket may not be opened",
    means: "The user that the gateway runs as may not connect to the origin's Unix socket.",
    evidence:
      "EACCES or EPERM when connecting: the file exists, or a directory on its path cannot be searched. A missing file would be origin.socket_missing.",
    lookFirst:
      "Compare the owner, the group and the mode of the file and of its directories with the gateway's user: connecting takes write permission.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC"],
    },
  },
  "origin.socket_full": {
    party: "overload",
    status: 503,
    proxyStatus: "connection_limit_reached",
    retryClass: "R0",
    title: "Queue of the Unix socket is full",
    means: "The origin does not accept connections as fast as they come: its Unix socket has no room for another.",
    evidence:
      "EAGAIN when connecting. A Unix socket says at once what a TCP port would say by silence (net.connect_timeout).",
    lookFirst:
      "Look whether the application is stuck or has too few workers; then at its backlog and at net.core.somaxconn, which bounds it.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC"],
    },
  },
  "origin.keepalive_race": {
    party: "configuration",
    status: 502,
    proxyStatus: "connection_terminated",
    retryClass: "R1",
    title: "Idle connection reused too late",
    means:
      "The origin closed an idle connection at the very moment at which the gateway used it again. Neither is broken: their idle times are too close together.",
    evidence:
      "The connection was reused and idle before, ended by FIN or RST before any response byte and within about a round trip, while new connections work. More frequent when traffic is low. On a new connection it would be origin.reset_before_response.",
    lookFirst:
      "Give the origin a longer idle timeout than the gateway's, or lower `connections.idle` to a second or two below the origin's. The gateway also learns it and retires connections earlier.",
    equivalents: {
      envoy: ["UC"],
      haproxy: ["SH"],
      nginx: [
        "upstream prematurely closed connection while reading response header from upstream",
        "recv() failed (104: Connection reset by peer) while reading response header from upstream",
      ],
      cloudflare: ["520"],
      alb: ["502"],
      google: ["backend_connection_closed_before_data_sent_to_client"],
    },
  },
  "origin.reset_before_response": {
    party: "origin",
    status: 502,
    proxyStatus: "connection_terminated",
    retryClass: "R1",
    title: "Closed without a response",
    means: "The origin accepted the connection and the request, then closed or reset it without one byte of response.",
    evidence:
      "FIN or RST after connecting and before any response byte, on a new connection or one that was too busy to have gone stale. On an idle one it is origin.keepalive_race.",
    lookFirst:
      "Look for crashes and out-of-memory kills at that time. If one path or body repeats, that request kills the process.",
    equivalents: {
      envoy: ["UC", "UR"],
      haproxy: ["SH"],
      nginx: [
        "upstream prematurely closed connection while reading response header from upstream",
        "recv() failed (104: Connection reset by peer) while reading response header from upstream",
      ],
      cloudflare: ["520"],
      alb: ["502"],
      google: ["backend_connection_closed_before_data_sent_to_client"],
    },
  },
  "origin.truncated": {
    party: "origin",
    status: 502,
    proxyStatus: "http_response_incomplete",
    retryClass: "R2",
    title: "Response cut short",
    means:
      "The origin closed the connection, or ended the stream, before the response was complete by its own framing. The client's copy was cut visibly, too, unless another origin could go on with it.",
    evidence:
      "A clean FIN inside the head, before Content-Length was reached, or before the last chunk; over HTTP/2 also END_STREAM before Content-Length was reached, with the connection still there. An RST instead is net.mid_reset, an RST_STREAM origin.h2_reset.",
    lookFirst:
      "Look for a crash, a worker time limit or a proxy behind the origin at that moment; equal lengths point to a limit.",
    equivalents: {
      envoy: ["UC"],
      haproxy: ["SD"],
      nginx: ["upstream prematurely closed connection while reading upstream"],
      cloudflare: ["502", "520"],
      alb: ["504"],
      google: ["backend_connection_closed_after_partial_response_sent"],
    },
  },
  "origin.truncated_unframed": {
    party: "origin",
    status: 502,
    proxyStatus: "http_response_incomplete",
    retryClass: "R2",
    title: "Unframed response cut by an error",
    means:
      "The response had neither a length nor chunks, so only an orderly close could have ended it, and the connection failed instead. What came may be a part.",
    evidence:
      "A close-delimited response (RFC 9112 §6.3) whose connection ended by an error. An orderly FIN would have completed it (RFC 9112 §8).",
    lookFirst:
      "Make the origin send Content-Length or chunked: without either nobody can tell a short answer from a complete one.",
    equivalents: {
      envoy: ["UC"],
      haproxy: ["SD"],
      nginx: ["recv() failed (104: Connection reset by peer) while reading upstream"],
      google: ["backend_connection_closed_after_partial_response_sent"],
    },
  },
  "origin.malformed": {
    party: "origin",
    status: 502,
    proxyStatus: "http_protocol_error",
    retryClass: "R2",
    title: "Response is not HTTP/1.1",
    means: "The origin answered with something that is not a well-formed HTTP/1.1 response head.",
    evidence:
      "The parser stopped in the status line or in a field, with a reason id that stands in the record. Trouble with lengths and chunks is origin.framing.",
    lookFirst:
      "Read the reason id. Another protocol's first bytes mean a wrong port; TLS needs `https` in the origin's URL.",
    equivalents: {
      envoy: ["UPE"],
      haproxy: ["PH"],
      nginx: ["upstream sent invalid header", "upstream sent no valid HTTP/1.0 header"],
      cloudflare: ["520"],
      alb: ["502"],
      google: ["backend_response_corrupted"],
    },
  },
  "origin.framing": {
    party: "origin",
    status: 502,
    proxyStatus: "http_response_transfer_coding",
    retryClass: "R2",
    title: "Response framing is ambiguous",
    means:
      "The origin's response says in two ways, or in an impossible way, where it ends. It was refused, because another reader might see another end.",
    evidence:
      "Content-Length beside Transfer-Encoding, unequal or invalid lengths, a bad chunk, or bytes after the end of the message. The reason id says which. The connection is never used again.",
    lookFirst:
      "Treat it as a security matter: find out which component writes that head, and whether what clients send can shape it.",
    equivalents: {
      envoy: ["UPE"],
      haproxy: ["PD", "PH"],
      nginx: [
        "upstream sent invalid chunked response",
        'upstream sent more data than specified in "Content-Length"',
        "upstream sent data after final chunk",
        "upstream sent data after trailers",
        "upstream sent duplicate header line",
        "upstream sent invalid trailer",
      ],
      cloudflare: ["520"],
      alb: ["502"],
      google: ["backend_response_corrupted"],
    },
  },
  "origin.header_too_big": {
    party: "origin",
    status: 502,
    proxyStatus: "http_response_header_section_size",
    retryClass: "RX",
    title: "Response head too big",
    means: "The origin's response head has more bytes or fields than the service allows.",
    evidence:
      "A limit of the service's `heads` was reached while reading the response. It repeats for the same user or path while others are fine.",
    lookFirst:
      "Look for cookies or policy fields that have grown, and raise the limit of that service if the size is right.",
    equivalents: {
      envoy: ["UPE"],
      haproxy: ["PH"],
      nginx: ["upstream sent too big header", "upstream sent too big trailers"],
      cloudflare: ["520"],
      alb: ["502"],
      google: ["backend_response_headers_too_long"],
    },
  },
  "origin.ttfb_timeout": {
    party: "origin",
    status: 504,
    proxyStatus: "http_response_timeout",
    retryClass: "R1",
    title: "No response in time",
    means: "The origin took the whole request and sent no response byte before the limit for the first byte.",
    evidence:
      "Connected, request handed over, nothing received by the deadline, and the gateway's own loop was free. One slow route points to a query; all routes of one origin to a paused process.",
    lookFirst: "Split by route and by origin. If the route is slow by nature, raise `timeouts.firstByte` for it.",
    equivalents: {
      envoy: ["UT"],
      haproxy: ["sH"],
      nginx: ["upstream timed out (110: Connection timed out) while reading response header from upstream"],
      cloudflare: ["524"],
      alb: ["504"],
      google: ["backend_timeout"],
    },
  },
  "origin.deadline": {
    party: "origin",
    status: 504,
    proxyStatus: "http_response_timeout",
    retryClass: "RX",
    title: "No response before the deadline",
    means:
      "An origin had the request and had not begun to answer when the time was over that the client (`X-Request-Timeout`, `grpc-timeout`) or the route (`deadline`) allows.",
    evidence:
      "The record says whose time it was and how long the origin had of it. The limit of the route for the first byte had not run out; that is origin.ttfb_timeout. It does not count as a failure of the origin, because anybody may ask for an answer in a millisecond.",
    lookFirst:
      "Compare the time that was allowed with what the route usually takes. If it is shorter, the deadline is wrong; if the origin was slower than usual, look there.",
    equivalents: { envoy: ["UMSDR", "DT"], haproxy: ["sH"], google: ["backend_timeout"] },
  },
  "origin.poison": {
    party: "origin",
    status: 503,
    proxyStatus: "proxy_internal_response",
    retryClass: "RX",
    title: "Kept away: requests like it break origins",
    means:
      "Requests with the same method, route, path, query and beginning of a body broke the connection to two origins within a minute, and none of them succeeded; or they kept two origins so busy that nobody else was answered there. Until the time in Retry-After they are refused here, so that the next origin is not broken too.",
    evidence:
      "The record names the origins, and which of the two happened. Each break on its own was origin.reset_before_response. A crash counts only in part for each of the requests that it hit, and one success clears a request, so those that were merely there are not refused.",
    lookFirst:
      "Take the request from the record and run it against an origin that nobody uses: it crashes, closes the connection on purpose, or keeps the process busy. `poison: false` on the service switches this off.",
    equivalents: {},
  },
  "origin.stall_mid_body": {
    party: "origin",
    status: 504,
    proxyStatus: "connection_read_timeout",
    retryClass: "R2",
    title: "Response stopped half-way",
    means: "The origin began a response and then sent nothing more for longer than the limit between bytes.",
    evidence:
      "Response bytes came, then silence while the gateway was reading. Silence because the client does not take bytes is client.slow.",
    lookFirst:
      "For streams that pause on purpose, raise `timeouts.gap` on that route. If it always stops near one size, suspect the path's packet size.",
    equivalents: {
      envoy: ["UT", "SI"],
      haproxy: ["sD"],
      nginx: ["upstream timed out (110: Connection timed out) while reading upstream"],
      cloudflare: ["524"],
      alb: ["504"],
      google: ["backend_timeout"],
    },
  },
  "origin.write_stall": {
    party: "origin",
    status: 504,
    proxyStatus: "connection_write_timeout",
    retryClass: "R1",
    title: "Origin does not take the request",
    means: "The origin accepted the connection but stopped reading the request.",
    evidence:
      "Bytes of the request waited in the gateway and the origin's socket took none until the deadline, while the client had delivered. Silence after a complete request is origin.ttfb_timeout.",
    lookFirst: "Look for a paused or blocked process at the origin (garbage collection, a lock, a stopped container).",
    equivalents: {
      envoy: ["UT"],
      haproxy: ["sH"],
      nginx: ["upstream timed out (110: Connection timed out) while sending request to upstream"],
      cloudflare: ["524"],
      alb: ["504"],
      google: ["backend_timeout"],
    },
  },
  "origin.early_reply": {
    party: "origin",
    status: 0,
    proxyStatus: null,
    retryClass: "RX",
    title: "Answered before the upload ended",
    means:
      "The origin sent its final response while the request body was still coming. The response was delivered and the rest of the upload dropped.",
    evidence:
      "A complete response head before the last byte of the request body. A reset that follows belongs to it and is not a failure of its own.",
    lookFirst:
      "Read the origin's status: 401, 413 or 429 is a considered refusal. A client can send `Expect: 100-continue` to spare itself the upload.",
    equivalents: {
      google: ["backend_early_response_with_non_error_status", "aborted_request_due_to_backend_early_response"],
    },
  },
  "origin.app_5xx": {
    party: "origin",
    status: 0,
    proxyStatus: null,
    retryClass: "R2",
    title: "Origin's own error",
    means:
      "The origin's application answered with a complete 5xx response of its own. It was passed on untouched, unless another origin had a better answer.",
    evidence:
      "An origin status of 500 or above in a well-formed, complete response without marks of another gateway (those make it origin.nested_gw_5xx).",
    lookFirst: "The application's log, with the request id that was passed on to it. Then split by route and version.",
    equivalents: { haproxy: ["--"], cloudflare: ["502", "504"], google: ["response_sent_by_backend"] },
  },
  "origin.nested_gw_5xx": {
    party: "origin",
    status: 0,
    proxyStatus: null,
    retryClass: "R2",
    title: "Another gateway's error",
    means:
      "A gateway behind this one answered 502, 503 or 504 for an origin of its own. It was passed on, and the fault lies further back.",
    evidence:
      "That status together with the marks of an intermediary: Via, Proxy-Status, or a Server field that names one.",
    lookFirst: "The Proxy-Status or Via field of that response names the hop; read that hop's log.",
    equivalents: { haproxy: ["--"], cloudflare: ["502", "504"], google: ["response_sent_by_backend"] },
  },
  "origin.overload_reply": {
    party: "overload",
    status: 0,
    proxyStatus: null,
    retryClass: "RX",
    title: "Origin says it is overloaded",
    means: "The origin turned the request away on purpose and said when to come back. It was passed on.",
    evidence: "A 503 or 429 with Retry-After from the origin, usually fast. A 503 without it counts as origin.app_5xx.",
    lookFirst: "Add capacity or lower the rate. Do not repeat these requests: it makes the overload last.",
    equivalents: { haproxy: ["--"], google: ["response_sent_by_backend"] },
  },
  "origin.all_unhealthy": {
    party: "origin",
    status: 503,
    proxyStatus: "destination_unavailable",
    retryClass: "R0",
    title: "No origin left to try",
    means:
      "No origin of the route's pools could be picked: none has an address, or all that have one were tried for this request.",
    evidence:
      "The pick step came back empty. Failing checks alone never cause it, because then all origins are used again; each origin's own reason stands in the status view.",
    lookFirst:
      "`goodgate status` lists why each origin is out. If checks fail while traffic succeeds, the check is wrong.",
    equivalents: {
      envoy: ["UH"],
      haproxy: ["SC"],
      nginx: ["no live upstreams"],
      alb: ["503"],
      google: ["failed_to_pick_backend"],
    },
  },
  "origin.resume_mismatch": {
    party: "configuration",
    status: 0,
    proxyStatus: null,
    retryClass: "RX",
    title: "Origins differ about a body",
    means:
      "A response had broken in its body, and an origin that was asked for the rest has other bytes under that name, or none. Nothing of its answer was used.",
    evidence:
      "The answer to a Range with If-Range was not the missing part of the same representation: another ETag or Last-Modified, another length, another status. The break itself is the cause of the attempt before it, often net.mid_reset or origin.truncated.",
    lookFirst:
      "Ask both origins for that path and compare ETag. Tags made of an inode or a start time differ on each machine: make them of the content. Otherwise a deploy is half done.",
    equivalents: {},
  },
  "origin.h2_refused": {
    party: "origin",
    status: 503,
    proxyStatus: "destination_unavailable",
    retryClass: "R0",
    title: "HTTP/2 stream refused unseen",
    means:
      "The origin turned the request away before it looked at it: by REFUSED_STREAM, or because it is leaving the connection (GOAWAY).",
    evidence:
      "RST_STREAM with REFUSED_STREAM, or a GOAWAY whose last stream is below this one (RFC 9113 §6.8, §8.7): the one case in which an origin says that nothing was done. A stream that is broken off for any other reason is origin.h2_reset. It does not count against the origin, because each deploy and each aged connection shows it.",
    lookFirst:
      "Nothing, if requests were repeated: origins leave connections when they stop, and after a number of requests. REFUSED_STREAM that lasts means more streams at once than the origin wants.",
    equivalents: { envoy: ["UR"] },
  },
  "origin.h2_handshake": {
    party: "configuration",
    status: 502,
    proxyStatus: "http_protocol_error",
    retryClass: "R0",
    title: "Origin does not speak HTTP/2",
    means:
      "The connection was made, and what came was not the beginning of HTTP/2, or nothing came. No request had been sent.",
    evidence:
      "No SETTINGS within three seconds, a close instead, or bytes that are no frame; an answer in HTTP/1.1 is told apart. A port that refuses connections is origin.refused.",
    lookFirst:
      "Compare the service's `http2` with what the port speaks: `curl --http2-prior-knowledge` shows it. For HTTP/1.1 leave `http2` out.",
    equivalents: { envoy: ["UF"] },
  },
  "origin.h2_reset": {
    party: "origin",
    status: 502,
    proxyStatus: "connection_terminated",
    retryClass: "R1",
    title: "Origin broke the stream off",
    means: "The origin ended one exchange with RST_STREAM before its response was complete. The connection goes on.",
    evidence:
      "RST_STREAM and its code: INTERNAL_ERROR is a crash of a handler, ENHANCE_YOUR_CALM a limit, CANCEL and NO_ERROR a server that gave up. The loss of a whole connection is net.mid_reset or origin.reset_before_response, and REFUSED_STREAM is origin.h2_refused.",
    lookFirst: "The origin's log at that moment, with the request id; the code says what kind of trouble it was in.",
    equivalents: { envoy: ["UR"] },
  },
  "origin.h2_protocol": {
    party: "origin",
    status: 502,
    proxyStatus: "http_protocol_error",
    retryClass: "R1",
    title: "Origin breaks HTTP/2",
    means:
      "The origin sent frames or fields that HTTP/2 does not allow. The stream was refused, or the whole connection where the breach concerns all of it.",
    evidence:
      "The evidence names the frame or the field, and the rule that it breaks. What is wrong in a response of HTTP/1.1 is origin.malformed or origin.framing.",
    lookFirst: "Report it to whoever makes that server, with the evidence; leave `http2` out until it is mended.",
    equivalents: { envoy: ["UPE"] },
  },
  "origin.grpc_error": {
    party: "origin",
    status: 0,
    proxyStatus: null,
    retryClass: "R2",
    title: "Origin's own gRPC error",
    means:
      "The origin ended a gRPC call with a status that says that it failed, or with none. It was passed on untouched, unless another origin had a better answer.",
    evidence:
      "`grpc-status` UNKNOWN, INTERNAL, UNAVAILABLE or DATA_LOSS, DEADLINE_EXCEEDED without a deadline, or an end without any. HTTP's status is 200 all the while. Others, UNIMPLEMENTED among them, are answers.",
    lookFirst: "The application's log, with the request id that was passed on to it; `grpc-message` often says why.",
    equivalents: { envoy: ["UR"] },
  },
  "origin.upgrade_failed": {
    party: "origin",
    status: 502,
    proxyStatus: "http_upgrade_failed",
    retryClass: "RX",
    title: "Protocol switch failed",
    means: "The origin agreed to switch protocols in a way that nobody asked for, so no tunnel could be built.",
    evidence:
      "A 101 to a request without Upgrade, or one that names another protocol (RFC 9110 §7.8). An origin that merely declines answers with another status, which is passed on.",
    lookFirst:
      "Compare the Upgrade fields of request and response; a proxy behind the origin may be adding or removing them.",
    equivalents: { envoy: ["UPE"], haproxy: ["PH"], cloudflare: ["520"], google: ["websocket_handshake_failed"] },
  },
} as const satisfies Record<string, Row>;

export type CauseId = keyof typeof TABLE;

export const CAUSES: Readonly<Record<CauseId, Cause>> = withIds();

export function causeOf(id: CauseId): Cause {
  return CAUSES[id];
}

/** For text from outside: a filter of the API, an argument of the CLI. */
export function isCauseId(text: string): text is CauseId {
  return Object.hasOwn(TABLE, text);
}

function withIds(): Record<CauseId, Cause> {
  const causes: Partial<Record<CauseId, Cause>> = {};
  for (const [id, row] of Object.entries(TABLE)) {
    const known = id as CauseId; // Object.entries widens the keys of TABLE, which are CauseId by definition.
    causes[known] = Object.freeze({ id: known, ...row, equivalents: everyPeer(row.equivalents) });
  }
  return Object.freeze(causes) as Record<CauseId, Cause>; // Every key of TABLE has just been set.
}

/** With an empty list for each gateway that has no code for it. */
export function everyPeer(codes: PeerCodes): Equivalents {
  return Object.freeze({ envoy: [], haproxy: [], nginx: [], cloudflare: [], alb: [], google: [], ...codes });
}
