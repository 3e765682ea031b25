/**
 * The `traceparent` field of W3C Trace Context (level 1 and 2), read strictly and written. Ids come from the
 * caller, because chance is an argument. `tracestate` is opaque to a gateway that adds nothing to it: it
 * travels on as it came whenever the traceparent is continued, and is dropped with an invalid one (§3.3.1.1).
 */
import type { ByteWriter } from "./writer.ts";

export interface TraceParent {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** 16 lower-case hex digits, not all zero: the span of whoever sent this. */
  readonly parentId: string;
  /** The sender may have recorded this trace. */
  readonly sampled: boolean;
  /** All eight flags, two hex digits. */
  readonly flags: string;
}

/** Version 00 in 55 characters; a later version may append more after another dash. */
const SHAPE = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = "0".repeat(32);
const NO_PARENT = "0".repeat(16);
/** A later version may be longer, but nothing that long is a traceparent. */
const LENGTH_MAX = 256;

/** Null when the value is not a valid traceparent; then a new trace starts (§3.3). */
export function parseTraceparent(value: string): TraceParent | null {
  const match = value.length <= LENGTH_MAX ? SHAPE.exec(value) : null;
  if (match === null) return null;
  const [, version = "", traceId = "", parentId = "", flags = "", more] = match;
  if (version === "ff" || (version === "00" && more !== undefined)) return null;
  if (traceId === NO_TRACE || parentId === NO_PARENT) return null;
  return { traceId, parentId, sampled: (Number.parseInt(flags, 16) & 1) === 1, flags };
}

/**
 * The field line with which a trace starts, unsampled. Its only span may be called after the trace: another random id
 * would cost every exchange 100 ns.
 */
export function writeFirstTraceparent(writer: ByteWriter, traceId: string): void {
  writer.ascii("traceparent: 00-");
  writer.ascii(traceId);
  writer.ascii("-");
  writer.ascii(traceId, traceId.length - NO_PARENT.length);
  writer.ascii("-00\r\n");
}
