/**
 * Where each metric of the table gets its numbers from. The type of `SOURCES` makes the table and this file
 * the same list: a metric without a source, or a label that the table does not promise, does not compile.
 */
import { causeOf } from "../kernel/causes.ts";
import type { CauseId } from "../kernel/causes.ts";
import type { Histogram } from "../kernel/histogram.ts";
import type { ConfigState } from "../contract/config-desk.ts";
import type { ControlState } from "../contract/control-port.ts";
import type { FleetView } from "../contract/fleet.ts";
import type { Severity } from "../contract/incident.ts";
import type { MetricsView, ServiceStatusView, StatusView, WorkerView } from "../contract/view.ts";
import type { ControlTally } from "./control-tally.ts";
import type { ExpositionFormat, Family } from "./exposition.ts";
import { expose } from "./exposition.ts";
import type { MetricName } from "./metric-names.ts";
import { METRICS } from "./metric-names.ts";

type Row<N extends MetricName> = Extract<(typeof METRICS)[number], { name: N }>;

interface SampleOf<N extends MetricName> {
  labels: Readonly<Record<Row<N>["labels"][number], string>>;
  value: Row<N>["type"] extends "histogram" ? Histogram : number;
}

interface Views {
  readonly metrics: MetricsView;
  readonly status: StatusView;
  readonly control: ControlTally;
  /** Null: not known here. */
  readonly config: ConfigState | null;
  /** Null: there is none. */
  readonly fleet: FleetView | null;
}

type Sources = { readonly [N in MetricName]: (views: Views) => SampleOf<N>[] };

export function renderMetrics(views: Views, format: ExpositionFormat): string {
  const families: Family[] = METRICS.map((metric) => ({ metric, samples: SOURCES[metric.name](views) }));
  return expose(families, format);
}

type RouteMetrics = MetricsView["routes"][number];
type OriginMetrics = MetricsView["origins"][number];

// Written out at zero, so that a rate is right from the first scrape on.
const STATUS_CLASSES: readonly string[] = ["1xx", "2xx", "3xx", "4xx", "5xx", "none"];
const SERVICE_STATES: readonly ServiceStatusView["state"][] = ["healthy", "degraded", "failing open", "down"];

const DAY_S = 86_400;

const CONTROL_STATES: readonly ControlState["state"][] = ["running", "starting", "hung", "dead", "off"];

