/**
 * Streams whose content waits for a window or for the connection, and which of them has the next frame: the most urgent
 * one, as its client asked (RFC 9218 §10). Of several that are alike, those of use in pieces take turns frame by frame,
 * and of those that are of use only whole the oldest goes to its end first. A client that says nothing has all of its
 * streams take turns: to finish one download before a second one, or a stream of events, gets a byte is a wish and no
 * default.
 *
 * One frame in so many is out of that order and goes to whoever has waited longest, because a stream that gets nothing
 * at all is taken for one that nobody reads (§10 leaves that to servers).
 */
import { URGENCY } from "./priority.ts";
import type { Priority } from "./priority.ts";

/** What the order asks of a stream. */
export interface Waiting {
  readonly id: number;
  readonly closed: boolean;
  /** Bytes that its own window lets through. */
  readonly sendWindow: number;
  /** Null: nothing was said. */
  readonly priority: Priority | null;
}

/** One frame in so many goes to whoever has waited longest. */
export const OUT_OF_ORDER = 16;

export class SendOrder<Stream extends Waiting> {
  /** Who has waited longest comes first. */
  readonly #waiting: Stream[] = [];
  #frames = 0;

  /** Anything at all that may be able to send. */
  get any(): boolean {
    return this.#waiting.length > 0;
  }

  /** It waits, behind all others; it must not be waiting yet. */
  add(stream: Stream): void {
    this.#waiting.push(stream);
  }

  /** Whose frame is next, which does not wait any more; null: nobody can send. */
  take(): Stream | null {
    const waiting = this.#waiting;
    const isOutOfOrder = this.#frames % OUT_OF_ORDER === OUT_OF_ORDER - 1;
    let best: Stream | null = null;
    let kept = 0;
    // Those that are no more go by the way.
    for (const stream of waiting) {
      if (stream.closed) continue;
      waiting[kept] = stream;
      kept += 1;
      if (stream.sendWindow <= 0) continue;
      if (best === null || (!isOutOfOrder && goesBefore(stream, best))) best = stream;
    }
    waiting.length = kept;
    if (best === null) return null;
    this.#frames += 1;
    waiting.splice(waiting.indexOf(best), 1);
    return best;
  }
}

/** `other` has waited longer. */
function goesBefore(stream: Waiting, other: Waiting): boolean {
  const one = stream.priority?.urgency ?? URGENCY;
  const its = other.priority?.urgency ?? URGENCY;
  if (one !== its) return one < its;
  return isWhole(stream) && isWhole(other) && stream.id < other.id;
}

/** It is of use only when all of it is there. */
function isWhole({ priority }: Waiting): boolean {
  return priority !== null && !priority.incremental;
}
