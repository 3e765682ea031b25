/**
 * The request line (RFC 9112 §3): method SP request-target SP HTTP-version CRLF, with exactly one space at each
 * place. RFC 9112 lets a server split it on any whitespace; doing so is how `GET /a b HTTP/1.1` becomes two
 * different requests to two servers in a row.
 */
import { CR, LF, PATH, QUERY, SPACE, TOKEN } from "./grammar.ts";
import { LINE_START, MORE, REFUSED, refuse } from "./field-lines.ts";
import type { MessageHead } from "./head.ts";
import { methodOf } from "./method.ts";
import type { RefusalId } from "./refusals.ts";
import { judgeTarget } from "./target.ts";

/** Steps of `MessageHead.step` while the request line is read. */
export const METHOD = 1;
const TARGET_START = 2;
const IN_PATH = 3;
const IN_QUERY = 4;
const TARGET_CR = 5;
const VERSION = 6;

const QUESTION_MARK = 63;
const HASH = 35;
const ASTERISK = 42;
const ZERO = 48;
const NINE = 57;

/** Reads the request line from `from` and returns the offset of the first field line, or `MORE` or `REFUSED`. */
export function scanRequestLine(head: MessageHead, bytes: Buffer, from: number, end: number): number {
  let at = from;
  let { step } = head;
  while (at < end) {
    if (step === METHOD) {
      while (at < end && TOKEN[bytes[at] ?? 0] !== 0) at += 1;
      if (at === end) break;
      const byte = bytes[at];
      if (byte !== SPACE) return refuse(head, byte === LF ? "bare-lf" : "method-illegal-byte");
      head.method = methodOf(bytes, head.headStart, at);
      at += 1;
      head.targetStart = at;
      step = TARGET_START;
      if (at === end) break;
    }
    if (step === TARGET_START) {
      if (bytes[at] === SPACE || bytes[at] === CR) return refuse(head, "target-missing");
      step = IN_PATH;
    }
    if (step === IN_PATH) {
      while (at < end && PATH[bytes[at] ?? 0] !== 0) at += 1;
      if (at === end) break;
      if (bytes[at] === QUESTION_MARK) {
        head.pathEnd = at;
        at += 1;
        step = IN_QUERY;
      }
    }
    if (step === IN_QUERY) {
      while (at < end && QUERY[bytes[at] ?? 0] !== 0) at += 1;
      if (at === end) break;
    }
    if (step === IN_PATH || step === IN_QUERY) {
      const byte = bytes[at] ?? 0;
      if (byte !== SPACE && byte !== CR) return refuse(head, faultInTarget(byte));
      head.targetEnd = at;
      if (head.pathEnd < 0) head.pathEnd = at;
      at += 1;
      step = byte === CR ? TARGET_CR : VERSION;
      head.mark = at;
      if (at === end) break;
    }
    if (step === TARGET_CR) return refuse(head, bytes[at] === LF ? "version-missing" : "bare-cr");
    // Almost every request has all ten bytes of its version here, and one of two texts in them.
    if (at === head.mark && isVersion1(bytes, at, end)) {
      head.minorVersion = bytes[at + 7] === ZERO ? 0 : 1;
      at += 10;
    } else {
      const after = scanVersion(head, bytes, at, end);
      if (after === REFUSED) return REFUSED;
      if (after === MORE) break;
      at = after;
    }
    const refusal = judgeTarget(head, bytes);
    if (refusal !== null) return refuse(head, refusal);
    head.fieldsStart = at;
    head.step = LINE_START;
    return at;
  }
  head.step = step;
  return MORE;
}

/** `HTTP/1.0` or `HTTP/1.1` and CRLF stand at `at`. */
function isVersion1(bytes: Buffer, at: number, end: number): boolean {
  return (
    end - at >= 10 &&
    bytes[at] === 72 &&
    bytes[at + 1] === 84 &&
    bytes[at + 2] === 84 &&
    bytes[at + 3] === 80 &&
    bytes[at + 4] === 47 &&
    bytes[at + 5] === 49 &&
    bytes[at + 6] === 46 &&
    (bytes[at + 7] === 49 || bytes[at + 7] === ZERO) &&
    bytes[at + 8] === CR &&
    bytes[at + 9] === LF
  );
}

/** The version byte by byte: when it came in pieces, and to say what is wrong with it. */
function scanVersion(head: MessageHead, bytes: Buffer, from: number, end: number): number {
  for (let at = from; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    const place = at - head.mark;
    if (place === 9) {
      if (byte !== LF) return refuse(head, "bare-cr");
      const refusal = faultOfVersion(head, bytes);
      if (refusal !== null) return refuse(head, refusal);
      head.minorVersion = bytes[head.mark + 7] === ZERO ? 0 : 1;
      return at + 1;
    }
    if (!fitsVersion(place, byte)) return refuse(head, faultInVersion(head, place, byte));
  }
  return MORE;
}

function fitsVersion(place: number, byte: number): boolean {
  if (place === 5 || place === 7) return byte >= ZERO && byte <= NINE;
  return byte === "HTTP/?.?\r".charCodeAt(place);
}

function faultInVersion(head: MessageHead, place: number, byte: number): RefusalId {
  if (byte === LF) return "bare-lf";
  // A preamble of version 1 reads like a request line up to its third word.
  if (head.method === "PROXY") return "proxy-protocol";
  return place === 0 && byte === CR ? "version-missing" : "version-syntax";
}

function faultOfVersion(head: MessageHead, bytes: Buffer): RefusalId | null {
  const major = bytes[head.mark + 5] ?? 0;
  const minor = bytes[head.mark + 7] ?? 0;
  if (major === ZERO + 1 && minor <= ZERO + 1) return null;
  // The line of the preface, byte for byte: what follows it may then be read as HTTP/2.
  const isPreface = head.method === "PRI" && major === ZERO + 2 && minor === ZERO && isAsterisk(head, bytes);
  return isPreface ? "http2-preface" : "version-unsupported";
}

function isAsterisk({ targetStart, targetEnd }: MessageHead, bytes: Buffer): boolean {
  return targetEnd === targetStart + 1 && bytes[targetStart] === ASTERISK;
}

function faultInTarget(byte: number): RefusalId {
  if (byte === LF) return "bare-lf";
  return byte === HASH ? "target-fragment" : "target-illegal-byte";
}
