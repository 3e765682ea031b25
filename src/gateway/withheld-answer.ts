/**
 * An origin's answer that must not leave yet: it is collected until it is stored. The head is kept as it came, because
 * the answer may still have to be passed on as it comes; what is stored has the framing of a body that is whole.
 */
import { FIELD } from "../http1/field-ids.ts";
import type { MessageHead } from "../http1/head.ts";
import { ByteWriter } from "../http1/writer.ts";
import { httpDate } from "./http-date.ts";
import { readResponseHeadAgain } from "./read-head-again.ts";
import type { LedgerAnswer } from "../kernel/ledger.ts";

/** All answers that are being collected share this. */
export interface ReceivingBudget {
  bytes: number;
  bytesMax: number;
}

export class WithheldAnswer {
  readonly status: number;
  readonly head: Buffer;
  /** What the gateway adds for the client that is waiting. */
  readonly lines: string;
  readonly retryAfter: boolean;
  readonly pieces: Buffer[] = [];
  bytes = 0;
  readonly #budget: ReceivingBudget;

  constructor(head: MessageHead, lines: string, budget: ReceivingBudget) {
    this.status = head.status;
    this.head = Buffer.from(head.bytes.subarray(head.headStart, head.headEnd));
    this.lines = lines;
    this.retryAfter = head.find(FIELD.RETRY_AFTER) !== -1;
    this.#budget = budget;
  }

  add(bytes: Buffer, start: number, end: number): void {
    this.pieces.push(Buffer.from(bytes.subarray(start, end)));
    this.bytes += end - start;
    this.#budget.bytes += end - start;
  }

  get overBudget(): boolean {
    return this.#budget.bytes > this.#budget.bytesMax;
  }

  /**
   * As it is stored and given again. `wall` dates an answer that its origin did not date (RFC 9110 §6.6.1). `request`:
   * the fingerprint of what it answers.
   */
  whole(method: string, request: string, wall: number): LedgerAnswer {
    const writer = new ByteWriter(this.head.length + 64);
    readResponseHeadAgain(this.head, method, (head) => writeWhole(writer, head, this.bytes, wall));
    return {
      request,
      status: this.status,
      head: Buffer.from(writer.bytes.subarray(0, writer.length)),
      body: Buffer.concat(this.pieces),
    };
  }

  release(): void {
    this.#budget.bytes -= this.bytes;
    this.bytes = 0;
    this.pieces.length = 0;
  }
}

function writeWhole(writer: ByteWriter, head: MessageHead, bodyBytes: number, wall: number): void {
  writer.ascii("HTTP/1.1 ");
  writer.decimal(head.status);
  writer.ascii(" ");
  writer.copy(head.bytes, head.reasonStart, head.reasonEnd);
  writer.crlf();
  for (let index = 0; index < head.fieldCount; index += 1) {
    const id = head.id(index);
    // Trailers are not stored, so they are not announced either.
    const dropped = id === FIELD.CONTENT_LENGTH || id === FIELD.X_REQUEST_ID || id === FIELD.TRAILER;
    if (!dropped && !head.hopByHop(index)) writer.copy(head.bytes, head.lineStart(index), head.lineEnd(index));
  }
  if (head.find(FIELD.DATE) === -1) writer.ascii(`Date: ${httpDate(wall)}\r\n`);
  // RFC 9110 §8.6: no Content-Length in a 204; a 304 would announce a body that others have.
  if (head.status !== 204 && head.status !== 304) writer.ascii(`Content-Length: ${bodyBytes}\r\n`);
  writer.crlf();
}
