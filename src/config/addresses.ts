/**
 * Addresses as an operator writes them: where to listen, which peers to trust, which resolvers to ask.
 * Only literal IP addresses (and `localhost`): what a listener binds to must not depend on a resolver,
 * least of all on the day the resolver is what failed.
 */
import ipaddr from "ipaddr.js";
import { UNIX, isUnix } from "../kernel/ip-text.ts";
import { accepted, quoted, refused } from "./parsed.ts";
import type { Parsed } from "./parsed.ts";
import type { Bind } from "./settings.ts";

const BIND_HINT =
  'Write an address and a port: "0.0.0.0:8080" for every IPv4 address, "[::]:8080" for every address, "127.0.0.1:8080" for this machine alone.';

/** As `parseBind`, or a Unix socket: `unix:/run/goodgate.sock`. */
export function parseBindOrSocket(input: unknown): Parsed<Bind> {
  if (typeof input !== "string" || !isUnix(input)) return parseBind(input);
  const path = parseUnixPath(input);
  return path.ok ? accepted({ host: UNIX + path.value, port: 0 }) : path;
}

/** `0.0.0.0:8080`, `[::1]:9090`, `localhost:9090` (which is 127.0.0.1). Port 0 lets the system choose. */
export function parseBind(input: unknown): Parsed<Bind> {
  const parts = typeof input === "string" ? /^(\[[^\]]*\]|[^:[\]]+):(\d{1,5})$/.exec(input) : null;
  if (parts === null) return refused(`${quoted(input)} is not an address with a port.`, BIND_HINT);
  const written = parts[1] ?? "";
  const host = written === "localhost" ? "127.0.0.1" : canonicalIp(written);
  const port = Number(parts[2]);
  if (host === null) {
    const hint =
      written === "*" ? `Write 0.0.0.0:${port} for every IPv4 address, or [::]:${port} for every address.` : BIND_HINT;
    return refused(
      `${quoted(written)} is neither an IP address nor localhost, and a listener binds to nothing else.`,
      hint,
    );
  }
  if (port > 65535) return refused(`Port ${port} does not exist.`, "Ports go from 0 (the system chooses) to 65535.");
  return accepted({ host, port });
}

/** What a socket's address has room for where that is least (103 bytes on macOS), less one for a name beside it. */
const UNIX_PATH_BYTES_MAX = 102;

/** The path of `unix:/path`: absolute, without `.` and `..`, so that one socket has one name. */
export function parseUnixPath(input: string): Parsed<string> {
  const path = input.slice(UNIX.length);
  const hint = "Write unix: and a path from the root, such as unix:/run/app/app.sock.";
  if (path.startsWith("///"))
    return refused(`${quoted(input)} is not a Unix socket.`, `Write ${UNIX}${path.slice(2)}.`);
  if (!/^(?:\/(?!\.{1,2}(?:\/|$))[^/\u0000-\u001f\u007f:]+)+$/u.test(path))
    return refused(`${quoted(input)} is not a Unix socket.`, hint);
  if (new TextEncoder().encode(path).length > UNIX_PATH_BYTES_MAX)
    return refused(
      `${quoted(input)} is longer than the path of a socket may be, ${UNIX_PATH_BYTES_MAX} bytes.`,
      "Choose a shorter one.",
    );
  return accepted(path);
}

/** An address range, or `unix:` for everybody on a Unix socket. */
export function parsePeers(input: unknown): Parsed<string> {
  return input === UNIX ? accepted(UNIX) : parseCidr(input);
}

/** Whether two listening sockets would claim the same address and port. `[::]` takes IPv4 too. */
export function bindsOverlap(one: Bind, other: Bind): boolean {
  if (isUnix(one.host) || isUnix(other.host)) return one.host === other.host;
  if (one.port !== other.port || one.port === 0) return false;
  if (one.host === other.host || one.host === "::" || other.host === "::") return true;
  return (one.host === "0.0.0.0" && isIpv4(other.host)) || (other.host === "0.0.0.0" && isIpv4(one.host));
}

/** `10.0.0.0/8`, `fd00::/8`, or one address, which becomes a range of one. Canonical CIDR text. */
export function parseCidr(input: unknown): Parsed<string> {
  const hint = "Write a range such as 10.0.0.0/8 or fd00::/8, or one address.";
  if (typeof input !== "string") return refused(`${quoted(input)} is not an address range.`, hint);
  const [written = "", length, ...more] = input.split("/");
  const ip = written.startsWith("[") ? null : canonicalIp(written);
  if (ip === null || more.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length))) {
    return refused(`${quoted(input)} is not an address range.`, hint);
  }
  const bits = isIpv4(ip) ? 32 : 128;
  const prefix = length === undefined ? bits : Number(length);
  if (prefix > bits) return refused(`${quoted(input)} has a prefix longer than ${bits} bits.`, hint);
  const network = networkOf(ip, prefix);
  // Cutting the host bits off silently would trust more peers than the eye sees in the file.
  if (network !== ip)
    return refused(
      `${quoted(input)} has bits set after its prefix.`,
      `Write ${network}/${prefix}, or ${ip} for the one address.`,
    );
  return accepted(`${ip}/${prefix}`);
}

/** `9.9.9.9`, `9.9.9.9:53`, `[2620:fe::fe]:53`, `2620:fe::fe`. */
export function parseResolver(input: unknown): Parsed<string> {
  const hint = "Write an IP address, with a port when it is not 53: 9.9.9.9 or 127.0.0.1:5353.";
  if (typeof input !== "string") return refused(`${quoted(input)} is not the address of a resolver.`, hint);
  const alone = canonicalIp(input);
  if (alone !== null) return accepted(alone);
  const bound = parseBind(input);
  if (!bound.ok || bound.value.port === 0 || input.startsWith("localhost")) {
    return refused(`${quoted(input)} is not the address of a resolver.`, hint);
  }
  const { host, port } = bound.value;
  return accepted(isIpv4(host) ? `${host}:${port}` : `[${host}]:${port}`);
}

/** Four decimal parts, or IPv6 with or without brackets; canonical (RFC 5952), without brackets. Null: neither. */
export function canonicalIp(written: string): string | null {
  const inner = written.startsWith("[") && written.endsWith("]") ? written.slice(1, -1) : written;
  if (inner === written && isIpv4(written)) return written;
  // Zones (fe80::1%eth0) are a local matter of one host and mean nothing in a shared file.
  if (!inner.includes(":") || inner.includes("%") || !ipaddr.IPv6.isValid(inner)) return null;
  return ipaddr.IPv6.parse(inner).toRFC5952String();
}

function isIpv4(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text);
}

function networkOf(ip: string, prefix: number): string {
  const cidr = `${ip}/${prefix}`;
  return isIpv4(ip)
    ? ipaddr.IPv4.networkAddressFromCIDR(cidr).toString()
    : ipaddr.IPv6.networkAddressFromCIDR(cidr).toRFC5952String();
}
