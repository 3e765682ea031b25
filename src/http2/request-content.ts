/**
 * How a request's content gets to whoever reads it as HTTP/1.1: as bytes of a known length, as chunks, or as the bytes of
 * a tunnel. Whether it may come at all, and how much of it, its session knows.
 *
 * What a reader throws is a defect of its own exchange, and no other request of the connection hears of it.
 */
import { HEAD_ROOM, TAIL_ROOM } from "../kernel/socket.ts";
import type { StreamPort } from "./stream-port.ts";

const CRLF_BYTES = 2;
const HEX_DIGITS = "0123456789abcdef";
const EMPTY = Buffer.alloc(0);
const LAST_CHUNK = roomyCopy(Buffer.from("0\r\n\r\n", "latin1"), 0, 5);

/** Gives content to its reader where it lies, with the framing of a chunk in the room around it. */
export function deliver(stream: StreamPort, bytes: Buffer, start: number, end: number): void {
  let from = start;
  let to = end;
  if (stream.chunked) {
    bytes[from - 1] = 10;
    bytes[from - 2] = 13;
    from -= CRLF_BYTES;
    for (let size = end - start; size > 0; size >>>= 4) {
      from -= 1;
      bytes[from] = HEX_DIGITS.charCodeAt(size & 15);
    }
    bytes[end] = 13;
    bytes[end + 1] = 10;
    to += CRLF_BYTES;
  }
  hear(stream, bytes, from, to);
}

/** Its reader may write behind it, where the next frame is, and may keep a buffer that is not the shared one. */
export function deliverCopy(stream: StreamPort, bytes: Buffer, start: number, end: number): void {
  deliver(stream, roomyCopy(bytes, start, end), HEAD_ROOM, HEAD_ROOM + end - start);
}

/** The content is at its end, without trailer fields. */
export function deliverEnd(stream: StreamPort): void {
  deliverEnding(stream, LAST_CHUNK, HEAD_ROOM, LAST_CHUNK.length - TAIL_ROOM);
}

/** `[start, end)`: what ends content in chunks, with room around. It is copied where its reader has to wait for it. */
export function deliverEnding(stream: StreamPort, bytes: Buffer, start: number, end: number): void {
  if (stream.chunked) {
    if (stream.holds) stream.holdEnding(roomyCopy(bytes, start, end));
    else hear(stream, bytes, start, end);
  } else if (stream.isTunnel) {
    if (stream.holds) stream.holdEnding(EMPTY);
    else guard(stream, () => stream.listener.onFin());
  }
}

/** Its reader takes content again. Returns how many bytes of it were held. */
export function deliverHeld(stream: StreamPort): number {
  return stream.release((bytes, start, end) => deliver(stream, bytes, start, end));
}

/** The end that was held behind the content, if the reader still takes any. */
export function deliverHeldEnding(stream: StreamPort): void {
  const ending = stream.takeEnding();
  if (ending === null || stream.closed) return;
  if (stream.isTunnel) guard(stream, () => stream.listener.onFin());
  else hear(stream, ending, HEAD_ROOM, ending.length - TAIL_ROOM);
}

export function hear(stream: StreamPort, bytes: Buffer, start: number, end: number): void {
  try {
    stream.listener.onData(bytes, start, end);
  } catch (error) {
    stream.listener.onFault(error);
  }
}

export function guard(stream: StreamPort, call: () => void): void {
  try {
    call();
  } catch (error) {
    stream.listener.onFault(error);
  }
}

function roomyCopy(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.alloc(HEAD_ROOM + end - start + TAIL_ROOM);
  bytes.copy(copy, HEAD_ROOM, start, end);
  return copy;
}
