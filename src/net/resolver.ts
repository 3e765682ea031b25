/**
 * Names to addresses, without a request ever waiting for a name that is known. An answer is refreshed beside
 * the traffic when its TTL runs out, whether that works or not: a name server that is down, a zone that was
 * emptied by mistake and a name that vanished all keep the last good addresses (the outages in which DNS failed
 * while every origin was well are many). What failed is kept beside them, and since when they are not confirmed;
 * for how long they are used is the pools' to decide.
 *
 * Asked in this order: the address itself, /etc/hosts and `localhost`, the name servers. It does not judge
 * whether an address may be dialled.
 */
import { isIP } from "node:net";
import type { Chance, Clock, Schedule } from "../kernel/clock.ts";
import type { Resolution, ResolutionFailure, Resolver } from "../kernel/resolver.ts";
import { descriptorShortage } from "./descriptors.ts";
import { createDnsClient } from "./dns-client.ts";
import type { FamilyAnswer } from "./dns-client.ts";
import { askName, failureOf } from "./dns-question.ts";
import type { NameAnswer } from "./dns-question.ts";
import { lookUpLocally, parseHosts } from "./hosts-file.ts";
import type { HostsTable, LocalAddress } from "./hosts-file.ts";
import { addressesOf, createNameEntry, learnFamilies, sameAddresses, setFamilies } from "./name-entry.ts";
import type { NameEntry, Watcher } from "./name-entry.ts";
import { fullNames, parseResolvConf } from "./resolv-conf.ts";
import type { ResolvConf } from "./resolv-conf.ts";
import { watchFile } from "./watched-file.ts";

interface Dns {
  /** `ip` or `ip:port`; empty: those of the system, with its endings. */
  readonly resolvers: readonly string[];
  readonly timeoutMs: number;
  readonly ttlMinMs: number;
  readonly ttlMaxMs: number;
}

/** What is known stays known; questions that follow go by the new settings. */
export interface ConfigurableResolver extends Resolver {
  configure(dns: Dns): void;
}

export interface ResolverOptions {
  readonly dns: Dns;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly schedule: Schedule;
  readonly hostsPath?: string;
  readonly resolvConfPath?: string;
  /** Names kept that nobody watches. Default 1000. */
  readonly namesMax?: number;
}

/** A refresh comes up to this share of the TTL early, so that many names learned at once do not stay in step. */
const EARLY_RATIO = 0.1;
/** Whatever TTLs and settings say, no name is asked for more often. */
const REFRESH_LEAST_MS = 1_000;
const RETRY_FIRST_MS = 1_000;
const RETRY_MOST_MS = 15_000;
/** Retries are only ever later than their time, never more than one in a second. */
const RETRY_JITTER_RATIO = 0.25;
const NAMES_MAX = 1_000;

