/**
 * The record of an exchange: one flat, plain object for each client request, also for one that was
 * refused, reset or cut. Logs, metrics, the API, `explain` and the dashboard are views of it.
 *
 * Times are µs on the monotonic clock since `startedAt`; -1 means that the step was not reached.
 */
import type { CauseId, Party } from "../kernel/causes.ts";
import type { TlsView } from "../kernel/socket.ts";

/** Where the exchange was when something happened to it: the twelve steps of `gateway/pipeline.ts`. */
export type Step =
  | "receive"
  | "identify"
  | "route"
  | "admit"
  | "look up"
  | "pick"
  | "attempt"
  | "judge"
  | "relay"
  | "rescue"
  | "reply"
  | "record";

/** How it ended for the client. */
export type Outcome =
  /** A complete response below 500 came from an origin at the first attempt, or from the cache. */
  | "served"
  /** A complete response came from an origin after at least one failed attempt, or a stored one in place of what failed. */
  | "rescued"
  /** The gateway had to answer itself, or the response was cut, or the origin's answer was a 5xx of its own making. */
  | "failed"
  /** The gateway refused the request for a reason that lies with the client or the configuration. */
  | "refused"
  /** The client left first. */
  | "aborted";

/** What the cache had to do with it. */
export type CacheWord =
  /** Nothing. */
  | ""
  /** A stored response answered, and was fresh. */
  | "hit"
  /** A stored response answered though it was stale: a new one was being fetched, or the client wanted it. */
  | "stale"
  /** A stored response answered after an origin had said that it still holds. */
  | "revalidated"
  /** The response to another request for the same, which was on its way. */
  | "collapsed"
  /** No stored response could answer: an origin did. */
  | "miss"
  /** It was none of the cache's business: its method, its conditions. */
  | "pass"
  /** A stored response answered because no origin could. */
  | "last-good"
  /** No client asked: a stored response that was given away stale was fetched anew. */
  | "refresh";

/** What was agreed on with an origin. */
export type AttemptTls = Pick<TlsView, "version" | "cipher" | "serverName" | "alpn" | "resumed">;

export interface AttemptRecord {
  /** 1 for the first. */
  number: number;
  pool: string;
  /** The origin as configured, e.g. `http://127.0.0.1:3000`. */
  origin: string;
  /** The address dialled, e.g. `127.0.0.1:3000`. */
  address: string;
  /** Over which the origin was asked: `HTTP/1.1`, `HTTP/2`; empty: it was not reached. */
  protocol: string;
  /** True when an idle connection was used again. */
  reused: boolean;
  /** How many exchanges the connection carried before this one. */
  connectionUses: number;
  /** ms since the connection was made; 0 on a new one. */
  connectionAgeMs: number;
  /** ms the connection lay idle before this attempt; 0 on a new one. */
  connectionIdleMs: number;
  startedUs: number;
  /** When TCP connected (equals startedUs on a reused connection); -1: never, so nothing was sent. */
  connectedUs: number;
  /** When TLS was agreed on and the origin's certificate was found good; -1: never, or the origin is reached without. */
  securedUs: number;
  /** When the head had been handed to the socket. */
  sentUs: number;
  /** When the first byte of the response came. */
  firstByteUs: number;
  /** When the response head was complete. */
  headUs: number;
  endedUs: number;
  /** What was agreed on, on this connection; null: nothing. */
  tls: AttemptTls | null;
  /** Bytes handed to the socket: an upper bound of what left, never evidence that it left. */
  sentBytes: number;
  /** Bytes that came from the origin for this attempt, head included. */
  receivedBytes: number;
  /** The origin's status, or 0 when no head came. */
  status: number;
  /** Null when the attempt did not fail. */
  cause: CauseId | null;
  /** What was seen, for people: "FIN after 0 bytes on a connection idle for 5012 ms". Empty when nothing failed. */
  evidence: string;
  /** What was seen, for the verdict. Null when nothing failed. */
  signs: FailureSigns | null;
}

/** What tells causes apart that look alike, as it was when an attempt failed or was answered with a 5xx. */
export interface FailureSigns {
  /** How it ended. `answer`: with the whole head of a 5xx. `unusable`: with the head of a part that is no use here. */
  end: "FIN" | "error" | "timeout" | "refusal" | "upgrade" | "unusable" | "answer";
  /** The error's code, the limit that ran out (`first byte`), or the refusal's id; empty for the rest. */
  detail: string;
  /** The limit that ran out, ms; 0: none did. */
  limitMs: number;
  /** Of the response, once its head was complete. */
  framing: "none" | "length" | "chunked" | "close";
  /** The whole request had been handed to the socket. */
  requestSent: boolean;
  /** How long this process stood still within the attempt, ms. */
  stallMs: number;
  /** The idle time after which this address closes connections, as far as was learned, ms; -1: nothing was learned. */
  keepAliveMs: number;
  /** ms since this address last answered anybody well, and since a connection to it was last made; -1: never. */
  answeredAgoMs: number;
  connectedAgoMs: number;
  /** Attempts under way at this address, this one included. */
  inFlight: number;
  /** The newest answer of the origin's name no longer has this address. */
  leftAnswer: boolean;
  /** What the head of a 5xx shows of gateways behind this one. */
  marks: GatewayMark[];
  /** Of the request: what size and kind of answer was asked for. Null: its head was not kept. */
  asked: RequestShape | null;
  own: OwnState;
}

