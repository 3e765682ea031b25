/**
 * Which streams a client has opened on its connection, and which of those there were it may not yet know the end of:
 * frames that were on their way to them are no fault (RFC 9113 §5.1, §6.8).
 */
import { WINDOW_MAX } from "./frames.ts";
import { NumberedLine } from "./numbered-line.ts";
import type { StreamPort } from "./stream-port.ts";

/** Streams that we reset lately: what was on its way to them is no fault. */
const REMEMBERED = 128;

export class OpenStreams {
  /** The highest number that was used. */
  last = 0;
  /** Set by the last GOAWAY: requests behind it were never there. */
  lastTaken: number = WINDOW_MAX;
  readonly #open = new NumberedLine<StreamPort>();
  readonly #reset: number[] = [];

  get size(): number {
    return this.#open.size;
  }

  get(id: number): StreamPort | null {
    return this.#open.get(id);
  }

  all(): Iterable<StreamPort> {
    return this.#open;
  }

  add(stream: StreamPort): void {
    this.#open.add(stream);
  }

  remove(stream: StreamPort): void {
    this.#open.delete(stream);
  }

  /** Its client hears by RST_STREAM that it is no more. */
  rememberReset(id: number): void {
    this.#reset.push(id);
    if (this.#reset.length > REMEMBERED) this.#reset.shift();
  }

  /** Nobody has opened it (§5.1): it is behind the last one, or one of ours, of which there are none. */
  isIdle(id: number): boolean {
    return id > this.last || (id & 1) === 0;
  }

  /** It was ours to end it, so that a client which sends to it may not know yet. */
  isForgiven(id: number): boolean {
    return this.#reset.includes(id) || id > this.lastTaken;
  }
}
