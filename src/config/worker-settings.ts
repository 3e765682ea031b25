/**
 * The part of a configuration that is one worker's, where several serve together: what is written is what the node may
 * do, so what has a number is divided, to the last unit, and what is left over goes to the first ones.
 *
 * Not divided is what is no amount: times, ratios, thresholds of evidence, the size of one thing. Nor is what one
 * worker cannot have a part of: rate limits are shared by the hub while they are used (gateway/shared-rates.ts), the
 * ledger of keys is one for all, and what an origin can take is learned by each worker for the part of the traffic that
 * it has.
 *
 * A limit below the number of workers cannot be divided: a worker with none would serve nothing. Each gets one then,
 * which is more than was written in all, and `notes` says so.
 */
import type { LimitSettings, RouteSettings, ServiceSettings, Settings } from "./settings.ts";

export interface WorkerSettings {
  readonly settings: Settings;
  /** What does not add up, in sentences for the operator. */
  readonly notes: readonly string[];
}

/** As gateway.ts has it for a gateway alone. */
const PER_CLIENT_SHARE = 0.25;
const PER_CLIENT_MIN = 100;

/** `worker`: 1, 2, … `secret`: made up by the supervisor, for tickets that all workers know. */
export function settingsForWorker(settings: Settings, worker: number, workers: number, secret: string): WorkerSettings {
  if (workers <= 1) return { settings, notes: [] };
  const split = new Split(worker, workers);
  const { limits, records, cache, idempotency, waiting, accessLog, otlp } = settings;
  const memoryBytes = split.amount(cache.memoryBytes);
  const divided: Settings = {
    ...settings,
    limits: limitsOf(limits, split),
    services: settings.services.map((service) => serviceOf(service, split)),
    records: {
      ...records,
      failedMax: split.amount(records.failedMax),
      slowestMax: split.amount(records.slowestMax),
      sampledMax: split.amount(records.sampledMax),
    },
    cache: {
      ...cache,
      memoryBytes,
      diskBytes: split.amount(cache.diskBytes),
      objectBytes: Math.min(cache.objectBytes, memoryBytes),
      waitersMax: split.atLeastOne(cache.waitersMax, "cache.waiters"),
    },
    idempotency: { ...idempotency, receivingBytesMax: split.amount(idempotency.receivingBytesMax) },
    waiting: { ...waiting, secret: waiting.secret ?? secret },
    otlp: otlp && {
      ...otlp,
      tracesPerSecondMax: split.atLeastOne(otlp.tracesPerSecondMax, "telemetry.otlp.tracesPerSecond"),
    },
    accessLog: accessLog === null ? null : { ...accessLog, bufferBytes: split.amount(accessLog.bufferBytes) },
  };
  return { settings: divided, notes: split.notes };
}

function limitsOf(limits: LimitSettings, split: Split): LimitSettings {
  const perClient =
    limits.connectionsPerClientMax ?? Math.max(PER_CLIENT_MIN, Math.floor(limits.connectionsMax * PER_CLIENT_SHARE));
  return {
    ...limits,
    connectionsMax: split.atLeastOne(limits.connectionsMax, "limits.connections"),
    connectionsPerClientMax: split.atLeastOne(perClient, "limits.connectionsPerClient"),
    handshakesMax: split.atLeastOne(limits.handshakesMax, "limits.handshakes"),
    replayBytesTotal: split.amount(limits.replayBytesTotal),
    memoryBytes: split.amount(limits.memoryBytes),
  };
}

function serviceOf(service: ServiceSettings, split: Split): ServiceSettings {
  const { name, connections, overload, retry } = service;
  return {
    ...service,
    routes: service.routes.map((route) => routeOf(route, name, split)),
    // A rate has no last unit.
    retry: { ...retry, budgetPerSecond: retry.budgetPerSecond / split.workers },
    connections: {
      ...connections,
      perOriginMax: split.atLeastOne(connections.perOriginMax, `services.${name}.connections.perOrigin`),
      idlePerOriginMax: split.amount(connections.idlePerOriginMax),
    },
    overload: overload && {
      ...overload,
      concurrency: split.unlessNone(overload.concurrency, `services.${name}.overload.concurrency`),
      waitingMax: split.amount(overload.waitingMax),
    },
  };
}

function routeOf(route: RouteSettings, service: string, split: Split): RouteSettings {
  if (route.concurrency === 0) return route;
  const path = `services.${service}.routes ${route.name} concurrency`;
  return { ...route, concurrency: split.atLeastOne(route.concurrency, path) };
}

class Split {
  readonly notes: string[] = [];
  readonly workers: number;
  readonly #worker: number;

  constructor(worker: number, workers: number) {
    this.#worker = worker;
    this.workers = workers;
  }

  amount(all: number): number {
    const { workers } = this;
    return Math.floor(all / workers) + (this.#worker <= all % workers ? 1 : 0);
  }

  atLeastOne(all: number, name: string): number {
    if (all >= this.workers || all === 0) return this.amount(all);
    this.notes.push(
      `${name} is ${all} and there are ${this.workers} workers: each may have 1, which is ${this.workers} in all`,
    );
    return 1;
  }

  /** 0 stands for none set. */
  unlessNone(all: number, name: string): number {
    return all === 0 ? 0 : this.atLeastOne(all, name);
  }
}
