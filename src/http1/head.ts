/**
 * The head of one message, as offsets into the bytes it came in. Nothing becomes a string or an object until
 * somebody asks for it, so a head that is only passed on costs no memory at all.
 *
 * One `MessageHead` lives as long as its parser and is filled again for each message. The offsets and fields
 * are valid until `onHead` returns; then the bytes go back to their owner and the head forgets its fields
 * (`fieldCount` is 0, `find` finds nothing). What is plain data stays until the next message: method,
 * version, status, framing, flags.
 *
 * The table of offsets is borrowed while a head is being read: an idle connection holds none.
 */
import { FIELD } from "./field-ids.ts";
import "./latin1.ts";
import type { RefusalId } from "./refusals.ts";

export type TargetForm = "origin" | "absolute" | "asterisk" | "authority";
export type Framing = "none" | "length" | "chunked" | "close";

/**
 * Layout of the table: the first 64 entries hold, for each id that `seen` knows, the index of the first field
 * with that id; after them each field has its five numbers. In the last one, flags stand above the id.
 */
export const FIELDS_AT = 64;
export const PER_FIELD = 5;
const NAME_START = FIELDS_AT;
const NAME_END = FIELDS_AT + 1;
const VALUE_START = FIELDS_AT + 2;
const VALUE_END = FIELDS_AT + 3;
const MARKS = FIELDS_AT + 4;
const ID_MASK = 0xff;
const NOMINATED = 0x100;

/**
 * Fields for the next hop only, also when Connection does not name them (RFC 9110 §7.6.1). The three Proxy-
 * fields speak to the next proxy (§11.7), and this gateway is an origin server to its clients. HTTP2-Settings
 * is the other half of an upgrade to h2c, which is never passed on. `Trailer` is not among them: it announces
 * trailer fields, and these do travel.
 */
const HOP_BY_HOP =
  (1 << FIELD.CONNECTION) |
  (1 << FIELD.KEEP_ALIVE) |
  (1 << FIELD.PROXY_CONNECTION) |
  (1 << FIELD.TE) |
  (1 << FIELD.TRANSFER_ENCODING) |
  (1 << FIELD.UPGRADE) |
  (1 << FIELD.PROXY_AUTHENTICATE) |
  (1 << FIELD.PROXY_AUTHORIZATION) |
  (1 << FIELD.PROXY_AUTHENTICATION_INFO) |
  (1 << FIELD.HTTP2_SETTINGS);

const NO_BYTES = Buffer.alloc(0);
const NO_TABLE = new Int32Array(FIELDS_AT);
/** Room for 40 fields: more than a browser sends. A head with more grows its table, which is then let go. */
const TABLE_SIZE = FIELDS_AT + 40 * PER_FIELD;
const SPARE_TABLES_MAX = 16;
const spareTables: Int32Array[] = [];

export class MessageHead {
  /** What the offsets point into. */
  bytes: Buffer = NO_BYTES;
  headStart = 0;
  /** After the empty line. */
  headEnd = 0;
  /** Offset of the first field line. */
  fieldsStart = 0;
  /** Offset of the empty line. */
  fieldsEnd = 0;
  fieldCount = 0;

  /** Of requests. Case-sensitive; frequent ones are shared strings. */
  method = "";
  targetStart = 0;
  targetEnd = 0;
  targetForm: TargetForm = "origin";
  /** Path without query, in origin and absolute form. In absolute form it may be empty, which means `/`. */
  pathStart = 0;
  pathEnd = 0;
  /** Host and port in absolute form and authority form. In absolute form it outranks Host (RFC 9112 §3.2.2). */
  authorityStart = 0;
  authorityEnd = 0;

  /** Of responses. */
  status = 0;
  reasonStart = 0;
  reasonEnd = 0;

  minorVersion: 0 | 1 = 1;
  framing: Framing = "none";
  /** The declared length, also of a response without content (HEAD, 304); -1: none declared. */
  contentLength = -1;
  /**
   * False when Content-Length was written with leading zeros, which some servers read as octal, or among tabs and
   * spaces, which some do not trim. Legal, but then the number is passed on and not the line.
   */
  contentLengthPlain = true;
  /** What version and Connection say, and false when a message leaves any doubt about where the next one begins. */
  keepAlive = true;
  /** Connection and Upgrade ask for, or agree to, a protocol other than h2c. */
  upgrade = false;
  expectContinue = false;

  /** Ids 0–31 and 32–63 as bit sets: present, and present more than once. Scanner and rules use them; others call `find`. */
  seenLow = 0;
  seenHigh = 0;
  repeatedLow = 0;
  /** More ids below 32 that must not travel on, in this message alone. */
  dropLow = 0;
  /** See above. */
  table: Int32Array = NO_TABLE;

  /** Where the scanner stands between two pieces of a head; see `field-lines.ts` and the start lines. */
  step = 0;
  mark = 0;
  scanNameStart = 0;
  scanNameEnd = 0;
  scanValueStart = 0;
  refusal: RefusalId | null = null;

  nameStart(index: number): number {
    return this.table[NAME_START + index * PER_FIELD] ?? 0;
  }

  nameEnd(index: number): number {
    return this.table[NAME_END + index * PER_FIELD] ?? 0;
  }

  valueStart(index: number): number {
    return this.table[VALUE_START + index * PER_FIELD] ?? 0;
  }

  valueEnd(index: number): number {
    return this.table[VALUE_END + index * PER_FIELD] ?? 0;
  }

