/**
 * The head of a response that came over HTTP/2, as the HTTP/1.1 bytes that the gateway reads (RFC 9113 §8.3.2). They are
 * read again by the parser that reads every origin's bytes, so nothing is taken on trust here. Refused is all that could
 * mean something else in HTTP/1.1: a line end inside a value, a name that is none, a field that belongs to a connection,
 * a status that changes the protocol.
 *
 * The head says `Connection: close`: what the gateway holds is a stream, which never carries a second exchange.
 *
 * The bytes stand in one buffer for all connections, with the rooms around them that a socket's bytes have
 * (kernel/socket.ts); they are valid until the next head is begun.
 */
import { ByteWriter } from "../http1/writer.ts";
import { HEAD_ROOM, TAIL_ROOM } from "../kernel/socket.ts";
import type { HeaderField } from "./header-field.ts";
import { phraseOf } from "./phrases.ts";
import { faultOf } from "./request-head.ts";

/** How the body is delimited in the bytes behind the head. */
export type OriginFraming = "none" | "length" | "chunked";

/** What the services' limits allow is far below; this bounds what a header list may grow to before they are asked. */
const HEAD_BYTES_MAX = 512 * 1024;

export class OriginHead {
  status = 0;
  framing: OriginFraming = "none";
  /** Why it is no response; empty: nothing is wrong so far. */
  why = "";
  /** More than anybody allows. */
  tooLarge = false;
  readonly #writer = new ByteWriter(HEAD_ROOM + 8 * 1024 + TAIL_ROOM);
  #length: string | null = null;
  #isTrailer = false;
  /** Of gRPC. */
  #isCall = false;

  /** A final or an interim head. */
  begin(): void {
    this.#start(false);
  }

  /** Trailer fields, which end a chunked body. */
  beginTrailers(): void {
    this.#start(true);
    this.#writer.ascii("0\r\n");
  }

  get bytes(): Buffer {
    return this.#writer.bytes;
  }

  /** What it says of its content; -1: nothing, or nothing that can be believed. */
  get contentLength(): number {
    return this.#length !== null && /^\d{1,15}$/.test(this.#length) ? Number(this.#length) : -1;
  }

  get start(): number {
    return HEAD_ROOM;
  }

  get end(): number {
    return this.#writer.length;
  }

  onField({ name, value }: HeaderField): void {
    if (this.why !== "") return;
    if (name === ":status" && !this.#isTrailer) {
      this.#statusLine(value);
      return;
    }
    if (name.startsWith(":")) this.why = `the pseudo-field ${name}, which no response has there`;
    else if (!this.#isTrailer && this.status === 0) this.why = "a field before :status, or no :status at all";
    else if (faultOf(name, value) !== null) this.why = `the field ${name.slice(0, 64)} (${faultOf(name, value)})`;
    else if (name === "content-length" && !this.#isTrailer) this.#takeLength(value);
    else {
      if (name === "content-type") this.#isCall = value.startsWith("application/grpc");
      this.#line(name, value);
    }
  }

  /** All fields of a head have come. `ends`: so has the response. */
  finish(method: string, ends: boolean): void {
    const writer = this.#writer;
    if (this.why !== "") return;
    if (this.status === 0) this.why = "no :status";
    else if (this.status < 200) this.#finishInterim(ends);
    else {
      this.#frame(method, ends);
      writer.ascii("connection: close\r\n");
    }
    writer.crlf();
    writer.ensure(TAIL_ROOM);
  }

  finishTrailers(): void {
    this.#writer.crlf();
    this.#writer.ensure(TAIL_ROOM);
  }

  /** The 101 that a WebSocket over HTTP/1.1 begins with, for the 2xx that it begins with here (RFC 8441 §5). */
  finishTunnel(accept: string): void {
    const writer = this.#writer;
    const fields = writer.bytes.latin1Slice(HEAD_ROOM, writer.length);
    writer.length = HEAD_ROOM;
    writer.ascii("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n");
    if (accept !== "") writer.ascii(`sec-websocket-accept: ${accept}\r\n`);
    for (const line of fields.split("\r\n").slice(1)) {
      if (line !== "" && !line.startsWith("sec-websocket-accept:")) writer.ascii(`${line}\r\n`);
    }
    writer.crlf();
    writer.ensure(TAIL_ROOM);
  }

  #start(isTrailer: boolean): void {
    this.status = 0;
    this.framing = "none";
    this.why = "";
    this.tooLarge = false;
    this.#length = null;
    this.#isCall = false;
    this.#isTrailer = isTrailer;
    this.#writer.length = HEAD_ROOM;
  }

  #statusLine(value: string): void {
    if (this.status !== 0) this.why = "a second :status";
    else if (!/^[1-9]\d\d$/.test(value)) this.why = "a :status that is no status";
    // RFC 9113 §8.6.
    else if (value === "101") this.why = "status 101, which HTTP/2 does not know";
    else {
      this.status = Number(value);
      this.#writer.ascii(`HTTP/1.1 ${value} ${phraseOf(this.status)}\r\n`);
    }
  }

  /** It is written with the framing; the same length twice is said once. */
  #takeLength(value: string): void {
    if (this.#length !== null && this.#length !== value) this.why = "two lengths";
    this.#length = value;
  }

  #finishInterim(ends: boolean): void {
    if (ends) this.why = `status ${this.status} with the end of the stream`;
    else if (this.#length !== null) this.why = "an interim response with a length";
  }

  #frame(method: string, ends: boolean): void {
    const { status } = this;
    const hasNone = method === "HEAD" || status === 204 || status === 304;
    if (!hasNone && ends) {
      this.#length ??= "0";
      if (!/^0+$/.test(this.#length)) this.why = `a length of ${this.#length.slice(0, 20)} and no content`;
    }
    // Behind content of a declared length HTTP/1.1 has no trailers, and a call without its trailers has no outcome.
    const chunked = !hasNone && !ends && (this.#length === null || this.#isCall);
    if (!hasNone && !ends) this.framing = chunked ? "chunked" : "length";
    if (chunked) this.#line("transfer-encoding", "chunked");
    else if (this.#length !== null) this.#line("content-length", this.#length);
  }

  #line(name: string, value: string): void {
    const writer = this.#writer;
    if (writer.length - HEAD_ROOM + name.length + value.length > HEAD_BYTES_MAX) {
      this.tooLarge = true;
      this.why = "more bytes than any head may have";
      return;
    }
    writer.ascii(name);
    writer.ascii(": ");
    writer.ascii(value);
    writer.crlf();
  }
}
