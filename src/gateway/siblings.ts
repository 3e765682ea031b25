/**
 * The other workers of the node, as one of them sees them: news goes out in batches and comes in, and of all workers
 * one at a time has the turn to try something again. Nothing here is waited for: a turn that is not there yet is
 * asked for, and the request that asked goes elsewhere.
 *
 * The first news after a pause leaves with the turn of the event loop that made it; what follows within 50 ms waits
 * for that, so that an outage is told in twenty messages a second however many requests it hits.
 */
import type { FromHub, News, ToHub, TurnKey } from "../contract/shared-knowledge.ts";
import { newsKey, olderBy } from "../contract/news-keys.ts";
import type { Clock, Schedule } from "../kernel/clock.ts";

export interface Siblings {
  /** So many share the traffic, this one among them. */
  readonly sharers: number;
  /** Addresses are known now that may not have been before: what the others know of them is asked for. */
  hello(): void;
  /** What they know has been heard at least once. */
  readonly informed: boolean;
  tell(news: News): void;
  /** May this worker try it now? It may until it says `turnOver`. When not, it is asked for, once. */
  mayTry(turn: TurnKey): boolean;
  /** What was tried has come to an end, or never began. */
  turnOver(turn: TurnKey): void;
  /** Set by the gateway. */
  onNews: (news: readonly News[]) => void;
}

export interface SiblingPorts {
  readonly sharers: number;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly send: (message: ToHub) => void;
}

const BATCH_MS = 50;
/** What waits for the next batch; beyond it the oldest are dropped, and what they said is found out by each worker. */
const WAITING_MAX = 4_096;
/** A turn that was asked for and not given is asked for again. */
const ASK_AGAIN_MS = 1_000;
const TURNS_MAX = 4_096;

export class SiblingNews implements Siblings {
  onNews: (news: readonly News[]) => void = () => undefined;
  informed = false;
  readonly sharers: number;
  readonly #ports: SiblingPorts;
  #isGreeting = false;
  /** By what it is about: the newest says it all. */
  readonly #waiting = new Map<string, { readonly news: News; readonly at: number }>();
  #unnamed = 0;
  #flushedAt = -Infinity;
  #isDue = false;
  readonly #turns = new Map<TurnKey, { state: "asked" | "held" | "used"; at: number }>();

  constructor(ports: SiblingPorts) {
    this.#ports = ports;
    this.sharers = ports.sharers;
  }

  hello(): void {
    if (this.#isGreeting) return;
    this.#isGreeting = true;
    this.#ports.schedule(0, () => {
      this.#isGreeting = false;
      this.#ports.send({ kind: "hello" });
    });
  }

  tell(news: News): void {
    const now = this.#ports.clock.monotonic();
    const key = newsKey(news) ?? `#${(this.#unnamed += 1)}`;
    this.#waiting.delete(key);
    this.#waiting.set(key, { news, at: now });
    if (this.#waiting.size > WAITING_MAX) {
      for (const oldest of this.#waiting.keys()) {
        this.#waiting.delete(oldest);
        break;
      }
    }
    if (this.#isDue) return;
    this.#isDue = true;
    this.#ports.schedule(Math.max(0, this.#flushedAt + BATCH_MS - now), () => this.#flush());
  }

  mayTry(turn: TurnKey): boolean {
    const now = this.#ports.clock.monotonic();
    const known = this.#turns.get(turn);
    if (known !== undefined && known.state !== "asked") {
      known.state = "used";
      return true;
    }
    if (known !== undefined && now - known.at < ASK_AGAIN_MS) return false;
    if (known === undefined && this.#turns.size >= TURNS_MAX) this.#forgetAsked();
    this.#turns.set(turn, { state: "asked", at: now });
    this.#ports.send({ kind: "turn wanted", turn });
    return false;
  }

  turnOver(turn: TurnKey): void {
    const known = this.#turns.get(turn);
    if (known === undefined || known.state === "asked") return;
    this.#turns.delete(turn);
    // What came of it is told first: whoever gets the turn next must know.
    this.#flush();
    this.#ports.send({ kind: "turn over", turn });
  }

  hear(message: Extract<FromHub, { kind: "news" | "turn" | "turn recalled" }>): void {
    switch (message.kind) {
      case "news":
        this.informed = true;
        this.onNews(message.news);
        return;
      case "turn":
        this.#turns.set(message.turn, { state: "held", at: this.#ports.clock.monotonic() });
        return;
      case "turn recalled":
        if (this.#turns.get(message.turn)?.state !== "used") {
          this.#turns.delete(message.turn);
          this.#ports.send({ kind: "turn over", turn: message.turn });
        }
    }
  }

  #flush(): void {
    this.#isDue = false;
    if (this.#waiting.size === 0) return;
    const now = this.#ports.clock.monotonic();
    this.#flushedAt = now;
    const news = [...this.#waiting.values()].map((waiting) => olderBy(waiting.news, now - waiting.at));
    this.#waiting.clear();
    this.#ports.send({ kind: "news", news });
  }

  #forgetAsked(): void {
    for (const [turn, { state }] of this.#turns) if (state === "asked") this.#turns.delete(turn);
  }
}
