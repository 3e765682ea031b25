/**
 * Cache-Control (RFC 9111 §5.2), read strictly, and CDN-Cache-Control (RFC 9213), which speaks to gateways like this
 * one and outranks it. A reader that splits at every comma finds directives inside quoted values, and one that takes
 * `3600s` for a number serves what nobody allowed: what is not understood here makes a response less usable, never more.
 */

export interface Directives {
  readonly noStore: boolean;
  /** Also when it names fields: to obey it for the whole response is allowed and safer. So for `private`. */
  readonly noCache: boolean;
  readonly isPrivate: boolean;
  readonly isPublic: boolean;
  readonly mustRevalidate: boolean;
  readonly proxyRevalidate: boolean;
  readonly mustUnderstand: boolean;
  /** Seconds; -1: not written; 0 also for what is no number, or two that differ. */
  readonly maxAge: number;
  readonly sharedMaxAge: number;
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
}

export interface RequestDirectives {
  readonly noStore: boolean;
  readonly noCache: boolean;
  /** Seconds; -1: not written. Infinity: `max-stale` without a number. */
  readonly maxAge: number;
  readonly minFresh: number;
  readonly maxStale: number;
}

/** Null value: the directive has none. */
type Written = ReadonlyMap<string, string | null>;

/** More seconds than this (68 years) are no different from it; also what a value beyond it counts as (RFC 9111 §1.2.2). */
const SECONDS_MAX = 2 ** 31;
const TARGETED_MAX = 4096;

/** `value`: all lines of the field, joined with `, `. */
export function readCacheControl(value: string): Directives {
  const written = readDirectives(value);
  return written === null ? { ...NOTHING, noStore: true } : directivesOf(written);
}

/** Null: it is empty or no dictionary, which means that it is ignored (RFC 9213 §2.1). */
export function readTargeted(value: string): Directives | null {
  const written = value.length > TARGETED_MAX ? null : readDictionary(value);
  return written === null || written.size === 0 ? null : directivesOf(written);
}

export function readRequestDirectives(value: string): RequestDirectives {
  const written = readDirectives(value) ?? new Map<string, string | null>();
  return {
    noStore: written.has("no-store"),
    noCache: written.has("no-cache"),
    maxAge: seconds(written, "max-age"),
    minFresh: seconds(written, "min-fresh"),
    maxStale: written.get("max-stale") === null ? Infinity : seconds(written, "max-stale"),
  };
}

/** In the one form that the decision engine is given: lower case, no extensions, every number a number. */
export function formatDirectives(directives: Directives): string {
  const parts: string[] = [];
  if (directives.noStore) parts.push("no-store");
  if (directives.isPrivate) parts.push("private");
  if (directives.isPublic) parts.push("public");
  if (directives.mustRevalidate) parts.push("must-revalidate");
  if (directives.maxAge >= 0) parts.push(`max-age=${directives.maxAge}`);
  if (directives.sharedMaxAge >= 0) parts.push(`s-maxage=${directives.sharedMaxAge}`);
  return parts.join(", ");
}

const NOTHING: Directives = {
  noStore: false,
  noCache: false,
  isPrivate: false,
  isPublic: false,
  mustRevalidate: false,
  proxyRevalidate: false,
  mustUnderstand: false,
  maxAge: -1,
  sharedMaxAge: -1,
  staleWhileRevalidate: -1,
  staleIfError: -1,
};

export const NO_DIRECTIVES: Directives = NOTHING;

function directivesOf(written: Written): Directives {
  return {
    noStore: written.has("no-store"),
    noCache: written.has("no-cache"),
    isPrivate: written.has("private"),
    isPublic: written.has("public"),
    mustRevalidate: written.has("must-revalidate"),
    proxyRevalidate: written.has("proxy-revalidate"),
    mustUnderstand: written.has("must-understand"),
    maxAge: seconds(written, "max-age"),
    sharedMaxAge: seconds(written, "s-maxage"),
    staleWhileRevalidate: seconds(written, "stale-while-revalidate"),
    staleIfError: seconds(written, "stale-if-error"),
  };
}

