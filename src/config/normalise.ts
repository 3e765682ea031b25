/**
 * A checked file to settings: short forms written out, lists inherited, names made up where none was
 * written, routes put in the order in which they are asked. Pure; the golden files show it by example.
 *
 * A default never contradicts what is written: with `interval: 500ms` a check may take 500 ms, although a
 * second is the default. Where both are written and contradict each other, order-checks.ts has refused them.
 */
import { acmeOf } from "./acme-schema.ts";
import { fleetOf } from "./fleet-schema.ts";
import { alertsOf } from "./alert-schema.ts";
import { ROUTE_CACHE_DEFAULTS } from "./cache-schema.ts";
import type { CheckedRouteCache } from "./cache-schema.ts";
import { fallbackOf } from "./fallback-schema.ts";
import { hstsOf, listenerTlsOf } from "./listener-tls-schema.ts";
import { proxyProtocolOf, socketFileOf } from "./listener-schema.ts";
import { poolName } from "./names.ts";
import { originHttp2Of } from "./origin-http2-schema.ts";
import { originTlsOf } from "./origin-tls-schema.ts";
import type { OriginAddress } from "./origin-url.ts";
import { rateLimitsOf } from "./rate-limit-schema.ts";
import { compareRoutes, DEFAULT_ROUTE, isCatchAll, matchName } from "./route-order.ts";
import { idempotencyKeySchema, resumeSchema, routeMatchOf, routeSchema } from "./route-schema.ts";
import type { CheckedRoute } from "./route-schema.ts";
import { accessLogSchema } from "./schema.ts";
import type { CheckedFile } from "./schema.ts";
import { ejectionSchema, WEIGHT_DEFAULT } from "./service-schema.ts";
import { statusPageOf } from "./status-page-schema.ts";
import type { CheckedService, CheckedSlow } from "./service-schema.ts";
import type {
  AccessLogSettings,
  ConnectionSettings,
  ControlSettings,
  EjectionSettings,
  ExpectSettings,
  FailoverSettings,
  FloodSettings,
  HeadLimits,
  HealthSettings,
  IdempotencyKeySettings,
  ObjectiveSettings,
  OtlpSettings,
  OriginSettings,
  ResumeSettings,
  OverloadSettings,
  RetrySettings,
  RouteCacheSettings,
  RouteSettings,
  ServiceSettings,
  Settings,
  SlowSettings,
} from "./settings.ts";

/** A small gateway has clients that all come back at once, too. */
const HANDSHAKES_MIN = 100;

