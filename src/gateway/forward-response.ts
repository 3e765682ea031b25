/**
 * The response head as the client gets it: the origin's field lines as they came, without those of the hop
 * between gateway and origin, and with the framing that this client and this body need.
 */
import { FIELD } from "../http1/field-ids.ts";
import type { MessageHead } from "../http1/head.ts";
import { LAST_CHUNK } from "../http1/writer.ts";
import type { ByteWriter } from "../http1/writer.ts";
import type { CauseId } from "../kernel/causes.ts";
import type { Clock } from "../kernel/clock.ts";
import { writeContentLength, writeRequestId } from "./forward-request.ts";
import { httpDate } from "./http-date.ts";
import type { Identity } from "./identify.ts";
import { proxyStatus } from "./own-fields.ts";

/** How the body is delimited towards the client. */
export type ClientFraming =
  /** No body, or the origin's Content-Length holds. */
  | "as is"
  | "chunked"
  /** To HTTP/1.0 clients, which know no chunks: the end of the connection is the end of the body. */
  | "close";

export interface ResponseAdditions {
  readonly requestId: string;
  /** Complete lines: Proxy-Status, Date where the origin had none, what the cache says; mostly empty. */
  readonly lines: string;
  readonly framing: ClientFraming;
  /** The connection serves another exchange afterwards. */
  readonly keepAlive: boolean;
  /** HTTP/1.0 clients have to be told that the connection stays. */
  readonly clientMinorVersion: 0 | 1;
}

export function writeResponseHead(writer: ByteWriter, head: MessageHead, additions: ResponseAdditions): void {
  writeStatusLine(writer, head);
  copyFields(writer, head, additions.framing);
  writeRequestId(writer, additions.requestId);
  if (additions.lines !== "") writer.ascii(additions.lines);
  if (additions.framing === "as is" && head.find(FIELD.CONTENT_LENGTH) !== -1 && !head.contentLengthPlain) {
    writeContentLength(writer, head.contentLength);
  }
  if (additions.framing === "chunked") writer.ascii("Transfer-Encoding: chunked\r\n");
  if (!additions.keepAlive) writer.ascii("Connection: close\r\n\r\n");
  else if (additions.clientMinorVersion === 0) writer.ascii("Connection: keep-alive\r\n\r\n");
  else writer.crlf();
}

/** 1xx heads and 101 (with its Upgrade). */
export function writeInterimHead(writer: ByteWriter, head: MessageHead, upgrade: string | null): void {
  writeStatusLine(writer, head);
  copyFields(writer, head, "as is");
  if (upgrade !== null) {
    writer.ascii("Connection: Upgrade\r\nUpgrade: ");
    writer.ascii(upgrade);
    writer.crlf();
  }
  writer.crlf();
}

/** Ends a chunked body. `trailers`: null when there are none, or the client did not ask for them. */
export function writeLastChunk(
  writer: ByteWriter,
  trailers: readonly { readonly name: string; readonly value: string }[] | null,
): void {
  if (trailers === null) {
    writer.copy(LAST_CHUNK, 0, LAST_CHUNK.length);
    return;
  }
  writer.ascii("0\r\n");
  for (const { name, value } of trailers) {
    writer.ascii(`${name}: ${value}`);
    writer.crlf();
  }
  writer.crlf();
}

export function clientFraming(head: MessageHead, clientMinorVersion: 0 | 1): ClientFraming {
  if (head.framing === "none" || head.framing === "length") return "as is";
  return clientMinorVersion === 1 ? "chunked" : "close";
}

/** What this gateway says on a response that is an origin's, beside its id. `cause`: null unless it is a 5xx. */
export function responseLines(
  head: MessageHead,
  cause: CauseId | null,
  { clock, identity }: { readonly clock: Clock; readonly identity: Identity },
): string {
  let lines = "";
  // RFC 9110 §6.6.1: a recipient with a clock dates a response that came without a date.
  if (head.find(FIELD.DATE) === -1) lines += `Date: ${httpDate(clock.wall())}\r\n`;
  if (cause !== null) lines += `Proxy-Status: ${proxyStatus(cause, identity.name)}; received-status=${head.status}\r\n`;
  return lines;
}

/** Server-sent events are silent for as long as nothing happens. */
export function isEventStream(head: MessageHead): boolean {
  const at = head.find(FIELD.CONTENT_TYPE);
  if (at === -1 || head.valueEnd(at) - head.valueStart(at) < EVENT_STREAM.length) return false;
  return head.value(at).toLowerCase().startsWith(EVENT_STREAM);
}

const EVENT_STREAM = "text/event-stream";

function writeStatusLine(writer: ByteWriter, head: MessageHead): void {
  // Each hop speaks with its own version (RFC 9112 §2.3), so an origin's HTTP/1.0 is not passed on.
  if (head.minorVersion === 1) {
    writer.copy(head.bytes, head.headStart, head.fieldsStart);
    return;
  }
  writer.ascii("HTTP/1.1 ");
  writer.decimal(head.status);
  writer.ascii(" ");
  writer.copy(head.bytes, head.reasonStart, head.reasonEnd);
  writer.crlf();
}

function copyFields(writer: ByteWriter, head: MessageHead, framing: ClientFraming): void {
  const { bytes, fieldCount } = head;
  let runStart = -1;
  let runEnd = -1;
  for (let i = 0; i < fieldCount; i += 1) {
    const id = head.id(i);
    if (
      head.hopByHop(i) ||
      id === FIELD.X_REQUEST_ID ||
      (id === FIELD.CONTENT_LENGTH && (framing !== "as is" || !head.contentLengthPlain))
    ) {
      if (runStart !== -1) writer.copy(bytes, runStart, runEnd);
      runStart = -1;
      continue;
    }
    if (runStart === -1) runStart = head.lineStart(i);
    runEnd = head.lineEnd(i);
  }
  if (runStart !== -1) writer.copy(bytes, runStart, runEnd);
}
