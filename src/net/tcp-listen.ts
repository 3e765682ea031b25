/**
 * Listening sockets. Accepted connections are taken at the handle, before Node wraps them in a stream
 * (accepted-socket.ts); should a Node version not have the handle that accepts, the one below its own socket is taken,
 * a little slower and just as right.
 */
import net from "node:net";
import { UNIX, isUnix } from "../kernel/ip-text.ts";
import { PLAIN_LISTENER } from "../kernel/socket.ts";
import type { Listen, ListenOptions, ListeningPort, SocketFile, SocketListener } from "../kernel/socket.ts";
import { bindAlone, canBindAlone, SHARING_IS_UNKNOWN, socketOfServer } from "./inherited-sockets.ts";
import type { GivenSocket, LentSocket } from "./inherited-sockets.ts";
import { systemClock } from "./clock.ts";
import { behindProxies } from "./proxy-gate.ts";
import { acceptHandle } from "./accepted-socket.ts";
import type { AcceptedSocket } from "./accepted-socket.ts";
import type { SystemHandle } from "./stream-handle.ts";
import { changeSocketFile, isSocketFileGone, listenOnPath, removeSocketFile } from "./unix-listen.ts";
import type { OwnFile } from "./unix-listen.ts";
import { acceptSecure } from "./tls-socket.ts";

const BACKLOG = 4096;
/**
 * Listening sockets for one address. The event loop accepts one connection per turn from each, and a turn in which
 * hundreds of connections are busy takes tens of milliseconds: with a single one, new clients would wait for seconds
 * behind those who are here already (measured: 52 accepted in a second beside 600 busy connections).
 */
export const SOCKETS = 8;

/** Nobody waits any more when so many turns of the event loop have accepted none. */
const QUIET_TURNS = 2;
/** Where new ones come without end it ends all the same, but not before a process that hardly gets to run has had turns. */
const LEAVE_MAX_MS = 1_000;
const LEAVE_TURNS = 500;

interface AcceptingHandle {
  onconnection: (status: number, client: SystemHandle | undefined) => void;
}

/** Listening sockets that are not opened here, and what becomes of all that are accepted from. */
export interface SocketKeeper {
  /** Sockets that are bound to this address; null: there are none, and it is opened here. */
  given(bind: Where): readonly GivenSocket[] | null;
  listens(open: OpenListener): void;
}

export interface OpenListener {
  readonly bind: Where;
  /** Those that are accepted from: another process goes on with them. */
  handOn(): LentSocket[];
  /** Accepts from this socket too, which came from another process, until the returned function is called. */
  cover(handle: unknown): () => void;
}

type Where = Parameters<Listen>[0];
type OnSocket = (socket: AcceptedSocket) => SocketListener | null;

/** `onAcceptError` hears failures to accept (descriptors used up), by the system's number. */
export function createListen(onAcceptError: (status: number) => void, keeper?: SocketKeeper): Listen {
  return async (bind, onConnection, options = PLAIN_LISTENER) => {
    const { socketFile } = options;
    let begin = beginningOf(options, onConnection);
    let accepted = 0;
    const onSocket: OnSocket = (socket) => {
      accepted += 1;
      return begin(socket);
    };
    const given = keeper?.given(bind) ?? null;
    const isOwn = given === null && isUnix(bind.host);
    const opened = isOwn ? await openFile(bind.host, onSocket, socketFile) : null;
    const adopted = given?.find((socket) => socket.file !== null)?.file ?? null;
    // As it is configured now, which may be different from what the process before went by.
    if (adopted !== null) await changeSocketFile(adopted, socketFile);
    let file = opened?.file ?? adopted;
    let wanted = socketFile;
    const servers =
      opened !== null
        ? [opened.server]
        : given === null
          ? await openAll(bind, onSocket)
          : await adoptAll(given, onSocket);
    let isHandedOn = false;
    /** Sockets of others. They end with the listener. */
    const covers = new Set<net.Server>();
    const accept = (server: net.Server): void => {
      // Where Node accepts by itself it tells of failures this way, and one that nobody hears ends the process.
      server.on("error", (error: NodeJS.ErrnoException) => onAcceptError(error.errno ?? 0));
      acceptAtHandle(server, onSocket, onAcceptError);
    };
    for (const server of servers) accept(server);
    /** What a listener at a file can be asked. */
    function ofFile(): Pick<ListeningPort, "changeFile" | "isFileGone" | "mendFile"> {
      return {
        async changeFile(next) {
          const undo = file === null ? (): Promise<void> => Promise.resolve() : await changeSocketFile(file, next);
          const before = wanted;
          wanted = next;
          return () => {
            wanted = before;
            return undo();
          };
        },
        isFileGone: async () => file !== null && (await isSocketFileGone(file)),
        async mendFile() {
          if (file === null || !(await isSocketFileGone(file))) return;
          const made = await openFile(bind.host, onSocket, wanted);
          accept(made.server);
          file = made.file;
          const before = servers.splice(0, Infinity, made.server);
          // Whoever connected while the file was there may still wait in the queue of the socket before.
          await whenNobodyWaits(() => accepted);
          await closeAll(before);
        },
      };
    }
    keeper?.listens({
      bind,
      handOn() {
        isHandedOn = true;
        const takeBack = (): void => {
          isHandedOn = false;
        };
        return servers.flatMap((server) => {
          const socket = socketOfServer(server, file);
          return socket === null ? [] : { ...socket, takeBack };
        });
      },
      cover(handle) {
        const server = createServer(onSocket);
        server.once("listening", () => accept(server));
        server.on("error", (error: NodeJS.ErrnoException) => onAcceptError(error.errno ?? 0));
        server.listen(handle, BACKLOG);
        covers.add(server);
        return () => {
          covers.delete(server);
          server.close();
        };
      },
    });
    return {
      ...addressOf(servers, bind),
      configure(next) {
        begin = beginningOf(next, onConnection);
      },
      ...(file === null ? {} : ofFile()),
      async leave() {
        // Whoever goes on with the socket needs its file. But it may know no listener for it any more.
        if (!isHandedOn && file !== null) removeSocketFile(file);
        await whenNobodyWaits(() => accepted);
        await closeAll([...servers, ...covers]);
      },
      async close() {
        if (!isHandedOn && file !== null) removeSocketFile(file);
        await closeAll([...servers, ...covers]);
      },
    };
  };
}

