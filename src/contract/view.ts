/**
 * What a gateway lets others see: the API, the dashboard, metrics and the CLI are made from this and
 * from records. Everything is a plain copy, taken when asked; asking costs the traffic nothing.
 */
import type { ShelfView } from "../kernel/cache-shelf.ts";
import type { CauseId } from "../kernel/causes.ts";
import type { Histogram } from "../kernel/histogram.ts";
import type { LedgerView } from "../kernel/ledger.ts";
import type { CacheWord, ExchangeRecord, Outcome } from "./record.ts";

export interface GatewayView {
  status(): StatusView;
  origins(): OriginView[];
  /** Newest first. */
  exchanges(filter: ExchangeFilter): ExchangeRecord[];
  exchange(id: string): ExchangeRecord | null;
  metrics(): MetricsView;
  /** Brings what the others say up to date. Absent: it always is, because what is shown is in this process. */
  refresh?(): Promise<void>;
  /** A record that `exchange` does not know may lie in another process. Absent: there is none. */
  seek?(id: string): Promise<ExchangeRecord | null>;
  /** Hears events as they happen until the returned function is called. A slow listener loses events, never delays one. */
  subscribe(listener: (event: GatewayEvent) => void): () => void;
}

/** What a person or a program may have a gateway do. */
export interface GatewayActions {
  /** Removes stored responses. Null: what is named is no URL. */
  purgeCache(target: PurgeTarget): PurgeResult | null;
  /** Gives an origin no new requests until the time is over or somebody restores it. */
  drainOrigin(order: DrainOrder): DrainResult;
  restoreOrigin(order: RestoreOrder): DrainResult;
}

/** The same where several processes have to do it. */
export type NodeActions = {
  readonly [Name in keyof GatewayActions]: (
    ...order: Parameters<GatewayActions[Name]>
  ) => ReturnType<GatewayActions[Name]> | Promise<ReturnType<GatewayActions[Name]>>;
};

export interface RestoreOrder {
  service: string;
  /** As configured. */
  origin: string;
  by: string;
  reason: string;
}

export interface DrainOrder extends RestoreOrder {
  forMs: number;
}

export type DrainResult =
  | {
      readonly done: true;
      /** Epoch ms when it ends by itself; null: it has ended. */
      readonly until: number | null;
    }
  | { readonly done: false; readonly why: "unknown" | "last" | "not drained" | "silent"; readonly detail: string };

export type PurgeTarget =
  /** One URL with all its variants: `http://shop.example.com/a?b=1`, or `/a?b=1` under every host. */
  | { readonly kind: "url"; readonly url: string }
  /** Every URL that begins so. */
  | { readonly kind: "prefix"; readonly prefix: string }
  /** Every response with this tag in its Cache-Tag or Surrogate-Key. */
  | { readonly kind: "tag"; readonly tag: string };

export interface PurgeResult {
  /** Responses removed. */
  purged: number;
}

export interface CacheView {
  /** Gauges. */
  entries: number;
  bytes: number;
  bytesMax: number;
  /** Since the start. */
  stored: number;
  evicted: number;
  purged: number;
  invalidated: number;
  /** What outlives the process. `bytesMax` 0: nothing does. */
  disk: ShelfView;
}

export interface ExchangeFilter {
  cause?: CauseId;
  /** Origin url as configured. */
  origin?: string;
  service?: string;
  route?: string;
  /** A status (`502`) or a class (`5xx`). */
  status?: string;
  outcome?: Outcome;
  /** Epoch ms; only records that started at or after. */
  since?: number;
  /** 1–1000, default 50. */
  limit?: number;
}

export interface StatusView {
  version: string;
  /** Epoch ms. */
  startedAt: number;
  /** `draining` after SIGTERM. */
  state: "serving" | "draining";
  listeners: { name: string; address: string; port: number }[];
  connections: number;
  exchangesActive: number;
  exchangesTotal: number;
  services: ServiceStatusView[];
  /** The processes that serve, where there are several; empty where this one does all. */
  workers: WorkerView[];
}

