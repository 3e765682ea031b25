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

/** For what stands in every line. */
export function encoded(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const NO_NUMBER = encoded("-1");

export class JsonLine {
  /** Valid until the next call that writes: growing replaces it. */
  bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  length = 0;

  /** The line before is forgotten. */
  begin(): void {
    this.length = 0;
    if (this.bytes.length > KEPT_BYTES) this.bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  }

  /** Names and punctuation. */
  put(piece: Uint8Array): void {
    const count = piece.length;
    this.#ensure(count);
    const { bytes } = this;
    const at = this.length;
    for (let index = 0; index < count; index += 1) bytes[at + index] = piece[index] ?? 0;
    this.length = at + count;
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
      if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) {
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
  }
}
