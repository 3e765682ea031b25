/**
 * One buffer that every socket of the process reads into. A stream's `data` event costs an allocation of
 * 64 KiB and a shrink for each read; one shared buffer costs nothing and stays in the processor's cache
 * (docs/decisions/0005-reading-into-one-shared-buffer.md has the figures).
 *
 * It works because a listener is done with the bytes when its call returns, and because a write never leaves bytes
 * of it behind in a queue: what the kernel does not take is copied (tcp-socket.ts, accepted-socket.ts). It cannot be lent to a slow
 * socket instead while another takes its place: Node asks a socket for its next buffer when it has read into the
 * last one, so every socket that is open keeps pointing here and reads over what was lent.
 */
import { HEAD_ROOM, TAIL_ROOM } from "../kernel/socket.ts";

/** Large enough for a 64 KiB body with its head in one read; larger ones gained nothing in measurements. */
const READ_BYTES = 128 * 1024;

/** The whole of it, rooms included. */
export const readBuffer: Buffer = Buffer.allocUnsafeSlow(HEAD_ROOM + READ_BYTES + TAIL_ROOM);

/** The part that sockets read into. */
export const readView: Buffer = readBuffer.subarray(HEAD_ROOM, HEAD_ROOM + READ_BYTES);
