/**
 * Fields into a header block (RFC 7541). A field that came before is put into the peer's table the second time and costs
 * one byte from the third on; one that is new each time (a length, an id, a date's second) costs what it is long and
 * drives nothing else out.
 *
 * Fields are looked for by a hash over name and value among the few dozen that the table holds; the bytes decide. Nothing
 * is written in Huffman's code (huffman.ts says why).
 */
import type { ByteWriter } from "../http1/writer.ts";
import { FIELD } from "../http1/field-ids.ts";
import { TABLE_BYTES } from "./hpack-decoder.ts";
import { STATIC_TABLE } from "./static-table.ts";

const SLOTS = TABLE_BYTES / 32;
/** A field of a larger share of the table would drive out too much that is worth keeping. */
const INDEXED_MAX = 1024;
/** Hashes of fields that came once. */
const SEEN = 64;

/** Id → what stands before the value, for names that the static table has. */
const STATIC_NAME = new Uint8Array(64);
/** Different in each response, or in nearly each: not worth a place. */
const VARIES = new Uint8Array(64);
/** Not to be guessed at by watching what it compresses to (RFC 7541 §7.1.3). */
const SECRET = new Uint8Array(64);

for (const [key, id] of Object.entries(FIELD)) {
  const name = key.toLowerCase().replaceAll("_", "-");
  STATIC_NAME[id] = STATIC_TABLE.findIndex((row) => row[0] === name) + 1;
}
for (const id of [FIELD.CONTENT_LENGTH, FIELD.X_REQUEST_ID, FIELD.CONTENT_RANGE, FIELD.ETAG, FIELD.LAST_MODIFIED]) {
  VARIES[id] = 1;
}
for (const id of [FIELD.SET_COOKIE, FIELD.COOKIE, FIELD.AUTHORIZATION]) SECRET[id] = 1;

const STATUS_NAME = 8;

