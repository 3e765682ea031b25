/** Envoy's response flags (`%RESPONSE_FLAGS%`), all 28, with their long names and the details that say the same. */
import type { ForeignRow } from "./row.ts";

export const ENVOY: readonly ForeignRow[] = [
  ["LH", "this Envoy fails its own health check, so it answers 503", ["FailedLocalHealthCheck"]],
  ["UH", "no host of the cluster is healthy (503)", ["NoHealthyUpstream", "no_healthy_upstream"]],
  ["UT", "the origin did not answer within the route's time (504)", ["UpstreamRequestTimeout", "response_timeout"]],
  [
    "LR",
    "the connection was reset by Envoy itself (503)",
    ["LocalReset", "upstream_reset_before_response_started{local_reset}"],
  ],
  [
    "UR",
    "the origin reset the stream (503)",
    ["UpstreamRemoteReset", "upstream_reset_before_response_started{remote_reset}"],
  ],
  [
    "UF",
    "connecting to the origin failed, by a refusal or by time (503)",
    ["UpstreamConnectionFailure", "upstream_reset_before_response_started{connection_failure}"],
  ],
  [
    "UC",
    "the origin closed the connection before it had answered (503); says neither why nor whether the connection was old",
    ["UpstreamConnectionTermination", "upstream_reset_before_response_started{connection_termination}"],
  ],
  [
    "UO",
    "a circuit breaker of the cluster was full (503)",
    ["UpstreamOverflow", "upstream_reset_before_response_started{overflow}"],
  ],
  ["NR", "no route matches (404)", ["NoRouteFound", "route_not_found"]],
  ["NC", "the route's cluster does not exist (503)", ["NoClusterFound", "cluster_not_found"]],
  ["DI", "a delay was injected on purpose", ["DelayInjected"]],
  ["FI", "a failure was injected on purpose", ["FaultInjected", "fault_filter_abort"]],
  ["RL", "a rate limit refused it (429)", ["RateLimited", "request_rate_limited"]],
  ["RLSE", "the rate-limit service failed", ["RateLimitServiceError", "rate_limiter_error"]],
  ["UAEX", "an external authorisation service refused it", ["UnauthorizedExternalService", "ext_authz_denied"]],
  ["DC", "the client closed its connection", ["DownstreamConnectionTermination", "downstream_remote_disconnect"]],
  ["URX", "all retries or connection attempts were used up", ["UpstreamRetryLimitExceeded"]],
  ["SI", "nothing moved on the stream for too long (408 or 504)", ["StreamIdleTimeout", "stream_idle_timeout"]],
  ["DT", "the connection or request lived longer than it may", ["DurationTimeout", "duration_timeout"]],
  ["IH", "the request has fields that Envoy does not accept", ["InvalidEnvoyRequestHeaders"]],
  ["DPE", "the client broke HTTP", ["DownstreamProtocolError", "http1.codec_error"]],
  [
    "UMSDR",
    "the stream to the origin lasted longer than it may",
    ["UpstreamMaxStreamDurationReached", "upstream_max_stream_duration_reached"],
  ],
  [
    "UPE",
    "the origin broke HTTP (502)",
    ["UpstreamProtocolError", "upstream_reset_before_response_started{protocol_error}"],
  ],
  ["DF", "the origin's name could not be resolved", ["DnsResolutionFailed", "dns_resolution_failure"]],
  ["OM", "the overload manager ended it", ["OverloadManagerTerminated", "overload"]],
  ["DO", "dropped because the control plane told this cluster to drop a part", ["DropOverload"]],
  ["RFCF", "answered from the cache filter; no failure", ["ResponseFromCacheFilter"]],
  ["NFCF", "the configuration of a filter is missing", ["NoFilterConfigFound"]],
];
