/**
 * What the data plane tells the control plane: once a second what was counted, and events and changes as they come.
 *
 * What goes well is had from the difference of counters that exist anyway, so that a good exchange costs nothing; what
 * does not is counted by all its dimensions when it is recorded. The book asks nobody for anything and waits for
 * nobody: what it tells may be lost further on, and that is counted there.
 */
import type {
  ChangeFact,
  Fact,
  OriginCertificateRow,
  OriginRow,
  OwnRow,
  SecondFact,
  Teller,
  TopologyFact,
  TrafficRow,
} from "../contract/facts.ts";
import { SAMPLES_MAX } from "../contract/facts.ts";
import type { ExchangeRecord, Outcome } from "../contract/record.ts";
import { revisionInWords } from "../contract/revision.ts";
import type { Revision } from "../contract/revision.ts";
import type { CertificateView, GatewayEvent, OwnUse, ProcessView } from "../contract/view.ts";
import type { Settings } from "../config/settings.ts";
import type { CauseId } from "../kernel/causes.ts";
import type { Clock } from "../kernel/clock.ts";
import { limitNow } from "../policies/adaptive-limit.ts";
import { maxIdleMs } from "../policies/keep-alive.ts";
import { ClientRows } from "./client-rows.ts";
import type { Core } from "./core.ts";
import { countsSince, HistogramSeen } from "./counter-differences.ts";
import { FailureRows } from "./failure-rows.ts";
import type { OriginAddress } from "./origin-address.ts";
import type { PoolRuntime } from "./pool-runtime.ts";
import type { AddressCounters, RouteCounters } from "./telemetry.ts";
import { TraceBook } from "./trace-book.ts";
import type { TellTraces } from "./trace-book.ts";

/** Whom the book tells, and what it cannot know by itself. */
export interface FactPorts extends Teller {
  /** Called for each fact; must be done with it when it returns, or keep it: it is not changed any more. */
  readonly tell: (fact: Fact) => void;
  /** For a collector of traces; told only where one is configured. */
  readonly tellTraces?: TellTraces;
  /** Local ports that connections to one address may use, and the disk of state and log. 0: not known. */
  readonly machine: () => Pick<OwnRow, "portsMax" | "diskFreeBytes" | "diskBytes">;
}

interface BookParts {
  readonly clock: Clock;
  readonly ports: FactPorts;
  readonly settings: Settings;
  readonly processView: () => ProcessView;
  readonly ownUse: () => OwnUse;
  readonly accessLogDropped: () => number;
  /** Absent: none are shown. */
  readonly certificates?: (() => readonly CertificateView[]) | undefined;
  /** How late the loop was at most since this was last asked, ms. */
  readonly takeLateMs: () => number;
}

export const SECOND_MS = 1_000;
const CERTIFICATES_MS = 60_000;
const ORIGIN_CERTIFICATES_MAX = 1_000;
/** Samples of kinds that were seen before leave this much room for kinds that were not. */
const FRESH_SAMPLES = 8;
const SLOWEST_SAMPLES = 3;

interface RouteSeen {
  readonly byOutcome: Record<Outcome, number>;
  readonly byCause: Partial<Record<CauseId, number>>;
  readonly duration: HistogramSeen;
  retries: number;
  refused: number;
}

interface AddressSeen {
  readonly byCause: Partial<Record<CauseId, number>>;
  readonly firstByte: HistogramSeen;
  attempts: number;
  made: number;
}

export class FactBook {
  readonly #parts: BookParts;
  #teller: Teller;
  #settings: Settings;
  readonly #failures = new FailureRows();
  readonly #clients = new ClientRows();
  /** Service → route → class. */
  #classes: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly #routes = new WeakMap<RouteCounters, RouteSeen>();
  readonly #addresses = new WeakMap<AddressCounters, AddressSeen>();
  /** Null: nobody collects traces. */
  #traces: TraceBook | null;
  #samples: ExchangeRecord[] = [];
  #slowest: ExchangeRecord[] = [];
  #certificatesAt = -Infinity;
  #samplesLost = 0;
  #began: { readonly now: number; readonly wall: number };
  #cpuSeconds = 0;
  #changes = 0;

