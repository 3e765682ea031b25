/**
 * The head of a response that the gateway wrote as HTTP/1.1 into a header block of HTTP/2: its status and its fields,
 * without those of an HTTP/1.1 connection (RFC 9113 §8.2.2). Values travel as they are: the parser that read them has
 * let no control byte pass.
 */
import { FIELD } from "../http1/field-ids.ts";
import type { MessageHead } from "../http1/head.ts";
import type { Trailer } from "../http1/trailers.ts";
import type { ByteWriter } from "../http1/writer.ts";
import { Span } from "./hpack-encoder.ts";
import type { HpackEncoder } from "./hpack-encoder.ts";

const name = new Span();
const value = new Span();

/** `status` in place of the head's own: a tunnel that HTTP/1.1 opens with 101 begins with 200 here (RFC 8441 §5). */
export function writeResponseBlock(writer: ByteWriter, encoder: HpackEncoder, head: MessageHead, status: number): void {
  encoder.begin(writer);
  encoder.status(writer, status);
  const opensTunnel = head.status === 101;
  for (let index = 0; index < head.fieldCount; index += 1) {
    if (head.hopByHop(index)) continue;
    if (opensTunnel && head.named(index, "sec-websocket-accept")) continue;
    name.set(head.bytes, head.nameStart(index), head.nameEnd(index));
    value.set(head.bytes, head.valueStart(index), head.valueEnd(index));
    encoder.field(writer, head.id(index), name, value);
  }
}

export function writeTrailerBlock(writer: ByteWriter, encoder: HpackEncoder, trailers: readonly Trailer[]): void {
  encoder.begin(writer);
  for (const trailer of trailers) {
    const text = Buffer.from(trailer.name + trailer.value, "latin1");
    name.set(text, 0, trailer.name.length);
    value.set(text, trailer.name.length, text.length);
    encoder.field(writer, FIELD.OTHER, name, value);
  }
}
