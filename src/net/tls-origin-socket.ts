/**
 * The socket port over TLS: what net/tcp-socket.ts is over TCP, with the same promises. For dialled and for accepted
 * connections alike. Node's TLS lies directly on the handle of TCP, so a read is decrypted into the shared buffer and a
 * write is encrypted and handed to the kernel before the call returns.
 *
 * TLS says what TCP cannot: that the end was meant (close_notify, RFC 8446 §6.1). Node does not tell an end that was
 * announced from one that was not, although a stream without a length can be cut there by anybody on the way. It can
 * be told from outside, see `push`.
 */
import tls from "node:tls";
import { HEAD_ROOM, PLAIN, TAIL_ROOM } from "../kernel/socket.ts";
import type { Carrier, OriginCertificate, SocketError, SocketListener, SocketPort, TlsView } from "../kernel/socket.ts";
import { readBuffer, readView } from "./read-buffer.ts";
import { toTlsError } from "./tls-error.ts";

const NOTHING = Buffer.alloc(0);
const PROBE_AFTER_MS = 60_000;
/** An answer that came before a write failed is in the receive queue already. */
const ANSWER_MS = 2_000;
/** A record with nothing but an alert: TLS 1.3 with any cipher, then TLS 1.2 with AES-GCM, ChaCha20 and CBC. */
const ALERT_BYTES: ReadonlySet<number> = new Set([24, 31, 23, 53, 57, 69, 85]);

/** What Node knows of a socket and does not publish. */
interface Insides {
  readonly _writableState?: { readonly writelen?: number };
  readonly _handle?: {
    readonly _parent?: Under | null;
    readonly _parentWrap?: { resetAndDestroy?: () => void };
  } | null;
}

/** The handle of TCP beneath. */
interface Under {
  readonly writeQueueSize?: number;
  readonly bytesRead?: number;
  close: (done: () => void) => void;
  reset?: (done: () => void) => void;
}

/** Turns of the event loop in which something was read, counted only then. */
const turns = { now: 0, counting: false };

/**
 * A `TLSSocket` that keeps listening when a write fails, as in tcp-socket.ts, and that tells how its end came. Node
 * makes the sockets (`tls.connect`, `tls.Server`), so they are given this class afterwards.
 */
class OwnedTlsSocket extends tls.TLSSocket {
  declare port: TlsOriginSocket | null;

  override destroy(error?: Error): this {
    if (error !== undefined && this.port !== null && this.port.survivesWriteError(error)) return this;
    return super.destroy(error);
  }

  /** Null is the end, in the very callback in which Node learns of it; all later signs of it may be late. */
  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    if (chunk === null) this.port?.ending();
    return super.push(chunk, encoding);
  }
}

export class TlsOriginSocket implements SocketPort {
  listener: SocketListener;
  carrier: Carrier = PLAIN;
  remoteAddress = "";
  remotePort = 0;
  writing = false;
  cutOff = false;
  readonly #socket: OwnedTlsSocket;
  readonly #dialled: boolean;
  #flushed: ((error?: Error | null) => void) | null = null;
  #writeError: SocketError | null = null;
  #answerTimer: NodeJS.Timeout | null = null;
  #secure = false;
  #closed = false;
  /** Bytes of TCP when the last ones were read, and the turn in which that was. */
  #rawAtRead = 0;
  #turnAtRead = 0;

  /** `dialled`: an origin's; only there does an answer matter that outlived a failed write. */
  constructor(socket: tls.TLSSocket, listener: SocketListener, dialled: boolean) {
    const owned = Object.setPrototypeOf(socket, OwnedTlsSocket.prototype) as OwnedTlsSocket;
    this.#socket = owned;
    this.#dialled = dialled;
    this.listener = listener;
    owned.port = this;
    owned.on("end", onEnd);
    owned.on("error", onError);
    owned.on("close", onClose);
  }

