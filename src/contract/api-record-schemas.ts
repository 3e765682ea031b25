/**
 * Schemas of the record of an exchange. The descriptions are for readers of the API; record.ts has the
 * reasons. Causes and parties are listed from the one table.
 */
import { z } from "zod";
import { CAUSES } from "../kernel/causes.ts";
import type { Cause, CauseId, RetryClass } from "../kernel/causes.ts";
import { describes } from "./api-describes.ts";
import { partyOfCauseSchema, partySchema } from "./api-party-schemas.ts";
import { verdictSchema } from "./api-verdict-schemas.ts";
import type { JudgedExchange } from "./api-responses.ts";
import type {
  AttemptRecord,
  AttemptTls,
  ClientTls,
  Decision,
  ExchangeRecord,
  FailureSigns,
  Outcome,
  OwnState,
  Step,
} from "./record.ts";
import type { Story } from "./story.ts";

export const causeIdSchema = describes<CauseId>()(
  // Object.keys widens the keys of a record whose type lists them.
  z.enum(Object.keys(CAUSES) as [CauseId, ...CauseId[]]).describe("An id of the table of causes, see /api/v1/causes."),
);

const stepSchema = describes<Step>()(
  z
    .enum([
      "receive",
      "identify",
      "route",
      "admit",
      "look up",
      "pick",
      "attempt",
      "judge",
      "relay",
      "rescue",
      "reply",
      "record",
    ])
    .describe("One of the twelve steps of an exchange, in their order."),
);

export const outcomeSchema = describes<Outcome>()(
  z
    .enum(["served", "rescued", "failed", "refused", "aborted"])
    .describe(
      "How it ended for the client. served: a complete response from an origin at the first attempt. rescued: the same after " +
        "at least one failed attempt. failed: the gateway had to answer itself, or the response was cut, or the origin's " +
        "answer was a 5xx. refused: the reason lies with the client or the configuration. aborted: the client left first.",
    ),
);

const microseconds = (what: string): z.ZodNumber =>
  z.number().describe(`${what}, µs since the first byte of the request; -1: never.`);
const bytes = (what: string): z.ZodNumber => z.number().min(0).describe(what);

const ago = (what: string): z.ZodNumber => z.number().describe(`${what}, ms before; -1: never.`);

const ownSchema = describes<OwnState>()(
  z.object({
    lastStallMs: z.number().min(0).describe("How long this process last stood still; 0: it has not."),
    stallAgoMs: ago("When that ended"),
    loopLateMs: z.number().min(0).describe("How late the event loop was lately."),
    descriptorsLeft: z.number().describe("File descriptors that were left; -1: not known."),
  }),
);

const signsSchema = describes<FailureSigns>()(
  z.object({
    end: z
      .enum(["FIN", "error", "timeout", "refusal", "upgrade", "unusable", "answer"])
      .describe("How the attempt ended; answer: with the whole head of a 5xx."),
    detail: z.string().describe("The error's code, the limit that ran out, or the refusal's id."),
    limitMs: z.number().min(0).describe("The limit that ran out; 0: none did."),
    framing: z.enum(["none", "length", "chunked", "close"]).describe("Of the response."),
    requestSent: z.boolean().describe("Whether the whole request had been handed to the socket."),
    stallMs: z.number().min(0).describe("How long this process stood still within the attempt."),
    keepAliveMs: z
      .number()
      .describe("The idle time after which this address closes connections, as it showed itself; -1: not known."),
    answeredAgoMs: ago("When this address last answered anybody well"),
    connectedAgoMs: ago("When a connection to this address was last made"),
    inFlight: z.number().min(0).describe("Attempts under way at this address, this one included."),
    leftAnswer: z.boolean().describe("Whether the newest answer of the origin's name no longer has this address."),
    marks: z
      .array(
        z.object({
          text: z.string(),
          says: z.enum(["made", "passed", "between"]),
        }),
      )
      .describe(
        "What a 5xx shows of gateways behind this one: made it, passed it on, or are between and may have done either.",
      ),
    asked: z
      .object({
        headBytes: bytes("Of the request's head as the client sent it."),
        accept: z.string().describe("Empty: none."),
        acceptEncoding: z.string().describe("Empty: none."),
        range: z.string().describe("Empty: none."),
      })
      .nullable()
      .describe("What size and kind of answer was asked for. Null: the head was not kept."),
    own: ownSchema.describe("How this process was at that moment."),
  }),
);

