/**
 * The counters of several workers as those of one gateway: what was counted adds up, what is measured now adds up over
 * those that serve now. A worker that ended leaves what it had counted behind, so that no counter goes back; its gauges
 * end with it.
 */
import type { MetricsView, ProcessView } from "../contract/view.ts";
import { createHistogram } from "../kernel/histogram.ts";
import type { Histogram } from "../kernel/histogram.ts";

type Route = MetricsView["routes"][number];
type Origin = MetricsView["origins"][number];

/** At least one. Of two the configuration may differ for a moment: rows are those of all. */
export function mergeMetrics(all: readonly MetricsView[]): MetricsView {
  const sum = (of: (one: MetricsView) => number): number => all.reduce((total, one) => total + of(one), 0);
  return {
    routes: grouped(
      all,
      (one) => one.routes,
      (route) => `${route.service}\n${route.route}`,
      mergeRoutes,
    ),
    origins: grouped(
      all,
      (one) => one.origins,
      ({ service, pool, origin, address }) => [service, pool, origin, address].join("\n"),
      mergeOrigins,
    ),
    pools: grouped(
      all,
      (one) => one.pools,
      ({ service, pool }) => `${service}\n${pool}`,
      (first, rows) => ({
        ...first,
        // Each worker knows of the same ones: those that most know of.
        breakersOpen: Math.max(...rows.map(({ breakersOpen }) => breakersOpen)),
      }),
    ),
    services: grouped(
      all,
      (one) => one.services,
      ({ service }) => service,
      (first, rows) => ({
        ...first,
        poisonQuarantines: rows.reduce((total, { poisonQuarantines }) => total + poisonQuarantines, 0),
      }),
    ),
    refusals: addCounts(all.map((one) => one.refusals)),
    connectionsAccepted: sum((one) => one.connectionsAccepted),
    handshakes: addCounts(all.map((one) => one.handshakes)),
    handshaking: sum((one) => one.handshaking),
    // All have the same files; one that has just read a newer one is as right as the others.
    certificates: grouped(
      all,
      (one) => one.certificates,
      ({ listener, file, name }) => [listener, file, name].join("\n"),
      (first) => first,
    ),
    connectionsTurnedAway: sum((one) => one.connectionsTurnedAway),
    floodRefused: sum((one) => one.floodRefused),
    floodSpared: sum((one) => one.floodSpared),
    clientsHeldBack: sum((one) => one.clientsHeldBack),
    connectionsOpen: sum((one) => one.connectionsOpen),
    exchangesActive: sum((one) => one.exchangesActive),
    replayBytes: sum((one) => one.replayBytes),
    cache: {
      entries: sum(({ cache }) => cache.entries),
      bytes: sum(({ cache }) => cache.bytes),
      bytesMax: sum(({ cache }) => cache.bytesMax),
      stored: sum(({ cache }) => cache.stored),
      evicted: sum(({ cache }) => cache.evicted),
      purged: sum(({ cache }) => cache.purged),
      invalidated: sum(({ cache }) => cache.invalidated),
      disk: {
        bytes: sum(({ cache }) => cache.disk.bytes),
        bytesMax: sum(({ cache }) => cache.disk.bytesMax),
        entries: sum(({ cache }) => cache.disk.entries),
        damaged: sum(({ cache }) => cache.disk.damaged),
        skipped: sum(({ cache }) => cache.disk.skipped),
      },
    },
    // One for all of them: each tells what it heard last.
    ledger: all.at(-1)?.ledger ?? { keys: 0, bytes: 0 },
    accessLogDropped: sum((one) => one.accessLogDropped),
    process: mergeProcesses(all.map(({ process }) => process)),
  };
}

/** What is left of a worker that has ended. */
export function countedBy(one: MetricsView): MetricsView {
  return {
    ...one,
    origins: one.origins.map((origin) => ({ ...origin, ...IDLE })),
    pools: one.pools.map((pool) => ({ ...pool, breakersOpen: 0 })),
    handshaking: 0,
    certificates: [],
    clientsHeldBack: 0,
    connectionsOpen: 0,
    exchangesActive: 0,
    replayBytes: 0,
    cache: {
      ...one.cache,
      entries: 0,
      bytes: 0,
      bytesMax: 0,
      disk: { ...one.cache.disk, bytes: 0, bytesMax: 0, entries: 0 },
    },
    process: { ...NO_PROCESS, cpuSeconds: one.process.cpuSeconds },
  };
}

