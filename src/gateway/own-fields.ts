/** What every answer that the gateway makes itself has in its head, whatever page or text is below it. */
import type { Field, ResponseMessage } from "../http1/serialise.ts";
import type { CauseId } from "../kernel/causes.ts";
import { CAUSES } from "../kernel/causes.ts";

export interface ReplyContext {
  readonly requestId: string;
  /** The request's Accept value; null when absent. */
  readonly accept: string | null;
  readonly method: string;
  /** It was a call of gRPC, whose client reads no status of HTTP and no body. */
  readonly grpc: boolean;
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
  /** Which of the answers it is: the usual one, what the operator prepared, or a page that waits. */
  readonly kind: "failure" | "fallback" | "waiting page";
  /** -1: it is no answer to a call of gRPC. */
  readonly grpcStatus: number;
}

/** The fields of every answer that the gateway makes itself. */
export function ownFields(type: string, cause: CauseId, retryAfterSeconds: number, context: ReplyContext): Field[] {
  const fields: Field[] = [
    ["Date", context.date],
    ["Content-Type", type],
    ["Cache-Control", "no-store"],
    ["X-Request-Id", context.requestId],
    ["Proxy-Status", proxyStatus(cause, context.name)],
    ["Connection", context.keepAlive ? "keep-alive" : "close"],
  ];
  if (retryAfterSeconds > 0) fields.push(["Retry-After", String(retryAfterSeconds)]);
  for (const line of context.lines.split("\r\n")) {
    const colon = line.indexOf(": ");
    if (colon > 0) fields.push([line.slice(0, colon), line.slice(colon + 2)]);
  }
  return fields;
}

export function phraseOf(status: number): string {
  return PHRASES[status] ?? (status < 300 ? "OK" : status < 400 ? "Redirect" : "Error");
}

/** `goodgate; error=connection_refused` (RFC 9209 §2). */
export function proxyStatus(cause: CauseId, name: string): string {
  const error = CAUSES[cause].proxyStatus;
  return error === null ? name : `${name}; error=${error}`;
}

const PHRASES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  408: "Request Timeout",
  409: "Conflict",
  413: "Content Too Large",
  414: "URI Too Long",
  417: "Expectation Failed",
  421: "Misdirected Request",
  422: "Unprocessable Content",
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
