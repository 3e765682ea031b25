/**
 * The socket port: all the gateway knows of a network. Callbacks instead of streams, because a promise
 * or a closure per chunk costs more than the chunk (docs/decisions/0001-own-http1-codec.md), and because a
 * simulator can implement this in a page.
 */

import type { CauseId } from "./causes.ts";

export const HEAD_ROOM = 4096;
export const TAIL_ROOM = 64;

/** Why a socket failed, in the operating system's words (`ECONNREFUSED`, `ECONNRESET`, `EPIPE`, …). */
export interface SocketError {
  readonly code: string;
  /**
   * `connect`, `read`, `write`, or empty when the system did not say. A reset heard while reading is an RST. `tls`: the
   * code is OpenSSL's or Node's (`CERT_HAS_EXPIRED`), or `FIN` for an end in the middle of a handshake.
   */
  readonly syscall: string;
  /** What was seen, for people, where the code does not say all: whose certificate it was, and until when. */
  readonly detail?: string;
  /** The number of the alert that the other side sent (RFC 8446 §6). */
  readonly alert?: number;
}

/** Hears what happens on one socket. No call comes from inside a call that the owner made on the socket. */
export interface SocketListener {
  /** Only on dialled sockets that agree on more than TCP, before `onConnect`: TCP is connected, a handshake begins. */
  onHandshake?(): void;
  /**
   * Once, on dialled sockets and on accepted ones of a listener with TLS: what had to be agreed on first is agreed on.
   * With TLS the other side is known then. Nothing is known to have left before it, and nothing is heard before it but that it failed.
   */
  onConnect(): void;
  /**
   * Bytes `[start, end)`, valid until this call returns: the buffer is shared by all sockets. `HEAD_ROOM` bytes
   * before `start` and `TAIL_ROOM` after `end` are the listener's to overwrite, so that a rewritten head can be
   * put right before a body and both leave in one write without copying the body.
   */
  onData(bytes: Buffer, start: number, end: number): void;
  /** All bytes whose `write` returned false have left. */
  onDrain(): void;
  /** The peer's FIN: no more bytes will come; writing may still work. See `SocketPort.cutOff`. */
  onFin(): void;
  /** The socket failed. `onClose` follows. */
  onError(error: SocketError): void;
  /** Last call. Comes exactly once, also after `destroy` and `reset`. */
  onClose(): void;
  /** One of the calls above threw, which only a defect of ours does. It costs this connection and no other. */
  onFault(error: unknown): void;
}

/** Hears nothing: for a socket that has no owner yet, or never gets one. */
export const DEAF: SocketListener = {
  onConnect: ignore,
  onData: ignore,
  onDrain: ignore,
  onFin: ignore,
  onError: ignore,
  onClose: ignore,
  onFault: ignore,
};

/** What carries the bytes of a socket. Known when its listener is asked for, but `tls` of an accepted one only from `onConnect` on. */
export interface Carrier {
  /** `h2`: it is a stream of an HTTP/2 connection, and its bytes are HTTP/1.1 by translation. */
  readonly protocol: "tcp" | "unix" | "h2";
  /** Null: what is said on it can be read by everybody between. */
  readonly tls: TlsView | null;
  /** Null: the socket's ends are the connection's ends. */
  readonly proxy: ProxyView | null;
  /** Of a dialled stream: what it knows of the connection that others share. Null or left out: it has one of its own. */
  readonly shared?: SharedConnection | null;
  /** Of an origin that showed one on this connection. Null or left out: none, or a session was resumed. */
  readonly certificate?: OriginCertificate | null;
}

/** A load balancer in front that told of its client by the PROXY protocol; `remoteAddress` is then the client's. */
export interface ProxyView {
  readonly version: 1 | 2;
  /** The load balancer's own end of the socket. */
  readonly address: string;
  readonly port: number;
  /** Where the client had connected to. */
  readonly destination: string;
  readonly destinationPort: number;
  /** In hex digits; empty: none was given. */
  readonly uniqueId: string;
}

/** An HTTP/2 connection at the moment when a stream began on it. */
export interface SharedConnection {
  /** The same for all streams of one connection, and for no others. */
  readonly connection: object;
  /** Streams that began before; 0: it is new. */
  readonly uses: number;
  /** ms since it was made; 0 on a new one. */
  readonly ageMs: number;
  /** ms since the last stream on it ended; 0 where others are under way. */
  readonly idleMs: number;
}

