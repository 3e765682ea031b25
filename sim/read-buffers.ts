/**
 * The buffers that reads are handed over in, with the contract of the socket port held to the letter. What a real
 * socket lets pass most of the time is found out here every time:
 *
 * - Bytes are valid until `onData` returns: then they are overwritten with garbage, rooms and all.
 * - `HEAD_ROOM` and `TAIL_ROOM` are the listener's, one byte more is not: there are marks beyond them.
 * - A buffer with bytes that a write could not get rid of is out of use until that write has: its content stays.
 */
import { HEAD_ROOM, TAIL_ROOM } from "../src/kernel/socket.ts";

export const READ_BYTES = 64 * 1024;
const MARK_BYTES = 32;
const MARK = 0xc7;
/** No byte of HTTP, so that whoever reads it as such is refused. */
const GARBAGE = 0x9d;
const START = MARK_BYTES + HEAD_ROOM;

export class ReadBuffers {
  /** Buffers with lent bytes, and by how many writes. */
  readonly #loans = new Map<ArrayBufferLike, number>();
  readonly #free: Buffer[] = [];
  readonly #own = new Map<ArrayBufferLike, Buffer>();

  /** Hands `bytes` over and says what the listener did wrong, or nothing. */
  handOver(bytes: Buffer, onData: (bytes: Buffer, start: number, end: number) => void): string {
    const buffer = this.#free.pop() ?? this.#make();
    const end = START + bytes.length;
    bytes.copy(buffer, START);
    buffer.fill(MARK, end + TAIL_ROOM, end + TAIL_ROOM + MARK_BYTES);
    try {
      onData(buffer, START, end);
    } finally {
      if (!this.#loans.has(buffer.buffer)) this.#recycle(buffer, end);
    }
    if (!isMarked(buffer, 0)) return "wrote in front of the head room of a read";
    if (!isMarked(buffer, end + TAIL_ROOM)) return "wrote behind the tail room of a read";
    return "";
  }

  /** A write keeps bytes of this buffer. Nothing happens when it is not one of these. */
  lend(bytes: Buffer): void {
    if (this.#own.has(bytes.buffer)) this.#loans.set(bytes.buffer, (this.#loans.get(bytes.buffer) ?? 0) + 1);
  }

  giveBack(bytes: Buffer): void {
    const loans = this.#loans.get(bytes.buffer);
    if (loans === undefined) return;
    if (loans > 1) {
      this.#loans.set(bytes.buffer, loans - 1);
      return;
    }
    this.#loans.delete(bytes.buffer);
    const buffer = this.#own.get(bytes.buffer);
    if (buffer !== undefined) this.#recycle(buffer, START + READ_BYTES);
  }

  #make(): Buffer {
    const buffer = Buffer.alloc(START + READ_BYTES + TAIL_ROOM + MARK_BYTES, GARBAGE);
    buffer.fill(MARK, 0, MARK_BYTES);
    this.#own.set(buffer.buffer, buffer);
    return buffer;
  }

  #recycle(buffer: Buffer, end: number): void {
    buffer.fill(GARBAGE, MARK_BYTES, end + TAIL_ROOM);
    this.#free.push(buffer);
  }
}

function isMarked(buffer: Buffer, from: number): boolean {
  for (let at = from; at < from + MARK_BYTES; at += 1) if (buffer[at] !== MARK) return false;
  return true;
}
