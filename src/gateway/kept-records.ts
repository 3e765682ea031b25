/**
 * Copies of the records that this worker keeps, on their way to the process that shows all workers as one gateway: so
 * lists need no worker's answer, and what a worker saw before it crashed can still be explained. Within a bound: of more
 * than a second should carry the copies are left out and counted, while this worker keeps its own.
 */
import type { ToHub } from "../contract/shared-knowledge.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import type { Clock, Schedule } from "../kernel/clock.ts";

interface KeptPorts {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly send: (message: ToHub) => void;
}

const BATCH_MS = 100;
/** In a second; of those that were simply served fewer, so that they never push out the others. */
const PER_SECOND = 300;
const SERVED_PER_SECOND = 50;

export class KeptRecords {
  readonly #ports: KeptPorts;
  #waiting: ExchangeRecord[] = [];
  #leftOut = 0;
  #secondBegan = -Infinity;
  #count = 0;
  #served = 0;

  constructor(ports: KeptPorts) {
    this.#ports = ports;
  }

  keep(record: ExchangeRecord): void {
    const now = this.#ports.clock.monotonic();
    if (now - this.#secondBegan >= 1_000) {
      this.#secondBegan = now;
      this.#count = 0;
      this.#served = 0;
    }
    const isServed = record.outcome === "served";
    if (this.#waiting.length === 0 && this.#leftOut === 0) this.#ports.schedule(BATCH_MS, () => this.#flush());
    if (this.#count >= PER_SECOND || (isServed && this.#served >= SERVED_PER_SECOND)) {
      this.#leftOut += 1;
      return;
    }
    this.#count += 1;
    if (isServed) this.#served += 1;
    this.#waiting.push(record);
  }

  #flush(): void {
    const records = this.#waiting;
    const leftOut = this.#leftOut;
    this.#waiting = [];
    this.#leftOut = 0;
    this.#ports.send({ kind: "kept", records, leftOut });
  }
}