/** What an origin showed of itself in a handshake. */
export interface OriginCertificate {
  /** Of its subjectAltName; at most some. */
  readonly names: readonly string[];
  readonly issuer: string;
  /** Epoch ms. */
  readonly from: number;
  readonly until: number;
  /** When the first certificate above it ends, of those that it sent; epoch ms, 0: it sent none. */
  readonly chainUntil: number;
  /** SHA-256, in hex. */
  readonly fingerprint: string;
}

/** What was agreed on in a TLS handshake. */
export interface TlsView {
  /** `TLSv1.3`. */
  readonly version: string;
  readonly cipher: string;
  /** The name that the client asked for; empty: none. */
  readonly serverName: string;
  /** The protocol that was agreed on; empty: none was. */
  readonly alpn: string;
  /** A session of before went on, so nobody showed a certificate. */
  readonly resumed: boolean;
  /** What an accepted peer showed and was found right. Null or left out: it showed none, or nobody asked. */
  readonly client?: ClientCertificate | null;
  /** Which rule for clients' certificates held. Left out: none did. */
  readonly rule?: CertificateRule;
  /** It has to show a certificate and has shown none, or one that is not believed. Left out: nothing is wrong. */
  readonly refused?: SocketError;
}

/**
 * What a rule for clients' certificates asks for. Not its place in a list: connections outlast changes of the
 * configuration, and the same place may be another rule's then.
 */
export interface CertificateRule {
  /** The file of the authorities. */
  readonly ca: string;
  readonly isRequired: boolean;
}

export interface ClientCertificate {
  /** `CN=sensor-7, O=Example`. */
  readonly subject: string;
  /** DER in base64: itself first, then what it was issued by, as far as the client sent that. */
  readonly chain: readonly string[];
}

/** Of nearly all sockets: one object for all of them. */
export const PLAIN: Carrier = { protocol: "tcp", tls: null, proxy: null };

export const PLAIN_UNIX: Carrier = { protocol: "unix", tls: null, proxy: null };

export interface SocketPort {
  listener: SocketListener;
  readonly carrier: Carrier;
  /**
   * True from an `onFin` on that TLS did not announce: whoever sits between may have cut the stream there (RFC 8446
   * §6.1), so that an end that nothing else declares is no end. Left out: nothing could have announced it.
   */
  readonly cutOff?: boolean;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /**
   * True: the kernel took every byte and `bytes` may be reused at once. False: some wait, `bytes` belongs
   * to the socket from now on, and `onDrain` will come; the owner then stops its source.
   */
  write(bytes: Buffer): boolean;
  /** True while bytes wait that the kernel did not take. */
  readonly writing: boolean;
  /** How many. It falls as the kernel takes them: that is how progress shows before `onDrain`. */
  readonly waitingBytes: number;
  pause(): void;
  resume(): void;
  /** From now on a peer that vanished without a word is found out (TCP keep-alive), however long both are silent. */
  probePeer(): void;
  /** FIN after what is queued. Reading goes on. */
  end(): void;
  /** RST at once: the peer sees that the message is not complete. */
  reset(): void;
  /** Close without ceremony. */
  destroy(): void;
}

/** HTTP/2 to an origin. */
export interface Http2Transport {
  /** `prior`: it speaks HTTP/2 and nothing else is offered. `alpn`: it chooses in the handshake of TLS. */
  readonly choice: "prior" | "alpn";
  /** How long a connection may lie without an exchange. */
  readonly idleMs: number;
  /** Exchanges at once on one connection. */
  readonly streamsMax: number;
  /** What the origin may send of one response ahead of its reader. */
  readonly windowBytes: number;
  /** Kept by whoever makes the connections; the same object while the address is. */
  readonly sessions: SessionCounts;
}

/** Connections that are shared by exchanges. */
export interface SessionCounts {
  /** Those that are being made included. */
  open: number;
  /** Of these, without an exchange. */
  idle: number;
}

/** How an origin is to be reached beyond plain TCP. Made once for each address, never for a connection. */
export interface Transport {
  /** Null: what is said can be read by everybody between. */
  readonly tls: OriginTls | null;
  /** Connections begin with a header of this version that says whose they are; 0: they do not. */
  readonly proxyProtocol: 0 | 1 | 2;
  /** A Unix socket instead of `ip` and `port`; empty: none. */
  readonly unixPath: string;
  /** Null: HTTP/1.1. */
  readonly http2: Http2Transport | null;
}

