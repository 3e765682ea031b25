/**
 * What happened, as lines for people: the newest few hundred are kept, and a digest of all of them, so that two runs
 * can be told to be the same run.
 */
import type { Clock } from "../src/kernel/clock.ts";
import { Ring } from "../src/kernel/ring.ts";

const LINES_KEPT = 4_000;

export interface TraceLine {
  readonly atMs: number;
  readonly who: string;
  readonly what: string;
}

export class Trace {
  /** FNV-1a over every line. */
  digest = 0x811c9dc5;
  /** Hears each line as it is written. */
  onLine: ((line: TraceLine) => void) | null = null;
  readonly #clock: Clock & { readonly elapsedMs: number };
  readonly #lines = new Ring<TraceLine>(LINES_KEPT);

  constructor(clock: Clock & { readonly elapsedMs: number }) {
    this.#clock = clock;
  }

  note(who: string, what: string): void {
    const line: TraceLine = { atMs: this.#clock.elapsedMs, who, what };
    const text = `${line.atMs} ${who} ${what}`;
    let digest = this.digest;
    for (let at = 0; at < text.length; at += 1) digest = Math.imul(digest ^ text.charCodeAt(at), 0x01000193);
    this.digest = digest >>> 0;
    this.#lines.push(line);
    this.onLine?.(line);
  }

  /** Oldest first. `about`: words of which a line must have one; empty: any line. */
  last(count: number, about: readonly string[] = []): TraceLine[] {
    const found: TraceLine[] = [];
    for (const line of this.#lines.newestFirst()) {
      if (about.length > 0 && !about.some((word) => mentions(line, word))) continue;
      found.push(line);
      if (found.length >= count) break;
    }
    return found.reverse();
  }
}

export function lineInWords(line: TraceLine): string {
  return `${(line.atMs / 1000).toFixed(4).padStart(10)}s  ${line.who.padEnd(12)} ${line.what}`;
}

/** As a whole word: #1 is not #12. */
function mentions(line: TraceLine, word: string): boolean {
  const at = line.what.indexOf(word);
  if (at === -1) return line.who === word;
  const after = line.what.charCodeAt(at + word.length);
  return !(after >= 48 && after <= 57);
}
