/**
 * Judge: what happened to an attempt, from what was seen, as a cause with the evidence in words. Status codes
 * are never evidence of a failure's cause, and neither is the number of bytes handed to a socket; what counts is
 * whether the connection was made, whether it was used before, whether FIN or RST came, and after which bytes
 * (docs/reference/causes.md).
 */
import type { CauseId } from "../kernel/causes.ts";
import type { RefusalId } from "../http1/refusals.ts";
import { REFUSALS } from "../http1/refusals.ts";
import type { SocketError } from "../kernel/socket.ts";
import { judgeHttp2 } from "./judge-http2.ts";
import { judgeHandshake, judgeLateAlert } from "./judge-tls.ts";

/** How an attempt ended early. */
export type Ending =
  | { readonly kind: "error"; readonly error: SocketError }
  /** The origin's FIN before its response was complete. */
  | { readonly kind: "fin" }
  | { readonly kind: "timeout"; readonly what: "connect" | "handshake" | "pool" | "first byte" | "gap" | "write" }
  | { readonly kind: "refusal"; readonly id: RefusalId }
  /** A whole head of a response that is of no use here, for the reason given. */
  | { readonly kind: "unusable"; readonly judgement: Judgement }
  /** A 101 that nobody asked for, or for another protocol. */
  | { readonly kind: "upgrade"; readonly why: string };

export interface AttemptFacts {
  readonly connected: boolean;
  /** TCP was connected; with TLS that is not enough for a request. */
  readonly reached: boolean;
  readonly overTls: boolean;
  /** `TLSv1.3`; empty: none was agreed on. */
  readonly tls: string;
  readonly reused: boolean;
  readonly idleMs: number;
  /** Monotonic ms since the request head was handed to the socket. */
  readonly sinceSentMs: number;
  /** The whole request has been handed to the socket. */
  readonly requestSent: boolean;
  /** Response bytes of this attempt. */
  readonly receivedBytes: number;
  /** The final response head was complete. */
  readonly headSeen: boolean;
  readonly framing: "none" | "length" | "chunked" | "close";
  /** Overlap of this attempt with the last stall of our own event loop, ms. */
  readonly stallMs: number;
  /** The limit that a timeout used up, ms. */
  readonly limitMs: number;
  /** An earlier attempt of this exchange ended without a response byte on a new connection. */
  readonly brokeNewConnection: boolean;
  /** The newest answer of the origin's name no longer has the address that was dialled. */
  readonly leftAnswer: boolean;
  /** The origin is a Unix socket. */
  readonly unix: boolean;
}

export interface Judgement {
  readonly cause: CauseId;
  readonly evidence: string;
}

export function judgeAttempt(ending: Ending, facts: AttemptFacts): Judgement {
  switch (ending.kind) {
    case "error":
      if (ending.error.syscall === "h2") return judgeHttp2(ending.error, facts);
      if (facts.connected) return judgeLateAlert(ending.error, facts) ?? judgeBroken("RST", ending.error, facts);
      if (facts.reached && facts.overTls) return judgeLeft(judgeHandshake(ending.error, facts), facts);
      if (ending.error.syscall === "tls") return judgeHandshake(ending.error, facts);
      return judgeLeft(judgeDial(ending.error, facts), facts);
    case "fin":
      return judgeBroken("FIN", null, facts);
    case "timeout":
      return judgeLeft(judgeTimeout(ending.what, facts), facts);
    case "refusal":
      return judgeRefusal(ending.id, facts);
    case "unusable":
      return ending.judgement;
    case "upgrade":
      return { cause: "origin.upgrade_failed", evidence: ending.why };
  }
}

/** An address that its name has left and that cannot be reached is no news about the origin. */
function judgeLeft(judgement: Judgement, facts: AttemptFacts): Judgement {
  const unreachable = UNREACHABLE.has(judgement.cause);
  if (!facts.leftAnswer || !unreachable) return judgement;
  return {
    cause: "dns.stale_ip",
    evidence: `${judgement.evidence}; the newest answer of its name no longer has this address`,
  };
}

/** Also where somebody else answers: that is who has the address now. */
const UNREACHABLE: ReadonlySet<CauseId> = new Set([
  "origin.refused",
  "net.connect_timeout",
  "net.unroutable",
  "tls.cert_name",
  "tls.cert_trust",
]);

/** The connection was never made: provably nothing was sent. */
function judgeDial(error: SocketError, facts: AttemptFacts): Judgement {
  const said = `connecting failed with ${error.code} after ${ms(facts.sinceSentMs)}`;
  const unix = facts.unix ? UNIX_DIAL[error.code] : undefined;
  if (unix !== undefined) return { cause: unix[0], evidence: `${said}: ${unix[1]}` };
  switch (error.code) {
    case "EMFILE":
    case "ENFILE":
      return { cause: "gw.fd_exhausted", evidence: `${said}: this process has no descriptor left` };
    case "EADDRNOTAVAIL":
    case "EADDRINUSE":
      return { cause: "gw.ports_exhausted", evidence: `${said}: no local port is free towards this address` };
    case "ENOBUFS":
    case "ENOMEM":
      return { cause: "gw.mem_or_buffers", evidence: `${said}: the system has no memory for another socket` };
    case "ENETUNREACH":
    case "EHOSTUNREACH":
    case "ENETDOWN":
    case "EHOSTDOWN":
    case "EPERM":
    case "EACCES":
    case "EINVAL":
      return { cause: "net.unroutable", evidence: `${said}: this machine has no way to the address` };
    case "ETIMEDOUT":
      return { cause: "net.connect_timeout", evidence: `${said}: no answer to SYN` };
    default:
      return { cause: "origin.refused", evidence: `${said}: the address answers, the port does not` };
  }
}

