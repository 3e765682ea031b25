/**
 * Questions to name servers through c-ares (`node:dns` Resolver): real sockets on the event loop, where
 * `getaddrinfo` would hold one of four threads for as long as a dead name server keeps silent.
 *
 * One c-ares channel for each server, and the failover between them here: a channel with several servers hides
 * which of them failed and how, and that is what an operator wants to know. The server that answered last is
 * asked first, so a dead one costs its time limit once and not with every question.
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
  /** Calls back exactly once, later, unless the client is closed first. */
  ask(name: string, family: Family, done: (answer: FamilyAnswer) => void): void;
  /** `ip`, `ip:port` or `[ipv6]:port`. Questions under way end with the servers they began with. */
  setServers(servers: readonly string[]): void;
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

/** c-ares repeats a question that may have been lost; these repeats all fall within `timeoutMs`. */
const TRIES = 4;
const ADDRESSES_MAX = 64;

export function createDnsClient(options: DnsClientOptions): DnsClient {
  let channels = openChannels(options.servers, options.timeoutMs);
  let preferred = 0;
  let closed = false;

  function ask(name: string, family: Family, done: (answer: FamilyAnswer) => void): void {
    const asked = channels;
    const first = preferred;
    let failure: FamilyAnswer | null = null;
    const askServer = (turn: number): void => {
      const index = (first + turn) % asked.length;
      const channel = asked[index];
      if (channel === undefined || turn === asked.length) {
        done(failure ?? { kind: "failed", cause: "dns.timeout", code: "ENOSERVER" });
        return;
      }
      askChannel(channel, name, family, options, (answer) => {
        if (closed) return;
        if (answer.kind !== "failed") {
          if (asked === channels) preferred = index;
          done(answer);
          return;
        }
        failure = moreTelling(failure, answer);
        // Another server needs a descriptor just the same.
        if (answer.cause === "gw.fd_exhausted") done(answer);
        else askServer(turn + 1);
      });
    };
    askServer(0);
  }

  return {
    ask,
    setServers(servers): void {
      channels = openChannels(servers, options.timeoutMs);
      preferred = 0;
    },
    close(): void {
      closed = true;
      for (const channel of channels) channel.cancel();
    },
  };
}

function openChannels(servers: readonly string[], timeoutMs: number): readonly Resolver[] {
  return servers.map((server) => {
    // A third of the time for the first try, so that one lost packet does not become a failure. c-ares shortens
    // it by what it learned of the server.
    const first = Math.max(1, Math.ceil(timeoutMs / 3));
    const channel = new Resolver({ timeout: first, tries: TRIES, maxTimeout: timeoutMs });
    channel.setServers([isIPv6(server) ? `[${server}]` : server]);
    return channel;
  });
}

function askChannel(
  channel: Resolver,
  name: string,
  family: Family,
  options: DnsClientOptions,
  done: (answer: FamilyAnswer) => void,
): void {
  let answered = false;
  const once = (answer: FamilyAnswer): void => {
    if (answered) return;
    answered = true;
    cancelTimer();
    done(answer);
  };
  // c-ares' own limits add up to something near the time limit, not to it. The question itself cannot be taken
  // back without taking back all others of this channel; a late answer is ignored.
  const cancelTimer = options.schedule(options.timeoutMs, () => once(failed("ETIMEOUT", options)));
  const onAnswer = (error: NodeJS.ErrnoException | null, records: readonly RecordWithTtl[]): void =>
    once(error === null ? toAnswer(records) : toFailure(error.code ?? "", options));
  if (family === 4) channel.resolve4(name, { ttl: true }, onAnswer);
  else channel.resolve6(name, { ttl: true }, onAnswer);
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
