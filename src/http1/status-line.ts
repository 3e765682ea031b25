/**
 * The status line (RFC 9112 §4): HTTP-version SP status-code SP reason-phrase CRLF.
 *
 * One leniency: the space before an empty reason may be missing (`HTTP/1.1 200` and CRLF). Many servers leave
 * it out, and it changes nothing about what follows. The reason phrase itself means nothing.
 */
import { CR, LF, SPACE, VALUE } from "./grammar.ts";
import { LINE_START, MORE, refuse } from "./field-lines.ts";
import type { MessageHead } from "./head.ts";
import type { RefusalId } from "./refusals.ts";

/** Steps of `MessageHead.step` while the status line is read. */
export const STATUS = 1;
const REASON = 2;
const STATUS_LF = 3;

const ZERO = 48;
const NINE = 57;
/** `HTTP/1.1 200` */
const STATUS_LENGTH = 12;

/** Reads the status line from `from` and returns the offset of the first field line, or `MORE` or `REFUSED`. */
export function scanStatusLine(head: MessageHead, bytes: Buffer, from: number, end: number): number {
  let at = from;
  let { step } = head;
  while (at < end) {
    if (step === STATUS) {
      const place = at - head.headStart;
      const byte = bytes[at] ?? 0;
      if (place < STATUS_LENGTH) {
        if (!fits(place, byte)) return refuse(head, faultAt(place, byte));
        at += 1;
        continue;
      }
      if (byte !== SPACE && byte !== CR) return refuse(head, faultAfterCode(byte));
      const refusal = readStatus(head, bytes);
      if (refusal !== null) return refuse(head, refusal);
      at += 1;
      head.reasonStart = at;
      head.reasonEnd = at;
      step = byte === CR ? STATUS_LF : REASON;
      if (at === end) break;
    }
    if (step === REASON) {
      while (at < end && VALUE[bytes[at] ?? 0] !== 0) at += 1;
      if (at === end) break;
      if (bytes[at] !== CR) return refuse(head, bytes[at] === LF ? "bare-lf" : "reason-illegal-byte");
      head.reasonEnd = at;
      at += 1;
      step = STATUS_LF;
      if (at === end) break;
    }
    if (bytes[at] !== LF) return refuse(head, "bare-cr");
    at += 1;
    head.fieldsStart = at;
    head.step = LINE_START;
    return at;
  }
  head.step = step;
  return MORE;
}

function fits(place: number, byte: number): boolean {
  if (place === 5 || place === 7 || place > 8) return byte >= ZERO && byte <= NINE;
  return byte === "HTTP/?.? ".charCodeAt(place);
}

function faultAt(place: number, byte: number): RefusalId {
  if (place < 5) return "response-not-http";
  if (byte === LF) return "bare-lf";
  return place < 9 ? "status-line-syntax" : "status-code-syntax";
}

function faultAfterCode(byte: number): RefusalId {
  if (byte === LF) return "bare-lf";
  return byte >= ZERO && byte <= NINE ? "status-code-syntax" : "status-line-syntax";
}

function readStatus(head: MessageHead, bytes: Buffer): RefusalId | null {
  const start = head.headStart;
  const digit = (place: number): number => (bytes[start + place] ?? 0) - ZERO;
  if (digit(5) !== 1 || digit(7) > 1) return "version-unsupported";
  head.minorVersion = digit(7) === 0 ? 0 : 1;
  head.status = digit(9) * 100 + digit(10) * 10 + digit(11);
  // RFC 9110 §15: anything else is invalid. Passing it on would make every recipient decide what it means.
  return head.status >= 100 && head.status <= 599 ? null : "status-code-range";
}