/** A Unix socket has no network in between, so the same codes say other things. */
const UNIX_DIAL: Readonly<Record<string, readonly [CauseId, string]>> = {
  ENOENT: ["origin.socket_missing", "there is no file at the path"],
  ENOTDIR: ["origin.socket_missing", "a part of the path is no directory"],
  ENOTSOCK: ["origin.socket_missing", "what is at the path is no socket"],
  EACCES: ["origin.socket_denied", "this process may not open the socket"],
  EPERM: ["origin.socket_denied", "this process may not open the socket"],
  EAGAIN: ["origin.socket_full", "its queue of new connections has no room"],
  ECONNREFUSED: ["origin.refused", "the file is there, and nobody listens on it"],
};

function judgeBroken(how: "FIN" | "RST", error: SocketError | null, facts: AttemptFacts): Judgement {
  const sign = error === null ? how : `${error.code} on ${error.syscall || "the connection"}`;
  if (facts.headSeen) {
    const seen = `${sign} after ${facts.receivedBytes} response bytes`;
    if (facts.framing === "close") {
      return {
        cause: "origin.truncated_unframed",
        evidence: `${seen}; the body had no length, so only a clean end would have been its end`,
      };
    }
    if (error !== null && error.syscall === "read" && facts.framing !== "none") {
      return { cause: "net.mid_reset", evidence: `${seen}, in the middle of a ${facts.framing} body` };
    }
    return { cause: "origin.truncated", evidence: `${seen}, in the middle of a ${facts.framing} body` };
  }
  const after = `${sign} ${ms(facts.sinceSentMs)} after the request, ${facts.receivedBytes} response bytes`;
  if (facts.receivedBytes > 0) {
    const cause = error === null ? "origin.truncated" : "net.mid_reset";
    return { cause, evidence: `${after}: the response head was not complete` };
  }
  if (!facts.reused) return { cause: "origin.reset_before_response", evidence: `${after}, on a new connection` };
  const evidence = `${after}, on a connection that had been idle for ${ms(facts.idleMs)}`;
  // A request that broke a new connection before did not meet a stale one now: it is the request that does it.
  const stale = facts.idleMs >= STALE_FROM_MS && facts.sinceSentMs <= ROUND_TRIP_MS && !facts.brokeNewConnection;
  return { cause: stale ? "origin.keepalive_race" : "origin.reset_before_response", evidence };
}

/** A connection in steady use has not gone stale: the smallest idle timeouts in the field are seconds. */
const STALE_FROM_MS = 100;
/** A closed socket says so within a round trip; an origin that worked on the request first takes longer. */
const ROUND_TRIP_MS = 500;

function judgeTimeout(
  what: "connect" | "handshake" | "pool" | "first byte" | "gap" | "write",
  facts: AttemptFacts,
): Judgement {
  const limit = ms(facts.limitMs);
  if (facts.stallMs > 0 && facts.stallMs >= facts.limitMs / 2) {
    return {
      cause: "gw.loop_stall",
      evidence: `this process stood still for ${ms(facts.stallMs)} of the ${limit} that ran out (${what}): the origin is not to blame`,
    };
  }
  switch (what) {
    case "connect":
      return { cause: "net.connect_timeout", evidence: `no answer to SYN within ${limit}` };
    case "handshake":
      if (!facts.overTls) {
        return {
          cause: "origin.h2_handshake",
          evidence: `TCP was connected, and no HTTP/2 was agreed on within ${limit}`,
        };
      }
      return {
        cause: "tls.handshake_timeout",
        evidence: `TCP was connected, and the TLS handshake was not over within ${limit}`,
      };
    case "pool":
      return { cause: "gw.pool_wait", evidence: `every connection to the origin was in use for ${limit}` };
    case "write":
      return { cause: "origin.write_stall", evidence: `the origin took no bytes of the request for ${limit}` };
    case "gap":
      return {
        cause: "origin.stall_mid_body",
        evidence: `silence for ${limit} after ${facts.receivedBytes} response bytes`,
      };
    case "first byte":
      if (facts.receivedBytes > 0) {
        return {
          cause: "origin.stall_mid_body",
          evidence: `the response head was not complete within ${limit}; it stopped after ${facts.receivedBytes} bytes`,
        };
      }
      if (facts.reused && facts.idleMs > HALF_OPEN_FROM_MS) {
        return {
          cause: "net.half_open",
          evidence: `no byte within ${limit} on a connection that had been idle for ${ms(facts.idleMs)}`,
        };
      }
      return {
        cause: "origin.ttfb_timeout",
        evidence: facts.requestSent
          ? `the request was sent whole, no response byte within ${limit}`
          : `the head was sent, and neither 100 (Continue) nor a response came within ${limit}`,
      };
  }
}

/** Middleboxes forget idle connections after minutes; a shorter idle time speaks for a slow origin instead. */
const HALF_OPEN_FROM_MS = 30_000;

function judgeRefusal(id: RefusalId, facts: AttemptFacts): Judgement {
  const refusal = REFUSALS[id];
  if (id === "truncated-head" || id === "truncated-length" || id === "truncated-chunked")
    return judgeBroken("FIN", null, facts);
  const evidence = `the response breaks HTTP/1.1 (${id}): ${refusal.meaning}`;
  if (refusal.kind === "size") return { cause: "origin.header_too_big", evidence };
  if (refusal.kind === "framing") return { cause: "origin.framing", evidence };
  return { cause: "origin.malformed", evidence };
}

function ms(value: number): string {
  return value >= 10 ? `${Math.round(value)} ms` : `${value.toFixed(1)} ms`;
}
