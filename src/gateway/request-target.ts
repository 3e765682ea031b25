/** What a request asks for, in the form in which routes are matched and records are kept. */
import type { MessageHead } from "../http1/head.ts";

/** More of a target than this says nothing to a reader of records, and could fill their memory. */
const TARGET_KEPT = 1024;

/** At most `length` characters of a text that may be long, without keeping the long one alive behind it. */
export function bounded(text: string, length: number): string {
  return text.length <= length ? text : Buffer.from(text.slice(0, length), "latin1").toString("latin1");
}

/** Path and query as sent, cut for the record. */
export function targetOf(head: MessageHead): string {
  const end = Math.min(head.targetEnd, head.targetStart + TARGET_KEPT);
  return head.bytes.latin1Slice(head.targetStart, end);
}

/** The whole path without the query. `target` is what `targetOf` gave: mostly it is the path itself. */
export function pathOf(head: MessageHead, target: string): string {
  if (head.targetForm === "asterisk") return "*";
  const isTarget = head.pathStart === head.targetStart && head.pathEnd === head.targetEnd;
  if (isTarget && head.targetEnd - head.targetStart <= TARGET_KEPT) return target;
  return head.pathStart === head.pathEnd ? "/" : head.bytes.latin1Slice(head.pathStart, head.pathEnd);
}

/**
 * In lower case, and without the dot of the root: `shop.example.com.` is the same name to DNS, to routes and to
 * origins, so it has to be to every rule that goes by names.
 */
export function hostWithoutPort(host: string): string {
  const colon = host.lastIndexOf(":");
  // An IPv6 literal has colons of its own, inside brackets.
  const name = colon === -1 || host.indexOf("]", colon) !== -1 ? host : host.slice(0, colon);
  return (name.endsWith(".") ? name.slice(0, -1) : name).toLowerCase();
}

/** Several fields of one name are one list (RFC 9110 §5.3): a condition on the first alone could be talked around. */
export function joinedValue(head: MessageHead, lowerName: string): string | null {
  let joined: string | null = null;
  for (let i = 0; i < head.fieldCount; i += 1) {
    if (head.named(i, lowerName)) joined = joined === null ? head.value(i) : `${joined}, ${head.value(i)}`;
  }
  return joined;
}

/** Fetch standard, `Sec-Purpose`: nobody has asked for it yet, and perhaps nobody will. */
export function isPrefetch(head: MessageHead): boolean {
  return /^\s*prefetch\b/.test(head.get("sec-purpose") ?? "");
}