const SOURCES: Sources = {
  goodgate_exchanges_total: ({ metrics }) =>
    metrics.routes.flatMap((route) => {
      const counts = { ...Object.fromEntries(STATUS_CLASSES.map((name) => [name, 0])), ...route.byStatus };
      return Object.entries(counts).map(([status, value]) => ({ labels: { ...routeLabels(route), status }, value }));
    }),
  goodgate_exchange_outcomes_total: ({ metrics }) =>
    metrics.routes.flatMap((route) =>
      Object.entries(route.byOutcome).map(([outcome, value]) => ({
        labels: { ...routeLabels(route), outcome },
        value,
      })),
    ),
  goodgate_exchange_causes_total: ({ metrics }) =>
    metrics.routes.flatMap((route) =>
      causeEntries(route.byCause).map(([cause, value]) => ({
        labels: { ...routeLabels(route), cause, party: causeOf(cause).party },
        value,
      })),
    ),
  goodgate_exchange_duration_seconds: ofRoutes((route) => route.duration),
  goodgate_request_body_bytes_total: ofRoutes((route) => route.requestBytes),
  goodgate_response_body_bytes_total: ofRoutes((route) => route.responseBytes),
  goodgate_retries_total: ofRoutes((route) => route.retries),
  goodgate_retries_refused_by_budget_total: ofRoutes((route) => route.retriesRefusedByBudget),
  goodgate_hedges_total: ofResults((route) => route.rescues.hedges),
  goodgate_resumes_total: ofResults((route) => route.rescues.resumes),
  goodgate_keys_total: ofResults((route) => route.rescues.keys),
  goodgate_rate_limit_shadowed_total: ofRoutes((route) => route.rateLimitShadowed),
  goodgate_cache_answers_total: ({ metrics }) =>
    metrics.routes.flatMap((route) =>
      Object.entries(route.byCache).map(([answer, value]) => ({ labels: { ...routeLabels(route), answer }, value })),
    ),
  goodgate_refusals_total: ({ metrics }) =>
    Object.entries(metrics.refusals).map(([reason, value]) => ({ labels: { reason }, value })),

  goodgate_attempts_total: ofOrigins((origin) => origin.attempts),
  goodgate_attempt_failures_total: ({ metrics }) =>
    metrics.origins.flatMap((origin) =>
      causeEntries(origin.byCause).map(([cause, value]) => ({
        labels: { ...originLabels(origin), cause, party: causeOf(cause).party },
        value,
      })),
    ),
  goodgate_attempt_first_byte_seconds: ofOrigins((origin) => origin.firstByte),
  goodgate_origin_connections_made_total: ofOrigins((origin) => origin.connectionsMade),
  goodgate_origin_connections_reused_total: ofOrigins((origin) => origin.connectionsReused),
  goodgate_origin_connections: ofOrigins((origin) => origin.connectionsOpen),
  goodgate_origin_connections_idle: ofOrigins((origin) => origin.connectionsIdle),
  goodgate_origin_in_flight: ofOrigins((origin) => origin.inFlight),
  goodgate_origin_waiting_for_answer: ofOrigins((origin) => origin.held),
  goodgate_origin_limit: ofOrigins((origin) => origin.limit),
  goodgate_origin_available: ofOrigins((origin) => (origin.available ? 1 : 0)),

  goodgate_origin_ejections_total: ofOrigins((origin) => origin.ejections),
  goodgate_breakers_open: ({ metrics }) =>
    metrics.pools.map(({ service, pool, breakersOpen }) => ({ labels: { service, pool }, value: breakersOpen })),
  goodgate_poison_quarantines_total: ({ metrics }) =>
    metrics.services.map(({ service, poisonQuarantines }) => ({ labels: { service }, value: poisonQuarantines })),

  goodgate_pool_origins: ofPools((pool) => pool.origins),
  goodgate_pool_origins_available: ofPools((pool) => pool.available),
  goodgate_pool_active: ofPools((pool, service) => (pool.name === service.pool ? 1 : 0)),
  goodgate_pool_share: ofPools((pool) => pool.share),
  goodgate_service_waiting: ofServices((service) => service.waiting),
  goodgate_service_shedding: ofServices((service) => (service.shedding ? 1 : 0)),
  goodgate_service_state: ({ status }) =>
    status.services.flatMap((service) =>
      SERVICE_STATES.map((state) => ({
        labels: { service: service.name, state },
        value: service.state === state ? 1 : 0,
      })),
    ),
  goodgate_connections_accepted_total: ofGateway(({ metrics }) => metrics.connectionsAccepted),
  goodgate_connections_turned_away_total: ofGateway(({ metrics }) => metrics.connectionsTurnedAway),
  goodgate_tls_handshakes_total: ({ metrics }) =>
    Object.entries(metrics.handshakes).map(([result, value]) => ({ labels: { result }, value })),
  goodgate_tls_handshakes_active: ofGateway(({ metrics }) => metrics.handshaking),
  goodgate_certificate_seconds_left: ({ metrics }) =>
    metrics.certificates.map(({ daysLeft, ...labels }) => ({ labels, value: daysLeft * DAY_S })),
  goodgate_flood_refused_total: ofGateway(({ metrics }) => metrics.floodRefused),
  goodgate_flood_spared_total: ofGateway(({ metrics }) => metrics.floodSpared),
  goodgate_clients_held_back: ofGateway(({ metrics }) => metrics.clientsHeldBack),
  goodgate_connections: ofGateway(({ metrics }) => metrics.connectionsOpen),
  goodgate_exchanges_active: ofGateway(({ metrics }) => metrics.exchangesActive),
  goodgate_replay_buffer_bytes: ofGateway(({ metrics }) => metrics.replayBytes),
  goodgate_cache_entries: ofGateway(({ metrics }) => metrics.cache.entries),
  goodgate_cache_bytes: ofGateway(({ metrics }) => metrics.cache.bytes),
  goodgate_cache_disk_bytes: ofGateway(({ metrics }) => metrics.cache.disk.bytes),
  goodgate_cache_stored_total: ofGateway(({ metrics }) => metrics.cache.stored),
  goodgate_cache_evicted_total: ofGateway(({ metrics }) => metrics.cache.evicted),
  goodgate_cache_purged_total: ofGateway(({ metrics }) => metrics.cache.purged),
  goodgate_cache_invalidated_total: ofGateway(({ metrics }) => metrics.cache.invalidated),
  goodgate_ledger_keys: ofGateway(({ metrics }) => metrics.ledger.keys),
  goodgate_ledger_bytes: ofGateway(({ metrics }) => metrics.ledger.bytes),
  goodgate_access_log_dropped_total: ofGateway(({ metrics }) => metrics.accessLogDropped),
  goodgate_control_state: ({ control: { control } }) =>
    CONTROL_STATES.map((state) => ({ labels: { state }, value: control.state === state ? 1 : 0 })),
  goodgate_control_restarts_total: ofGateway(({ control }) => control.control.restarts),
  goodgate_control_resident_memory_bytes: ofGateway(({ control }) => control.control.residentBytes),
  goodgate_traces_left_out_total: ofGateway(({ control }) => control.control.tracesLeftOut),
  goodgate_control_facts_lost_total: ofGateway(({ control }) => control.control.factsLost),
  goodgate_incidents_open: ofSeverities(({ incidentsOpen }) => incidentsOpen),
  goodgate_incidents_opened_total: ofGateway(({ control }) => control.incidentsOpened),
  goodgate_forecasts: ofSeverities(({ forecasts }) => forecasts),
  goodgate_worker_up: ofWorkers(({ state }) => (state === "serving" ? 1 : 0)),
  goodgate_worker_restarts_total: ofWorkers(({ restarts }) => restarts),
  goodgate_worker_connections: ofWorkers(({ connections }) => connections),
  goodgate_worker_exchanges_total: ofWorkers(({ exchanges }) => exchanges),
  goodgate_worker_resident_memory_bytes: ofWorkers(({ residentBytes }) => residentBytes),
  goodgate_draining: ofGateway(({ status }) => (status.state === "draining" ? 1 : 0)),
  goodgate_event_loop_delay_seconds: ({ metrics: { process } }) => [
    { labels: { statistic: "median" }, value: process.loopDelayP50Ms / 1000 },
    { labels: { statistic: "p99" }, value: process.loopDelayP99Ms / 1000 },
    { labels: { statistic: "max" }, value: process.loopDelayMaxMs / 1000 },
  ],
  goodgate_event_loop_utilisation_ratio: ofGateway(({ metrics }) => metrics.process.loopUtilisation),
  goodgate_heap_bytes: ofGateway(({ metrics }) => metrics.process.heapBytes),
  goodgate_config_revision: ({ config }) => ofConfig(config, ({ revision }) => revision.number),
  goodgate_config_info: ({ config }) => (config === null ? [] : [{ labels: { hash: config.revision.hash }, value: 1 }]),
  goodgate_config_last_reload_successful: ({ config }) => ofConfig(config, ({ lastOk }) => (lastOk ? 1 : 0)),
  goodgate_config_last_reload_timestamp_seconds: ({ config }) => ofConfig(config, ({ lastAt }) => lastAt / 1000),
  goodgate_fleet_connected: ({ fleet }) =>
    fleet === null ? [] : [{ labels: {}, value: fleet.state === "connected" ? 1 : 0 }],
  goodgate_build_info: ({ status }) => [{ labels: { version: status.version }, value: 1 }],
  process_cpu_seconds_total: ofGateway(({ metrics }) => metrics.process.cpuSeconds),
  process_resident_memory_bytes: ofGateway(({ metrics }) => metrics.process.residentBytes),
  process_open_fds: ofGateway(({ metrics }) => metrics.process.descriptorsOpen),
  process_max_fds: ofGateway(({ metrics }) => metrics.process.descriptorsMax),
  process_start_time_seconds: ofGateway(({ status }) => status.startedAt / 1000),
};