  constructor(parts: BookParts) {
    const { node, worker, revision } = parts.ports;
    this.#parts = parts;
    this.#teller = { node, worker, revision };
    this.#settings = parts.settings;
    this.#classes = classesOf(parts.settings);
    this.#traces = traceBookOf(parts.settings, parts.ports);
    this.#began = { now: parts.clock.monotonic(), wall: parts.clock.wall() };
  }

  // ------------------------------------------------------------------ as it happens

  /** An exchange that was not simply served. */
  failed(record: ExchangeRecord): void {
    const { outcome } = record;
    if (outcome === "served") return;
    const network = this.#clients.networkOf(record.clientAddress);
    this.#clients.add(network, outcome === "failed");
    const routeClass = this.#classOf(record.service, record.route);
    const isFirst = this.#failures.add(record, outcome, routeClass, network);
    const room = SAMPLES_MAX - SLOWEST_SAMPLES - (isFirst ? 0 : FRESH_SAMPLES);
    if (this.#samples.length < room) this.#samples.push(record);
    else if (isFirst) this.#samplesLost += 1;
    // A flood that is refused is one kind of thing a thousand times.
    if (this.#traces !== null && (isFirst || outcome === "failed" || outcome === "rescued"))
      this.#traces.add(record, isFirst);
  }

  /** One that was served and is among the slowest of late. */
  slow(record: ExchangeRecord): void {
    this.#traces?.add(record, false);
    const slowest = this.#slowest;
    if (slowest.length < SLOWEST_SAMPLES) {
      slowest.push(record);
      return;
    }
    const fastest = slowest.reduce(
      (least, one, index) => (one.doneUs < (slowest[least]?.doneUs ?? 0) ? index : least),
      0,
    );
    if (record.doneUs > (slowest[fastest]?.doneUs ?? 0)) slowest[fastest] = record;
  }

  /** A served exchange that stands for others. Returns how many further ones are passed over. */
  sample(record: ExchangeRecord): number {
    return this.#clients.sample(record.clientAddress);
  }

  event(event: GatewayEvent): void {
    if (event.kind === "exchange") return;
    if (event.kind === "gateway" && event.code === "certificate.reloaded") {
      this.change("certificate changed", {}, event.detail);
    }
    this.#tell({ kind: "event", ...this.#teller, at: event.at, event });
  }

  /** `by`: empty when nobody is known to have done it. */
  change(what: ChangeFact["what"], where: ChangeFact["where"], text: string, by = ""): void {
    const at = this.#parts.clock.wall();
    if (what === "certificate changed") this.#certificatesAt = -Infinity;
    const { node, worker } = this.#teller;
    this.#changes += 1;
    // The start of the process is in it, or one after a restart would be called as one before.
    const id = `change-${node}-${worker}-${at}-${this.#changes}`;
    this.#tell({ kind: "change", at, id, what, where, text, by });
  }

  // ------------------------------------------------------------------ once a second

  /** What there is, and that it has begun. */
  start(version: string): void {
    const { clock } = this.#parts;
    this.#began = { now: clock.monotonic(), wall: clock.wall() };
    this.#cpuSeconds = this.#parts.processView().cpuSeconds;
    this.#tellTopology();
    const { worker, revision } = this.#teller;
    const who = worker === 0 ? `Goodgate ${version}` : `Worker ${worker} of Goodgate ${version}`;
    this.change("gateway started", this.#itself(), `${who} started with configuration ${revision}`);
  }

  /** Other settings are in effect: whoever hears of trouble from now on has to know since when. */
  configure(settings: Settings, revision: Revision): void {
    this.#settings = settings;
    this.#classes = classesOf(settings);
    this.#traces?.second();
    this.#traces = traceBookOf(settings, this.#parts.ports);
    this.#teller = { ...this.#teller, revision: revision.hash };
    this.#tellTopology();
    this.change("configuration applied", { node: this.#teller.node }, revisionInWords(revision), revision.by);
  }

  #tellTopology(): void {
    const at = this.#parts.clock.wall();
    this.#tell({ kind: "topology", ...this.#teller, at, services: topologyOf(this.#settings) });
  }

  stop(): void {
    const { worker } = this.#teller;
    const who = worker === 0 ? "the gateway" : `worker ${worker}`;
    this.change("gateway stopped", this.#itself(), `${who} was told to stop and finishes what is under way`);
  }

  /** One of several workers says of itself what one of several may say: the others serve on. */
  #itself(): ChangeFact["where"] {
    const { node, worker } = this.#teller;
    return worker === 0 ? { node } : { node, worker: `${node}/${worker}` };
  }

  second(core: Core): void {
    const { clock } = this.#parts;
    const now = clock.monotonic();
    const lengthMs = now - this.#began.now;
    const at = Math.round(this.#began.wall);
    this.#began = { now, wall: clock.wall() };
    const lost = this.#failures.lost + this.#samplesLost;
    const samples = [...this.#samples, ...this.#slowest];
    this.#samples = [];
    this.#slowest = [];
    this.#samplesLost = 0;
    const second: SecondFact = {
      kind: "second",
      ...this.#teller,
      at,
      lengthMs: Math.round(lengthMs),
      traffic: this.#traffic(core),
      origins: this.#origins(core, now),
      failures: this.#failures.take(),
      clients: this.#clients.take(lengthMs),
      samples,
      own: this.#own(core),
      ...this.#certificatesDue(core, now),
      lost,
    };
    this.#traces?.second();
    this.#tell(second);
  }

  #certificatesDue(core: Core, now: number): Pick<SecondFact, "certificates" | "originCertificates"> {
    if (now - this.#certificatesAt < CERTIFICATES_MS) return {};
    const shown = this.#parts.certificates?.() ?? [];
    const seen = originCertificates(core);
    if (shown.length > 0 || seen.length > 0) this.#certificatesAt = now;
    return {
      ...(shown.length === 0 ? {} : { certificates: shown }),
      ...(seen.length === 0 ? {} : { originCertificates: seen }),
    };
  }

  /** Empty: its route has left the configuration. */
  #classOf(service: string, route: string): string {
    return this.#classes.get(service)?.get(route) ?? "";
  }

  #tell(fact: Fact): void {
    this.#parts.ports.tell(fact);
  }

  #traffic(core: Core): TrafficRow[] {
    const rows: TrafficRow[] = [];
    this.#addTraffic(core.telemetry.unrouted, "", rows);
    for (const counters of core.telemetry.routes.values()) {
      this.#addTraffic(counters, this.#classOf(counters.service, counters.route), rows);
    }
    return rows;
  }

  #addTraffic(counters: RouteCounters, routeClass: string, rows: TrafficRow[]): void {
    let seen = this.#routes.get(counters);
    if (seen === undefined) {
      seen = {
        byOutcome: { served: 0, rescued: 0, failed: 0, refused: 0, aborted: 0 },
        byCause: {},
        duration: new HistogramSeen(),
        retries: 0,
        refused: 0,
      };
      this.#routes.set(counters, seen);
    }
    const grown = countsSince(counters.byOutcome, seen.byOutcome);
    const retries = counters.retries - seen.retries;
    const refused = counters.retriesRefusedByBudget - seen.refused;
    if (isEmpty(grown) && retries === 0 && refused === 0) return;
    seen.retries = counters.retries;
    seen.refused = counters.retriesRefusedByBudget;
    rows.push({
      service: counters.service,
      route: counters.route,
      class: routeClass,
      byOutcome: { served: 0, rescued: 0, failed: 0, refused: 0, aborted: 0, ...grown },
      byCause: countsSince(counters.byCause, seen.byCause),
      duration: seen.duration.since(counters.duration),
      durationSumUs: seen.duration.sumUs,
      retries,
      retriesRefusedByBudget: refused,
    });
  }

  #origins(core: Core, now: number): OriginRow[] {
    const rows: OriginRow[] = [];
    for (const service of core.generation.services) {
      for (const pool of service.pools) {
        const provider = service.settings.pools.find(({ name }) => name === pool.name)?.provider ?? pool.name;
        pool.members.forEach((address, index) => {
          rows.push({
            service: service.settings.name,
            pool: pool.name,
            provider,
            ...this.#address(address),
            ...standingOf(pool, address, index),
            keepAliveMs: Math.round(maxIdleMs(service.settings.connections, address.keepAlive, now)),
          });
        });
      }
    }
    return rows;
  }

  #address({ counters }: OriginAddress): Pick<OriginRow, "attempts" | "byCause" | "firstByte" | "connectionsMade"> {
    let seen = this.#addresses.get(counters);
    if (seen === undefined) {
      seen = { byCause: {}, firstByte: new HistogramSeen(), attempts: 0, made: 0 };
      this.#addresses.set(counters, seen);
    }
    const attempts = counters.attempts - seen.attempts;
    const connectionsMade = counters.connectionsMade - seen.made;
    seen.attempts = counters.attempts;
    seen.made = counters.connectionsMade;
    return {
      attempts,
      byCause: countsSince(counters.byCause, seen.byCause),
      firstByte: seen.firstByte.since(counters.firstByte),
      connectionsMade,
    };
  }

