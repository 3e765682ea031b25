/**
 * Codes of Node and what is under it: libuv, c-ares, OpenSSL's certificate checks, the parser llhttp, and undici. They
 * are in the logs of applications, and one of them has many causes: ECONNRESET was produced by more than a dozen.
 */
import type { CauseId } from "../../kernel/causes.ts";
import type { SystemCodeRow } from "./row.ts";

const CLOSED: readonly CauseId[] = [
  "origin.keepalive_race",
  "origin.reset_before_response",
  "origin.truncated",
  "origin.truncated_unframed",
  "net.mid_reset",
];
const NOT_RESOLVED = "the name could not be looked up";
const CERTIFICATE = "a certificate was not accepted";
const MALFORMED = "the parser stopped: what came is malformed";
const NOT_HTTP: readonly CauseId[] = ["origin.malformed", "client.bad_request"];
const FRAMING: readonly CauseId[] = ["origin.framing", "client.bad_request"];

export const NODE: readonly SystemCodeRow[] = [
  [
    "ECONNREFUSED",
    "nobody listens at that port; of a resolver: the resolver's port is closed",
    ["origin.refused", "dns.timeout"],
  ],
  [
    "ECONNRESET",
    "the connection was closed or reset, at whatever point; with `socket hang up` it was closed, with `read` reset",
    CLOSED,
  ],
  ["EPIPE", "written to a connection that the other side had closed", CLOSED],
  ["ECONNABORTED", "the connection was given up on this side", []],
  ["ENOTCONN", "the socket is not connected", []],
  ["EOF", "the other side has sent all", []],
  ["ECANCELED", "the operation was taken back", []],
  ["EPROTO", "TLS failed; the text beside it says how (`wrong version number`: the other side speaks no TLS)", []],
  ["ETIMEDOUT", "no answer to connecting, or an open connection went silent", ["net.connect_timeout", "net.half_open"]],
  ["EHOSTUNREACH", "nobody answers for the address", ["net.unroutable"]],
  ["EHOSTDOWN", "the machine at the address is down", ["net.unroutable"]],
  ["ENETUNREACH", "no route to the address", ["net.unroutable"]],
  ["ENETDOWN", "this machine's network is down", ["net.unroutable"]],
  ["ENONET", "this machine is on no network", ["net.unroutable"]],
  ["EPERM", "a rule of this machine forbids it, often its firewall", ["net.unroutable"]],
  ["EMSGSIZE", "larger than a packet may be", []],
  [
    "EMFILE",
    "this process has no descriptor left; looking up a name by getaddrinfo then fails with ENOTFOUND",
    ["gw.fd_exhausted"],
  ],
  ["ENFILE", "this machine has no descriptor left", ["gw.fd_exhausted"]],
  ["ENOBUFS", "the machine has no buffers for it", ["gw.mem_or_buffers"]],
  ["ENOMEM", "the machine has no memory for it", ["gw.mem_or_buffers"]],
  [
    "EADDRNOTAVAIL",
    "no local port is left towards that address, or the local address is not this machine's",
    ["gw.ports_exhausted"],
  ],
  ["EADDRINUSE", "the address and port are in use", ["gw.ports_exhausted"]],
  ["EAFNOSUPPORT", "this machine does not speak that family of addresses", ["net.unroutable"]],
  [
    "ENOTFOUND",
    "the name does not exist; or, by getaddrinfo, no descriptor was left",
    ["dns.nxdomain", "gw.fd_exhausted"],
  ],
  ["ENODATA", "the name exists and has no address", ["dns.empty_or_prohibited"]],
  ["ESERVFAIL", "the resolver failed", ["dns.servfail"]],
  ["EREFUSED", "the resolver refuses to answer", ["dns.servfail"]],
  ["EFORMERR", "the resolver did not understand the question", ["dns.servfail"]],
  ["ENOTIMP", "the resolver does not do such questions", ["dns.servfail"]],
  ["EBADRESP", "the resolver's answer could not be read", ["dns.servfail"]],
  ["ETIMEOUT", "the resolver did not answer", ["dns.timeout"]],
  ["ECANCELLED", "the question was taken back", []],
  ["EAI_AGAIN", "no resolver could be reached", ["dns.timeout"]],
  ["EAI_FAIL", "the resolver failed for good", ["dns.servfail"]],
  ["EAI_NONAME", "the name does not exist (Node says ENOTFOUND)", ["dns.nxdomain"]],
  ["EAI_NODATA", "the name has no address (Node says ENOTFOUND)", ["dns.empty_or_prohibited"]],
  ["EAI_MEMORY", "no memory to look up the name", ["gw.mem_or_buffers"]],
  ...rows(
    NOT_RESOLVED,
    [],
    [
      "EAI_ADDRFAMILY",
      "EAI_BADFLAGS",
      "EAI_BADHINTS",
      "EAI_CANCELED",
      "EAI_FAMILY",
      "EAI_OVERFLOW",
      "EAI_PROTOCOL",
      "EAI_SERVICE",
      "EAI_SOCKTYPE",
    ],
  ),
  ["CERT_HAS_EXPIRED", "the certificate's time is over, or this machine's clock is wrong", []],
  ["CERT_NOT_YET_VALID", "the certificate's time has not begun, or this machine's clock is wrong", []],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "the certificate is for another name", []],
  [
    "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
    "the other side wants a client certificate; nothing of the request was read",
    [],
  ],
  ["ERR_TLS_HANDSHAKE_TIMEOUT", "the TLS handshake took too long", []],
  ...rows(
    CERTIFICATE,
    [],
    [
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      "SELF_SIGNED_CERT_IN_CHAIN",
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
      "UNABLE_TO_GET_ISSUER_CERT",
      "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
      "CERT_REVOKED",
      "CERT_CHAIN_TOO_LONG",
      "CERT_UNTRUSTED",
      "CERT_REJECTED",
      "CRL_HAS_EXPIRED",
      "INVALID_CA",
      "INVALID_PURPOSE",
      "HOSTNAME_MISMATCH",
    ],
  ),
  [
    "HPE_INVALID_CONSTANT",
    "not HTTP at all, or bytes follow a response that was complete",
    ["origin.malformed", "origin.framing"],
  ],
  ["HPE_CLOSED_CONNECTION", "bytes follow a message that said it was the last", ["origin.framing"]],
  ["HPE_HEADER_OVERFLOW", "the fields are larger than 16 KB", ["origin.header_too_big", "client.bad_request"]],
  [
    "HPE_INVALID_EOF_STATE",
    "the connection ended in the middle of a message",
    ["origin.truncated", "client.bad_request"],
  ],
  ...rows("lengths or chunks contradict each other or cannot be read", FRAMING, [
    "HPE_INVALID_TRANSFER_ENCODING",
    "HPE_UNEXPECTED_CONTENT_LENGTH",
    "HPE_INVALID_CONTENT_LENGTH",
    "HPE_INVALID_CHUNK_SIZE",
    "HPE_CHUNK_EXTENSIONS_OVERFLOW",
  ]),
  ...rows(MALFORMED, NOT_HTTP, [
    "HPE_STRICT",
    "HPE_CR_EXPECTED",
    "HPE_LF_EXPECTED",
    "HPE_UNEXPECTED_SPACE",
    "HPE_INVALID_METHOD",
    "HPE_INVALID_URL",
    "HPE_INVALID_VERSION",
    "HPE_INVALID_HEADER_TOKEN",
    "HPE_INVALID_STATUS",
  ]),
  ...rows("the parser was stopped by the program that uses it", [], ["HPE_INTERNAL", "HPE_PAUSED", "HPE_USER"]),
  ["UND_ERR_CONNECT_TIMEOUT", "undici: connecting took longer than 10 s", ["net.connect_timeout"]],
  ["UND_ERR_HEADERS_TIMEOUT", "undici: no response head within 300 s", ["origin.ttfb_timeout"]],
  ["UND_ERR_BODY_TIMEOUT", "undici: the body stood still for 300 s", ["origin.stall_mid_body"]],
  ["UND_ERR_HEADERS_OVERFLOW", "undici: the response's fields are larger than 16 KiB", ["origin.header_too_big"]],
  ["UND_ERR_SOCKET", "undici: the connection ended (`other side closed`)", CLOSED],
  [
    "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
    "undici: less or more body came than was declared",
    ["origin.truncated", "origin.framing"],
  ],
  [
    "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH",
    "undici: the request's body has another length than declared",
    ["client.bad_request"],
  ],
  ...rows(
    "undici: ended by the program that uses it or by its settings",
    [],
    [
      "UND_ERR_ABORTED",
      "UND_ERR_DESTROYED",
      "UND_ERR_CLOSED",
      "UND_ERR_RESPONSE",
      "UND_ERR_REQ_RETRY",
      "UND_ERR_RES_EXCEEDED_MAX_SIZE",
      "UND_ERR_NOT_SUPPORTED",
      "UND_ERR_PRX_TLS",
      "UND_ERR_SOCKS5",
      "UND_ERR_INFO",
    ],
  ),
];

function rows(means: string, here: readonly CauseId[], codes: readonly string[]): SystemCodeRow[] {
  return codes.map((code) => [code, means, here] as const);
}
