/** The fields of a response that decide about storing it, read from its head once, before the head's bytes are gone. */
import { FIELD } from "../../http1/field-ids.ts";
import type { MessageHead } from "../../http1/head.ts";
import { joinedValue } from "../request-target.ts";

export interface ResponseFacts {
  readonly status: number;
  /** All lines of a field joined; null: absent. */
  readonly cacheControl: string | null;
  /** CDN-Cache-Control (RFC 9213). */
  readonly targeted: string | null;
  readonly expires: string | null;
  readonly date: string | null;
  readonly age: string | null;
  readonly vary: string | null;
  readonly etag: string | null;
  readonly lastModified: string | null;
  readonly contentLanguage: string | null;
  readonly hasSetCookie: boolean;
  readonly hasContentRange: boolean;
  /** Cache-Tag and Surrogate-Key. */
  readonly tags: readonly string[];
}

/** Two comparisons of bit sets: most responses say nothing about caching and end here. */
export function mentionsCaching(head: MessageHead): boolean {
  return (head.seenHigh & CACHING) !== 0;
}

export function factsOf(head: MessageHead): ResponseFacts {
  return {
    status: head.status,
    cacheControl: joined(head, FIELD.CACHE_CONTROL),
    targeted: joined(head, FIELD.CDN_CACHE_CONTROL),
    expires: head.valueOf(FIELD.EXPIRES),
    date: head.valueOf(FIELD.DATE),
    age: joined(head, FIELD.AGE),
    vary: joined(head, FIELD.VARY),
    etag: head.valueOf(FIELD.ETAG),
    lastModified: head.valueOf(FIELD.LAST_MODIFIED),
    contentLanguage: head.get("content-language"),
    hasSetCookie: head.find(FIELD.SET_COOKIE) !== -1,
    hasContentRange: head.find(FIELD.CONTENT_RANGE) !== -1,
    tags: tagsOf(head),
  };
}

/** All lines of one field as one list (RFC 9110 §5.3). */
export function joined(head: MessageHead, id: number): string | null {
  let value: string | null = null;
  for (let index = head.find(id); index !== -1; index = head.next(index)) {
    value = value === null ? head.value(index) : `${value}, ${head.value(index)}`;
  }
  return value;
}

const CACHING =
  (1 << FIELD.CACHE_CONTROL) |
  (1 << FIELD.CDN_CACHE_CONTROL) |
  (1 << FIELD.EXPIRES) |
  (1 << FIELD.ETAG) |
  (1 << FIELD.LAST_MODIFIED);

/** More tags than this on one response are cut off, so that one response cannot fill the index of tags. */
const TAGS_MAX = 64;
const TAG_LENGTH_MAX = 256;

/** Cache-Tag separates them by commas, Surrogate-Key by spaces; neither allows the other's separator inside. */
function tagsOf(head: MessageHead): string[] {
  const written = [joinedValue(head, "cache-tag"), joinedValue(head, "surrogate-key")];
  const tags = written.flatMap((value) => (value === null ? [] : value.split(/[\s,]+/)));
  return [...new Set(tags)].filter((tag) => tag !== "" && tag.length <= TAG_LENGTH_MAX).slice(0, TAGS_MAX);
}
