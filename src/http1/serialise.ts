/**
 * Messages from plain data: the gateway's own replies, health checks, tests. What passes through the gateway
 * never comes here; it stays bytes.
 *
 * Framing cannot be got wrong, because it is not a field that a caller writes: `content` says what there is, and
 * Content-Length or Transfer-Encoding follow from it. Data that would make an invalid message are a mistake of
 * the program, so they throw; whoever has text from elsewhere asks `grammar.ts` first.
 */
import { isFieldValue, isTarget, isToken } from "./grammar.ts";
import { ByteWriter, writeChunkHead } from "./writer.ts";

export type Field = readonly [name: string, value: string];

export type Content =
  /** None, and no word about it: a GET, a 204. */
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly bytes: Buffer }
  /** A length without content: the response to HEAD, a 304. */
  | { readonly kind: "declared"; readonly length: number }
  /** Empty chunks are left out: one would end the message. */
  | { readonly kind: "chunked"; readonly chunks: readonly Buffer[]; readonly trailers: readonly Field[] }
  /** Responses only: the end of the connection is the end of the content. */
  | { readonly kind: "close"; readonly bytes: Buffer };

export interface RequestMessage {
  readonly method: string;
  readonly target: string;
  /** Host is not added: some requests are tests of what happens without it. */
  readonly fields: readonly Field[];
  readonly content: Content;
}

export interface ResponseMessage {
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly Field[];
  readonly content: Content;
}

export function writeRequest(writer: ByteWriter, message: RequestMessage): void {
  if (!isToken(message.method)) throw new TypeError(`not a method: ${JSON.stringify(message.method)}`);
  if (!isTarget(message.target)) throw new TypeError(`not a request target: ${JSON.stringify(message.target)}`);
  if (message.content.kind === "close") throw new TypeError("the end of a connection cannot end a request");
  writer.ascii(message.method);
  writer.ascii(" ");
  writer.ascii(message.target);
  writer.ascii(" HTTP/1.1\r\n");
  writeFields(writer, message.fields);
  writeContent(writer, message.content);
}

export function writeResponse(writer: ByteWriter, message: ResponseMessage): void {
  const { status } = message;
  if (!Number.isInteger(status) || status < 100 || status > 599) throw new TypeError(`not a status: ${status}`);
  if (!isFieldValue(message.reason)) throw new TypeError(`not a reason phrase: ${JSON.stringify(message.reason)}`);
  writer.ascii("HTTP/1.1 ");
  writer.decimal(status);
  writer.ascii(" ");
  writer.ascii(message.reason);
  writer.crlf();
  writeFields(writer, message.fields);
  writeContent(writer, message.content);
}

export function serialiseRequest(message: RequestMessage): Buffer {
  const writer = new ByteWriter(512);
  writeRequest(writer, message);
  return writer.bytes.subarray(0, writer.length);
}

export function serialiseResponse(message: ResponseMessage): Buffer {
  const writer = new ByteWriter(512);
  writeResponse(writer, message);
  return writer.bytes.subarray(0, writer.length);
}

function writeFields(writer: ByteWriter, fields: readonly Field[]): void {
  for (const [name, value] of fields) {
    if (/^(?:content-length|transfer-encoding)$/i.test(name)) throw new TypeError(`${name} follows from the content`);
    writeField(writer, name, value);
  }
}

function writeField(writer: ByteWriter, name: string, value: string): void {
  if (!isToken(name)) throw new TypeError(`not a field name: ${JSON.stringify(name)}`);
  if (!isFieldValue(value)) throw new TypeError(`not a value for ${name}: ${JSON.stringify(value)}`);
  writer.ascii(name);
  writer.ascii(": ");
  writer.ascii(value);
  writer.crlf();
}

function writeContent(writer: ByteWriter, content: Content): void {
  switch (content.kind) {
    case "none":
      writer.crlf();
      return;
    case "length":
      writeLength(writer, content.bytes.length);
      writer.copy(content.bytes, 0, content.bytes.length);
      return;
    case "declared":
      writeLength(writer, content.length);
      return;
    case "close":
      writer.crlf();
      writer.copy(content.bytes, 0, content.bytes.length);
      return;
    case "chunked":
      writer.ascii("Transfer-Encoding: chunked\r\n\r\n");
      for (const chunk of content.chunks) {
        if (chunk.length === 0) continue;
        writeChunkHead(writer, chunk.length);
        writer.copy(chunk, 0, chunk.length);
        writer.crlf();
      }
      writer.ascii("0\r\n");
      writeFields(writer, content.trailers);
      writer.crlf();
  }
}

function writeLength(writer: ByteWriter, length: number): void {
  if (!Number.isSafeInteger(length) || length < 0) throw new TypeError(`not a length: ${length}`);
  writer.ascii("Content-Length: ");
  writer.decimal(length);
  writer.ascii("\r\n\r\n");
}
