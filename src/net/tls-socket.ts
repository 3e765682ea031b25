/**
 * The socket port over TLS, for accepted connections. It begins as a plain one that reads the client's first message,
 * because only that says which certificate is wanted, or that no TLS is spoken at all; then it is a TLS connection on
 * the same handle, and keeps the promises of accepted-socket.ts: `write` says whether the kernel took everything, `reset` is
 * an RST without a word, so that a message without an end of its own does not look complete, and `end` is close_notify
 * with FIN.
 *
 * A handshake that fails is told by `onError` with the syscall `tls` and the code of OpenSSL, or one of ours. Behind
 * two of ours an answer can still be written: in plain text to who speaks HTTP without TLS, and encrypted to whose
 * certificate is missing or wrong.
 */
import { getSystemErrorName } from "node:util";
import { DEAF, HEAD_ROOM } from "../kernel/socket.ts";
import type {
  Carrier,
  SecureChoice,
  SecureContexts,
  SocketError,
  SocketListener,
  SocketPort,
} from "../kernel/socket.ts";
import { HELLO_BYTES_MAX, readFirstBytes } from "./client-hello.ts";
import type { ClientHello } from "./client-hello.ts";
import { clientChain } from "./client-chain.ts";
import { readBuffer } from "./read-buffer.ts";
import { SecureSocket } from "./secure-socket.ts";
import type { SecureOwner } from "./secure-socket.ts";
import { localEnd, PROBE_AFTER_SECONDS } from "./accepted-socket.ts";
import type { AcceptedSocket } from "./accepted-socket.ts";

/** What may be written behind a write whose end is not known yet without stopping the source. */
const QUEUE_FREE = 64 * 1024;
/** OpenSSL's records of so many bytes go to the kernel at once; of more, a part waits for the rest to have left. */
const AT_ONCE = 128 * 1024;
/** RFC 8446 §6: a fatal alert that says unrecognized_name (RFC 6066 §3), in a record that no key protects yet. */
const UNRECOGNIZED_NAME = Buffer.from([21, 3, 3, 0, 2, 2, 112]);

type Stage = "hello" | "handshake" | "open" | "refused" | "plain" | "closed";

export class TlsSocket implements SocketPort, SecureOwner {
  listener: SocketListener = DEAF;
  carrier: Carrier;
  readonly remoteAddress: string;
  readonly remotePort: number;
  writing = false;
  readonly #contexts: SecureContexts;
  /** Until the client's first message is there, and for good when that is none of TLS. */
  #raw: AcceptedSocket | null;
  #secure: SecureSocket | null = null;
  #stage: Stage = "hello";
  #first: Buffer | null = null;
  #choice: SecureChoice | null = null;
  #hello: ClientHello | null = null;
  /** A write's end has not been heard of. */
  #underWay = false;
  #isSending = false;
  #queue: Buffer[] = [];
  #queued = 0;
  #ending = false;
  #paused = false;
  /** Decrypted while its owner wanted nothing. */
  #held: Buffer[] = [];
  #finHeld = false;

  constructor(raw: AcceptedSocket, contexts: SecureContexts) {
    this.#raw = raw;
    this.#contexts = contexts;
    // What a load balancer has said of its client's TLS is not about this one.
    this.carrier = raw.carrier.tls === null ? raw.carrier : { ...raw.carrier, tls: null };
    this.remoteAddress = raw.remoteAddress;
    this.remotePort = raw.remotePort;
  }

  get localAddress(): string {
    return this.#raw?.localAddress ?? localEnd(this.#secure?.raw ?? null).address;
  }

  get localPort(): number {
    return this.#raw?.localPort ?? localEnd(this.#secure?.raw ?? null).port;
  }