  #own(core: Core): OwnRow {
    const { processView, ownUse, accessLogDropped, takeLateMs, ports } = this.#parts;
    const view = processView();
    const use = ownUse();
    const cpuSeconds = view.cpuSeconds - this.#cpuSeconds;
    this.#cpuSeconds = view.cpuSeconds;
    return {
      loopDelayMaxMs: Math.round(takeLateMs()),
      loopUtilisation: view.loopUtilisation,
      cpuSeconds,
      memoryBytes: use.memoryBytes,
      memoryMax: use.memoryMax,
      descriptorsOpen: use.descriptorsOpen,
      descriptorsMax: use.descriptorsMax,
      connections: core.connections,
      connectionsMax: core.limits.connectionsMax,
      exchangesActive: core.exchangesActive,
      portsUsed: portsUsed(core),
      accessLogDropped: accessLogDropped(),
      ...ports.machine(),
    };
  }
}

function standingOf(
  pool: PoolRuntime,
  address: OriginAddress,
  index: number,
): Pick<
  OriginRow,
  "origin" | "address" | "family" | "inFlight" | "held" | "limit" | "limitSet" | "state" | "share" | "checkOk"
> {
  return {
    origin: address.origin.url,
    address: address.text,
    family: address.family === 6 ? "IPv6" : "IPv4",
    inFlight: address.inFlight,
    held: address.limit?.held ?? 0,
    limit: address.limit === null ? 0 : limitNow(address.limit),
    ...(address.isLimitSet ? { limitSet: true as const } : {}),
    state: pool.availability.standings[index]?.state ?? "up",
    share: address.share,
    checkOk: address.check.ok,
  };
}

