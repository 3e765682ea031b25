/**
 * Listening sockets. Accepted connections are taken at the handle, before Node wraps them in a stream, so that
 * they can read into the shared buffer; should a Node version not have that handle, its own sockets are used,
 * a little slower and just as right.
 */
import net from "node:net";
import type { Listen, ListeningPort, SocketListener, SocketPort } from "../kernel/socket.ts";
import { wrapHandle, wrapSocket } from "./tcp-socket.ts";

const BACKLOG = 4096;
/**
 * Listening sockets for one address. The event loop accepts one connection per turn from each, and a turn in which
 * hundreds of connections are busy takes tens of milliseconds: with a single one, new clients would wait for seconds
 * behind those who are here already (measured: 52 accepted in a second beside 600 busy connections).
 */
const SOCKETS = 8;

interface AcceptingHandle {
  onconnection: (status: number, client: unknown) => void;
}

/** `onAcceptError` hears failures to accept (descriptors used up), by the system's number. */
export function createListen(onAcceptError: (status: number) => void): Listen {
  return async (bind, onSocket) => {
    // Sockets that share a port do not notice each other, so this one asks whether somebody else has it.
    const port = await freePort(bind.host, bind.port);
    const servers: net.Server[] = [];
    try {
      for (let i = 0; i < SOCKETS; i += 1)
        servers.push(await listenOn({ host: bind.host, port, reusePort: true }, onSocket));
    } catch (error) {
      await closeAll(servers);
      if (!SHARING_IS_UNKNOWN.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
      servers.splice(0, servers.length, await listenOn({ host: bind.host, port, reusePort: false }, onSocket));
    }
    for (const server of servers) {
      // Where Node accepts by itself it tells of failures this way, and one that nobody hears ends the process.
      server.on("error", (error: NodeJS.ErrnoException) => onAcceptError(error.errno ?? 0));
      acceptAtHandle(server, onSocket, onAcceptError);
    }
    return toListeningPort(servers);
  };
}

/** What systems say on which sockets cannot share a port. */
const SHARING_IS_UNKNOWN: ReadonlySet<string> = new Set(["ENOTSUP", "EINVAL", "ENOPROTOOPT"]);

async function freePort(host: string, port: number): Promise<number> {
  const server = net.createServer();
  await listening(server, { host, port, exclusive: true });
  const at = server.address();
  await closeAll([server]);
  return typeof at === "object" && at !== null ? at.port : port;
}

async function listenOn(
  where: { readonly host: string; readonly port: number; readonly reusePort: boolean },
  onSocket: (socket: SocketPort) => SocketListener | null,
): Promise<net.Server> {
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => wrapSocket(socket, onSocket));
  await listening(server, { ...where, backlog: BACKLOG });
  return server;
}

function listening(server: net.Server, options: net.ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

async function closeAll(servers: readonly net.Server[]): Promise<void> {
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
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

function toListeningPort(servers: readonly net.Server[]): ListeningPort {
  const at = servers[0]?.address();
  const { address, port } = typeof at === "object" && at !== null ? at : { address: "", port: 0 };
  return { address, port, close: () => closeAll(servers) };
}
