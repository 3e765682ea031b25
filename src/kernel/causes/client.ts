/** What clients do: leave, send what is none, come too slowly or too often, and what their handshakes and keys come to. Rows of the table of causes (causes.ts). */
import type { CauseRow } from "../causes.ts";

export const CLIENT_CAUSES = {
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
} as const satisfies Record<string, CauseRow>;
