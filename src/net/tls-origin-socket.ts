/**
 * The socket port over TLS: what net/tcp-socket.ts is over TCP, with the same promises, for dialled
 * connections. Node's TLS lies directly on the handle of TCP, so a read is decrypted into the shared buffer and a write
 * is encrypted and handed to the kernel before the call returns.
 *
 * TLS says what TCP cannot: that the end was meant (close_notify, RFC 8446 §6.1). Node does not tell an end that was
 * announced from one that was not, although a stream without a length can be cut there by anybody on the way. It can
 * be told from outside, see `push`.
 */
import tls from "node:tls";
import { PLAIN } from "../kernel/socket.ts";
import type { OriginCertificate, SocketError, SocketListener, TlsView } from "../kernel/socket.ts";
import { readBuffer } from "./read-buffer.ts";
import { contain, StreamSocket } from "./stream-socket.ts";
import { toTlsError } from "./tls-error.ts";

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

export class TlsOriginSocket extends StreamSocket {
  cutOff = false;
  readonly #socket: OwnedTlsSocket;
  #secure = false;
  /** Bytes of TCP when the last ones were read, and the turn in which that was. */
  #rawAtRead = 0;
  #turnAtRead = 0;

  constructor(socket: tls.TLSSocket, listener: SocketListener) {
    const owned = Object.setPrototypeOf(socket, OwnedTlsSocket.prototype) as OwnedTlsSocket;
    super(owned, listener);
    this.#socket = owned;
  }

  /** The handshake is over. */
  secured(certificate: OriginCertificate | null): void {
    this.#secure = true;
    this.carrier = { ...PLAIN, tls: viewOf(this.#socket), certificate };
  }

  write(bytes: Buffer): boolean {
    if (this.isClosed || this.writeError !== null) return true;
    const socket = this.#socket;
    // Alone it is encrypted at once. Behind another write Node keeps it as it is, and the shared buffer is read into.
    const waits = socket.writableLength > 0;
    socket.write(waits && bytes.buffer === readBuffer.buffer ? Buffer.from(bytes) : bytes);
    if (this.#waitingNow() === 0) return true;
    this.waits();
    return false;
  }

  get waitingBytes(): number {
    return this.writing ? this.#waitingNow() : 0;
  }

  /** TLS has no reset, and Node refuses one for such a handle: what closes TCP beneath is made to reset it. */
  reset(): void {
    if (this.isClosed) return;
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
  override received(bytes: Buffer, start: number, end: number): void {
    this.heard();
    super.received(bytes, start, end);
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

  /** Inside the handshake an end is a failure, which Node tells as an error. */
  override ended(): void {
    if (this.#secure) super.ended();
  }

  failed(error: NodeJS.ErrnoException): void {
    this.listener.onError(toTlsError(error, this.#secure));
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
