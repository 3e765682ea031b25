/**
 * Clients that go on asking while something is done to the gateway: each in a loop of its own, until all are stopped. Who
 * changes something waits for rounds that began after it, never for a while.
 */
import { until } from "./until.ts";

export interface KeptUp {
  /** Resolves when every client has begun and ended that many more rounds. */
  rounds(more: number): Promise<void>;
  /** What went wrong, by client. Empty: nothing did. */
  readonly failures: readonly string[];
  stop(): Promise<void>;
}

/** So that clients which share two cores with the gateway leave some of them to it. */
const PAUSE_MS = 10;

export function keepUp(clients: Readonly<Record<string, () => Promise<unknown>>>): KeptUp {
  const failures: string[] = [];
  const done = new Map<string, number>();
  const stopping = new AbortController();

  async function run(name: string, round: () => Promise<unknown>): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await round();
      } catch (error) {
        failures.push(`${name}, round ${(done.get(name) ?? 0) + 1}: ${String(error)}`);
        return;
      }
      done.set(name, (done.get(name) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
  const loops = Object.entries(clients).map(([name, round]) => run(name, round));

  return {
    failures,
    async rounds(more) {
      // The round that is under way began before.
      const wanted = new Map(Object.keys(clients).map((name) => [name, (done.get(name) ?? 0) + more + 1]));
      await until(`${more} more rounds of every client`, () => {
        const isEnough = [...wanted].every(([name, count]) => (done.get(name) ?? 0) >= count);
        return isEnough || failures.length > 0 ? true : null;
      });
    },
    async stop() {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}
