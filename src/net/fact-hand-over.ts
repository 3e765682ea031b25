/**
 * Facts on their way to the control process: a few batches under way, a few more waiting, and the rest is lost and
 * counted. The gateway must not grow because its control plane is slow, stopped or gone. What was under way when the
 * process died is handed over again; the other side knows what it had written down already.
 */
import type { FactBatch } from "../contract/control-messages.ts";
import type { Fact, TopologyFact } from "../contract/facts.ts";

/** Sent and not acknowledged. */
export const UNDER_WAY_MAX = 3;
/** Seconds that wait, while the other side starts again, say. */
export const WAITING_MAX = 10;
/** Events and changes that go with a second. */
const BESIDES_MAX = 500;

export class FactHandOver {
  /** Facts that found no room, since the start. */
  lost = 0;
  readonly #session: string;
  readonly #send: (batch: FactBatch) => void;
  #topology: TopologyFact | null = null;
  #isOpen = false;
  #number = 0;
  #next: Fact[] = [];
  #waiting: FactBatch[] = [];
  #underWay: FactBatch[] = [];

  constructor(session: string, send: (batch: FactBatch) => void) {
    this.#session = session;
    this.#send = send;
  }

  get underWay(): number {
    return this.#underWay.length;
  }

  /** Seconds that the other side has not taken, under way or waiting. */
  get notTaken(): number {
    return this.#underWay.length + this.#waiting.length;
  }

  /** Whether the other side took what it was given a second ago. */
  get keepsUp(): boolean {
    return this.#isOpen && this.#underWay.length < UNDER_WAY_MAX;
  }

  tell(fact: Fact): void {
    if (fact.kind === "topology") this.#topology = fact;
    // A second always fits: it is what batches are made for.
    if (fact.kind !== "second" && this.#next.length >= BESIDES_MAX) this.lost += 1;
    else this.#next.push(fact);
    if (fact.kind !== "second") return;
    this.#close();
    this.#pump();
  }

  /** Somebody is there who knows nothing of this gateway yet. */
  open(): void {
    const again = [...this.#underWay, ...this.#waiting];
    this.#underWay = [];
    this.#waiting = again;
    this.#bound();
    this.#isOpen = true;
    if (this.#topology !== null) this.#send(this.#batch([this.#topology], 0));
    this.#pump();
  }

  /** Nobody is there any more. */
  shut(): void {
    this.#isOpen = false;
  }

  acknowledge(number: number): void {
    this.#underWay = this.#underWay.filter((batch) => batch.number !== number);
    this.#pump();
  }

  /** What has not come to a second yet, for the end. */
  flush(): void {
    if (this.#next.length > 0) this.#close();
    this.#pump();
  }

  #close(): void {
    this.#number += 1;
    this.#waiting.push(this.#batch(this.#next, this.#number));
    this.#next = [];
    this.#bound();
  }

  #batch(facts: readonly Fact[], number: number): FactBatch {
    return { session: this.#session, number, facts };
  }

  #bound(): void {
    while (this.#waiting.length > WAITING_MAX) this.lost += this.#waiting.shift()?.facts.length ?? 0;
  }

  #pump(): void {
    while (this.#isOpen && this.#underWay.length < UNDER_WAY_MAX) {
      const batch = this.#waiting.shift();
      if (batch === undefined) return;
      this.#underWay.push(batch);
      this.#send(batch);
    }
  }
}
