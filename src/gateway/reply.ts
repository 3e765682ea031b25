/**
 * Reply: the one function that turns a failure into a response. The client learns the status, a reference, and
 * what kind of trouble it is in the words of RFC 9209; never an address, a message or a name from inside.
 */
import type { Field, ResponseMessage } from "../http1/serialise.ts";
import type { CauseId } from "../kernel/causes.ts";
import { CAUSES } from "../kernel/causes.ts";
import { renderFailurePage } from "./failure-page.ts";

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
}

export interface ReplyContext {
  readonly requestId: string;
  /** The request's Accept value; null when absent. */
  readonly accept: string | null;
  readonly method: string;
  readonly keepAlive: boolean;
  /** RFC 9110 §5.6.7 date. */
  readonly date: string;
  /** Name in Proxy-Status. */
  readonly name: string;
  /** Complete field lines to be added; empty: none. */
  readonly lines: string;
}

export interface Reply {
  readonly message: ResponseMessage;
  /** Bytes of content that are sent. */
  readonly bodyBytes: number;
}

const PHRASES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  404: "Not Found",
  408: "Request Timeout",
  413: "Content Too Large",
  414: "URI Too Long",
  417: "Expectation Failed",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
  508: "Loop Detected",
};

export function respondToFailure(failure: Failure, context: ReplyContext): Reply {
  const cause = CAUSES[failure.cause];
  const status = failure.status !== 0 ? failure.status : cause.status;
  const phrase = PHRASES[status] ?? "Error";
  const { type, body } = bodyFor(preferredForm(context.accept), failure, status, phrase, context);
  const bytes = Buffer.from(body);
  const fields: Field[] = [
    ["Date", context.date],
    ["Content-Type", type],
    ["Cache-Control", "no-store"],
    ["X-Request-Id", context.requestId],
    ["Proxy-Status", proxyStatus(failure.cause, context.name)],
    ["Connection", context.keepAlive ? "keep-alive" : "close"],
  ];
  if (failure.retryAfterSeconds > 0) fields.push(["Retry-After", String(failure.retryAfterSeconds)]);
  for (const line of context.lines.split("\r\n")) {
    const colon = line.indexOf(": ");
    if (colon > 0) fields.push([line.slice(0, colon), line.slice(colon + 2)]);
  }
  const isHead = context.method === "HEAD";
  return {
    message: {
      status,
      reason: phrase,
      fields,
      content: isHead ? { kind: "declared", length: bytes.length } : { kind: "length", bytes },
    },
    bodyBytes: isHead ? 0 : bytes.length,
  };
}

/** `goodgate; error=connection_refused` (RFC 9209 §2). */
export function proxyStatus(cause: CauseId, name: string): string {
  const error = CAUSES[cause].proxyStatus;
  return error === null ? name : `${name}; error=${error}`;
}

/** Seconds that a client does well to wait, for causes that time heals; 0 for others. */
export function retryAfterSeconds(cause: CauseId): number {
  return RETRY_AFTER[cause] ?? 0;
}

const RETRY_AFTER: Partial<Record<CauseId, number>> = {
  "gw.shed": 1,
  "gw.draining": 1,
  "client.flood": 10,
  "gw.pool_wait": 1,
  "gw.fd_exhausted": 5,
  "gw.ports_exhausted": 5,
  "gw.mem_or_buffers": 5,
  "origin.all_unhealthy": 5,
};

type Form = "problem" | "html" | "text";

/** The first of the forms that the client prefers; a client that says nothing, or takes anything, gets text. */
export function preferredForm(accept: string | null): Form {
  if (accept === null) return "text";
  let best: Form = "text";
  let bestWeight = 0;
  for (const part of accept.slice(0, 1024).toLowerCase().split(",")) {
    const [range = "", ...parameters] = part.split(";").map((piece) => piece.trim());
    const form = formOf(range);
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
  if (range === "text/plain" || range === "text/*" || range === "*/*") return "text";
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
        type: "text/html; charset=utf-8",
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
