/**
 * The cache of one gateway: its store, what it remembers of keys that are not stored, and a part for each route with
 * the route's settings. What one exchange has to do with it is in visit.ts.
 */
import type { CacheSettings, RouteCacheSettings } from "../../config/settings.ts";
import type { CacheView, PurgeResult, PurgeTarget } from "../../contract/view.ts";
import { FIELD } from "../../http1/field-ids.ts";
import type { MessageHead } from "../../http1/head.ts";
import type { StalePermissions } from "../../policies/freshness.ts";
import type { CacheShelf } from "../../kernel/cache-shelf.ts";
import type { Clock } from "../../kernel/clock.ts";
import { Entry } from "./entry.ts";
import { Moments } from "./moments.ts";
import { keyHost, withoutUsualPort } from "./request-key.ts";
import { sameSelection } from "./selecting.ts";
import { fromShelf, toShelf } from "./shelved.ts";
import type { Shelved } from "./shelved.ts";
import { Store } from "./store.ts";
import { StoredBody } from "./stored-body.ts";
import type { Partition } from "./store.ts";

/** After an answer that was not to be shared, requests for the same are not made to wait for each other for so long. */
export const PASS_MS = 10_000;

export class ResponseCache {
  readonly #shelf: CacheShelf | null;
  readonly #clock: Clock;
  readonly #routes: Map<string, RouteCache> = new Map();
  readonly #shelvedEntries: Map<number, Entry> = new Map();
  /** Bodies that are being read. */
  readonly #fetching: Map<Entry, ((body: StoredBody | null) => void)[]> = new Map();
  settings: CacheSettings;
  readonly store: Store;
  /** Keys whose responses are not to be shared. */
  readonly passed: Moments = new Moments();
  /** Keys that an unsafe request has changed: what was fetched before may be the state before. */
  readonly changed: Moments = new Moments();
  /** Monotonic ms of the last purge, whatever it was of. */
  purgedAt = -Infinity;
  /** Hears what a request to this gateway has changed. Set where there are other workers. */
  onChanged: ((service: string, host: string, targets: readonly string[]) => void) | null = null;

  constructor(settings: CacheSettings, shelf: CacheShelf | null, clock: Clock) {
    this.settings = settings;
    this.#shelf = shelf;
    this.#clock = clock;
    this.store = new Store(settings.memoryBytes, settings.variantsMax);
    this.store.onDropped = (entry) => this.#unshelve(entry);
    if (shelf !== null) shelf.onEvicted = (id) => this.#evicted(id);
  }

  /** What is stored stays, as far as there is room for it. */
  configure(settings: CacheSettings): void {
    this.settings = settings;
    this.store.configure(settings.memoryBytes, settings.variantsMax);
  }

  /** Nothing is answered any more: what is in memory goes, and what lies on disk stays for whoever comes next. */
  letGo(): void {
    this.store.onDropped = () => undefined;
    this.store.configure(0, 1);
  }

  /** With what was stored for the route of this name before. Null: nothing is cached there. */
  route(service: string, name: string, settings: RouteCacheSettings): RouteCache | null {
    const before = this.#routes.get(`${service}\n${name}`) ?? null;
    if (settings.mode === "off" || this.settings.memoryBytes === 0) {
      this.routeLeft(service, name);
      return null;
    }
    // What sets cookies was stored because the route allowed it.
    if (before !== null && before.settings.setCookie && !settings.setCookie) this.store.forget(before.partition, false);
    const route = new RouteCache(this, service, name, settings, before?.partition ?? this.store.partition(service));
    this.#routes.set(`${service}\n${name}`, route);
    return route;
  }

  /** It is not configured any more, or caches nothing: what was stored for it goes. */
  routeLeft(service: string, name: string): void {
    const route = this.#routes.get(`${service}\n${name}`);
    if (route === undefined) return;
    this.#routes.delete(`${service}\n${name}`);
    this.store.forget(route.partition, true);
  }

