/**
 * The socket port over `node:net`: callbacks, reads into the shared buffer, writes that say whether the kernel
 * took everything. Used for accepted and for dialled connections alike.
 */
import net from "node:net";
import { HEAD_ROOM, TAIL_ROOM } from "../kernel/socket.ts";
import type { SocketError, SocketListener, SocketPort } from "../kernel/socket.ts";
import { giveBack, lendShared, readView, sharedBuffer } from "./read-buffer.ts";

const NOTHING = Buffer.alloc(0);

/**
 * A `net.Socket` that keeps listening when a write fails. An origin that answers early (413, 401) and closes
 * makes our next write fail with EPIPE or ECONNRESET while its answer waits in the receive queue; Node would
 * destroy the socket and lose the answer. The read side tells the end soon enough.
 */
class OwnedSocket extends net.Socket {
  port: TcpSocket | null = null;

  override destroy(error?: Error): this {
    if (error !== undefined && this.port !== null && this.port.survivesWriteError(error)) return this;
    return super.destroy(error);
  }
}

export class TcpSocket implements SocketPort {
  listener: SocketListener;
  remoteAddress = "";
  remotePort = 0;
  writing = false;
  readonly #socket: OwnedSocket;
  #lent: Buffer | null = null;
  #flushed: ((error?: Error | null) => void) | null = null;
  #writeError: SocketError | null = null;
  #closed = false;

  constructor(socket: OwnedSocket, listener: SocketListener) {
    this.#socket = socket;
    this.listener = listener;
    socket.port = this;
    socket.on("end", onEnd);
    socket.on("error", onError);
    socket.on("close", onClose);
  }

