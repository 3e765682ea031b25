/**
 * A TLS connection on a handle of the system, as the server of it: OpenSSL as Node has it, without a stream around it.
 * What is decrypted lands in the one buffer that all sockets read into, and a write is one call into OpenSSL. A stream's
 * bookkeeping for each would cost about as much as the encryption of a small response, and its making and closing a
 * tenth of a handshake.
 *
 * Node has no public way for any of this. What is used of its insides is here and in stream-handle.ts.
 */
import type { X509Certificate } from "node:crypto";
import tls from "node:tls";
import type { SecureChoice, SocketError } from "../kernel/socket.ts";
import { readView } from "./read-buffer.ts";
import { bindingOf, closeHandle, give, ignore, nameOf, own, shutDown } from "./stream-handle.ts";
import type { HandleOwner, StreamHandle, SystemHandle } from "./stream-handle.ts";

/** What hears a secure socket. */
export interface SecureOwner {
  /** The handshake is done. */
  secured(): void;
  /** Decrypted bytes are at the beginning of the shared buffer's read view. */
  decrypted(length: number): void;
  /** Nothing more will be: close_notify, or FIN. */
  ended(): void;
  /** It is over; `closed` follows. The syscall is `tls` where OpenSSL said so. */
  failed(error: SocketError): void;
  /** The write under way has left, or failed with this (negative) number of the system. */
  written(status: number): void;
  closed(): void;
}

/** OpenSSL's side of a connection. */
interface TlsHandle extends StreamHandle {
  onhandshakedone: (this: TlsHandle) => void;
  onerror: (this: TlsHandle, error: Error & { readonly code?: string }) => void;
  receive(bytes: Buffer): void;
  setALPNProtocols(protocols: Buffer): void;
  setVerifyMode(requests: boolean, refuses: boolean): void;
  getALPNNegotiatedProtocol(): string | false;
  getProtocol(): string;
  getCipher(): { readonly standardName: string };
  isSessionReused(): boolean;
  verifyError(): (Error & { readonly code?: string }) | null | undefined;
  destroySSL(): void;
}

interface TlsBinding {
  wrap(handle: SystemHandle, context: unknown, isServer: boolean, hasWritten: boolean): TlsHandle;
}

const { wrap } = bindingOf<TlsBinding>("tls_wrap", ["wrap"]);

export class SecureSocket implements HandleOwner {
  readonly #raw: SystemHandle;
  readonly #handle: TlsHandle;
  readonly #owner: SecureOwner;
  #isReading = true;
  #isEstablished = false;
  /** OpenSSL is in the middle of something, and must not be asked to shut down. */
  #isTelling = false;
  #isEnding = false;
  #isShutting = false;
  #isShut = false;
  #hasEnded = false;
  #isClosing = false;

  /** `raw` is being read from, and goes on so. */
  constructor(raw: SystemHandle, choice: SecureChoice, owner: SecureOwner) {
    this.#raw = raw;
    this.#owner = owner;
    const handle = wrap(raw, (choice.context as tls.SecureContext).context, true, false);
    this.#handle = handle;
    raw.owner = this;
    own(handle, this, readView);
    handle.onhandshakedone = onHandshakeDone;
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- a handle knows no listeners
    handle.onerror = onError;
    // Whom to refuse, and how, is decided when the handshake is done.
    if (choice.clientCertificate !== "none") handle.setVerifyMode(true, false);
    if (choice.alpn.length > 0) handle.setALPNProtocols(wireForm(choice.alpn));
  }

  /** What was read before there was this socket. */
  feed(bytes: Buffer): void {
    this.#handle.receive(bytes);
  }

  get version(): string {
    return this.#handle.getProtocol();
  }

  get cipher(): string {
    return this.#handle.getCipher().standardName;
  }

  /** Empty: none was agreed on. */
  get alpn(): string {
    const protocol = this.#handle.getALPNNegotiatedProtocol();
    return protocol === false ? "" : protocol;
  }

  get isResumed(): boolean {
    return this.#handle.isSessionReused();
  }

