/**
 * An exchange as spans of a distributed trace: one for the exchange, and one for each attempt under it. Names and
 * attributes are those of the semantic conventions for HTTP (opentelemetry.io/docs/specs/semconv/http), what they have
 * no name for is under `goodgate.`. Plain data: how it is sent is somebody else's (net/otlp.ts).
 *
 * Targets may carry what is nobody's business, so the query is left out unless it is asked for.
 */
import { createHash } from "node:crypto";
import type { AttemptRecord, ExchangeRecord } from "./record.ts";

export interface Span {
  /** 32 and 16 hex digits. */
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: it is the root. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: "server" | "client";
  /** µs since 1970-01-01 UTC. */
  readonly startUs: number;
  readonly endUs: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly events: readonly {
    readonly name: string;
    readonly atUs: number;
    readonly attributes: Readonly<Record<string, string>>;
  }[];
  /** Empty: it went well. */
  readonly error: string;
}

export interface SpanOptions {
  readonly withQuery: boolean;
}

/** Methods that the conventions know; others are `_OTHER`, so that nobody fills a store with names. */
const METHODS: ReadonlySet<string> = new Set([
  "CONNECT",
  "DELETE",
  "GET",
  "HEAD",
  "OPTIONS",
  "PATCH",
  "POST",
  "PUT",
  "QUERY",
  "TRACE",
]);
const SPAN_DIGITS = 16;

/** Empty when the exchange belongs to no trace: it was refused before one was known. */
export function spansOf(record: ExchangeRecord, options: SpanOptions): readonly Span[] {
  if (!/^[0-9a-f]{32}$/.test(record.traceId)) return [];
  const spanId = spanOf(record);
  return [
    exchangeSpan(record, spanId, options),
    ...record.attempts.map((attempt) => attemptSpan(record, attempt, spanId)),
  ];
}

function exchangeSpan(record: ExchangeRecord, spanId: string, { withQuery }: SpanOptions): Span {
  const [path = "", query = ""] = record.target.split(/\?(.*)/s);
  const method = METHODS.has(record.method) ? record.method : "_OTHER";
  const bare = record.route === "" ? method : `${method} ${record.route}`;
  return {
    traceId: record.traceId,
    spanId,
    parentSpanId: record.parentSpanId,
    name: record.method === "" ? "HTTP" : bare,
    kind: "server",
    startUs: record.startedAt * 1000,
    endUs: record.startedAt * 1000 + Math.max(0, record.doneUs),
    attributes: known({
      "http.request.method": method,
      "http.response.status_code": record.status,
      "url.path": path,
      "url.query": withQuery ? query : "",
      "url.scheme": record.tls === null ? "http" : "https",
      "server.address": record.host,
      "client.address": record.clientAddress,
      "network.protocol.version": record.protocol.replace("HTTP/", ""),
      "tls.protocol.version": record.tls?.version.replace("TLSv", "") ?? "",
      "tls.cipher": record.tls?.cipher ?? "",
      "user_agent.original": record.userAgent,
      "error.type": record.cause ?? "",
      "goodgate.exchange": record.id,
      "goodgate.outcome": record.outcome,
      "goodgate.cause": record.cause ?? "",
      "goodgate.party": record.party ?? "",
      "goodgate.service": record.service,
      "goodgate.route": record.route,
      "goodgate.pool": record.pool,
      "goodgate.cache": record.cache,
      "goodgate.evidence": record.evidence,
      "goodgate.attempts": record.attempts.length,
    }),
    events: record.decisions.map(({ step, code, reason }) => ({
      name: code,
      // A decision has no time of its own: what is certain is that it was made before the end.
      atUs: record.startedAt * 1000 + Math.max(0, record.doneUs),
      attributes: { "goodgate.step": step, "goodgate.reason": reason },
    })),
    // A refusal is the client's fault and no error of a server (conventions: 4xx leaves the status unset).
    error: record.outcome === "failed" ? (record.cause ?? "failed") : "",
  };
}

function attemptSpan(record: ExchangeRecord, attempt: AttemptRecord, parentSpanId: string): Span {
  const beganUs = record.startedAt * 1000;
  const at = (us: number): number => beganUs + Math.max(0, us);
  const method = METHODS.has(record.method) ? record.method : "_OTHER";
  const { host, port } = placeOf(attempt.address);
  const moments = [
    ["connected", attempt.connectedUs],
    ["secured", attempt.securedUs],
    ["request head sent", attempt.sentUs],
    ["first byte", attempt.firstByteUs],
    ["response head", attempt.headUs],
  ] as const;
  return {
    traceId: record.traceId,
    spanId: hashed(`${record.id}\n${record.startedAt}\n${attempt.number}`),
    parentSpanId,
    name: `${method} attempt`,
    kind: "client",
    startUs: at(attempt.startedUs),
    endUs: at(Math.max(attempt.startedUs, attempt.endedUs)),
    attributes: known({
      "http.request.method": method,
      "http.request.resend_count": attempt.number - 1,
      "http.response.status_code": attempt.status,
      "server.address": host,
      "server.port": port,
      "error.type": attempt.cause ?? "",
      "goodgate.cause": attempt.cause ?? "",
      "goodgate.evidence": attempt.evidence,
      "goodgate.pool": attempt.pool,
      "goodgate.origin": attempt.origin,
      "goodgate.connection.reused": attempt.reused,
    }),
    events: moments.filter(([, us]) => us >= 0).map(([name, us]) => ({ name, atUs: at(us), attributes: {} })),
    error: attempt.cause ?? "",
  };
}

/** A trace that starts here names its first span after itself (http1/trace-context.ts), and origins were told so. */
function spanOf(record: ExchangeRecord): string {
  return record.parentSpanId === ""
    ? record.traceId.slice(-SPAN_DIGITS)
    : hashed(`${record.id}\n${record.startedAt}\nexchange`);
}

function hashed(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, SPAN_DIGITS);
}

function placeOf(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(address.slice(colon + 1)) };
}

/** Without what is not known: an empty text, status 0. */
function known(attributes: Readonly<Record<string, string | number | boolean>>): Span["attributes"] {
  return Object.fromEntries(
    Object.entries(attributes).filter(
      ([name, value]) => value !== "" && !(value === 0 && name.endsWith("status_code")),
    ),
  );
}