function seconds(written: Written, name: string): number {
  const value = written.get(name);
  if (value === undefined) return -1;
  return value !== null && /^\d+$/.test(value) ? Math.min(Number(value), SECONDS_MAX) : 0;
}

/** Comma-separated `name`, `name=token`, `name="quoted"`. Null: a quote that does not end, behind which anything may be hidden. */
function readDirectives(value: string): Written | null {
  const written = new Map<string, string | null>();
  MEMBER.lastIndex = 0;
  while (MEMBER.lastIndex < value.length) {
    const member = MEMBER.exec(value);
    if (member === null) return null;
    const part = (member[1] ?? "").trim();
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = (equals === -1 ? part : part.slice(0, equals)).trim().toLowerCase();
    const argument = equals === -1 ? null : unquoted(part.slice(equals + 1));
    for (const hidden of restrictionsIn(part)) if (hidden !== name) written.set(hidden, null);
    const before = written.get(name);
    // RFC 9111 §4.2.1: of two that contradict each other neither can be believed.
    written.set(name, before === undefined || before === argument ? argument : "");
  }
  return written;
}

/** People separate directives by semicolons or spaces as well: what forbids something there was meant to. */
function restrictionsIn(part: string): string[] {
  if (!SEPARATED.test(part) || part.includes('"')) return [];
  return part
    .toLowerCase()
    .split(/[;\s=]+/)
    .filter((word) => RESTRICTIONS.has(word));
}

const SEPARATED = /[;\s]/;
const RESTRICTIONS = new Set(["no-store", "no-cache", "private", "must-revalidate", "proxy-revalidate"]);

/** Sticky: it goes on where it stopped. */
const MEMBER = /((?:[^",]|"(?:[^"\\]|\\[^])*")*)(?:,|$)/y;

function unquoted(text: string): string {
  return /^".*"$/s.test(text) ? text.slice(1, -1).replaceAll(/\\([^])/g, "$1") : text;
}

/**
 * A dictionary of structured fields (RFC 8941 §3.2), of which directives need keys, booleans, integers, strings and
 * tokens; lists and byte sequences are read over. Null: not one.
 */
function readDictionary(value: string): Written | null {
  const written = new Map<string, string | null>();
  let rest = value.trim();
  while (rest !== "") {
    const member = DICTIONARY_MEMBER.exec(rest);
    if (member === null) return null;
    const [whole, key = "", item] = member;
    rest = rest.slice(whole.length).replace(/^[ \t]+/, "");
    // The last of two wins there (§4.2.2). A false one is as good as absent.
    if (item === "?0") written.delete(key);
    else written.set(key, item === undefined || item === "?1" ? null : bareItem(item));
    if (rest === "") return written;
    if (!rest.startsWith(",")) return null;
    rest = rest.slice(1).replace(/^[ \t]+/, "");
    if (rest === "") return null;
  }
  return written;
}

const KEY = "[a-z*][a-z0-9_.*-]*";
const STRING = '"(?:[ !#-\\[\\]-~]|\\\\["\\\\])*"';
const ITEM = `(?:-?\\d{1,15}(?:\\.\\d{1,3})?|${STRING}|:[A-Za-z0-9+/=]*:|\\?[01]|[A-Za-z*][!#$%&'*+.^_\`|~0-9A-Za-z:/-]*)`;
const PARAMETERS = `(?:;[ ]*${KEY}(?:=${ITEM})?)*`;
const INNER_LIST = `\\([ ]*(?:${ITEM}${PARAMETERS}(?:[ ]+${ITEM}${PARAMETERS})*)?[ ]*\\)`;
const DICTIONARY_MEMBER = new RegExp(`^(${KEY})(?:=(${ITEM}|${INNER_LIST}))?${PARAMETERS}`);

/** An integer stays one; anything else is no number of seconds, and for directives without a number it does not matter. */
function bareItem(item: string): string {
  return /^\d+$/.test(item) ? item : `(${item})`;
}
