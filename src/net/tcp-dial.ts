/**
 * Connects to one address, or to a Unix socket. No name resolution and no racing of address families: the gateway
 * chooses the address. What lies between TCP and HTTP/1.1 is made here, and ends in the same port.
 */
import type { Address, SocketListener, SocketPort } from "../kernel/socket.ts";
import type { OriginContexts } from "./origin-contexts.ts";
import { dialSocket, dialUnix } from "./tcp-socket.ts";
import { dialTls } from "./tls-dial.ts";

const HTTP1 = ["http/1.1"];
const HTTP2 = ["h2"];
const EITHER = ["h2", "http/1.1"];

/** `h2`: over TLS HTTP/2 is offered, and HTTP/1.1 only where the origin may choose. */
export type DialSocket = (address: Address, listener: SocketListener, opening?: Buffer, h2?: boolean) => SocketPort;

export function createDial(contexts: OriginContexts): DialSocket {
  return (address, listener, opening, h2 = false) => {
    const transport = address.transport ?? null;
    if (transport !== null && transport.tls !== null) {
      const offered = !h2 ? HTTP1 : transport.http2?.choice === "prior" ? HTTP2 : EITHER;
      return dialTls(address, transport.tls, contexts, listener, { offered, opening: opening ?? null });
    }
    const path = transport === null ? "" : transport.unixPath;
    const socket =
      path === "" ? dialSocket(address.ip, address.port, address.family, listener) : dialUnix(path, listener);
    if (opening !== undefined) socket.opening = opening;
    return socket;
  };
}
