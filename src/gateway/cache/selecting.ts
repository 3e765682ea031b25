/**
 * Selecting: which stored variant of a URL fits a request (RFC 9111 §4.1). The fields that the response's Vary names
 * are brought to a normal form that keeps their meaning, so that two browsers that say the same in other words share
 * a copy: whitespace around commas for all, and for the Accept family case, order and weights written out.
 */

/** What a response varied by: names in lower case, and for each the normal form of what the request said; null: nothing. */
export interface Selecting {
  readonly names: readonly string[];
  readonly values: readonly (string | null)[];
}

/** More fields than this select nothing that two requests would ever share. */
export const SELECTING_MAX = 16;

const EVERYTHING: Selecting = { names: [], values: [] };

/** `fieldOf`: all lines of a request field as one value, by its lower-case name; null: absent. Null: too many fields. */
export function selectingOf(vary: string | null, fieldOf: (name: string) => string | null): Selecting | null {
  if (vary === null) return EVERYTHING;
  const names = [...new Set(vary.toLowerCase().split(","))].map((name) => name.trim()).filter((name) => name !== "");
  if (names.length > SELECTING_MAX) return null;
  const sorted = names.toSorted();
  return { names: sorted, values: sorted.map((name) => normalForm(name, fieldOf(name))) };
}

/** `language`: the stored response's Content-Language. */
export function fits(stored: Selecting, language: string | null, fieldOf: (name: string) => string | null): boolean {
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
    one.names.length === other.names.length &&
    one.names.every((name, index) => name === other.names[index] && one.values[index] === other.values[index])
  );
}

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
