/**
 * An origin's 5xx that is held back while another origin is asked (policies/answer-worth-retrying.ts). It is kept as it
 * came, up to a bound; of a larger one the connection is paused, so that nothing is lost and memory stays small. When
 * nothing better is found it is given to the client like any answer that is at hand.
 */
import type { MessageHead } from "../http1/head.ts";
import type { Attempt } from "./attempt.ts";
import type { ResponseHearer } from "./attempt-host.ts";
import type { Judgement } from "./judge.ts";
import type { OriginConnection } from "./origin-connection.ts";
import type { AnswerBody, StoredAnswer } from "./stored-answer.ts";

/** More of a body than this waits in the origin's socket. Error pages are small. */
const KEPT_BYTES = 64 * 1024;

export class HeldAnswer implements ResponseHearer, AnswerBody {
  readonly status: number;
  readonly attempt: Attempt;
  readonly judgement: Judgement;
  onMore: () => void = () => undefined;
  readonly #head: Buffer;
  readonly #lines: string;
  readonly #hasBody: boolean;
  readonly #gapMs: number;
  readonly #fault: (error: unknown) => void;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #state: "coming" | "complete" | "broken" = "coming";

  constructor(
    attempt: Attempt,
    head: MessageHead,
    judgement: Judgement,
    { lines, gapMs, onFault }: { lines: string; gapMs: number; onFault: (error: unknown) => void },
  ) {
    this.attempt = attempt;
    this.status = head.status;
    this.judgement = judgement;
    this.#head = Buffer.allocUnsafe(head.headEnd - head.headStart);
    head.bytes.copy(this.#head, 0, head.headStart, head.headEnd);
    this.#lines = lines;
    this.#hasBody = head.framing !== "none";
    this.#gapMs = gapMs;
    this.#fault = onFault;
  }

  /** It broke off, so it cannot be given to anybody. */
  get broken(): boolean {
    return this.#state === "broken";
  }

  /** As an answer at hand. */
  get answer(): StoredAnswer {
    return { head: this.#head, lines: this.#lines, body: this.#hasBody ? this : null };
  }

  // ------------------------------------------------------------------ from the origin

  onResponseBody(_attempt: Attempt, bytes: Buffer, start: number, end: number): void {
    const piece = Buffer.allocUnsafe(end - start);
    bytes.copy(piece, 0, start, end);
    this.#pieces.push(piece);
    this.#bytes += piece.length;
  }

  onResponseEnd(): void {
    this.#state = "complete";
    this.onMore();
  }

  onAttemptFailed(): void {
    this.#state = "broken";
    this.onMore();
  }

  onOriginTurnEnd(attempt: Attempt, connection: OriginConnection): void {
    if (attempt.connection !== connection) return;
    if (this.#bytes >= KEPT_BYTES) {
      connection.pause();
      connection.stopWaiting();
    }
    if (this.#bytes > 0) this.onMore();
  }

  onFault(error: unknown): void {
    this.#fault(error);
  }

  // ------------------------------------------------------------------ to the client

  pull(): Buffer | "later" | "end" | "broken" {
    const piece = this.#pieces.shift();
    if (piece !== undefined) {
      this.#bytes -= piece.length;
      return piece;
    }
    switch (this.#state) {
      case "complete":
        return "end";
      case "broken":
        return "broken";
      case "coming":
        this.#resume();
        return "later";
    }
  }

  /** Nobody wants it any more. What its origin did is known; only the rest of its answer is not waited for. */
  close(): void {
    this.#pieces = [];
    this.onMore = () => undefined;
    this.attempt.drop();
  }

  #resume(): void {
    const { connection } = this.attempt;
    if (connection === null) return;
    connection.resume();
    this.attempt.waitForMore(this.#gapMs);
  }
}