export function normalise(file: CheckedFile): Settings {
  const settings: Settings = {
    listeners: file.listeners.map(
      ({
        bind,
        trustedProxies,
        tls,
        hsts,
        redirectToHttps,
        heads,
        timeouts,
        minRate,
        proxyProtocol,
        socket,
        http2,
      }) => ({
        name: bind.name,
        bind: bind.bind,
        trustedProxies: trustedProxies ?? file.trustedProxies,
        tls: listenerTlsOf(
          tls,
          Object.values(file.services).flatMap(({ hosts }) => hosts),
        ),
        hsts: hstsOf(hsts),
        redirectPort: redirectToHttps,
        handshakeMs: timeouts.handshake,
        heads: headLimitsOf(heads),
        headMs: timeouts.head,
        bodyGapMs: timeouts.bodyGap,
        sentBytesMin: bytesIn(minRate.request, timeouts.bodyGap),
        takenBytesMin: bytesIn(minRate.response, timeouts.bodyGap),
        idleMs: timeouts.idle,
        halfClosedMs: timeouts.halfClosed,
        proxyProtocol: proxyProtocolOf(proxyProtocol),
        socketFile: socketFileOf(socket),
        http2:
          http2 === false
            ? null
            : {
                streamsMax: http2.streams,
                windowBytes: http2.window,
                resetsPerMinute: http2.resets,
                idleFramesPerMinute: http2.idleFrames,
              },
      }),
    ),
    acme: acmeOf(file.acme),
    fleet: fleetOf(file.fleet),
    admin:
      file.admin === false
        ? null
        : {
            bind: file.admin.bind.bind,
            token: file.admin.token ?? null,
            socketFile: socketFileOf(file.admin.socket),
          },
    services: Object.entries(file.services).map(([name, service]) => serviceOf(name, service)),
    dns: {
      resolvers: file.dns.resolvers,
      timeoutMs: file.dns.timeout,
      ttlMinMs: file.dns.ttlMin,
      ttlMaxMs: file.dns.ttlMax,
      keepMs: file.dns.keep,
    },
    limits: {
      connectionsMax: file.limits.connections,
      connectionsPerClientMax: file.limits.connectionsPerClient ?? null,
      handshakesMax: file.limits.handshakes ?? Math.max(HANDSHAKES_MIN, Math.floor(file.limits.connections / 4)),
      flood: floodOf(file.limits.flood),
      clientBits: file.limits.clientNetwork,
      rateLimitKeysMax: file.limits.rateLimitKeys,
      replayBytesTotal: file.limits.replayBuffers,
      memoryBytes: file.limits.memory ?? 0,
      loopDelayMs: file.limits.loopDelay,
      descriptorRatio: file.limits.descriptors,
    },
    trusted: file.trusted,
    waiting: { secret: file.waiting.secret ?? null, expiresMs: file.waiting.expires },
    records: {
      failedMax: file.records.failed,
      slowestMax: file.records.slowest,
      sampledMax: file.records.sampled,
      sampleRatio: file.records.sample,
    },
    accessLog: accessLogOf(file.accessLog),
    cache: {
      memoryBytes: file.cache.memory,
      diskBytes: file.cache.disk,
      objectBytes: Math.min(file.cache.object, file.cache.memory),
      variantsMax: file.cache.variants,
      waitMs: file.cache.wait,
      waitersMax: file.cache.waiters,
    },
    state: { use: file.state !== false, directory: typeof file.state === "string" ? file.state : "" },
    idempotency: {
      bytesMax: file.idempotency.bytes,
      answerBytesMax: file.idempotency.answer,
      receivingBytesMax: file.idempotency.receiving,
      waitMs: file.idempotency.wait,
      waitersMax: file.idempotency.waiters,
      lateMs: file.idempotency.late,
    },
    node: file.node ?? "",
    control: controlOf(file.control),
    alerts: alertsOf(file.alerts),
    otlp: otlpOf(file.telemetry.otlp),
    statusPage: statusPageOf(file.statusPage, Object.keys(file.services)),
    workers: file.workers,
    drainMs: file.drain,
  };
  return frozen(settings);
}

function serviceOf(name: string, service: CheckedService): ServiceSettings {
  const pools = service.pools.map((pool, index) => ({
    name: pool.name ?? poolName(index),
    // Pools that nobody named have the same name in every service, and nothing in common.
    provider: pool.provider ?? pool.name ?? `${name}.${poolName(index)}`,
    standbyShare: pool.standbyShare,
    origins: pool.origins.map((origin) => originOf(origin, service, pool)),
  }));
  return {
    name,
    hosts: service.hosts,
    pools,
    routes: routesOf(
      service.routes,
      pools.map((pool) => pool.name),
    ),
    health: healthOf(service.health),
    ejection: ejectionOf(service.ejection),
    retry: retryOf(service.retry),
    failover: failoverOf(service.failover),
    breaker: service.breaker && service.ejection !== false,
    hedge:
      service.hedge === false || service.retry === false
        ? null
        : { afterMinMs: service.hedge.after, samplesMin: service.hedge.samples },
    poison: service.poison,
    overload: overloadOf(service.overload),
    connections: connectionsOf(service.connections),
    reducedMode: service.reducedMode,
    objective: objectiveOf(service.objective),
    heads: headLimitsOf(service.heads),
  };
}

function originOf(
  origin: CheckedService["pools"][number]["origins"][number],
  service: CheckedService,
  pool: CheckedService["pools"][number],
): OriginSettings {
  const { address, weight }: { address: OriginAddress; weight: number } =
    "weight" in origin ? { address: origin.url, weight: origin.weight } : { address: origin, weight: WEIGHT_DEFAULT };
  const { secure, ...place } = address;
  return {
    ...place,
    proxyProtocol: pool.proxyProtocol ?? service.proxyProtocol,
    ...originHttp2Of(pool.http2 ?? service.http2, secure),
    weight,
    tls: secure ? originTlsOf(place.host, service.tls, pool.tls) : null,
  };
}