export function createResolver(options: ResolverOptions): ConfigurableResolver {
  const { clock, chance, schedule } = options;
  let { dns } = options;
  const namesMax = options.namesMax ?? NAMES_MAX;
  const entries = new Map<string, NameEntry>();
  let conf: ResolvConf = { servers: dns.resolvers, search: [], ndots: 0 };
  /** Null: the system's name servers are not asked for, or not known yet. */
  let system: ResolvConf | null = null;
  let hosts: HostsTable = new Map();
  let closed = false;

  const client = createDnsClient({
    servers: dns.resolvers,
    timeoutMs: dns.timeoutMs,
    schedule,
    shortage: descriptorShortage,
  });
  const files = [
    watchFile(options.hostsPath ?? "/etc/hosts", schedule, (text) => {
      hosts = parseHosts(text);
      for (const entry of entries.values()) if (isIP(entry.name) === 0) followHosts(entry);
    }),
  ];
  let followsSystem = false;
  followSystem();

  /** From the first time that no name servers are configured. */
  function followSystem(): void {
    if (dns.resolvers.length > 0 || followsSystem) return;
    followsSystem = true;
    files.push(
      watchFile(options.resolvConfPath ?? "/etc/resolv.conf", schedule, (text) => {
        system = parseResolvConf(text);
        if (dns.resolvers.length === 0) use(system);
      }),
    );
  }

  function use(next: ResolvConf): void {
    conf = next;
    client.setServers(conf.servers);
  }

  function entryOf(name: string): NameEntry {
    const known = entries.get(name);
    if (known !== undefined) return known;
    if (entries.size >= namesMax) forgetOne();
    const entry = createNameEntry(name);
    entries.set(name, entry);
    const local = knownLocally(name);
    if (local !== null) setLocal(entry, local);
    return entry;
  }

  /** The oldest name that nobody needs. Watched names are bounded by the configuration that names them. */
  function forgetOne(): void {
    for (const entry of entries.values()) {
      if (entry.watchers.size > 0 || entry.asking) continue;
      entries.delete(entry.name);
      return;
    }
  }

  function knownLocally(name: string): readonly LocalAddress[] | null {
    const family = isIP(name);
    if (family === 4 || family === 6) return [{ ip: name, family }];
    return lookUpLocally(hosts, name.toLowerCase().replace(/\.$/, ""));
  }

  function setLocal(entry: NameEntry, local: readonly LocalAddress[]): void {
    setFamilies(entry, local);
    entry.failuresInRow = 0;
    entry.askAfter = Infinity;
    publish(entry, null, clock.monotonic());
  }

  /** After /etc/hosts has changed. */
  function followHosts(entry: NameEntry): void {
    const local = knownLocally(entry.name);
    if (local !== null) setLocal(entry, local);
    else if (entry.askAfter === Infinity) {
      entry.askAfter = 0;
      if (entry.watchers.size > 0) ask(entry);
    }
  }

  function ask(entry: NameEntry): void {
    entry.cancelTimer?.();
    entry.cancelTimer = null;
    if (entry.asking || closed) return;
    entry.asking = true;
    const once = entry.failuresInRow > 0 && entry.waiting.length === 0;
    askName(client, schedule, fullNames(entry.name, conf), (answer) => hear(entry, answer), once);
  }

  function hear(entry: NameEntry, answer: NameAnswer): void {
    if (closed) return;
    if (answer.complete) entry.asking = false;
    // While it was being asked, /etc/hosts may have got a line for it.
    if (entry.askAfter === Infinity) return;
    const now = clock.monotonic();
    const { v4, v6 } = answer;
    if (v4?.kind === "addresses" || v6?.kind === "addresses") {
      learnFamilies(entry, v4, v6);
      entry.failuresInRow = 0;
      entry.askAfter = now + freshMs(v4, v6);
      publish(entry, null, now);
    } else if (v4 !== null && v6 !== null) {
      const failure = failureOf(v4, v6);
      entry.failuresInRow += 1;
      entry.askAfter = now + retryMs(entry.failuresInRow);
      if (failure !== null) {
        const since = entry.resolution.failure?.since ?? now;
        publish(entry, { cause: failure.cause, code: failure.code, since }, entry.resolution.learnedAt);
      }
    }
    if (answer.complete) keepFresh(entry, now);
  }

  /** How long the answer counts as fresh: its TTL within the bounds, and a little less by chance. */
  function freshMs(v4: FamilyAnswer | null, v6: FamilyAnswer | null): number {
    const ttl = Math.min(
      v4?.kind === "addresses" ? v4.ttlMs : Infinity,
      v6?.kind === "addresses" ? v6.ttlMs : Infinity,
    );
    const bounded = Math.min(Math.max(ttl, dns.ttlMinMs), dns.ttlMaxMs);
    return Math.max(bounded * (1 - EARLY_RATIO * chance()), REFRESH_LEAST_MS);
  }

  function retryMs(failuresInRow: number): number {
    const base = Math.min(RETRY_FIRST_MS * 2 ** (failuresInRow - 1), RETRY_MOST_MS);
    return base * (1 + RETRY_JITTER_RATIO * chance());
  }

  function keepFresh(entry: NameEntry, now: number): void {
    if (entry.watchers.size === 0 || entry.askAfter === Infinity || entry.cancelTimer !== null) return;
    entry.cancelTimer = schedule(Math.max(0, entry.askAfter - now), () => {
      entry.cancelTimer = null;
      ask(entry);
    });
  }

  function publish(entry: NameEntry, failure: ResolutionFailure | null, learnedAt: number): void {
    const before = entry.resolution;
    const addresses = failure === null ? addressesOf(entry) : before.addresses;
    entry.resolution = { name: entry.name, addresses, failure, learnedAt };
    entry.answered = true;
    const waiting = entry.waiting;
    entry.waiting = [];
    for (const done of waiting) done(entry.resolution);
    const same = sameAddresses(before.addresses, addresses) && before.failure?.cause === failure?.cause;
    if (!same) for (const watcher of entry.watchers) watcher.onChange(entry.resolution);
  }

  return {
    configure(next): void {
      const isElsewhere = String(next.resolvers) !== String(dns.resolvers);
      dns = next;
      client.setTimeout(dns.timeoutMs);
      followSystem();
      if (!isElsewhere) return;
      use(dns.resolvers.length > 0 ? { servers: dns.resolvers, search: [], ndots: 0 } : (system ?? conf));
      // What nobody could say before, somebody else may.
      for (const entry of entries.values()) {
        if (entry.resolution.failure === null || entry.askAfter === Infinity) continue;
        entry.askAfter = 0;
        if (entry.watchers.size > 0) ask(entry);
      }
    },

    peek(name): Resolution | null {
      const known = entries.get(name);
      if (known !== undefined) return known.answered ? known.resolution : null;
      return knownLocally(name) === null ? null : entryOf(name).resolution;
    },

    resolve(name, done): void {
      if (closed) {
        done({ name, addresses: [], failure: closedFailure(clock), learnedAt: -1 });
        return;
      }
      const entry = entryOf(name);
      const due = clock.monotonic() >= entry.askAfter;
      if (entry.answered && (entry.resolution.addresses.length > 0 || !(due || entry.asking))) done(entry.resolution);
      else entry.waiting.push(done);
      if (due) ask(entry);
    },

    watch(name, onChange): () => void {
      const entry = entryOf(name);
      const watcher: Watcher = { onChange };
      entry.watchers.add(watcher);
      if (entry.answered) {
        // Later, so that the caller has the returned function by then.
        queueMicrotask(() => {
          if (!closed && entry.watchers.has(watcher)) onChange(entry.resolution);
        });
      }
      const now = clock.monotonic();
      if (now >= entry.askAfter) ask(entry);
      else if (!entry.asking) keepFresh(entry, now);
      return () => {
        entry.watchers.delete(watcher);
        if (entry.watchers.size > 0) return;
        entry.cancelTimer?.();
        entry.cancelTimer = null;
      };
    },

    close(): void {
      if (closed) return;
      closed = true;
      client.close();
      for (const file of files) file.close();
      for (const entry of entries.values()) {
        entry.cancelTimer?.();
        const failure = closedFailure(clock);
        for (const done of entry.waiting.splice(0)) done({ ...entry.resolution, failure });
      }
      entries.clear();
    },
  };
}

function closedFailure(clock: Clock): ResolutionFailure {
  return { cause: "dns.timeout", code: "ECANCELLED", since: clock.monotonic() };
}
