/**
 * Bytes on their way out, put together in one buffer so that they can leave in one write.
 *
 * Text is written character by character while it is short: a call into native code costs about as much as
 * twenty of these steps. No call can write past the end; the buffer grows first, by doubling.
 *
 * A character above 0xff is refused with an exception and not cut to its low byte: U+010A would become a line
 * feed, and a value would end its line (CWE-113). CR and LF themselves can only come from the program, because
 * values that the parser reads never contain them; values from elsewhere go through `isFieldValue` first.
 */
import "./latin1.ts";
import { CR, LF } from "./grammar.ts";

const NATIVE_FROM = 48;
const ZERO = 48;
/** Below this, bytes are copied one by one. */
const COPY_NATIVE_FROM = 24;

/** Ends a chunked body that has no trailer fields (RFC 9112 §7.1). */
export const LAST_CHUNK: Buffer = Buffer.from("0\r\n\r\n", "latin1");

export class ByteWriter {
  /** Valid until the next call that writes: growing replaces it. */
  bytes: Buffer;
  length = 0;
  /** Long texts that were looked through last. */
  #newest = "";
  #earlier = "";

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafeSlow(Math.max(size, 64));
  }

  /** Makes room for `count` more bytes. */
  ensure(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const wider = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(wider, 0, 0, this.length);
    this.bytes = wider;
  }

  /** Text of the program's own making, with its line ends, from character `from` on. Every character is one byte. */
  ascii(text: string, from = 0): void {
    const count = text.length - from;
    this.ensure(count);
    const { bytes } = this;
    let at = this.length;
    if (count < NATIVE_FROM) {
      let seen = 0;
      for (let index = from; index < text.length; index += 1) {
        const code = text.charCodeAt(index);
        seen |= code;
        bytes[at] = code;
        at += 1;
      }
      if (seen > 0xff) throw new RangeError("only characters up to U+00FF can be written");
    } else {
      // The same few long texts come again and again, and looking through one costs a call and garbage.
      if (text !== this.#newest && text !== this.#earlier) {
        if (/[^\0-\xff]/.test(text)) throw new RangeError("only characters up to U+00FF can be written");
        this.#earlier = this.#newest;
        this.#newest = text;
      }
      at += bytes.latin1Write(from === 0 ? text : text.slice(from), at);
    }
    this.length = at;
  }

  copy(source: Buffer, start: number, end: number): void {
    const count = end - start;
    this.ensure(count);
    const { bytes } = this;
    const at = this.length;
    if (count < COPY_NATIVE_FROM) {
      for (let index = 0; index < count; index += 1) bytes[at + index] = source[start + index] ?? 0;
    } else source.copy(bytes, at, start, end);
    this.length = at + count;
  }

  byte(value: number): void {
    this.ensure(1);
    this.bytes[this.length] = value;
    this.length += 1;
  }

  crlf(): void {
    this.ensure(2);
    this.bytes[this.length] = CR;
    this.bytes[this.length + 1] = LF;
    this.length += 2;
  }

  /** A non-negative safe integer. */
  decimal(value: number): void {
    let digits = 1;
    for (let limit = 10; limit <= value; limit *= 10) digits += 1;
    this.ensure(digits);
    let rest = value;
    for (let at = this.length + digits - 1; at >= this.length; at -= 1) {
      const tens = Math.floor(rest / 10);
      this.bytes[at] = ZERO + (rest - tens * 10);
      rest = tens;
    }
    this.length += digits;
  }

  hexadecimal(value: number): void {
    let digits = 1;
    for (let limit = 16; limit <= value; limit *= 16) digits += 1;
    this.ensure(digits);
    let rest = value;
    for (let at = this.length + digits - 1; at >= this.length; at -= 1) {
      const digit = rest % 16;
      this.bytes[at] = digit < 10 ? ZERO + digit : 87 + digit;
      rest = (rest - digit) / 16;
    }
    this.length += digits;
  }

  reset(): void {
    this.length = 0;
  }
}

/** The line before `size` bytes of data, which a CRLF must follow. `size` is at least 1: a chunk of 0 ends the body. */
export function writeChunkHead(writer: ByteWriter, size: number): void {
  writer.hexadecimal(size);
  writer.crlf();
}
