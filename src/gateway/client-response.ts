/**
 * The one response that a client gets, wherever it comes from: an origin as it answers, another origin that goes on
 * where the first broke off, or an answer that was at hand. What has left is counted here, and whoever wants to keep
 * a copy listens here, so that it is the same bytes in the same order whatever their source.
 */
import type { ExchangeRecord } from "../contract/record.ts";
import type { MessageHead } from "../http1/head.ts";
import { writeChunkHead } from "../http1/writer.ts";
import type { SocketPort } from "../kernel/socket.ts";
import { clientFraming, writeLastChunk, writeResponseHead } from "./forward-response.ts";
import type { ClientFraming } from "./forward-response.ts";
import type { Gather } from "./gather.ts";

/** Hears a response as the client gets it, without the framing of the connection. */
export interface ResponseTap {
  /** The final head, as its origin sent it; valid until the call returns. */
  onHead(head: MessageHead): void;
  /** Body bytes; valid until the call returns. */
  onBody(bytes: Buffer, start: number, end: number): void;
  /** The response is complete. */
  onEnd(): void;
  /** It will not be: cut, or given up. Also comes when it never began. */
  onCut(): void;
}

export interface ResponseBeginning {
  /** Complete lines that the gateway adds to the request's id. */
  readonly lines: string;
  readonly keepAlive: boolean;
  readonly clientMinorVersion: 0 | 1;
}

export class ClientResponse {
  /** The head has been handed to the client. */
  begun = false;
  framing: ClientFraming = "as is";
  tap: ResponseTap | null = null;
  /** Body bytes of it so far, whoever got them. */
  bodyBytes = 0;
  /** The client has left, and somebody else wants the response all the same. */
  detached = false;
  readonly #gather: Gather;
  readonly #socket: SocketPort;
  readonly #record: ExchangeRecord;

  constructor(gather: Gather, socket: SocketPort, record: ExchangeRecord) {
    this.#gather = gather;
    this.#socket = socket;
    this.#record = record;
  }

  begin(head: MessageHead, { lines, keepAlive, clientMinorVersion }: ResponseBeginning): void {
    this.begun = true;
    this.framing = clientFraming(head, clientMinorVersion);
    this.tap?.onHead(head);
    if (this.detached) return;
    writeResponseHead(this.#gather.to(this.#socket), head, {
      requestId: this.#record.id,
      lines,
      framing: this.framing,
      keepAlive,
      clientMinorVersion,
    });
  }

  /** `shared`: the bytes lie in the buffer that is being read, with room around them. */
  body(bytes: Buffer, start: number, end: number, shared: boolean): void {
    this.tap?.onBody(bytes, start, end);
    this.bodyBytes += end - start;
    if (this.detached) return;
    this.#record.responseBytes += end - start;
    const chunked = this.framing === "chunked";
    if (chunked) writeChunkHead(this.#gather.to(this.#socket), end - start);
    this.#gather.body(this.#socket, bytes, start, end, chunked, shared);
  }

  /** `trailers`: null when there are none, or the client did not ask for them. */
  end(trailers: readonly { readonly name: string; readonly value: string }[] | null): void {
    const { tap } = this;
    this.tap = null;
    if (this.framing === "chunked" && !this.detached) writeLastChunk(this.#gather.to(this.#socket), trailers);
    tap?.onEnd();
  }

  /** It will not be completed: whoever listens has to know that what it has is not whole. */
  giveUp(): void {
    const { tap } = this;
    this.tap = null;
    tap?.onCut();
  }
}
