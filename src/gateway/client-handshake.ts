/**
 * What became of a client's TLS handshake: what its records say of it when it is done, and which cause it is when it
 * is not. A failed one leaves a record like any exchange, without a request; an address that fails a thousand times a
 * second leaves counts, and a record now and then.
 */
import type { ListenerSettings } from "../config/settings.ts";
import type { ClientTls } from "../contract/record.ts";
import type { CauseId } from "../kernel/causes.ts";
import type { SocketError, TlsView } from "../kernel/socket.ts";

export interface HandshakeFailure {
  readonly cause: CauseId;
  readonly evidence: string;
  /** The socket can still carry an answer. */
  readonly isAnswered: boolean;
}

/** What tells whose fault it was, from the first that fits. All that OpenSSL says as a server is in one of them. */
const BY_CODE: readonly (readonly [RegExp, CauseId])[] = [
  [/^LEFT$/, "client.tls_left"],
  [/^(PLAIN_HTTP|NOT_TLS)$/, "client.tls_not_tls"],
  [/^UNRECOGNIZED_NAME$/, "client.tls_unknown_name"],
  [/^CERTIFICATE_/, "client.tls_certificate"],
  // Alerts that the client sent: OpenSSL names them for the version in which they came.
  [/^ERR_SSL_(?:SSLV3|TLSV1|TLSV13|SSL\/TLS)_ALERT_/, "client.tls_alert"],
  [
    /^ERR_SSL_(?:UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|WRONG_VERSION_NUMBER|UNKNOWN_PROTOCOL|NO_SHARED_\w+|NO_SUITABLE_\w+|NO_APPLICATION_PROTOCOL|INAPPROPRIATE_FALLBACK|NO_CIPHERS_\w+|NO_PROTOCOLS_AVAILABLE|UNSAFE_LEGACY_RENEGOTIATION_DISABLED|WRONG_SIGNATURE_TYPE|TLSV1_\w+|UNSUPPORTED_\w+)$/,
    "client.tls_no_shared",
  ],
];

/** It was not done in time. */
export function slowHandshake({ handshakeMs }: ListenerSettings): HandshakeFailure {
  const evidence = `the TLS handshake was not done after ${handshakeMs} ms`;
  return { cause: "client.tls_slow", evidence, isAnswered: false };
}

export function handshakeFailure({ code, detail = "" }: SocketError): HandshakeFailure {
  const cause = BY_CODE.find(([pattern]) => pattern.test(code))?.[1] ?? "client.tls_not_tls";
  const words = WORDS[code] ?? opensslText(code);
  return {
    cause,
    evidence: detail === "" ? words : `${words}: ${detail}`,
    isAnswered: code === "PLAIN_HTTP" || code.startsWith("CERTIFICATE_"),
  };
}

const WORDS: Readonly<Record<string, string>> = {
  LEFT: "the client went away in the handshake",
  PLAIN_HTTP: "HTTP without TLS on a port for TLS",
  NOT_TLS: "what came first is no message of TLS",
  UNRECOGNIZED_NAME: "no certificate is for the name that was asked for, and the listener is strict about that",
  CERTIFICATE_MISSING: "the client showed no certificate, and has to",
  CERTIFICATE_REFUSED: "the client's certificate is not believed",
};

/** `ERR_SSL_NO_SHARED_CIPHER` → `no shared cipher (ERR_SSL_NO_SHARED_CIPHER)`. */
function opensslText(code: string): string {
  const words = code
    .replace(/^ERR_SSL_/, "")
    .replaceAll("_", " ")
    .toLowerCase();
  return `${words} (${code})`;
}

export function clientTlsOf({ version, cipher, serverName, alpn, resumed, client }: TlsView): ClientTls {
  return { version, cipher, serverName, alpn, resumed, clientSubject: client?.subject ?? "" };
}

/** Records of failed handshakes a second; more are counted only. */
const RECORDS_PER_SECOND = 20;

/** How many of them there may be: all of a listener's clients together, because whoever floods has many addresses. */
export class HandshakeRecords {
  #second = -1;
  #left = 0;

  take(now: number): boolean {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#left = RECORDS_PER_SECOND;
    }
    this.#left -= 1;
    return this.#left >= 0;
  }
}
