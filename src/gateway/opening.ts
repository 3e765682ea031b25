/**
 * What a connection to an origin begins with where the origin is told whose it is (PROXY protocol). It says so once for
 * all requests of the connection, so that one is never used for another client's: `whose` names the client's connection,
 * and only the same may go on with it.
 *
 * The client is who the connection came from: a load balancer's word for it by the PROXY protocol counts, what
 * X-Forwarded-For says does not, because that is said of a request and not of a connection.
 */
import { localProxyHeader, writeProxyHeader } from "../kernel/proxy-protocol-writer.ts";
import type { Carrier, SocketPort, Transport } from "../kernel/socket.ts";

/** What is known of the client's connection. */
export type ClientEnd = Pick<SocketPort, "carrier" | "remoteAddress" | "remotePort" | "localAddress" | "localPort">;

export interface Opening {
  readonly whose: string;
  readonly header: Buffer;
}

/** Null: the origin is told nothing. */
export function openingFor(transport: Transport | null, client: ClientEnd): Opening | null {
  if (transport === null || transport.proxyProtocol === 0) return null;
  const { carrier, remoteAddress, remotePort } = client;
  const ends = {
    source: remoteAddress,
    sourcePort: remotePort,
    destination: carrier.proxy?.destination ?? client.localAddress,
    destinationPort: carrier.proxy?.destinationPort ?? client.localPort,
  };
  return {
    whose: `${remoteAddress} ${remotePort}`,
    header: writeProxyHeader(transport.proxyProtocol, ends, extrasOf(carrier)),
  };
}

/** Of a check, behind which there is no client. Null: nothing. */
export function openingOfCheck(transport: Transport | null): Buffer | null {
  return transport === null || transport.proxyProtocol === 0 ? null : localProxyHeader(transport.proxyProtocol);
}

function extrasOf({ tls }: Carrier): Parameters<typeof writeProxyHeader>[2] {
  if (tls === null) return { alpn: "", authority: "", tls: null };
  const { version, cipher, serverName, alpn } = tls;
  return { alpn, authority: serverName, tls: { version, cipher, commonName: "" } };
}
