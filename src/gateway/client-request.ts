/**
 * The request of an exchange as its attempts send it: its head, kept when it may be needed again, and the part of its
 * body that came before an origin could take it or that another attempt may need. It knows no connection.
 */
import type { MessageHead } from "../http1/head.ts";
import type { Trailer } from "../http1/trailers.ts";
import type { Keyed } from "../policies/retry.ts";
import type { ClientEnd } from "./opening.ts";
import type { ReplayBudget } from "./replay-buffer.ts";
import { ReplayBuffer } from "./replay-buffer.ts";
import type { RequestDeadline } from "./request-deadline.ts";

export class ClientRequest {
  /** The client's connection, also when the client has left. */
  readonly from: ClientEnd;
  method = "";
  minorVersion: 0 | 1 = 1;
  /** It came over HTTP/2. */
  isStream = false;
  chunked = false;
  /** It has been received whole. */
  complete = false;
  /** It asks for a 100 before it sends its body (RFC 9110 §10.1.1), and has got none. */
  expectContinue = false;
  /** Complete lines that tell the origin who asks: X-Forwarded-* and Forwarded. */
  identityLines = "";
  keepTrace = false;
  /** The peer is a trusted proxy. */
  trusted = false;
  /** A gateway in front, which is trusted, says that it is strained. */
  reducedInFront = false;
  /** The protocols it asks to change to, lower case; empty: none that goes on to an origin. */
  upgrade = "";
  trailersWanted = false;
  /** What came behind its chunks and goes on; null: nothing. */
  trailers: readonly Trailer[] | null = null;
  /** A call of gRPC, by its content's type. */
  grpc = false;
  /** And it was sent to an origin that speaks HTTP/2: both sides may be silent for as long as they like. */
  streams = false;
  /** Complete lines that take the place of the client's own conditions and ranges; null: those go on as they are. */
  conditions: string | null = null;
  /** Body bytes received. */
  bodyBytes = 0;
  replay: ReplayBuffer | null = null;
  /** Until when an answer is of use. Null: no limit is known. */
  deadline: RequestDeadline | null = null;
  /** What fails can be sent elsewhere from here, so a Goodgate behind need not. */
  repeats = false;
  /** A Goodgate in front of this one repeats what fails here. */
  repeatedInFront = false;
  /** What tells it from requests that are not the same; empty until somebody asks. */
  fingerprint = "";
  /** It tries whether requests like it still break origins: one attempt, and no other. */
  onTrial = false;
  /** Whether it carries an idempotency key, and what that is worth. */
  keyed: Keyed = "no";
  /** The head as it came. Null: nobody may need it again. */
  head: Buffer | null = null;

  constructor(from: ClientEnd) {
    this.from = from;
  }

  /** It holds its body back until the origin asks for it: the origin's turn, not the client's. */
  get awaitsContinue(): boolean {
    return this.expectContinue && this.bodyBytes === 0;
  }

  /** What has been received can be sent again, to the last byte. */
  get kept(): boolean {
    return this.head !== null && (this.bodyBytes === 0 || this.replay?.bytes === this.bodyBytes);
  }

  keepHead(head: MessageHead | null): void {
    if (head === null || this.head !== null) return;
    this.head = Buffer.allocUnsafe(head.headEnd - head.headStart);
    head.bytes.copy(this.head, 0, head.headStart, head.headEnd);
  }

  /** `must`: no origin has these bytes, so they are kept whatever the limits say. */
  keepBody(bytes: Buffer, start: number, end: number, must: boolean, limit: number, budget: ReplayBudget): void {
    this.replay ??= new ReplayBuffer(limit, budget);
    this.replay.keep(bytes, start, end, must);
  }

  releaseBody(): void {
    this.replay?.release();
  }
}