  /** One of `FIELD`. */
  id(index: number): number {
    return (this.table[MARKS + index * PER_FIELD] ?? 0) & ID_MASK;
  }

  /** Where the field line begins: no whitespace ever stands before a name. */
  lineStart(index: number): number {
    return this.nameStart(index);
  }

  /** After the CRLF of the field line. */
  lineEnd(index: number): number {
    return index + 1 < this.fieldCount ? this.nameStart(index + 1) : this.fieldsEnd;
  }

  /** Index of the first field with this id, or -1. */
  find(id: number): number {
    const seen = id < 32 ? this.seenLow : this.seenHigh;
    return (seen & (1 << id)) === 0 ? -1 : (this.table[id] ?? -1);
  }

  /** Index of the next field with the same id as field `index`, or -1. */
  next(index: number): number {
    const id = this.id(index);
    for (let other = index + 1; other < this.fieldCount; other += 1) if (this.id(other) === id) return other;
    return -1;
  }

  name(index: number): string {
    return this.bytes.latin1Slice(this.nameStart(index), this.nameEnd(index));
  }

  /** Without the whitespace around it. Each byte becomes one character (latin1), so nothing is lost or invented. */
  value(index: number): string {
    return this.bytes.latin1Slice(this.valueStart(index), this.valueEnd(index));
  }

  /** Whether it is spelled so; comparing costs less than making a string. Nothing is no value. */
  valueIs(index: number, text: string): boolean {
    const start = this.valueStart(index);
    if (this.valueEnd(index) - start !== text.length || text.length === 0) return false;
    for (let i = 0; i < text.length; i += 1) if (this.bytes[start + i] !== text.charCodeAt(i)) return false;
    return true;
  }

  /** Value of the first field with this id, or null. Check `next` where more than one would matter. */
  valueOf(id: number): string | null {
    const index = this.find(id);
    return index < 0 ? null : this.value(index);
  }

  /** Value of the first field with this lower-case name, or null. Compares every name: for names that have no id. */
  get(name: string): string | null {
    for (let index = 0; index < this.fieldCount; index += 1) if (this.named(index, name)) return this.value(index);
    return null;
  }

  /** Whether field `index` has this lower-case name. */
  named(index: number, name: string): boolean {
    const start = this.nameStart(index);
    if (this.nameEnd(index) - start !== name.length) return false;
    for (let at = 0; at < name.length; at += 1) {
      const byte = this.bytes[start + at] ?? 0;
      const lower = byte >= 65 && byte <= 90 ? byte | 0x20 : byte;
      if (lower !== name.charCodeAt(at)) return false;
    }
    return true;
  }

  /**
   * Whether field `index` must not travel on: it belongs to this hop, Connection nominates it, or a message of
   * this kind must not carry it (Content-Length in 1xx and 204, RFC 9110 §8.6).
   */
  hopByHop(index: number): boolean {
    const marks = this.table[MARKS + index * PER_FIELD] ?? 0;
    const id = marks & ID_MASK;
    return (marks & NOMINATED) !== 0 || (id < 32 && ((HOP_BY_HOP | this.dropLow) & (1 << id)) !== 0);
  }

  /** Connection names field `index` (RFC 9110 §7.6.1). Whether that counts is `connection.ts`'s decision. */
  nominate(index: number): void {
    const at = MARKS + index * PER_FIELD;
    this.table[at] = (this.table[at] ?? 0) | NOMINATED;
  }

  /** A head begins at `start`. */
  begin(start: number, step: number): void {
    this.headStart = start;
    this.step = step;
    this.mark = start;
    this.fieldCount = 0;
    this.seenLow = 0;
    this.seenHigh = 0;
    this.repeatedLow = 0;
    this.dropLow = 0;
    this.pathEnd = -1;
    this.refusal = null;
    if (this.table === NO_TABLE) this.table = spareTables.pop() ?? new Int32Array(TABLE_SIZE);
  }

  /** Room for one more field. */
  grow(): void {
    const wider = new Int32Array(this.table.length * 2);
    wider.set(this.table);
    this.table = wider;
  }

  /** The bytes read so far were moved: byte `offset` now lies at 0. */
  moved(offset: number): void {
    this.headStart -= offset;
    this.fieldsStart -= offset;
    this.fieldsEnd -= offset;
    this.targetStart -= offset;
    this.targetEnd -= offset;
    this.pathStart -= offset;
    // Still negative when the path has no end yet.
    this.pathEnd -= offset;
    this.authorityStart -= offset;
    this.authorityEnd -= offset;
    this.reasonStart -= offset;
    this.reasonEnd -= offset;
    this.mark -= offset;
    this.scanNameStart -= offset;
    this.scanNameEnd -= offset;
    this.scanValueStart -= offset;
    const { table } = this;
    for (let index = 0; index < this.fieldCount; index += 1) {
      const at = FIELDS_AT + index * PER_FIELD;
      for (let part = at; part < at + 4; part += 1) table[part] = (table[part] ?? 0) - offset;
    }
  }

  /** The bytes are no longer ours. */
  release(): void {
    this.bytes = NO_BYTES;
    this.fieldCount = 0;
    this.seenLow = 0;
    this.seenHigh = 0;
    const { table } = this;
    this.table = NO_TABLE;
    if (table.length === TABLE_SIZE && spareTables.length < SPARE_TABLES_MAX) spareTables.push(table);
  }
}
