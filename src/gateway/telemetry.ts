/** Counters of routes and of refused messages. Plain numbers, only ever added to; views copy them when asked. */
import type { CacheWord, ExchangeRecord, Outcome } from "../contract/record.ts";
import type { RefusalId } from "../http1/refusals.ts";
import type { CauseId } from "../kernel/causes.ts";
import { createHistogram, recordDuration } from "../kernel/histogram.ts";
import type { Histogram } from "../kernel/histogram.ts";
import type { RescueCounts } from "../contract/view.ts";
import { countRescues, createRescueCounts } from "./rescue-counts.ts";

const CLASSES = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"] as const;

export class RouteCounters {
  readonly service: string;
  readonly route: string;
  readonly byOutcome: Record<Outcome, number> = { served: 0, rescued: 0, failed: 0, refused: 0, aborted: 0 };
  readonly byCause: Partial<Record<CauseId, number>> = {};
  readonly duration: Histogram = createHistogram();
  requestBytes = 0;
  responseBytes = 0;
  retries = 0;
  retriesRefusedByBudget = 0;
  rateLimitShadowed = 0;
  readonly rescues: RescueCounts = createRescueCounts();
  /** Attempts that wait for the first byte of their answer now. */
  held = 0;
  readonly byCache: Record<Exclude<CacheWord, "">, number> = {
    hit: 0,
    stale: 0,
    revalidated: 0,
    collapsed: 0,
    miss: 0,
    pass: 0,
    "last-good": 0,
    refresh: 0,
  };
  readonly #byClass = new Float64Array(CLASSES.length);

  constructor(service: string, route: string) {
    this.service = service;
    this.route = route;
  }

  add(record: ExchangeRecord): void {
    const statusClass = record.status === 0 ? 0 : Math.floor(record.status / 100);
    this.#byClass[statusClass] = (this.#byClass[statusClass] ?? 0) + 1;
    this.byOutcome[record.outcome] += 1;
    if (record.cause !== null) countCause(this.byCause, record.cause);
    if (record.cache !== "") this.byCache[record.cache] += 1;
    // A tunnel's length is its users' business and would hide the latency of everything else.
    if (!record.tunnel) recordDuration(this.duration, record.doneUs);
    this.requestBytes += record.requestBytes;
    this.responseBytes += record.responseBytes;
    if (record.decisions.length > 0) countRescues(this.rescues, record);
  }

  get byStatus(): Record<string, number> {
    return Object.fromEntries(CLASSES.map((name, index) => [name, this.#byClass[index] ?? 0]));
  }
}

export function countCause(counts: Partial<Record<CauseId, number>>, cause: CauseId): void {
  counts[cause] = (counts[cause] ?? 0) + 1;
}

export class Telemetry {
  readonly refusals: Partial<Record<RefusalId, number>> = {};
  connectionsAccepted = 0;
  /** Closed without an answer, because even more than may be told so were open. */
  connectionsTurnedAway = 0;
  /** Exchanges that no route took, or that were no exchange: counted without a service. */
  readonly unrouted: RouteCounters = new RouteCounters("", "");

  refused(id: RefusalId): void {
    this.refusals[id] = (this.refusals[id] ?? 0) + 1;
  }
}
