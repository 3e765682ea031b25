/**
 * An origin that does exactly what its script says, byte for byte: answer half a head and reset, stall,
 * half-close, close an idle connection, read nothing. A script is a function of one connection, because
 * "wait for a head, send this, then reset" reads best as three lines in order. Every byte is recorded.
 *
 * It knows nothing of HTTP beyond where a request's head ends.
 */
import { createServer, type AddressInfo, type Socket } from "node:net";
import { createByteLog, type ByteLog } from "./byte-log.ts";

export interface OriginConnection {
  /** 1 for the first connection that this origin accepted. */
  readonly number: number;
  readonly received: ByteLog;
  /** Port of the gateway's end. */
  readonly peerPort: number;
  /** The next request head, with its empty line; consumes it. */
  head(): Promise<string>;
  /** The next `bytes` bytes after what was consumed; consumes them. */
  take(bytes: number): Promise<string>;
  /** Bytes up to and including `mark`; consumes them. */
  takeUntil(mark: string): Promise<string>;
  /** Resolves when the kernel took the bytes. */
  send(bytes: string | Buffer): Promise<void>;
  /** FIN: this side has said all; reading goes on. */
  halfClose(): void;
  /** RST. */
  reset(): void;
  /** FIN and gone. */
  close(): void;
  /** Read nothing more until `resume`: the peer's window fills. */
  stall(): void;
  resume(): void;
  /** Closes with FIN when nothing has come for `ms`; real servers do this to idle connections. */
  closeWhenIdle(ms: number): void;
  /** How the other side ended: `fin`, an error code, or `closed` when it was this side. */
  readonly over: Promise<string>;
}

export type Script = (connection: OriginConnection) => void | Promise<void>;

export interface RawOrigin {
  readonly host: string;
  readonly port: number;
  /** `http://127.0.0.1:1234`. */
  readonly url: string;
  readonly connections: readonly OriginConnection[];
  /** Heads taken by all scripts together. */
  readonly heads: readonly string[];
  /** The connection with this number, as soon as it exists. */
  connection(number: number): Promise<OriginConnection>;
  /** From now on new connections follow another script. */
  follow(script: Script): void;
  /** Stop listening and cut what is open. */
  close(): Promise<void>;
}

/** Starts a raw origin. `port` 0 takes any. A script that fails because its peer left is not an error. */
export function rawOrigin(script: Script, options: { host?: string; port?: number } = {}): Promise<RawOrigin> {
  const host = options.host ?? "127.0.0.1";
  const connections: OriginConnection[] = [];
  const heads: string[] = [];
  const sockets = new Set<Socket>();
  const waiting = new Map<number, (connection: OriginConnection) => void>();
  let current = script;

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    const connection = connectionOn(socket, connections.length + 1, heads);
    connections.push(connection);
    waiting.get(connection.number)?.(connection);
    waiting.delete(connection.number);
    void follow(current, connection);
  });

  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, host, () => {
      const { port } = server.address() as AddressInfo;
      resolve({
        host,
        port,
        url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
        connections,
        heads,
        connection(number): Promise<OriginConnection> {
          const existing = connections[number - 1];
          if (existing !== undefined) return Promise.resolve(existing);
          return new Promise((found) => waiting.set(number, found));
        },
        follow(next): void {
          current = next;
        },
        close(): Promise<void> {
          for (const socket of sockets) socket.destroy();
          return new Promise((closed) => {
            server.close(() => {
              closed();
            });
          });
        },
      });
    });
  });
}

async function follow(script: Script, connection: OriginConnection): Promise<void> {
  try {
    await script(connection);
  } catch {
    // The gateway left before the script was through. Tests that care look at `over` and `received`.
  }
}

function connectionOn(socket: Socket, number: number, heads: string[]): OriginConnection {
  const received = createByteLog();
  let taken = 0;
  let tellOver: (how: string) => void = () => {};
  const over = new Promise<string>((resolve) => {
    tellOver = resolve;
  });
  const ended = (how: string): void => {
    received.end(how);
    tellOver(how);
  };
  socket.on("data", (chunk: Buffer) => {
    received.append(chunk);
  });
  socket.on("end", () => {
    ended("fin");
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    ended(error.code ?? error.message);
  });
  socket.on("close", () => {
    ended("closed");
  });

  async function takeTo(what: string, find: (text: string) => number): Promise<string> {
    const end = await received.until(what, (text) => {
      const at = find(text);
      return at < 0 ? null : at;
    });
    const part = received.text.slice(taken, end);
    taken = end;
    return part;
  }

  return {
    number,
    received,
    peerPort: socket.remotePort ?? 0,
    over,
    async head(): Promise<string> {
      const head = await takeTo("a request head", (text) => endOf(text, "\r\n\r\n", taken));
      heads.push(head);
      return head;
    },
    take(bytes): Promise<string> {
      return takeTo(`${bytes} bytes`, (text) => (text.length >= taken + bytes ? taken + bytes : -1));
    },
    takeUntil(mark): Promise<string> {
      return takeTo(JSON.stringify(mark), (text) => endOf(text, mark, taken));
    },
    send(bytes): Promise<void> {
      return new Promise((resolve, reject) => {
        socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes, (error) => {
          if (error) reject(error);
          else resolve();
        });
      });
    },
    halfClose(): void {
      socket.end();
    },
    reset(): void {
      socket.resetAndDestroy();
    },
    close(): void {
      socket.end();
      socket.destroySoon();
    },
    stall(): void {
      socket.pause();
    },
    resume(): void {
      socket.resume();
    },
    closeWhenIdle(ms): void {
      socket.setTimeout(ms, () => {
        socket.end();
      });
    },
  };
}

function endOf(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at < 0 ? -1 : at + mark.length;
}

/** A script that answers every request of a connection with `response`, for as long as requests come. */
export function answerAll(response: string | Buffer): Script {
  return async (connection) => {
    for (;;) {
      await connection.head();
      await connection.send(response);
    }
  };
}

/** A complete response with a Content-Length. */
export function response(status: number, body = "", fields: Record<string, string> = {}): string {
  const lines = Object.entries({ "Content-Length": String(Buffer.byteLength(body)), ...fields });
  return `HTTP/1.1 ${status} X\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`;
}
