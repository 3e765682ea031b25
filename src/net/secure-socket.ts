/**
 * A TLS connection on a handle of the system, as the server of it: Node's own, put together so that what it decrypts
 * lands in the one buffer that all sockets read into, and that a write is one call into OpenSSL. A stream's bookkeeping
 * for each would cost about as much as the encryption of a small response.
 *
 * Node has no public way for either. What is used of its insides is in this file, and its tests fail when a version
 * of Node has it no more.
 */
import net from "node:net";
import tls from "node:tls";
import type { SecureChoice } from "../kernel/socket.ts";
import { readView } from "./read-buffer.ts";

/** What hears a secure socket. */
export interface SecureOwner {
  /** Decrypted bytes are at the beginning of the shared buffer's read view. */
  decrypted(length: number): void;
  /** The write under way has left, or failed with this (negative) number of the system. */
  written(status: number): void;
}

/** The handle of a TCP socket or of a pipe. */
export interface RawHandle {
  readonly writeQueueSize: number;
  close(done?: () => void): void;
  /** Not of pipes. */
  reset?(done?: () => void): number;
}

interface TlsHandle {
  readonly writeQueueSize: number;
  writeBuffer(request: object, bytes: Buffer): number;
  receive(bytes: Buffer): void;
  verifyError(): (Error & { readonly code?: string }) | null | undefined;
}

interface WriteRequest {
  handle: unknown;
  owner: SecureOwner | null;
  oncomplete: ((status: number) => void) | null;
}

/** What Node keeps to itself of a TLS socket. */
interface Insides {
  readonly _handle: TlsHandle | null;
  readonly _tlsOptions: { readonly raw: RawHandle };
  connecting: boolean;
  _releaseControl(): boolean;
}

/** The same class, with the method that makes its handle, which is where ours comes in. */
const NodeSocket = tls.TLSSocket as unknown as new (
  socket: undefined,
  options: object,
) => tls.TLSSocket & { _wrapHandle(socket: null, handle: RawHandle, isWriting: boolean): TlsHandle };

const NodeWriteRequest = writeRequestClass();

export class SecureSocket extends NodeSocket {
  readonly #raw: RawHandle;
  readonly #owner: SecureOwner;

  constructor(raw: RawHandle, choice: SecureChoice, owner: SecureOwner) {
    super(undefined, {
      isServer: true,
      secureContext: choice.context,
      ALPNProtocols: [...choice.alpn],
      requestCert: choice.clientCertificate !== "none",
      // Whom to refuse, and how, is decided when the handshake is done.
      rejectUnauthorized: false,
      allowHalfOpen: true,
      onread: { buffer: readView, callback: (length: number) => onDecrypted(owner, length) },
      raw,
    });
    this.#raw = raw;
    this.#owner = owner;
    // It is connected: Node takes a socket that it was not given for one that it is about to dial.
    insidesOf(this).connecting = false;
  }

  override _wrapHandle(): TlsHandle {
    return super._wrapHandle(null, insidesOf(this)._tlsOptions.raw, false);
  }

  /** What was read before there was this socket. */
  feed(bytes: Buffer): void {
    insidesOf(this)._handle?.receive(bytes);
  }

  /**
   * Of a read that failed it is told, but nothing is destroyed by it: a stream writes out the whole stack of that error,
   * and clients that close as soon as they have their answer, before they have read their tickets, reset every connection.
   */
  override destroy(error?: NodeJS.ErrnoException): this {
    if (error?.syscall !== "read" || this.destroyed) return super.destroy(error);
    process.nextTick(tellError, this, error);
    return super.destroy();
  }

  /** From now on errors are told as those of any socket. Node does this for the sockets of its own servers. */
  releaseControl(): void {
    insidesOf(this)._releaseControl();
  }

  /** Why the certificate that the client showed is not believed; null: it is, or there is none. */
  get verifyCode(): string | null {
    const error = insidesOf(this)._handle?.verifyError();
    return error === null || error === undefined ? null : (error.code ?? error.message);
  }

  /** Encrypts, and hands over what the kernel takes; `bytes` may be used again. Not 0: nothing was done, and why. */
  send(bytes: Buffer): number {
    const handle = insidesOf(this)._handle;
    if (handle === null) return GONE;
    const request = new NodeWriteRequest();
    request.handle = handle;
    request.owner = this.#owner;
    request.oncomplete = onWritten;
    return handle.writeBuffer(request, bytes);
  }

  /** Encrypted bytes that have not left, so far as is known: those of a write under way count until all of it has. */
  get unsent(): number {
    const handle = insidesOf(this)._handle;
    return handle === null ? 0 : handle.writeQueueSize + this.#raw.writeQueueSize;
  }

  /** What the kernel did not take at once of what it was given. */
  get stuck(): number {
    return this.#raw.writeQueueSize;
  }

  /** RST, where the transport has that. */
  resetNow(): void {
    const raw = this.#raw;
    const close = raw.close.bind(raw);
    raw.close = (done) => {
      // While a shutdown is under way the system refuses.
      if (raw.reset === undefined || raw.reset(done) !== 0) close(done);
    };
    this.destroy();
  }
}

/** EPIPE, of a socket that has no handle any more. */
const GONE = -32;

function insidesOf(socket: SecureSocket): Insides {
  return socket as unknown as Insides;
}

function tellError(socket: SecureSocket, error: NodeJS.ErrnoException): void {
  socket.emit("error", error);
}

function onDecrypted(owner: SecureOwner, length: number): boolean {
  owner.decrypted(length);
  return true;
}

function onWritten(this: WriteRequest, status: number): void {
  const { owner } = this;
  this.owner = null;
  owner?.written(status);
}

/** What stands for a write at a handle. Node makes one for each write of a stream, and gives it to whatever handle that has. */
function writeRequestClass(): new () => WriteRequest {
  let found: (new () => WriteRequest) | null = null;
  const handle = {
    reading: false,
    getAsyncId: () => 1,
    readStart: () => 0,
    readStop: () => 0,
    close: (done?: () => void) => done?.(),
    writeBuffer(request: object): number {
      found = request.constructor as new () => WriteRequest;
      return 0;
    },
  };
  const socket = new net.Socket({ handle } as unknown as net.SocketConstructorOpts);
  socket.write(Buffer.from("?"));
  socket.destroy();
  if (found === null) throw new Error("this Node writes in a way that is not known here");
  return found;
}
