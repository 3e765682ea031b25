import type { Address } from "./socket.ts";

/** What a name resolved to, or why it did not. Plain data; kept and shown. */
export interface Resolution {
  readonly name: string;
  /** Newest good answer, never emptied by a failure; empty only when there never was one. IPv6 and IPv4 mixed, `port` is 0. */
  readonly addresses: readonly Address[];
  /** Set while the last question failed; `addresses` is then the last good answer. */
  readonly failure: ResolutionFailure | null;
  /** Monotonic ms when `addresses` was learned; -1 when never. */
  readonly learnedAt: number;
}

export interface ResolutionFailure {
  /** A cause id of the `dns.*` or `gw.*` rows. */
  readonly cause: "dns.nxdomain" | "dns.servfail" | "dns.timeout" | "dns.empty_or_prohibited" | "gw.fd_exhausted";
  /** The resolver's own code (`ENOTFOUND`, `ESERVFAIL`, `ETIMEOUT`, `EMFILE`, …). */
  readonly code: string;
  /** Monotonic ms of the first failure in a row. */
  readonly since: number;
}

/**
 * Name resolution that never makes a request wait once a name is known. `peek` answers from memory;
 * refreshing happens beside the traffic, by TTL, and a failed refresh keeps the last good answer.
 */
export interface Resolver {
  /** The answer in memory, or null when the name has never been asked for. Does not touch the network. */
  peek(name: string): Resolution | null;
  /** Answers from memory when it can, otherwise asks. Calls back exactly once, possibly before returning. */
  resolve(name: string, done: (resolution: Resolution) => void): void;
  /** Keep refreshing this name by its TTL until `unwatch`; `onChange` hears every new set of addresses and every new failure. */
  watch(name: string, onChange: (resolution: Resolution) => void): () => void;
  close(): void;
}