  /** What an earlier process has stored comes back, as far as its routes still cache. */
  load(): void {
    this.#shelf?.load((id, text, bodyBytes) => {
      const shelved = fromShelf(text);
      const route = shelved === null ? undefined : this.#routes.get(`${shelved.service}\n${shelved.route}`);
      if (shelved === null || route === undefined || !this.#takeBack(id, shelved, route, bodyBytes)) {
        this.#shelf?.drop(id);
      }
    });
  }

  #takeBack(id: number, shelved: Shelved, route: RouteCache, bodyBytes: number): boolean {
    const { store } = this;
    // The route may have stored what sets cookies when it was written.
    if (!route.settings.setCookie && SET_COOKIE.test(shelved.facts.fields)) return false;
    const awayMs = Math.max(0, this.#clock.wall() - shelved.receivedWall);
    const slot = store.slotFor(route.partition, shelved.host, shelved.target);
    const newer = slot.variants.find((other) => sameSelection(other.facts.selecting, shelved.facts.selecting));
    const entry = new Entry(slot, shelved.facts, null, this.#clock.monotonic() - awayMs, shelved.receivedWall);
    entry.bodyBytes = bodyBytes;
    entry.shelfId = id;
    if ((newer !== undefined && newer.receivedWall >= shelved.receivedWall) || !store.insert(entry)) {
      store.tidy(slot);
      return false;
    }
    this.#shelvedEntries.set(id, entry);
    return true;
  }

  /** Writes it where it outlives this process; what was written of it before is given up. */
  shelve(entry: Entry, route: RouteCache): void {
    const shelf = this.#shelf;
    const { body, slot, facts, receivedWall } = entry;
    if (shelf === null || body === null || !entry.stored) return;
    this.#unshelve(entry);
    const { host, target } = slot;
    const { service, name } = route;
    const id = shelf.put(toShelf({ service, route: name, host, target, receivedWall, facts }), body.pieces());
    if (id === 0) return;
    entry.shelfId = id;
    this.#shelvedEntries.set(id, entry);
  }

  /** The body of an entry that has none in memory. `done` is not called from inside this call. */
  fetch(entry: Entry, done: (body: StoredBody | null) => void): void {
    const waiting = this.#fetching.get(entry);
    if (waiting !== undefined) {
      waiting.push(done);
      return;
    }
    this.#fetching.set(entry, [done]);
    this.#shelf?.get(entry.shelfId, (bytes) => {
      const body = bytes === null ? null : StoredBody.from(bytes);
      const fetchers = this.#fetching.get(entry) ?? [];
      this.#fetching.delete(entry);
      if (body === null) this.store.remove(entry);
      else if (entry.stored && this.store.reserve(body.heldBytes)) {
        this.store.release(body.heldBytes);
        // To make room this very entry may have been let go.
        if (entry.stored) this.store.setBody(entry, body);
      }
      for (const fetcher of fetchers) fetcher(body);
    });
  }

  #unshelve(entry: Entry): void {
    if (entry.shelfId === 0) return;
    this.#shelvedEntries.delete(entry.shelfId);
    this.#shelf?.drop(entry.shelfId);
    entry.shelfId = 0;
  }

  #evicted(id: number): void {
    const entry = this.#shelvedEntries.get(id);
    if (entry === undefined) return;
    this.#shelvedEntries.delete(id);
    entry.shelfId = 0;
    if (entry.body === null) this.store.remove(entry);
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
    const disk = this.#shelf?.view() ?? { bytes: 0, bytesMax: 0, entries: 0, damaged: 0, skipped: 0 };
    return { entries, bytes, bytesMax, stored, evicted: evictions, purged, invalidated, disk: { ...disk } };
  }

  /** Nothing is known to have happened since `since` that the response to a request of that moment may not show. */
  isCurrent(host: string, target: string, since: number): boolean {
    return this.purgedAt < since && this.changed.last(withoutUsualPort(host), target) < since;
  }

  /** RFC 9111 §4.4, after a response to a request that may have changed something and was no error. */
  invalidate(service: string, host: string, target: string, head: MessageHead, now: number): void {
    const targets = namesOthers(head) ? new Set([target, ...namedTargets(host, target, head)]) : [target];
    this.hearChanged(service, host, targets, now);
    this.onChanged?.(service, host, [...targets]);
  }

  /** A request has changed these here, or at another worker. */
  hearChanged(service: string, host: string, targets: Iterable<string>, now: number): void {
    for (const target of targets) this.#change(service, host, target, now);
  }

  #change(service: string, host: string, target: string, now: number): void {
    this.changed.note(withoutUsualPort(host), target, now);
    this.store.invalidate(service, host, target);
  }
}

export class RouteCache {
  readonly cache: ResponseCache;
  readonly service: string;
  readonly name: string;
  readonly settings: RouteCacheSettings;
  readonly full: boolean;
  readonly partition: Partition;
  readonly permissions: StalePermissions;

  constructor(cache: ResponseCache, service: string, name: string, settings: RouteCacheSettings, partition: Partition) {
    this.cache = cache;
    this.service = service;
    this.name = name;
    this.settings = settings;
    this.full = settings.mode === "full";
    this.partition = partition;
    this.permissions = {
      whileRevalidateMs: settings.staleWhileRevalidateMs,
      ifStatusMs: settings.staleIfStatusMs,
      ifDisconnectedMs: settings.staleIfDisconnectedMs,
    };
  }
}

const SET_COOKIE = /^set-cookie:/im;

/** As written: `URL` would change spellings that are different keys. Empty host: every host. */
function placeOf(url: string): { host: string; target: string } | null {
  const parts = /^(?:https?:\/\/([^/?#\s]+))?([/?][^#\s]*)?$/i.exec(url);
  const [, authority = "", target = "/"] = parts ?? [];
  if (parts === null || url === "") return null;
  return { host: keyHost(authority), target: target.startsWith("?") ? `/${target}` : target };
}

function namesOthers(head: MessageHead): boolean {
  return head.find(FIELD.LOCATION) !== -1 || head.get("content-location") !== null;
}

/** What Location and Content-Location name under the same host. */
function namedTargets(host: string, target: string, head: MessageHead): Set<string> {
  const targets = new Set<string>();
  for (const name of ["location", "content-location"]) {
    const value = head.get(name);
    const url = value === null ? null : URL.parse(value, `http://${host}${target}`);
    const isHere = url !== null && withoutUsualPort(url.host) === withoutUsualPort(host);
    if (isHere) targets.add(url.pathname + url.search);
  }
  return targets;
}
