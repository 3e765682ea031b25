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
 *
 * The rows are in causes/, in a file for each place where a cause shows; here is what a row has to say.
 */
import { CLIENT_CAUSES } from "./causes/client.ts";
import { DNS_CAUSES } from "./causes/dns.ts";
import { GATEWAY_CAUSES } from "./causes/gateway.ts";
import { NETWORK_CAUSES } from "./causes/network.ts";
import { ORIGIN_CONNECTION_CAUSES } from "./causes/origin-connections.ts";
import { ORIGIN_PROTOCOL_CAUSES } from "./causes/origin-protocols.ts";
import { ORIGIN_RESPONSE_CAUSES } from "./causes/origin-responses.ts";
import { TLS_CAUSES } from "./causes/tls.ts";

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

export interface CauseRow {
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

export interface Cause extends Omit<CauseRow, "equivalents"> {
  readonly id: CauseId;
  readonly equivalents: Equivalents;
}

const TABLE = {
  ...CLIENT_CAUSES,
  ...GATEWAY_CAUSES,
  ...DNS_CAUSES,
  ...NETWORK_CAUSES,
  ...TLS_CAUSES,
  ...ORIGIN_CONNECTION_CAUSES,
  ...ORIGIN_RESPONSE_CAUSES,
  ...ORIGIN_PROTOCOL_CAUSES,
};

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
