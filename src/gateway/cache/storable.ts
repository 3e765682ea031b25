/**
 * Storable: whether a response may be stored, and for how long it will be fresh (RFC 9111 §3 and §4.2). The rules of
 * who may store what, and which of the lifetimes counts, are `http-cache-semantics`'; it is given a normal form, because
 * it reads fields loosely (docs/decisions/0015-what-is-cached-and-who-decides.md says what is done around it, and why).
 *
 * There is no heuristic freshness: what its origin says nothing about is not made fresh by a guess. Nothing that sets
 * a cookie is stored unless the route says so, whatever the response says: such a session belongs to one client.
 */
import CachePolicy from "http-cache-semantics";
import type { RouteCacheSettings } from "../../config/settings.ts";
import type { Freshness } from "../../policies/freshness.ts";
import { formatDirectives, NO_DIRECTIVES, readCacheControl, readTargeted } from "./cache-control.ts";
import type { Directives } from "./cache-control.ts";
import { parseHttpTime } from "../../kernel/http-time.ts";
import type { ResponseFacts } from "./response-facts.ts";

/** What counts of the request that it answers. */
export interface StoringRequest {
  /** Authorization was sent (RFC 9111 §3.5). */
  readonly authorised: boolean;
  /** Something was sent that may say who asks. */
  readonly personal: () => boolean;
  /** `Cache-Control: no-store`. */
  readonly noStore: boolean;
  /** When the attempt was sent, and now; wall-clock ms, because the origin's Date is compared with it. */
  readonly sentAt: number;
  readonly receivedAt: number;
}

export interface Storable {
  readonly stored: true;
  readonly freshness: Freshness;
  /** Age when it came (RFC 9111 §4.2.3), ms. */
  readonly ageMs: number;
  /** Nothing but a validator speaks for storing it: only for requests without cookies and credentials, as this one was. */
  readonly anonymousOnly: boolean;
}

export interface NotStorable {
  readonly stored: false;
  /** A word for `detail` in Cache-Status, and for the record. */
  readonly why: string;
}

export function judgeStorable(
  facts: ResponseFacts,
  request: StoringRequest,
  settings: RouteCacheSettings,
): Storable | NotStorable {
  const directives = directivesOf(facts);
  const refusal = refusalOf(facts, directives, request, settings);
  if (refusal !== null) return { stored: false, why: refusal };
  const ageMs = ageOf(facts, request);
  const policy = policyOf(facts, directives, request);
  if (!policy.storable()) return { stored: false, why: request.authorised ? "AUTHORIZATION" : "NOT-STORABLE" };
  const explicit = hasLifetime(facts, directives);
  const negative = !explicit && settings.negativeMs > 0 && isNegative(facts.status);
  const lifetimeMs = negative ? settings.negativeMs : explicit && ageMs >= 0 ? policy.maxAge() * 1000 : 0;
  const validator = facts.etag !== null || facts.lastModified !== null;
  if (!explicit && !negative && !validator) return { stored: false, why: "NO-FRESHNESS" };
  const anonymousOnly = !explicit && !negative && !directives.isPublic && !directives.noCache;
  if (anonymousOnly && request.personal()) return { stored: false, why: "PERSONAL" };
  return {
    stored: true,
    ageMs: Math.max(0, ageMs),
    anonymousOnly,
    freshness: {
      lifetimeMs,
      noCache: directives.noCache,
      mustRevalidate: directives.mustRevalidate || directives.proxyRevalidate,
      sharedMaxAge: directives.sharedMaxAge >= 0,
      whileRevalidateMs: Math.max(0, directives.staleWhileRevalidate) * 1000,
      ifErrorMs: Math.max(0, directives.staleIfError) * 1000,
    },
  };
}

/** Statuses of which "there is nothing" or "not now" is the whole message. */
function isNegative(status: number): boolean {
  return status === 404 || status === 410 || (status >= 500 && status !== 501);
}

/** RFC 9213 §2.2: a targeted field that can be read takes the place of Cache-Control and Expires altogether. */
function directivesOf(facts: ResponseFacts): Directives {
  const targeted = facts.targeted === null ? null : readTargeted(facts.targeted);
  if (targeted !== null) return targeted;
  return facts.cacheControl === null ? NO_DIRECTIVES : readCacheControl(facts.cacheControl);
}

