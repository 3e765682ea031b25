/**
 * What the socket ports of dialled connections have in common, which lie over sockets of Node, with TLS between
 * (tls-origin-socket.ts) or without (tcp-socket.ts): reads into the shared buffer, a queue whose emptying is told, an end
 * that is said once, and an answer that outlives a failed write. How bytes are handed over and how a connection is reset
 * is theirs to say.
 */
import type net from "node:net";
import { HEAD_ROOM, PLAIN, TAIL_ROOM } from "../kernel/socket.ts";
import type { Carrier, SocketError, SocketListener, SocketPort } from "../kernel/socket.ts";
import { readBuffer, readView } from "./read-buffer.ts";

const NOTHING = Buffer.alloc(0);
/** Silence after which the kernel asks the peer for a sign of life, ten times a second apart (libuv's numbers). */
const PROBE_AFTER_MS = 60_000;
/** An answer that came before a write failed is in the receive queue already. */
const ANSWER_MS = 2_000;

/** A socket of Node that knows its port, so that no event needs a closure of its own. */
export type Owned = net.Socket & { port: StreamSocket | null };

export abstract class StreamSocket implements SocketPort {
  listener: SocketListener;
  carrier: Carrier = PLAIN;
  remoteAddress = "";
  remotePort = 0;
  writing = false;
  protected isClosed = false;
  protected writeError: SocketError | null = null;
  readonly #socket: Owned;
  #flushed: ((error?: Error | null) => void) | null = null;
  #answerTimer: NodeJS.Timeout | null = null;

  protected constructor(socket: Owned, listener: SocketListener) {
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

  abstract readonly waitingBytes: number;

  abstract write(bytes: Buffer): boolean;

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (!this.isClosed) this.#socket.resume();
  }

  probePeer(): void {
    this.#socket.setKeepAlive(true, PROBE_AFTER_MS);
  }

  end(): void {
    // Node makes an error, with a stack, of every further end.
    if (!this.isClosed && !this.#socket.writableEnded) this.#socket.end();
  }

  abstract reset(): void;

  destroy(): void {
    if (!this.isClosed) this.#socket.destroy();
  }

  /** Bytes that were read. */
  received(bytes: Buffer, start: number, end: number): void {
    this.listener.onData(bytes, start, end);
  }

  /**
   * True when the error is a failed write whose answer may still be readable; the socket then lives on. An origin that
   * answers early (413, 401) and closes makes our next write fail with EPIPE or ECONNRESET while its answer waits in the
   * receive queue; Node would destroy the socket and lose the answer. The read side tells the end soon enough.
   */
  survivesWriteError(error: NodeJS.ErrnoException): boolean {
    if (error.syscall !== "write" || this.writeError !== null || this.#socket.readableEnded) return false;
    const state = (this.#socket as unknown as { _readableState?: { errored: unknown } })._readableState;
    if (state === undefined) return false;
    // Node has marked the reading side as broken too, and would keep the peer's FIN to itself.
    state.errored = null;
    this.writeError = { code: error.code ?? "UNKNOWN", syscall: error.syscall };
    this.#socket.resume();
    this.#answerTimer = setTimeout(() => this.destroy(), ANSWER_MS).unref();
    return true;
  }

  /** The peer's FIN. After a failed write nothing can be sent any more, so that is the end. */
  ended(): void {
    const error = this.writeError;
    // Behind a FIN, RST makes a write fail with EPIPE. ECONNRESET means that no FIN came: the kernel told the RST to the
    // write, and the read hears only that there is no more. Taken for FIN it would end a body without framing.
    if (error?.code === "ECONNRESET") this.listener.onError({ code: error.code, syscall: "read" });
    else this.listener.onFin();
    if (error !== null) this.destroy();
  }

  abstract failed(error: NodeJS.ErrnoException): void;

  closed(): void {
    this.isClosed = true;
    if (this.#answerTimer !== null) clearTimeout(this.#answerTimer);
    this.writing = false;
    this.listener.onClose();
  }

  /** Bytes of a write wait: what is to be told when they have left. */
  protected waits(): void {
    if (this.writing) return;
    this.writing = true;
    this.#awaitFlush();
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
    if (!error && !this.isClosed) contain(this, () => this.listener.onDrain());
  }
}

/** For sockets that Node reads into the shared buffer. */
export function sharedReads(): { buffer: Buffer; callback: (this: net.Socket, length: number) => boolean } {
  return { buffer: readView, callback: onRead };
}

/** For sockets that cannot: each read is a buffer of its own, with room around it. */
export function copyReads(socket: net.Socket): void {
  socket.on("data", onChunk);
}

/** A defect in what hears one socket is that listener's to answer for; thrown on, it would reach every socket. */
export function contain(port: StreamSocket | null, call: () => void): void {
  try {
    call();
  } catch (error) {
    port?.listener.onFault(error);
  }
}

/** Node calls it as a method of the socket, but its types do not say of which. */
function onRead(this: net.Socket, length: number): boolean {
  const { port } = this as Owned;
  if (port === null) return true;
  try {
    port.received(readBuffer, HEAD_ROOM, HEAD_ROOM + length);
  } catch (error) {
    port.listener.onFault(error);
  }
  return true;
}

function onChunk(this: net.Socket, chunk: Buffer): void {
  const roomy = Buffer.allocUnsafeSlow(HEAD_ROOM + chunk.length + TAIL_ROOM);
  chunk.copy(roomy, HEAD_ROOM);
  const { port } = this as Owned;
  contain(port, () => port?.received(roomy, HEAD_ROOM, HEAD_ROOM + chunk.length));
}

function onEnd(this: Owned): void {
  contain(this.port, () => this.port?.ended());
}

function onError(this: Owned, error: NodeJS.ErrnoException): void {
  contain(this.port, () => this.port?.failed(error));
}

function onClose(this: Owned): void {
  contain(this.port, () => this.port?.closed());
}
