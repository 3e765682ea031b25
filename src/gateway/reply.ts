/**
 * Reply: the one function that turns a failure into a response. The client learns the status, a reference, and
 * what kind of trouble it is in the words of RFC 9209; never an address, a message or a name from inside.
 */
import { grpcAnswerOf } from "../contract/foreign/grpc.ts";
import type { CauseId } from "../kernel/causes.ts";
import { CAUSES } from "../kernel/causes.ts";
import { encodeGrpcMessage } from "../policies/grpc.ts";
import { renderFailurePage } from "./failure-page.ts";
import { ownFields, phraseOf } from "./own-fields.ts";
import type { Reply, ReplyContext } from "./own-fields.ts";
import { answersFor, fallbackReply } from "./static-fallback.ts";
import type { StaticFallback } from "./static-fallback.ts";
import type { WaitingOffer } from "./waiting.ts";
import { renderWaitingPage } from "./waiting-page.ts";

export interface Failure {
  readonly cause: CauseId;
  /** Replaces the cause's own status, for malformed requests whose refusal has one of its own. 0: the cause's. */
  readonly status: number;
  /** A malformed request's reason id, otherwise empty. It says what the client sent, so the client may see it. */
  readonly reason: string;
  /** What the reason means, otherwise empty. */
  readonly reasonText: string;
  /** Seconds after which another try makes sense; 0: none is known. */
  readonly retryAfterSeconds: number;
  /** It carried an Idempotency-Key, was sent, and nobody knows whether it was carried out. */
  readonly uncertain: boolean;
  /** What the operator prepared for the route; null: nothing. */
  readonly fallback: StaticFallback | null;
  /** The code with which the origin broke the stream off (RST_STREAM); empty: it did not. */
  readonly reset: string;
  /** What a browser is offered that comes when there is no room; null: nothing. */
  readonly waiting: WaitingOffer | null;
}

export function respondToFailure(failure: Failure, context: ReplyContext): Reply {
  const { cause, fallback, waiting } = failure;
  if (context.grpc) return grpcReply(failure, context);
  const form = preferredForm(context.accept, formWithout(failure));
  const safe = context.method === "GET" || context.method === "HEAD";
  // A browser that can come back to the real page waits; all others get what was prepared for them.
  const waits = waiting !== null && form === "html" && safe && CAUSES[cause].party === "overload";
  if (fallback !== null && !waits && answersFor(fallback, cause, context.method)) {
    return fallbackReply(fallback, cause, failure.retryAfterSeconds, context);
  }
  const status = failure.status !== 0 ? failure.status : CAUSES[cause].status;
  const { type, body } = waits
    ? { type: HTML, body: renderWaitingPage({ requestId: context.requestId, seconds: waiting.seconds }) }
    : bodyFor(form, failure, status, phraseOf(status), context);
  const bytes = Buffer.from(body);
  const fields = ownFields(type, cause, waits ? waiting.seconds : failure.retryAfterSeconds, context);
  if (waits && waiting.cookie !== "") fields.push(["Set-Cookie", waiting.cookie]);
  const isHead = context.method === "HEAD";
  return {
    message: {
      status,
      reason: phraseOf(status),
      fields,
      content: isHead ? { kind: "declared", length: bytes.length } : { kind: "length", bytes },
    },
    bodyBytes: isHead ? 0 : bytes.length,
    kind: waits ? "waiting page" : "failure",
    grpcStatus: -1,
  };
}

/**
 * With HTTP's status 200, the outcome in the head and no message ("Trailers-Only" of gRPC's PROTOCOL-HTTP2). How long to
 * wait is told in gRPC's own field, which its clients obey (proposal A6).
 */
function grpcReply(failure: Failure, context: ReplyContext): Reply {
  const { cause, retryAfterSeconds: afterSeconds } = failure;
  const status = failure.status === 0 ? CAUSES[cause].status : failure.status;
  const code = grpcAnswerOf(cause, status, failure.reset);
  const fields = ownFields("application/grpc", cause, 0, context);
  fields.push(["grpc-status", String(code)]);
  fields.push(["grpc-message", encodeGrpcMessage(`${sentenceFor(failure, status)} Reference: ${context.requestId}`)]);
  if (afterSeconds > 0) fields.push(["grpc-retry-pushback-ms", String(afterSeconds * 1000)]);
  return {
    message: { status: 200, reason: "OK", fields, content: { kind: "length", bytes: Buffer.alloc(0) } },
    bodyBytes: 0,
    kind: "failure",
    grpcStatus: code,
  };
}

const HTML = "text/html; charset=utf-8";

/** Seconds that a client does well to wait, for causes that time heals; 0 for others. */
export function retryAfterSeconds(cause: CauseId): number {
  return RETRY_AFTER[cause] ?? 0;
}

const RETRY_AFTER: Partial<Record<CauseId, number>> = {
  "gw.shed": 1,
  "gw.draining": 1,
  "client.flood": 10,
  "gw.pool_wait": 1,
  "client.key_in_flight": 1,
  "gw.key_unprotected": 5,
  "gw.fd_exhausted": 5,
  "gw.ports_exhausted": 5,
  "gw.mem_or_buffers": 5,
  "origin.all_unhealthy": 5,
};

