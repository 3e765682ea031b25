/**
 * Field lines (RFC 9112 §5): one pass over the bytes, in which every byte is looked at once, wherever the
 * pieces of a head happen to be cut. Heads and trailer sections are read with it.
 *
 * Strict where recipients are known to disagree: CRLF ends a line, nothing else; no folding; no whitespace
 * before the colon; no control bytes. RFC 9112 §2.2 lets a recipient take a bare LF for a line end. This one
 * does not, because the next one may not.
 */
import { COLON, CR, LF, SPACE, TAB, TOKEN, VALUE } from "./grammar.ts";
import { fieldIdOf } from "./field-ids.ts";
import { FIELDS_AT, PER_FIELD } from "./head.ts";
import type { MessageHead } from "./head.ts";
import type { RefusalId } from "./refusals.ts";

/** The bytes ended before the section did; the head remembers where. */
export const MORE = -1;
/** `head.refusal` says why. */
export const REFUSED = -2;

/** Steps of `MessageHead.step` from here on belong to field lines, those below to the start lines. */
export const LINE_START = 16;
const NAME = 17;
const BEFORE_VALUE = 18;
const IN_VALUE = 19;
const VALUE_LF = 20;
const LAST_LF = 21;
/** Steps that are only reached to tell one fault from another. */
const NAME_SPACE = 22;
const NAME_CR = 23;

/**
 * Reads field lines from `from` up to and including the empty line and returns the offset after it, or `MORE`
 * or `REFUSED`. The head's table then holds the fields. `tooMany` is the refusal for more than `fieldsMax`.
 */
export function scanFieldLines(
  head: MessageHead,
  bytes: Buffer,
  from: number,
  end: number,
  fieldsMax: number,
  tooMany: RefusalId,
): number {
  let at = from;
  let { step } = head;
  let nameStart = head.scanNameStart;
  let nameEnd = head.scanNameEnd;
  let valueStart = head.scanValueStart;
  while (at < end) {
    if (step === LINE_START) {
      const byte = bytes[at] ?? 0;
      if (byte === CR) {
        head.fieldsEnd = at;
        at += 1;
        step = LAST_LF;
        continue;
      }
      if (TOKEN[byte] === 0) return refuse(head, faultAtLineStart(head, byte));
      if (head.fieldCount >= fieldsMax) return refuse(head, tooMany);
      nameStart = at;
      at += 1;
      step = NAME;
    }
    if (step === NAME) {
      while (at < end && TOKEN[bytes[at] ?? 0] !== 0) at += 1;
      if (at === end) break;
      const byte = bytes[at] ?? 0;
      at += 1;
      if (byte !== COLON) {
        if (byte === SPACE || byte === TAB) step = NAME_SPACE;
        else if (byte === CR) step = NAME_CR;
        else return refuse(head, byte === LF ? "bare-lf" : "field-name-illegal-byte");
        continue;
      }
      nameEnd = at - 1;
      step = BEFORE_VALUE;
    }
    if (step === BEFORE_VALUE) {
      while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at += 1;
      if (at === end) break;
      valueStart = at;
      step = IN_VALUE;
    }
    if (step === IN_VALUE) {
      while (at < end && VALUE[bytes[at] ?? 0] !== 0) at += 1;
      if (at === end) break;
      const byte = bytes[at] ?? 0;
      if (byte !== CR) return refuse(head, faultInValue(byte));
      store(head, bytes, nameStart, nameEnd, valueStart, at);
      at += 1;
      step = VALUE_LF;
      if (at === end) break;
    }
    if (step === VALUE_LF || step === LAST_LF) {
      if (bytes[at] !== LF) return refuse(head, "bare-cr");
      at += 1;
      if (step === LAST_LF) return at;
      step = LINE_START;
    } else if (step === NAME_SPACE) {
      const byte = bytes[at] ?? 0;
      if (byte !== SPACE && byte !== TAB) return refuse(head, faultAfterNameSpace(byte));
      at += 1;
    } else if (step === NAME_CR) return refuse(head, bytes[at] === LF ? "field-colon-missing" : "bare-cr");
  }
  head.step = step;
  head.scanNameStart = nameStart;
  head.scanNameEnd = nameEnd;
  head.scanValueStart = valueStart;
  return MORE;
}

export function refuse(head: MessageHead, refusal: RefusalId): typeof REFUSED {
  head.refusal = refusal;
  return REFUSED;
}

/** What is wrong with a byte that no field value contains. */
export function faultInValue(byte: number): RefusalId {
  if (byte === LF) return "bare-lf";
  return byte === 0 ? "field-value-nul" : "field-value-control";
}

function store(
  head: MessageHead,
  bytes: Buffer,
  nameStart: number,
  nameEnd: number,
  valueStart: number,
  lineEnd: number,
): void {
  let valueEnd = lineEnd;
  // Trailing whitespace is no part of the value (RFC 9112 §5.1).
  while (valueEnd > valueStart && (bytes[valueEnd - 1] === SPACE || bytes[valueEnd - 1] === TAB)) valueEnd -= 1;
  const index = head.fieldCount;
  const at = FIELDS_AT + index * PER_FIELD;
  if (at + PER_FIELD > head.table.length) head.grow();
  const { table } = head;
  const id = fieldIdOf(bytes, nameStart, nameEnd);
  table[at] = nameStart;
  table[at + 1] = nameEnd;
  table[at + 2] = valueStart;
  table[at + 3] = valueEnd;
  table[at + 4] = id;
  head.fieldCount = index + 1;
  if (id === 0) return;
  const bit = 1 << id;
  if (id < 32) {
    if ((head.seenLow & bit) === 0) table[id] = index;
    else head.repeatedLow |= bit;
    head.seenLow |= bit;
  } else {
    if ((head.seenHigh & bit) === 0) table[id] = index;
    head.seenHigh |= bit;
  }
}

function faultAtLineStart(head: MessageHead, byte: number): RefusalId {
  if (byte === SPACE || byte === TAB) return head.fieldCount > 0 ? "obs-fold" : "whitespace-before-fields";
  if (byte === COLON) return "field-name-empty";
  return byte === LF ? "bare-lf" : "field-name-illegal-byte";
}

function faultAfterNameSpace(byte: number): RefusalId {
  if (byte === COLON) return "space-before-colon";
  if (byte === CR || TOKEN[byte] !== 0) return "field-colon-missing";
  return byte === LF ? "bare-lf" : "field-name-illegal-byte";
}
