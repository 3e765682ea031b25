/** Responses that are cut, malformed, too late or failures by themselves. Rows of the table of causes (causes.ts). */
import type { CauseRow } from "../causes.ts";

export const ORIGIN_RESPONSE_CAUSES = {
  "origin.truncated": {
    party: "origin",
    status: 502,
    proxyStatus: "http_response_incomplete",
    retryClass: "R2",
    title: "Response cut short",
    means:
      "The origin closed the connection, or ended the stream, before the response was complete by its own framing. The client's copy was cut visibly, too, unless another origin could go on with it.",
    evidence:
      "A clean FIN inside the head, before Content-Length was reached, or before the last chunk; over HTTP/2 also END_STREAM before Content-Length was reached, with the connection still there. An RST instead is net.mid_reset, an RST_STREAM origin.h2_reset.",
    lookFirst:
      "Look for a crash, a worker time limit or a proxy behind the origin at that moment; equal lengths point to a limit.",
    equivalents: {
      envoy: ["UC"],
      haproxy: ["SD"],
      nginx: ["upstream prematurely closed connection while reading upstream"],
      cloudflare: ["502", "520"],
      alb: ["504"],
      google: ["backend_connection_closed_after_partial_response_sent"],
    },
  },
  "origin.truncated_unframed": {
    party: "origin",
    status: 502,
    proxyStatus: "http_response_incomplete",
    retryClass: "R2",
    title: "Unframed response cut by an error",
    means:
      "The response had neither a length nor chunks, so only an orderly close could have ended it, and the connection failed instead. What came may be a part.",
    evidence:
      "A close-delimited response (RFC 9112 §6.3) whose connection ended by an error. An orderly FIN would have completed it (RFC 9112 §8).",
    lookFirst:
      "Make the origin send Content-Length or chunked: without either nobody can tell a short answer from a complete one.",
    equivalents: {
      envoy: ["UC"],
      haproxy: ["SD"],
      nginx: ["recv() failed (104: Connection reset by peer) while reading upstream"],
      google: ["backend_connection_closed_after_partial_response_sent"],
    },
  },
  "origin.malformed": {
    party: "origin",
    status: 502,
    proxyStatus: "http_protocol_error",
    retryClass: "R2",
    title: "Response is not HTTP/1.1",
    means: "The origin answered with something that is not a well-formed HTTP/1.1 response head.",
    evidence:
      "The parser stopped in the status line or in a field, with a reason id that stands in the record. Trouble with lengths and chunks is origin.framing.",
    lookFirst:
      "Read the reason id. Another protocol's first bytes mean a wrong port; TLS needs `https` in the origin's URL.",
    equivalents: {
      envoy: ["UPE"],
      haproxy: ["PH"],
      nginx: ["upstream sent invalid header", "upstream sent no valid HTTP/1.0 header"],
      cloudflare: ["520"],
      alb: ["502"],
      google: ["backend_response_corrupted"],
    },
  },
  "origin.framing": {
    party: "origin",
    status: 502,
    proxyStatus: "http_response_transfer_coding",
    retryClass: "R2",
    title: "Response framing is ambiguous",
    means:
      "The origin's response says in two ways, or in an impossible way, where it ends. It was refused, because another reader might see another end.",
    evidence:
      "Content-Length beside Transfer-Encoding, unequal or invalid lengths, a bad chunk, or bytes after the end of the message. The reason id says which. The connection is never used again.",
    lookFirst:
      "Treat it as a security matter: find out which component writes that head, and whether what clients send can shape it.",
    equivalents: {
      envoy: ["UPE"],
      haproxy: ["PD", "PH"],
      nginx: [
        "upstream sent invalid chunked response",
        'upstream sent more data than specified in "Content-Length"',
        "upstream sent data after final chunk",
        "upstream sent data after trailers",
        "upstream sent duplicate header line",
        "upstream sent invalid trailer",
      ],
      cloudflare: ["520"],
      alb: ["502"],
      google: ["backend_response_corrupted"],
    },
  },
  "origin.header_too_big": {
    party: "origin",
    status: 502,
    proxyStatus: "http_response_header_section_size",
    retryClass: "RX",
    title: "Response head too big",
    means: "The origin's response head has more bytes or fields than the service allows.",
    evidence:
      "A limit of the service's `heads` was reached while reading the response. It repeats for the same user or path while others are fine.",
    lookFirst:
      "Look for cookies or policy fields that have grown, and raise the limit of that service if the size is right.",
    equivalents: {
      envoy: ["UPE"],
      haproxy: ["PH"],
      nginx: ["upstream sent too big header", "upstream sent too big trailers"],
      cloudflare: ["520"],
      alb: ["502"],
      google: ["backend_response_headers_too_long"],
    },
  },
  "origin.ttfb_timeout": {
    party: "origin",
    status: 504,
    proxyStatus: "http_response_timeout",
    retryClass: "R1",
    title: "No response in time",
    means: "The origin took the whole request and sent no response byte before the limit for the first byte.",
    evidence:
      "Connected, request handed over, nothing received by the deadline, and the gateway's own loop was free. One slow route points to a query; all routes of one origin to a paused process.",
    lookFirst: "Split by route and by origin. If the route is slow by nature, raise `timeouts.firstByte` for it.",
    equivalents: {
      envoy: ["UT"],
      haproxy: ["sH"],
      nginx: ["upstream timed out (110: Connection timed out) while reading response header from upstream"],
      cloudflare: ["524"],
      alb: ["504"],
      google: ["backend_timeout"],
    },
  },
  "origin.deadline": {
    party: "origin",
    status: 504,
    proxyStatus: "http_response_timeout",
    retryClass: "RX",
    title: "No response before the deadline",
    means:
      "An origin had the request and had not begun to answer when the time was over that the client (`X-Request-Timeout`, `grpc-timeout`) or the route (`deadline`) allows.",
    evidence:
      "The record says whose time it was and how long the origin had of it. The limit of the route for the first byte had not run out; that is origin.ttfb_timeout. It does not count as a failure of the origin, because anybody may ask for an answer in a millisecond.",
    lookFirst:
      "Compare the time that was allowed with what the route usually takes. If it is shorter, the deadline is wrong; if the origin was slower than usual, look there.",
    equivalents: { envoy: ["UMSDR", "DT"], haproxy: ["sH"], google: ["backend_timeout"] },
  },
  "origin.poison": {
    party: "origin",
    status: 503,
    proxyStatus: "proxy_internal_response",
    retryClass: "RX",
    title: "Kept away: requests like it break origins",
    means:
      "Requests with the same method, route, path, query and beginning of a body broke the connection to two origins within a minute, and none of them succeeded; or they kept two origins so busy that nobody else was answered there. Until the time in Retry-After they are refused here, so that the next origin is not broken too.",
    evidence:
      "The record names the origins, and which of the two happened. Each break on its own was origin.reset_before_response. A crash counts only in part for each of the requests that it hit, and one success clears a request, so those that were merely there are not refused.",
    lookFirst:
      "Take the request from the record and run it against an origin that nobody uses: it crashes, closes the connection on purpose, or keeps the process busy. `poison: false` on the service switches this off.",
    equivalents: {},
  },
  "origin.stall_mid_body": {
    party: "origin",
    status: 504,
    proxyStatus: "connection_read_timeout",
    retryClass: "R2",
    title: "Response stopped half-way",
    means: "The origin began a response and then sent nothing more for longer than the limit between bytes.",
    evidence:
      "Response bytes came, then silence while the gateway was reading. Silence because the client does not take bytes is client.slow.",
    lookFirst:
      "For streams that pause on purpose, raise `timeouts.gap` on that route. If it always stops near one size, suspect the path's packet size.",
    equivalents: {
      envoy: ["UT", "SI"],
      haproxy: ["sD"],
      nginx: ["upstream timed out (110: Connection timed out) while reading upstream"],
      cloudflare: ["524"],
      alb: ["504"],
      google: ["backend_timeout"],
    },
  },
  "origin.write_stall": {
    party: "origin",
    status: 504,
    proxyStatus: "connection_write_timeout",
    retryClass: "R1",
    title: "Origin does not take the request",
    means: "The origin accepted the connection but stopped reading the request.",
    evidence:
      "Bytes of the request waited in the gateway and the origin's socket took none until the deadline, while the client had delivered. Silence after a complete request is origin.ttfb_timeout.",
    lookFirst: "Look for a paused or blocked process at the origin (garbage collection, a lock, a stopped container).",
    equivalents: {
      envoy: ["UT"],
      haproxy: ["sH"],
      nginx: ["upstream timed out (110: Connection timed out) while sending request to upstream"],
      cloudflare: ["524"],
      alb: ["504"],
      google: ["backend_timeout"],
    },
  },
  "origin.early_reply": {
    party: "origin",
    status: 0,
    proxyStatus: null,
    retryClass: "RX",
    title: "Answered before the upload ended",
    means:
      "The origin sent its final response while the request body was still coming. The response was delivered and the rest of the upload dropped.",
    evidence:
      "A complete response head before the last byte of the request body. A reset that follows belongs to it and is not a failure of its own.",
    lookFirst:
      "Read the origin's status: 401, 413 or 429 is a considered refusal. A client can send `Expect: 100-continue` to spare itself the upload.",
    equivalents: {
      google: ["backend_early_response_with_non_error_status", "aborted_request_due_to_backend_early_response"],
    },
  },
  "origin.app_5xx": {
    party: "origin",
    status: 0,
    proxyStatus: null,
    retryClass: "R2",
    title: "Origin's own error",
    means:
      "The origin's application answered with a complete 5xx response of its own. It was passed on untouched, unless another origin had a better answer.",
    evidence:
      "An origin status of 500 or above in a well-formed, complete response without marks of another gateway (those make it origin.nested_gw_5xx).",
    lookFirst: "The application's log, with the request id that was passed on to it. Then split by route and version.",
    equivalents: { haproxy: ["--"], cloudflare: ["502", "504"], google: ["response_sent_by_backend"] },
  },
  "origin.nested_gw_5xx": {
    party: "origin",
    status: 0,
    proxyStatus: null,
    retryClass: "R2",
    title: "Another gateway's error",
    means:
      "A gateway behind this one answered 502, 503 or 504 for an origin of its own. It was passed on, and the fault lies further back.",
    evidence:
      "That status together with the marks of an intermediary: Via, Proxy-Status, or a Server field that names one.",
    lookFirst: "The Proxy-Status or Via field of that response names the hop; read that hop's log.",
    equivalents: { haproxy: ["--"], cloudflare: ["502", "504"], google: ["response_sent_by_backend"] },
  },
  "origin.overload_reply": {
    party: "overload",
    status: 0,
    proxyStatus: null,
    retryClass: "RX",
    title: "Origin says it is overloaded",
    means: "The origin turned the request away on purpose and said when to come back. It was passed on.",
    evidence: "A 503 or 429 with Retry-After from the origin, usually fast. A 503 without it counts as origin.app_5xx.",
    lookFirst: "Add capacity or lower the rate. Do not repeat these requests: it makes the overload last.",
    equivalents: { haproxy: ["--"], google: ["response_sent_by_backend"] },
  },
  "origin.all_unhealthy": {
    party: "origin",
    status: 503,
    proxyStatus: "destination_unavailable",
    retryClass: "R0",
    title: "No origin left to try",
    means:
      "No origin of the route's pools could be picked: none has an address, or all that have one were tried for this request.",
    evidence:
      "The pick step came back empty. Failing checks alone never cause it, because then all origins are used again; each origin's own reason stands in the status view.",
    lookFirst:
      "`goodgate status` lists why each origin is out. If checks fail while traffic succeeds, the check is wrong.",
    equivalents: {
      envoy: ["UH"],
      haproxy: ["SC"],
      nginx: ["no live upstreams"],
      alb: ["503"],
      google: ["failed_to_pick_backend"],
    },
  },
  "origin.resume_mismatch": {
    party: "configuration",
    status: 0,
    proxyStatus: null,
    retryClass: "RX",
    title: "Origins differ about a body",
    means:
      "A response had broken in its body, and an origin that was asked for the rest has other bytes under that name, or none. Nothing of its answer was used.",
    evidence:
      "The answer to a Range with If-Range was not the missing part of the same representation: another ETag or Last-Modified, another length, another status. The break itself is the cause of the attempt before it, often net.mid_reset or origin.truncated.",
    lookFirst:
      "Ask both origins for that path and compare ETag. Tags made of an inode or a start time differ on each machine: make them of the content. Otherwise a deploy is half done.",
    equivalents: {},
  },
} as const satisfies Record<string, CauseRow>;
