/**
 * What this worker learned, put into news for its siblings, and what they learned, taken in as if it had been seen
 * here. Names that are not known here are passed over: while a configuration is being changed two workers may serve by
 * different ones.
 *
 * What is taken in is not told again: the hub tells everybody.
 */
import type { News, Place } from "../contract/shared-knowledge.ts";
import type { Clock } from "../kernel/clock.ts";
import { learnFromHint, learnFromRace } from "../policies/keep-alive.ts";
import type { KeepAliveState } from "../policies/keep-alive.ts";
import type { ResponseCache } from "./cache/response-cache.ts";
import { hearLoad } from "./load-news.ts";
import type { OriginAddress } from "./origin-address.ts";
import type { NamedOrigin, PoolRuntime } from "./pool-runtime.ts";
import type { ServiceRuntime } from "./service-runtime.ts";
import type { CheckResult } from "../policies/health.ts";

export interface Hearers {
  readonly clock: Clock;
  /** How many processes share the traffic. */
  readonly sharers: number;
  readonly services: readonly ServiceRuntime[];
  readonly cache: ResponseCache;
  /** All addresses that such a check is about. */
  readonly placesOf: (target: string) => readonly { readonly address: OriginAddress; readonly pool: PoolRuntime }[];
}

type Of<Kind extends News["kind"]> = Extract<News, { kind: Kind }>;

/** Null: there is nothing that others have to know. */
export function ejectionNews(at: Place, { ejection }: OriginAddress, failures: number, now: number): News | null {
  const { phase } = ejection;
  if (phase.kind === "up") return null;
  return {
    kind: "ejection",
    at,
    phase: phase.kind,
    agoMs: now - phase.since,
    forMs: phase.until - phase.since,
    times: phase.times,
    refused: ejection.refusals >= failures,
    because: phase.because,
  };
}

export function keepAliveNews(
  at: Place,
  state: KeepAliveState,
  teacher: "hint" | "closed" | "raced",
): Of<"keep-alive"> {
  const idleMs = { hint: state.hintMs, closed: state.closedMs, raced: state.racedMs }[teacher];
  return { kind: "keep-alive", at, teacher, idleMs, agoMs: 0 };
}

export function checkNews(target: string, { ok, detail, identity }: CheckResult, up: boolean): Of<"check"> {
  return { kind: "check", target, agoMs: 0, ok, detail, identity: identity ?? null, up };
}

export function hearNews(hearers: Hearers, news: readonly News[]): void {
  const now = hearers.clock.monotonic();
  for (const each of news) hear(hearers, each, now);
}

function hear({ services, cache, placesOf, sharers }: Hearers, news: News, now: number): void {
  switch (news.kind) {
    case "ejection": {
      const found = find(services, news.at);
      if (found === null) return;
      const { phase: kind, times, refused, because } = news;
      const since = now - news.agoMs;
      found.pool.hearEjection(found.address, { kind, since, until: since + news.forMs, times, refused, because }, now);
      return;
    }
    case "check": {
      const { ok, detail, identity } = news;
      const result = identity === null ? { ok, detail } : { ok, detail, identity };
      for (const { address, pool } of placesOf(news.target)) pool.checked(address, result, now);
      return;
    }
    case "drain":
      hearDrain(services, news, now);
      return;
    case "breaker": {
      const found = find(services, news.at);
      const { phase, times, because, agoMs, forMs } = news;
      const since = now - agoMs;
      const heard = phase === "closed" ? { kind: phase } : { kind: phase, since, until: since + forMs, times, because };
      found?.pool.breakers?.hear(found.address, news.route, heard, now);
      return;
    }
    case "poison":
    case "quarantine":
      services.find(({ settings }) => settings.name === news.service)?.poison?.hear(news, now);
      return;
    case "keep-alive": {
      const found = find(services, news.at);
      if (found !== null) hearKeepAlive(found.address.keepAlive, news, now - news.agoMs);
      return;
    }
    case "load": {
      const found = find(services, news.at);
      if (found !== null) hearLoad(found.service, found.address, news, sharers, now);
      return;
    }
    case "pool":
      services
        .find(({ settings }) => settings.name === news.service)
        ?.choiceOf(news.pools)
        ?.hearFirst(news.first, now - news.agoMs, news.relapses);
      return;
    case "changed":
      cache.hearChanged(news.service, news.host, news.targets, now);
  }
}

function find(
  services: readonly ServiceRuntime[],
  { service, pool: name, origin, address: text }: Place,
): { readonly service: ServiceRuntime; readonly pool: PoolRuntime; readonly address: OriginAddress } | null {
  for (const runtime of services) {
    if (runtime.settings.name !== service) continue;
    for (const pool of runtime.pools) {
      if (pool.name !== name) continue;
      const address = pool.members.find((member) => member.text === text && member.origin.url === origin);
      if (address !== undefined) return { service: runtime, pool, address };
    }
  }
  return null;
}

function hearDrain(services: readonly ServiceRuntime[], news: Extract<News, { kind: "drain" }>, now: number): void {
  const { by, reason, agoMs, forMs } = news;
  const since = now - agoMs;
  const until = since + forMs;
  const drain = now < until ? { by, reason, since, until } : null;
  for (const { settings, pools } of services) {
    if (settings.name !== news.service) continue;
    for (const pool of pools) {
      for (const origin of pool.origins) {
        if (isNews(origin, news.origin, drain !== null)) {
          pool.setDrain(origin, drain, `${by} restored it: ${reason}`, now);
        }
      }
    }
  }
}

function isNews({ settings, drain }: NamedOrigin, url: string, isDrained: boolean): boolean {
  return settings.url === url && (isDrained || drain !== null);
}

function hearKeepAlive(state: KeepAliveState, news: Extract<News, { kind: "keep-alive" }>, at: number): void {
  switch (news.teacher) {
    case "hint":
      learnFromHint(state, news.idleMs / 1000, at);
      return;
    case "closed":
      state.closedMs = news.idleMs;
      state.closedAt = at;
      return;
    case "raced":
      learnFromRace(state, news.idleMs, at);
  }
}
