/**
 * Questions to name servers through c-ares (`node:dns` Resolver): real sockets on the event loop, where
 * `getaddrinfo` would hold one of four threads for as long as a dead name server keeps silent.
 *
 * A c-ares channel of its own for each question to each server, though it costs 50 µs. Questions in one channel
 * share a socket and a fate: one answer that cannot be read fails all of them (measured), whatever name they
 * are for, and none can be taken back without the others. The failover between servers is here, too, because a
 * channel with several hides which of them failed and how, and that is what an operator wants to know. The
 * server that answered last is asked first, so a dead one costs its time limit once and not with every name.
 */
import { Resolver } from "node:dns";
import { isIPv6 } from "node:net";
import type { RecordWithTtl } from "node:dns";
import type { Schedule } from "../kernel/clock.ts";
import type { ResolutionFailure } from "../kernel/resolver.ts";

export type Family = 4 | 6;

export type FamilyAnswer =
  | { readonly kind: "addresses"; readonly ips: readonly string[]; readonly ttlMs: number }
  /** A name server answered, and the answer has no address: the name or this family does not exist. */
  | { readonly kind: "none"; readonly cause: "dns.nxdomain" | "dns.empty_or_prohibited"; readonly code: string }
  /** Nobody could say. */
  | {
      readonly kind: "failed";
      readonly cause: "dns.servfail" | "dns.timeout" | "gw.fd_exhausted";
      readonly code: string;
    };

export interface DnsClient {
  /**
   * Calls back exactly once, later, unless the client is closed first. `once`: no second packet for one that may be
   * lost. Nobody waits for a name whose questions failed before, and its servers have trouble enough.
   */
  ask(name: string, family: Family, done: (answer: FamilyAnswer) => void, once?: boolean): void;
  /** `ip`, `ip:port` or `[ipv6]:port`. Questions under way end with the servers they began with. */
  setServers(servers: readonly string[]): void;
  setTimeout(timeoutMs: number): void;
  close(): void;
}

export interface DnsClientOptions {
  readonly servers: readonly string[];
  /** For one server; then the next is asked. */
  readonly timeoutMs: number;
  readonly schedule: Schedule;
  /** See descriptors.ts. */
  readonly shortage: () => string | null;
}

/** A question may get lost, so it is asked again after a quarter and after three quarters of the time limit. */
const TRIES = 3;
const FIRST_TRY_RATIO = 0.25;
const ADDRESSES_MAX = 64;

export function createDnsClient(options: DnsClientOptions): DnsClient {
  const { schedule } = options;
  let { timeoutMs } = options;
  const asking = new Set<Resolver>();
  let servers = options.servers;
  let preferred = 0;
  let closed = false;
  // What is no address throws here, at the start, and not in the middle of a request.
  for (const server of servers) openChannel(server, timeoutMs, false);

  function ask(name: string, family: Family, done: (answer: FamilyAnswer) => void, once = false): void {
    const asked = servers;
    const first = preferred;
    let failure: FamilyAnswer | null = null;
    const askNext = (turn: number): void => {
      const index = (first + turn) % asked.length;
      const server = asked[index];
      if (server === undefined || turn === asked.length) {
        done(failure ?? { kind: "failed", cause: "dns.timeout", code: "ENOSERVER" });
        return;
      }
      askServer(server, name, family, once, (answer) => {
        if (answer.kind !== "failed") {
          if (asked === servers) preferred = index;
          done(answer);
          return;
        }
        failure = moreTelling(failure, answer);
        // Another server needs a descriptor just the same.
        if (answer.cause === "gw.fd_exhausted") done(answer);
        else askNext(turn + 1);
      });
    };
    askNext(0);
  }

  function askServer(
    server: string,
    name: string,
    family: Family,
    once: boolean,
    done: (answer: FamilyAnswer) => void,
  ): void {
    const channel = openChannel(server, timeoutMs, once);
    asking.add(channel);
    let late = false;
    const cancelTimer = schedule(timeoutMs, () => {
      late = true;
      // Comes back as an error at once.
      channel.cancel();
    });
    const onAnswer = (error: NodeJS.ErrnoException | null, records: readonly RecordWithTtl[]): void => {
      asking.delete(channel);
      cancelTimer();
      if (closed) return;
      if (error === null) done(toAnswer(records));
      else done(toFailure(late ? "ETIMEOUT" : (error.code ?? ""), options));
    };
    if (family === 4) channel.resolve4(name, { ttl: true }, onAnswer);
    else channel.resolve6(name, { ttl: true }, onAnswer);
  }

  return {
    ask,
    setServers(changed): void {
      servers = changed;
      preferred = 0;
    },
    setTimeout(changedMs): void {
      timeoutMs = changedMs;
    },
    close(): void {
      closed = true;
      for (const channel of asking) channel.cancel();
    },
  };
}

function openChannel(server: string, timeoutMs: number, once: boolean): Resolver {
  const channel = new Resolver({
    timeout: Math.max(1, Math.ceil(once ? timeoutMs : timeoutMs * FIRST_TRY_RATIO)),
    tries: once ? 1 : TRIES,
    maxTimeout: timeoutMs,
  });
  channel.setServers([isIPv6(server) ? `[${server}]` : server]);
  return channel;
}

function toAnswer(records: readonly RecordWithTtl[]): FamilyAnswer {
  const ips = new Set<string>();
  let ttl = Infinity;
  let refused = "ENODATA";
  for (const record of records.slice(0, ADDRESSES_MAX)) {
    // The unspecified address is no destination (RFC 1122 §3.2.1.3). Block lists answer with it, and a system
    // that dials it reaches itself.
    if (record.address === "0.0.0.0" || record.address === "::") refused = record.address;
    else ips.add(record.address);
    ttl = Math.min(ttl, record.ttl);
  }
  if (ips.size === 0) return { kind: "none", cause: "dns.empty_or_prohibited", code: refused };
  return { kind: "addresses", ips: [...ips].toSorted(), ttlMs: ttl * 1000 };
}

function toFailure(code: string, options: DnsClientOptions): FamilyAnswer {
  switch (code) {
    case "ENODATA":
      return { kind: "none", cause: "dns.empty_or_prohibited", code };
    // No name server was asked for a name that cannot be one; it does not exist either.
    case "ENOTFOUND":
    case "EBADNAME":
      return { kind: "none", cause: "dns.nxdomain", code };
    default:
      return failed(code, options);
  }
}

function failed(code: string, options: DnsClientOptions): FamilyAnswer {
  // Without a descriptor c-ares can open no socket and reports a name server that refuses (measured with Node
  // 24: ECONNREFUSED). The name servers are innocent then.
  const shortage = options.shortage();
  if (shortage !== null) return { kind: "failed", cause: "gw.fd_exhausted", code: shortage };
  return { kind: "failed", cause: UNREACHED.has(code) ? "dns.timeout" : "dns.servfail", code };
}

/** No answer came, in whatever way; everything else that fails is an answer which says so or cannot be read. */
const UNREACHED: ReadonlySet<ResolutionFailure["code"]> = new Set([
  "ETIMEOUT",
  "ECONNREFUSED",
  "ECANCELLED",
  "ENOSERVER",
]);

/** With two failures, the one that says more: an answer that reports trouble over silence. */
function moreTelling(before: FamilyAnswer | null, now: FamilyAnswer): FamilyAnswer {
  if (before?.kind !== "failed" || now.kind !== "failed") return now;
  return before.cause === "dns.servfail" && now.cause === "dns.timeout" ? before : now;
}
