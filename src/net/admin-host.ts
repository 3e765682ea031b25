/**
 * Protection against DNS rebinding. A web page anywhere may point a name of its own at 127.0.0.1 and then read
 * what listens there as if it were its own site; the browser allows it, because the name is the page's. The one
 * thing such a request cannot hide is the name: it stands in `Host`. So an admin server on loopback answers
 * only to names that mean loopback, or to the host it was configured with.
 *
 * Off loopback this decides nothing: there a token is demanded, which no foreign page has, and the server may
 * rightly be reached under any name.
 */
import { isLoopbackIp } from "../kernel/ip-text.ts";

/** Whether a request with this `Host` field may be answered by a server bound to `bindHost`. */
export function hostAllowed(bindHost: string, hostField: string | undefined): boolean {
  if (!isLoopback(bindHost)) return true;
  const name = hostName(hostField ?? "");
  return name !== null && (isLoopback(name) || name === bindHost.toLowerCase());
}

/** Loopback by its meaning: its addresses, `localhost` and names under it (RFC 6761 §6.3). */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  return name === "localhost" || name.endsWith(".localhost") || isLoopbackIp(withoutZone(name));
}

/** The host of a `Host` field without port and brackets, in lower case; null when it is not one. */
function hostName(field: string): string | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(field);
  const name = match?.[1] ?? match?.[2];
  // A trailing dot names the same host (RFC 1034 §3.1).
  return name === undefined ? null : name.toLowerCase().replace(/\.$/, "");
}

function withoutZone(ip: string): string {
  const zone = ip.indexOf("%");
  return zone === -1 ? ip : ip.slice(0, zone);
}
