/**
 * Every reason for which the codec refuses a message, in one table. A refusal is a value, never an
 * exception: it ends the connection's use for HTTP, goes into the record (`request.bare-lf`,
 * `response.bare-lf`) and into metrics, and `docs/reference` is made from it.
 *
 * Why so many ids: "400 Bad Request" tells a developer nothing, and an operator who sees one id rise knows
 * whether it is a scanner, a broken client library or an attack on message framing.
 *
 * `status` is what a client gets for a bad request. A bad response is always a 502 for the client; which
 * cause it is, the gateway decides from `kind`.
 */

/** `syntax`: not the grammar; `framing`: where the message ends is in doubt; `size`: beyond a limit; `version`; `unsupported`: understood, not served; `truncated`: the peer stopped in the middle. */
export type RefusalKind = "syntax" | "framing" | "size" | "version" | "unsupported" | "truncated";

export interface Refusal {
  readonly status: number;
  readonly kind: RefusalKind;
  /** For people: what was seen. */
  readonly meaning: string;
  /** Where the rule comes from. */
  readonly source: string;
}

export type RefusalId = keyof typeof TABLE;

const TABLE = {
  // Not HTTP at all.
  "tls-on-plain-port": {
    status: 400,
    kind: "syntax",
    meaning: "The client began a TLS handshake on a port that speaks plain HTTP.",
    source: "RFC 8446 §5.1",
  },
  "proxy-protocol": {
    status: 400,
    kind: "syntax",
    meaning: "The peer sent a PROXY protocol preamble, which this port does not expect.",
    source: "RFC 9112 §3",
  },
  "not-http": {
    status: 400,
    kind: "syntax",
    meaning: "The first byte cannot begin a request.",
    source: "RFC 9112 §3",
  },
  "http2-preface": {
    status: 505,
    kind: "version",
    meaning: "The client began HTTP/2 with prior knowledge on a port that speaks HTTP/1.1.",
    source: "RFC 9113 §3.4",
  },

  // The request line.
  "empty-lines": {
    status: 400,
    kind: "syntax",
    meaning: "Too many empty lines came before the request line.",
    source: "RFC 9112 §2.2",
  },
  "method-missing": {
    status: 400,
    kind: "syntax",
    meaning: "The request line begins with whitespace instead of a method.",
    source: "RFC 9112 §3",
  },
  "method-illegal-byte": {
    status: 400,
    kind: "syntax",
    meaning: "The method contains a byte that is not allowed in a token.",
    source: "RFC 9110 §9.1",
  },
  "target-missing": {
    status: 400,
    kind: "syntax",
    meaning: "The request target is empty.",
    source: "RFC 9112 §3.2",
  },
  "target-illegal-byte": {
    status: 400,
    kind: "syntax",
    meaning: "The request target contains a byte that a URI cannot contain.",
    source: "RFC 9112 §3.2",
  },
  "target-fragment": {
    status: 400,
    kind: "syntax",
    meaning: "The request target contains `#`; a fragment never travels in a request.",
    source: "RFC 9112 §3.2",
  },
  "target-form": {
    status: 400,
    kind: "syntax",
    meaning: "The request target has a form that its method does not allow, or none of the four forms.",
    source: "RFC 9112 §3.2",
  },
  "target-scheme": {
    status: 400,
    kind: "syntax",
    meaning: "The absolute request target has a scheme other than http or https.",
    source: "RFC 9112 §3.2.2",
  },
  "target-userinfo": {
    status: 400,
    kind: "syntax",
    meaning: "The request target carries user information before the host.",
    source: "RFC 9110 §4.2.4",
  },
  "target-authority": {
    status: 400,
    kind: "syntax",
    meaning: "The host or port in the request target is empty or malformed.",
    source: "RFC 9110 §4.2.1",
  },
  "request-line-too-long": {
    status: 414,
    kind: "size",
    meaning: "The request line is longer than the limit.",
    source: "RFC 9112 §3",
  },
  "version-missing": {
    status: 400,
    kind: "version",
    meaning: "The request line ends without a protocol version, as in HTTP/0.9.",
    source: "RFC 9112 §2.3",
  },
  "version-syntax": {
    status: 400,
    kind: "version",
    meaning: "What follows the request target is not a protocol version.",
    source: "RFC 9112 §2.3",
  },
  "version-unsupported": {
    status: 505,
    kind: "version",
    meaning: "The protocol version is neither HTTP/1.0 nor HTTP/1.1.",
    source: "RFC 9110 §15.6.6",
  },

  // Field lines, in requests, responses and trailers alike.
  "bare-lf": {
    status: 400,
    kind: "framing",
    meaning: "A line ends with LF alone.",
    source: "RFC 9112 §2.2",
  },
  "bare-cr": {
    status: 400,
    kind: "framing",
    meaning: "A CR is not followed by LF.",
    source: "RFC 9112 §2.2",
  },
  "obs-fold": {
    status: 400,
    kind: "framing",
    meaning: "A field value continues on the next line.",
    source: "RFC 9112 §5.2",
  },
  "whitespace-before-fields": {
    status: 400,
    kind: "framing",
    meaning: "Whitespace stands between the start line and the first field.",
    source: "RFC 9112 §2.2",
  },
  "space-before-colon": {
    status: 400,
    kind: "framing",
    meaning: "Whitespace stands between a field name and its colon.",
    source: "RFC 9112 §5.1",
  },
  "field-colon-missing": {
    status: 400,
    kind: "syntax",
    meaning: "A field line has no colon.",
    source: "RFC 9112 §5",
  },
  "field-name-empty": {
    status: 400,
    kind: "syntax",
    meaning: "A field line begins with its colon.",
    source: "RFC 9110 §5.1",
  },
  "field-name-illegal-byte": {
    status: 400,
    kind: "syntax",
    meaning: "A field name contains a byte that is not allowed in a token.",
    source: "RFC 9110 §5.1",
  },
  "field-value-nul": {
    status: 400,
    kind: "syntax",
    meaning: "A field value contains a NUL byte.",
    source: "RFC 9110 §5.5",
  },
  "field-value-control": {
    status: 400,
    kind: "syntax",
    meaning: "A field value contains a control byte.",
    source: "RFC 9110 §5.5",
  },
  "head-too-large": {
    status: 431,
    kind: "size",
    meaning: "Start line and fields together are larger than the limit.",
    source: "RFC 6585 §5",
  },
  "too-many-fields": {
    status: 431,
    kind: "size",
    meaning: "The head has more fields than the limit.",
    source: "RFC 6585 §5",
  },

  // What the fields of a request say.
  "host-missing": {
    status: 400,
    kind: "syntax",
    meaning: "An HTTP/1.1 request has no Host field.",
    source: "RFC 9112 §3.2",
  },
  "host-repeated": {
    status: 400,
    kind: "syntax",
    meaning: "A request has more than one Host field.",
    source: "RFC 9112 §3.2",
  },
  "host-illegal": {
    status: 400,
    kind: "syntax",
    meaning: "The Host field is not a host with an optional port.",
    source: "RFC 9112 §3.2",
  },
  "connection-options": {
    status: 431,
    kind: "size",
    meaning: "The Connection field names more options than any peer has a use for.",
    source: "RFC 9110 §7.6.1",
  },
  "expectation-unknown": {
    status: 417,
    kind: "unsupported",
    meaning: "The Expect field asks for something other than 100-continue.",
    source: "RFC 9110 §10.1.1",
  },
  "content-not-allowed": {
    status: 400,
    kind: "framing",
    meaning: "A CONNECT or TRACE request declares content.",
    source: "RFC 9110 §9.3.6, §9.3.8",
  },

  // Where the content ends.
  "two-framings": {
    status: 400,
    kind: "framing",
    meaning: "The message has both Content-Length and Transfer-Encoding.",
    source: "RFC 9112 §6.3",
  },
  "content-length-repeated": {
    status: 400,
    kind: "framing",
    meaning: "The message has more than one Content-Length field.",
    source: "RFC 9110 §8.6",
  },
  "content-length-syntax": {
    status: 400,
    kind: "framing",
    meaning: "The Content-Length is not one plain decimal number.",
    source: "RFC 9112 §6.3",
  },
  "content-length-overflow": {
    status: 400,
    kind: "framing",
    meaning: "The Content-Length is larger than 2^53 - 1.",
    source: "RFC 9110 §8.6",
  },
  "transfer-encoding-http10": {
    status: 400,
    kind: "framing",
    meaning: "An HTTP/1.0 message has a Transfer-Encoding.",
    source: "RFC 9112 §6.1",
  },
  "transfer-encoding-empty-element": {
    status: 400,
    kind: "framing",
    meaning: "The Transfer-Encoding is empty or has an empty list element.",
    source: "RFC 9112 §6.1",
  },
  "transfer-encoding-syntax": {
    status: 400,
    kind: "framing",
    meaning: "The Transfer-Encoding is not a list of codings.",
    source: "RFC 9112 §7",
  },
  "transfer-encoding-chunked-not-last": {
    status: 400,
    kind: "framing",
    meaning: "The last transfer coding is not chunked.",
    source: "RFC 9112 §6.3",
  },
  "transfer-encoding-chunked-twice": {
    status: 400,
    kind: "framing",
    meaning: "The chunked coding is named more than once.",
    source: "RFC 9112 §6.1",
  },
  "transfer-encoding-chunked-parameter": {
    status: 400,
    kind: "framing",
    meaning: "The chunked coding has a parameter.",
    source: "RFC 9112 §7.1",
  },
  "transfer-coding-unsupported": {
    status: 501,
    kind: "unsupported",
    meaning: "A transfer coding other than chunked is applied.",
    source: "RFC 9112 §6.1",
  },
  "chunk-size-syntax": {
    status: 400,
    kind: "framing",
    meaning: "A chunk does not begin with a hexadecimal size.",
    source: "RFC 9112 §7.1",
  },
  "chunk-size-overflow": {
    status: 400,
    kind: "framing",
    meaning: "A chunk size is larger than 2^53 - 1.",
    source: "RFC 9112 §7.1",
  },
  "chunk-size-padding": {
    status: 400,
    kind: "size",
    meaning: "A chunk size has more digits than any number needs.",
    source: "RFC 9112 §7.1",
  },
  "chunk-line-end": {
    status: 400,
    kind: "framing",
    meaning: "The line with a chunk size does not end with CRLF.",
    source: "RFC 9112 §7.1",
  },
  "chunk-extension-syntax": {
    status: 400,
    kind: "framing",
    meaning: "A chunk extension is malformed.",
    source: "RFC 9112 §7.1.1",
  },
  "chunk-extension-too-large": {
    status: 400,
    kind: "size",
    meaning: "The extensions of a chunk, or of all chunks together, are larger than the limit.",
    source: "RFC 9112 §7.1.1",
  },
  "chunk-data-end": {
    status: 400,
    kind: "framing",
    meaning: "The data of a chunk are not followed by CRLF.",
    source: "RFC 9112 §7.1",
  },
  "trailer-too-large": {
    status: 431,
    kind: "size",
    meaning: "The trailer section is larger than the limit.",
    source: "RFC 9112 §7.1.2",
  },
  "too-many-trailers": {
    status: 431,
    kind: "size",
    meaning: "The trailer section has more fields than the limit.",
    source: "RFC 9112 §7.1.2",
  },

  // Requests of HTTP/2, before they are HTTP/1.1 (src/http2/). All others hold for them too.
  "h2-broken": {
    status: 400,
    kind: "framing",
    meaning: "The connection broke a rule of HTTP/2, which ends all of it; the evidence says which rule.",
    source: "RFC 9113 §5.4.1",
  },
  "h2-pseudo-unknown": {
    status: 400,
    kind: "syntax",
    meaning: "A pseudo-field is none that a request may have, or not one of this kind of request.",
    source: "RFC 9113 §8.3",
  },
  "h2-pseudo-repeated": {
    status: 400,
    kind: "syntax",
    meaning: "A pseudo-field came twice.",
    source: "RFC 9113 §8.3",
  },
  "h2-pseudo-late": {
    status: 400,
    kind: "syntax",
    meaning: "A pseudo-field came behind a regular field.",
    source: "RFC 9113 §8.3",
  },
  "h2-pseudo-missing": {
    status: 400,
    kind: "syntax",
    meaning: "The request lacks one of the pseudo-fields that its method needs.",
    source: "RFC 9113 §8.3.1",
  },
  "h2-pseudo-in-trailers": {
    status: 400,
    kind: "syntax",
    meaning: "A pseudo-field stands among the trailer fields.",
    source: "RFC 9113 §8.1",
  },
  "h2-method": {
    status: 400,
    kind: "syntax",
    meaning: "The method is not a token.",
    source: "RFC 9110 §9.1",
  },
  "h2-scheme": {
    status: 400,
    kind: "syntax",
    meaning: "The scheme is neither http nor https.",
    source: "RFC 9113 §8.3.1",
  },
  "h2-path": {
    status: 400,
    kind: "syntax",
    meaning: "The path does not begin with `/`, or contains what ends a word of a request line.",
    source: "RFC 9113 §8.3.1",
  },
  "h2-authority": {
    status: 400,
    kind: "syntax",
    meaning: "The authority is empty or contains what no host and port contain.",
    source: "RFC 9113 §8.3.1",
  },
  "h2-host-differs": {
    status: 400,
    kind: "syntax",
    meaning: "Host and `:authority` name different hosts.",
    source: "RFC 9113 §8.3.1",
  },
  "h2-connect": {
    status: 400,
    kind: "syntax",
    meaning: "A CONNECT request has a scheme or a path.",
    source: "RFC 9113 §8.5",
  },
  "h2-protocol": {
    status: 501,
    kind: "unsupported",
    meaning: "An extended CONNECT asks for a protocol other than websocket.",
    source: "RFC 8441 §4",
  },
  "h2-field-name": {
    status: 400,
    kind: "syntax",
    meaning: "A field name is empty or contains a byte that is not allowed in a token.",
    source: "RFC 9113 §8.2.1",
  },
  "h2-field-name-upper-case": {
    status: 400,
    kind: "syntax",
    meaning: "A field name has a capital letter.",
    source: "RFC 9113 §8.2.1",
  },
  "h2-field-value-line-end": {
    status: 400,
    kind: "framing",
    meaning: "A field value contains CR or LF, which would begin another field in HTTP/1.1.",
    source: "RFC 9113 §8.2.1",
  },
  "h2-field-value-whitespace": {
    status: 400,
    kind: "syntax",
    meaning: "A field value begins or ends with whitespace.",
    source: "RFC 9113 §8.2.1",
  },
  "h2-connection-field": {
    status: 400,
    kind: "framing",
    meaning:
      "A field of HTTP/1.1 connections came in HTTP/2: Connection, Transfer-Encoding, Upgrade or one of their kind.",
    source: "RFC 9113 §8.2.2",
  },
  "h2-te": {
    status: 400,
    kind: "framing",
    meaning: "The TE field says anything but `trailers`.",
    source: "RFC 9113 §8.2.2",
  },
  "h2-length-differs": {
    status: 400,
    kind: "framing",
    meaning: "The content is longer or shorter than its Content-Length.",
    source: "RFC 9113 §8.1.1",
  },

  // Responses. The status is what the gateway answers for the origin.
  "response-unexpected": {
    status: 502,
    kind: "framing",
    meaning: "The origin sent bytes when no response was due.",
    source: "RFC 9112 §9.2",
  },
  "tls-from-origin": {
    status: 502,
    kind: "syntax",
    meaning: "The origin answered with a TLS record: it speaks TLS on this port.",
    source: "RFC 8446 §5.1",
  },
  "response-not-http": {
    status: 502,
    kind: "syntax",
    meaning: "What the origin sent does not begin with `HTTP/`.",
    source: "RFC 9112 §4",
  },
  "status-line-syntax": {
    status: 502,
    kind: "syntax",
    meaning: "The status line has another shape than version, status code and reason.",
    source: "RFC 9112 §4",
  },
  "status-line-too-long": {
    status: 502,
    kind: "size",
    meaning: "The status line is longer than the limit.",
    source: "RFC 9112 §4",
  },
  "status-code-syntax": {
    status: 502,
    kind: "syntax",
    meaning: "The status code is not three digits.",
    source: "RFC 9112 §4",
  },
  "status-code-range": {
    status: 502,
    kind: "syntax",
    meaning: "The status code is not between 100 and 599.",
    source: "RFC 9110 §15",
  },
  "reason-illegal-byte": {
    status: 502,
    kind: "syntax",
    meaning: "The reason phrase contains a control byte.",
    source: "RFC 9112 §4",
  },
  "too-many-interim": {
    status: 502,
    kind: "size",
    meaning: "The origin sent interim responses without end.",
    source: "RFC 9110 §15.2",
  },

  "reset-content-with-content": {
    status: 502,
    kind: "framing",
    meaning: "A 205 came with content. Some clients read none after a 205, and would take it for the next response.",
    source: "RFC 9110 §15.3.6",
  },

  // The peer stopped in the middle.
  "truncated-head": {
    status: 400,
    kind: "truncated",
    meaning: "The connection ended before a head was complete.",
    source: "RFC 9112 §8",
  },
  "truncated-length": {
    status: 400,
    kind: "truncated",
    meaning: "The connection ended before Content-Length bytes had come.",
    source: "RFC 9112 §8",
  },
  "truncated-chunked": {
    status: 400,
    kind: "truncated",
    meaning: "The connection ended before the last chunk.",
    source: "RFC 9112 §8",
  },
} as const satisfies Record<string, Refusal>;

export const REFUSALS: Readonly<Record<RefusalId, Refusal>> = TABLE;
