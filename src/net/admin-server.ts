/**
 * The HTTP server under the admin surface: `node:http` behind the plain values of contract/admin-http.ts. Not
 * the gateway's own codec, because here robustness and familiarity count and speed does not, and because the
 * admin surface must work when the data plane is what is broken.
 *
 * It adds what belongs to a server: bounds on heads, time and waiting bytes, refusal of foreign names (see
 * admin-host.ts), and an end. It decides nothing about paths, tokens or formats.
 */
import http from "node:http";
import { bodyBytesMax } from "../contract/admin-http.ts";
import type { AdminHandler, AdminResponse, AdminStream } from "../contract/admin-http.ts";
import type { Schedule } from "../kernel/clock.ts";
import { UNIX, isUnix } from "../kernel/ip-text.ts";
import { PLAIN_LISTENER } from "../kernel/socket.ts";
import type { SocketFile } from "../kernel/socket.ts";
import { hostAllowed } from "./admin-host.ts";
import { socketOfServer } from "./inherited-sockets.ts";
import type { GivenSocket, LentSocket } from "./inherited-sockets.ts";
import { changeSocketFile, listenOnPath, removeSocketFile } from "./unix-listen.ts";
import type { OwnFile } from "./unix-listen.ts";

export interface AdminServerOptions {
  readonly bind: { readonly host: string; readonly port: number };
  /** Of the file, where that is a Unix socket. */
  readonly socketFile?: SocketFile;
  /** Descriptors of sockets that listen there already; null: there are none. */
  readonly given?: readonly GivenSocket[] | null;
  readonly handle: AdminHandler;
  /** Hears what a handler threw; the client gets a 500 without details. */
  readonly onFault: (error: unknown) => void;
  readonly schedule: Schedule;
}

export interface AdminServer {
  readonly host: string;
  /** The one in use, also when 0 was asked for. */
  readonly port: number;
  /** Its socket, with which another process goes on. Null: it has none. */
  handOn(): LentSocket | null;
  /** Gives the file that it listens at another mode and owner; the result takes that back. Rejects when that cannot be. */
  changeFile(next: SocketFile): Promise<() => Promise<void>>;
  /** Ends the streams, lets answers that are under way finish within `withinMs`, then cuts. Never rejects. */
  close(withinMs: number): Promise<void>;
}

const HEAD_BYTES_MAX = 16 * 1024;
const CONNECTIONS_MAX = 256;
const HEAD_MS = 10_000;
const REQUEST_MS = 15_000;
const IDLE_MS = 30_000;
/** What may wait for one slow reader of a stream; beyond it `write` refuses. */
const STREAM_WAITING_BYTES_MAX = 256 * 1024;
/** A reader that took nothing for so long, while chunks waited, is dropped: it holds a slot and sees nothing. */
const STREAM_STALLED_MS = 30_000;

/** Listens, or rejects with the system's error (EADDRINUSE, EACCES, …). */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const streams = new Set<() => void>();
  const server = http.createServer(
    {
      maxHeaderSize: HEAD_BYTES_MAX,
      headersTimeout: HEAD_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: IDLE_MS,
      // A second Host or Authorization must not be dropped silently; the joined value fails the checks instead.
      joinDuplicateHeaders: true,
    },
    (request, response) => answer(options, streams, request, response),
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.maxRequestsPerSocket = 1_000;
  const file = await listen(server, options);
  // An accept that fails (no descriptor left) must not end the process.
  server.on("error", options.onFault);
  const at = server.address();
  const { address: host, port } = typeof at === "object" && at !== null ? at : { address: options.bind.host, port: 0 };
  let isHandedOn = false;
  return {
    host,
    port,
    handOn() {
      isHandedOn = true;
      const takeBack = (): void => {
        isHandedOn = false;
      };
      const socket = socketOfServer(server, file);
      return socket === null ? null : { ...socket, takeBack };
    },
    changeFile: (next) => (file === null ? Promise.resolve(() => Promise.resolve()) : changeSocketFile(file, next)),
    async close(withinMs) {
      // Whoever goes on with the socket needs its file.
      if (!isHandedOn && file !== null) removeSocketFile(file);
      await close(options, server, streams, withinMs);
    },
  };
}