type Form = "problem" | "html" | "text";

/** What a client gets that says nothing. Whoever sends keys is a program, and the draft asks for problem details. */
function formWithout(failure: Failure): Form {
  return failure.uncertain || KEY_SENTENCES[failure.cause] !== undefined ? "problem" : "text";
}

/** The first of the forms that the client prefers; a client that says nothing, or takes anything, gets `without`. */
export function preferredForm(accept: string | null, without: Form): Form {
  if (accept === null) return without;
  let best: Form = without;
  let bestWeight = 0;
  for (const part of accept.slice(0, 1024).toLowerCase().split(",")) {
    const [range = "", ...parameters] = part.split(";").map((piece) => piece.trim());
    const form = range === "*/*" ? without : formOf(range);
    const q = parameters.find((parameter) => parameter.startsWith("q="));
    const weight = q === undefined ? 1 : Number(q.slice(2));
    if (form !== null && weight > bestWeight) {
      best = form;
      bestWeight = weight;
    }
  }
  return best;
}

function formOf(range: string): Form | null {
  if (range === "text/html" || range === "application/xhtml+xml") return "html";
  if (range === "application/problem+json" || range === "application/json" || range === "application/*")
    return "problem";
  if (range === "text/plain" || range === "text/*") return "text";
  return null;
}

function bodyFor(
  form: Form,
  failure: Failure,
  status: number,
  phrase: string,
  context: ReplyContext,
): { type: string; body: string } {
  const sentence = sentenceFor(failure, status);
  switch (form) {
    case "problem":
      return {
        type: "application/problem+json",
        body: `${JSON.stringify({
          // No type: RFC 9457 §4.2.1 then means "the status says it"; a private URI would promise a page.
          title: phrase,
          status,
          detail: sentence,
          ...(failure.reason === "" ? {} : { reason: failure.reason }),
          requestId: context.requestId,
        })}\n`,
      };
    case "html":
      return {
        type: HTML,
        body: renderFailurePage({
          status,
          phrase,
          sentence,
          requestId: context.requestId,
          retries: status >= 500 && (context.method === "GET" || context.method === "HEAD"),
          retryAfterSeconds: failure.retryAfterSeconds,
        }),
      };
    case "text":
      return {
        type: "text/plain; charset=utf-8",
        body: `${status} ${phrase}\n${sentence}\nReference: ${context.requestId}\n`,
      };
  }
}

/** What a visitor can do with it; the operator's words are in the record. */
function sentenceFor(failure: Failure, status: number): string {
  const ofKey = failure.uncertain ? UNCERTAIN : KEY_SENTENCES[failure.cause];
  if (ofKey !== undefined) return ofKey;
  const ofTls = TLS_SENTENCES[failure.cause];
  if (ofTls !== undefined) return ofTls;
  if (failure.reasonText !== "") return `The request was not understood: ${failure.reasonText}`;
  switch (status) {
    case 404:
      return "Nothing is served under this address.";
    case 429:
      return "Too many requests came in a short time. Trying again a little later will help.";
    case 408:
      return "The request did not arrive in time.";
    case 503:
      return "The service cannot take the request right now. Trying again in a moment may help.";
    case 504:
      return "The service did not answer in time. Trying again in a moment may help.";
    case 508:
      return "The request came back to a gateway that had already forwarded it.";
    default:
      return status >= 500
        ? "The service did not give a usable answer. Trying again in a moment may help."
        : "The request cannot be served.";
  }
}

/** Whoever reads it can put it right. */
const TLS_SENTENCES: Partial<Record<CauseId, string>> = {
  "client.tls_not_tls": "This port speaks TLS, and the request came without it: write https:// in place of http://.",
  "client.tls_misdirected": "This connection was made for another name. Trying again on a new one will help.",
  "client.tls_certificate": "This address is for clients with a certificate, and none that it knows was shown.",
};

const UNCERTAIN =
  "The request was passed on, and no answer to it came. It may have been carried out. Repeating it with the same Idempotency-Key does not carry it out a second time.";

/** A client program can act on these; each says whether anything was carried out. */
const KEY_SENTENCES: Partial<Record<CauseId, string>> = {
  "client.key_missing": "This request needs an Idempotency-Key field, and has none. It was not carried out.",
  "client.key_malformed":
    'The Idempotency-Key cannot be read. Send one key of at most 255 characters, such as "8e03978e-40d5-43dd-bc93-6894a57f9324". The request was not carried out.',
  "client.key_reused":
    "This Idempotency-Key was used for a different request before. This one was not carried out; send it with a new key.",
  "client.key_in_flight":
    "A request with this Idempotency-Key is still being worked on. Repeat this one later with the same key to get its answer.",
  "origin.uncertain":
    "An earlier request with this Idempotency-Key may have been carried out; what became of it is not known. This one was not carried out. Look up the state of what you asked for before you send it with a new key.",
  "gw.answer_not_kept":
    "An earlier request with this Idempotency-Key was carried out, and its answer is not kept any more. This one was not carried out again.",
  "gw.key_unprotected":
    "The service cannot remember Idempotency-Keys right now, so this request was not carried out. Repeat it later with the same key.",
};
