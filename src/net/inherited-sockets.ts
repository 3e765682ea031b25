/**
 * Listening sockets that one process opens and others accept from: a supervisor's for its workers, systemd's for the
 * service, a gateway's for its successor. They are opened once and live as long as their address is configured, because
 * closing a socket resets the connections that wait in its queue: a process may come and go, its queue stays.
 *
 * A socket that nobody accepts from is only bound here. `_createServerHandle` is how `node:cluster` does that, with
 * the same words; there is no public call for it. Where it is missing nothing can be opened for others, and that is said.
 */
import dns from "node:dns/promises";
import net from "node:net";
import { getSystemErrorName } from "node:util";
import type { SocketFile } from "../kernel/socket.ts";
import { makeSocketFile, removeSocketFile } from "./unix-listen.ts";
import type { OwnFile } from "./unix-listen.ts";

/** A socket that another process left to this one. */
export interface GivenSocket {
  readonly descriptor: number;
  /** Where it listens, if that is a file and the one who left it had made it. */
  readonly file: OwnFile | null;
}

/** A socket with which another process goes on. */
export interface LentSocket extends GivenSocket {
  /** For sending it over a channel. */
  readonly handle: unknown;
  /** Nobody goes on with it after all: what it listens at is removed with it again. */
  readonly takeBack?: () => void;
}

/** A socket that is bound and that this process does not accept from. */
export interface BoundSocket extends LentSocket {
  /** Another process goes on with it: what it listens at stays when it is closed here. */
  handOn(): LentSocket;
  close(): void;
}

export interface SocketAddress {
  readonly host: string;
  readonly port: number;
}

/** What Node keeps a socket in. */
interface Handle {
  readonly fd: number;
  close(): void;
  /** Sockets of the file system have none. */
  getsockname?(into: { address?: string; port?: number }): number;
}

type CreateServerHandle = (
  host: string | null,
  port: number,
  family: 4 | 6 | -1,
  descriptor: number | undefined,
  flags: number,
) => Handle | number;

/** libuv's UV_TCP_REUSEPORT. */
const SHARE_PORT = 2;
/** What systems say on which sockets cannot share a port. */
export const SHARING_IS_UNKNOWN: ReadonlySet<string> = new Set(["ENOTSUP", "EINVAL", "ENOPROTOOPT"]);

/**
 * Binds `count` sockets to one address, or a single one where a system does not let sockets share a port: then whoever
 * is quickest accepts. Rejects as `listen` does.
 */
