/** The parser under test, in the same words as `node-peer.ts`. */
import type { MessageHead } from "../../src/http1/head.ts";
import { RequestParser, ResponseParser } from "../../src/http1/parser.ts";
import type { MessageEvents, MessageLimits } from "../../src/http1/parser.ts";
import type { Message, Opinion } from "./node-peer.ts";

const LIMITS: MessageLimits = {
  headBytes: 65536,
  fields: 1000,
  lineBytes: 32768,
  chunkExtensionBytes: 4096,
  trailerBytes: 32768,
};

export function weReadRequests(text: string): Opinion {
  const scribe = new Scribe();
  const parser = new RequestParser(LIMITS, scribe);
  scribe.trailersOf = () => parser.trailers;
  const bytes = Buffer.from(text, "latin1");
  for (let at = 0; at < bytes.length && scribe.refusal === null && !parser.tunnel && !scribe.closing;) {
    at = parser.execute(bytes, at, bytes.length);
  }
  return scribe.opinion(parser.tunnel, parser);
}

export function weReadResponse(text: string, method: string): Opinion {
  const scribe = new Scribe();
  const parser = new ResponseParser(LIMITS, scribe);
  scribe.trailersOf = () => parser.trailers;
  parser.expect(method);
  const bytes = Buffer.from(text, "latin1");
  scribe.bytesLeft = bytes.length - parser.execute(bytes, 0, bytes.length);
  return scribe.opinion(parser.tunnel, parser);
}

class Scribe implements MessageEvents {
  readonly messages: Message[] = [];
  refusal: string | null = null;
  /** The last complete message ended the connection. */
  closing = false;
  /** What follows a response is for its connection's owner to judge; ours closes it. */
  bytesLeft = 0;
  trailersOf: () => readonly { readonly name: string; readonly value: string }[] | null = () => null;
  #head: { start: string; fields: string[]; keepAlive: boolean } | null = null;
  #body = "";

  onHead(head: MessageHead): void {
    const text = (start: number, end: number): string => head.bytes.toString("latin1", start, end);
    if (head.status > 0 && head.status < 200 && head.status !== 101) return;
    const start =
      head.status > 0
        ? `${head.status} ${text(head.reasonStart, head.reasonEnd)}`
        : `${head.method} ${text(head.targetStart, head.targetEnd)}`;
    const fields = Array.from({ length: head.fieldCount }, (_, index) => `${head.name(index)}: ${head.value(index)}`);
    this.#head = { start: `${start} 1.${head.minorVersion}`, fields, keepAlive: head.keepAlive };
    this.#body = "";
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    this.#body += bytes.toString("latin1", start, end);
  }

  onEnd(): void {
    this.#finishMessage();
  }

  onRefusal(id: string): void {
    this.refusal = id;
  }

  opinion(tunnel: boolean, parser: { finish(): string | null }): Opinion {
    if (this.refusal !== null) return { messages: this.messages, end: this.refusal };
    if (tunnel) {
      this.#finishMessage();
      return { messages: this.messages, end: "tunnel" };
    }
    if (this.bytesLeft > 0) return { messages: this.messages, end: "bytes left" };
    if (this.closing) return { messages: this.messages, end: "closed" };
    return { messages: this.messages, end: parser.finish() === null ? "clean" : "truncated" };
  }

  #finishMessage(): void {
    if (this.#head === null) return;
    const { start, fields, keepAlive } = this.#head;
    const trailers = (this.trailersOf() ?? []).map(({ name, value }) => `${name}: ${value}`);
    this.messages.push({ start, fields, body: this.#body, trailers });
    this.#head = null;
    if (!keepAlive) this.closing = true;
  }
}
