/**
 * The socket port over `node:net`: callbacks, reads into the shared buffer, writes that say whether the kernel
 * took everything. For dialled connections; accepted ones have no stream (accepted-socket.ts).
 */
import fs from "node:fs";
import net from "node:net";
import { UNIX } from "../kernel/ip-text.ts";
import { PLAIN_UNIX } from "../kernel/socket.ts";
import type { SocketError, SocketListener } from "../kernel/socket.ts";
import { readBuffer } from "./read-buffer.ts";
import { contain, sharedReads, StreamSocket } from "./stream-socket.ts";

/** A `net.Socket` that keeps listening when a write fails, as its port says. */
class OwnedSocket extends net.Socket {
  port: TcpSocket | null = null;

  override destroy(error?: Error): this {
    if (error !== undefined && this.port !== null && this.port.survivesWriteError(error)) return this;
    return super.destroy(error);
  }
}

/** What Node knows of a socket and does not publish. Without it progress shows only write by write. */
interface Insides {
  readonly _writableState?: { readonly writelen?: number };
  readonly _handle?: { readonly writeQueueSize?: number; readonly fd?: number } | null;
}

export class TcpSocket extends StreamSocket {
  /** What leaves before all else, when it is connected. Null: nothing. */
  opening: Buffer | null = null;
  readonly #socket: OwnedSocket;

  constructor(socket: OwnedSocket, listener: SocketListener) {
    super(socket, listener);
    this.#socket = socket;
  }

  write(bytes: Buffer): boolean {
    if (this.isClosed || this.writeError !== null) return true;
    const socket = this.#socket;
    const taken = this.writing ? 0 : this.#sendNow(bytes);
    if (taken === bytes.length) return true;
    let rest = taken === 0 ? bytes : bytes.subarray(taken);
    // What waits must not wait there: the next read of any socket lands on it, and its bytes would leave here.
    if (bytes.buffer === readBuffer.buffer) rest = Buffer.from(rest);
    socket.write(rest);
    // Node writes at once when it can: nothing queued means that the kernel has every byte.
    if (socket.writableLength === 0) return true;
    this.waits();
    return false;
  }

  /** What Node has not handed over yet, and what libuv holds of the write under way, of which the kernel took a part. */
  get waitingBytes(): number {
    if (!this.writing) return 0;
    const inside = this.#socket as unknown as Insides;
    const underWay = inside._writableState?.writelen ?? 0;
    return this.#socket.writableLength - underWay + (inside._handle?.writeQueueSize ?? underWay);
  }

  /** It is connected: what has to leave before all else leaves before its owner hears of that. */
  connected(): void {
    if (this.opening !== null) this.write(this.opening);
    this.opening = null;
    this.listener.onConnect();
  }

  /** A Unix socket knows no RST: its peer sees a plain end. */
  reset(): void {
    // A socket that is still connecting would first connect in order to be reset.
    if (this.#socket.connecting || this.carrier.protocol === "unix") this.destroy();
    else if (!this.isClosed) this.#socket.resetAndDestroy();
  }

  failed(error: NodeJS.ErrnoException): void {
    this.listener.onError(toSocketError(error));
  }

  /**
   * Hands bytes to the kernel without a queue behind them and returns how many it took, 0 where a handle has no
   * descriptor (not on POSIX systems). `net` has no such call, and its bookkeeping for a write that the kernel takes at
   * once, as nearly all are, costs a twentieth of an exchange.
   *
   * An error is told as that of any write: the kernel says only once that it was an RST that ended the connection, and
   * a second write would hear EPIPE, as behind a FIN.
   */
  #sendNow(bytes: Buffer): number {
    const socket = this.#socket;
    const descriptor = (socket as unknown as Insides)._handle?.fd ?? -1;
    if (descriptor < 0 || socket.writableEnded) return 0;
    try {
      return fs.writeSync(descriptor, bytes);
    } catch (error) {
      // Anything thrown by a call of the file system has a code.
      const failure = error as NodeJS.ErrnoException;
      if (failure.code === "EAGAIN") return 0;
      socket.destroy(failure);
      return bytes.length;
    }
  }
}

/** Starts a connection to an address. */
export function dialSocket(ip: string, port: number, family: 4 | 6, listener: SocketListener): TcpSocket {
  const socket = new OwnedSocket({
    allowHalfOpen: true,
    onread: sharedReads(),
  });
  const wrapped = new TcpSocket(socket, listener);
  wrapped.remoteAddress = ip;
  wrapped.remotePort = port;
  socket.on("connect", onConnect);
  socket.setNoDelay(true);
  socket.connect({ host: ip, port, family });
  return wrapped;
}

/** Starts a connection to a Unix socket. */
export function dialUnix(path: string, listener: SocketListener): TcpSocket {
  const socket = new OwnedSocket({ allowHalfOpen: true, onread: sharedReads() });
  const wrapped = new TcpSocket(socket, listener);
  wrapped.carrier = PLAIN_UNIX;
  wrapped.remoteAddress = UNIX + path;
  socket.on("connect", onConnect);
  socket.connect({ path });
  return wrapped;
}

function onConnect(this: OwnedSocket): void {
  contain(this.port, () => this.port?.connected());
}

function toSocketError(error: NodeJS.ErrnoException): SocketError {
  return { code: error.code ?? "UNKNOWN", syscall: error.syscall ?? "" };
}
