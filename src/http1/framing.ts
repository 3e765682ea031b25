/**
 * Where the content of a message ends (RFC 9112 §6.3), decided from Content-Length and Transfer-Encoding.
 *
 * The one place where two servers must never disagree: each disagreement is a way to smuggle a request. So
 * only two shapes pass, one plain number or the one word `chunked`. What RFC 9112 allows a recipient to repair
 * (both fields, equal repeated lengths, empty list elements) is refused as well.
 */
import { FIELD } from "./field-ids.ts";
import { SPACE, TAB, TOKEN } from "./grammar.ts";
import type { MessageHead } from "./head.ts";
import type { RefusalId } from "./refusals.ts";

const LENGTH = 1 << FIELD.CONTENT_LENGTH;
const CODING = 1 << FIELD.TRANSFER_ENCODING;
const COMMA = 44;
const SEMICOLON = 59;
const ZERO = 48;
const NINE = 57;

/** Sets `framing` to `length`, `chunked` or `none` (nothing declared), and `contentLength`. */
export function readFraming(head: MessageHead): RefusalId | null {
  const declared = head.seenLow & (LENGTH | CODING);
  head.framing = "none";
  head.contentLength = -1;
  head.contentLengthPlain = true;
  if (declared === 0) return null;
  if (declared === (LENGTH | CODING)) return "two-framings";
  if (declared === LENGTH) {
    head.framing = "length";
    return (head.repeatedLow & LENGTH) === 0 ? readLength(head) : "content-length-repeated";
  }
  head.framing = "chunked";
  return head.minorVersion === 0 ? "transfer-encoding-http10" : readCodings(head);
}

/** RFC 9110 §8.6: 1*DIGIT. Leading zeros are legal and mean nothing. */
function readLength(head: MessageHead): RefusalId | null {
  const { bytes } = head;
  const index = head.find(FIELD.CONTENT_LENGTH);
  const start = head.valueStart(index);
  const end = head.valueEnd(index);
  if (start === end) return "content-length-syntax";
  let length = 0;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte < ZERO || byte > NINE) return "content-length-syntax";
    length = length * 10 + (byte - ZERO);
  }
  // Beyond 2^53 the sum is no longer exact, but it never falls back below it.
  if (length > Number.MAX_SAFE_INTEGER) return "content-length-overflow";
  head.contentLength = length;
  const alone = start - head.nameEnd(index) <= 2 && end === head.lineEnd(index) - 2;
  head.contentLengthPlain = alone && (bytes[start] !== ZERO || end - start === 1);
  return null;
}

/** All Transfer-Encoding fields together are one list (RFC 9110 §5.3). */
function readCodings(head: MessageHead): RefusalId | null {
  const first = head.find(FIELD.TRANSFER_ENCODING);
  if (isChunked(head.bytes, head.valueStart(first), head.valueEnd(first)) && head.next(first) < 0) return null;
  let chunked = 0;
  let others = 0;
  let chunkedLast = false;
  for (let index = first; index >= 0; index = head.next(index)) {
    const end = head.valueEnd(index);
    let at = head.valueStart(index);
    for (;;) {
      const stop = endOfElement(head.bytes, at, end);
      const fault = faultInElement(head.bytes, at, stop);
      if (fault !== null) return fault;
      chunkedLast = isChunked(head.bytes, trimmedStart(head.bytes, at, stop), trimmedEnd(head.bytes, at, stop));
      if (chunkedLast) chunked += 1;
      else others += 1;
      if (stop === end) break;
      at = stop + 1;
    }
  }
  if (!chunkedLast) return "transfer-encoding-chunked-not-last";
  if (chunked > 1) return "transfer-encoding-chunked-twice";
  return others > 0 ? "transfer-coding-unsupported" : null;
}

function isChunked(bytes: Buffer, start: number, end: number): boolean {
  if (end - start !== 7) return false;
  for (let at = 0; at < 7; at += 1) {
    // Only letters differ in bit 5 from the bytes of this word (see `field-ids.ts`); values may hold more
    // than tokens, but no byte below 0x41 becomes a letter this way.
    if (((bytes[start + at] ?? 0) | 0x20) !== "chunked".charCodeAt(at)) return false;
  }
  return true;
}

function faultInElement(bytes: Buffer, from: number, to: number): RefusalId | null {
  const start = trimmedStart(bytes, from, to);
  const end = trimmedEnd(bytes, from, to);
  if (start >= end) return "transfer-encoding-empty-element";
  let at = start;
  while (at < end && TOKEN[bytes[at] ?? 0] !== 0) at += 1;
  if (at === end) return null;
  if (at === start) return "transfer-encoding-syntax";
  const name = at;
  at = trimmedStart(bytes, at, end);
  if (bytes[at] !== SEMICOLON) return "transfer-encoding-syntax";
  // Any other coding is refused whatever its parameters say, so they are not read.
  return isChunked(bytes, start, name) ? "transfer-encoding-chunked-parameter" : null;
}

function endOfElement(bytes: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] !== COMMA) at += 1;
  return at;
}

function trimmedStart(bytes: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to && (bytes[at] === SPACE || bytes[at] === TAB)) at += 1;
  return at;
}

function trimmedEnd(bytes: Buffer, from: number, to: number): number {
  let at = to;
  while (at > from && (bytes[at - 1] === SPACE || bytes[at - 1] === TAB)) at -= 1;
  return at;
}
