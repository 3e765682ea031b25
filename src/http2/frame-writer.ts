/**
 * Frames on their way out (RFC 9113 §4.1), put together in one buffer so that those of many streams leave in one write.
 * A connection that has nothing to say holds no buffer.
 */
import { ByteWriter } from "../http1/writer.ts";
import { errorCode, FLAG, FRAME, FRAME_HEAD_BYTES } from "./frames.ts";
import type { ErrorName } from "./frames.ts";

const WRITER_BYTES = 32 * 1024;
const SPARES_MAX = 16;
const spares: ByteWriter[] = [];

export class FrameWriter {
  #writer: ByteWriter | null = null;
  /** Counts what was taken, so that a place in the buffer can be told from one in the buffer before. */
  #taken = 0;

  get length(): number {
    return this.#writer?.length ?? 0;
  }

  /** The buffer that is being filled. */
  get writer(): ByteWriter {
    return (this.#writer ??= spares.pop() ?? new ByteWriter(WRITER_BYTES));
  }

  head(length: number, type: number, flags: number, stream: number): void {
    const { writer } = this;
    writer.ensure(FRAME_HEAD_BYTES);
    const { bytes } = writer;
    const at = writer.length;
    bytes[at] = length >>> 16;
    bytes[at + 1] = length >>> 8;
    bytes[at + 2] = length;
    bytes[at + 3] = type;
    bytes[at + 4] = flags;
    this.#word(at + 5, stream);
    writer.length = at + FRAME_HEAD_BYTES;
  }

  /** RST_STREAM, WINDOW_UPDATE. */
  number(type: number, stream: number, value: number): void {
    this.head(4, type, 0, stream);
    this.word(value);
  }

  settings(pairs: readonly (readonly [number, number])[]): void {
    this.head(6 * pairs.length, FRAME.SETTINGS, 0, 0);
    for (const [id, value] of pairs) {
      this.writer.byte(id >> 8);
      this.writer.byte(id & 0xff);
      this.word(value);
    }
  }

  goAway(last: number, error: ErrorName, evidence: string): void {
    this.head(8 + evidence.length, FRAME.GOAWAY, 0, 0);
    this.word(last);
    this.word(errorCode(error));
    this.writer.ascii(evidence);
  }

  word(value: number): void {
    const { writer } = this;
    writer.ensure(4);
    this.#word(writer.length, value);
    writer.length += 4;
  }

  /** A place to come back to; 0 is none. */
  mark(): number {
    return this.#taken * 2 ** 24 + this.length + 1;
  }

  /** Marks the frame that was begun at `mark` as the last of its stream; false: it has left already. */
  endAt(mark: number): boolean {
    const at = mark - this.#taken * 2 ** 24 - 1;
    const writer = this.#writer;
    if (writer === null || at < 0 || at >= writer.length) return false;
    writer.bytes[at + 4] = (writer.bytes[at + 4] ?? 0) | FLAG.END_STREAM;
    return true;
  }

  /**
   * A header block that was written behind room for one frame's head, from `at` on, gets its heads: HEADERS, and
   * CONTINUATION for what one frame does not hold.
   */
  closeBlock(at: number, stream: number, flags: number, frameBytes: number): void {
    const { writer } = this;
    const length = writer.length - at - FRAME_HEAD_BYTES;
    const end = writer.length;
    writer.length = at;
    if (length <= frameBytes) {
      this.head(length, FRAME.HEADERS, flags | FLAG.END_HEADERS, stream);
      writer.length = end;
      return;
    }
    const block = Buffer.from(writer.bytes.subarray(at + FRAME_HEAD_BYTES, end));
    for (let from = 0; from < block.length; from += frameBytes) {
      const to = Math.min(block.length, from + frameBytes);
      const isLast = to === block.length ? FLAG.END_HEADERS : 0;
      this.head(to - from, from === 0 ? FRAME.HEADERS : FRAME.CONTINUATION, (from === 0 ? flags : 0) | isLast, stream);
      writer.copy(block, from, to);
    }
  }

  /** Hands everything to `write`, which says whether the buffer may be used again. */
  leave(write: (bytes: Buffer) => boolean): void {
    const writer = this.#writer;
    if (writer === null || writer.length === 0) return;
    this.#writer = null;
    this.#taken += 1;
    const isFree = write(writer.bytes.subarray(0, writer.length));
    writer.reset();
    if (isFree && spares.length < SPARES_MAX && writer.bytes.length <= 4 * WRITER_BYTES) spares.push(writer);
  }

  #word(at: number, value: number): void {
    const { bytes } = this.writer;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
  }
}