const attemptTlsSchema = describes<AttemptTls>()(
  z.object({
    version: z.string().describe("TLSv1.3."),
    cipher: z.string().describe("As IANA names it."),
    serverName: z.string().describe("The name that was asked for (SNI); empty: none."),
    alpn: z.string().describe("The protocol that was agreed on; empty: none."),
    resumed: z.boolean().describe("Whether a session of before went on, so that no certificate was shown."),
  }),
);

export const attemptSchema = describes<AttemptRecord>()(
  z.object({
    number: z.number().min(1).describe("1 for the first."),
    pool: z.string(),
    origin: z.string().describe("As configured."),
    address: z.string().describe("The address dialled, ip:port."),
    protocol: z.string().describe("Over which the origin was asked: `HTTP/1.1`, `HTTP/2`; empty: it was not reached."),
    reused: z.boolean().describe("Whether a connection was used that was already open."),
    connectionUses: z.number().min(0).describe("Exchanges the connection carried before."),
    connectionAgeMs: z.number().min(0).describe("Age of the connection; 0 on a new one."),
    connectionIdleMs: z.number().min(0).describe("How long the connection lay idle before; 0 on a new one."),
    startedUs: microseconds("Begin"),
    connectedUs: microseconds("TCP connected (the begin, on a connection used again); -1 means that nothing was sent"),
    securedUs: microseconds("TLS agreed on and the certificate found good; -1 also where there is no TLS"),
    sentUs: microseconds("Head handed to the socket"),
    firstByteUs: microseconds("First byte of the response"),
    headUs: microseconds("Response head complete"),
    endedUs: microseconds("End"),
    tls: attemptTlsSchema.nullable().describe("What TLS was agreed on with the origin; null: none."),
    sentBytes: bytes("Bytes handed to the socket: an upper bound of what left, not evidence that it left."),
    receivedBytes: bytes("Bytes that came from the origin, head included."),
    status: z.number().describe("The origin's status; 0 when no head came."),
    cause: causeIdSchema.nullable().describe("Null when the attempt did not fail."),
    evidence: z.string().describe("What was seen, for people; empty when nothing failed."),
    signs: signsSchema.nullable().describe("What was seen, for the verdict; null when nothing failed."),
  }),
);

export const decisionSchema = describes<Decision>()(
  z.object({
    step: stepSchema,
    code: z.string().describe("Stable, for programs: retry.refused.body-too-large."),
    reason: z.string().describe("For people."),
  }),
);

const clientTlsSchema = describes<ClientTls>()(
  z.object({
    version: z.string().describe("TLSv1.3."),
    cipher: z.string(),
    serverName: z.string().describe("The name that the client asked for; empty: none."),
    alpn: z.string().describe("The protocol that was agreed on; empty: none was."),
    resumed: z.boolean().describe("A session of before went on."),
    clientSubject: z.string().describe("Whom the client's certificate is for; empty: it showed none."),
  }),
);

const cacheWordSchema = z
  .enum(["", "hit", "stale", "revalidated", "collapsed", "miss", "pass", "last-good", "refresh"])
  .describe("What the cache had to do with it; empty: nothing.");

