/** Which part of an answer a request asks for, as far as simulated origins understand ranges: one, from an offset on. */
import type { WireHead } from "./wire-reader.ts";

/** Null: the whole, also when `If-Range` names another version (RFC 9110 §13.1.5). The end is not part of it. */
export function rangeOf(fields: WireHead["fields"], etag: string, total: number): readonly [number, number] | null {
  const match = /^bytes=(\d+)-(\d*)$/.exec(fields.get("range") ?? "");
  const condition = fields.get("if-range");
  if (match === null || (condition !== undefined && condition !== etag)) return null;
  const from = Number(match[1]);
  const to = match[2] === "" ? total : Math.min(total, Number(match[2]) + 1);
  return from < to ? [from, to] : null;
}