function isTargeted(facts: ResponseFacts): boolean {
  return facts.targeted !== null && readTargeted(facts.targeted) !== null;
}

function refusalOf(
  facts: ResponseFacts,
  directives: Directives,
  request: StoringRequest,
  settings: RouteCacheSettings,
): string | null {
  const { status } = facts;
  if (request.noStore) return "REQUEST-NO-STORE";
  // A part, and a word about another response.
  if (status === 206 || status === 304) return "PARTIAL";
  if (ABOUT_THE_REQUEST.has(status)) return "STATUS";
  if (directives.mustUnderstand && !UNDERSTOOD.has(status)) return "NOT-UNDERSTOOD";
  // RFC 9111 §5.2.2.3: must-understand is for caches that know it, no-store beside it for those that do not.
  if (directives.noStore && !directives.mustUnderstand) return "NO-STORE";
  if (directives.isPrivate) return "PRIVATE";
  if (facts.hasSetCookie && !settings.setCookie) return "SET-COOKIE";
  if (facts.vary !== null && varyIsAny(facts.vary)) return "VARY-ANY";
  if (!DEFAULT_CACHEABLE.has(status) && !hasLifetime(facts, directives) && !directives.isPublic) {
    return settings.negativeMs > 0 && isNegative(status) ? null : "STATUS";
  }
  return null;
}

function hasLifetime(facts: ResponseFacts, directives: Directives): boolean {
  return directives.maxAge >= 0 || directives.sharedMaxAge >= 0 || (facts.expires !== null && !isTargeted(facts));
}

/** RFC 9110 §12.5.5: nobody knows what it depends on. */
function varyIsAny(vary: string): boolean {
  return vary.split(",").some((member) => member.trim() === "*");
}

/** -1: Age cannot be read, so that nothing is known of how old it is, and it counts as stale. */
function ageOf(facts: ResponseFacts, request: StoringRequest): number {
  const { sentAt, receivedAt } = request;
  const date = facts.date === null ? Number.NaN : parseHttpTime(facts.date, receivedAt);
  const apparentMs = Number.isNaN(date) ? 0 : Math.max(0, receivedAt - date);
  // Date has whole seconds: most of a second of that is rounding and no age.
  const roundedMs = apparentMs < 1000 ? 0 : apparentMs;
  if (facts.age === null) return roundedMs;
  if (!/^\d{1,10}$/.test(facts.age)) return -1;
  return Math.max(roundedMs, Number(facts.age) * 1000 + Math.max(0, receivedAt - sentAt));
}

function policyOf(facts: ResponseFacts, directives: Directives, request: StoringRequest): CachePolicy {
  const date = facts.date === null ? Number.NaN : parseHttpTime(facts.date, request.receivedAt);
  const headers: Record<string, string> = {
    "cache-control": formatDirectives({ ...directives, noStore: false }),
    date: new Date(Number.isNaN(date) ? request.receivedAt : date).toUTCString(),
  };
  if (facts.expires !== null && !isTargeted(facts)) {
    const expires = parseHttpTime(facts.expires, request.receivedAt);
    headers.expires = Number.isNaN(expires) ? "0" : new Date(expires).toUTCString();
  }
  return new CachePolicy(
    { method: "GET", url: "/", headers: request.authorised ? { authorization: "sent" } : {} },
    // It knows fewer statuses than a lifetime may make storable (RFC 9111 §3), and those with none were refused above.
    { status: 200, headers },
    { shared: true, cacheHeuristic: 0 },
  );
}

/**
 * They speak of the request's fields or of its client, which are no part of the key: with one request that is wrong in
 * its range, its conditions or its credentials everybody could be locked out.
 */
const ABOUT_THE_REQUEST = new Set([401, 407, 408, 411, 412, 413, 415, 416, 417, 421, 425, 426, 428, 429, 431, 511]);
/** Those whose meaning this cache knows, for must-understand. */
const UNDERSTOOD = new Set([200, 203, 204, 300, 301, 302, 303, 307, 308, 404, 405, 410, 414, 501]);
/** RFC 9110 §15.1: heuristically cacheable, which here means: may be stored on a validator alone. */
const DEFAULT_CACHEABLE = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]);
