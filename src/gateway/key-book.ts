/**
 * The keys that this process is at work on, and the ledger behind them. One exchange at a time works on a key; others
 * that come with it wait, within bounds, and get what the first one got.
 */
import type { IdempotencySettings } from "../config/settings.ts";
import type { GatewayEvent } from "../contract/view.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Ledger, LedgerAnswer, LedgerFailure } from "../kernel/ledger.ts";
import type { ReceivingBudget } from "./withheld-answer.ts";

/** A request that waits for another with its key. */
export interface KeyWaiter {
  /** The other one is over. Null: without an answer that could be given to both. */
  woken(answer: LedgerAnswer | null): void;
}

export interface Flight {
  readonly id: string;
  readonly fingerprint: string;
  readonly waiters: Set<KeyWaiter>;
}

const TELL_EVERY_MS = 10_000;

export class KeyBook {
  readonly ledger: Ledger;
  settings: IdempotencySettings;
  readonly receiving: ReceivingBudget;
  readonly #clock: Clock;
  readonly #publish: (event: GatewayEvent) => void;
  readonly #flights = new Map<string, Flight>();
  #toldMs = -Infinity;

  constructor(ledger: Ledger, settings: IdempotencySettings, clock: Clock, publish: (event: GatewayEvent) => void) {
    this.ledger = ledger;
    this.settings = settings;
    this.receiving = { bytes: 0, bytesMax: settings.receivingBytesMax };
    this.#clock = clock;
    this.#publish = publish;
  }

  /** `bytesMax` is the ledger's affair. */
  configure(settings: IdempotencySettings): void {
    this.settings = settings;
    this.receiving.bytesMax = settings.receivingBytesMax;
  }

  flightOf(id: string): Flight | null {
    return this.#flights.get(id) ?? null;
  }

  begin(id: string, fingerprint: string): Flight {
    const flight: Flight = { id, fingerprint, waiters: new Set() };
    this.#flights.set(id, flight);
    return flight;
  }

  /** The work on a key is over. The first of those who waited may have to begin it anew; the others then wait for it. */
  settle(flight: Flight, answer: LedgerAnswer | null): void {
    if (this.#flights.get(flight.id) === flight) this.#flights.delete(flight.id);
    for (const waiter of flight.waiters) waiter.woken(answer);
    flight.waiters.clear();
    if (!this.#flights.has(flight.id)) this.ledger.over?.(flight.id);
  }

  /** Counted on the records, told now and then. */
  tellUnprotected(failure: LedgerFailure): void {
    const now = this.#clock.monotonic();
    if (now - this.#toldMs < TELL_EVERY_MS) return;
    this.#toldMs = now;
    this.#publish({
      kind: "gateway",
      at: this.#clock.wall(),
      code: "keys.unprotected",
      detail: `Idempotency-Key cannot be kept (${failure.code}: ${failure.detail}); routes that require it refuse, others pass such requests on without its promise`,
    });
  }
}
