/**
 * Content of HTTP/2 made content of HTTP/1.1, for a reader that wants room around what it reads (kernel/socket.ts): where
 * it lies, if it lies in the buffer that the sockets read into, so that nothing is copied, and as a copy otherwise.
 *
 * In place the head of a chunk takes the place of the frame's, and what follows is overwritten: it is kept before and put
 * back when it has been read, because more frames may stand there.
 */
import { CR, LF } from "../http1/grammar.ts";
import { HEAD_ROOM, TAIL_ROOM } from "../kernel/socket.ts";
import { readBuffer } from "./read-buffer.ts";

const CRLF_BYTES = 2;
/** `ffffff\r\n` */
const CHUNK_HEAD_MAX = 8;
const tail = Buffer.alloc(TAIL_ROOM + CRLF_BYTES);

/** Whether content that ends at `end` has the room that it takes as a chunk, or as it is. */
export function hasRoom(bytes: Buffer, end: number, isChunk: boolean): boolean {
  return bytes === readBuffer && end + (isChunk ? CRLF_BYTES : 0) + TAIL_ROOM <= bytes.length;
}

/** Before it is read in place. */
export function keepBehind(bytes: Buffer, end: number): void {
  bytes.copy(tail, 0, end, end + tail.length);
}

/** When it has been read in place. */
export function putBehind(bytes: Buffer, end: number): void {
  tail.copy(bytes, end, 0, Math.min(tail.length, bytes.length - end));
}

/** Writes the framing of a chunk around `[start, end)`. Where the chunk begins; it ends behind a CRLF. */
export function chunkAround(bytes: Buffer, start: number, end: number): number {
  const size = `${(end - start).toString(16)}\r\n`;
  bytes.latin1Write(size, start - size.length);
  bytes[end] = CR;
  bytes[end + 1] = LF;
  return start - size.length;
}

export function chunkEnd(end: number): number {
  return end + CRLF_BYTES;
}

/** A copy with room around, which it is read from at `COPY_START`. */
export function roomyCopy(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(COPY_START + end - start + CRLF_BYTES + TAIL_ROOM);
  bytes.copy(copy, COPY_START, start, end);
  return copy;
}

export const COPY_START: number = HEAD_ROOM + CHUNK_HEAD_MAX;
