/** The records of all workers that are worth keeping, as copies: what failed and what was served each within its bound. */
import { listMatching } from "../contract/exchange-filter.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import type { ExchangeFilter } from "../contract/view.ts";
import { Ring } from "../kernel/ring.ts";

export class KeptShelf {
  readonly #failed: Ring<ExchangeRecord>;
  readonly #served: Ring<ExchangeRecord>;

  constructor(failedMax: number, servedMax: number) {
    this.#failed = new Ring(failedMax);
    this.#served = new Ring(servedMax);
  }

  add(records: readonly ExchangeRecord[]): void {
    for (const record of records) (record.outcome === "served" ? this.#served : this.#failed).push(record);
  }

  find(id: string): ExchangeRecord | null {
    for (const record of this.#all()) if (record.id === id) return record;
    return null;
  }

  /** Newest first. */
  list(filter: ExchangeFilter): ExchangeRecord[] {
    return listMatching(this.#all(), filter);
  }

  *#all(): Generator<ExchangeRecord> {
    yield* this.#failed.newestFirst();
    yield* this.#served.newestFirst();
  }
}
