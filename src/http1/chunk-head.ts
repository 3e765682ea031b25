/**
 * The line before the data of a chunk (RFC 9112 §7.1): a hexadecimal size, then extensions, which are checked
 * against their grammar and forgotten. They are read byte by byte and never kept, so a chunk head cut anywhere
 * needs no memory.
 *
 * Why check what is thrown away: `5;` LF is two different lines to two recipients ("TERM.EXT"), and an
 * extension nobody looks at is the place to hide a line end.
 */
import { CR, HEX, LF, SPACE, TAB, TOKEN, VALUE } from "./grammar.ts";
import type { RefusalId } from "./refusals.ts";

const FIRST_DIGIT = 0;
const DIGITS = 1;
/** Whitespace that must lead to a semicolon. */
const BEFORE_SEMICOLON = 2;
const BEFORE_NAME = 3;
const IN_NAME = 4;
/** Whitespace that leads to an equals sign or the next semicolon. */
const AFTER_NAME = 5;
const BEFORE_VALUE = 6;
const IN_VALUE = 7;
const IN_QUOTES = 8;
const ESCAPED = 9;
const AFTER_QUOTES = 10;
const LINE_FEED = 11;
const DONE = 12;

const SEMICOLON = 59;
const EQUALS = 61;
const QUOTE = 34;
const BACKSLASH = 92;
/** Leading zeros are legal; this many digits hold any number four times over. */
const DIGITS_MAX = 64;
/** Many small extensions may add up to this multiple of what one chunk may have, plus the data they came with. */
const EXTENSIONS_FACTOR = 16;

export class ChunkHead {
  /** Of the chunk whose head was read last. */
  size = 0;
  refusal: RefusalId | null = null;
  #step = FIRST_DIGIT;
  #digits = 0;
  #extensionBytes = 0;
  /** Bytes of extensions beyond bytes of data, over the whole message. */
  #excess = 0;
  readonly #extensionMax: number;

  constructor(extensionMax: number) {
    this.#extensionMax = extensionMax;
  }

  /** A new message begins. */
  reset(): void {
    this.#step = FIRST_DIGIT;
    this.#digits = 0;
    this.#extensionBytes = 0;
    this.#excess = 0;
    this.size = 0;
    this.refusal = null;
  }

  /** Reads from `from`; returns the offset after the CRLF, -1 when the bytes ended before it, -2 with `refusal` set. */
  scan(bytes: Buffer, from: number, end: number): number {
    if (this.#step === DONE) this.#next();
    let at = from;
    let step = this.#step;
    while (at < end) {
      const byte = bytes[at] ?? 0;
      if (step <= DIGITS) {
        const digit = HEX[byte] ?? 255;
        if (digit !== 255) {
          this.size = this.size * 16 + digit;
          this.#digits += 1;
          if (this.size > Number.MAX_SAFE_INTEGER) return this.#refuse("chunk-size-overflow");
          if (this.#digits > DIGITS_MAX) return this.#refuse("chunk-size-padding");
          step = DIGITS;
        } else if (step === FIRST_DIGIT) return this.#refuse("chunk-size-syntax");
        else if (byte === CR) step = LINE_FEED;
        else {
          step = byte === SEMICOLON ? BEFORE_NAME : BEFORE_SEMICOLON;
          if (byte === LF) return this.#refuse("chunk-line-end");
          if (byte !== SEMICOLON && byte !== SPACE && byte !== TAB) return this.#refuse("chunk-size-syntax");
          this.#extensionBytes = 1;
        }
      } else if (step === LINE_FEED) {
        if (byte !== LF) return this.#refuse("chunk-line-end");
        this.#step = DONE;
        return at + 1;
      } else {
        step = this.#extension(step, byte);
        if (step < 0) return step;
      }
      at += 1;
    }
    this.#step = step;
    return -1;
  }

  #next(): void {
    this.#excess = Math.max(0, this.#excess + this.#extensionBytes - this.size);
    this.#step = FIRST_DIGIT;
    this.#digits = 0;
    this.#extensionBytes = 0;
    this.size = 0;
  }

  /** One byte of `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )`; the next step, or -2. */
  #extension(step: number, byte: number): number {
    this.#extensionBytes += 1;
    const tooLarge =
      this.#extensionBytes > this.#extensionMax ||
      this.#excess + this.#extensionBytes > this.#extensionMax * EXTENSIONS_FACTOR;
    if (byte === LF) return this.#refuse("chunk-line-end");
    const next = afterExtensionByte(step, byte);
    if (next < 0) return this.#refuse("chunk-extension-syntax");
    return tooLarge && next !== LINE_FEED ? this.#refuse("chunk-extension-too-large") : next;
  }

  #refuse(refusal: RefusalId): -2 {
    this.refusal = refusal;
    return -2;
  }
}

function afterExtensionByte(step: number, byte: number): number {
  const space = byte === SPACE || byte === TAB;
  const token = TOKEN[byte] !== 0;
  switch (step) {
    case BEFORE_SEMICOLON:
      if (byte === SEMICOLON) return BEFORE_NAME;
      return space ? step : -1;
    case BEFORE_NAME:
      if (token) return IN_NAME;
      return space ? step : -1;
    case IN_NAME:
      if (token) return step;
      return afterName(byte);
    case AFTER_NAME:
      return byte === CR ? -1 : afterName(byte);
    case BEFORE_VALUE:
      if (byte === QUOTE) return IN_QUOTES;
      if (token) return IN_VALUE;
      return space ? step : -1;
    case IN_VALUE:
      if (token) return step;
      return afterValue(byte);
    case IN_QUOTES:
      if (byte === QUOTE) return AFTER_QUOTES;
      if (byte === BACKSLASH) return ESCAPED;
      return VALUE[byte] !== 0 ? step : -1;
    case ESCAPED:
      return VALUE[byte] !== 0 ? IN_QUOTES : -1;
    default:
      return afterValue(byte);
  }
}

function afterName(byte: number): number {
  return byte === EQUALS ? BEFORE_VALUE : byte === SPACE || byte === TAB ? AFTER_NAME : afterValue(byte);
}

/** Whitespace before CRLF is in no grammar, so it must lead to another extension. */
function afterValue(byte: number): number {
  if (byte === CR) return LINE_FEED;
  if (byte === SEMICOLON) return BEFORE_NAME;
  return byte === SPACE || byte === TAB ? BEFORE_SEMICOLON : -1;
}
