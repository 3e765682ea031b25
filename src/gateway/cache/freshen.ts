/**
 * Freshen: a stored response after the origin has said 304 (RFC 9111 §4.3.4, §3.2). The fields of the 304 take the
 * place of the stored ones, except those that describe the content, which was not sent again.
 */
import type { EntryFacts } from "./entry.ts";

/** RFC 9111 §3.2, and Content-MD5 and ETag, which belong to the content just as much. */
const KEPT = new Set([
  "content-encoding",
  "content-length",
  "content-md5",
  "content-range",
  "etag",
  "transfer-encoding",
]);

/** Field lines of the stored response with those of the 304 in their place. */
export function freshenFields(stored: string, fresh: string): string {
  const lines = fresh.split("\r\n").filter((line) => line !== "");
  const replaced = new Set(lines.map(nameOf).filter((name) => !KEPT.has(name)));
  const kept = stored.split("\r\n").filter((line) => line !== "" && !replaced.has(nameOf(line)));
  const added = lines.filter((line) => replaced.has(nameOf(line)));
  return [...kept, ...added].map((line) => `${line}\r\n`).join("");
}

/**
 * Whether a 304 is about the stored response: RFC 9111 §4.3.4 forbids using one whose strong validator is another's.
 * One without a validator answers the question that was asked, which was about this response alone.
 */
export function isAbout(stored: Pick<EntryFacts, "etag" | "lastModified">, etag: string | null): boolean {
  if (etag === null || stored.etag === null) return true;
  return etag.startsWith("W/") || stored.etag.startsWith("W/")
    ? etag.replace(/^W\//, "") === stored.etag.replace(/^W\//, "")
    : etag === stored.etag;
}

function nameOf(line: string): string {
  return line.slice(0, line.indexOf(":")).toLowerCase();
}
