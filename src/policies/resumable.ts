/**
 * Which response bodies can be continued when they break, and which answer continues one. A body made of two parts is
 * right only if both are parts of the same bytes, and nothing but a strong validator says so (RFC 9110 §8.8.1): with a
 * weak one two origins may hold texts that mean the same and differ in length. So everything here that is in doubt is a
 * refusal, and a refusal costs no more than the cut that would have come anyway.
 *
 * Not here: whether the gateway should ask at all (resume.ts), and how the request is written.
 */
import type { DecisionCode } from "../kernel/decisions.ts";
import { sizeInWords } from "./words.ts";

/** What of a response's head counts. Values as they came, all lines of a field joined by a comma; null: absent. */
export interface ResponseFacts {
  readonly status: number;
  /** Of the body that follows; -1: not declared. */
  readonly contentLength: number;
  readonly contentRange: string | null;
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
  readonly etag: string | null;
  readonly lastModified: string | null;
  readonly date: string | null;
}

/** A body that was promised to a client, in a form in which the rest of it can be asked for. */
export interface PromisedBody {
  /** Strong; as it goes into If-Range. */
  readonly validator: string;
  readonly validatedBy: "etag" | "date";
  /** First and last byte of it, counted in the whole representation. */
  readonly first: number;
  readonly last: number;
  /** Length of the whole representation. */
  readonly complete: number;
  /** It is the whole representation (200) and not the part that the client asked for (206). */
  readonly whole: boolean;
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
}

export type ResumeRefusal = Extract<DecisionCode, `resume.refused.${string}`>;
export type ResumeMismatch = Extract<DecisionCode, `resume.mismatch.${string}`>;

export type Promised =
  | { readonly resumable: true; readonly body: PromisedBody }
  | { readonly resumable: false; readonly code: ResumeRefusal; readonly why: string };

export type Continuation =
  /** It continues the body once `skip` bytes of it have been thrown away. */
  | { readonly fits: true; readonly skip: number }
  | { readonly fits: false; readonly code: ResumeMismatch; readonly why: string };

/**
 * An origin that ignores Range sends everything again; what the client has is thrown away. Beyond this much the origin's
 * line is worth more than the rest of one body, and the client waits for nothing it can see.
 */
export const SKIP_MAX_BYTES: number = 64 * 1024 * 1024;

/** RFC 9110 §8.8.2.2: a time of change is a strong validator when the response is younger by so much that clocks and seconds do not matter. */
const STRONG_DATE_MS = 60_000;

export function promisedBody(head: ResponseFacts): Promised {
  const { status, contentLength } = head;
  if (status !== 200 && status !== 206) return no("resume.refused.status", `status ${status} is neither 200 nor 206`);
  if (contentLength < 0) return no("resume.refused.no-length", "the response did not declare its length");
  const range = status === 200 ? wholeRange(contentLength) : parseContentRange(head.contentRange);
  if (range === null || range.last - range.first + 1 !== contentLength) {
    return no("resume.refused.status", `206 without one range of a known length (${inQuotes(head.contentRange)})`);
  }
  const validator = strongValidator(head);
  if (validator === null) return no("resume.refused.no-validator", whyNotStrong(head));
  const { contentType, contentEncoding } = head;
  return { resumable: true, body: { ...validator, ...range, whole: status === 200, contentType, contentEncoding } };
}

/** `bytes=100-199`: what is missing when the client has `received` bytes of the body. */
export function missingRange({ first, last }: PromisedBody, received: number): string {
  return `bytes=${first + received}-${last}`;
}

/** Whether a response to that question is the rest of the body, to the byte. */
export function judgeContinuation(body: PromisedBody, received: number, head: ResponseFacts): Continuation {
  const asked = body.first + received;
  switch (head.status) {
    case 206: {
      const range = parseContentRange(head.contentRange);
      if (range === null || range.first !== asked || range.last !== body.last || range.complete !== body.complete) {
        const wanted = `bytes ${asked}-${body.last}/${body.complete}`;
        return other("resume.mismatch.range", `Content-Range is ${inQuotes(head.contentRange)}, needed was ${wanted}`);
      }
      if (head.contentLength !== body.last - asked + 1)
        return other("resume.mismatch.range", `its length is ${head.contentLength}, its range says otherwise`);
      return sameRepresentation(body, head) ?? { fits: true, skip: 0 };
    }
    case 200: {
      const different = sameRepresentation(body, head);
      if (different !== null) return different;
      if (!body.whole || head.contentLength !== body.complete)
        return other(
          "resume.mismatch.range",
          "a whole representation came, and not the one that the client is getting",
        );
      if (asked > SKIP_MAX_BYTES) {
        return other(
          "resume.mismatch.range-ignored",
          `Range was ignored, and ${sizeInWords(asked)} of the same again are too many to throw away`,
        );
      }
      return { fits: true, skip: asked };
    }
    case 304:
    case 412:
    case 416:
      return other("resume.mismatch.validator", `status ${head.status}: what it has is not what the client is getting`);
    default:
      return other("resume.mismatch.status", `status ${head.status}`);
  }
}

