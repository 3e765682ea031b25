/**
 * Host names: those a service answers for (`hosts`) and those an origin is reached at. Both are compared as
 * bytes, so they are brought to one spelling here: lower case, no trailing dot, IPv6 in its short form.
 *
 * Names in other scripts are refused with their ASCII form rather than translated silently: what travels in
 * the Host field is the ASCII form, and the file should show what is compared.
 */
import { canonicalIp } from "./addresses.ts";
import { accepted, quoted, refused } from "./parsed.ts";
import type { Parsed, Refusal } from "./parsed.ts";

const NAME_MAX = 253;

/** `shop.example.com`, `*.example.com` (every name under it, at any depth), `*`, `192.0.2.1`, `[2001:db8::1]`. */
export function parseHostPattern(input: unknown): Parsed<string> {
  if (typeof input !== "string") return refused(`${quoted(input)} is not a host name.`, HOST_HINT);
  if (input === "*") return accepted(input);
  const hasWildcard = input.startsWith("*.");
  const name = hasWildcard ? input.slice(2) : input;
  if (name.includes("*")) {
    return refused(
      `${quoted(input)} has a wildcard that is not its first label.`,
      'A wildcard stands alone or first: "*" or "*.example.com".',
    );
  }
  if (/:\d+$/.test(name) && !name.startsWith("[") && name.indexOf(":") === name.lastIndexOf(":")) {
    return refused(
      `${quoted(input)} has a port.`,
      "A service answers for its hosts on every listener; leave the port out.",
    );
  }
  const host = parseHost(name);
  if (!host.ok) return host.message === "" ? refused(`${quoted(input)} is not a host name.`, host.hint) : host;
  const isAddress = canonicalIp(name) !== null;
  if (hasWildcard && isAddress)
    return refused(`${quoted(input)} is not a host name.`, "An address has nothing under it.");
  if (isAddress && host.value.includes(":")) return accepted(`[${host.value}]`);
  return accepted(hasWildcard ? `*.${host.value}` : host.value);
}

/** A name or an address literal, canonical and without brackets. An empty message leaves the wording to the caller. */
export function parseHost(written: string): Parsed<string> {
  const ip = canonicalIp(written);
  if (ip !== null) return accepted(ip);
  if (/[^\u0000-\u007f]/u.test(written)) return notAscii(written);
  const name = written.toLowerCase().replace(/\.$/, "");
  const isName = name.length <= NAME_MAX && name.split(".").every((label) => LABEL.test(label));
  // RFC 3986 §3.2.2 and every URL parser read a last label of digits as part of an IPv4 address: 10.1 is 10.0.0.1 to some.
  if (!isName || /(^|\.)(\d+|0x[0-9a-f]*)$/.test(name)) return refused("", HOST_HINT);
  return accepted(name);
}

/** Underscores are not host names by RFC 952, but container networks hand them out, so origins have them. */
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

const HOST_HINT = "Write a name such as shop.example.com or an address such as 192.0.2.1 or [2001:db8::1].";

function notAscii(written: string): Refusal {
  const ascii = URL.canParse(`http://${written}`) ? new URL(`http://${written}`).hostname : "";
  const hint = /^[a-z0-9.-]*xn--[a-z0-9.-]+$/.test(ascii) ? `Write its ASCII form: ${ascii}.` : HOST_HINT;
  return refused(`${quoted(written)} has letters outside ASCII.`, hint);
}
