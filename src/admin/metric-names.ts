/**
 * The names of everything at `/metrics`, as one table: what a dashboard or an alert is written against.
 * A name or a label in it is a promise, so `metrics.ts` can write no other (its types come from here), and
 * docs/reference/metrics.md is generated from it.
 *
 * Every label is bounded by the configuration or by a table of ours; nothing that a client chooses (a path,
 * a host, an address of its own) is one. The `process_*` names are those of Prometheus client libraries, so
 * that existing dashboards work.
 */
export type MetricType = "counter" | "gauge" | "histogram";

export interface Metric {
  readonly name: string;
  readonly type: MetricType;
  readonly labels: readonly string[];
  readonly help: string;
}

export type MetricName = (typeof METRICS)[number]["name"];

export const METRICS = [
  // What clients get: rate, errors, duration.
  {
    name: "goodgate_exchanges_total",
    type: "counter",
    labels: ["service", "route", "status"],
    help: "Exchanges that ended, by class of the status sent to the client (1xx to 5xx; none: nothing was sent).",
  },
  {
    name: "goodgate_exchange_outcomes_total",
    type: "counter",
    labels: ["service", "route", "outcome"],
    help: "Exchanges that ended, by outcome: served, rescued, failed, refused, aborted.",
  },
  {
    name: "goodgate_exchange_causes_total",
    type: "counter",
    labels: ["service", "route", "cause", "party"],
    help: "Exchanges that ended with a cause, by cause and by the party at fault. A cause appears when it was first seen.",
  },
  {
    name: "goodgate_exchange_duration_seconds",
    type: "histogram",
    labels: ["service", "route"],
    help: "First byte of the request to the end of the exchange.",
  },
  {
    name: "goodgate_request_body_bytes_total",
    type: "counter",
    labels: ["service", "route"],
    help: "Body bytes received from clients.",
  },
  {
    name: "goodgate_response_body_bytes_total",
    type: "counter",
    labels: ["service", "route"],
    help: "Body bytes sent to clients.",
  },
  {
    name: "goodgate_retries_total",
    type: "counter",
    labels: ["service", "route"],
    help: "Attempts after the first of an exchange.",
  },
  {
    name: "goodgate_retries_refused_by_budget_total",
    type: "counter",
    labels: ["service", "route"],
    help: "Retries that would have been safe and were not made because the retry budget was spent.",
  },
  {
    name: "goodgate_hedges_total",
    type: "counter",
    labels: ["service", "route", "result"],
    help: "Requests sent to a second origin because the first was late: started; won by the second; cancelled, the first came first.",
  },
  {
    name: "goodgate_resumes_total",
    type: "counter",
    labels: ["service", "route", "result"],
    help: "Responses that broke in their body: begun, attempts to go on; completed, bodies that came to their end; mismatched, another version was found and refused.",
  },
  {
    name: "goodgate_keys_total",
    type: "counter",
    labels: ["service", "route", "result"],
    help: "Requests with an Idempotency-Key, by what became of it: stored, replayed, uncertain.",
  },
  {
    name: "goodgate_rate_limit_shadowed_total",
    type: "counter",
    labels: ["service", "route"],
    help: "Requests that a rate limit in shadow would have refused. Those that were refused have the cause client.rate_limited.",
  },
  {
    name: "goodgate_cache_answers_total",
    type: "counter",
    labels: ["service", "route", "answer"],
    help: "Exchanges that the cache had to do with, by answer: hit, stale, revalidated, collapsed, miss, pass, last-good, refresh.",
  },
  {
    name: "goodgate_refusals_total",
    type: "counter",
    labels: ["reason"],
    help: "Malformed requests that were refused, by reason id (docs/reference/refusals.md).",
  },
  // What origins give.
  {
    name: "goodgate_attempts_total",
    type: "counter",
    labels: ["service", "pool", "origin", "address"],
    help: "Attempts at an origin's address, failed ones included.",
  },
  {
    name: "goodgate_attempt_failures_total",
    type: "counter",
    labels: ["service", "pool", "origin", "address", "cause", "party"],
    help: "Attempts that failed, by cause and by the party at fault. A cause appears when it was first seen.",
  },
  {
    name: "goodgate_attempt_first_byte_seconds",
    type: "histogram",
    labels: ["service", "pool", "origin", "address"],
    help: "Start of an attempt to the first byte of the response.",
  },
  {
    name: "goodgate_origin_connections_made_total",
    type: "counter",
    labels: ["service", "pool", "origin", "address"],
    help: "Connections made to an origin's address.",
  },
  {
    name: "goodgate_origin_connections_reused_total",
    type: "counter",
    labels: ["service", "pool", "origin", "address"],
    help: "Attempts that went over a connection that was already open.",
  },
  {
    name: "goodgate_origin_connections",
    type: "gauge",
    labels: ["service", "pool", "origin", "address"],
    help: "Connections open to an origin's address, idle ones included.",
  },
  {
    name: "goodgate_origin_connections_idle",
    type: "gauge",
    labels: ["service", "pool", "origin", "address"],
    help: "Connections open to an origin's address that carry no attempt now.",
  },
  {
    name: "goodgate_origin_in_flight",
    type: "gauge",
    labels: ["service", "pool", "origin", "address"],
    help: "Attempts going on at an origin's address.",
  },
  {
    name: "goodgate_origin_waiting_for_answer",
    type: "gauge",
    labels: ["service", "pool", "origin", "address"],
    help: "Requests that wait for the first byte of their answer at an origin's address.",
  },
  {
    name: "goodgate_origin_limit",
    type: "gauge",
    labels: ["service", "pool", "origin", "address"],
    help: "How many requests may wait for their first byte at an origin's address; 0: no limit.",
  },
  {
    name: "goodgate_origin_available",
    type: "gauge",
    labels: ["service", "pool", "origin", "address"],
    help: "1 when an origin's address may be picked, 0 when it is down or ejected.",
  },
  {
    name: "goodgate_origin_ejections_total",
    type: "counter",
    labels: ["service", "pool", "origin", "address"],
    help: "Times that failing or slow traffic took an origin's address out.",
  },
  {
    name: "goodgate_breakers_open",
    type: "gauge",
    labels: ["service", "pool"],
    help: "Pairs of a route and an address of a pool that the route is kept from.",
  },
  {
    name: "goodgate_poison_quarantines_total",
    type: "counter",
    labels: ["service"],
    help: "Times that requests which break origins began to be kept away from all of them.",
  },
  // How much room is left: pools, then the gateway itself.
  {
    name: "goodgate_pool_origins",
    type: "gauge",
    labels: ["service", "pool"],
    help: "Origins configured in a pool.",
  },
  {
    name: "goodgate_pool_origins_available",
    type: "gauge",
    labels: ["service", "pool"],
    help: "Origins of a pool that may be picked.",
  },
  {
    name: "goodgate_pool_active",
    type: "gauge",
    labels: ["service", "pool"],
    help: "1 for the pool of the service that comes first, 0 for its other pools.",
  },
  {
    name: "goodgate_pool_share",
    type: "gauge",
    labels: ["service", "pool"],
    help: "Part of the exchanges that a pool gets now, 0 to 1: below the threshold of capacity the first one gives some away.",
  },
  {
    name: "goodgate_service_waiting",
    type: "gauge",
    labels: ["service"],
    help: "Exchanges that wait for room at the origins of a service.",
  },
  {
    name: "goodgate_service_shedding",
    type: "gauge",
    labels: ["service"],
    help: "1 while requests of a service are turned away for want of room.",
  },
  {
    name: "goodgate_service_state",
    type: "gauge",
    labels: ["service", "state"],
    help: "1 for the state the service is in (healthy, degraded, failing open, down), 0 for the others.",
  },
  {
    name: "goodgate_connections_accepted_total",
    type: "counter",
    labels: [],
    help: "Client connections accepted.",
  },
  {
    name: "goodgate_connections_turned_away_total",
    type: "counter",
    labels: [],
    help: "Client connections closed without an answer: even more than may be told so were open.",
  },
  {
    name: "goodgate_tls_handshakes_total",
    type: "counter",
    labels: ["result"],
    help: "TLS handshakes of clients: full, resumed (a session of before went on) and failed, whose causes stand with the exchanges.",
  },
  {
    name: "goodgate_tls_handshakes_active",
    type: "gauge",
    labels: [],
    help: "TLS handshakes of clients that are under way.",
  },
  {
    name: "goodgate_certificate_seconds_left",
    type: "gauge",
    labels: ["listener", "file", "name"],
    help: "Seconds until a certificate that a listener shows expires; negative: it has.",
  },
  {
    name: "goodgate_flood_refused_total",
    type: "counter",
    labels: [],
    help: "Requests refused because their client asks for far more than all others (in shadow: that would have been).",
  },
  {
    name: "goodgate_flood_spared_total",
    type: "counter",
    labels: [],
    help: "Requests of clients that ask for far more than all others and passed because of who they are.",
  },
  { name: "goodgate_clients_held_back", type: "gauge", labels: [], help: "Clients that the flood guard holds back." },
  { name: "goodgate_connections", type: "gauge", labels: [], help: "Client connections open." },
  { name: "goodgate_exchanges_active", type: "gauge", labels: [], help: "Exchanges going on." },
  {
    name: "goodgate_replay_buffer_bytes",
    type: "gauge",
    labels: [],
    help: "Request bodies held in memory so that they could be sent again.",
  },
  {
    name: "goodgate_cache_entries",
    type: "gauge",
    labels: [],
    help: "Stored responses.",
  },
  {
    name: "goodgate_cache_bytes",
    type: "gauge",
    labels: [],
    help: "Memory that stored responses take, and those that are being stored.",
  },
  {
    name: "goodgate_cache_disk_bytes",
    type: "gauge",
    labels: [],
    help: "Disk that stored responses take.",
  },
  {
    name: "goodgate_cache_stored_total",
    type: "counter",
    labels: [],
    help: "Responses that were stored.",
  },
  {
    name: "goodgate_cache_evicted_total",
    type: "counter",
    labels: [],
    help: "Stored responses that were removed to make room.",
  },
  {
    name: "goodgate_cache_purged_total",
    type: "counter",
    labels: [],
    help: "Stored responses that were removed through the API or the command line.",
  },
  {
    name: "goodgate_cache_invalidated_total",
    type: "counter",
    labels: [],
    help: "Stored responses that were removed because an unsafe request may have changed them.",
  },
  {
    name: "goodgate_ledger_keys",
    type: "gauge",
    labels: [],
    help: "Idempotency-Keys that are remembered.",
  },
  {
    name: "goodgate_ledger_bytes",
    type: "gauge",
    labels: [],
    help: "What remembered Idempotency-Keys and their answers take, of idempotency.bytes.",
  },
  {
    name: "goodgate_access_log_dropped_total",
    type: "counter",
    labels: [],
    help: "Lines of the access log that were dropped because its buffer was full.",
  },
  // What is concluded from all of this, beside the traffic.
  {
    name: "goodgate_control_state",
    type: "gauge",
    labels: ["state"],
    help: "1 for the state that the control process is in: running, starting, hung, dead, off. Without it requests are served all the same; incidents and forecasts are as old as its last sign of life.",
  },
  {
    name: "goodgate_control_restarts_total",
    type: "counter",
    labels: [],
    help: "Times that the control process ended and was started again.",
  },
  {
    name: "goodgate_control_resident_memory_bytes",
    type: "gauge",
    labels: [],
    help: "Resident memory of the control process. 0: there is none now, or the system does not say.",
  },
  {
    name: "goodgate_control_facts_lost_total",
    type: "counter",
    labels: [],
    help: "Seconds and events that could not be handed to the control process.",
  },
  {
    name: "goodgate_traces_left_out_total",
    type: "counter",
    labels: [],
    help: "Exchanges that failed, were rescued or were slow and that the collector of traces (telemetry.otlp) was not told of: more than tracesPerSecond, or the control process did not keep up.",
  },
  {
    name: "goodgate_incidents_open",
    type: "gauge",
    labels: ["severity"],
    help: "Incidents that go on or recover, by severity: critical, warning, notice. What is part of another one is not counted.",
  },
  {
    name: "goodgate_incidents_opened_total",
    type: "counter",
    labels: [],
    help: "Incidents opened since the start.",
  },
  {
    name: "goodgate_forecasts",
    type: "gauge",
    labels: ["severity"],
    help: "What is going to happen unless somebody acts, by severity. See goodgate forecast.",
  },
  // Where several processes serve: one row for each place.
  {
    name: "goodgate_worker_up",
    type: "gauge",
    labels: ["worker"],
    help: "1 while the process at this place serves. Only where several processes serve (workers).",
  },
  {
    name: "goodgate_worker_restarts_total",
    type: "counter",
    labels: ["worker"],
    help: "How often the process at this place was started again.",
  },
  {
    name: "goodgate_worker_connections",
    type: "gauge",
    labels: ["worker"],
    help: "Client connections open there.",
  },
  {
    name: "goodgate_worker_exchanges_total",
    type: "counter",
    labels: ["worker"],
    help: "Exchanges that ended there, by all processes that had this place.",
  },
  {
    name: "goodgate_worker_resident_memory_bytes",
    type: "gauge",
    labels: ["worker"],
    help: "Resident memory of the process there.",
  },
  {
    name: "goodgate_draining",
    type: "gauge",
    labels: [],
    help: "1 while the gateway finishes what it has and takes nothing new.",
  },
  {
    name: "goodgate_event_loop_delay_seconds",
    type: "gauge",
    labels: ["statistic"],
    help: "How late the gateway's own event loop was over the last ten seconds: median, p99 and max.",
  },
  {
    name: "goodgate_event_loop_utilisation_ratio",
    type: "gauge",
    labels: [],
    help: "Share of time in which the event loop was busy, 0 to 1. Near 1 there is no room left.",
  },
  { name: "goodgate_heap_bytes", type: "gauge", labels: [], help: "JavaScript heap in use." },
  {
    name: "goodgate_config_revision",
    type: "gauge",
    labels: [],
    help: "Number of the configuration in effect; 1 is what the gateway started with.",
  },
  {
    name: "goodgate_config_info",
    type: "gauge",
    labels: ["hash"],
    help: "Always 1; the hash of the configuration in effect is the label.",
  },
  {
    name: "goodgate_config_last_reload_successful",
    type: "gauge",
    labels: [],
    help: "1 when the last change of the configuration that was asked for was accepted, 0 when it was refused.",
  },
  {
    name: "goodgate_config_last_reload_timestamp_seconds",
    type: "gauge",
    labels: [],
    help: "When that was, since 1970-01-01 UTC.",
  },
  {
    name: "goodgate_fleet_connected",
    type: "gauge",
    labels: [],
    help: "1 while the database that several gateways share answers, 0 while it does not: certificates are served and none is ordered.",
  },
  { name: "goodgate_build_info", type: "gauge", labels: ["version"], help: "Always 1; the version is the label." },
  {
    name: "process_cpu_seconds_total",
    type: "counter",
    labels: [],
    help: "CPU time of the process, user and system.",
  },
  { name: "process_resident_memory_bytes", type: "gauge", labels: [], help: "Resident memory of the process." },
  { name: "process_open_fds", type: "gauge", labels: [], help: "File descriptors open." },
  { name: "process_max_fds", type: "gauge", labels: [], help: "File descriptors the process may open." },
  {
    name: "process_start_time_seconds",
    type: "gauge",
    labels: [],
    help: "When the gateway started, in seconds since 1970-01-01 UTC.",
  },
] as const satisfies readonly Metric[];