export class HpackEncoder {
  readonly #hashes = new Int32Array(SLOTS);
  /** Name and value of each field of the table, the name as it is written. */
  readonly #fields: (Buffer | null)[] = Array.from({ length: SLOTS }, () => null);
  readonly #nameLengths = new Int32Array(SLOTS);
  readonly #seen = new Int32Array(SEEN);
  #added = 0;
  #count = 0;
  #bytes = 0;
  #bytesMax = TABLE_BYTES;
  /** What the peer is told at the beginning of the next block; -1: nothing. */
  #resized = -1;

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. More than we use is not used. */
  resize(bytesMax: number): void {
    const size = Math.min(bytesMax, TABLE_BYTES);
    if (size === this.#bytesMax) return;
    // RFC 7541 §4.2: of several changes between two blocks the smallest has to be told as well.
    this.#resized = this.#resized === -1 ? size : Math.min(this.#resized, size);
    this.#bytesMax = size;
    this.#evict(size);
  }

  /** A block begins. */
  begin(writer: ByteWriter): void {
    if (this.#resized === -1) return;
    integer(writer, 0x20, 0x1f, this.#resized);
    if (this.#resized !== this.#bytesMax) integer(writer, 0x20, 0x1f, this.#bytesMax);
    this.#resized = -1;
  }

  status(writer: ByteWriter, status: number): void {
    const index = STATIC_STATUS.indexOf(status);
    if (index !== -1) {
      writer.byte(0x80 | (STATUS_NAME + index));
      return;
    }
    // Without a place in the table: those with a row of their own are nearly all.
    writer.byte(STATUS_NAME);
    writer.byte(3);
    writer.decimal(status);
  }

  /** A row of the static table, name and value. */
  indexed(writer: ByteWriter, row: number): void {
    integer(writer, 0x80, 0x7f, row);
  }

  /** `row`: of the static table with that name; 0: none has it. */
  pseudo(writer: ByteWriter, row: number, name: Span, value: Span): void {
    this.#write(writer, row, name, value, false, false);
  }

  /** The name may have capitals; they are not written. `id`: one of `FIELD`. */
  field(writer: ByteWriter, id: number, name: Span, value: Span): void {
    const row = id === FIELD.OTHER ? 0 : (STATIC_NAME[id] ?? 0);
    this.#write(writer, row, name, value, SECRET[id] === 1, VARIES[id] === 1);
  }

  #write(writer: ByteWriter, row: number, name: Span, value: Span, isSecret: boolean, varies: boolean): void {
    if (!isSecret && !varies && name.length + value.length <= INDEXED_MAX) {
      const hash = hashOf(name, value);
      const found = this.#find(hash, name, value);
      if (found !== -1) {
        integer(writer, 0x80, 0x7f, STATIC_TABLE.length + found);
        return;
      }
      const seen = hash & (SEEN - 1);
      if (this.#seen[seen] === hash) {
        this.#name(writer, row, name, 0x40, 0x3f);
        text(writer, value);
        this.#add(hash, name, value);
        return;
      }
      this.#seen[seen] = hash;
    }
    this.#name(writer, row, name, isSecret ? 0x10 : 0, 0x0f);
    text(writer, value);
  }

  #name(writer: ByteWriter, row: number, name: Span, flag: number, mask: number): void {
    if (row !== 0) {
      integer(writer, flag, mask, row);
      return;
    }
    writer.byte(flag);
    integer(writer, 0, 0x7f, name.length);
    writer.ensure(name.length);
    for (let at = name.start; at < name.end; at += 1) writer.byte(lower(name.bytes[at] ?? 0));
  }

  /** How far back it stands in the table, from 1; -1: it is not there. */
  #find(hash: number, name: Span, value: Span): number {
    for (let back = 1; back <= this.#count; back += 1) {
      const slot = (this.#added - back) % SLOTS;
      if (this.#hashes[slot] !== hash || this.#nameLengths[slot] !== name.length) continue;
      const field = this.#fields[slot];
      if (field !== null && field !== undefined && isSame(field, name, value)) return back;
    }
    return -1;
  }

  #add(hash: number, name: Span, value: Span): void {
    const length = name.length + value.length;
    this.#evict(this.#bytesMax - length - 32);
    if (length + 32 > this.#bytesMax) return;
    const field = Buffer.allocUnsafeSlow(length);
    for (let at = 0; at < name.length; at += 1) field[at] = lower(name.bytes[name.start + at] ?? 0);
    value.bytes.copy(field, name.length, value.start, value.end);
    const slot = this.#added % SLOTS;
    this.#hashes[slot] = hash;
    this.#fields[slot] = field;
    this.#nameLengths[slot] = name.length;
    this.#added += 1;
    this.#count += 1;
    this.#bytes += length + 32;
  }

  #evict(bytesMax: number): void {
    while (this.#count > 0 && this.#bytes > bytesMax) {
      const slot = (this.#added - this.#count) % SLOTS;
      this.#bytes -= (this.#fields[slot]?.length ?? 0) + 32;
      this.#fields[slot] = null;
      this.#count -= 1;
    }
  }
}

/** A run of somebody's bytes. Two of them are kept and filled again for each field. */
export class Span {
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;

  set(bytes: Buffer, start: number, end: number): this {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    return this;
  }

  get length(): number {
    return this.end - this.start;
  }
}

const STATIC_STATUS: readonly number[] = [200, 204, 206, 304, 400, 404, 500];

function integer(writer: ByteWriter, flag: number, mask: number, value: number): void {
  if (value < mask) {
    writer.byte(flag | value);
    return;
  }
  writer.byte(flag | mask);
  let rest = value - mask;
  for (; rest >= 0x80; rest >>= 7) writer.byte((rest & 0x7f) | 0x80);
  writer.byte(rest);
}

function text(writer: ByteWriter, { bytes, start, end }: Span): void {
  integer(writer, 0, 0x7f, end - start);
  writer.copy(bytes, start, end);
}

/** FNV-1a; a seed of its own is not needed, because bytes are compared before anything is believed. */
function hashOf(name: Span, value: Span): number {
  let hash = 0x811c9dc5 | 0;
  for (let at = name.start; at < name.end; at += 1) hash = Math.imul(hash ^ lower(name.bytes[at] ?? 0), 0x01000193);
  for (let at = value.start; at < value.end; at += 1) hash = Math.imul(hash ^ (value.bytes[at] ?? 0), 0x01000193);
  // 0 stands for "nothing seen here".
  return hash === 0 ? 1 : hash;
}

function isSame(field: Buffer, name: Span, value: Span): boolean {
  if (field.length !== name.length + value.length) return false;
  for (let at = 0; at < name.length; at += 1) {
    if (field[at] !== lower(name.bytes[name.start + at] ?? 0)) return false;
  }
  for (let at = 0, to = name.length; at < value.length; at += 1, to += 1) {
    if (field[to] !== value.bytes[value.start + at]) return false;
  }
  return true;
}

function lower(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte | 0x20 : byte;
}
