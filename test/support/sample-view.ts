/**
 * What a gateway in trouble would let others see, made up: services in all states, origins in all states, a
 * few thousand exchanges. For tests of the admin surface and for looking at its pages without a gateway.
 */
import type { ExchangeRecord, Outcome } from "../../src/contract/record.ts";
import type {
  ExchangeFilter,
  GatewayEvent,
  GatewayView,
  MetricsView,
  OriginAddressView,
  OriginView,
  StatusView,
} from "../../src/contract/view.ts";
import { createHistogram, recordDuration } from "../../src/kernel/histogram.ts";
import type { Histogram } from "../../src/kernel/histogram.ts";
import { STORY_RECORDS, storyRecord } from "./story-records.ts";

/** The moment at which the sample is looked at: 2026-11-21 14:10:00 UTC. */
export const SAMPLE_NOW: number = Date.UTC(2026, 10, 21, 14, 10, 0);

export const HOSTILE_TEXT = `<script>alert("1")</script><img src=x onerror='alert(2)'>&amp;`;

export interface SampleView extends GatewayView {
  /** Tells an event to whoever listens. */
  emit(event: GatewayEvent): void;
  /** How many listen. */
  listeners(): number;
  readonly records: ExchangeRecord[];
  /** The next answers, to be changed by a test. */
  statusNow: StatusView;
  originsNow: OriginView[];
  metricsNow: MetricsView;
}

export function sampleView(): SampleView {
  const listeners = new Set<(event: GatewayEvent) => void>();
  const view: SampleView = {
    records: sampleRecords(),
    statusNow: sampleStatus(),
    originsNow: sampleOrigins(),
    metricsNow: sampleMetrics(),
    status: () => view.statusNow,
    origins: () => view.originsNow,
    metrics: () => view.metricsNow,
    exchanges: (filter) => view.records.filter((record) => matches(record, filter)).slice(0, filter.limit ?? 50),
    exchange: (id) => view.records.find((record) => record.id === id) ?? null,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    emit(event) {
      for (const listener of listeners) listener(event);
    },
    listeners: () => listeners.size,
  };
  return view;
}

/** A gateway that has just started and has nothing to say. */
export function quietView(): SampleView {
  const view = sampleView();
  view.records.length = 0;
  view.originsNow = view.originsNow.slice(0, 1);
  view.metricsNow = { ...view.metricsNow, routes: [], origins: [], refusals: {} };
  view.statusNow = {
    ...view.statusNow,
    exchangesTotal: 0,
    workers: [],
    services: [
      {
        name: "default",
        hosts: ["*"],
        pool: "default",
        state: "healthy",
        because: "All 1 of its origins can be picked.",
        waiting: 0,
        shedding: false,
        pools: [{ name: "default", origins: 1, available: 1, share: 1 }],
      },
    ],
  };
  return view;
}

function matches(record: ExchangeRecord, filter: ExchangeFilter): boolean {
  const { status } = filter;
  const isStatus =
    status === undefined || String(record.status) === status || `${String(record.status).charAt(0)}xx` === status;
  return (
    isStatus &&
    (filter.cause === undefined || [record, ...record.attempts].some(({ cause }) => cause === filter.cause)) &&
    (filter.origin === undefined || record.attempts.some(({ origin }) => origin === filter.origin)) &&
    (filter.service === undefined || record.service === filter.service) &&
    (filter.route === undefined || record.route === filter.route) &&
    (filter.outcome === undefined || record.outcome === filter.outcome) &&
    (filter.since === undefined || record.startedAt >= filter.since)
  );
}

/** Newest first, seven seconds apart, each story a few times; the hostile one leads. */
function sampleRecords(): ExchangeRecord[] {
  const stories = Object.values(STORY_RECORDS);
  const hostile = storyRecord({
    method: "GET",
    host: HOSTILE_TEXT,
    target: `/${HOSTILE_TEXT}`,
    userAgent: HOSTILE_TEXT,
    outcome: "failed",
    status: 502,
    originStatus: 0,
    cause: "origin.malformed",
    party: "origin",
    step: "attempt",
    evidence: `the status line was ${HOSTILE_TEXT}`,
  });
  const many = Array.from({ length: 4 }, () => stories).flat();
  return [hostile, ...many].map((record, index) => ({
    ...record,
    id: `sample-${String(index).padStart(4, "0")}`,
    startedAt: SAMPLE_NOW - 3000 - index * 7000,
  }));
}