  get localAddress(): string {
    return this.#socket.localAddress ?? "";
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  /** The handshake is over. */
  secured(certificate: OriginCertificate | null): void {
    this.#secure = true;
    this.carrier = { ...PLAIN, tls: viewOf(this.#socket), certificate };
  }

  write(bytes: Buffer): boolean {
    if (this.#closed || this.#writeError !== null) return true;
    const socket = this.#socket;
    // Alone it is encrypted at once. Behind another write Node keeps it as it is, and the shared buffer is read into.
    const waits = socket.writableLength > 0;
    socket.write(waits && bytes.buffer === readBuffer.buffer ? Buffer.from(bytes) : bytes);
    if (this.#waitingNow() === 0) return true;
    if (!this.writing) {
      this.writing = true;
      this.#awaitFlush();
    }
    return false;
  }

  get waitingBytes(): number {
    return this.writing ? this.#waitingNow() : 0;
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
    if (!this.#closed && !this.#socket.writableEnded) this.#socket.end();
  }

  /** TLS has no reset, and Node refuses one for such a handle: what closes TCP beneath is made to reset it. */
  reset(): void {
    if (this.#closed) return;
    const handle = (this.#socket as unknown as Insides)._handle;
    const under = handle?._parent ?? null;
    if (!this.#socket.connecting) {
      if (handle?._parentWrap?.resetAndDestroy !== undefined) handle._parentWrap.resetAndDestroy();
      else if (under?.reset !== undefined) {
        const { reset } = under;
        under.close = (done) => reset.call(under, done);
      }
    }
    this.#socket.destroy();
  }

  destroy(): void {
    if (!this.#closed) this.#socket.destroy();
  }

  /** A message of TLS itself was read: a ticket. */
  heard(): void {
    this.#rawAtRead = this.#rawBytes();
    this.#turnAtRead = turnNow();
  }

  /** It is not who it has to be. */
  refuse(failure: SocketError): void {
    contain(this, () => this.listener.onError(failure));
    this.#socket.destroy();
  }

  /** A read was decrypted. `raw` grows by more than that, and by nothing when several records came at once. */
  received(bytes: Buffer, start: number, end: number): void {
    this.heard();
    this.listener.onData(bytes, start, end);
  }

  /**
   * The end is there. It was announced if a record came with it that has the size of an alert; or if none came and the
   * last bytes were read in this turn of the event loop, because then Node found it behind them in the same read. An
   * end of TCP alone comes in a later turn, and a stream that was cut anywhere ends in a part of a record.
   */
  ending(): void {
    const more = this.#rawBytes() - this.#rawAtRead;
    this.cutOff = !(ALERT_BYTES.has(more) || (more === 0 && this.#turnAtRead === turns.now));
  }

  /** True when the error is a failed write whose answer may still be readable; the socket then lives on. */
  survivesWriteError(error: NodeJS.ErrnoException): boolean {
    if (!this.#dialled || error.syscall !== "write" || this.#writeError !== null || this.#socket.readableEnded)
      return false;
    const state = (this.#socket as unknown as { _readableState?: { errored: unknown } })._readableState;
    if (state === undefined) return false;
    // Node has marked the reading side as broken too, and would keep the peer's FIN to itself.
    state.errored = null;
    this.#writeError = { code: error.code ?? "UNKNOWN", syscall: error.syscall };
    this.#socket.resume();
    this.#answerTimer = setTimeout(() => this.destroy(), ANSWER_MS).unref();
    return true;
  }

  /** The peer's FIN, or what Node makes of an RST that a write has heard (tcp-socket.ts). */
  ended(): void {
    const error = this.#writeError;
    if (!this.#secure) return;
    if (error?.code === "ECONNRESET") this.listener.onError({ code: error.code, syscall: "read" });
    else this.listener.onFin();
    if (error !== null) this.destroy();
  }

  failed(error: NodeJS.ErrnoException): void {
    this.listener.onError(toTlsError(error, this.#secure));
  }

  closed(): void {
    this.#closed = true;
    if (this.#answerTimer !== null) clearTimeout(this.#answerTimer);
    this.writing = false;
    this.listener.onClose();
  }

  /** Behind the write under way, of which the kernel has all but what TCP still holds. */
  #waitingNow(): number {
    const inside = this.#socket as unknown as Insides;
    const underWay = inside._writableState?.writelen ?? 0;
    return this.#socket.writableLength - underWay + (inside._handle?._parent?.writeQueueSize ?? 0);
  }

  #rawBytes(): number {
    return (this.#socket as unknown as Insides)._handle?._parent?.bytesRead ?? 0;
  }

  /** As in tcp-socket.ts: the callback of an empty write is the only sign that all before it has left. */
  #awaitFlush(): void {
    this.#flushed ??= this.#onFlushed.bind(this);
    if (this.#socket.writableEnded) this.#socket.once("finish", this.#flushed);
    else this.#socket.write(NOTHING, this.#flushed);
  }

  #onFlushed(error?: Error | null): void {
    if (!error && this.#socket.writableLength > 0) {
      this.#awaitFlush();
      return;
    }
    this.writing = false;
    if (!error && !this.#closed) contain(this, () => this.listener.onDrain());
  }
}

/** For sockets that Node reads into the shared buffer (`onread`). */
export function sharedReads(): { buffer: Uint8Array; callback: (this: tls.TLSSocket, length: number) => boolean } {
  return { buffer: readView, callback: onRead };
}

/** For sockets that cannot: each read is a buffer of its own, with room around it. */
export function copyReads(socket: tls.TLSSocket): void {
  socket.on("data", onChunk);
}

function onRead(this: tls.TLSSocket, length: number): boolean {
  const { port } = this as OwnedTlsSocket;
  if (port === null) return true;
  try {
    port.received(readBuffer, HEAD_ROOM, HEAD_ROOM + length);
  } catch (error) {
    port.listener.onFault(error);
  }
  return true;
}

function onChunk(this: tls.TLSSocket, chunk: Buffer): void {
  const roomy = Buffer.allocUnsafeSlow(HEAD_ROOM + chunk.length + TAIL_ROOM);
  chunk.copy(roomy, HEAD_ROOM);
  const { port } = this as OwnedTlsSocket;
  contain(port, () => port?.received(roomy, HEAD_ROOM, HEAD_ROOM + chunk.length));
}

function onEnd(this: OwnedTlsSocket): void {
  contain(this.port, () => this.port?.ended());
}

function onError(this: OwnedTlsSocket, error: NodeJS.ErrnoException): void {
  contain(this.port, () => this.port?.failed(error));
}

function onClose(this: OwnedTlsSocket): void {
  contain(this.port, () => this.port?.closed());
}

/** A defect in what hears one socket is that listener's to answer for; thrown on, it would reach every socket. */
export function contain(port: TlsOriginSocket | null, call: () => void): void {
  try {
    call();
  } catch (error) {
    port?.listener.onFault(error);
  }
}

function turnNow(): number {
  if (!turns.counting) {
    turns.counting = true;
    setImmediate(() => {
      turns.now += 1;
      turns.counting = false;
    });
  }
  return turns.now;
}

function viewOf(socket: tls.TLSSocket): TlsView {
  const { servername } = socket as { servername?: string | false | null };
  return {
    version: socket.getProtocol() ?? "",
    cipher: socket.getCipher()?.standardName ?? "",
    serverName: typeof servername === "string" ? servername : "",
    alpn: typeof socket.alpnProtocol === "string" ? socket.alpnProtocol : "",
    resumed: socket.isSessionReused(),
  };
}
