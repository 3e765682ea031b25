/**
 * Frames on their way to an origin (RFC 9113 §4.1): what is written in one turn of the event loop leaves in one write, from
 * however many exchanges it is. A stream's end is said with its last frame as long as that has not left.
 */
import { FLAG, FRAME, FRAME_BYTES, FRAME_HEAD_BYTES, PREFACE } from "../http2/frames.ts";
import { ByteWriter } from "../http1/writer.ts";

const OUT_BYTES = 64 * 1024;

export class OriginFrames {
  readonly #write: (bytes: Buffer) => boolean;
  #out: ByteWriter = new ByteWriter(OUT_BYTES);
  #flushDue = false;
  #stopped = false;
  /** Where the flags of the last frame of a stream stand in `#out`, and whose it is; 0: of none. */
  #flagsAt = 0;
  #flagsOf = 0;
  /** Where the block that is being written begins in `#out`. */
  #blockAt = 0;

  /** `write` says whether it has taken the bytes; what it has not taken is its own from then on. */
  constructor(write: (bytes: Buffer) => boolean) {
    this.#write = write;
  }

  preface(): void {
    this.#out.copy(PREFACE, 0, PREFACE.length);
  }

  /** A frame whose content is written behind it. */
  head(length: number, type: number, flags: number, id: number): void {
    const out = this.#out;
    out.ensure(FRAME_HEAD_BYTES);
    const { bytes } = out;
    const at = out.length;
    bytes.writeUIntBE(length, at, 3);
    bytes[at + 3] = type;
    bytes[at + 4] = flags;
    bytes.writeUInt32BE(id, at + 5);
    out.length = at + FRAME_HEAD_BYTES;
    this.#flagsAt = at + 4;
    this.#flagsOf = type === FRAME.DATA || type === FRAME.HEADERS ? id : 0;
    this.#flushLater();
  }

  word(value: number): void {
    this.#out.ensure(4);
    this.#out.bytes.writeUInt32BE(value, this.#out.length);
    this.#out.length += 4;
  }

  copy(bytes: Buffer, start: number, end: number): void {
    this.#out.copy(bytes, start, end);
  }

  data(id: number, bytes: Buffer, start: number, end: number): void {
    this.head(end - start, FRAME.DATA, 0, id);
    this.#out.copy(bytes, start, end);
    if (this.#out.length >= OUT_BYTES) this.flush();
  }

  /** RST_STREAM, WINDOW_UPDATE. */
  number(type: number, id: number, value: number): void {
    this.head(4, type, 0, id);
    this.word(value);
  }

  settings(pairs: readonly (readonly [number, number])[]): void {
    this.head(pairs.length * 6, FRAME.SETTINGS, 0, 0);
    for (const [setting, value] of pairs) {
      this.#out.byte(setting >> 8);
      this.#out.byte(setting & 0xff);
      this.word(value);
    }
  }

  /** A header block begins: it is written to the result, and `endBlock` follows in the same turn. */
  beginBlock(id: number, ends: boolean): ByteWriter {
    this.#blockAt = this.#out.length;
    this.head(0, FRAME.HEADERS, FLAG.END_HEADERS | (ends ? FLAG.END_STREAM : 0), id);
    return this.#out;
  }

  /** One that is too long for a frame is told in several. */
  endBlock(id: number): void {
    const out = this.#out;
    const length = out.length - this.#blockAt - FRAME_HEAD_BYTES;
    if (length <= FRAME_BYTES) out.bytes.writeUIntBE(length, this.#blockAt, 3);
    else this.#continue(this.#blockAt, id);
  }

  /** END_STREAM: on the last frame, if that has not left. */
  endOf(id: number): void {
    if (this.#flagsOf === id) {
      this.#out.bytes[this.#flagsAt] = (this.#out.bytes[this.#flagsAt] ?? 0) | FLAG.END_STREAM;
      this.#flagsOf = 0;
    } else this.head(0, FRAME.DATA, FLAG.END_STREAM, id);
  }

  flush(): void {
    this.#flushDue = false;
    const out = this.#out;
    if (out.length === 0 || this.#stopped) return;
    this.#flagsOf = 0;
    if (this.#write(out.bytes.subarray(0, out.length))) out.reset();
    else this.#out = new ByteWriter(OUT_BYTES);
  }

  /** Nothing leaves any more. */
  stop(): void {
    this.#stopped = true;
  }

  #continue(from: number, id: number): void {
    const out = this.#out;
    const rest = Buffer.from(out.bytes.subarray(from + FRAME_HEAD_BYTES + FRAME_BYTES, out.length));
    out.bytes.writeUIntBE(FRAME_BYTES, from, 3);
    out.bytes[from + 4] = (out.bytes[from + 4] ?? 0) & ~FLAG.END_HEADERS;
    out.length = from + FRAME_HEAD_BYTES + FRAME_BYTES;
    const flagsAt = this.#flagsAt;
    for (let at = 0; at < rest.length; at += FRAME_BYTES) {
      const piece = rest.subarray(at, at + FRAME_BYTES);
      const isLast = at + piece.length === rest.length;
      this.head(piece.length, FRAME.CONTINUATION, isLast ? FLAG.END_HEADERS : 0, id);
      out.copy(piece, 0, piece.length);
    }
    // The end of the stream is said with the first frame of the block.
    this.#flagsAt = flagsAt;
    this.#flagsOf = id;
  }

  #flushLater(): void {
    if (this.#flushDue) return;
    this.#flushDue = true;
    queueMicrotask(() => this.flush());
  }
}