async function listen(
  server: http.Server,
  { bind, given, socketFile = PLAIN_LISTENER.socketFile }: AdminServerOptions,
): Promise<OwnFile | null> {
  const [left] = given ?? [];
  const fd = left?.descriptor;
  if (fd === undefined && isUnix(bind.host))
    return listenOnPath(server, bind.host.slice(UNIX.length), socketFile, CONNECTIONS_MAX);
  const file = left?.file ?? null;
  // Before anybody is served by this process, whose settings may let fewer in.
  if (file !== null) await changeSocketFile(file, socketFile);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(fd === undefined ? bind : { fd }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  return file;
}

function answer(
  options: AdminServerOptions,
  streams: Set<() => void>,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): void {
  const target = request.url ?? "/";
  if (!hostAllowed(options.bind.host, request.headers.host)) {
    request.resume();
    refuse(response, 403, "This address answers only to localhost and to loopback addresses.");
    return;
  }
  if (!target.startsWith("/")) {
    request.resume();
    refuse(response, 400, "The request target has to be a path.");
    return;
  }
  if (request.method === "POST") {
    const bytesMax = bodyBytesMax(target.split("?")[0] ?? "");
    readBody(request, bytesMax, (body) => {
      if (body === null) refuse(response, 413, `A body may have ${bytesMax} bytes.`);
      else ask(body);
    });
    return;
  }
  // Elsewhere a body has no meaning. It is read and thrown away, so that the next request on the connection is found
  // where it begins; `requestTimeout` bounds it.
  request.resume();
  ask("");

  function ask(body: string): void {
    const mark = target.indexOf("?");
    try {
      const result = options.handle({
        method: request.method ?? "GET",
        path: mark === -1 ? target : target.slice(0, mark),
        query: mark === -1 ? "" : target.slice(mark + 1),
        headers: plainHeaders(request.headers),
        body,
      });
      if (result instanceof Promise) {
        result.then((later) => send(later, request, response)).catch((error: unknown) => failed(error));
      } else if (result.kind === "response") send(result, request, response);
      else stream(result, streams, response, options);
    } catch (error) {
      failed(error);
    }
  }

  function failed(error: unknown): void {
    options.onFault(error);
    if (response.headersSent) response.destroy();
    else refuse(response, 500, "The admin interface failed on this request. The gateway's own output says why.");
  }
}

/** Null: there was more than may be. What follows is thrown away with the connection. A body that breaks off is nobody's. */
function readBody(request: http.IncomingMessage, bytesMax: number, done: (body: string | null) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  request.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length <= bytesMax) chunks.push(chunk);
    else if (length - chunk.length <= bytesMax) done(null);
  });
  request.on("end", () => {
    if (length <= bytesMax) done(Buffer.concat(chunks).toString("utf8"));
  });
  // Without a listener the error of a client that went away would be nobody's and end in the process's.
  request.on("error", () => undefined);
}

function plainHeaders(headers: http.IncomingHttpHeaders): Record<string, string | undefined> {
  // Without a prototype, so that a field named `constructor` is only a field.
  const plain = Object.create(null) as Record<string, string | undefined>;
  for (const [name, value] of Object.entries(headers)) plain[name] = Array.isArray(value) ? value.join(", ") : value;
  return plain;
}

function send(result: AdminResponse, request: http.IncomingMessage, response: http.ServerResponse): void {
  response.writeHead(result.status, { ...result.headers });
  response.end(request.method === "HEAD" ? undefined : (result.bytes ?? result.body));
}

function refuse(response: http.ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": String(Buffer.byteLength(text) + 1),
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    connection: "close",
  });
  response.end(`${text}\n`);
}

/** Runs a stream until its reader leaves, stalls, or the server closes; whichever comes first, `stop` runs once. */
function stream(
  result: AdminStream,
  streams: Set<() => void>,
  response: http.ServerResponse,
  options: AdminServerOptions,
): void {
  let stop: (() => void) | null = null;
  let open = true;
  /** Armed while something waits for the reader. */
  let cancelStalled: (() => void) | null = null;
  const watchReader = (): void => {
    cancelStalled?.();
    cancelStalled = null;
    if (open && response.writableLength > 0)
      cancelStalled = options.schedule(STREAM_STALLED_MS, () => response.destroy());
  };
  const over = (): void => {
    if (!open) return;
    open = false;
    cancelStalled?.();
    streams.delete(end);
    stop?.();
  };
  const end = (): void => {
    over();
    response.end();
  };
  response.writeHead(result.status, { ...result.headers });
  response.flushHeaders();
  response.on("close", over);
  response.on("error", over);
  streams.add(end);
  try {
    result.start(
      (chunk) => {
        if (!open || response.writableLength + chunk.length > STREAM_WAITING_BYTES_MAX) return false;
        // Called when the chunk has left: the reader is alive. Not `drain`, which comes only after much has waited.
        response.write(chunk, watchReader);
        if (cancelStalled === null) watchReader();
        return true;
      },
      (onClose) => {
        if (open) stop = onClose;
        else onClose();
      },
    );
  } catch (error) {
    options.onFault(error);
    response.destroy();
  }
}

function close(
  options: AdminServerOptions,
  server: http.Server,
  streams: Set<() => void>,
  withinMs: number,
): Promise<void> {
  return new Promise((resolve) => {
    const cancelCut = options.schedule(withinMs, () => server.closeAllConnections());
    // Also closes connections that are idle between two requests.
    server.close(() => {
      cancelCut();
      resolve();
    });
    for (const end of streams) end();
  });
}