export function mergeProcesses(all: readonly ProcessView[]): ProcessView {
  const sum = (of: (one: ProcessView) => number): number => all.reduce((total, one) => total + of(one), 0);
  const most = (of: (one: ProcessView) => number): number => Math.max(0, ...all.map(of));
  return {
    cpuSeconds: sum((one) => one.cpuSeconds),
    residentBytes: sum((one) => one.residentBytes),
    heapBytes: sum((one) => one.heapBytes),
    descriptorsOpen: sum((one) => one.descriptorsOpen),
    descriptorsMax: sum((one) => one.descriptorsMax),
    // Of the worst: a mean would hide the one that stands still.
    loopDelayP50Ms: most((one) => one.loopDelayP50Ms),
    loopDelayP99Ms: most((one) => one.loopDelayP99Ms),
    loopDelayMaxMs: most((one) => one.loopDelayMaxMs),
    loopUtilisation: most((one) => one.loopUtilisation),
    uptimeSeconds: most((one) => one.uptimeSeconds),
  };
}

const IDLE = {
  connectionsOpen: 0,
  connectionsIdle: 0,
  held: 0,
  limit: 0,
  inFlight: 0,
  available: false,
} as const satisfies Partial<Origin>;

/** Nobody has told of a process yet. */
export const NO_PROCESS: ProcessView = {
  cpuSeconds: 0,
  residentBytes: 0,
  heapBytes: 0,
  descriptorsOpen: 0,
  descriptorsMax: 0,
  loopDelayP50Ms: 0,
  loopDelayP99Ms: 0,
  loopDelayMaxMs: 0,
  loopUtilisation: 0,
  uptimeSeconds: 0,
};

function mergeRoutes(first: Route, rows: readonly Route[]): Route {
  const sum = (of: (row: Route) => number): number => rows.reduce((total, row) => total + of(row), 0);
  return {
    ...first,
    byStatus: addCounts(rows.map((row) => row.byStatus)),
    byOutcome: addCounts(rows.map((row) => row.byOutcome)),
    byCause: addCounts(rows.map((row) => row.byCause)),
    duration: addHistograms(rows.map((row) => row.duration)),
    requestBytes: sum((row) => row.requestBytes),
    responseBytes: sum((row) => row.responseBytes),
    retries: sum((row) => row.retries),
    retriesRefusedByBudget: sum((row) => row.retriesRefusedByBudget),
    byCache: addCounts(rows.map((row) => row.byCache)),
    rateLimitShadowed: sum((row) => row.rateLimitShadowed),
    rescues: {
      hedges: addCounts(rows.map((row) => row.rescues.hedges)),
      resumes: addCounts(rows.map((row) => row.rescues.resumes)),
      keys: addCounts(rows.map((row) => row.rescues.keys)),
    },
  };
}

function mergeOrigins(first: Origin, rows: readonly Origin[]): Origin {
  const sum = (of: (row: Origin) => number): number => rows.reduce((total, row) => total + of(row), 0);
  return {
    ...first,
    attempts: sum((row) => row.attempts),
    byCause: addCounts(rows.map((row) => row.byCause)),
    firstByte: addHistograms(rows.map((row) => row.firstByte)),
    connectionsMade: sum((row) => row.connectionsMade),
    connectionsReused: sum((row) => row.connectionsReused),
    connectionsOpen: sum((row) => row.connectionsOpen),
    connectionsIdle: sum((row) => row.connectionsIdle),
    held: sum((row) => row.held),
    limit: sum((row) => row.limit),
    inFlight: sum((row) => row.inFlight),
    available: rows.some((row) => row.available),
    ejections: sum((row) => row.ejections),
  };
}

function addHistograms(all: readonly Histogram[]): Histogram {
  const total = createHistogram();
  for (const { counts, count, sumUs, maxUs } of all) {
    for (let index = 0; index < counts.length; index += 1) {
      total.counts[index] = (total.counts[index] ?? 0) + (counts[index] ?? 0);
    }
    total.count += count;
    total.sumUs += sumUs;
    total.maxUs = Math.max(total.maxUs, maxUs);
  }
  return total;
}

/** The same keys, or more of them in some. */
function addCounts<Counts extends Readonly<Partial<Record<string, number>>>>(all: readonly Counts[]): Counts {
  const total: Record<string, number> = {};
  for (const counts of all) {
    for (const [name, count] of Object.entries(counts)) total[name] = (total[name] ?? 0) + (count ?? 0);
  }
  return total as Counts;
}

/** In the order in which they come first. */
function grouped<Row>(
  all: readonly MetricsView[],
  rowsOf: (one: MetricsView) => readonly Row[],
  keyOf: (row: Row) => string,
  merge: (first: Row, rows: readonly Row[]) => Row,
): Row[] {
  const groups = new Map<string, Row[]>();
  for (const row of all.flatMap(rowsOf)) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return [...groups.values()].flatMap((rows) => (rows[0] === undefined ? [] : [merge(rows[0], rows)]));
}
