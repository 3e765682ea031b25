/** A listener as its connections know it: what they share, and what becomes of one for which there is no place. */
import type { ListenerSettings } from "../config/settings.ts";
import type { Line } from "../kernel/line.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { Http2Connection } from "./http2-connection.ts";
import type { TrustedProxies } from "./identify.ts";

/** What all connections of one listener share. */
export interface ListenerRuntime {
  readonly name: string;
  settings: ListenerSettings;
  isTrusted: TrustedProxies;
  /** The gateway ends, or the listener has left the configuration: exchanges are finished, connections are not kept. */
  draining: boolean;
  /** Open connections, and streams of those that speak HTTP/2, so that a drain can find the idle ones. */
  readonly connections: Line<ClientConnection>;
  /** Connections that speak HTTP/2. */
  readonly sessions: Set<Http2Connection>;
  /** The client goes on in HTTP/2, from `[start, end)` on; so much of its preface has been read. */
  readonly handOver: HandOver;
}

export type HandOver = (
  connection: ClientConnection,
  prefaceSeen: number,
  bytes: Buffer,
  start: number,
  end: number,
) => void;

/** Null: it has its place. `all`: too many connections are open; `client`: too many of this client. */
export type Surplus = null | "all" | "client";
