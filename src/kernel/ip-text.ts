/** Hosts and IP addresses as text: in a URL or beside a port, and whether an address means this machine alone. */

/** What an address on a Unix socket begins with; a client there has no address but this. */
export const UNIX = "unix:";

export function isUnix(host: string): boolean {
  return host.startsWith(UNIX);
}

/** As it stands in a URL: an IPv6 address in brackets (RFC 3986 §3.2.2). */
export function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** `127.0.0.1:80`, `[::1]:80`, `example.com:80`; a Unix socket has no port: `unix:/run/app.sock`. */
export function hostPort(host: string, port: number): string {
  return isUnix(host) ? host : `${bracketed(host)}:${port}`;
}

/** 127.0.0.0/8 and ::1 in any spelling, also mapped into IPv6. Not a name: what localhost means is another question. */
export function isLoopbackIp(ip: string): boolean {
  if (ip === "::1") return true;
  if (!ip.includes(":")) return LOOPBACK_IPV4.test(ip);
  // Any other spelling begins with zeros, so that most addresses cost no reading.
  if (!/^(?:0|::)/.test(ip)) return false;
  const canonical = URL.parse(`http://[${ip}]/`)?.hostname ?? "";
  // The URL standard writes ::ffff:127.0.0.1 as two hexadecimal groups.
  return canonical === "[::1]" || /^\[::ffff:7f[0-9a-f]{2}:/.test(canonical);
}

const LOOPBACK_IPV4 = /^127(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;
