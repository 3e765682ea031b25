/**
 * Host and port as they stand in a Host field or a request target (RFC 9110 §7.2, RFC 3986 §3.2.2).
 *
 * User information is not part of it (RFC 9110 §4.2.4). IPvFuture and zone identifiers are refused: nobody can
 * connect to the first, and the second names an interface of the client's machine.
 */
import { COLON, HEX, REG_NAME } from "./grammar.ts";

const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const DOT = 46;
const PERCENT = 37;
const ZERO = 48;
const NINE = 57;
const PORT_MAX = 65535;

/** What `[start, end)` is: a host alone, a host with a port, nothing at all, or not an authority. */
export type AuthorityShape = "host" | "host-port" | "empty" | "illegal";

export function authorityShape(bytes: Buffer, start: number, end: number): AuthorityShape {
  if (start === end) return "empty";
  const hostEnd = bytes[start] === OPEN_BRACKET ? endOfLiteral(bytes, start, end) : endOfName(bytes, start, end);
  if (hostEnd <= start) return "illegal";
  if (hostEnd === end) return "host";
  return bytes[hostEnd] === COLON && isPort(bytes, hostEnd + 1, end) ? "host-port" : "illegal";
}

/** Offset after a registered name or an IPv4 address, or -1. */
function endOfName(bytes: Buffer, start: number, end: number): number {
  let at = start;
  // An empty label is no name to DNS; readers that drop one dot, or all of them, would route it differently.
  let afterDot = true;
  while (at < end && REG_NAME[bytes[at] ?? 0] !== 0) {
    if (bytes[at] === PERCENT) {
      if (end - at < 3 || !isHex(bytes[at + 1]) || !isHex(bytes[at + 2])) return -1;
      at += 2;
    }
    const dot = bytes[at] === DOT;
    if (dot && afterDot) return -1;
    afterDot = dot;
    at += 1;
  }
  return at;
}

/**
 * Offset after `]`, or -1. Only the characters of an IPv6 address are checked, and that there are at least two
 * colons: what the address means is for whoever connects to it, and nobody connects to what a client names.
 */
function endOfLiteral(bytes: Buffer, start: number, end: number): number {
  let colons = 0;
  for (let at = start + 1; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === CLOSE_BRACKET) return colons >= 2 ? at + 1 : -1;
    if (byte === COLON) colons += 1;
    else if (byte !== DOT && !isHex(byte)) return -1;
  }
  return -1;
}

/** An empty port is in the grammar and means the default one (RFC 3986 §3.2.3). */
function isPort(bytes: Buffer, start: number, end: number): boolean {
  let port = 0;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte < ZERO || byte > NINE) return false;
    port = port * 10 + byte - ZERO;
    if (port > PORT_MAX) return false;
  }
  return true;
}

function isHex(byte: number | undefined): boolean {
  return HEX[byte ?? 0] !== 255;
}
