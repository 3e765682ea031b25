/** What the gateway lets others see: plain copies of its state, made when somebody asks and never kept. */
import type { HealthSettings } from "../config/settings.ts";
import type { GatewayView, OriginAddressView, OriginView, ServiceStatusView, StatusView } from "../contract/view.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Histogram } from "../kernel/histogram.ts";
import type { ListeningPort } from "../kernel/socket.ts";
import { limitNow } from "../policies/adaptive-limit.ts";
import { keepAliveBecause, maxIdleMs } from "../policies/keep-alive.ts";
import { expectedLatency } from "../policies/peak-ewma.ts";
import type { ListenerRuntime } from "./listener-runtime.ts";
import type { Core } from "./core.ts";
import type { GatewayPorts } from "./gateway-ports.ts";
import type { OriginAddress } from "./origin-address.ts";
import type { PoolRuntime } from "./pool-runtime.ts";
import { copyOfRescues } from "./rescue-counts.ts";
import type { ServiceRuntime } from "./service-runtime.ts";

interface ViewOf {
  readonly core: Core;
  readonly listeners: readonly ListenerRuntime[];
  readonly listening: readonly ListeningPort[];
  readonly ports: Pick<GatewayPorts, "processView" | "accessLogDropped" | "version" | "clock" | "certificates">;
  readonly startedAt: number;
}

const DAY_MS = 86_400_000;