/** A place for a worker, and the process that has it now. */
export interface WorkerView {
  /** 1, 2, … */
  worker: number;
  /** 0: there is no process now. */
  pid: number;
  /** `waiting`: it ended and is started again after a while. `crashing`: that again and again. */
  state: "starting" | "serving" | "draining" | "waiting" | "crashing";
  /** Epoch ms. */
  since: number;
  /** Why, where there is something to say. */
  because: string;
  restarts: number;
  connections: number;
  /** Since the start of the gateway, by all processes that had this place. */
  exchanges: number;
  cpuSeconds: number;
  residentBytes: number;
  /** 0–1, over the last ten seconds. */
  loopUtilisation: number;
  /** Event-loop delay, ms, over the last ten seconds. */
  loopDelayP99Ms: number;
}

export interface ServiceStatusView {
  name: string;
  hosts: readonly string[];
  /** The pool that comes first. */
  pool: string;
  /** `failing open`: too many origins are out, so all are used; `down`: nothing can be picked. */
  state: "healthy" | "degraded" | "failing open" | "down";
  because: string;
  /** `share`: part of the exchanges that it gets now, 0–1. */
  /** Exchanges that wait for room at its origins. */
  waiting: number;
  /** Requests are being turned away, so nothing is repeated. */
  shedding: boolean;
  pools: { name: string; origins: number; available: number; share: number }[];
}

export interface OriginView {
  service: string;
  pool: string;
  /** As configured. */
  origin: string;
  weight: number;
  addresses: OriginAddressView[];
  /** When the addresses of its name last changed, epoch ms; null: never since the first answer. */
  addressesSince: number | null;
  /** Why the name could not be resolved lately; empty when it could. */
  resolution: string;
}

export interface OriginAddressView {
  address: string;
  /** `drained`: a person took it out. */
  state: "up" | "down" | "ejected" | "probation" | "ramping" | "drained";
  /** A sentence: "3 connect checks in a row failed (connection refused), last 2 s ago". */
  because: string;
  /** Epoch ms of the last change of state. */
  since: number;
  /** Epoch ms when it ends by itself: an ejected one may be tried, a ramp is over, a drain ends. Null: not told by time. */
  until: number | null;
  /** Share of its weight that it gets now, 0–1 (below 1 while ramping). */
  share: number;
  check: { kind: "http" | "grpc" | "connect" | "none"; ok: boolean | null; at: number; detail: string };
  /** Set when checks and traffic disagree, e.g. "checks fail but 240 of 240 requests succeeded". */
  disagreement: string;
  /** Routes that are kept from it though it serves others, and why; empty when there are none. */
  breakers: string;
  inFlight: number;
  connectionsOpen: number;
  connectionsIdle: number;
  /** ms that an idle connection is kept, and how that was learned. */
  keepAliveMs: number;
  keepAliveBecause: string;
  /** Requests that wait for their first byte, and how many may; 0: no limit. */
  held: number;
  limit: number;
  /** Peak EWMA of the response time, ms. */
  latencyMs: number;
  attempts: number;
  failures: number;
}

/** Counters since start; all monotonic unless said. Labels are bounded by the configuration and the cause table. */
/** What was done for exchanges besides asking one origin once. */
export interface RescueCounts {
  /** `won`: the second origin answered first. `cancelled`: the first one did after all. */
  hedges: { started: number; won: number; cancelled: number };
  /** `begun`: attempts to go on. `completed`: bodies that came to their end. `mismatched`: another version was found. */
  resumes: { begun: number; completed: number; mismatched: number };
  keys: { stored: number; replayed: number; uncertain: number };
}

