/** What only HTTP/2, gRPC or a switch of protocols can show. Rows of the table of causes (causes.ts). */
import type { CauseRow } from "../causes.ts";

export const ORIGIN_PROTOCOL_CAUSES = {
  "origin.h2_refused": {
    party: "origin",
    status: 503,
    proxyStatus: "destination_unavailable",
    retryClass: "R0",
    title: "HTTP/2 stream refused unseen",
    means:
      "The origin turned the request away before it looked at it: by REFUSED_STREAM, or because it is leaving the connection (GOAWAY).",
    evidence:
      "RST_STREAM with REFUSED_STREAM, or a GOAWAY whose last stream is below this one (RFC 9113 §6.8, §8.7): the one case in which an origin says that nothing was done. A stream that is broken off for any other reason is origin.h2_reset. It does not count against the origin, because each deploy and each aged connection shows it.",
    lookFirst:
      "Nothing, if requests were repeated: origins leave connections when they stop, and after a number of requests. REFUSED_STREAM that lasts means more streams at once than the origin wants.",
    equivalents: { envoy: ["UR"] },
  },
  "origin.h2_handshake": {
    party: "configuration",
    status: 502,
    proxyStatus: "http_protocol_error",
    retryClass: "R0",
    title: "Origin does not speak HTTP/2",
    means:
      "The connection was made, and what came was not the beginning of HTTP/2, or nothing came. No request had been sent.",
    evidence:
      "No SETTINGS within three seconds, a close instead, or bytes that are no frame; an answer in HTTP/1.1 is told apart. A port that refuses connections is origin.refused.",
    lookFirst:
      "Compare the service's `http2` with what the port speaks: `curl --http2-prior-knowledge` shows it. For HTTP/1.1 leave `http2` out.",
    equivalents: { envoy: ["UF"] },
  },
  "origin.h2_reset": {
    party: "origin",
    status: 502,
    proxyStatus: "connection_terminated",
    retryClass: "R1",
    title: "Origin broke the stream off",
    means: "The origin ended one exchange with RST_STREAM before its response was complete. The connection goes on.",
    evidence:
      "RST_STREAM and its code: INTERNAL_ERROR is a crash of a handler, ENHANCE_YOUR_CALM a limit, CANCEL and NO_ERROR a server that gave up. The loss of a whole connection is net.mid_reset or origin.reset_before_response, and REFUSED_STREAM is origin.h2_refused.",
    lookFirst: "The origin's log at that moment, with the request id; the code says what kind of trouble it was in.",
    equivalents: { envoy: ["UR"] },
  },
  "origin.h2_protocol": {
    party: "origin",
    status: 502,
    proxyStatus: "http_protocol_error",
    retryClass: "R1",
    title: "Origin breaks HTTP/2",
    means:
      "The origin sent frames or fields that HTTP/2 does not allow. The stream was refused, or the whole connection where the breach concerns all of it.",
    evidence:
      "The evidence names the frame or the field, and the rule that it breaks. What is wrong in a response of HTTP/1.1 is origin.malformed or origin.framing.",
    lookFirst: "Report it to whoever makes that server, with the evidence; leave `http2` out until it is mended.",
    equivalents: { envoy: ["UPE"] },
  },
  "origin.grpc_error": {
    party: "origin",
    status: 0,
    proxyStatus: null,
    retryClass: "R2",
    title: "Origin's own gRPC error",
    means:
      "The origin ended a gRPC call with a status that says that it failed, or with none. It was passed on untouched, unless another origin had a better answer.",
    evidence:
      "`grpc-status` UNKNOWN, INTERNAL, UNAVAILABLE or DATA_LOSS, DEADLINE_EXCEEDED without a deadline, or an end without any. HTTP's status is 200 all the while. Others, UNIMPLEMENTED among them, are answers.",
    lookFirst: "The application's log, with the request id that was passed on to it; `grpc-message` often says why.",
    equivalents: { envoy: ["UR"] },
  },
  "origin.upgrade_failed": {
    party: "origin",
    status: 502,
    proxyStatus: "http_upgrade_failed",
    retryClass: "RX",
    title: "Protocol switch failed",
    means: "The origin agreed to switch protocols in a way that nobody asked for, so no tunnel could be built.",
    evidence:
      "A 101 to a request without Upgrade, or one that names another protocol (RFC 9110 §7.8). An origin that merely declines answers with another status, which is passed on.",
    lookFirst:
      "Compare the Upgrade fields of request and response; a proxy behind the origin may be adding or removing them.",
    equivalents: { envoy: ["UPE"], haproxy: ["PH"], cloudflare: ["520"], google: ["websocket_handshake_failed"] },
  },
} as const satisfies Record<string, CauseRow>;