export function createView({ core, listeners, listening, ports, startedAt }: ViewOf): GatewayView {
  return {
    status: (): StatusView => ({
      version: ports.version,
      startedAt,
      state: core.draining ? "draining" : "serving",
      listeners: listeners.map((listener, index) => ({
        name: listener.name,
        address: listening[index]?.address ?? listener.settings.bind.host,
        port: listening[index]?.port ?? listener.settings.bind.port,
      })),
      connections: core.connections,
      exchangesActive: core.exchangesActive,
      exchangesTotal: core.book.total,
      services: core.generation.services.map((service) => serviceView(service, ports.clock.monotonic())),
      workers: [],
    }),
    origins: () => core.generation.services.flatMap((service) => originViews(service, ports.clock)),
    // Records are never changed once they are in the book; still, what leaves is the asker's own.
    exchanges: (filter) => core.book.list(filter).map((record) => structuredClone(record)),
    exchange: (id) => {
      const record = core.book.find(id);
      return record === null ? null : structuredClone(record);
    },
    metrics: () => ({
      routes: [core.telemetry.unrouted, ...core.telemetry.routes.values()].map((counters) => ({
        service: counters.service,
        route: counters.route,
        byStatus: counters.byStatus,
        byOutcome: { ...counters.byOutcome },
        byCause: { ...counters.byCause },
        duration: copyOf(counters.duration),
        requestBytes: counters.requestBytes,
        responseBytes: counters.responseBytes,
        retries: counters.retries,
        retriesRefusedByBudget: counters.retriesRefusedByBudget,
        byCache: { ...counters.byCache },
        rateLimitShadowed: counters.rateLimitShadowed,
        rescues: copyOfRescues(counters.rescues),
      })),
      origins: core.generation.services.flatMap((service) =>
        service.pools.flatMap((pool) =>
          pool.members.map((address) => ({
            service: service.settings.name,
            pool: pool.name,
            origin: address.origin.url,
            address: address.text,
            attempts: address.counters.attempts,
            byCause: { ...address.counters.byCause },
            firstByte: copyOf(address.counters.firstByte),
            connectionsMade: address.counters.connectionsMade,
            connectionsReused: address.counters.connectionsReused,
            connectionsOpen: address.connectionsOpen,
            connectionsIdle: address.connectionsIdle,
            inFlight: address.inFlight,
            held: address.limit?.held ?? 0,
            limit: address.limit === null ? 0 : limitNow(address.limit),
            available: address.share > 0,
            ejections: address.counters.ejections,
          })),
        ),
      ),
      pools: core.generation.services.flatMap((service) =>
        service.pools.map((pool) => ({
          service: service.settings.name,
          pool: pool.name,
          breakersOpen: pool.breakers?.open ?? 0,
        })),
      ),
      services: core.generation.services.map((service) => ({
        service: service.settings.name,
        poisonQuarantines: service.poison?.quarantines ?? 0,
      })),
      refusals: { ...core.telemetry.refusals },
      connectionsAccepted: core.telemetry.connectionsAccepted,
      handshakes: { ...core.telemetry.handshakes },
      handshaking: core.handshaking.size,
      certificates: (ports.certificates?.() ?? []).map(({ listener, file, names, notAfter }) => ({
        listener,
        file,
        name: names[0] ?? "",
        daysLeft: (notAfter - ports.clock.wall()) / DAY_MS,
      })),
      connectionsTurnedAway: core.telemetry.connectionsTurnedAway,
      floodRefused: core.telemetry.floodRefused,
      floodSpared: core.telemetry.floodSpared,
      clientsHeldBack: core.flood?.heldBack(ports.clock.monotonic()) ?? 0,
      connectionsOpen: core.connections,
      exchangesActive: core.exchangesActive,
      replayBytes: core.replayBudget.bytes,
      cache: core.cache.view(),
      ledger: core.keys?.ledger.view() ?? { keys: 0, bytes: 0 },
      accessLogDropped: ports.accessLogDropped(),
      process: ports.processView(),
    }),
    subscribe: (listener) => core.book.subscribe(listener),
  };

  function serviceView(service: ServiceRuntime, now: number): ServiceStatusView {
    for (const pool of service.pools) seenNow(pool, now);
    const { shown } = service;
    const used = shown.settle(now);
    const { availability } = used;
    const anything = service.pools.some((pool) => pool.availability.usable.length > 0);
    const allUp = service.pools.every(
      ({ availability: { kind, standings } }) =>
        kind !== "empty" && standings.every((standing) => standing.state === "up"),
    );
    const away = used !== service.pools[0];
    const shedding = service.isShedding(now);
    const state = !anything
      ? "down"
      : availability.kind === "fail-open"
        ? "failing open"
        : allUp && !away && !shedding
          ? "healthy"
          : "degraded";
    const preference = shown.verdict?.because ?? "it is the only pool";
    const pools = away
      ? `pool ${used.name} comes first: ${preference}`
      : shown.shareOf(used) < 1
        ? `${availability.because}; ${preference}`
        : availability.because;
    return {
      name: service.settings.name,
      hosts: service.settings.hosts,
      pool: used.name,
      state,
      because: `${pools}${crowdInWords(service.waiting, shedding)}`,
      waiting: service.waiting,
      shedding,
      pools: service.pools.map((pool) => ({
        name: pool.name,
        origins: pool.origins.length,
        share: shown.shareOf(pool),
        available: pool.origins.filter((origin) => origin.addresses.some((address) => address.share > 0)).length,
      })),
    };
  }

  function originViews(service: ServiceRuntime, clock: Clock): OriginView[] {
    const now = clock.monotonic();
    return service.pools.flatMap((pool) => {
      seenNow(pool, now);
      return pool.origins.map((origin) => {
        const failure = origin.resolution?.failure ?? null;
        const known =
          origin.addresses.length > 0
            ? "the last good answer stays in use"
            : origin.resolution?.addresses.length === 0
              ? "no earlier answer is known"
              : "the last good answer is too old (dns.keep)";
        return {
          service: service.settings.name,
          pool: pool.name,
          origin: origin.settings.url,
          weight: origin.settings.weight,
          addressesSince: origin.addressesSince,
          addresses: origin.addresses.map((address) => addressView(service, pool, address, clock, now)),
          resolution: failure === null ? "" : `${failure.cause} (${failure.code}): ${known}`,
        };
      });
    });
  }

  function addressView(
    service: ServiceRuntime,
    pool: PoolRuntime,
    address: OriginAddress,
    clock: Clock,
    now: number,
  ): OriginAddressView {
    const standing = pool.availability.standings[pool.members.indexOf(address)];
    const { connections, health } = service.settings;
    return {
      address: address.text,
      state: standing?.state ?? "up",
      because: standing?.because ?? "",
      since: Math.round(clock.wall() - (now - (standing?.since ?? now))),
      until: epochOf(standing?.until ?? -1, clock, now),
      share: address.share,
      check: {
        kind: kindOfCheck(health),
        ...address.check,
      },
      disagreement: standing?.disagreement ?? "",
      breakers: pool.breakers?.inWords(address) ?? "",
      inFlight: address.inFlight,
      connectionsOpen: address.connectionsOpen,
      connectionsIdle: address.connectionsIdle,
      keepAliveMs: Math.round(maxIdleMs(connections, address.keepAlive, now)),
      keepAliveBecause: keepAliveBecause(connections, address.keepAlive, now),
      held: address.limit?.held ?? 0,
      limit: address.limit === null ? 0 : limitNow(address.limit),
      latencyMs: Math.round(expectedLatency(address.latency, 0, now) * 100) / 100,
      attempts: address.counters.attempts,
      failures: address.counters.failures,
    };
  }
}

/** With the reasons of now: what traffic did lately changes without a request, when there are none any more. */
function kindOfCheck(health: HealthSettings | null): OriginAddressView["check"]["kind"] {
  if (health === null) return "none";
  if (health.grpc !== null) return "grpc";
  return health.path === null ? "connect" : "http";
}

function seenNow(pool: PoolRuntime, now: number): void {
  pool.settle(now);
  pool.assess(now);
}

/** Null: no time is set. */
function epochOf(at: number, clock: Clock, now: number): number | null {
  return at < 0 ? null : Math.round(clock.wall() + (at - now));
}

function copyOf(histogram: Histogram): Histogram {
  return { ...histogram, counts: histogram.counts.slice() };
}

function crowdInWords(waiting: number, shedding: boolean): string {
  const queue =
    waiting === 0 ? "" : waiting === 1 ? "; 1 request waits for room" : `; ${waiting} requests wait for room`;
  return shedding ? `${queue}; requests are turned away for want of room` : queue;
}
