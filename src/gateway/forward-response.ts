/**
 * The response head as the client gets it: the origin's field lines as they came, without those of the hop
 * between gateway and origin, and with the framing that this client and this body need.
 */
import { FIELD } from "../http1/field-ids.ts";
import type { MessageHead } from "../http1/head.ts";
import type { ByteWriter } from "../http1/writer.ts";
import { writeContentLength } from "./forward-request.ts";

/** How the body is delimited towards the client. */
export type ClientFraming =
  /** No body, or the origin's Content-Length holds. */
  | "as is"
  | "chunked"
  /** To HTTP/1.0 clients, which know no chunks: the end of the connection is the end of the body. */
  | "close";

export interface ResponseAdditions {
  /** Complete lines: X-Request-Id, Proxy-Status, Date where the origin had none. */
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
  writer.ascii(additions.lines);
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
