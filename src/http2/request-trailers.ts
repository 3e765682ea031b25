/**
 * Trailer fields of a request into those of a chunked body (RFC 9113 §8.1). The same rules hold as for a head, and no
 * pseudo-field may be among them. Which of them may travel on is decided where all trailers are read
 * (http1/trailers.ts).
 */
import type { RefusalId } from "../http1/refusals.ts";
import { ByteWriter } from "../http1/writer.ts";
import { HEAD_ROOM, TAIL_ROOM } from "../kernel/socket.ts";
import type { HeaderField } from "./header-field.ts";
import { faultOf } from "./request-head.ts";

export class RequestTrailers {
  refusal: RefusalId | null = null;
  readonly #writer = new ByteWriter(HEAD_ROOM + 1024 + TAIL_ROOM);
  #bytesMax = 0;

  begin(bytesMax: number): void {
    this.refusal = null;
    this.#bytesMax = bytesMax;
    this.#writer.length = HEAD_ROOM;
    this.#writer.ascii("0\r\n");
  }

  get start(): number {
    return HEAD_ROOM;
  }

  get end(): number {
    return this.#writer.length;
  }

  get bytes(): Buffer {
    return this.#writer.bytes;
  }

  onField({ name, value }: HeaderField): void {
    if (this.refusal !== null) return;
    this.refusal = name.startsWith(":") ? "h2-pseudo-in-trailers" : faultOf(name, value);
    const writer = this.#writer;
    if (this.refusal === null && writer.length - HEAD_ROOM + name.length + value.length > this.#bytesMax) {
      this.refusal = "trailer-too-large";
    }
    if (this.refusal === null) writer.ascii(`${name}: ${value}\r\n`);
  }

  finish(): void {
    this.#writer.crlf();
    this.#writer.ensure(TAIL_ROOM);
  }
}