/** Who an origin has to prove to be, and what it is shown of us. Frozen: what is made of it is kept beside it. */
export interface OriginTls {
  /** What the certificate has to be for, and what is asked for by SNI. An IP literal is only checked (RFC 6066 §3). */
  readonly serverName: string;
  /** False: whoever answers is taken for the origin. */
  readonly verify: boolean;
  /** File of the certificates that are trusted, and no others; empty: those of the system and of Node. */
  readonly ca: string;
  /** Files of the certificate that is shown to origins who ask for one, and of its key; both empty: none. */
  readonly certificate: string;
  readonly key: string;
  /** SHA-256 of public keys (SPKI) in base64: one of the verified chain has to be among them. Empty: any. */
  readonly pins: readonly string[];
  readonly minVersion: "1.2" | "1.3";
}

/** One address of an origin, resolved. */
export interface Address {
  readonly ip: string;
  readonly port: number;
  readonly family: 4 | 6;
  /** Beyond plain TCP to `ip` and `port`. Null or absent, as it is of nearly all: nothing. */
  readonly transport?: Transport | null;
}

/**
 * Starts a connection; the outcome comes to `listener` as `onConnect` or `onError`. `opening`: bytes that leave before
 * all others, also before a TLS handshake.
 */
export type Dial = (address: Address, listener: SocketListener, opening?: Buffer) => SocketPort;

export interface ListeningPort {
  readonly address: string;
  readonly port: number;
  /** For connections that come from now on. Of a listener that has nothing to be told there is none. */
  configure?(options: ListenOptions): void;
  /**
   * Gives the file that it listens at another mode and owner; the result takes that back. Rejects when that cannot be.
   * Of a listener without a file of its own there is none.
   */
  changeFile?(file: SocketFile): Promise<() => Promise<void>>;
  /** Whether somebody removed that file, so that nobody can connect any more. Of a listener without one there is none. */
  isFileGone?(): Promise<boolean>;
  /** Makes it again where it is gone. Rejects when that cannot be, and then all is as before. */
  mendFile?(): Promise<void>;
  /**
   * Accepts those who wait to be accepted, and then stops. Closing alone would reset them. Absent where nobody can wait.
   */
  leave?(): Promise<void>;
  /** Stop accepting; connections that exist go on. Resolves when the listening socket is closed. */
  close(): Promise<void>;
}

/** `host` is an IP address, or `unix:/path` without a port. */
export interface ListenAt {
  readonly host: string;
  readonly port: number;
}

/** What a listener does before the gateway hears of a connection. */
export interface ListenOptions {
  /** Null: connections begin with what their peer has to say. */
  readonly proxyProtocol: ProxyProtocolOptions | null;
  /** Null: what is said on its connections can be read by everybody between. */
  readonly tls: SecureContexts | null;
  /** Of the file of a Unix socket. */
  readonly socketFile: SocketFile;
  /** Hears of a connection that ended before the gateway could hear of it. */
  readonly onUnbegun: (unbegun: Unbegun) => void;
}

export interface ProxyProtocolOptions {
  /** From whom a header is expected. */
  readonly isTrusted: (address: string) => boolean;
  /** Others are taken for clients; otherwise they are turned away. */
  readonly othersAreClients: boolean;
  readonly timeoutMs: number;
  readonly bytesMax: number;
  /** Connections whose header has not come, at once. */
  readonly waitingMax: number;
}

export interface SocketFile {
  /** Permissions, as of chmod. */
  readonly mode: number;
  /** Names or numbers; empty: those of the process. */
  readonly user: string;
  readonly group: string;
}

/** A connection that came to nothing before its first request, which its peer or the configuration is to blame for. */
export interface Unbegun {
  readonly cause: CauseId;
  readonly evidence: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

/** Of most listeners. */
export const PLAIN_LISTENER: ListenOptions = {
  proxyProtocol: null,
  tls: null,
  socketFile: { mode: 0o660, user: "", group: "" },
  onUnbegun: ignore,
};

/** What a listener shows of itself, to whom. Kept in net/, and changed there while the listener is open. */
export interface SecureContexts {
  /** Null: no name that it has a certificate for, and it is strict about that. `serverName` may be empty. */
  choose(serverName: string, alpn: readonly string[]): SecureChoice | null;
}

export interface SecureChoice {
  /** Of node:tls, which this folder does not know. */
  readonly context: unknown;
  /** Protocols to be offered by ALPN, the preferred one first. */
  readonly alpn: readonly string[];
  /** Whether the client is asked for a certificate, and has to have one. */
  readonly clientCertificate: "none" | "optional" | "required";
  /** Null: no rule asks. */
  readonly rule: CertificateRule | null;
}

/** Accepts connections. `onSocket` returns the listener of the new socket, or null to refuse it (it is closed). */
export type Listen = (
  bind: ListenAt,
  onSocket: (socket: SocketPort) => SocketListener | null,
  options?: ListenOptions,
) => Promise<ListeningPort>;

function ignore(): void {
  // Nobody is there to hear it.
}