  get localAddress(): string {
    return this.#socket.localAddress ?? "";
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  write(bytes: Buffer): boolean {
    if (this.#closed || this.#writeError !== null) return true;
    const socket = this.#socket;
    socket.write(bytes);
    // Node writes at once when it can: nothing queued means that the kernel has every byte.
    if (socket.writableLength === 0) return true;
    if (bytes.buffer === sharedBuffer().buffer) this.#lent = lendShared();
    if (!this.writing) {
      this.writing = true;
      this.#flushed ??= this.#onFlushed.bind(this);
      // An empty write behind the queued one: its callback is the only public sign of "all has left" that
      // does not cost every unqueued write a callback too.
      socket.write(NOTHING, this.#flushed);
    }
    return false;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#closed) this.#socket.resume();
  }

  end(): void {
    // Node makes an error, with a stack, of every further end.
    if (!this.#closed && !this.#socket.writableEnded) this.#socket.end();
  }

  reset(): void {
    // A socket that is still connecting would first connect in order to be reset.
    if (this.#socket.connecting) this.destroy();
    else if (!this.#closed) this.#socket.resetAndDestroy();
  }

  destroy(): void {
    if (!this.#closed) this.#socket.destroy();
  }

  /** True when the error is a failed write whose answer may still be readable; the socket then lives on. */
  survivesWriteError(error: NodeJS.ErrnoException): boolean {
    if (error.syscall !== "write" || this.#writeError !== null || this.#socket.readableEnded) return false;
    this.#writeError = toSocketError(error);
    this.#socket.resume();
    return true;
  }

  /** The peer's FIN. After a failed write nothing can be sent any more: the failure is told now. */
  ended(): void {
    if (this.#writeError === null) {
      this.listener.onFin();
      return;
    }
    this.listener.onFin();
    this.destroy();
  }

  failed(error: NodeJS.ErrnoException): void {
    this.listener.onError(toSocketError(error));
  }

  closed(): void {
    this.#closed = true;
    this.writing = false;
    this.listener.onClose();
  }

  #onFlushed(error?: Error | null): void {
    // More was written behind the empty write: the buffer is still in use, so ask again behind that.
    if (!error && this.#flushed !== null && this.#socket.writableLength > 0) {
      this.#socket.write(NOTHING, this.#flushed);
      return;
    }
    this.writing = false;
    // After an error a write under way may still reference the bytes: the buffer is left to the collector.
    if (error) return;
    if (this.#lent !== null) {
      giveBack(this.#lent);
      this.#lent = null;
    }
    if (!this.#closed) contain(this, () => this.listener.onDrain());
  }
}

/** Wraps an accepted connection's handle, which reads into the shared buffer from the start. */
export function wrapHandle(handle: unknown, listenerOf: (socket: TcpSocket) => SocketListener | null): void {
  // `handle` is how Node itself makes sockets for accepted connections; net.Server has no `onread` option.
  const options = { handle, allowHalfOpen: true, noDelay: true, onread: onReadOptions() };
  const socket = new OwnedSocket(options as unknown as net.SocketConstructorOpts);
  (handle as { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true);
  adopt(socket, listenerOf);
}

/** The same from a socket that Node made: reads by `data` events. Used when the handle cannot be had. */
export function wrapSocket(accepted: net.Socket, listenerOf: (socket: TcpSocket) => SocketListener | null): void {
  const socket = Object.setPrototypeOf(accepted, OwnedSocket.prototype) as OwnedSocket;
  socket.port = null;
  socket.on("data", onChunk);
  adopt(socket, listenerOf);
}

/** Starts a connection to an address. */
export function dialSocket(ip: string, port: number, family: 4 | 6, listener: SocketListener): TcpSocket {
  const socket = new OwnedSocket({
    allowHalfOpen: true,
    onread: onReadOptions(),
  });
  const wrapped = new TcpSocket(socket, listener);
  wrapped.remoteAddress = ip;
  wrapped.remotePort = port;
  socket.on("connect", onConnect);
  socket.setNoDelay(true);
  socket.connect({ host: ip, port, family });
  return wrapped;
}

function adopt(socket: OwnedSocket, listenerOf: (socket: TcpSocket) => SocketListener | null): void {
  const wrapped = new TcpSocket(socket, REFUSED);
  wrapped.remoteAddress = socket.remoteAddress ?? "";
  wrapped.remotePort = socket.remotePort ?? 0;
  const listener = listenerOf(wrapped);
  if (listener === null) wrapped.destroy();
  else wrapped.listener = listener;
}

/** Node calls the callback as a method of the socket, but its types do not promise that: hence no `this`. */
function onReadOptions(): {
  buffer: () => Buffer;
  callback: (this: OwnedSocket, length: number, view: Uint8Array) => boolean;
} {
  return { buffer: readView, callback: onRead };
}

function onRead(this: OwnedSocket, length: number, view: Uint8Array): boolean {
  const { port } = this;
  if (port === null) return true;
  // The view was handed out by read-buffer.ts, but perhaps before the shared buffer was lent and replaced.
  const shared = sharedBuffer();
  const bytes = view.buffer === shared.buffer ? shared : Buffer.from(view.buffer);
  try {
    port.listener.onData(bytes, HEAD_ROOM, HEAD_ROOM + length);
  } catch (error) {
    port.listener.onFault(error);
  }
  return true;
}

function onChunk(this: OwnedSocket, chunk: Buffer): void {
  const roomy = Buffer.allocUnsafeSlow(HEAD_ROOM + chunk.length + TAIL_ROOM);
  chunk.copy(roomy, HEAD_ROOM);
  const { port } = this;
  contain(port, () => port?.listener.onData(roomy, HEAD_ROOM, HEAD_ROOM + chunk.length));
}

function onConnect(this: OwnedSocket): void {
  contain(this.port, () => this.port?.listener.onConnect());
}

function onEnd(this: OwnedSocket): void {
  contain(this.port, () => this.port?.ended());
}

function onError(this: OwnedSocket, error: NodeJS.ErrnoException): void {
  contain(this.port, () => this.port?.failed(error));
}

function onClose(this: OwnedSocket): void {
  contain(this.port, () => this.port?.closed());
}

/** A defect in what hears one socket is that listener's to answer for; thrown on, it would reach every socket. */
function contain(port: TcpSocket | null, call: () => void): void {
  try {
    call();
  } catch (error) {
    port?.listener.onFault(error);
  }
}

function toSocketError(error: NodeJS.ErrnoException): SocketError {
  return { code: error.code ?? "UNKNOWN", syscall: error.syscall ?? "" };
}

const REFUSED: SocketListener = {
  onConnect: ignore,
  onData: ignore,
  onDrain: ignore,
  onFin: ignore,
  onError: ignore,
  onClose: ignore,
  onFault: ignore,
};

function ignore(): void {
  // A refused connection has no owner.
}