export interface MetricsView {
  /** The entry without service and route counts what no route took: unknown hosts, malformed requests. */
  routes: {
    service: string;
    route: string;
    /** Exchanges by status class sent to the client: `1xx`…`5xx`, `none`. */
    byStatus: Record<string, number>;
    byOutcome: Record<Outcome, number>;
    byCause: Partial<Record<CauseId, number>>;
    duration: Histogram;
    requestBytes: number;
    responseBytes: number;
    retries: number;
    retriesRefusedByBudget: number;
    byCache: Record<Exclude<CacheWord, "">, number>;
    /** Requests that a rate limit in shadow would have refused. */
    rateLimitShadowed: number;
    rescues: RescueCounts;
  }[];
  origins: {
    service: string;
    pool: string;
    origin: string;
    address: string;
    attempts: number;
    byCause: Partial<Record<CauseId, number>>;
    /** Attempt start to first response byte. */
    firstByte: Histogram;
    connectionsMade: number;
    connectionsReused: number;
    /** Gauges. */
    connectionsOpen: number;
    connectionsIdle: number;
    held: number;
    /** 0: no limit. */
    limit: number;
    inFlight: number;
    available: boolean;
    /** Times that traffic took it out. */
    ejections: number;
  }[];
  pools: {
    service: string;
    pool: string;
    /** Gauge. Pairs of a route and an address that the route is kept from. */
    breakersOpen: number;
  }[];
  services: {
    service: string;
    /** Requests that were found to break origins, each time that they began to be kept away. */
    poisonQuarantines: number;
  }[];
  /** Malformed requests by reason id. */
  refusals: Record<string, number>;
  connectionsAccepted: number;
  /** TLS handshakes of clients: from the beginning, going on with a session of before, and those that came to nothing. */
  handshakes: { full: number; resumed: number; failed: number };
  /** Gauge. Handshakes under way. */
  handshaking: number;
  certificates: CertificateMetrics[];
  /** Closed without an answer: far more than `limits.connections` were open. */
  connectionsTurnedAway: number;
  /** Requests refused because their client asks for far more than all others; in shadow: that would have been. */
  floodRefused: number;
  /** Requests of such clients that passed because of who they are. */
  floodSpared: number;
  /** Gauge. Clients held back. */
  clientsHeldBack: number;
  /** Gauge. */
  connectionsOpen: number;
  /** Gauge. */
  exchangesActive: number;
  replayBytes: number;
  cache: CacheView;
  /** What is kept for Idempotency-Key. */
  ledger: LedgerView;
  accessLogDropped: number;
  process: ProcessView;
}

export interface CertificateMetrics {
  listener: string;
  file: string;
  /** The first of its names. */
  name: string;
  /** Until it expires; negative: it has. */
  daysLeft: number;
}

/** A certificate that a listener shows. */
export interface CertificateView {
  listener: string;
  /** As configured. */
  file: string;
  names: readonly string[];
  issuer: string;
  /** Epoch ms. */
  notBefore: number;
  notAfter: number;
  /** When the first of those ends that are shown above it; epoch ms, 0: there are none. */
  chainUntil: number;
  /** The one that issued it is missing. */
  isChainCut: boolean;
}

export interface ProcessView {
  cpuSeconds: number;
  residentBytes: number;
  heapBytes: number;
  /** 0: the system does not say; so is the one below. */
  descriptorsOpen: number;
  descriptorsMax: number;
  /** Event-loop delay, ms, over the last ten seconds. */
  loopDelayP50Ms: number;
  loopDelayP99Ms: number;
  loopDelayMaxMs: number;
  /** 0–1. */
  loopUtilisation: number;
  uptimeSeconds: number;
}

/** What this process has of what it may have, for looking at it a few times a second. 0: the system does not say. */
export interface OwnUse {
  /** Resident memory or heap, whichever is nearer to its limit. */
  readonly memoryBytes: number;
  readonly memoryMax: number;
  readonly descriptorsOpen: number;
  readonly descriptorsMax: number;
}

export type GatewayEvent =
  | { kind: "exchange"; record: ExchangeRecord }
  | {
      kind: "origin";
      at: number;
      service: string;
      pool: string;
      origin: string;
      address: string;
      state: OriginAddressView["state"];
      because: string;
    }
  /** Another pool comes first. */
  | { kind: "pool"; at: number; service: string; from: string; to: string; because: string }
  /** The pools share the traffic in another way. */
  | { kind: "spill"; at: number; service: string; shares: { pool: string; share: number }[]; because: string }
  /** A pool is used although it fails (`begin`), and not any more. */
  | {
      kind: "fail-open";
      at: number;
      service: string;
      pool: string;
      state: "begin" | "end";
      code: string;
      because: string;
    }
  /** Checks and traffic say opposite things about an address, and not any more. */
  | {
      kind: "disagreement";
      at: number;
      service: string;
      pool: string;
      origin: string;
      address: string;
      state: "begin" | "end";
      because: string;
    }
  | { kind: "resolution"; at: number; service: string; origin: string; because: string }
  | { kind: "gateway"; at: number; code: string; detail: string };
