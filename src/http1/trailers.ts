/**
 * Trailer fields that may be passed on (RFC 9110 §6.5.1). The others are dropped without a word, as the RFC
 * asks: a recipient that merges them into the head would let whoever wrote the content set its framing, routing
 * or credentials after they were checked.
 */
import { FIELD } from "./field-ids.ts";
import type { MessageHead } from "./head.ts";

export interface Trailer {
  readonly name: string;
  readonly value: string;
}

/** Every field with an id is about the message as a whole, except these. */
const HARMLESS: ReadonlySet<number> = new Set([FIELD.OTHER, FIELD.ETAG, FIELD.SERVER, FIELD.DATE]);

/** Fields without an id that control routing, conditions, credentials or how the content is read. */
const FORBIDDEN: ReadonlySet<string> = new Set([
  "accept-ranges",
  "allow",
  "content-disposition",
  "content-language",
  "content-location",
  "content-security-policy",
  "early-data",
  "expires",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "origin",
  "pragma",
  "strict-transport-security",
  "warning",
  "www-authenticate",
]);

/** The trailer fields of a section that has been read, or null when none may be passed on. */
export function trailersOf(lines: MessageHead): Trailer[] | null {
  const trailers: Trailer[] = [];
  for (let index = 0; index < lines.fieldCount; index += 1) {
    const name = lines.name(index);
    if (!HARMLESS.has(lines.id(index)) || FORBIDDEN.has(name.toLowerCase())) continue;
    trailers.push({ name, value: lines.value(index) });
  }
  return trailers.length > 0 ? trailers : null;
}
