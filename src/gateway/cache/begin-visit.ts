/**
 * Whether an exchange has anything to do with the cache. Most have not: these few comparisons are what the cache
 * costs them. Without any configuration a request is looked up only when something is stored, and a response is looked
 * at only when it has one of the fields that speak of caching.
 */
import type { MessageHead } from "../../http1/head.ts";
import { readHeadAgain } from "../read-head-again.ts";
import { isSafe } from "../../policies/safe-method.ts";
import { TARGET_MAX, keyTarget } from "./request-key.ts";
import type { RouteCache } from "./response-cache.ts";
import type { Slot } from "./store.ts";
import { mentionsCaching } from "./response-facts.ts";
import { STALE_STATUSES } from "./flight.ts";
import { Visit } from "./visit.ts";
import type { Guest, VisitPorts } from "./guest.ts";

/** When a request has been admitted. */
export function beginVisit(
  route: RouteCache,
  ports: VisitPorts,
  guest: Guest,
  head: MessageHead,
  refreshes: boolean,
): Visit | null {
  if (route.full || refreshes) return new Visit(route, ports, guest, head);
  const { store } = route.cache;
  // Only those that would be alike are put together: a plain GET for something that is known to be for everybody.
  if (store.slots === 0 || head.method !== "GET") return null;
  const slot = store.find(route.partition, guest.host.key, keyTarget(head, guest.record.target));
  guest.slot = slot;
  const newest = slot === null ? undefined : slot.variants[slot.variants.length - 1];
  return newest === undefined || newest.facts.freshness.lifetimeMs === 0 ? null : new Visit(route, ports, guest, head);
}

/** When an origin has answered an exchange that had nothing to do with the cache so far. */
export function visitForResponse(
  route: RouteCache,
  ports: VisitPorts,
  guest: Guest,
  head: MessageHead,
  now: number,
): Visit | null {
  const { method } = guest.request;
  if (head.status >= 500 && STALE_STATUSES.has(head.status)) return visitForFailure(route, ports, guest);
  if (method === "GET") {
    return !mentionsCaching(head) || isKeptAlready(route, guest, now) ? null : visitWithKeptHead(route, ports, guest);
  }
  const mayChange = !isSafe(method) && head.status < 400 && route.cache.store.entries > 0;
  if (!mayChange) return null;
  const { record } = guest;
  // In any other form, and where only its beginning is on the record, the request's head says what the target is.
  const isWhole = record.target.startsWith("/") && record.target.length < TARGET_MAX;
  if (route.full || !isWhole) return visitWithKeptHead(route, ports, guest);
  route.cache.invalidate(route.service, guest.host.key, record.target, head, now);
  return null;
}

/** When the exchange is about to fail, or an origin has answered with an error. */
export function visitForFailure(route: RouteCache, ports: VisitPorts, guest: Guest): Visit | null {
  const { method } = guest.request;
  if (route.cache.store.entries === 0 || (method !== "GET" && method !== "HEAD")) return null;
  return visitWithKeptHead(route, ports, guest);
}

/** Within this time a copy that only serves as the last good one is not made again: it would say nothing new. */
const KEEP_AGAIN_MS = 1_000;

function isKeptAlready(route: RouteCache, { record, host, slot }: Guest, now: number): boolean {
  // The target of a record is the key's in origin form; in any other it is not found, and looked at in full. So is one
  // whose slot has gone since the request was looked up.
  const { variants } = slot ?? route.cache.store.find(route.partition, host.key, record.target) ?? NOTHING;
  const newest = variants[variants.length - 1];
  return newest !== undefined && now - newest.receivedAt < KEEP_AGAIN_MS;
}

const NOTHING: Pick<Slot, "variants"> = { variants: [] };

function visitWithKeptHead(route: RouteCache, ports: VisitPorts, guest: Guest): Visit | null {
  let visit: Visit | null = null;
  if (guest.request.head !== null) {
    readHeadAgain(guest.request.head, (head) => {
      visit = new Visit(route, ports, guest, head);
    });
  }
  return visit;
}