/** Enough to ask for the same once more without anything that says who asked. */
export interface RequestShape {
  /** Of the head as the client sent it. */
  headBytes: number;
  /** As they came; empty: there was none, or it is longer than any that is honest. */
  accept: string;
  acceptEncoding: string;
  range: string;
}

export interface GatewayMark {
  /** As it came: `Server: nginx`. */
  text: string;
  /**
   * What it says of the gateway that left it. `made`: the answer is its own. `passed`: it passed on somebody else's.
   * `between`: it is there, and may have done either.
   */
  says: "made" | "passed" | "between";
}

/** How this process was at a failure. */
export interface OwnState {
  /** How long it last stood still, ms, and how long ago that ended; 0 and -1: it has not. */
  lastStallMs: number;
  stallAgoMs: number;
  /** How late its event loop was lately, ms; looked at four times a second. */
  loopLateMs: number;
  /** File descriptors that were left at that look; -1: not known. */
  descriptorsLeft: number;
}

/** A decision with its reason, made by a policy or a step. */
export interface Decision {
  step: Step;
  /** Stable code, e.g. `retry.refused.body-too-large`. Listed in docs/reference/decisions.md. */
  code: string;
  /** For people: "not retried: body of 3 MB exceeds the replay buffer of 64 KiB". */
  reason: string;
}

/** One for all exchanges of a connection. */
export interface ClientTls {
  /** `TLSv1.3`. */
  readonly version: string;
  readonly cipher: string;
  /** The name that the client asked for; empty: none. */
  readonly serverName: string;
  /** The protocol that was agreed on; empty: none was. */
  readonly alpn: string;
  /** A session of before went on. */
  readonly resumed: boolean;
  /** Whom the client's certificate is for, `CN=sensor-7, O=Example`; empty: it showed none. */
  readonly clientSubject: string;
}

export interface ExchangeRecord {
  /** The request id: the client's when it came from a trusted proxy, ours otherwise. */
  id: string;
  /** W3C trace id, 32 hex digits; empty when the request was refused before it was known. */
  traceId: string;
  /** The span of whoever sent the request, 16 hex digits; empty: the trace begins here. */
  parentSpanId: string;
  /** Epoch ms of the first byte of the request. */
  startedAt: number;
  listener: string;
  /** The client after trusted proxies were taken off. */
  clientAddress: string;
  /** The socket's peer; behind a load balancer that tells of its clients by the PROXY protocol, the one it told of. */
  peerAddress: string;
  peerPort: number;
  /** That load balancer's end of the socket, `10.0.0.5:40312`; empty: there was none. */
  proxiedBy: string;
  /** How many exchanges this client connection carried before. */
  connectionUses: number;
  method: string;
  host: string;
  /** Path with query, at most 1024 bytes of it. */
  target: string;
  /** `HTTP/2`, `HTTP/1.1`, `HTTP/1.0`, or empty when no request line was understood. */
  protocol: string;
  /** What was agreed on with the client. Null: nothing, what was said could be read by whoever is between. */
  tls: ClientTls | null;
  userAgent: string;
  service: string;
  route: string;
  pool: string;
  origin: string;
  /** Sent to the client; 0 when nothing was. */
  status: number;
  /** The origin's own status; 0 unless a response head came from the origin. */
  originStatus: number;
  outcome: Outcome;
  cause: CauseId | null;
  party: Party | null;
  /** The refusal's reason id for malformed messages (`bare-lf`), otherwise empty. */
  reason: string;
  /** The step in which it ended, when it did not end well. */
  step: Step;
  /** One sentence of evidence for the cause. */
  evidence: string;
  /** How this process was when it failed. Null when it did not. */
  own: OwnState | null;
  /** Body bytes from the client, and to the client. */
  requestBytes: number;
  responseBytes: number;
  /** When the request head was complete. */
  headUs: number;
  routedUs: number;
  /** How long it waited for room at an origin, in all; 0: not at all. */
  queuedUs: number;
  /** When the last byte of the request body had been received. */
  requestEndUs: number;
  /** When the response head was handed to the client's socket. */
  replyUs: number;
  /** When all was done. */
  doneUs: number;
  cache: CacheWord;
  /** Upgraded to a tunnel (WebSocket and others). */
  tunnel: boolean;
  /** `grpc-status` that the client got, an origin's or ours; -1: none, or it was no call of gRPC. */
  grpcStatus: number;
  attempts: AttemptRecord[];
  decisions: Decision[];
}
