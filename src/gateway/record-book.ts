/**
 * The records that are kept: every failed, rescued, refused or aborted exchange, the slowest of late, and a sample
 * of the rest; each within its bound, so that a flood of one kind cannot push out the others. Who wants all of
 * them reads the access log.
 */
import { listMatching } from "../contract/exchange-filter.ts";
import type { ExchangeFilter, GatewayEvent } from "../contract/view.ts";
import type { RecordSettings } from "../config/settings.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import type { Chance } from "../kernel/clock.ts";
import { Ring } from "../kernel/ring.ts";
import type { FactBook } from "./fact-book.ts";

/** Records older than this no longer count among the slowest. */
const SLOWEST_FOR_MS = 600_000;

export class RecordBook {
  /** Hears of each record that is kept. Set where another process keeps copies. */
  onKept: ((record: ExchangeRecord) => void) | null = null;
  /** Exchanges that ended, since start. */
  total = 0;
  #failed: Ring<ExchangeRecord>;
  #sampled: Ring<ExchangeRecord>;
  readonly #slowest: { record: ExchangeRecord; at: number }[] = [];
  #settings: RecordSettings;
  readonly #chance: Chance;
  /** Gets every record. It must not keep it. */
  log: ((record: ExchangeRecord) => void) | null;
  readonly #facts: FactBook | null;
  /** The exchange, by its number, that is the next to stand for the clients that are served; never without facts. */
  #sampleAt: number;
  readonly #listeners = new Set<(event: GatewayEvent) => void>();

  /** `facts`: null when nobody draws conclusions. */
  constructor(
    settings: RecordSettings,
    chance: Chance,
    log: ((record: ExchangeRecord) => void) | null,
    facts: FactBook | null = null,
  ) {
    this.#settings = settings;
    this.#chance = chance;
    this.log = log;
    this.#facts = facts;
    this.#sampleAt = facts === null ? Infinity : 0;
    this.#failed = new Ring(settings.failedMax);
    this.#sampled = new Ring(settings.sampledMax);
  }

  /** The newest stay, as far as there is room for them. */
  configure(settings: RecordSettings): void {
    const { failedMax, sampledMax, slowestMax } = settings;
    if (failedMax !== this.#settings.failedMax) this.#failed = ringOf(failedMax, this.#failed);
    if (sampledMax !== this.#settings.sampledMax) this.#sampled = ringOf(sampledMax, this.#sampled);
    if (this.#slowest.length > slowestMax) this.#slowest.length = slowestMax;
    this.#settings = settings;
  }

  add(record: ExchangeRecord, now: number): void {
    this.total += 1;
    this.log?.(record);
    if (record.outcome !== "served") {
      this.#failed.push(record);
      this.#facts?.failed(record);
      this.onKept?.(record);
    } else {
      if (this.#addSlowest(record, now)) {
        this.#facts?.slow(record);
        this.onKept?.(record);
      } else if (this.#chance() < this.#settings.sampleRatio) {
        this.#sampled.push(record);
        this.onKept?.(record);
      }
      if (this.#facts !== null && this.total >= this.#sampleAt)
        this.#sampleAt = this.total + this.#facts.sample(record);
    }
    if (this.#listeners.size > 0) this.publish({ kind: "exchange", record });
  }

  publish(event: GatewayEvent): void {
    if (event.kind !== "exchange") this.#facts?.event(event);
    for (const listener of this.#listeners) listener(event);
  }

  subscribe(listener: (event: GatewayEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
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
    yield* this.#sampled.newestFirst();
    for (const entry of this.#slowest) yield entry.record;
  }

  /**
   * The list is ordered by duration, slowest first. The usual fast exchange is turned away by one comparison with
   * the last entry; tunnels are as long as people like and say nothing.
   */
  #addSlowest(record: ExchangeRecord, now: number): boolean {
    const { slowestMax } = this.#settings;
    const list = this.#slowest;
    if (slowestMax === 0 || record.tunnel) return false;
    const last = list[list.length - 1];
    if (
      list.length >= slowestMax &&
      last !== undefined &&
      record.doneUs <= last.record.doneUs &&
      now - this.#prunedAt < SLOWEST_FOR_MS / 10
    )
      return false;
    this.#prune(now);
    let at = list.length;
    while (at > 0 && (list[at - 1]?.record.doneUs ?? 0) < record.doneUs) at -= 1;
    if (at >= slowestMax) return false;
    list.splice(at, 0, { record, at: now });
    if (list.length > slowestMax) list.pop();
    return true;
  }

  #prunedAt = 0;

  #prune(now: number): void {
    if (now - this.#prunedAt < SLOWEST_FOR_MS / 10) return;
    this.#prunedAt = now;
    const kept = this.#slowest.filter((entry) => now - entry.at < SLOWEST_FOR_MS);
    this.#slowest.length = 0;
    this.#slowest.push(...kept);
  }
}

function ringOf(capacity: number, before: Ring<ExchangeRecord>): Ring<ExchangeRecord> {
  const ring = new Ring<ExchangeRecord>(capacity);
  for (const record of [...before.newestFirst()].toReversed()) ring.push(record);
  return ring;
}