  get clientCertificate(): X509Certificate | undefined {
    return tls.TLSSocket.prototype.getPeerX509Certificate.call({ _handle: this.#handle } as never);
  }

  /** Why the certificate that the client showed is not believed; null: it is, or there is none. */
  get verifyCode(): string | null {
    const error = this.#handle.verifyError();
    return error === null || error === undefined ? null : (error.code ?? error.message);
  }

  get raw(): SystemHandle | null {
    return this.#isClosing ? null : this.#raw;
  }

  /**
   * Encrypts, and hands over what the kernel takes; `bytes` may be used again. One at a time: `written` comes for each.
   * Negative: nothing was done, and why.
   */
  send(bytes: Buffer): number {
    return this.#isClosing ? GONE : give(this.#handle, this, bytes);
  }

  /** Encrypted bytes that have not left, so far as is known: those of a write under way count until all of it has. */
  get unsent(): number {
    return this.#isClosing ? 0 : this.#handle.writeQueueSize + this.#raw.writeQueueSize;
  }

  /** What the kernel did not take at once of what it was given. */
  get stuck(): number {
    return this.#raw.writeQueueSize;
  }

  pause(): void {
    if (!this.#isReading || this.#isClosing) return;
    this.#isReading = false;
    this.#handle.readStop();
  }

  resume(): void {
    if (this.#isReading || this.#isClosing) return;
    this.#isReading = true;
    this.#handle.readStart();
  }

  /** close_notify and FIN. */
  end(): void {
    if (this.#isClosing || this.#isEnding) return;
    if (this.#isTelling) {
      setImmediate(() => this.end());
      return;
    }
    this.#isEnding = true;
    this.#isShutting = true;
    shutDown(this.#handle, this);
  }

  /** RST, where the transport has that. While close_notify is stuck it does without: what misses that shows as cut. */
  reset(): void {
    this.#close(!this.#isShutting);
  }

  destroy(): void {
    this.#close(false);
  }

  // ------------------------------------------------------------------ the handles

  read(length: number): void {
    this.#owner.decrypted(length);
  }

  readEnded(): void {
    this.#hasEnded = true;
    this.#owner.ended();
    this.#closeIfOver();
  }

  readFailed(status: number): void {
    this.#fail({ code: nameOf(status), syscall: "read" });
  }

  written(status: number): void {
    if (!this.#isClosing) this.#owner.written(status);
  }

  shutdownDone(): void {
    this.#isShutting = false;
    this.#isShut = true;
    this.#closeIfOver();
  }

  handleClosed(): void {
    // Not earlier: OpenSSL may have been in the middle of something.
    this.#handle.destroySSL();
    this.#owner.closed();
  }

  /** Tickets that are made behind it look like a handshake of their own. */
  handshakeDone(): void {
    if (this.#isEstablished || this.#isClosing) return;
    this.#isEstablished = true;
    this.#isTelling = true;
    this.#owner.secured();
    this.#isTelling = false;
  }

  opensslFailed(error: Error & { readonly code?: string }): void {
    this.#fail({ code: error.code ?? "UNKNOWN", syscall: "tls" });
  }

  // ------------------------------------------------------------------ inside

  #fail(error: SocketError): void {
    if (this.#isClosing) return;
    this.#close(false);
    this.#owner.failed(error);
  }

  #closeIfOver(): void {
    if (this.#hasEnded && this.#isShut) this.#close(false);
  }

  #close(byReset: boolean): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#handle.onread = ignore;
    closeHandle(this.#raw, byReset);
  }
}

/** EPIPE, of a socket that is closed. */
const GONE = -32;

const wireForms = new WeakMap<readonly string[], Buffer>();

/** RFC 7301 §3.1: each name behind its length. One list is that of a whole listener. */
function wireForm(alpn: readonly string[]): Buffer {
  const made = wireForms.get(alpn);
  if (made !== undefined) return made;
  const form = Buffer.concat(alpn.map((name) => Buffer.from([name.length, ...Buffer.from(name, "latin1")])));
  wireForms.set(alpn, form);
  return form;
}

function onHandshakeDone(this: TlsHandle): void {
  (this.owner as SecureSocket | null)?.handshakeDone();
}

function onError(this: TlsHandle, error: Error & { readonly code?: string }): void {
  (this.owner as SecureSocket | null)?.opensslFailed(error);
}
