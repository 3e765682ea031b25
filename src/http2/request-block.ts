/**
 * The head of a request that the gateway wrote as HTTP/1.1 into a header block of HTTP/2 (RFC 9113 §8.3.1, RFC 8441 §4).
 * The request line and Host become pseudo-fields; what belongs to a connection stays behind. Values travel as they are:
 * the parser that read them has let no control byte pass.
 */
import { FIELD } from "../http1/field-ids.ts";
import type { MessageHead } from "../http1/head.ts";
import type { ByteWriter } from "../http1/writer.ts";
import { Span } from "./hpack-encoder.ts";
import type { HpackEncoder } from "./hpack-encoder.ts";

const WEBSOCKET_KEY = "sec-websocket-key";

/** Rows of the static table (RFC 7541, Appendix A). */
const AUTHORITY = 1;
const METHOD_GET = 2;
const METHOD_POST = 3;
const PATH = 4;
const SCHEME_HTTP = 6;
const SCHEME_HTTPS = 7;

const name = new Span();
const value = new Span();

/** The key of a request for a WebSocket, of which an HTTP/1.1 client wants proof; null: it is no such request. */
export function webSocketKey(head: MessageHead): string | null {
  if (!head.upgrade || head.method !== "GET") return null;
  if ((head.valueOf(FIELD.UPGRADE) ?? "").toLowerCase() !== "websocket") return null;
  return head.get(WEBSOCKET_KEY);
}

/** `opensTunnel`: as extended CONNECT, where both fields that prove a server of HTTP/1.1 have no place. */
export function writeRequestBlock(
  writer: ByteWriter,
  encoder: HpackEncoder,
  head: MessageHead,
  secure: boolean,
  opensTunnel: boolean,
): void {
  encoder.begin(writer);
  if (opensTunnel) {
    text(encoder, writer, METHOD_GET, ":method", "CONNECT");
    text(encoder, writer, 0, ":protocol", "websocket");
  } else if (head.method === "GET") encoder.indexed(writer, METHOD_GET);
  else if (head.method === "POST") encoder.indexed(writer, METHOD_POST);
  else text(encoder, writer, METHOD_GET, ":method", head.method);
  encoder.indexed(writer, secure ? SCHEME_HTTPS : SCHEME_HTTP);
  const { bytes } = head;
  value.set(bytes, head.targetStart, head.targetEnd);
  encoder.pseudo(writer, PATH, named(":path"), value);
  const host = head.find(FIELD.HOST);
  if (host !== -1 && head.valueEnd(host) > head.valueStart(host)) {
    value.set(bytes, head.valueStart(host), head.valueEnd(host));
    encoder.pseudo(writer, AUTHORITY, named(":authority"), value);
  }
  for (let index = 0; index < head.fieldCount; index += 1) {
    const id = head.id(index);
    if (id === FIELD.HOST) continue;
    // The gateway lets TE say `trailers` and nothing else, which is all that it may say here (§8.2.2).
    if (id !== FIELD.TE && head.hopByHop(index)) continue;
    if (opensTunnel && head.named(index, WEBSOCKET_KEY)) continue;
    name.set(bytes, head.nameStart(index), head.nameEnd(index));
    value.set(bytes, head.valueStart(index), head.valueEnd(index));
    encoder.field(writer, id, name, value);
  }
}

function text(encoder: HpackEncoder, writer: ByteWriter, row: number, field: string, content: string): void {
  const bytes = Buffer.from(content, "latin1");
  value.set(bytes, 0, bytes.length);
  encoder.pseudo(writer, row, named(field), value);
}

function named(field: string): Span {
  const bytes = NAMES[field] ?? NOTHING;
  return name.set(bytes, 0, bytes.length);
}

const NOTHING = Buffer.alloc(0);
const NAMES: Readonly<Record<string, Buffer>> = Object.fromEntries(
  [":method", ":protocol", ":path", ":authority"].map((field) => [field, Buffer.from(field, "latin1")]),
);
