/**
 * An answer that is at hand, given to a client: a stored response, the copy of an earlier answer, another client's
 * response while it comes. It is pulled piece by piece as the client takes it, so that a large one needs no more
 * memory than a small one and a slow client holds up nobody.
 */
import type { CauseId } from "../kernel/causes.ts";
import type { ClientResponse } from "./client-response.ts";

/** Where the body of an answer comes from. */
export interface AnswerBody {
  /** The next piece, which is the caller's to send and nobody's to change; `later`: `onMore` will be called. */
  pull(): Buffer | "later" | "end" | "broken";
  /** Set by whoever serves it. Called when `pull` has something again; never from inside `pull`. */
  onMore: () => void;
  /** Why it is broken, where that is known. */
  readonly failure?: { readonly cause: CauseId; readonly evidence: string } | null;
  /** Nobody wants the rest. */
  close(): void;
}

export interface StoredAnswer {
  /**
   * A whole response head as on the wire, status line to empty line, with the framing of its own body
   * (Content-Length, or Transfer-Encoding: chunked where the length is not known yet).
   */
  readonly head: Buffer;
  /** Complete lines to be added, such as Age and Cache-Status. */
  readonly lines: string;
  /** Null: the response has no body (HEAD, 204, 304). */
  readonly body: AnswerBody | null;
}

/** Pieces of body that lie in memory. */
export function answerOf(pieces: readonly Buffer[]): AnswerBody {
  let next = 0;
  return {
    pull() {
      const piece = pieces[next];
      next += 1;
      return piece ?? "end";
    },
    onMore: () => undefined,
    close() {
      next = pieces.length;
    },
  };
}

/** How far a turn of serving got: `full`: the client has to take some of it first. */
export type Served = "end" | "full" | "later" | "broken";

/** Small pieces are gathered up to this much before they leave together. */
const GATHERED_BYTES = 16 * 1024;

/** Gives the client as much as it takes now. `full` lets leave what was gathered, and tells whether that had to wait. */
export function serveSome(body: AnswerBody, response: ClientResponse, full: () => boolean): Served {
  let gathered = GATHERED_BYTES;
  for (;;) {
    if (gathered >= GATHERED_BYTES) {
      if (full()) return "full";
      gathered = 0;
    }
    const piece = body.pull();
    if (typeof piece === "string") return piece;
    gathered += piece.length;
    if (piece.length > 0) response.body(piece, 0, piece.length, false);
  }
}
