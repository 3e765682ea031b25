/**
 * The cache of one gateway: its store, what it remembers of keys that are not stored, and a part for each route with
 * the route's settings. What one exchange has to do with it is in visit.ts.
 */
import type { CacheSettings, RouteCacheSettings } from "../../config/settings.ts";
import type { CacheView, PurgeResult, PurgeTarget } from "../../contract/view.ts";
import type { MessageHead } from "../../http1/head.ts";
import type { StalePermissions } from "../../policies/freshness.ts";
import { Moments } from "./moments.ts";
import { keyHost } from "./request-key.ts";
import { Store } from "./store.ts";
import type { Partition } from "./store.ts";

/** After an answer that was not to be shared, requests for the same are not made to wait for each other for so long. */
export const PASS_MS = 10_000;

export class ResponseCache {
  readonly settings: CacheSettings;
  readonly store: Store;
  /** Keys whose responses are not to be shared. */
  readonly passed: Moments = new Moments();
  /** Keys that an unsafe request has changed: what was fetched before may be the state before. */
  readonly changed: Moments = new Moments();
  /** Monotonic ms of the last purge, whatever it was of. */
  purgedAt = -Infinity;

  constructor(settings: CacheSettings) {
    this.settings = settings;
    this.store = new Store(settings.memoryBytes, settings.variantsMax);
  }

  /** Null: nothing is cached there. */
  route(service: string, settings: RouteCacheSettings): RouteCache | null {
    if (settings.mode === "off" || this.settings.memoryBytes === 0) return null;
    return new RouteCache(this, service, settings);
  }

  /** What is on its way now is not stored either: it may be what was to be removed. Null: not a URL. */
  purge(target: PurgeTarget, now: number): PurgeResult | null {
    if (target.kind === "tag") {
      this.purgedAt = now;
      return { purged: this.store.purgeTag(target.tag) };
    }
    const exact = target.kind === "url";
    const place = placeOf(exact ? target.url : target.prefix);
    if (place === null) return null;
    this.purgedAt = now;
    return { purged: this.store.purge(place.host, place.target, exact) };
  }

  view(): CacheView {
    const { entries, bytes, bytesMax, counters } = this.store;
    const { stored, evictions, purged, invalidated } = counters;
    return { entries, bytes, bytesMax, stored, evicted: evictions, purged, invalidated };
  }

  /** RFC 9111 §4.4, after a response to a request that may have changed something and was no error. */
  invalidate(service: string, host: string, target: string, head: MessageHead, now: number): void {
    for (const changed of changedTargets(host, target, head)) {
      this.changed.note(host, changed, now);
      this.store.invalidate(service, host, changed);
    }
  }
}

export class RouteCache {
  readonly cache: ResponseCache;
  readonly service: string;
  readonly settings: RouteCacheSettings;
  readonly full: boolean;
  readonly partition: Partition;
  readonly permissions: StalePermissions;

  constructor(cache: ResponseCache, service: string, settings: RouteCacheSettings) {
    this.cache = cache;
    this.service = service;
    this.settings = settings;
    this.full = settings.mode === "full";
    this.partition = cache.store.partition(service);
    this.permissions = {
      whileRevalidateMs: settings.staleWhileRevalidateMs,
      ifStatusMs: settings.staleIfStatusMs,
      ifDisconnectedMs: settings.staleIfDisconnectedMs,
    };
  }
}

/** As written: `URL` would change spellings that are different keys. Empty host: every host. */
function placeOf(url: string): { host: string; target: string } | null {
  const parts = /^(?:https?:\/\/([^/?#\s]+))?([/?][^#\s]*)?$/i.exec(url);
  const [, authority = "", target = "/"] = parts ?? [];
  if (parts === null || url === "") return null;
  return { host: keyHost(authority), target: target.startsWith("?") ? `/${target}` : target };
}

/** The target itself, and what Location and Content-Location name under the same host. */
function changedTargets(host: string, target: string, head: MessageHead): Set<string> {
  const targets = new Set([target]);
  for (const name of ["location", "content-location"]) {
    const value = head.get(name);
    const url = value === null ? null : URL.parse(value, `http://${host}${target}`);
    if (url !== null && url.host === host) targets.add(url.pathname + url.search);
  }
  return targets;
}
