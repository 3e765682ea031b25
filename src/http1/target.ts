/**
 * The four forms of a request target (RFC 9112 §3.2). Which one it is decides where the path and the host are;
 * a form that the method does not allow is refused, because the next server would guess.
 */
import { authorityShape } from "./authority.ts";
import { COLON } from "./grammar.ts";
import type { MessageHead } from "./head.ts";
import type { RefusalId } from "./refusals.ts";

const SLASH = 47;
const ASTERISK = 42;
const AT_SIGN = 64;

/** Sets form, path and authority of a head whose target has been read, or says what is wrong with it. */
export function judgeTarget(head: MessageHead, bytes: Buffer): RefusalId | null {
  const start = head.targetStart;
  head.pathStart = start;
  head.authorityStart = start;
  head.authorityEnd = start;
  // CONNECT has a form of its own and no other (RFC 9112 §3.2.3).
  if (head.method === "CONNECT") return judgeAuthorityForm(head, bytes);
  if (bytes[start] === SLASH) {
    head.targetForm = "origin";
    return null;
  }
  if (bytes[start] === ASTERISK && head.targetEnd === start + 1) {
    head.targetForm = "asterisk";
    return head.method === "OPTIONS" ? null : "target-form";
  }
  return judgeAbsoluteForm(head, bytes);
}

/** RFC 9112 §3.2.3: host and port, both needed. */
function judgeAuthorityForm(head: MessageHead, bytes: Buffer): RefusalId | null {
  const { targetStart: start, targetEnd: end } = head;
  head.targetForm = "authority";
  head.pathStart = end;
  head.pathEnd = end;
  head.authorityEnd = end;
  if (bytes[start] === SLASH) return "target-form";
  const named = authorityShape(bytes, start, end) === "host-port" && bytes[start] !== COLON;
  return named && bytes[end - 1] !== COLON ? null : "target-authority";
}

/** RFC 9112 §3.2.2: `http://host[:port][/path][?query]`. */
function judgeAbsoluteForm(head: MessageHead, bytes: Buffer): RefusalId | null {
  const { targetStart: start, pathEnd: end } = head;
  let at = start;
  while (at < end && isAlphanumeric(bytes[at] ?? 0)) at += 1;
  if (at === start || end - at < 3 || bytes[at] !== COLON || bytes[at + 1] !== SLASH || bytes[at + 2] !== SLASH) {
    return "target-form";
  }
  const scheme = bytes.latin1Slice(start, at).toLowerCase();
  if (scheme !== "http" && scheme !== "https") return "target-scheme";
  const authorityStart = at + 3;
  let authorityEnd = authorityStart;
  let userinfo = false;
  while (authorityEnd < end && bytes[authorityEnd] !== SLASH) {
    if (bytes[authorityEnd] === AT_SIGN) userinfo = true;
    authorityEnd += 1;
  }
  if (userinfo) return "target-userinfo";
  const shape = authorityShape(bytes, authorityStart, authorityEnd);
  if (shape === "illegal" || shape === "empty") return "target-authority";
  head.targetForm = "absolute";
  head.authorityStart = authorityStart;
  head.authorityEnd = authorityEnd;
  head.pathStart = authorityEnd;
  return null;
}

function isAlphanumeric(byte: number): boolean {
  return (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122);
}
