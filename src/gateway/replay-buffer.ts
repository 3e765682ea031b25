/**
 * The part of a request body that has been received, kept for two reasons: the origin's connection may not be
 * ready yet (then it must be kept), and another attempt may need it (then it is kept while it is small).
 * A request never fails because it is too large to keep; it only loses the chance of a repeat, and says so.
 */

/** What all exchanges together may keep. */
export interface ReplayBudget {
  bytes: number;
  bytesMax: number;
}

export type Replayable = "yes" | "body-too-large" | "buffers-full";

export class ReplayBuffer {
  pieces: Buffer[] = [];
  bytes = 0;
  /** Why the body received so far could not be sent again, or `yes`. */
  replayable: Replayable = "yes";
  readonly #limit: number;
  readonly #budget: ReplayBudget;

  constructor(limit: number, budget: ReplayBudget) {
    this.#limit = limit;
    this.#budget = budget;
  }

  /** Copies `[start, end)`. With `must` the bytes are kept whatever the limits say, because nobody has them yet. */
  keep(source: Buffer, start: number, end: number, must: boolean): void {
    const length = end - start;
    if (this.replayable === "yes") {
      if (this.bytes + length > this.#limit) this.replayable = "body-too-large";
      else if (this.#budget.bytes + length > this.#budget.bytesMax) this.replayable = "buffers-full";
    }
    if (this.replayable !== "yes" && !must) {
      this.release();
      return;
    }
    const copy = Buffer.allocUnsafe(length);
    source.copy(copy, 0, start, end);
    // A small body is one piece; `push` would begin with room for seventeen.
    if (this.pieces.length === 0) this.pieces = [copy];
    else this.pieces.push(copy);
    this.bytes += length;
    this.#budget.bytes += length;
  }

  /** All pieces have been handed to an origin: what cannot be repeated anyway need not be kept. */
  sent(): void {
    if (this.replayable !== "yes") this.release();
  }

  release(): void {
    if (this.pieces.length === 0) return;
    this.#budget.bytes -= this.bytes;
    this.bytes = 0;
    // Emptying an array takes longer than making one.
    this.pieces = [];
  }
}
