/**
 * Who the client is, and what is said about it to the origin: X-Forwarded-For, and Forwarded (RFC 7239).
 *
 * Both are lists that each proxy appends to, so only their right end can be believed, and only as far as the
 * proxies that wrote it are trusted. The walk goes from the peer to the left and ends at the first address that
 * is not a trusted proxy, or at the first entry that is no address (`unknown`, `_hidden`, garbage): whoever
 * wrote that is then the farthest hop that is known.
 *
 * X-Forwarded-For counts when both are there. Almost every proxy writes it, and one that does passes a
 * client's own Forwarded on untouched.
 */
import { isIP } from "node:net";
import { isToken } from "./grammar.ts";

/** Longer chains are not walked to their end; nobody has this many proxies of his own. */
const HOPS_MAX = 32;
/** Forwarded can only be split from the left, so its size is bounded as well. */
const FORWARDED_LENGTH_MAX = 8192;

/** The address of the client. `peerAddress` itself when the peer is not trusted or says nothing. */
export function clientOf(
  peerAddress: string,
  forwardedFor: readonly string[],
  forwarded: readonly string[],
  isTrusted: (address: string) => boolean,
): string {
  return chainOf(peerAddress, forwardedFor, forwarded, isTrusted)[0] ?? peerAddress;
}

/**
 * The way of a request as far as it can be believed: the client first, `peerAddress` last. What stands to the left of
 * the client in the fields is whatever the client wrote there.
 */
export function chainOf(
  peerAddress: string,
  forwardedFor: readonly string[],
  forwarded: readonly string[],
  isTrusted: (address: string) => boolean,
): string[] {
  const chain = [peerAddress];
  if (!isTrusted(peerAddress)) return chain;
  const nodes = forwardedFor.length > 0 ? lastEntries(forwardedFor.join(",")) : nodesOf(forwarded.join(","));
  for (const node of nodes) {
    const address = addressOf(node);
    if (address === null) break;
    chain.unshift(address);
    if (!isTrusted(address)) break;
  }
  return chain;
}

/** `for=192.0.2.1;host=shop.example;proto=http`: what is known of one hop. An empty host or scheme is left out. */
export function forwardedElement(address: string, host: string, proto: string): string {
  // RFC 7239 §6: brackets around IPv6, and quotes because neither colon nor bracket is in a token.
  const node = address.includes(":") ? `"[${address}]"` : quoted(address);
  return `for=${node}${host === "" ? "" : `;host=${quoted(host)}`}${proto === "" ? "" : `;proto=${proto}`}`;
}

/** The pairs of every element of a Forwarded field, names in lower case; null when the field is malformed. */
export function parseForwarded(value: string): ReadonlyMap<string, string>[] | null {
  const elements: Map<string, string>[] = [];
  let element = new Map<string, string>();
  // Empty elements are allowed (RFC 9110 §5.6.1), empty pairs are too (RFC 7239 §4).
  // Whitespace is matched at one place on either side of a pair, so that a long run of it costs one pass.
  const pair =
    /[ \t]*(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)|"((?:[^"\\]|\\.)*)")[ \t]*)?([;,]|$)/y;
  while (pair.lastIndex < value.length) {
    const match = pair.exec(value);
    if (match === null) return null;
    const [, name, token, text, separator] = match;
    if (name !== undefined) {
      const key = name.toLowerCase();
      // Each parameter occurs at most once in an element (RFC 7239 §4).
      if (element.has(key)) return null;
      element.set(key, token ?? (text ?? "").replaceAll(/\\(.)/g, "$1"));
    }
    if (separator !== ";") {
      if (element.size > 0) elements.push(element);
      element = new Map();
    }
  }
  if (element.size > 0) elements.push(element);
  return elements;
}

/** The address in an entry: with or without port, IPv6 with or without brackets; null for anything else. */
export function addressOf(node: string): string | null {
  const text = node.trim();
  const bracketed = /^\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?$/.exec(text)?.[1];
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? plain(bracketed) : null;
  const withPort = /^([0-9.]+):[0-9]{1,5}$/.exec(text)?.[1];
  const address = withPort ?? text;
  return isIP(address) === 0 || address.includes("%") ? null : plain(address);
}

/** IPv4 in IPv6 is IPv4: a rule for 192.0.2.0/24 must not be passed by writing it otherwise. */
function plain(address: string): string {
  const lower = address.toLowerCase();
  const mapped = /^::ffff:([0-9.]+)$/.exec(lower)?.[1];
  return mapped ?? lower;
}

/** Entries from the right, at most `HOPS_MAX`, without splitting what is not looked at. */
function lastEntries(list: string): string[] {
  const entries: string[] = [];
  let end = list.length;
  while (entries.length < HOPS_MAX && end >= 0) {
    const comma = end === 0 ? -1 : list.lastIndexOf(",", end - 1);
    const entry = list.slice(comma + 1, end);
    if (entry.trim() !== "") entries.push(entry);
    end = comma;
  }
  return entries;
}

function nodesOf(forwarded: string): string[] {
  if (forwarded.length > FORWARDED_LENGTH_MAX) return [];
  const elements = parseForwarded(forwarded) ?? [];
  // An element without `for` says nothing about who sent the request to its proxy: the walk ends there.
  return elements
    .slice(-HOPS_MAX)
    .map((element) => element.get("for") ?? "unknown")
    .reverse();
}

function quoted(text: string): string {
  return isToken(text) ? text : `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}
