/**
 * One rung of the probe ladder, as the control plane asks for it and net/probe-rungs.ts does it. Each ends within its
 * time limit, leaves nothing open and never rejects: that something does not work is what is wanted to know.
 */
import type { OriginTls } from "../kernel/socket.ts";

export interface Rungs {
  /** What this machine asks for names without a configuration of its own: `/etc/hosts` when it has the name. */
  resolversFor(name: string): readonly string[];
  /** `resolver`: of `resolversFor`, or `ip` or `ip:port` as configured. */
  resolve(resolver: string, name: string, ms: number): Promise<Resolved>;
  connect(to: Endpoint, ms: number): Promise<Seen>;
  /** A TLS handshake as the gateway does it, and nothing behind it. */
  handshake(to: Endpoint, tls: OriginTls, ms: number): Promise<Seen>;
  /** A request on a connection of its own, without a body and without credentials. */
  request(to: Endpoint, request: ProbeRequest, ms: number): Promise<Answered>;
}

export interface Endpoint {
  readonly ip: string;
  readonly family: 4 | 6;
  readonly port: number;
}

export interface ProbeRequest {
  readonly method: "GET" | "HEAD";
  readonly target: string;
  readonly host: string;
  /** Null: in the clear. */
  readonly tls: OriginTls | null;
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
}
