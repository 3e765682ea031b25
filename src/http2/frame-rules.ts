/**
 * What frames have to be like (RFC 9113 §6), as far as their heads show it: which stream they may stand on and how long
 * they may be. A breach of it ends the connection. What depends on more than that, on what is open or on what came
 * before, is not here but with whoever knows it.
 */
import { FLAG, FRAME } from "./frames.ts";
import type { ErrorName } from "./frames.ts";

/** A breach of the protocol. */
export interface Breach {
  readonly error: ErrorName;
  readonly evidence: string;
}

/** Null: there is none. */
export function breachOf(type: number, flags: number, stream: number, length: number): Breach | null {
  const isAck = (flags & FLAG.ACK) !== 0;
  switch (type) {
    case FRAME.PRIORITY:
      return stream === 0 ? protocol("PRIORITY without a stream") : null;
    case FRAME.RST_STREAM:
      return length === 4 ? null : size("RST_STREAM of another length than 4");
    case FRAME.SETTINGS:
      if (stream !== 0) return protocol("SETTINGS on a stream");
      if (isAck) return length === 0 ? null : size("SETTINGS that agrees and says something");
      return length % 6 === 0 ? null : size("SETTINGS that is cut");
    case FRAME.PING:
      if (stream !== 0) return protocol("PING on a stream");
      return length === 8 ? null : size("PING of another length than 8");
    case FRAME.GOAWAY:
      if (stream !== 0) return protocol("GOAWAY on a stream");
      return length >= 8 ? null : size("GOAWAY is too short");
    case FRAME.WINDOW_UPDATE:
      return length === 4 ? null : size("WINDOW_UPDATE of another length than 4");
    case FRAME.PRIORITY_UPDATE:
      if (stream !== 0) return protocol("PRIORITY_UPDATE on a stream");
      return length >= 4 ? null : size("PRIORITY_UPDATE is too short");
    default:
      return null;
  }
}

/** Of the fields before the header block in HEADERS, whose content is `[start, end)`. */
export function breachOfHeaders(flags: number, bytes: Buffer, start: number, end: number): Breach | null {
  const from = blockStart(flags, start);
  if (from > end) return size("HEADERS has no room for what it announces");
  if (from > blockEnd(flags, bytes, start, end)) return protocol("the padding is longer than its frame");
  return null;
}

/** Where the header block begins in HEADERS whose content begins at `start`. */
export function blockStart(flags: number, start: number): number {
  const padding = (flags & FLAG.PADDED) === 0 ? 0 : 1;
  return start + padding + ((flags & FLAG.PRIORITY) === 0 ? 0 : PRIORITY_BYTES);
}

/** Where the header block ends and the padding begins. */
export function blockEnd(flags: number, bytes: Buffer, start: number, end: number): number {
  return (flags & FLAG.PADDED) === 0 ? end : end - (bytes[start] ?? 0);
}

export const PRIORITY_BYTES = 5;
/** §6.9.1. */
export const OVERFLOW: Breach = { error: "FLOW_CONTROL_ERROR", evidence: "a window grew beyond 2^31 - 1 bytes" };

function protocol(evidence: string): Breach {
  return { error: "PROTOCOL_ERROR", evidence };
}

function size(evidence: string): Breach {
  return { error: "FRAME_SIZE_ERROR", evidence };
}
