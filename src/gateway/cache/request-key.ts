/** What a request asks the cache for: its key, and the few things about it that decide whether a copy may answer. */
import { FIELD } from "../../http1/field-ids.ts";
import type { MessageHead } from "../../http1/head.ts";
import type { AskedFreshness } from "../../policies/freshness.ts";
import { readRequestDirectives } from "./cache-control.ts";
import { isOrdinary } from "./ordinary-fields.ts";
import { joined } from "./response-facts.ts";

/** Longer ones are not cached: they are nobody's URL twice. */
export const TARGET_MAX = 1024;
const HOST_MAX = 255;

/**
 * The host part of a key, with its port as sent: origins write links with what Host says, so that a port which goes
 * without saying gets another answer when it is said. Empty: the request has none that could be a key.
 */
export function keyHost(hostField: string): string {
  return hostField.length > HOST_MAX ? "" : hostField.toLowerCase();
}

/** Whoever changes or purges a URL means it however its port is written. */
export function withoutUsualPort(host: string): string {
  return host.endsWith(":80") ? host.slice(0, -3) : host.endsWith(":443") ? host.slice(0, -4) : host;
}

export function withUsualPorts(host: string): readonly string[] {
  const plain = withoutUsualPort(host);
  return [plain, `${plain}:80`, `${plain}:443`];
}

/** The target part of a key, path and query; empty: not one that is cached. `target`: the record's. */
export function keyTarget(head: MessageHead, target: string): string {
  if (head.targetEnd - head.targetStart > TARGET_MAX) return "";
  if (head.targetForm === "origin") return target;
  if (head.targetForm !== "absolute") return "";
  const rest = head.bytes.latin1Slice(head.pathStart, head.targetEnd);
  return rest.startsWith("/") ? rest : `/${rest}`;
}

/**
 * What a trusted proxy says of the URL's scheme and host, where that is not what Host says: the origin is told, and may
 * answer accordingly. Empty: nothing.
 */
export function seenThroughProxy(head: MessageHead, trusted: boolean, host: string): string {
  if (!trusted) return "";
  const isSecure = head.valueOf(FIELD.X_FORWARDED_PROTO)?.toLowerCase() === "https";
  const named = head.valueOf(FIELD.X_FORWARDED_HOST) ?? host;
  const isOther = named.toLowerCase() !== host;
  return isSecure || isOther ? `${isSecure ? "https" : "http"}://${isOther ? named : ""}` : "";
}

/** Something came with it that may say who asks: cookies, credentials, any field that is not known to be harmless. */
export function isPersonal(head: MessageHead): boolean {
  if ((head.seenHigh & PERSONAL) !== 0) return true;
  for (let index = 0; index < head.fieldCount; index += 1) {
    if (!head.hopByHop(index) && !isOrdinary(head.name(index))) return true;
  }
  return false;
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