  write(bytes: Buffer): boolean {
    const secure = this.#secure;
    if (secure === null || this.#stage === "closed" || this.#stage === "handshake") return this.#writePlain(bytes);
    // For a write of nothing OpenSSL reads on, and what it finds would be heard inside of this call.
    if (this.#ending || bytes.length === 0) return true;
    if (this.#underWay) {
      // OpenSSL takes one write after the other, and the caller may use the bytes again.
      this.#queue.push(Buffer.from(bytes));
      this.#queued += bytes.length;
    } else this.#send(secure, bytes);
    if (!this.writing && secure.stuck === 0 && this.#queued <= QUEUE_FREE && bytes.length <= AT_ONCE) return true;
    // The write may have failed, and then nothing waits.
    this.writing = this.#underWay;
    return !this.writing;
  }

  get waitingBytes(): number {
    if (!this.writing) return 0;
    const secure = this.#secure;
    return secure === null ? (this.#raw?.waitingBytes ?? 0) : this.#queued + secure.unsent;
  }

  pause(): void {
    this.#paused = true;
    this.#raw?.pause();
    this.#secure?.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#raw?.resume();
    if (this.#held.length > 0 || this.#finHeld) setImmediate(() => this.#release());
    else this.#secure?.resume();
  }

  probePeer(): void {
    this.#secure?.raw?.setKeepAlive?.(true, PROBE_AFTER_SECONDS);
  }

  end(): void {
    if (this.#stage === "hello" || this.#stage === "handshake") {
      this.destroy();
      return;
    }
    this.#raw?.end();
    this.#ending = true;
    if (!this.#underWay) this.#endNow();
  }

  reset(): void {
    this.#raw?.reset();
    this.#secure?.reset();
  }

  destroy(): void {
    this.#raw?.destroy();
    this.#secure?.destroy();
  }

  // ------------------------------------------------------------------ the plain part

  /** Bytes of a first message, or of what is no TLS. */
  heard(bytes: Buffer, start: number, end: number): void {
    if (this.#stage === "hello") this.#read(bytes.subarray(start, end));
    else this.listener.onData(bytes, start, end);
  }

  drained(): void {
    this.writing = false;
    this.listener.onDrain();
  }

  rawEnded(): void {
    if (this.#stage !== "hello") this.listener.onFin();
    // Who says nothing at all has asked for nothing: a check of a balancer, or a browser's spare connection.
    else if (this.#first === null) this.destroy();
    else this.#fail("LEFT", "FIN inside its first message");
  }

  rawFailed(error: SocketError): void {
    if (this.#stage !== "hello") this.listener.onError(error);
    else if (this.#first !== null) this.#fail("LEFT", `${error.code} inside its first message`);
  }

  #read(bytes: Buffer): void {
    // The buffer is everybody's.
    const first = this.#first === null ? Buffer.from(bytes) : Buffer.concat([this.#first, bytes]);
    this.#first = first;
    const found = readFirstBytes(first);
    switch (found.kind) {
      case "part":
        if (first.length > HELLO_BYTES_MAX) this.#fail("NOT_TLS", "a first message without an end");
        return;
      case "http":
        this.#stage = "plain";
        this.listener.onError({ code: "PLAIN_HTTP", syscall: "tls", detail: found.line });
        return;
      case "other":
        // OpenSSL has the alert for what is nearly TLS; anything else gets nothing.
        if (first[0] === 22) this.#begin(first, NO_HELLO);
        else this.#fail("NOT_TLS", `it began with ${first.subarray(0, SHOWN_BYTES).toString("hex")}`);
        return;
      case "hello":
        this.#begin(first, found.hello);
    }
  }

  #begin(first: Buffer, hello: ClientHello): void {
    const choice = this.#contexts.choose(hello.serverName, hello.alpn);
    const raw = this.#raw;
    if (raw === null) return;
    if (choice === null) {
      raw.write(UNRECOGNIZED_NAME);
      raw.end();
      this.#fail("UNRECOGNIZED_NAME", shownName(hello.serverName));
      return;
    }
    const handle = raw.takeHandle();
    if (handle === null) return;
    this.#raw = null;
    this.#first = null;
    this.#hello = hello;
    this.#choice = choice;
    this.#stage = "handshake";
    const secure = new SecureSocket(handle, choice, this);
    this.#secure = secure;
    secure.feed(first);
  }

  #writePlain(bytes: Buffer): boolean {
    if (this.#stage !== "plain" || this.#raw === null) return true;
    const taken = this.#raw.write(bytes);
    this.writing = !taken;
    return taken;
  }

  // ------------------------------------------------------------------ the encrypted part

  secured(): void {
    try {
      if (this.#secure !== null) this.#beOpen(this.#secure);
    } catch (error) {
      this.listener.onFault(error);
    }
  }

  #beOpen(secure: SecureSocket): void {
    const { rule = null, clientCertificate = "none" } = this.#choice ?? {};
    const client = clientCertificate === "none" ? null : clientChain(secure.clientCertificate);
    const unbelieved = client === null ? null : secure.verifyCode;
    const refused = refusalOf(client !== null, unbelieved, clientCertificate === "required");
    const { alpn } = secure;
    this.carrier = {
      ...this.carrier,
      tls: {
        version: secure.version,
        cipher: secure.cipher,
        serverName: this.#hello?.serverName ?? "",
        alpn,
        resumed: secure.isResumed,
        client: unbelieved === null ? client : null,
        ...(rule === null ? {} : { rule }),
        ...(refused === null ? {} : { refused }),
      },
    };
    this.#hello = null;
    this.#choice = null;
    // An answer of HTTP/2 needs the number of a request, so the first one has to be read.
    this.#stage = refused === null || alpn === "h2" ? "open" : "refused";
    if (this.#stage === "open") this.listener.onConnect();
    else if (refused !== null) this.listener.onError(refused);
  }

  decrypted(length: number): void {
    // What comes from somebody who was refused is not read.
    if (this.#stage !== "open") return;
    // A part of what was read at once may be decrypted behind the call that asked for no more.
    if (this.#paused || this.#held.length > 0)
      this.#held.push(Buffer.from(readBuffer.subarray(HEAD_ROOM, HEAD_ROOM + length)));
    else this.#hear(length);
  }

  #hear(length: number): void {
    try {
      this.listener.onData(readBuffer, HEAD_ROOM, HEAD_ROOM + length);
    } catch (error) {
      this.listener.onFault(error);
    }
  }

  /** What was held, piece by piece, as long as nobody asks for no more. */
  #release(): void {
    while (!this.#paused && this.#stage === "open") {
      const piece = this.#held.shift();
      if (piece === undefined) {
        if (this.#finHeld) {
          this.#finHeld = false;
          this.#contain(() => this.listener.onFin());
        } else this.#secure?.resume();
        return;
      }
      piece.copy(readBuffer, HEAD_ROOM);
      this.#hear(piece.length);
    }
  }

  #send(secure: SecureSocket, bytes: Buffer): void {
    this.#underWay = true;
    this.#isSending = true;
    const status = secure.send(bytes);
    this.#isSending = false;
    if (status <= 0) setImmediate(() => this.written(status));
  }

  written(status: number): void {
    // Nothing is heard inside of a call of the owner's, and the system may refuse at once.
    if (this.#isSending) {
      setImmediate(() => this.written(status));
      return;
    }
    this.#underWay = false;
    const secure = this.#secure;
    if (this.#stage === "closed" || secure === null) return;
    if (status < 0) {
      this.#contain(() => this.listener.onError({ code: getSystemErrorName(status), syscall: "write" }));
      this.destroy();
      return;
    }
    if (this.#queue.length > 0) {
      const [only] = this.#queue;
      const bytes = this.#queue.length === 1 && only !== undefined ? only : Buffer.concat(this.#queue);
      this.#queue = [];
      this.#queued = 0;
      this.#send(secure, bytes);
      return;
    }
    if (this.#ending) this.#endNow();
    if (!this.writing) return;
    this.writing = false;
    this.#contain(() => this.listener.onDrain());
  }

  #endNow(): void {
    this.#secure?.end();
  }

  ended(): void {
    this.#contain(() => {
      if (this.#stage === "handshake") this.#fail("LEFT", "FIN inside the handshake");
      else if (this.#paused || this.#held.length > 0) this.#finHeld = true;
      else this.listener.onFin();
    });
  }

  failed(error: SocketError): void {
    this.#contain(() => {
      if (this.#stage !== "handshake") this.listener.onError(error);
      else if (error.syscall === "tls") this.#fail(error.code, offeredBy(this.#hello));
      else this.#fail("LEFT", `${error.code} inside the handshake`);
    });
  }

  /** Nothing more comes of it. */
  #fail(code: string, detail: string): void {
    const { listener } = this;
    const stage = this.#stage;
    this.#stage = "refused";
    listener.onError({ code, syscall: "tls", detail });
    // An alert that is on its way goes first; all else is over.
    if (stage !== "hello" || code !== "UNRECOGNIZED_NAME") this.destroy();
  }

  closed(): void {
    this.#contain(() => {
      if (this.#stage === "closed") return;
      if (this.#stage === "handshake") this.#fail("LEFT", "closed inside the handshake");
      this.#stage = "closed";
      this.writing = false;
      this.#queue = [];
      this.#held = [];
      this.listener.onClose();
    });
  }

  /** A defect in what hears one socket is that listener's to answer for; thrown on, it would reach every socket. */
  #contain(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.listener.onFault(error);
    }
  }
}

const SHOWN_BYTES = 8;
const SHOWN_NAME = 128;
const NO_HELLO: ClientHello = { serverName: "", alpn: [], version: 0 };

function shownName(name: string): string {
  return name === "" ? "no name" : name.slice(0, SHOWN_NAME);
}

/** What the client came with, for whoever asks why nothing was agreed on. */
function offeredBy(hello: ClientHello | null): string {
  if (hello === null || hello.version === 0) return "";
  const version = VERSIONS[hello.version] ?? `version ${hello.version.toString(16)}`;
  const alpn = hello.alpn.length === 0 ? "" : `, ALPN ${hello.alpn.join(" ").slice(0, SHOWN_NAME)}`;
  return `it offered ${version} at most, for ${shownName(hello.serverName)}${alpn}`;
}

const VERSIONS: Readonly<Record<number, string>> = {
  0x0300: "SSL 3.0",
  0x0301: "TLS 1.0",
  0x0302: "TLS 1.1",
  0x0303: "TLS 1.2",
  0x0304: "TLS 1.3",
};

/** What hears the plain socket, as long as there is one. */
class RawListener implements SocketListener {
  readonly #socket: TlsSocket;

  constructor(socket: TlsSocket) {
    this.#socket = socket;
  }

  onConnect(): void {
    // Accepted connections are connected.
  }

  onData(bytes: Buffer, start: number, end: number): void {
    this.#socket.heard(bytes, start, end);
  }

  onDrain(): void {
    this.#socket.drained();
  }

  onFin(): void {
    this.#socket.rawEnded();
  }

  onError(error: SocketError): void {
    this.#socket.rawFailed(error);
  }

  onClose(): void {
    this.#socket.closed();
  }

  onFault(error: unknown): void {
    this.#socket.listener.onFault(error);
  }
}

/** Takes an accepted connection to the handshake, if `onSocket` wants it. What it returns hears the plain socket. */
export function acceptSecure(
  raw: AcceptedSocket,
  contexts: SecureContexts,
  onSocket: (socket: SocketPort) => SocketListener | null,
): SocketListener | null {
  const socket = new TlsSocket(raw, contexts);
  const listener = onSocket(socket);
  if (listener === null) return null;
  socket.listener = listener;
  return new RawListener(socket);
}

function refusalOf(hasShown: boolean, unbelieved: string | null, isRequired: boolean): SocketError | null {
  if (unbelieved !== null) return { code: "CERTIFICATE_REFUSED", syscall: "tls", detail: unbelieved };
  return hasShown || !isRequired ? null : { code: "CERTIFICATE_MISSING", syscall: "tls" };
}
