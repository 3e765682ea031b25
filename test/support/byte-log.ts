/**
 * Every byte that came, and promises for "until it looks like this". Raw clients and raw origins share it:
 * a test waits for what arrived, never for time. A wait that cannot come true any more (the peer ended or
 * the connection closed) fails at once with what did arrive, so a broken test says why.
 */
export interface ByteLog {
  /** All bytes so far, one character for each (latin1), so that binary survives comparisons. */
  readonly text: string;
  readonly bytes: number;
  /** Why nothing more will come, or null while more may come. */
  readonly ended: string | null;
  append(chunk: Buffer): void;
  end(reason: string): void;
  /**
   * Resolves with what `pick` returns as soon as that is not null. `pick` sees all bytes as text and is asked
   * again after every chunk. `what` names the wait in the error.
   */
  until<T>(what: string, pick: (text: string) => T | null): Promise<T>;
}

/** Text beyond this is counted, not kept: nobody compares long bodies as text. */
const KEPT_BYTES_MAX = 8 * 1024 * 1024;

interface Wait {
  what: string;
  check: () => boolean;
  fail: (reason: string) => void;
}

export function createByteLog(): ByteLog {
  let text = "";
  let bytes = 0;
  let ended: string | null = null;
  let waits: Wait[] = [];

  function recheck(): void {
    waits = waits.filter((wait) => !wait.check());
    if (ended === null) return;
    const lost = waits;
    waits = [];
    for (const wait of lost) wait.fail(`${wait.what}: ${ended}; got ${describe(text, bytes)}`);
  }

  return {
    get text(): string {
      return text;
    },
    get bytes(): number {
      return bytes;
    },
    get ended(): string | null {
      return ended;
    },
    append(chunk): void {
      bytes += chunk.length;
      if (text.length < KEPT_BYTES_MAX) text += chunk.toString("latin1");
      if (waits.length > 0) recheck();
    },
    end(reason): void {
      ended ??= reason;
      recheck();
    },
    until(what, pick) {
      return new Promise((resolve, reject) => {
        waits.push({
          what,
          check(): boolean {
            const found = pick(text);
            if (found === null) return false;
            resolve(found);
            return true;
          },
          fail(reason): void {
            reject(new Error(reason));
          },
        });
        recheck();
      });
    },
  };
}

function describe(text: string, bytes: number): string {
  return bytes === 0 ? "nothing" : `${bytes} bytes: ${JSON.stringify(text.slice(0, 600))}`;
}
