/**
 * The two parsers: requests from what a client sends, responses from what an origin sends. How a message is
 * read in general is in `message-reader.ts`; here is what differs, above all what may stand before a message
 * and what its first byte already tells.
 */
import { CR, LF, SPACE, TAB, TOKEN } from "./grammar.ts";
import type { MessageHead } from "./head.ts";
import { MessageReader } from "./message-reader.ts";
import type { RefusalId } from "./refusals.ts";
import { judgeRequestHead } from "./request-head.ts";
import { METHOD, scanRequestLine } from "./request-line.ts";
import { judgeResponseHead, leavesHttp } from "./response-head.ts";
import { scanStatusLine, STATUS } from "./status-line.ts";

export interface MessageLimits {
  readonly headBytes: number;
  readonly fields: number;
  readonly lineBytes: number;
  readonly chunkExtensionBytes: number;
  readonly trailerBytes: number;
}

export interface MessageEvents {
  /** Offsets in `head` are valid until this returns. */
  onHead(head: MessageHead): void;
  /** Content, at least one byte, in place. */
  onBody(bytes: Buffer, start: number, end: number): void;
  onEnd(): void;
  onRefusal(id: RefusalId): void;
}

/** RFC 9112 §2.2 asks for at least one; old clients send a CRLF after content that does not count it. */
const EMPTY_LINES_MAX = 4;
/** The content type of a TLS handshake record (RFC 8446 §5.1). */
const TLS_HANDSHAKE = 0x16;

const LETTER_H = 72;
/** Content types of TLS records that a server sends to a client that does not speak TLS: alert and handshake. */
const TLS_ALERT = 0x15;
/** Interim heads for one request. More than any known server sends, far fewer than would keep a client waiting forever. */
const INTERIM_MAX = 128;

/** Requests (RFC 9112 §3). */
export class RequestParser extends MessageReader {
  protected readonly lineTooLong = "request-line-too-long";
  private emptyLines = 0;
  private afterCr = false;

  override reset(): void {
    super.reset();
    this.emptyLines = 0;
    this.afterCr = false;
  }

  protected begin(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end) {
      const byte = bytes[at] ?? 0;
      if (this.afterCr) {
        if (byte !== LF) return this.refuseAt(at, "bare-cr");
        this.afterCr = false;
      } else if (byte === CR) {
        this.emptyLines += 1;
        if (this.emptyLines > EMPTY_LINES_MAX) return this.refuseAt(at, "empty-lines");
        this.afterCr = true;
      } else if (TOKEN[byte] === 0) return this.refuseAt(at, this.faultAtStart(byte));
      else return this.readHead(bytes, at, end, METHOD);
      at += 1;
    }
    return at;
  }

  protected cut(): boolean {
    return this.afterCr;
  }

  protected scanStartLine(bytes: Buffer, from: number, end: number): number {
    return scanRequestLine(this.head, bytes, from, end);
  }

  protected judge(): RefusalId | null {
    return judgeRequestHead(this.head);
  }

  /** What follows a CONNECT head belongs to the tunnel that it asks for (RFC 9110 §9.3.6), whether it is granted or not. */
  protected leavesHttp(): boolean {
    return this.head.method === "CONNECT";
  }

  protected interim(): boolean {
    return false;
  }

  protected ended(): void {
    this.emptyLines = 0;
  }

  /** Refused at the first byte, so that a client which speaks another protocol does not wait for a timeout. */
  private faultAtStart(byte: number): RefusalId {
    if (byte === TLS_HANDSHAKE) return "tls-on-plain-port";
    if (byte === LF) return "bare-lf";
    if (byte === SPACE || byte === TAB) return "method-missing";
    // Version 2 of the PROXY protocol begins with CR LF CR LF NUL.
    return byte === 0 && this.emptyLines === 2 ? "proxy-protocol" : "not-http";
  }
}

/** Responses (RFC 9112 §4). What ends one depends on the request, so `expect` must say which one is due. */
export class ResponseParser extends MessageReader {
  protected readonly lineTooLong = "status-line-too-long";
  /** Method of the request whose response is due; null: none is. */
  private method: string | null = null;
  private interimHeads = 0;

  /** A request with this method has been sent: the next final response answers it. */
  expect(method: string): void {
    this.method = method;
    this.interimHeads = 0;
  }

  override reset(): void {
    super.reset();
    this.method = null;
  }

  protected begin(bytes: Buffer, start: number, end: number): number {
    if (this.method === null) return this.refuseAt(start, "response-unexpected");
    const byte = bytes[start] ?? 0;
    if (byte === LETTER_H) return this.readHead(bytes, start, end, STATUS);
    return this.refuseAt(start, byte === TLS_ALERT || byte === TLS_HANDSHAKE ? "tls-from-origin" : "response-not-http");
  }

  /** A response that is due and never began is no clean end either. */
  protected cut(): boolean {
    return this.method !== null;
  }

  protected scanStartLine(bytes: Buffer, from: number, end: number): number {
    return scanStatusLine(this.head, bytes, from, end);
  }

  protected judge(): RefusalId | null {
    if (this.head.status < 200) this.interimHeads += 1;
    if (this.interimHeads > INTERIM_MAX) return "too-many-interim";
    this.forbidsContent = this.head.status === 205;
    return judgeResponseHead(this.head, this.method ?? "");
  }

  protected leavesHttp(): boolean {
    return leavesHttp(this.head, this.method ?? "");
  }

  protected interim(): boolean {
    return this.head.status < 200;
  }

  protected ended(): void {
    this.method = null;
  }
}