function ofConfig(
  config: ConfigState | null,
  valueOf: (state: ConfigState) => number,
): { labels: Record<never, never>; value: number }[] {
  return config === null ? [] : [{ labels: {}, value: valueOf(config) }];
}

function ofRoutes<V>(valueOf: (route: RouteMetrics) => V) {
  return ({ metrics }: Views) => metrics.routes.map((route) => ({ labels: routeLabels(route), value: valueOf(route) }));
}

function ofResults(countsOf: (route: RouteMetrics) => Readonly<Record<string, number>>) {
  return ({ metrics }: Views) =>
    metrics.routes.flatMap((route) =>
      Object.entries(countsOf(route)).map(([result, value]) => ({ labels: { ...routeLabels(route), result }, value })),
    );
}

function ofOrigins<V>(valueOf: (origin: OriginMetrics) => V) {
  return ({ metrics }: Views) =>
    metrics.origins.map((origin) => ({ labels: originLabels(origin), value: valueOf(origin) }));
}

function ofPools(valueOf: (pool: ServiceStatusView["pools"][number], service: ServiceStatusView) => number) {
  return ({ status }: Views) =>
    status.services.flatMap((service) =>
      service.pools.map((pool) => ({
        labels: { service: service.name, pool: pool.name },
        value: valueOf(pool, service),
      })),
    );
}

function ofServices(valueOf: (service: ServiceStatusView) => number) {
  return ({ status }: Views) =>
    status.services.map((service) => ({ labels: { service: service.name }, value: valueOf(service) }));
}

function ofWorkers(valueOf: (worker: WorkerView) => number) {
  return ({ status }: Views) =>
    status.workers.map((worker) => ({ labels: { worker: String(worker.worker) }, value: valueOf(worker) }));
}

function ofSeverities(countsOf: (control: ControlTally) => Readonly<Record<Severity, number>>) {
  return ({ control }: Views) =>
    Object.entries(countsOf(control)).map(([severity, value]) => ({ labels: { severity }, value }));
}

function ofGateway(valueOf: (views: Views) => number) {
  return (views: Views) => [{ labels: {}, value: valueOf(views) }];
}

function routeLabels(route: RouteMetrics): { service: string; route: string } {
  return { service: route.service, route: route.route };
}

function originLabels(origin: OriginMetrics): { service: string; pool: string; origin: string; address: string } {
  return { service: origin.service, pool: origin.pool, origin: origin.origin, address: origin.address };
}

/** `Object.entries` forgets the type of the keys of an object whose type lists them. */
function causeEntries(byCause: Partial<Record<CauseId, number>>): [CauseId, number][] {
  return Object.entries(byCause) as [CauseId, number][];
}
