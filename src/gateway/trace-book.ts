/**
 * Exchanges on their way to a collector of traces: those that failed or were rescued, all of them up to so many a
 * second, and the slowest. Apart from the samples of a second (fact-book.ts), of which a conclusion needs few and
 * which are written down: these are sent and forgotten.
 *
 * An outage makes as many of them as there are requests, so there is a bound, and how many it left out is told with
 * the last of the second. What fails in a way that nobody of this second failed in always has room.
 */
import type { ExchangeRecord } from "../contract/record.ts";

/** `leftOut`: of the second that ends with these. */
export type TellTraces = (records: readonly ExchangeRecord[], leftOut: number) => void;

/** Kinds of failure that are the first of their second, beyond the bound. */
const FIRST_MAX = 64;
/** So many are made into one message while the loop serves: a whole second of them would hold it up for 10 ms. */
const TOGETHER = 64;

export class TraceBook {
  readonly #perSecondMax: number;
  readonly #tell: TellTraces;
  #records: ExchangeRecord[] = [];
  #taken = 0;
  #leftOut = 0;

  constructor(perSecondMax: number, tell: TellTraces) {
    this.#perSecondMax = perSecondMax;
    this.#tell = tell;
  }

  add(record: ExchangeRecord, isFirst: boolean): void {
    // Refused before it belonged to any trace.
    if (record.traceId === "") return;
    if (this.#taken >= this.#perSecondMax + (isFirst ? FIRST_MAX : 0)) {
      this.#leftOut += 1;
      return;
    }
    this.#taken += 1;
    // One stays for the end of the second, which says what was left out.
    if (this.#records.length >= TOGETHER) this.#send(0);
    this.#records.push(record);
  }

  second(): void {
    if (this.#records.length > 0) this.#send(this.#leftOut);
    this.#taken = 0;
    this.#leftOut = 0;
  }

  #send(leftOut: number): void {
    const records = this.#records;
    this.#records = [];
    this.#tell(records, leftOut);
  }
}
