/**
 * What origins can take at once and how long they take, for processes that begin under the traffic. A worker says it now
 * and then, of addresses that answered since: whoever takes its place begins with that, also when it crashed. Whoever
 * serves already learns from its own part of the traffic and does not listen.
 */
import type { News, Place } from "../contract/shared-knowledge.ts";
import { beginWithLatency, learnedLatency } from "../policies/peak-ewma.ts";
import type { OriginAddress } from "./origin-address.ts";
import type { ServiceRuntime } from "./service-runtime.ts";
import { placeOf } from "./place-of.ts";

type LoadNews = Extract<News, { kind: "load" }>;

/** What did not change much is told again after so long, so that it is not taken for old. */
const AGAIN_MS = 10_000;
const LIMIT_CHANGE = 1.1;
const LATENCY_CHANGE = 1.5;
/** Below this a price is as good as none. */
const LATENCY_LEAST_MS = 2;

/** Null: nothing has been learned. */
export function loadNews(
  service: ServiceRuntime,
  at: Place,
  address: OriginAddress,
  sharers: number,
  now: number,
): LoadNews | null {
  const learned = address.learnedLimit(now);
  const latencyMs = learnedLatency(address.latency, now);
  if (learned === null && latencyMs < 0) return null;
  const routes = (learned?.routes ?? []).flatMap(({ route, usualMs, limit }) => {
    const name = service.routeAt(route)?.settings.name;
    return name === undefined ? [] : [{ name, usualMs, limit }];
  });
  const { limit = 0, shrunkAgoMs = 0 } = learned ?? {};
  return { kind: "load", at, agoMs: 0, sharers, limit, shrunkAgoMs, latencyMs, routes };
}

/** `sharers`: how many share the traffic here. */
export function hearLoad(
  service: ServiceRuntime,
  address: OriginAddress,
  news: LoadNews,
  sharers: number,
  now: number,
): void {
  const at = now - news.agoMs;
  beginWithLatency(address.latency, news.latencyMs, at);
  if (news.limit === 0) return;
  const routes = news.routes.flatMap(({ name, usualMs, limit }) => {
    const route = service.numbers[service.settings.routes.findIndex((own) => own.name === name)];
    return route === undefined ? [] : [{ route, usualMs, limit }];
  });
  const { limit, shrunkAgoMs } = news;
  address.beginWithLimit({ limit, shrunkAgoMs: shrunkAgoMs + news.agoMs, routes }, news.sharers / sharers, now);
}

/** When what is told again. One of them for each process that has siblings. */
export class LoadTeller {
  readonly #told = new WeakMap<OriginAddress, { readonly at: number; readonly news: LoadNews }>();

  look(services: readonly ServiceRuntime[], sharers: number, now: number, tell: (news: News) => void): void {
    for (const service of services) {
      for (const pool of service.pools) {
        for (const address of pool.members) {
          const before = this.#told.get(address);
          if (address.heardAt <= (before?.at ?? -1)) continue;
          const news = loadNews(service, placeOf(service.settings.name, pool.name, address), address, sharers, now);
          if (news === null) continue;
          if (before !== undefined && now - before.at < AGAIN_MS && isAlike(before.news, news)) continue;
          this.#told.set(address, { at: now, news });
          tell(news);
        }
      }
    }
  }
}

function isAlike(one: LoadNews, other: LoadNews): boolean {
  return (
    isWithin(one.limit, other.limit, LIMIT_CHANGE) &&
    isWithin(Math.max(LATENCY_LEAST_MS, one.latencyMs), Math.max(LATENCY_LEAST_MS, other.latencyMs), LATENCY_CHANGE) &&
    one.routes.length === other.routes.length
  );
}

function isWithin(one: number, other: number, ratio: number): boolean {
  return one <= other * ratio && other <= one * ratio;
}
