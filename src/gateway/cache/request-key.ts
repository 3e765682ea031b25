/** What a request asks the cache for: its key, and the few things about it that decide whether a copy may answer. */
import { FIELD } from "../../http1/field-ids.ts";
import type { MessageHead } from "../../http1/head.ts";
import type { AskedFreshness } from "../../policies/freshness.ts";
import { readRequestDirectives } from "./cache-control.ts";
import { joined } from "./response-facts.ts";

/** Longer ones are not cached: they are nobody's URL twice. */
const TARGET_MAX = 1024;
const HOST_MAX = 255;

/** The host part of a key, without a port that goes without saying. Empty: the request has none that could be one. */
export function keyHost(hostField: string): string {
  if (hostField.length > HOST_MAX) return "";
  const host = hostField.toLowerCase();
  return host.endsWith(":80") ? host.slice(0, -3) : host.endsWith(":443") ? host.slice(0, -4) : host;
}

/** The target part of a key, path and query; empty: not one that is cached. `target`: the record's. */
export function keyTarget(head: MessageHead, target: string): string {
  if (head.targetEnd - head.targetStart > TARGET_MAX) return "";
  if (head.targetForm === "origin") return target;
  if (head.targetForm !== "absolute") return "";
  const rest = head.bytes.latin1Slice(head.pathStart, head.targetEnd);
  return rest.startsWith("/") ? rest : `/${rest}`;
}

/** Cookies or credentials came with it. */
export function isPersonal(head: MessageHead): boolean {
  return (head.seenHigh & PERSONAL) !== 0;
}

export function isAuthorised(head: MessageHead): boolean {
  return head.find(FIELD.AUTHORIZATION) !== -1;
}

export function saysNoStore(head: MessageHead): boolean {
  const value = joined(head, FIELD.CACHE_CONTROL);
  return value !== null && readRequestDirectives(value).noStore;
}

/** Null: the client takes what there is. */
export function askedFreshness(head: MessageHead): AskedFreshness | null {
  const value = joined(head, FIELD.CACHE_CONTROL);
  if (value === null) {
    // RFC 9111 §5.4: what HTTP/1.0 clients say instead.
    const pragma = joined(head, FIELD.PRAGMA);
    const noCache = pragma !== null && /(?:^|,)\s*no-cache\s*(?:,|$)/i.test(pragma);
    return noCache ? { noCache, maxAgeMs: -1, minFreshMs: -1, maxStaleMs: -1 } : null;
  }
  const { noCache, maxAge, minFresh, maxStale } = readRequestDirectives(value);
  return { noCache, maxAgeMs: ms(maxAge), minFreshMs: ms(minFresh), maxStaleMs: ms(maxStale) };
}

const PERSONAL = (1 << FIELD.COOKIE) | (1 << FIELD.AUTHORIZATION);

function ms(seconds: number): number {
  return seconds < 0 ? -1 : seconds * 1000;
}