/** The catch-all is added unless a written route is one already: it could never be reached. */
function routesOf(written: readonly CheckedRoute[], pools: readonly string[]): RouteSettings[] {
  const names = new Set(written.map((route) => route.name));
  const routes = written.map((route) =>
    routeOf(route, route.name ?? freeName(matchName(routeMatchOf(route)), names), pools),
  );
  if (!routes.some((route) => isCatchAll(route.match)))
    routes.push(routeOf(routeSchema.parse({}), DEFAULT_ROUTE, pools));
  return routes.toSorted(compareRoutes);
}

/** Matches that differ in the value of a field alone would be called the same: `/a x-beta`, `/a x-beta #2`. */
function freeName(name: string, taken: Set<string | undefined>): string {
  let free = name;
  for (let number = 2; taken.has(free); number += 1) free = `${name} #${number}`;
  taken.add(free);
  return free;
}

function routeOf(route: CheckedRoute, name: string, pools: readonly string[]): RouteSettings {
  return {
    name,
    match: routeMatchOf(route),
    pools: route.pools ?? pools,
    timeouts: {
      connectMs: route.timeouts.connect,
      handshakeMs: route.timeouts.handshake,
      firstByteMs: route.timeouts.firstByte,
      gapMs: route.timeouts.gap,
    },
    deadlineMs: route.deadline,
    idempotent: route.idempotent,
    probe: route.probe,
    rateLimits: rateLimitsOf(route.rateLimit),
    idempotencyKey: idempotencyKeyOf(route.idempotencyKey),
    fallback: fallbackOf(route.fallback),
    waitingPage: route.waitingPage,
    hostHeader: route.hostHeader,
    resume: resumeOf(route.resume),
    class: route.class,
    concurrency: route.concurrency ?? 0,
    cache: routeCacheOf(route.cache),
  };
}

/** How long a last good copy may be past its freshness when nothing is said about it. */
const LAST_GOOD_MS = 24 * 60 * 60 * 1000;

function routeCacheOf(written: CheckedRouteCache): RouteCacheSettings {
  const cache = typeof written === "object" ? written : ROUTE_CACHE_DEFAULTS;
  return {
    mode: written === undefined ? "last good" : written === false ? "off" : "full",
    staleIfDisconnectedMs: cache.staleIfError ?? LAST_GOOD_MS,
    staleIfStatusMs: cache.staleIfError ?? 0,
    staleWhileRevalidateMs: cache.staleWhileRevalidate,
    negativeMs: cache.negative,
    setCookie: cache.setCookie,
    reload: cache.reload,
  };
}

function resumeOf(resume: CheckedRoute["resume"]): ResumeSettings | null {
  if (resume === false) return null;
  const { stall, times } = resume === true ? resumeSchema.parse({}) : resume;
  return { stallMs: stall, timesMax: times };
}

function idempotencyKeyOf(written: CheckedRoute["idempotencyKey"]): IdempotencyKeySettings {
  const { mode, origins, keep, scope } =
    typeof written === "string" ? idempotencyKeySchema.parse({ mode: written }) : written;
  return { mode, originsHonour: origins === "honour", keepMs: keep, scope };
}

function healthOf(health: CheckedService["health"]): HealthSettings | null {
  if (health === false) return null;
  return {
    path: health.path ?? null,
    grpc: health.grpc,
    host: health.host ?? null,
    intervalMs: health.interval,
    timeoutMs: Math.min(health.timeout, health.interval),
    down: health.down,
    up: health.up,
    statusMin: health.status.min,
    statusMax: health.status.max,
    expect: expectOf(health.expect),
  };
}

/** That it names one thing and not two is checked in cross-checks.ts. */
function expectOf(expect: Exclude<CheckedService["health"], false>["expect"]): ExpectSettings | null {
  if (expect === undefined) return null;
  return { header: expect.header ?? null, text: expect.value ?? expect.body ?? "" };
}

