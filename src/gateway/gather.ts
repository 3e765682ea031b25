/**
 * What is about to leave on one socket in this turn: a head, small body pieces, chunk framing. They are put
 * together here and leave in one write, because a write costs more than all the copying (about 5 µs).
 *
 * Large body pieces are not copied: the gathered bytes are put into the room right before the piece, in the
 * buffer it was read into, and both leave from there.
 */
import { ByteWriter } from "../http1/writer.ts";
import { HEAD_ROOM } from "../kernel/socket.ts";
import type { SocketPort } from "../kernel/socket.ts";

/** Pieces up to this size are copied; beyond it a copy costs more than a second look at the buffer. */
const COPY_MAX = 4096;
const GATHER_BYTES = 64 * 1024;
const CR = 13;
const LF = 10;

export class Gather {
  #writer = new ByteWriter(GATHER_BYTES);
  #socket: SocketPort | null = null;
  /** Bytes of the buffer being read before this offset are not ours to overwrite. */
  #floor = 0;
  #readEnd = 0;

  /** A socket handed over `[start, end)` of the shared buffer; the rooms around it may be written. */
  begin(start: number, end: number): void {
    this.#floor = Math.max(0, start - HEAD_ROOM);
    this.#readEnd = end;
  }

  /** What is read next are bytes that were kept: there are no rooms around them. */
  beginKept(): void {
    this.#floor = Infinity;
    this.#readEnd = Infinity;
  }

  /** The writer for what leaves on `socket`. What waits for another socket leaves first. */
  to(socket: SocketPort): ByteWriter {
    if (this.#socket !== socket) {
      if (this.#socket !== null) this.flush();
      this.#socket = socket;
    }
    return this.#writer;
  }

  /** Body bytes. With `chunkEnd` a CRLF follows them. `bytes` is the buffer that `begin` was about, or one that nobody reuses. */
  body(socket: SocketPort, bytes: Buffer, start: number, end: number, chunkEnd: boolean, shared: boolean): void {
    const writer = this.to(socket);
    if (end - start <= COPY_MAX) {
      writer.copy(bytes, start, end);
      if (chunkEnd) writer.crlf();
      return;
    }
    let from = start;
    let to = end;
    if (shared && writer.length > 0 && start - writer.length >= this.#floor) {
      from = start - writer.length;
      writer.bytes.copy(bytes, from, 0, writer.length);
      writer.reset();
    } else this.flush();
    this.#socket = null;
    const endsInPlace = chunkEnd && shared && this.#placeCrlf(bytes, end);
    if (endsInPlace) to += 2;
    if (shared) this.#floor = to;
    socket.write(bytes.subarray(from, to));
    if (chunkEnd && !endsInPlace) this.to(socket).crlf();
  }

  /** Everything that waits leaves now. */
  flush(): void {
    const socket = this.#socket;
    this.#socket = null;
    const writer = this.#writer;
    if (socket === null || writer.length === 0) return;
    const taken = socket.write(writer.bytes.subarray(0, writer.length));
    if (taken) writer.reset();
    else this.#writer = new ByteWriter(GATHER_BYTES);
  }

  /** What waits is not to be trusted: it was being written when something threw. */
  discard(): void {
    this.#socket = null;
    this.#writer.reset();
  }

  /**
   * Puts CRLF behind a piece where that changes nothing the parser has yet to check: behind the last byte
   * read, or where CRLF stands already.
   */
  #placeCrlf(bytes: Buffer, end: number): boolean {
    if (end < this.#readEnd && bytes[end] !== CR) return false;
    if (end + 1 < this.#readEnd && bytes[end + 1] !== LF) return false;
    bytes[end] = CR;
    bytes[end + 1] = LF;
    return true;
  }
}
