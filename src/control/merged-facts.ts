/**
 * The facts of several workers for the one control process. Seconds are counted by each and stay apart by their
 * `worker`; what happened to an origin, a name or the configuration happened once, whoever tells it first.
 */
import type { Fact } from "../contract/facts.ts";
import { MergedEvents } from "./merged-events.ts";

const SAME_MS = 5_000;
const KNOWN_MAX = 1_024;

export class MergedFacts {
  readonly #events = new MergedEvents();
  readonly #changes = new Map<string, number>();

  /** Null: it has been told. `now`: monotonic ms. */
  merge(fact: Fact, now: number): Fact | null {
    if (fact.kind === "event") {
      const event = this.#events.merge(fact.worker, fact.event, now);
      return event === null ? null : { ...fact, event };
    }
    if (fact.kind !== "change") return fact;
    const says = JSON.stringify([fact.what, fact.where, fact.text, fact.by]);
    const at = this.#changes.get(says);
    if (at !== undefined && now - at < SAME_MS) return null;
    this.#changes.delete(says);
    this.#changes.set(says, now);
    if (this.#changes.size > KNOWN_MAX) {
      for (const oldest of this.#changes.keys()) {
        this.#changes.delete(oldest);
        break;
      }
    }
    return fact;
  }
}