/** What is done with a connection before the gateway hears of it. */
function beginningOf({ proxyProtocol, tls, onUnbegun }: ListenOptions, onConnection: Parameters<Listen>[1]): OnSocket {
  const onSocket: OnSocket = tls === null ? onConnection : (socket) => acceptSecure(socket, tls, onConnection);
  return proxyProtocol === null ? onSocket : behindProxies(proxyProtocol, onUnbegun, onSocket);
}

async function openFile(
  host: string,
  onSocket: OnSocket,
  file: SocketFile,
): Promise<{ readonly server: net.Server; readonly file: OwnFile }> {
  const server = createServer(onSocket);
  return { server, file: await listenOnPath(server, host.slice(UNIX.length), file, BACKLOG) };
}

async function openAll({ host, port: wanted }: Where, onSocket: OnSocket): Promise<net.Server[]> {
  // Sockets that share a port do not notice each other, so for a given one it is asked first whether somebody has it.
  // One that the system chooses is nobody's, also not of those who share: to ask would be to let it go for a moment.
  if (wanted !== 0) await lookAlone({ host, port: wanted });
  const servers: net.Server[] = [];
  let port = wanted;
  try {
    for (let i = 0; i < SOCKETS; i += 1) {
      const server = await listenOn({ host, port, reusePort: true }, onSocket);
      servers.push(server);
      port = portOf(server) ?? port;
    }
    return servers;
  } catch (error) {
    await closeAll(servers);
    if (!SHARING_IS_UNKNOWN.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    return [await listenOn({ host, port: wanted, reusePort: false }, onSocket)];
  }
}

function adoptAll(given: readonly GivenSocket[], onSocket: OnSocket): Promise<net.Server[]> {
  return Promise.all(given.map(({ descriptor: fd }) => listenOn({ fd }, onSocket)));
}

/** Rejects when somebody listens there. Whoever connects in this moment must not be accepted by what is closed at once. */
async function lookAlone(where: Where): Promise<void> {
  if (canBindAlone()) {
    await bindAlone(where);
    return;
  }
  const server = net.createServer();
  await listening(server, { ...where, exclusive: true });
  await closeAll([server]);
}

async function listenOn(
  where: (Where & { readonly reusePort: boolean }) | { readonly fd: number },
  onSocket: OnSocket,
): Promise<net.Server> {
  const server = createServer(onSocket);
  await listening(server, { ...where, backlog: BACKLOG });
  return server;
}

function createServer(onSocket: OnSocket): net.Server {
  const options = { allowHalfOpen: true, noDelay: true, pauseOnConnect: true };
  return net.createServer(options, (socket) => acceptSocket(socket, onSocket));
}

/** Where Node has made a stream of it, its handle is taken away from that. */
function acceptSocket(socket: net.Socket, onSocket: OnSocket): void {
  const inside = socket as unknown as { _handle: SystemHandle | null };
  const handle = inside._handle;
  inside._handle = null;
  // Its server waits for the end of it.
  socket.destroy();
  if (handle !== null) acceptHandle(handle, onSocket);
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

/** A turn accepts one connection from each socket, so those that wait come within so many turns. */
function whenNobodyWaits(accepted: () => number): Promise<void> {
  const until = systemClock.monotonic() + LEAVE_MAX_MS;
  let before = -1;
  let quiet = 0;
  let turns = 0;
  return new Promise((resolve) => {
    function look(): void {
      turns += 1;
      quiet = accepted() === before ? quiet + 1 : 0;
      before = accepted();
      const isEnough = turns >= LEAVE_TURNS && systemClock.monotonic() >= until;
      if (quiet >= QUIET_TURNS || isEnough) resolve();
      else setImmediate(look);
    }
    look();
  });
}

async function closeAll(servers: readonly net.Server[]): Promise<void> {
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
}

function acceptAtHandle(server: net.Server, onSocket: OnSocket, onAcceptError: (status: number) => void): void {
  const handle = (server as unknown as { _handle?: Partial<AcceptingHandle> })._handle;
  if (typeof handle?.onconnection !== "function") return;
  handle.onconnection = (status, client) => {
    if (status !== 0 || client === undefined) onAcceptError(status);
    else acceptHandle(client, onSocket);
  };
}

function portOf(server: net.Server | undefined): number | null {
  const at = server?.address();
  return typeof at === "object" && at !== null ? at.port : null;
}

function addressOf(servers: readonly net.Server[], bind: Where): Omit<ListeningPort, "close"> {
  if (isUnix(bind.host)) return { address: bind.host, port: 0 };
  const at = servers[0]?.address();
  return typeof at === "object" && at !== null ? { address: at.address, port: at.port } : { address: "", port: 0 };
}
