/**
 * One rung of the probe ladder, as the control plane asks for it and net/probe-rungs.ts does it. Each ends within its
 * time limit, leaves nothing open and never rejects: that something does not work is what is wanted to know.
 */
import type { OriginSettings } from "../config/settings.ts";

export interface Rungs {
  /** What this machine asks for names without a configuration of its own: `/etc/hosts` when it has the name. */
  resolversFor(name: string): readonly string[];
  /** `resolver`: of `resolversFor`, or `ip` or `ip:port` as configured. */
  resolve(resolver: string, name: string, ms: number): Promise<Resolved>;
  connect(to: Endpoint, way: Way, ms: number): Promise<Seen>;
  /** A TLS handshake as the gateway does it, and nothing behind it. Of a way without TLS: a connection. */
  handshake(to: Endpoint, way: Way, ms: number): Promise<Seen>;
  /** A request on a connection of its own, without a body and without credentials of a client. */
  request(to: Endpoint, request: ProbeRequest, ms: number): Promise<Answered>;
}

export interface Endpoint {
  readonly ip: string;
  readonly family: 4 | 6;
  readonly port: number;
}

/** How an origin is to be spoken to, as configured: what leaves before all else, whether by TLS, which HTTP. */
export type Way = Pick<OriginSettings, "tls" | "proxyProtocol" | "http2">;

export const PLAIN_WAY: Way = { tls: null, proxyProtocol: 0, http2: "never" };

export interface ProbeRequest {
  readonly method: "GET" | "HEAD" | "OPTIONS";
  readonly target: string;
  readonly host: string;
  readonly way: Way;
  /** Beside Host, User-Agent and Connection; by lower-case name. */
  readonly fields: Readonly<Record<string, string>>;
  /** So much of the response's body is waited for; 0: its head is enough. */
  readonly bodyBytes: number;
}

export interface Seen {
  readonly ok: boolean;
  readonly ms: number;
  /** What was seen, for people. */
  readonly text: string;
  /** How it failed; empty when it did not. */
  readonly failure:
    | ""
    | "refused"
    | "silent"
    | "unroutable"
    | "cut"
    | "rubbish"
    | "absent"
    | "refused certificate"
    | "other";
}

export interface Resolved extends Seen {
  readonly addresses: readonly Omit<Endpoint, "port">[];
}

export interface Answered extends Seen {
  /** 0: none. */
  readonly status: number;
  /** Of the response's body that were waited for and came. */
  readonly bodyBytes: number;
  /** The Date field as it came; empty: there was none. */
  readonly date: string;
  /** Fields of the response that origins of one service have alike; by lower-case name. Left out: not looked at. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** What is compared of two origins' answers. Dates, tags and the names of servers differ between any two. */
export const ALIKE_FIELDS = [
  "content-type",
  "content-encoding",
  "cache-control",
  "strict-transport-security",
  "access-control-allow-origin",
] as const;
