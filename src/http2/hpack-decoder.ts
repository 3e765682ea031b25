/**
 * Header blocks into fields (RFC 7541). One decoder for each connection and direction; each block has to pass through it
 * whole and in order, also those of messages that nobody wants, or both ends' tables would differ from then on.
 *
 * It holds one table and nothing else. What is decoded goes to a sink field by field, so that whoever listens can stop
 * keeping them: a block of 16 KiB can name a field of 4 KiB sixteen thousand times.
 */
import "../http1/latin1.ts";
import { decodedMax, decodeHuffman } from "./huffman.ts";
import { HeaderField } from "./header-field.ts";
import { STATIC_TABLE } from "./static-table.ts";

/** Hears the fields of a block, one by one. */
export interface FieldSink {
  onField(field: HeaderField): void;
}

/** `SETTINGS_HEADER_TABLE_SIZE`, which we leave as it is. */
export const TABLE_BYTES = 4096;
/** A field counts 32 bytes and more, so no table of this size holds more fields. */
const SLOTS = TABLE_BYTES / 32;
const STATIC_FIELDS: readonly HeaderField[] = STATIC_TABLE.map(([name, value]) => new HeaderField(name, value));
/** Numbers of more bits than this are nobody's index and nobody's length. */
const SHIFT_MAX = 21;

let scratch = Buffer.allocUnsafeSlow(4096);

export class HpackDecoder {
  readonly #slots: (HeaderField | null)[] = Array.from({ length: SLOTS }, () => null);
  /** Fields that were ever put into the table: the newest is in slot `#added - 1`. */
  #added = 0;
  #count = 0;
  #bytes = 0;
  #bytesMax = TABLE_BYTES;
  /** Where the block is being read. */
  #at = 0;
  #failed = false;

  /** False: it is not a header block, and the connection is lost (COMPRESSION_ERROR). */
  decode(bytes: Buffer, start: number, end: number, sink: FieldSink): boolean {
    this.#at = start;
    this.#failed = false;
    let mayResize = true;
    while (this.#at < end) {
      const byte = bytes[this.#at] ?? 0;
      if (byte >= 0x80) {
        const field = this.#fieldAt(this.#integer(bytes, end, 0x7f));
        if (this.#failed || field === null) return false;
        sink.onField(field);
      } else if (byte >= 0x20 && byte < 0x40) {
        // §4.2: a change of the table's size stands at the beginning of a block.
        const size = this.#integer(bytes, end, 0x1f);
        if (this.#failed || !mayResize || size > TABLE_BYTES) return false;
        this.#bytesMax = size;
        this.#evict(size);
        continue;
      } else {
        const isKept = byte >= 0x40;
        const field = this.#literal(bytes, end, isKept ? 0x3f : 0x0f);
        if (field === null) return false;
        if (isKept) this.#add(field);
        sink.onField(field);
      }
      mayResize = false;
    }
    return true;
  }

  #literal(bytes: Buffer, end: number, mask: number): HeaderField | null {
    const index = this.#integer(bytes, end, mask);
    if (this.#failed) return null;
    let name = "";
    if (index === 0) name = this.#text(bytes, end);
    else {
      const named = this.#fieldAt(index);
      if (named === null) return null;
      name = named.name;
    }
    const value = this.#failed ? "" : this.#text(bytes, end);
    return this.#failed ? null : new HeaderField(name, value);
  }

  #fieldAt(index: number): HeaderField | null {
    if (index <= STATIC_FIELDS.length) return STATIC_FIELDS[index - 1] ?? null;
    const back = index - STATIC_FIELDS.length;
    return back > this.#count ? null : (this.#slots[(this.#added - back) % SLOTS] ?? null);
  }

  #add(field: HeaderField): void {
    const { size } = field;
    this.#evict(this.#bytesMax - size);
    // §4.4: one that is larger than the table empties it, and that is no fault.
    if (size > this.#bytesMax) return;
    this.#slots[this.#added % SLOTS] = field;
    this.#added += 1;
    this.#count += 1;
    this.#bytes += size;
  }

  #evict(bytesMax: number): void {
    while (this.#count > 0 && this.#bytes > bytesMax) {
      const slot = (this.#added - this.#count) % SLOTS;
      this.#bytes -= this.#slots[slot]?.size ?? 0;
      this.#slots[slot] = null;
      this.#count -= 1;
    }
  }

  /** §5.1. */
  #integer(bytes: Buffer, end: number, mask: number): number {
    let value = (bytes[this.#at] ?? 0) & mask;
    this.#at += 1;
    if (value < mask) return value;
    for (let shift = 0; shift <= SHIFT_MAX && this.#at < end; shift += 7) {
      const byte = bytes[this.#at] ?? 0;
      this.#at += 1;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    this.#failed = true;
    return 0;
  }

  /** §5.2. */
  #text(bytes: Buffer, end: number): string {
    if (this.#at >= end) {
      this.#failed = true;
      return "";
    }
    const isCoded = (bytes[this.#at] ?? 0) >= 0x80;
    const length = this.#integer(bytes, end, 0x7f);
    const start = this.#at;
    if (this.#failed || length > end - start) {
      this.#failed = true;
      return "";
    }
    this.#at = start + length;
    if (!isCoded) return bytes.latin1Slice(start, start + length);
    if (scratch.length < decodedMax(length)) scratch = Buffer.allocUnsafeSlow(2 * decodedMax(length));
    const decoded = decodeHuffman(bytes, start, start + length, scratch);
    if (decoded >= 0) return scratch.latin1Slice(0, decoded);
    this.#failed = true;
    return "";
  }
}
