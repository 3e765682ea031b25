/**
 * A socket to an origin for a probe, which begins as one of the gateway does: with the header of the PROXY protocol of a
 * check where the origin expects one, with the client's certificate where one is configured, and with the protocols that
 * are offered to it. It is Node's own all the same: the gateway's sockets are part of what a probe tries.
 */
import net from "node:net";
import tls from "node:tls";
import type { Endpoint, Seen, Way } from "../contract/rungs.ts";
import { UNIX, isUnix } from "../kernel/ip-text.ts";
import { localProxyHeader } from "../kernel/proxy-protocol-writer.ts";
import type { OriginTls } from "../kernel/socket.ts";
import type { OriginContexts } from "./origin-contexts.ts";

/** ALPN, as dials of the gateway offer it (tcp-dial.ts). */
export const OFFERED: Readonly<Record<Way["http2"], string[]>> = {
  never: ["http/1.1"],
  prior: ["h2"],
  alpn: ["h2", "http/1.1"],
};

/** What leaves before all else has left the process when it is connected, or is on its way. */
export function openSocket({ ip, family, port }: Endpoint, { proxyProtocol }: Pick<Way, "proxyProtocol">): net.Socket {
  const socket = net.connect(isUnix(ip) ? { path: ip.slice(UNIX.length) } : { host: ip, family, port });
  if (proxyProtocol !== 0) socket.write(localProxyHeader(proxyProtocol));
  return socket;
}

/** TLS on top of it. Whose certificate it is has to be looked at before: here anybody's will do. */
export function secureSocket(
  under: net.Socket,
  settings: OriginTls,
  http2: Way["http2"],
  contexts: OriginContexts,
): tls.TLSSocket {
  const socket = tls.connect({
    socket: under,
    secureContext: contexts.contextOf(settings),
    servername: net.isIP(settings.serverName) === 0 ? settings.serverName : "",
    ALPNProtocols: OFFERED[http2],
    rejectUnauthorized: false,
  });
  under.on("error", (error) => socket.destroy(error));
  return socket;
}

/** What an error of such a socket says. */
export function broken(error: NodeJS.ErrnoException): Omit<Seen, "ms"> {
  const code = error.code ?? "";
  if (code.startsWith("HPE_")) return { ok: false, text: `what came is not HTTP/1.1 (${code})`, failure: "rubbish" };
  if (code === "ERR_HTTP2_ERROR") return { ok: false, text: "what came is not HTTP/2", failure: "rubbish" };
  const known = FAILURES[code];
  if (known !== undefined) return { ok: false, text: known[1], failure: known[0] };
  return { ok: false, text: code === "" ? error.message : code, failure: "other" };
}

const FAILURES: Readonly<Record<string, readonly [Seen["failure"], string]>> = {
  ECONNREFUSED: ["refused", "connection refused"],
  ECONNRESET: ["cut", "closed or reset without a response"],
  EPIPE: ["cut", "closed or reset without a response"],
  ENOENT: ["refused", "there is no such socket"],
  EACCES: ["refused", "this process may not open the socket"],
  EHOSTUNREACH: ["unroutable", "no route to host"],
  ENETUNREACH: ["unroutable", "network unreachable"],
  ETIMEDOUT: ["silent", "no answer to SYN"],
};
