/**
 * One line of JSON, put together as bytes. Text would be a chain of some hundred pieces that has to be made flat and
 * encoded before it can be written; for a line that is written once for every exchange that is half of its cost and
 * most of its garbage. What stands between the values is encoded once, and values that JSON need not change are copied
 * letter by letter.
 *
 * It checks nothing about the structure: the caller writes brackets, commas and names.
 */
const FIRST_BYTES = 4096;
/** A longer line has its buffer for itself. */
const KEPT_BYTES = 64 * 1024;
/** A UTF-16 code unit becomes at most three bytes of UTF-8, and JSON writes it in six at most: `\u001f`. */
const BYTES_PER_UNIT_MAX = 6;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const ZERO = 0x30;
const INT32_MAX = 0x7fffffff;

/**
 * What stands in every line, as numbers of eight bytes each, the last filled up with zeros: written so, a name takes two
 * steps instead of a dozen. No valid UTF-8 is a NaN, whose bits may change on the way: that would be a byte 0xff, or a
 * 0x7f behind the first of four bytes.
 */
export interface Piece {
  readonly words: Float64Array;
  readonly length: number;
}

const WORD_BYTES = 8;

export function encoded(text: string): Piece {
  const bytes = new TextEncoder().encode(text);
  const padded = new DataView(new ArrayBuffer(Math.ceil(bytes.length / WORD_BYTES) * WORD_BYTES));
  new Uint8Array(padded.buffer).set(bytes);
  const words = new Float64Array(padded.byteLength / WORD_BYTES);
  for (let index = 0; index < words.length; index += 1) words[index] = padded.getFloat64(index * WORD_BYTES, true);
  return { words, length: bytes.length };
}

/** Printable ASCII but for quote and backslash. */
const PLAIN = Uint8Array.from({ length: 0x7f }, (_, code) =>
  code < 0x20 || code === QUOTE || code === BACKSLASH ? 0 : 1,
);
const SMALL = 10_000;

const NO_NUMBER = encoded("-1");

export class JsonLine {
  /** Valid until the next call that writes: growing replaces it. */
  bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  length = 0;
  /** The same bytes. */
  #view = viewOf(this.bytes);

  /** The line before is forgotten. */
  begin(): void {
    this.length = 0;
    if (this.bytes.length <= KEPT_BYTES) return;
    this.bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
    this.#view = viewOf(this.bytes);
  }

  /** Names and punctuation. */
  put({ words, length }: Piece): void {
    // The zeros behind it are written over by what comes next.
    this.#ensure(length + WORD_BYTES);
    const view = this.#view;
    let at = this.length;
    for (let index = 0; index < words.length; index += 1, at += WORD_BYTES)
      view.setFloat64(at, words[index] ?? 0, true);
    this.length += length;
  }

  /** Bytes that this has written before. */
  putBytes(bytes: Uint8Array): void {
    this.#ensure(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Once more what was written from `start` to `end`. */
  again(start: number, end: number): void {
    this.#ensure(end - start);
    const { bytes } = this;
    let at = this.length;
    for (let index = start; index < end; index += 1, at += 1) bytes[at] = bytes[index] ?? 0;
    this.length = at;
  }

  /** A value in quotes. Printable ASCII but for quote and backslash stands for itself (RFC 8259 §7); nearly every value is that. */
  text(value: string): void {
    const count = value.length;
    this.#ensure(count * BYTES_PER_UNIT_MAX + 2);
    const { bytes } = this;
    let at = this.length;
    bytes[at] = QUOTE;
    at += 1;
    for (let index = 0; index < count; index += 1) {
      const code = value.charCodeAt(index);
      if (PLAIN[code] !== 1) {
        this.length += bytes.write(JSON.stringify(value), this.length);
        return;
      }
      bytes[at] = code;
      at += 1;
    }
    bytes[at] = QUOTE;
    this.length = at + 1;
  }

  /** Whole numbers only: a fraction of a µs is noise, and JSON has no word for NaN. */
  whole(value: number): void {
    // Nearly all are times and lengths: small, whole and not negative.
    const small = value | 0;
    if (small === value && small >= 0 && small < SMALL) this.#small(small);
    else this.#any(value);
  }

  /** Up to four digits without a loop: each step of one would wait for the division before it. */
  #small(value: number): void {
    this.#ensure(4);
    const { bytes } = this;
    let at = this.length;
    if (value >= 10) {
      if (value >= 100) {
        if (value >= 1000) {
          bytes[at] = ZERO + ((value / 1000) | 0);
          at += 1;
        }
        bytes[at] = ZERO + (((value / 100) | 0) % 10);
        at += 1;
      }
      bytes[at] = ZERO + (((value / 10) | 0) % 10);
      at += 1;
    }
    bytes[at] = ZERO + (value % 10);
    this.length = at + 1;
  }

  #any(value: number): void {
    const rounded = Math.round(value);
    if (!Number.isFinite(rounded)) {
      this.put(NO_NUMBER);
      return;
    }
    if (rounded > INT32_MAX || rounded < -INT32_MAX) {
      this.put(encoded(String(rounded)));
      return;
    }
    this.#ensure(11);
    const { bytes } = this;
    let rest = rounded | 0;
    if (rest < 0) {
      bytes[this.length] = MINUS;
      this.length += 1;
      rest = -rest;
    }
    let digits = 1;
    for (let limit = 10; limit <= rest && digits < 10; limit *= 10) digits += 1;
    const end = this.length + digits;
    for (let at = end - 1; at >= this.length; at -= 1) {
      const tens = (rest / 10) | 0;
      bytes[at] = ZERO + rest - tens * 10;
      rest = tens;
    }
    this.length = end;
  }

  #ensure(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const wider = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(wider, 0, 0, this.length);
    this.bytes = wider;
    this.#view = viewOf(wider);
  }
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}
