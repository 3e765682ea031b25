/**
 * Counters of routes, of addresses and of refused messages. Plain numbers, only ever added to; views copy them when
 * asked. They belong to names and not to what the names stand for now: a route that leaves the configuration and comes
 * back goes on where it was, or a counter would go backwards.
 */
import type { CacheWord, ExchangeRecord, Outcome } from "../contract/record.ts";
import type { RefusalId } from "../http1/refusals.ts";
import type { CauseId } from "../kernel/causes.ts";
import { createHistogram, recordDuration } from "../kernel/histogram.ts";
import type { Histogram } from "../kernel/histogram.ts";
import type { RescueCounts } from "../contract/view.ts";
import { KeptCounters } from "./kept-counters.ts";
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

/** What is counted of one address of an origin. */
export class AddressCounters {
  attempts = 0;
  failures = 0;
  /** Times that traffic took it out. */
  ejections = 0;
  connectionsMade = 0;
  connectionsReused = 0;
  readonly byCause: Partial<Record<CauseId, number>> = {};
  readonly firstByte: Histogram = createHistogram();
}

export class Telemetry {
  readonly routes: KeptCounters<RouteCounters> = new KeptCounters();
  readonly addresses: KeptCounters<AddressCounters> = new KeptCounters();
  /** Requests refused by the flood guard, or in shadow those that would have been, and heavy ones let through. */
  floodRefused = 0;
  floodSpared = 0;
  readonly refusals: Partial<Record<RefusalId, number>> = {};
  connectionsAccepted = 0;
  /** Of TLS with clients. */
  readonly handshakes = { full: 0, resumed: 0, failed: 0 };
  /** Closed without an answer, because even more than may be told so were open. */
  connectionsTurnedAway = 0;
  /** Exchanges that no route took, or that were no exchange: counted without a service. */
  readonly unrouted: RouteCounters = new RouteCounters("", "");

  ofRoute(service: string, route: string): RouteCounters {
    return this.routes.of(`${service}\n${route}`, () => new RouteCounters(service, route));
  }

  routeLeft(service: string, route: string): void {
    this.routes.left(`${service}\n${route}`);
  }

  refused(id: RefusalId): void {
    this.refusals[id] = (this.refusals[id] ?? 0) + 1;
  }
}
