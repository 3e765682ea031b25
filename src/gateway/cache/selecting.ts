/**
 * Selecting: which stored variant of a URL fits a request (RFC 9111 §4.1). The fields that the response's Vary names
 * are brought to a normal form that keeps their meaning, so that two browsers that say the same in other words share
 * a copy: whitespace around commas for all, and for the Accept family case, order and weights written out.
 */

import type { MessageHead } from "../../http1/head.ts";

/** What a response varied by: names in lower case, and for each the normal form of what the request said; null: nothing. */
export interface Selecting {
  /** What a trusted proxy said of the URL (request-key.ts): it may always have made a difference. */
  readonly seen: string;
  readonly names: readonly string[];
  readonly values: readonly (string | null)[];
}

/** More fields than this select nothing that two requests would ever share. */
export const SELECTING_MAX = 16;

/** What of a request selects. */
export interface Selector {
  readonly seen: string;
  /** All lines of a field as one value, by its lower-case name; null: absent. */
  readonly fieldOf: (name: string) => string | null;
}

/** Fields that Connection keeps from the origin cannot have made a difference there: they count as absent. */
export function selectorOf(head: MessageHead, seen: string): Selector {
  return {
    seen,
    fieldOf(name) {
      let value: string | null = null;
      for (let index = 0; index < head.fieldCount; index += 1) {
        if (!head.named(index, name) || head.hopByHop(index)) continue;
        value = value === null ? head.value(index) : `${value}, ${head.value(index)}`;
      }
      return value;
    },
  };
}

/** Null: the response varies by too many fields, or by one of which the origin is not told what the client said. */
export function selectingOf(vary: string | null, { seen, fieldOf }: Selector): Selecting | null {
  if (vary === null) return { seen, names: [], values: [] };
  const listed = vary
    .toLowerCase()
    .split(",")
    .map((name) => name.trim());
  const names = [...new Set(listed)].filter((name) => name !== "" && !SEEN.has(name));
  if (names.length > SELECTING_MAX || names.some((name) => isOurs(name))) return null;
  const sorted = names.toSorted();
  return { seen, names: sorted, values: sorted.map((name) => normalForm(name, fieldOf(name))) };
}

/** `language`: the stored response's Content-Language. */
export function fits(stored: Selecting, language: string | null, { seen, fieldOf }: Selector): boolean {
  if (stored.seen !== seen) return false;
  for (let index = 0; index < stored.names.length; index += 1) {
    const name = stored.names[index] ?? "";
    const value = normalForm(name, fieldOf(name));
    if (value === stored.values[index]) continue;
    if (name !== "accept-language" || value === null || !isFirstChoice(value, language)) return false;
  }
  return true;
}

export function sameSelection(one: Selecting, other: Selecting): boolean {
  return (
    one.seen === other.seen &&
    one.names.length === other.names.length &&
    one.names.every((name, index) => name === other.names[index] && one.values[index] === other.values[index])
  );
}

/**
 * Written by this gateway for the origin, or believed of some clients only (gateway/forward-request.ts). What the client
 * wrote there is not what the origin saw. Scheme and host are: they select always, as `seen`.
 */
function isOurs(name: string): boolean {
  return OURS.has(name) || (name.startsWith("x-forwarded") && !SEEN.has(name));
}

const OURS = new Set([
  "forwarded",
  "goodgate-attempt",
  "goodgate-mode",
  "grpc-timeout",
  "traceparent",
  "tracestate",
  "x-real-ip",
  "x-request-id",
  "x-request-timeout",
]);
const SEEN = new Set(["x-forwarded-proto", "x-forwarded-host"]);

const ACCEPT_FAMILY = new Set(["accept", "accept-charset", "accept-encoding", "accept-language"]);

function normalForm(name: string, value: string | null): string | null {
  if (value === null) return null;
  // Commas and spaces inside of quotes are part of what is said.
  if (value.includes('"')) return value.trim();
  const members = value
    .split(",")
    .map((member) => member.trim())
    .filter((member) => member !== "");
  return ACCEPT_FAMILY.has(name) ? members.map(preference).sort(byWeight).map(written).join(",") : members.join(",");
}

interface Preference {
  readonly range: string;
  /** Thousandths. */
  readonly weight: number;
}

function preference(member: string): Preference {
  const parts = member
    .toLowerCase()
    .split(";")
    .map((part) => part.trim());
  const q = parts.findIndex((part) => /^q=(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(part));
  const weight = q === -1 ? 1000 : Math.round(Number((parts[q] ?? "").slice(2)) * 1000);
  return { range: parts.filter((_part, index) => index !== q).join(";"), weight };
}

/** Equal weights mean equal preference (RFC 9110 §12.4.2), so that their order says nothing. */
function byWeight(one: Preference, other: Preference): number {
  if (one.weight !== other.weight) return other.weight - one.weight;
  return one.range < other.range ? -1 : one.range > other.range ? 1 : 0;
}

function written({ range, weight }: Preference): string {
  return weight === 1000 ? range : `${range};q=${weight}`;
}

/** The one language that this client wants before all others is the one in which the stored response is written. */
function isFirstChoice(normalised: string, language: string | null): boolean {
  if (language === null || language.includes(",")) return false;
  const [first = "", second = ""] = normalised.split(",");
  return first === language.trim().toLowerCase() && !first.includes(";") && second.includes(";q=");
}
