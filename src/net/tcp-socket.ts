/**
 * The socket port over `node:net`: callbacks, reads into the shared buffer, writes that say whether the kernel
 * took everything. Used for accepted and for dialled connections alike.
 */
import fs from "node:fs";
import net from "node:net";
import { UNIX } from "../kernel/ip-text.ts";
import { DEAF, HEAD_ROOM, PLAIN, PLAIN_UNIX, TAIL_ROOM } from "../kernel/socket.ts";
import type { Carrier, SocketError, SocketListener, SocketPort } from "../kernel/socket.ts";
import { readBuffer, readView } from "./read-buffer.ts";

const NOTHING = Buffer.alloc(0);
/** Silence after which the kernel asks the peer for a sign of life, ten times a second apart (libuv's numbers). */
const PROBE_AFTER_MS = 60_000;
/** An answer that came before a write failed is in the receive queue already. */
const ANSWER_MS = 2_000;

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

/** What Node knows of a socket and does not publish. Without it progress shows only write by write. */
interface Insides {
  readonly _writableState?: { readonly writelen?: number };
  readonly _handle?: { readonly writeQueueSize?: number; readonly fd?: number } | null;
}

export class TcpSocket implements SocketPort {
  listener: SocketListener;
  /** Set before the owner hears of the socket, by what makes more of it than a TCP connection. */
  carrier: Carrier = PLAIN;
  remoteAddress = "";
  remotePort = 0;
  writing = false;
  /** What leaves before all else, when it is connected. Null: nothing. */
  opening: Buffer | null = null;
  readonly #socket: OwnedSocket;
  readonly #dialled: boolean;
  #flushed: ((error?: Error | null) => void) | null = null;
  #writeError: SocketError | null = null;
  #answerTimer: NodeJS.Timeout | null = null;
  #closed = false;

  /** `dialled`: an origin's; only there does an answer matter that outlived a failed write. */
  constructor(socket: OwnedSocket, listener: SocketListener, dialled: boolean) {
    this.#socket = socket;
    this.#dialled = dialled;
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
    const taken = this.writing ? 0 : this.#sendNow(bytes);
    if (taken === bytes.length) return true;
    let rest = taken === 0 ? bytes : bytes.subarray(taken);
    // What waits must not wait there: the next read of any socket lands on it, and its bytes would leave here.
    if (bytes.buffer === readBuffer.buffer) rest = Buffer.from(rest);
    socket.write(rest);
    // Node writes at once when it can: nothing queued means that the kernel has every byte.
    if (socket.writableLength === 0) return true;
    if (!this.writing) {
      this.writing = true;
      this.#awaitFlush();
    }
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

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#closed) this.#socket.resume();
  }

  probePeer(): void {
    this.#socket.setKeepAlive(true, PROBE_AFTER_MS);
  }