/** Null: it is the same one. */
function sameRepresentation(body: PromisedBody, head: ResponseFacts): Continuation | null {
  const validator = body.validatedBy === "etag" ? head.etag : head.lastModified;
  if (validator !== body.validator) {
    const name = body.validatedBy === "etag" ? "ETag" : "Last-Modified";
    return other("resume.mismatch.validator", `${name} is ${inQuotes(validator)}, the client's is ${body.validator}`);
  }
  // A part is told from the whole by what its fields say of the whole, and a coding belongs to the whole
  // (RFC 9110 §8.4); servers that code on the fly and forget to change the ETag show it by this alone.
  if (head.contentEncoding !== body.contentEncoding) {
    const [now, then] = [inQuotes(head.contentEncoding), inQuotes(body.contentEncoding)];
    return other("resume.mismatch.coding", `Content-Encoding is ${now}, the client's is ${then}`);
  }
  // A 206 to If-Range may leave it out (RFC 9110 §15.3.7); a multipart one says so here.
  if (head.contentType !== null && head.contentType !== body.contentType) {
    const [now, then] = [inQuotes(head.contentType), inQuotes(body.contentType)];
    return other("resume.mismatch.type", `Content-Type is ${now}, the client's is ${then}`);
  }
  return null;
}

/**
 * The entity tag when there is one. A client that has any must not use a date in If-Range (RFC 9110 §13.1.5), and a weak
 * tag says that the origin itself does not vouch for the bytes.
 */
function strongValidator(head: ResponseFacts): Pick<PromisedBody, "validator" | "validatedBy"> | null {
  const { etag, lastModified } = head;
  if (etag !== null) return STRONG_TAG.test(etag) ? { validator: etag, validatedBy: "etag" } : null;
  if (lastModified === null) return null;
  const age = dateOf(head.date) - dateOf(lastModified);
  return age >= STRONG_DATE_MS ? { validator: lastModified, validatedBy: "date" } : null;
}

function whyNotStrong({ etag, lastModified }: ResponseFacts): string {
  if (etag !== null) return `its ETag is not a strong one (${inQuotes(etag)})`;
  if (lastModified === null) return "it has neither ETag nor Last-Modified";
  return `its Last-Modified (${inQuotes(lastModified)}) is not a minute older than its Date`;
}

/** RFC 9110 §8.8.3. Bytes above 0x7f are one character each here (latin1). */
const STRONG_TAG = /^"[\u0021\u0023-\u007e\u0080-\u00ff]*"$/;

/** RFC 9110 §14.4; fifteen digits are within what a number holds exactly. */
const CONTENT_RANGE = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/i;

type Range = Pick<PromisedBody, "first" | "last" | "complete">;

function parseContentRange(text: string | null): Range | null {
  const match = text === null ? null : CONTENT_RANGE.exec(text);
  if (match === null) return null;
  const range = { first: Number(match[1]), last: Number(match[2]), complete: Number(match[3]) };
  return range.first <= range.last && range.last < range.complete ? range : null;
}

function wholeRange(length: number): Range {
  return { first: 0, last: length - 1, complete: length };
}

/** The one form of RFC 9110 §5.6.7 that is sent today; any other proves nothing here. NaN compares as false. */
const FIXDATE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/;

function dateOf(text: string | null): number {
  return text !== null && FIXDATE.test(text) ? Date.parse(text) : Number.NaN;
}

const QUOTED_MAX = 80;

function inQuotes(text: string | null): string {
  if (text === null) return "absent";
  return text.length > QUOTED_MAX ? `${text.slice(0, QUOTED_MAX)}…` : text;
}

function no(code: ResumeRefusal, why: string): Promised {
  return { resumable: false, code, why };
}

function other(code: ResumeMismatch, why: string): Continuation {
  return { fits: false, code, why };
}