function sampleStatus(): StatusView {
  return {
    version: "0.1.0",
    startedAt: SAMPLE_NOW - 3 * 3_600_000,
    state: "serving",
    listeners: [
      { name: "0.0.0.0:8080", address: "0.0.0.0", port: 8080 },
      { name: "[::]:8080", address: "::", port: 8080 },
    ],
    connections: 412,
    exchangesActive: 17,
    exchangesTotal: 1_204_331,
    workers: [
      {
        worker: 1,
        pid: 4_711,
        state: "serving",
        since: SAMPLE_NOW - 86_400_000,
        because: "it runs",
        restarts: 0,
        connections: 201,
        exchanges: 802_331,
        cpuSeconds: 260,
        residentBytes: 120 * 1024 * 1024,
        loopUtilisation: 0.31,
        loopDelayP99Ms: 14,
      },
      {
        worker: 2,
        pid: 0,
        state: "waiting",
        since: SAMPLE_NOW - 4_000,
        because: "it ended (SIGSEGV)",
        restarts: 3,
        connections: 0,
        exchanges: 402_000,
        cpuSeconds: 0,
        residentBytes: 0,
        loopUtilisation: 0,
        loopDelayP99Ms: 0,
      },
    ],
    services: [
      {
        name: "shop",
        hosts: ["shop.example.com", "*.shop.example.com"],
        pool: "blue",
        state: "failing open",
        because: "2 of 3 origins of pool blue are out, more than the half that may be, so all three are used.",
        waiting: 0,
        shedding: false,
        pools: [
          { name: "blue", origins: 3, available: 1, share: 1 },
          { name: "green", origins: 1, available: 1, share: 0 },
        ],
      },
      {
        name: "blog",
        hosts: ["blog.example.com"],
        pool: "main",
        state: "healthy",
        because: "All 2 of its origins can be picked.",
        waiting: 0,
        shedding: false,
        pools: [{ name: "main", origins: 2, available: 2, share: 1 }],
      },
      {
        name: "reports",
        hosts: ["reports.example.com"],
        pool: "main",
        state: "degraded",
        because: "1 of 2 origins of pool main is ramping up.",
        waiting: 0,
        shedding: false,
        pools: [{ name: "main", origins: 2, available: 2, share: 1 }],
      },
    ],
  };
}

function sampleAddress(changes: Partial<OriginAddressView>): OriginAddressView {
  return {
    address: "127.0.0.1:3001",
    state: "up",
    because: "2 checks in a row succeeded.",
    since: SAMPLE_NOW - 2 * 3_600_000,
    until: null,
    share: 1,
    check: { kind: "http", ok: true, at: SAMPLE_NOW - 800, detail: "200 in 3 ms" },
    disagreement: "",
    breakers: "",
    inFlight: 4,
    connectionsOpen: 12,
    connectionsIdle: 8,
    keepAliveMs: 4000,
    keepAliveBecause: "the origin closed idle connections after 5 s, so they are retired a second early",
    held: 1,
    limit: 100,
    latencyMs: 11.4,
    attempts: 402_311,
    failures: 12,
    ...changes,
  };
}

function sampleOrigins(): OriginView[] {
  const origin = (
    service: string,
    pool: string,
    url: string,
    addresses: OriginAddressView[],
    resolution = "",
  ): OriginView => ({
    service,
    pool,
    origin: url,
    weight: 100,
    addresses,
    addressesSince: null,
    resolution,
  });
  return [
    origin("shop", "blue", "http://127.0.0.1:3001", [
      sampleAddress({
        state: "down",
        because: "3 connect checks in a row failed (connection refused), last 2 s ago.",
        since: SAMPLE_NOW - 94_000,
        check: { kind: "http", ok: false, at: SAMPLE_NOW - 2000, detail: "connection refused" },
        inFlight: 0,
        connectionsOpen: 0,
        connectionsIdle: 0,
        failures: 431,
      }),
    ]),
    origin("shop", "blue", "http://127.0.0.1:3002", [
      sampleAddress({
        address: "127.0.0.1:3002",
        state: "ejected",
        because: "5 attempts in a row failed (no response byte within 15 s); it returns on probation in 3 s.",
        since: SAMPLE_NOW - 9000,
        disagreement: "checks succeed, but 5 of the last 5 attempts failed",
        failures: 97,
      }),
    ]),
    {
      ...origin("shop", "blue", "http://a1.shop.example.net:8080", [
        sampleAddress({
          address: "203.0.113.10:8080",
          latencyMs: 48,
          breakers: "route pay is kept from it: 5 requests of the route in a row failed here and not elsewhere",
        }),
        sampleAddress({
          address: "[2001:db8::10]:8080",
          state: "probation",
          because: "One request decides about its return.",
          latencyMs: 51,
        }),
      ]),
      weight: 50,
      resolution: "the resolver timed out 40 s ago; the answer from before is used",
    },
    origin(
      "shop",
      "green",
      "http://g1.shop.example.org",
      [],
      "the name does not exist (NXDOMAIN), and no earlier answer is known",
    ),
    origin("blog", "main", "http://127.0.0.1:4001", [
      sampleAddress({ address: "127.0.0.1:4001", attempts: 0, failures: 0 }),
    ]),
    origin("reports", "main", "http://127.0.0.1:5001", [
      sampleAddress({
        address: "127.0.0.1:5001",
        state: "ramping",
        share: 0.34,
        because: "Back since 3 s, it gets a growing share until 10 s are over.",
        since: SAMPLE_NOW - 3400,
        check: { kind: "none", ok: null, at: 0, detail: "" },
      }),
    ]),
  ];
}