export async function bindSockets(where: SocketAddress, count: number): Promise<BoundSocket[]> {
  const { address, family } = await dns.lookup(where.host);
  const kind = family === 6 ? 6 : 4;
  if (count === 1) return [bind({ address, port: where.port, kind }, 0)];
  // Sockets that share a port do not notice each other, so for a given one it is asked first whether somebody has it.
  // One that the system chooses is nobody's, also not of those who share: to ask would be to let it go for a moment.
  if (where.port !== 0) bind({ address, port: where.port, kind }, 0).close();
  const sockets: BoundSocket[] = [];
  let { port } = where;
  try {
    while (sockets.length < count) {
      const socket = bind({ address, port, kind }, SHARE_PORT);
      sockets.push(socket);
      port = addressOfSocket(socket).port;
    }
    return sockets;
  } catch (error) {
    for (const socket of sockets) socket.close();
    if (!SHARING_IS_UNKNOWN.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    return [bind({ address, port: where.port, kind }, 0)];
  }
}

/** Rejects, as `listen` does, when somebody listens there; accepts nobody meanwhile. */
export async function bindAlone(where: SocketAddress): Promise<void> {
  const { address, family } = await dns.lookup(where.host);
  bind({ address, port: where.port, kind: family === 6 ? 6 : 4 }, 0).close();
}

export function canBindAlone(): boolean {
  return (net as unknown as { _createServerHandle?: CreateServerHandle })._createServerHandle !== undefined;
}

/** A socket of the file system, as `listenOnPath` makes it. */
export async function bindSocketFile(path: string, file: SocketFile): Promise<BoundSocket> {
  let made: Handle | null = null;
  const own = await makeSocketFile(path, file, (beside) => {
    const handle = createHandle({ address: beside, port: -1, kind: -1, flags: 0 });
    if (typeof handle === "number") {
      const code = getSystemErrorName(handle);
      throw Object.assign(new Error(`bind ${code} ${beside}`), { code, syscall: "bind" });
    }
    made = handle;
    return () => handle.close();
  });
  if (made === null) throw new Error("the file of a socket was made without a socket");
  return bound(made, own);
}

/** A socket that somebody else opened and left to this process. Rejects a number that is no listening socket. */
export function adoptSocket({ descriptor, file }: GivenSocket): BoundSocket {
  const handle = createHandle(null, descriptor);
  if (typeof handle !== "number") return bound(handle, file);
  const code = getSystemErrorName(handle);
  throw Object.assign(new Error(`descriptor ${descriptor}: ${code}`), { code });
}

/** Null: it is no socket with an address. The descriptor stays what it is, for whoever listens on it. */
export function addressOfDescriptor(descriptor: number): SocketAddress | null {
  const handle = createHandle(null, descriptor);
  const at: { address?: string; port?: number } = {};
  // Closing the handle would close the descriptor; one that nothing is done with costs a few bytes.
  if (typeof handle === "number" || handle.getsockname?.(at) !== 0) return null;
  return at.address === undefined || at.port === undefined ? null : { host: at.address, port: at.port };
}

/** Where a socket listens; empty for one of the file system. */
export function addressOfSocket(socket: BoundSocket): SocketAddress {
  const at: { address?: string; port?: number } = {};
  (socket.handle as Handle).getsockname?.(at);
  return { host: at.address ?? "", port: at.port ?? 0 };
}

function bind({ address, port, kind }: { address: string; port: number; kind: 4 | 6 }, flags: number): BoundSocket {
  const handle = createHandle({ address, port, kind, flags });
  // That an address is taken is told by libuv only to whoever listens, or asks where the socket is.
  const status = typeof handle === "number" ? handle : (handle.getsockname?.({}) ?? 0);
  if (typeof handle !== "number" && status === 0) return bound(handle);
  if (typeof handle !== "number") handle.close();
  const code = getSystemErrorName(status);
  throw Object.assign(new Error(`bind ${code} ${address}:${port}`), { code, syscall: "bind", address, port });
}

function bound(handle: Handle, file: OwnFile | null = null): BoundSocket {
  let isOpen = true;
  let isHandedOn = false;
  const lent: LentSocket = { descriptor: handle.fd, handle, file };
  return {
    ...lent,
    handOn() {
      isHandedOn = true;
      return {
        ...lent,
        takeBack: () => {
          isHandedOn = false;
        },
      };
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      if (!isHandedOn && file !== null) removeSocketFile(file);
      handle.close();
    },
  };
}

function createHandle(
  where: { readonly address: string; readonly port: number; readonly kind: 4 | 6 | -1; readonly flags: number } | null,
  descriptor?: number,
): Handle | number {
  const { _createServerHandle: create } = net as unknown as { _createServerHandle?: CreateServerHandle };
  if (create === undefined) throw new Error("this Node.js cannot open sockets for other processes: set workers to 1");
  return where === null
    ? create(null, 0, -1, descriptor, 0)
    : create(where.address, where.port, where.kind, undefined, where.flags);
}

/** The socket that a server of Node's accepts from. Null: it has none that another process could go on with. */
export function socketOfServer(server: net.Server, file: OwnFile | null): LentSocket | null {
  const handle = (server as unknown as { readonly _handle?: { readonly fd?: number } | null })._handle ?? null;
  const descriptor = handle?.fd ?? -1;
  return descriptor < 0 ? null : { descriptor, handle, file };
}