function ejectionOf(checked: CheckedService["ejection"]): EjectionSettings {
  const ejection = checked === false ? ejectionSchema.parse({}) : checked;
  return {
    // Switched off: two thresholds that nothing reaches, so that the policy needs no second way to do nothing.
    consecutiveFailures: checked === false ? Number.MAX_SAFE_INTEGER : ejection.consecutiveFailures,
    successRatioMin: checked === false ? 0 : ejection.successMin,
    requestsMin: ejection.requestsMin,
    windowMs: ejection.window,
    returnAfterMs: Math.min(ejection.returnAfter, ejection.returnAfterMax),
    returnAfterMaxMs: ejection.returnAfterMax,
    rampMs: ejection.ramp,
    ejectedRatioMax: ejection.ejectedMax,
    slow: checked === false || ejection.slow === false ? null : slowOf(ejection.slow),
  };
}

function slowOf({ factor, extra, share, peersMin }: CheckedSlow): SlowSettings {
  return { factor, extraMs: extra, shareMin: share, peersMin };
}

function retryOf(retry: CheckedService["retry"]): RetrySettings {
  if (retry === false) {
    return {
      attemptsMax: 1,
      budgetRatio: 0,
      budgetPerSecond: 0,
      replayBytes: 0,
      backoffBaseMs: 0,
      backoffMaxMs: 0,
    };
  }
  return {
    attemptsMax: retry.attempts,
    budgetRatio: retry.budget,
    budgetPerSecond: retry.budgetPerSecond,
    replayBytes: retry.replayBuffer,
    backoffBaseMs: retry.backoff === false ? 0 : Math.min(retry.backoff.base, retry.backoff.max),
    backoffMaxMs: retry.backoff === false ? 0 : retry.backoff.max,
  };
}

function failoverOf({ threshold, backAfter, hold }: CheckedService["failover"]): FailoverSettings {
  return { threshold, backAfterMs: backAfter, holdMs: hold };
}

function overloadOf(overload: CheckedService["overload"]): OverloadSettings | null {
  if (overload === false) return null;
  const { calm, stressed, critical } = overload.queueWait;
  return {
    concurrency: overload.concurrency,
    calmMs: calm,
    stressedMs: Math.min(stressed, calm),
    criticalMs: Math.max(critical, stressed),
    waitingMax: overload.waiting,
  };
}

function objectiveOf(objective: CheckedService["objective"]): ObjectiveSettings | null {
  if (objective === undefined) return null;
  return {
    availability: objective.availability,
    latencyMs: objective.latency ?? 0,
    latencyRatio: objective.latencyRatio,
  };
}

function controlOf(control: CheckedFile["control"]): ControlSettings | null {
  return control === false ? null : { diskBytes: control.disk, factsBytes: Math.min(control.facts, control.disk) };
}

function otlpOf(otlp: CheckedFile["telemetry"]["otlp"]): OtlpSettings | null {
  if (otlp === undefined) return null;
  const { url, headers, traces, tracesPerSecond, metrics, every, queries } = otlp;
  return { url, headers, traces, tracesPerSecondMax: tracesPerSecond, metrics, intervalMs: every, queries };
}

function connectionsOf({ perOrigin, idlePerOrigin, idle }: CheckedService["connections"]): ConnectionSettings {
  return { perOriginMax: perOrigin, idlePerOriginMax: Math.min(idlePerOrigin, perOrigin), idleMaxMs: idle };
}

/** At a rate per second; at least one, because nothing at all is never enough. */
function bytesIn(bytesPerSecond: number, ms: number): number {
  return Math.max(1, Math.floor((bytesPerSecond * ms) / 1000));
}

function headLimitsOf(heads: CheckedService["heads"]): HeadLimits {
  return {
    headBytes: heads.head,
    fields: heads.fields,
    lineBytes: Math.min(heads.line, heads.head),
    chunkExtensionBytes: heads.chunkExtension,
    trailerBytes: heads.trailer,
  };
}

function floodOf(flood: CheckedFile["limits"]["flood"]): FloodSettings | null {
  if (flood === false) return null;
  return {
    stressedTimes: flood.stressed.times,
    stressedPerSecond: flood.stressed.perSecond,
    calmTimes: flood.calm.times,
    calmPerSecond: flood.calm.perSecond,
    clientsMax: flood.clients,
    shadow: flood.shadow,
  };
}

function accessLogOf(accessLog: CheckedFile["accessLog"]): AccessLogSettings | null {
  if (accessLog === false) return null;
  const { path, buffer } = typeof accessLog === "string" ? accessLogSchema.parse({ path: accessLog }) : accessLog;
  return { path, bufferBytes: buffer };
}

function frozen<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
}
