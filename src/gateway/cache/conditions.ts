/**
 * A client's own conditions, answered from what is stored (RFC 9110 §13, RFC 9111 §4.3.2): 304 when it has the response
 * already, and the one range that it asks for. Several ranges at once get the whole response, which the standard allows
 * (§14.2) and which no client minds as much as we would mind assembling them.
 */
import { FIELD } from "../../http1/field-ids.ts";
import type { MessageHead } from "../../http1/head.ts";
import { parseHttpTime } from "../../kernel/http-time.ts";
import { joined } from "./response-facts.ts";

export interface Conditions {
  readonly ifNoneMatch: string | null;
  readonly ifModifiedSince: string | null;
  readonly range: string | null;
  readonly ifRange: string | null;
}

export interface Validators {
  readonly etag: string | null;
  readonly lastModified: string | null;
  /** Epoch ms, of Last-Modified or else Date. */
  readonly modifiedAt: number;
}

export type RangeVerdict =
  | { readonly kind: "whole" }
  /** Both ends included. */
  | { readonly kind: "part"; readonly first: number; readonly last: number }
  | { readonly kind: "unsatisfiable" };

/** Null: the request has none, as most. */
export function conditionsOf(head: MessageHead): Conditions | null {
  if ((head.seenHigh & CONDITIONAL) === 0) return null;
  return {
    ifNoneMatch: joined(head, FIELD.IF_NONE_MATCH),
    ifModifiedSince: head.valueOf(FIELD.IF_MODIFIED_SINCE),
    range: joined(head, FIELD.RANGE),
    ifRange: head.valueOf(FIELD.IF_RANGE),
  };
}

/** If-Match and If-Unmodified-Since are about the origin's state and not about a copy of it. */
export function hasOriginConditions(head: MessageHead): boolean {
  return (head.seenHigh & ORIGIN_CONDITIONAL) !== 0;
}

const CONDITIONAL =
  (1 << FIELD.IF_NONE_MATCH) | (1 << FIELD.IF_MODIFIED_SINCE) | (1 << FIELD.RANGE) | (1 << FIELD.IF_RANGE);
const ORIGIN_CONDITIONAL = (1 << FIELD.IF_MATCH) | (1 << FIELD.IF_UNMODIFIED_SINCE);

/** Whether the client has the stored response already. */
export function isUnmodified(conditions: Conditions, stored: Validators, nowWall: number): boolean {
  const { ifNoneMatch, ifModifiedSince } = conditions;
  // RFC 9110 §13.2.2: If-Modified-Since counts only without If-None-Match.
  if (ifNoneMatch !== null) return matchesAny(ifNoneMatch, stored.etag);
  if (ifModifiedSince === null) return false;
  const since = parseHttpTime(ifModifiedSince, nowWall);
  return !Number.isNaN(since) && !Number.isNaN(stored.modifiedAt) && stored.modifiedAt <= since;
}

/** RFC 9110 §14.2. A range that is not understood is ignored, and so is one whose If-Range does not hold. */
export function rangeOf(conditions: Conditions, stored: Validators, length: number): RangeVerdict {
  const { range, ifRange } = conditions;
  if (range === null || (ifRange !== null && !holds(ifRange, stored))) return { kind: "whole" };
  const parts = /^bytes=[ \t]*(\d{0,15})-(\d{0,15})$/i.exec(range.trim());
  if (parts === null) return { kind: "whole" };
  const [, from = "", to = ""] = parts;
  if (from === "") {
    if (to === "") return { kind: "whole" };
    const count = Math.min(Number(to), length);
    return count === 0 ? { kind: "unsatisfiable" } : { kind: "part", first: length - count, last: length - 1 };
  }
  const first = Number(from);
  if (to !== "" && Number(to) < first) return { kind: "whole" };
  if (first >= length) return { kind: "unsatisfiable" };
  return { kind: "part", first, last: to === "" ? length - 1 : Math.min(Number(to), length - 1) };
}

/** RFC 9110 §13.1.5: only a strong validator can vouch for a part. */
function holds(ifRange: string, { etag, lastModified }: Validators): boolean {
  const value = ifRange.trim();
  if (value.startsWith('"')) return value === etag;
  return !value.startsWith("W/") && value === lastModified;
}

/** Weak comparison (RFC 9110 §8.8.3.2). */
function matchesAny(list: string, etag: string | null): boolean {
  if (list.trim() === "*") return true;
  if (etag === null) return false;
  const opaque = opaqueOf(etag);
  for (const [tag] of list.matchAll(ENTITY_TAG)) if (opaqueOf(tag) === opaque) return true;
  return false;
}

const ENTITY_TAG = /(?:W\/)?"[!#-~\x80-\xff]*"/g;

function opaqueOf(etag: string): string {
  return etag.startsWith("W/") ? etag.slice(2) : etag;
}