/** Several services may lead to the same address, and share the ports towards it. */
function portsUsed(core: Core): number {
  const used = new Map<string, number>();
  for (const service of core.generation.services) {
    for (const pool of service.pools) {
      for (const { text, connectionsOpen } of pool.members) used.set(text, (used.get(text) ?? 0) + connectionsOpen);
    }
  }
  return Math.max(0, ...used.values());
}

function topologyOf(settings: Settings): TopologyFact["services"] {
  return settings.services.map(({ name, hosts, objective, routes, pools }) => ({
    name,
    hosts,
    objective:
      objective === null
        ? null
        : {
            availability: objective.availability,
            latencyMs: objective.latencyMs === 0 ? null : objective.latencyMs,
            latencyRatio: objective.latencyRatio,
          },
    routes: routes.map((route) => ({ name: route.name, class: route.class })),
    pools: pools.map((pool) => ({
      name: pool.name,
      provider: pool.provider,
      origins: pool.origins.map(({ url }) => url),
    })),
  }));
}

/** Service → route → class. */
function classesOf({ services }: Settings): ReadonlyMap<string, ReadonlyMap<string, string>> {
  return new Map(services.map(({ name, routes }) => [name, new Map(routes.map((route) => [route.name, route.class]))]));
}

function traceBookOf({ otlp }: Settings, { tellTraces }: FactPorts): TraceBook | null {
  const isWanted = otlp !== null && otlp.traces && tellTraces !== undefined;
  return isWanted ? new TraceBook(otlp.tracesPerSecondMax, tellTraces) : null;
}

function isEmpty(counts: object): boolean {
  for (const _key in counts) return false;
  return true;
}

/** Of the addresses in use, as far as they have shown one. */
function originCertificates(core: Core): OriginCertificateRow[] {
  const rows: OriginCertificateRow[] = [];
  for (const service of core.generation.services) {
    for (const pool of service.pools) {
      for (const { certificate, origin, text } of pool.members) {
        if (certificate === null || rows.length >= ORIGIN_CERTIFICATES_MAX) continue;
        const { names, issuer, from, until, chainUntil } = certificate;
        const where = { service: service.settings.name, pool: pool.name, origin: origin.url, address: text };
        rows.push({ ...where, names, issuer, notBefore: from, notAfter: until, chainUntil });
      }
    }
  }
  return rows;
}