  end(): void {
    // Node makes an error, with a stack, of every further end.
    if (!this.#closed && !this.#socket.writableEnded) this.#socket.end();
  }

  /** A Unix socket knows no RST: its peer sees a plain end. */
  reset(): void {
    // A socket that is still connecting would first connect in order to be reset.
    if (this.#socket.connecting || this.carrier.protocol === "unix") this.destroy();
    else if (!this.#closed) this.#socket.resetAndDestroy();
  }

  destroy(): void {
    if (!this.#closed) this.#socket.destroy();
  }

  /**
   * Gives the handle away, to whoever speaks TLS on it. This port then hears and says nothing any more. Null: it is
   * closed, or Node keeps it elsewhere.
   */
  takeHandle(): unknown {
    const socket = this.#socket as unknown as { _handle: unknown };
    const handle = this.#closed ? null : socket._handle;
    this.#closed = true;
    this.listener = DEAF;
    // Nothing that becomes of the emptied socket closes what it no longer has.
    socket._handle = null;
    return handle;
  }

  /** True when the error is a failed write whose answer may still be readable; the socket then lives on. */
  survivesWriteError(error: NodeJS.ErrnoException): boolean {
    if (!this.#dialled || error.syscall !== "write" || this.#writeError !== null || this.#socket.readableEnded)
      return false;
    const state = (this.#socket as unknown as { _readableState?: { errored: unknown } })._readableState;
    if (state === undefined) return false;
    // Node has marked the reading side as broken too, and would keep the peer's FIN to itself.
    state.errored = null;
    this.#writeError = toSocketError(error);
    this.#socket.resume();
    this.#answerTimer = setTimeout(() => this.destroy(), ANSWER_MS).unref();
    return true;
  }

  /** The peer's FIN. After a failed write nothing can be sent any more, so that is the end. */
  ended(): void {
    const error = this.#writeError;
    // Behind a FIN, RST makes a write fail with EPIPE. ECONNRESET means that no FIN came: the kernel told the RST to the
    // write, and the read hears only that there is no more. Taken for FIN it would end a body without framing.
    if (error?.code === "ECONNRESET") this.listener.onError({ code: error.code, syscall: "read" });
    else this.listener.onFin();
    if (error !== null) this.destroy();
  }

  failed(error: NodeJS.ErrnoException): void {
    this.listener.onError(toSocketError(error));
  }

  closed(): void {
    this.#closed = true;
    if (this.#answerTimer !== null) clearTimeout(this.#answerTimer);
    this.writing = false;
    this.listener.onClose();
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

  /**
   * An empty write behind the queued one: its callback is the only public sign of "all has left" that does not
   * cost every unqueued write a callback too. Behind the end nothing can be written, and the end itself is the sign.
   */
  #awaitFlush(): void {
    this.#flushed ??= this.#onFlushed.bind(this);
    if (this.#socket.writableEnded) this.#socket.once("finish", this.#flushed);
    else this.#socket.write(NOTHING, this.#flushed);
  }

  #onFlushed(error?: Error | null): void {
    // More was written behind the empty write.
    if (!error && this.#socket.writableLength > 0) {
      this.#awaitFlush();
      return;
    }
    this.writing = false;
    if (!error && !this.#closed) contain(this, () => this.listener.onDrain());
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
  const wrapped = new TcpSocket(socket, listener, true);
  wrapped.remoteAddress = ip;
  wrapped.remotePort = port;
  socket.on("connect", onConnect);
  socket.setNoDelay(true);
  socket.connect({ host: ip, port, family });
  return wrapped;
}

/** Starts a connection to a Unix socket. */
export function dialUnix(path: string, listener: SocketListener): TcpSocket {
  const socket = new OwnedSocket({ allowHalfOpen: true, onread: onReadOptions() });
  const wrapped = new TcpSocket(socket, listener, true);
  wrapped.carrier = PLAIN_UNIX;
  wrapped.remoteAddress = UNIX + path;
  socket.on("connect", onConnect);
  socket.connect({ path });
  return wrapped;
}

function adopt(socket: OwnedSocket, listenerOf: (socket: TcpSocket) => SocketListener | null): void {
  const wrapped = new TcpSocket(socket, DEAF, false);
  const { remoteAddress } = socket;
  // Only who comes by TCP has an address.
  if (remoteAddress === undefined && isPipe(socket)) {
    wrapped.carrier = PLAIN_UNIX;
    wrapped.remoteAddress = UNIX;
  } else wrapped.remoteAddress = remoteAddress ?? "";
  wrapped.remotePort = socket.remotePort ?? 0;
  const listener = listenerOf(wrapped);
  if (listener === null) wrapped.destroy();
  else wrapped.listener = listener;
}

function isPipe(socket: net.Socket): boolean {
  return (socket as unknown as { readonly _handle?: object | null })._handle?.constructor.name === "Pipe";
}

/** Node calls the callback as a method of the socket, but its types do not promise that: hence no `this`. */
function onReadOptions(): { buffer: Buffer; callback: (this: OwnedSocket, length: number) => boolean } {
  return { buffer: readView, callback: onRead };
}

function onRead(this: OwnedSocket, length: number): boolean {
  const { port } = this;
  if (port === null) return true;
  try {
    port.listener.onData(readBuffer, HEAD_ROOM, HEAD_ROOM + length);
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
  contain(this.port, () => this.port?.connected());
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