/** Durations from 1 ms up, most of them short. */
function sampleDurations(count: number): Histogram {
  const histogram = createHistogram();
  for (let index = 1; index <= count; index += 1) recordDuration(histogram, 1000 + (4_000_000 / index) * (index % 7));
  return histogram;
}

function sampleMetrics(): MetricsView {
  const outcomes = (served: number): Record<Outcome, number> => ({
    served,
    rescued: 212,
    failed: 97,
    refused: 40,
    aborted: 11,
  });
  const route = (service: string, name: string, served: number): MetricsView["routes"][number] => ({
    service,
    route: name,
    byStatus: { "2xx": served, "3xx": 12, "5xx": 97, "4xx": 40, none: 11 },
    byOutcome: outcomes(served),
    byCause: { "origin.refused": 60, "origin.ttfb_timeout": 37, "client.abort_wait": 11 },
    duration: sampleDurations(5000),
    requestBytes: 1_234_567,
    responseBytes: 98_765_432,
    retries: 230,
    retriesRefusedByBudget: 3,
    byCache: { hit: 900, stale: 7, revalidated: 30, collapsed: 12, miss: 80, pass: 5, "last-good": 4, refresh: 7 },
    rateLimitShadowed: 0,
    rescues: {
      hedges: { started: 50, won: 21, cancelled: 28 },
      resumes: { begun: 9, completed: 7, mismatched: 1 },
      keys: { stored: 400, replayed: 12, uncertain: 2 },
    },
  });
  return {
    cache: {
      entries: 310,
      bytes: 12_582_912,
      bytesMax: 67_108_864,
      stored: 1_200,
      evicted: 40,
      purged: 3,
      invalidated: 9,
      disk: { bytes: 1_048_576, bytesMax: 1_073_741_824, entries: 120, damaged: 1, skipped: 2 },
    },
    routes: [route("shop", "payments", 12_000), route("shop", "default", 401_000), route("blog", "default", 88_000)],
    origins: [
      {
        service: "shop",
        pool: "blue",
        origin: "http://127.0.0.1:3001",
        address: "127.0.0.1:3001",
        attempts: 402_311,
        byCause: { "origin.refused": 431 },
        firstByte: sampleDurations(3000),
        connectionsMade: 512,
        connectionsReused: 401_799,
        connectionsOpen: 0,
        connectionsIdle: 0,
        inFlight: 0,
        held: 0,
        limit: 100,
        available: false,
        ejections: 6,
      },
      {
        service: "blog",
        pool: "main",
        origin: "http://127.0.0.1:4001",
        address: "127.0.0.1:4001",
        attempts: 0,
        byCause: {},
        firstByte: createHistogram(),
        connectionsMade: 0,
        connectionsReused: 0,
        connectionsOpen: 0,
        connectionsIdle: 0,
        inFlight: 0,
        held: 0,
        limit: 100,
        available: true,
        ejections: 0,
      },
    ],
    pools: [
      { service: "shop", pool: "blue", breakersOpen: 1 },
      { service: "blog", pool: "main", breakersOpen: 0 },
    ],
    services: [
      { service: "shop", poisonQuarantines: 2 },
      { service: "blog", poisonQuarantines: 0 },
    ],
    refusals: { "bare-lf": 3, "two-framings": 1 },
    connectionsAccepted: 90_211,
    handshakes: { full: 400, resumed: 1_200, failed: 3 },
    handshaking: 2,
    certificates: [
      { listener: "0.0.0.0:443", file: "/etc/goodgate/shop.pem", name: "shop.example.com", daysLeft: 41.5 },
    ],
    connectionsTurnedAway: 0,
    floodRefused: 0,
    floodSpared: 0,
    clientsHeldBack: 0,
    connectionsOpen: 412,
    exchangesActive: 17,
    replayBytes: 131_072,
    ledger: { keys: 414, bytes: 1_310_720 },
    accessLogDropped: 0,
    process: {
      cpuSeconds: 812.25,
      residentBytes: 141_557_760,
      heapBytes: 44_040_192,
      descriptorsOpen: 460,
      descriptorsMax: 65_536,
      loopDelayP50Ms: 0.4,
      loopDelayP99Ms: 3.1,
      loopDelayMaxMs: 18.2,
      loopUtilisation: 0.41,
      uptimeSeconds: 10_800,
    },
  };
}
