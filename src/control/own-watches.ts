/** What is watched of the gateway's own processes: whether one stands still, and which of its limits it has all but reached. */
import type { SecondFact } from "../contract/facts.ts";
import type { Anomaly } from "./anomaly.ts";
import { wallOf } from "./fact-sums.ts";

interface OwnWatch {
  seenAt: number;
  /** Epoch seconds of the last stalls. */
  stalls: number[];
  wallSince: number;
  wallSeconds: number;
  wall: string;
}

const STALL_MS = 250;
const STALLS_OF_TEN = 3;
const WALL_S = 3;

export class OwnWatches {
  readonly #watches = new Map<string, OwnWatch>();

  look(fact: SecondFact, now: number): void {
    const teller = `${fact.node}/${fact.worker}`;
    let watch = this.#watches.get(teller);
    if (watch === undefined) {
      watch = { seenAt: 0, stalls: [], wallSince: 0, wallSeconds: 0, wall: "" };
      this.#watches.set(teller, watch);
    }
    const { own } = fact;
    watch.seenAt = now;
    if (own.loopDelayMaxMs >= STALL_MS) watch.stalls.push(fact.at);
    while (watch.stalls.length > 0 && (watch.stalls[0] ?? 0) <= fact.at - 60_000) watch.stalls.shift();
    const wall = wallOf(own);
    if (wall === "") watch.wallSeconds = 0;
    else {
      if (watch.wallSeconds === 0) watch.wallSince = fact.at;
      watch.wallSeconds += 1;
      watch.wall = wall;
    }
  }

  /** Whoever has told nothing since then has left. */
  forget(before: number): void {
    for (const [teller, { seenAt }] of this.#watches) if (seenAt < before) this.#watches.delete(teller);
  }

  anomalies(now: number): Anomaly[] {
    const found: Anomaly[] = [];
    for (const [teller, { stalls, wallSeconds, wallSince, wall }] of this.#watches) {
      const first = stalls[stalls.length - STALLS_OF_TEN];
      const where = { worker: teller };
      if (first !== undefined && first > now - 10_000)
        found.push({ key: `stall\n${teller}`, kind: "stall", service: "", where, since: stalls[0] ?? first });
      if (wallSeconds >= WALL_S)
        found.push({
          key: `wall\n${teller}`,
          kind: "wall",
          service: "",
          where: { ...where, limit: wall },
          since: wallSince,
        });
    }
    return found;
  }

  /** The clock was set back. */
  goBack(earlier: (at: number) => number): void {
    for (const watch of this.#watches.values()) {
      watch.stalls = watch.stalls.map(earlier);
      watch.wallSince = earlier(watch.wallSince);
      watch.seenAt = earlier(watch.seenAt);
    }
  }
}
