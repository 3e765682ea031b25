/**
 * Stands for a client that has left an exchange which goes on without it, because somebody else wants its response:
 * others who wait for the same one, or the next try of a request that must not run twice. It takes everything at
 * once and does nothing with it.
 */
import type { Carrier, SocketPort } from "../kernel/socket.ts";
import type { ClientConnection } from "./client-connection.ts";
import { NO_HOST } from "./client-host.ts";
import type { ClientHost } from "./client-host.ts";

/** What an exchange needs of its client's connection. */
export type ClientSide = Pick<
  ClientConnection,
  | "listener"
  | "socket"
  | "peer"
  | "uses"
  | "tls"
  | "surplus"
  | "isStream"
  | "hostOf"
  | "userAgentOf"
  | "pause"
  | "resume"
  | "waitForBody"
  | "waitForWrite"
  | "responseBegins"
  | "exchangeDone"
  | "cut"
  | "becomeTunnel"
  | "tunnelDone"
>;

export function absentClient(client: ClientSide): ClientSide {
  return {
    listener: client.listener,
    peer: client.peer,
    uses: client.uses,
    tls: client.tls,
    surplus: client.surplus,
    isStream: client.isStream,
    socket: nobodysSocket(client.socket, client.socket.carrier),
    hostOf: () => NO_HOST,
    userAgentOf: () => "",
    pause: nothing,
    resume: nothing,
    waitForBody: nothing,
    waitForWrite: nothing,
    responseBegins: nothing,
    exchangeDone: nothing,
    cut: nothing,
    becomeTunnel: nothing,
    tunnelDone: nothing,
  };
}

/** Stands for the client of an exchange that no client asked for: its request is the copy of another's. */
export function clientBehind(client: ClientSide, host: ClientHost): ClientSide {
  return { ...absentClient(client), hostOf: () => host };
}

/** Takes everything and says nothing, under the addresses of another. */
export function nobodysSocket(socket: SocketPort, carrier: Carrier): SocketPort {
  return {
    listener: socket.listener,
    carrier,
    remoteAddress: socket.remoteAddress,
    remotePort: socket.remotePort,
    localAddress: socket.localAddress,
    localPort: socket.localPort,
    writing: false,
    waitingBytes: 0,
    write: () => true,
    pause: nothing,
    resume: nothing,
    probePeer: nothing,
    end: nothing,
    reset: nothing,
    destroy: nothing,
  };
}

function nothing(): void {
  // Nobody is there.
}
