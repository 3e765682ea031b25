/**
 * Listening sockets. Accepted connections are taken at the handle, before Node wraps them in a stream, so that
 * they can read into the shared buffer; should a Node version not have that handle, its own sockets are used,
 * a little slower and just as right.
 */
import net from "node:net";
import type { Listen, ListeningPort, SocketListener, SocketPort } from "../kernel/socket.ts";
import { wrapHandle, wrapSocket } from "./tcp-socket.ts";

const BACKLOG = 4096;

interface AcceptingHandle {
  onconnection: (status: number, client: unknown) => void;
}

/** `onAcceptError` hears failures to accept (descriptors used up), by the system's number. */
export function createListen(onAcceptError: (status: number) => void): Listen {
  return async (bind, onSocket) => {
    const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => wrapSocket(socket, onSocket));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: bind.host, port: bind.port, backlog: BACKLOG }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    // Where Node accepts by itself it tells of failures this way, and one that nobody hears ends the process.
    server.on("error", (error: NodeJS.ErrnoException) => onAcceptError(error.errno ?? 0));
    acceptAtHandle(server, onSocket, onAcceptError);
    return toListeningPort(server);
  };
}

function acceptAtHandle(
  server: net.Server,
  onSocket: (socket: SocketPort) => SocketListener | null,
  onAcceptError: (status: number) => void,
): void {
  const handle = (server as unknown as { _handle?: Partial<AcceptingHandle> })._handle;
  if (typeof handle?.onconnection !== "function") return;
  handle.onconnection = (status, client) => {
    if (status !== 0 || client === undefined) onAcceptError(status);
    else wrapHandle(client, onSocket);
  };
}

function toListeningPort(server: net.Server): ListeningPort {
  const at = server.address();
  const { address, port } = typeof at === "object" && at !== null ? at : { address: "", port: 0 };
  return {
    address,
    port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
