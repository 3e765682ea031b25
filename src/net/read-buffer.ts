/**
 * One buffer that every socket of the process reads into. A stream's `data` event costs an allocation of
 * 64 KiB and a shrink for each read; one shared buffer costs nothing and stays in the processor's cache
 * (docs/decisions/0005-reading-into-one-shared-buffer.md has the figures).
 *
 * It works because a listener is done with the bytes when its call returns. The one exception is a write that
 * the kernel did not take whole: the buffer is then lent to that socket, another takes its place, and it comes
 * back when the socket has flushed. A lender pauses its source, so an exchange holds at most one at a time.
 */
import { HEAD_ROOM, TAIL_ROOM } from "../kernel/socket.ts";

/** Large enough for a 64 KiB body with its head in one read; larger ones gained nothing in measurements. */
const READ_BYTES = 128 * 1024;
const SPARES_MAX = 16;

let current = allocate();
const spares: Buffer[] = [];

/** The view that sockets read into: the shared buffer without its rooms. */
let view = viewOf(current);

export function readView(): Buffer {
  return view;
}

/** The whole buffer behind the view, rooms included. */
export function sharedBuffer(): Buffer {
  return current;
}

/** Takes the shared buffer out of use because a socket still needs its bytes, and returns it. */
export function lendShared(): Buffer {
  const lent = current;
  current = spares.pop() ?? allocate();
  view = viewOf(current);
  return lent;
}

/** A lent buffer that is free again. */
export function giveBack(buffer: Buffer): void {
  if (spares.length < SPARES_MAX) spares.push(buffer);
}

function allocate(): Buffer {
  return Buffer.allocUnsafeSlow(HEAD_ROOM + READ_BYTES + TAIL_ROOM);
}

function viewOf(buffer: Buffer): Buffer {
  return buffer.subarray(HEAD_ROOM, HEAD_ROOM + READ_BYTES);
}
