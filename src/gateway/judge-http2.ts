/**
 * Judge, for what only HTTP/2 can say: a stream refused before the origin looked at it, one that it broke off with a
 * reason, a connection that it leaves. `SocketError.syscall` is `h2` for these, and its code says which it was.
 */
import type { SocketError } from "../kernel/socket.ts";
import type { AttemptFacts, Judgement } from "./judge.ts";

export function judgeHttp2({ code, detail = "" }: SocketError, facts: AttemptFacts): Judgement {
  const more = detail === "" ? "" : `: ${detail}`;
  switch (code) {
    case "REFUSED_STREAM":
      return {
        cause: "origin.h2_refused",
        evidence: `RST_STREAM (REFUSED_STREAM): the origin has not looked at the request (RFC 9113 §8.7)`,
      };
    case "GOAWAY":
      return {
        cause: "origin.h2_refused",
        evidence: `GOAWAY${more}; the stream is above the last that the origin works on (RFC 9113 §6.8)`,
      };
    case "NOT_HTTP2":
    case "CLOSED":
    case "SETTINGS_TIMEOUT":
      return { cause: "origin.h2_handshake", evidence: `no HTTP/2 was agreed on${more}` };
    case "PING_TIMEOUT":
      return { cause: "net.half_open", evidence: `the HTTP/2 connection is dead${more}` };
    case "HEAD_TOO_LARGE":
      return { cause: "origin.header_too_big", evidence: `the response's head has${more.slice(1)}` };
    case "END_STREAM":
      return { cause: "origin.truncated", evidence: `the origin ended the stream (END_STREAM)${more}` };
    case "MALFORMED":
    case "PROTOCOL_ERROR":
      if (detail === "") break;
      return { cause: "origin.h2_protocol", evidence: `the origin breaks HTTP/2${more}` };
  }
  const seen = facts.headSeen ? `after ${facts.receivedBytes} response bytes` : "before a response";
  return {
    cause: "origin.h2_reset",
    evidence: `the origin broke the stream off with ${code} ${seen}${more}`,
  };
}