export const exchangeSchema = describes<ExchangeRecord>()(
  z.object({
    id: z.string().describe("The request id, as in X-Request-Id."),
    traceId: z.string().describe("W3C trace id; empty when the request was refused before it was known."),
    parentSpanId: z.string().describe("The span of whoever sent the request; empty: the trace begins here."),
    startedAt: z.number().describe("First byte of the request, epoch ms."),
    listener: z.string(),
    clientAddress: z.string().describe("The client, after trusted proxies were taken off."),
    peerAddress: z.string().describe("The other end of the socket, or of the one that the PROXY protocol told of."),
    peerPort: z.number(),
    proxiedBy: z.string().describe("Who told of it by the PROXY protocol, as address and port; empty: nobody."),
    connectionUses: z.number().min(0).describe("Exchanges that the client's connection carried before."),
    method: z.string(),
    host: z.string(),
    target: z.string().describe("Path with query, cut at 1024 bytes."),
    protocol: z.string().describe("HTTP/1.1 or HTTP/1.0; empty when no request line was understood."),
    tls: clientTlsSchema.nullable().describe("What was agreed on with the client; null: no TLS was spoken."),
    userAgent: z.string(),
    service: z.string().describe("Empty when none was found."),
    route: z.string().describe("Empty when none was found."),
    pool: z.string().describe("The pool of the last attempt; empty when there was none."),
    origin: z.string().describe("The origin of the last attempt; empty when there was none."),
    status: z.number().describe("Sent to the client; 0 when nothing was."),
    originStatus: z.number().describe("The origin's own status; 0 unless a response head came from the origin."),
    outcome: outcomeSchema,
    cause: causeIdSchema.nullable(),
    party: partySchema.nullable(),
    reason: z.string().describe("Why a malformed message was refused (request.bare-lf); empty otherwise."),
    step: stepSchema,
    evidence: z.string().describe("One sentence of evidence for the cause."),
    own: ownSchema.nullable().describe("How this process was when the exchange failed; null when it did not."),
    requestBytes: bytes("Body bytes from the client."),
    responseBytes: bytes("Body bytes to the client."),
    headUs: microseconds("Request head complete"),
    routedUs: microseconds("Routed"),
    queuedUs: z.number().min(0).describe("How long it waited for room at an origin, µs; 0: not at all."),
    requestEndUs: microseconds("Last byte of the request body received"),
    replyUs: microseconds("Response head handed to the client's socket"),
    doneUs: microseconds("All done"),
    cache: cacheWordSchema,
    grpcStatus: z
      .number()
      .int()
      .describe(
        "`grpc-status` that the client got, an origin's or the gateway's; -1: none, or it was no call of gRPC.",
      ),
    tunnel: z.boolean().describe("Upgraded to a tunnel (WebSocket and others)."),
    attempts: z.array(attemptSchema),
    decisions: z.array(decisionSchema),
  }),
);

export const judgedExchangeSchema = describes<JudgedExchange>()(
  exchangeSchema.extend({
    verdict: verdictSchema
      .nullable()
      .describe("What went wrong and who is at fault, as far as that can be decided; null: nothing went wrong."),
  }),
);

export const storySchema = describes<Story>()(
  z.object({
    headline: z.string().describe("One sentence: the request, how it ended, and why."),
    verdict: verdictSchema.nullable().describe("Null: nothing went wrong."),
    lines: z
      .array(z.object({ label: z.string(), text: z.string() }))
      .describe("The facts, most important first. Labels repeat."),
    timeline: z
      .array(z.object({ atUs: z.number(), text: z.string() }))
      .describe("Everything that has a time, in order."),
    lookFirst: z.string().describe("The first thing to do."),
  }),
);

const codes = (whose: string): z.ZodArray<z.ZodString> =>
  z.array(z.string()).describe(`The nearest codes of ${whose}; empty when it has none.`);

export const causeSchema = describes<Cause>()(
  z.object({
    id: causeIdSchema,
    party: partyOfCauseSchema,
    status: z
      .literal([0, 400, 403, 404, 408, 409, 421, 422, 429, 500, 502, 503, 504])
      .describe("What the client gets when the gateway has to answer; 0: the gateway never answers with this cause."),
    proxyStatus: z
      .enum([
        "connection_limit_reached",
        "connection_read_timeout",
        "connection_refused",
        "connection_terminated",
        "connection_timeout",
        "connection_write_timeout",
        "destination_ip_unroutable",
        "destination_not_found",
        "destination_unavailable",
        "dns_error",
        "dns_timeout",
        "http_protocol_error",
        "http_request_denied",
        "http_request_error",
        "http_response_header_section_size",
        "http_response_incomplete",
        "http_response_timeout",
        "http_response_transfer_coding",
        "http_upgrade_failed",
        "proxy_internal_error",
        "proxy_internal_response",
        "proxy_loop_detected",
        "tls_alert_received",
        "tls_certificate_error",
        "tls_protocol_error",
      ])
      .nullable()
      .describe("The error type of Proxy-Status (RFC 9209)."),
    retryClass: describes<RetryClass>()(
      z
        .enum(["R0", "R1", "R2", "RX"])
        .describe(
          "R0: never sent, any method may go elsewhere. R1: sent but not answered, only idempotent ones. " +
            "R2: a response began, only before bytes reached the client. RX: not again.",
        ),
    ),
    title: z.string(),
    means: z.string(),
    evidence: z.string().describe("What shows it, and what tells it from its look-alikes."),
    lookFirst: z.string().describe("The first thing to do."),
    equivalents: z.object({
      envoy: codes("Envoy"),
      haproxy: codes("HAProxy"),
      nginx: codes("nginx"),
      cloudflare: codes("Cloudflare"),
      alb: codes("AWS ALB"),
      google: codes("Google Cloud load balancers"),
    }),
  }),
);
