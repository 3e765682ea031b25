/**
 * Clients that go on asking while something is done to the gateway: each in a loop of its own, until all are stopped. Who
 * changes something waits for rounds that began after it, never for a while.
 */
import { setTimeout } from "node:timers/promises";
import { until } from "./until.ts";

export interface KeptUp {
  /** Resolves when every client has begun and ended that many more rounds. */
  rounds(more: number): Promise<void>;
  /** What went wrong, by client. Empty: nothing did. */
  readonly failures: readonly string[];
  stop(): Promise<void>;
}

/** What a last round may take on a busy machine; one that takes longer is told, and not waited for. */
const LAST_ROUND_MS = 120_000;
/** So that clients which share two cores with the gateway leave some of them to it. */
const PAUSE_MS = 10;

export function keepUp(clients: Readonly<Record<string, () => Promise<unknown>>>): KeptUp {
  const failures: string[] = [];
  const done = new Map<string, number>();
  const stopping = new AbortController();

  const running = new Set(Object.keys(clients));

  async function loop(name: string, round: () => Promise<unknown>): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await round();
      } catch (error) {
        failures.push(`${name}, round ${(done.get(name) ?? 0) + 1}: ${String(error)}`);
        return;
      }
      done.set(name, (done.get(name) ?? 0) + 1);
      await setTimeout(PAUSE_MS);
    }
  }
  async function run(name: string, round: () => Promise<unknown>): Promise<void> {
    await loop(name, round);
    running.delete(name);
  }
  const loops = Object.entries(clients).map(([name, round]) => run(name, round));

  return {
    failures,
    async rounds(more) {
      // The round that is under way began before.
      const wanted = new Map(Object.keys(clients).map((name) => [name, (done.get(name) ?? 0) + more + 1]));
      const late = (): string[] =>
        [...wanted].flatMap(([name, count]) => ((done.get(name) ?? 0) >= count ? [] : [name]));
      const isSo = (): true | null => (late().length === 0 || failures.length > 0 ? true : null);
      await until(`${more} more rounds of every client`, isSo).catch((error: unknown) => {
        throw new Error(`${String(error)}; it lacks ${late().join(", ")}`, { cause: error });
      });
    },
    async stop() {
      stopping.abort();
      const timer = new AbortController();
      const tooLong = setTimeout(LAST_ROUND_MS, null, { signal: timer.signal }).catch(() => null);
      await Promise.race([Promise.all(loops), tooLong]);
      timer.abort();
      for (const name of running) failures.push(`${name}: its last round does not end`);
    },
  };
}
