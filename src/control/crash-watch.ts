/**
 * Which workers crash again and again, by what their supervisor tells of each end. Exchanges say nothing of it: what was
 * under way in a process that ends leaves no record, and its siblings serve on.
 *
 * Whether ends are a loop the supervisor decides (net/supervisor.ts): it knows its own starts and stops.
 */
import type { EventFact } from "../contract/facts.ts";
import type { Anomaly } from "./anomaly.ts";

interface Crashing {
  readonly node: string;
  readonly worker: number;
  /** When it ended, as far back as the loop goes; at most what makes one. */
  readonly ends: number[];
  /** Epoch ms of the first end of the loop; 0: it is none. */
  since: number;
}

export const CRASH_LOOP = "worker.crash-loop";
const ENDED = "worker.ended";
const RUNNING = "worker.running";
/** Of how many ends a loop is made, and how far they are apart at most. */
const ENDS_KEPT = 5;
const WITHIN_MS = 60_000;
/** One in a loop is tried again every half minute, or when it is its turn: of one that is not, its supervisor is gone. */
const FORGOTTEN_MS = 15 * 60_000;
const WORKERS_MAX = 1_000;

export class CrashWatch {
  readonly #crashing = new Map<string, Crashing>();

  heed({ node, worker, at, event }: EventFact): void {
    if (event.kind !== "gateway" || worker === 0) return;
    const key = `${node}/${worker}`;
    if (event.code === RUNNING) {
      this.#crashing.delete(key);
      return;
    }
    if (event.code !== ENDED && event.code !== CRASH_LOOP) return;
    let known = this.#crashing.get(key);
    if (known === undefined) {
      if (this.#crashing.size >= WORKERS_MAX) return;
      known = { node, worker, ends: [], since: 0 };
      this.#crashing.set(key, known);
    }
    while (known.since === 0 && (known.ends[0] ?? at) < at - WITHIN_MS) known.ends.shift();
    known.ends.push(at);
    if (known.ends.length > ENDS_KEPT) known.ends.shift();
    if (event.code === CRASH_LOOP && known.since === 0) known.since = known.ends[0] ?? at;
  }

  anomalies(now: number): Anomaly[] {
    const found: Anomaly[] = [];
    for (const [key, { since, ends }] of this.#crashing) {
      if (now - (ends.at(-1) ?? 0) > FORGOTTEN_MS) this.#crashing.delete(key);
      else if (since > 0)
        found.push({ key: `crash\n${key}`, kind: "crash", service: "", where: { worker: key }, since });
    }
    return found;
  }

  /** The clock was set back. */
  goBack(byMs: number): void {
    for (const one of this.#crashing.values()) {
      if (one.since > 0) one.since -= byMs;
      one.ends.splice(0, Infinity, ...one.ends.map((at) => at - byMs));
    }
  }
}
