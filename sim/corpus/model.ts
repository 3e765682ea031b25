/**
 * A model of services, origins, clients and the gateway between them that makes facts by the second, a thousand times faster than
 * the simulated world makes them: for disturbances by the hundred and quiet weeks. It knows no hypotheses and no watches; it
 * only plays out what a fault does to attempts, checks, load and the process, and what the gateway does about it (repeats
 * elsewhere within a budget, takes out what fails, comes back step by step).
 */
import type {
  ChangeFact,
  EventFact,
  Fact,
  FailureRow,
  OriginRow,
  ProbeFact,
  OwnRow,
  SecondFact,
  TrafficRow,
} from "../../src/contract/facts.ts";
import type { AttemptRecord, ExchangeRecord, Outcome } from "../../src/contract/record.ts";
import type { CauseId } from "../../src/kernel/causes.ts";
import { CAUSES } from "../../src/kernel/causes.ts";
import { createHistogram, recordDuration } from "../../src/kernel/histogram.ts";
import type { Histogram } from "../../src/kernel/histogram.ts";
import { toSparse } from "../../src/control/sparse-histogram.ts";
import { SeededChance } from "../chance.ts";

export interface ModelRoute {
  readonly name: string;
  readonly class: "critical" | "normal" | "background";
  readonly weight: number;
  /** Median of an answer. */
  readonly ms: number;
  readonly method: "GET" | "POST";
}

export interface ModelAddress {
  readonly service: string;
  readonly pool: string;
  readonly provider: string;
  readonly origin: string;
  readonly address: string;
  readonly family: "IPv4" | "IPv6";
}

export interface ModelService {
  readonly name: string;
  readonly perSecond: number;
  readonly routes: readonly ModelRoute[];
  readonly addresses: readonly ModelAddress[];
  readonly hasChecks: boolean;
  readonly objective: number | null;
}

export interface ModelSetup {
  readonly services: readonly ModelService[];
  /** Of each node. */
  readonly workers: number;
  /** 1 when left out. */
  readonly nodes?: number;
  readonly networks: number;
}

/** What a fault makes of one attempt; null: nothing. */
export type AttemptEffect =
  | {
      readonly cause: CauseId;
      readonly ms: number;
      readonly idleMs?: number;
      readonly evidence?: string;
      /** What came of the answer before it failed. */
      readonly receivedBytes?: number;
    }
  | { readonly slow: number }
  | { readonly exactMs: number };

export interface AttemptAsk {
  readonly second: number;
  readonly at: ModelAddress;
  readonly route: ModelRoute;
  /** Counted through all nodes. */
  readonly worker: number;
  readonly chance: SeededChance;
  readonly inFlight: number;
  /** Exchanges of its service in this second. */
  readonly load: number;
  readonly service: ModelService;
}

export interface ExchangeAsk {
  readonly second: number;
  readonly service: ModelService;
  readonly route: ModelRoute;
  readonly network: string;
  readonly worker: number;
  readonly chance: SeededChance;
}

export type Told = Omit<ChangeFact, "at" | "id" | "kind"> | Omit<ProbeFact, "at" | "id" | "kind"> | EventFact["event"];

/** `second`s count from the beginning of the fault; negative before it. */
export interface Fault {
  readonly attempt?: (ask: AttemptAsk) => AttemptEffect | null;
  /** What is so before and after the fault as well: no part of it. */
  readonly habit?: (ask: AttemptAsk) => AttemptEffect | null;
  /** Decides the exchange before any attempt. */
  readonly exchange?: (ask: ExchangeAsk) => {
    readonly outcome: Exclude<Outcome, "served" | "rescued">;
    readonly cause: CauseId;
    readonly ms: number;
  } | null;
  readonly check?: (at: ModelAddress, second: number) => boolean | null;
  readonly load?: (service: ModelService, second: number) => number;
  readonly own?: (worker: number, second: number) => Partial<OwnRow>;
  /** Facts told in this second. */
  readonly tell?: (second: number) => readonly Told[];
  readonly revision?: (worker: number, second: number) => string;
  /** From which network an extra exchange comes. */
  readonly network?: (ask: { second: number; chance: SeededChance; extra: boolean }) => string | null;
  /** Answers of the cache, 0–1 of exchanges; they need no attempt. */
  readonly cached?: (second: number) => number;
  /** Nobody is there to be asked or to tell: the gateway itself is away. */
  readonly away?: (second: number) => boolean;
  /** Whether an address is among those there are. */
  readonly there?: (at: ModelAddress, second: number) => boolean;
}

type State = OriginRow["state"];

interface AddressState {
  readonly at: ModelAddress;
  state: State;
  since: number;
  failuresInRow: number;
  ejections: number;
  outUntil: number;
  rampFrom: number;
  recent: { well: number; bad: number }[];
  checkFails: number;
  checkWell: number;
  checkOk: boolean | null;
  inFlight: number;
  attempts: number;
  made: number;
  byCause: Partial<Record<CauseId, number>>;
  firstByte: Histogram;
}

interface Ending {
  readonly run: () => void;
}

const ATTEMPTS_MAX = 3;
const RESEND: ReadonlySet<string> = new Set(["R0", "R1", "R2"]);
export const EPOCH_MS = 1_764_000_000_000;

export class Model {
  readonly #setup: ModelSetup;
  readonly #chance: SeededChance;
  readonly #fault: Fault;
  readonly #faultFrom: number;
  readonly #faultUntil: number;
  readonly #addresses = new Map<ModelAddress, AddressState>();
  readonly #endings = new Map<number, Ending[]>();
  readonly #startMs: number;
  #second = 0;
  #ids = 0;
  #events: Fact[] = [];
  #traffic = new Map<string, { -readonly [K in keyof TrafficRow]: TrafficRow[K] } & { histogram: Histogram }>();
  #failures = new Map<string, FailureRow & { count: number }>();
  #clients = new Map<string, { exchanges: number; failed: number }>();
  #samples: ExchangeRecord[] = [];
  #retryTokens = new Map<string, number>();

  constructor(
    setup: ModelSetup,
    fault: Fault,
    plan: { seed: number; faultFrom: number; faultUntil: number; startMs?: number },
  ) {
    this.#setup = setup;
    this.#fault = fault;
    this.#faultFrom = plan.faultFrom;
    this.#faultUntil = plan.faultUntil;
    this.#startMs = plan.startMs ?? EPOCH_MS;
    this.#chance = new SeededChance(plan.seed);
    for (const service of setup.services) {
      for (const at of service.addresses) {
        this.#addresses.set(at, {
          at,
          state: "up",
          since: 0,
          failuresInRow: 0,
          ejections: 0,
          outUntil: 0,
          rampFrom: 0,
          recent: [],
          checkFails: 0,
          checkWell: 0,
          checkOk: service.hasChecks ? true : null,
          inFlight: 0,
          attempts: 0,
          made: 0,
          byCause: {},
          firstByte: createHistogram(),
        });
      }
    }
  }

  topology(): Fact {
    return {
      kind: "topology",
      node: "node-1",
      worker: 0,
      revision: "r1",
      at: this.#startMs,
      services: this.#setup.services.map(({ name, routes, addresses, objective }) => ({
        name,
        objective: objective === null ? null : { availability: objective, latencyMs: null, latencyRatio: 0.95 },
        routes: routes.map((route) => ({ name: route.name, class: route.class })),
        pools: [...new Set(addresses.map(({ pool }) => pool))].map((pool) => ({
          name: pool,
          provider: addresses.find((address) => address.pool === pool)?.provider ?? pool,
          origins: [...new Set(addresses.filter((address) => address.pool === pool).map(({ origin }) => origin))],
        })),
      })),
    };
  }

  /** One second of facts. */
  next(): Fact[] {
    const second = this.#second - this.#faultFrom;
    const isOn = this.#second >= this.#faultFrom && this.#second < this.#faultUntil;
    this.#events = [];
    for (const told of this.#fault.tell?.(second) ?? []) this.#tell(told);
    if (this.#fault.away?.(second) === true) {
      this.#endings.delete(this.#second);
      this.#second += 1;
      return this.#events;
    }
    this.#check(second, isOn);
    for (const service of this.#setup.services) this.#serve(service, second, isOn);
    for (const { run } of this.#endings.get(this.#second) ?? []) run();
    this.#endings.delete(this.#second);
    const facts = this.#events.concat(this.#seconds(second, isOn));
    this.#second += 1;
    return facts;
  }

  get #tellers(): number {
    return this.#setup.workers * (this.#setup.nodes ?? 1);
  }

  get #now(): number {
    return this.#startMs + this.#second * 1000;
  }

  #tell(told: Told): void {
    if ("rungs" in told) this.#events.push({ kind: "probe", at: this.#now, id: "probe-1", ...told });
    else if ("what" in told) {
      this.#ids += 1;
      this.#events.push({ kind: "change", at: this.#now, id: `change-${this.#ids}`, ...told });
    } else
      this.#events.push({
        kind: "event",
        node: "node-1",
        // Of processes the supervisor tells, which says whose end it was.
        worker: told.kind === "gateway" ? this.#setup.workers : 0,
        revision: "r1",
        at: this.#now,
        event: { ...told, at: this.#now },
      });
  }

  #serve(service: ModelService, second: number, isOn: boolean): void {
    const factor = this.#fault.load?.(service, second) ?? 1;
    const load = poisson(service.perSecond * factor, this.#chance);
    const usual = Math.min(load, Math.round(service.perSecond));
    for (let index = 0; index < load; index += 1) this.#exchange(service, second, isOn, load, index >= usual);
    const tokens = this.#retryTokens.get(service.name) ?? 10;
    this.#retryTokens.set(service.name, Math.min(50, tokens + load * 0.1 + 10));
  }

  #exchange(service: ModelService, second: number, isOn: boolean, load: number, extra: boolean): void {
    const chance = this.#chance;
    const route = pickRoute(service, chance);
    const worker = Math.floor(chance.next() * this.#tellers);
    const network = this.#fault.network?.({ second, chance, extra }) ?? networkOf(chance, this.#setup.networks);
    const decided = isOn ? (this.#fault.exchange?.({ second, service, route, network, worker, chance }) ?? null) : null;
    if (decided !== null) {
      this.#end(service, route, network, worker, decided.outcome, decided.cause, null, decided.ms, [], decided.ms);
      return;
    }
    if (this.#fault.cached !== undefined && chance.next() < this.#fault.cached(second)) {
      this.#end(service, route, network, worker, "served", null, null, 1, [], 1);
      return;
    }
    const tried: AttemptRecord[] = [];
    const used = new Set<string>();
    let total = 0;
    for (;;) {
      const state = this.#pick(service, used);
      if (state === null) {
        this.#end(service, route, network, worker, "failed", "origin.all_unhealthy", null, total + 1, tried, total);
        return;
      }
      used.add(state.at.origin);
      const ask: AttemptAsk = { second, at: state.at, route, worker, chance, inFlight: state.inFlight, load, service };
      const effect = (isOn ? this.#fault.attempt?.(ask) : null) ?? this.#fault.habit?.(ask) ?? null;
      const noise = chance.next() < 0.0001 ? ({ cause: "origin.app_5xx", ms: 20 } as const) : null;
      const result = effect !== null && "cause" in effect ? effect : noise;
      const slow = effect !== null && "slow" in effect ? effect.slow : 1;
      const exact = effect !== null && "exactMs" in effect ? effect.exactMs : null;
      const ms = result?.ms ?? exact ?? route.ms * slow * Math.exp(gauss(chance) * 0.35);
      total += ms;
      const cause = result?.cause ?? null;
      const attempt = attemptRecord(
        state.at,
        tried.length + 1,
        cause,
        ms,
        effect !== null && "cause" in effect ? effect : null,
      );
      tried.push(attempt);
      state.inFlight += ms >= 1000 ? 1 : 0;
      this.#later(total, () => this.#settle(state, cause, ms));
      if (cause === null) {
        const outcome = tried.length > 1 ? "rescued" : "served";
        const lost = tried[tried.length - 2];
        this.#end(
          service,
          route,
          network,
          worker,
          outcome,
          outcome === "rescued" ? (lost?.cause ?? null) : null,
          outcome === "rescued" ? this.#of(lost) : null,
          total,
          tried,
          total,
        );
        return;
      }
      const tokens = this.#retryTokens.get(service.name) ?? 10;
      const again =
        tried.length < ATTEMPTS_MAX &&
        tokens >= 1 &&
        RESEND.has(CAUSES[cause].retryClass) &&
        (route.method === "GET" || CAUSES[cause].retryClass === "R0");
      if (!again || used.size >= new Set(service.addresses.map(({ origin }) => origin)).size) {
        this.#end(service, route, network, worker, "failed", cause, state.at, total, tried, total);
        return;
      }
      this.#retryTokens.set(service.name, tokens - 1);
    }
  }

  #of(attempt: AttemptRecord | undefined): ModelAddress | null {
    for (const { at } of this.#addresses.values())
      if (at.address === attempt?.address && at.pool === attempt.pool) return at;
    return null;
  }

  #later(ms: number, run: () => void): void {
    const second = this.#second + Math.floor(ms / 1000);
    if (second === this.#second) {
      run();
      return;
    }
    const list = this.#endings.get(second);
    if (list === undefined) this.#endings.set(second, [{ run }]);
    else list.push({ run });
  }

  #settle(state: AddressState, cause: CauseId | null, ms: number): void {
    if (ms >= 1000) state.inFlight = Math.max(0, state.inFlight - 1);
    state.attempts += 1;
    if (this.#chance.next() < 0.05) state.made += 1;
    if (cause === null || (CAUSES[cause].party === "origin" && cause === "origin.app_5xx"))
      recordDuration(state.firstByte, ms * 1000);
    if (cause === null) {
      state.failuresInRow = 0;
      this.#recent(state).well += 1;
      if (state.state === "probation") this.#turn(state, "ramping", "a request went well");
      return;
    }
    state.byCause[cause] = (state.byCause[cause] ?? 0) + 1;
    if (CAUSES[cause].party === "gateway" || CAUSES[cause].party === "client") return;
    state.failuresInRow += 1;
    this.#recent(state).bad += 1;
    let [well, bad] = [0, 0];
    for (const one of state.recent) {
      well += one.well;
      bad += one.bad;
    }
    const isOut = state.state === "ejected" || state.state === "down";
    if (isOut) return;
    if (state.state === "probation" || state.failuresInRow >= 5 || (well + bad >= 20 && bad > (well + bad) * 0.2))
      this.#eject(state);
  }

  #recent(state: AddressState): { well: number; bad: number } {
    let last = state.recent[state.recent.length - 1];
    if (last === undefined || state.since !== this.#second) {
      last = { well: 0, bad: 0 };
      state.recent.push(last);
      if (state.recent.length > 10) state.recent.shift();
      state.since = this.#second;
    }
    return last;
  }

  #eject(state: AddressState): void {
    const peers = [...this.#addresses.values()].filter(
      ({ at }) => at.service === state.at.service && at.pool === state.at.pool,
    );
    const out = peers.filter(({ state: its }) => its === "ejected" || its === "down").length;
    if (out + 1 > peers.length / 2) return;
    state.ejections += 1;
    state.outUntil = this.#second + Math.min(60, 2 ** (state.ejections - 1));
    state.recent = [];
    this.#turn(state, "ejected", `${state.failuresInRow} failures in a row`);
  }

  #turn(state: AddressState, to: State, because: string): void {
    if (state.state === to) return;
    state.state = to;
    if (to === "ramping") state.rampFrom = this.#second;
    const { service, pool, origin, address } = state.at;
    this.#tell({ kind: "origin", at: this.#now, service, pool, origin, address, state: to, because });
  }

  #check(second: number, isOn: boolean): void {
    for (const state of this.#addresses.values()) {
      if (state.state === "ejected" && this.#second >= state.outUntil)
        this.#turn(state, "probation", "it may be tried again");
      if (state.state === "ramping" && this.#second >= state.rampFrom + 10) {
        state.ejections = 0;
        this.#turn(state, "up", "it serves well");
      }
      if (state.checkOk === null || this.#second % 2 !== 0) continue;
      const ok = (isOn ? this.#fault.check?.(state.at, second) : true) ?? true;
      state.checkFails = ok ? 0 : state.checkFails + 1;
      state.checkWell = ok ? state.checkWell + 1 : 0;
      if (state.checkFails >= 3) state.checkOk = false;
      if (state.checkWell >= 2) state.checkOk = true;
      if (!state.checkOk && state.state !== "down" && state.state !== "ejected") {
        const peers = [...this.#addresses.values()].filter(
          ({ at }) => at.service === state.at.service && at.pool === state.at.pool,
        );
        const out = peers.filter(({ state: its }) => its === "ejected" || its === "down").length;
        if (out + 1 <= peers.length / 2) this.#turn(state, "down", "3 checks in a row failed");
      }
      if (state.checkOk && state.state === "down") this.#turn(state, "ramping", "2 checks in a row went well");
    }
  }

  /** The first pool with enough that is usable; within it at random. */
  #pick(service: ModelService, used: ReadonlySet<string>): AddressState | null {
    const all = service.addresses
      .filter((at) => this.#fault.there?.(at, this.#second - this.#faultFrom) ?? true)
      .map((at) => this.#addresses.get(at))
      .filter((state): state is AddressState => state !== undefined);
    const pools = [...new Set(service.addresses.map(({ pool }) => pool))];
    for (const pass of [0, 1]) {
      for (const pool of pools) {
        const members = all.filter(({ at }) => at.pool === pool);
        const usable = members.filter(({ state }) => state === "up" || state === "ramping" || state === "probation");
        const free = usable.filter(({ at }) => !used.has(at.origin));
        if (pass === 0 && usable.length < members.length * 0.5) continue;
        const weighed = free.filter(({ state }) => state !== "probation" || this.#chance.next() < 0.1);
        const list = weighed.length > 0 ? weighed : free;
        const picked = list[Math.floor(this.#chance.next() * list.length)];
        if (picked !== undefined) return picked;
      }
    }
    const rest = all.filter(({ at }) => !used.has(at.origin));
    return rest[Math.floor(this.#chance.next() * rest.length)] ?? null;
  }

  #end(
    service: ModelService,
    route: ModelRoute,
    network: string,
    worker: number,
    outcome: Outcome,
    cause: CauseId | null,
    at: ModelAddress | null,
    ms: number,
    attempts: AttemptRecord[],
    afterMs: number,
  ): void {
    this.#later(afterMs, () => {
      const key = `${worker}\n${service.name}\n${route.name}`;
      let row = this.#traffic.get(key);
      if (row === undefined) {
        row = {
          service: service.name,
          route: route.name,
          class: route.class,
          byOutcome: { served: 0, rescued: 0, failed: 0, refused: 0, aborted: 0 },
          byCause: {},
          duration: [],
          durationSumUs: 0,
          retries: 0,
          retriesRefusedByBudget: 0,
          histogram: createHistogram(),
        };
        this.#traffic.set(key, row);
      }
      const byOutcome = row.byOutcome as Record<Outcome, number>; // Ours until it is told.
      byOutcome[outcome] += 1;
      if (cause !== null && outcome !== "rescued") {
        const byCause = row.byCause as Partial<Record<CauseId, number>>;
        byCause[cause] = (byCause[cause] ?? 0) + 1;
      }
      recordDuration(row.histogram, ms * 1000);
      row.retries += Math.max(0, attempts.length - 1);
      const client = this.#clients.get(network) ?? { exchanges: 0, failed: 0 };
      client.exchanges += 1;
      if (outcome === "failed") client.failed += 1;
      this.#clients.set(network, client);
      if (outcome === "served") return;
      const failure: FailureRow = {
        outcome,
        cause,
        party: cause === null ? null : CAUSES[cause].party,
        service: service.name,
        route: route.name,
        class: route.class,
        pool: at?.pool ?? "",
        origin: at?.origin ?? "",
        address: at?.address ?? "",
        family: at?.family ?? "",
        clientNetwork: network,
        innerGateway: cause === "origin.nested_gw_5xx" ? "made: Server: inner" : "",
        count: 1,
      };
      const failureKey = `${worker}\n${outcome}\n${cause ?? ""}\n${service.name}\n${route.name}\n${at?.address ?? ""}\n${network}`;
      const before = this.#failures.get(failureKey);
      if (before !== undefined) before.count += 1;
      else if (this.#failures.size < 512) this.#failures.set(failureKey, failure);
      if (this.#samples.length < 20)
        this.#samples.push(this.#record(service, route, network, outcome, cause, attempts, ms));
    });
  }

  #record(
    service: ModelService,
    route: ModelRoute,
    network: string,
    outcome: Outcome,
    cause: CauseId | null,
    attempts: AttemptRecord[],
    ms: number,
  ): ExchangeRecord {
    this.#ids += 1;
    const last = attempts[attempts.length - 1];
    return {
      id: `x${this.#ids}`,
      traceId: "",
      parentSpanId: "",
      startedAt: this.#now,
      listener: "main",
      clientAddress: network.replace("0/24", "7"),
      peerAddress: network.replace("0/24", "7"),
      peerPort: 40_000,
      proxiedBy: "",
      connectionUses: 0,
      method: route.method,
      host: service.name,
      target: `/${route.name}`,
      protocol: "HTTP/1.1",
      tls: null,
      userAgent: "",
      service: service.name,
      route: route.name,
      pool: last?.pool ?? "",
      origin: last?.origin ?? "",
      status: outcome === "failed" ? 502 : 200,
      originStatus: 0,
      outcome,
      cause: outcome === "rescued" ? null : cause,
      party: cause === null ? null : CAUSES[cause].party,
      reason: "",
      step: "attempt",
      evidence: "",
      own: null,
      requestBytes: 0,
      responseBytes: 0,
      headUs: 10,
      routedUs: 20,
      queuedUs: 0,
      requestEndUs: 10,
      replyUs: Math.round(ms * 1000),
      doneUs: Math.round(ms * 1000),
      cache: "",
      tunnel: false,
      grpcStatus: -1,
      attempts,
      decisions: [],
    };
  }

  #seconds(second: number, isOn: boolean): SecondFact[] {
    const facts: SecondFact[] = [];
    for (let worker = 0; worker < this.#tellers; worker += 1) {
      const traffic: TrafficRow[] = [];
      for (const [key, row] of this.#traffic) {
        if (!key.startsWith(`${worker}\n`)) continue;
        const { histogram, ...rest } = row;
        traffic.push({ ...rest, duration: toSparse(histogram) });
      }
      const failures = [...this.#failures].filter(([key]) => key.startsWith(`${worker}\n`)).map(([, row]) => row);
      facts.push({
        kind: "second",
        node: `node-${Math.floor(worker / this.#setup.workers) + 1}`,
        worker: worker % this.#setup.workers,
        revision: this.#fault.revision?.(worker, second) ?? "r1",
        at: this.#now,
        lengthMs: 1000,
        traffic,
        // One worker tells for all: whose attempt it was makes no difference to what is said of an address.
        origins:
          worker === 0
            ? [...this.#addresses.values()].filter(({ at }) => this.#fault.there?.(at, second) ?? true).map(originRow)
            : [],
        failures,
        clients:
          worker === 0
            ? [...this.#clients]
                .toSorted((a, b) => b[1].exchanges - a[1].exchanges)
                .slice(0, 64)
                .map(([network, client]) => ({ network, ...client }))
            : [],
        samples: worker === 0 ? this.#samples : [],
        own: { ...OWN, ...(isOn ? this.#fault.own?.(worker, second) : {}) },
        lost: 0,
      });
    }
    this.#traffic = new Map();
    this.#failures = new Map();
    this.#clients = new Map();
    this.#samples = [];
    for (const state of this.#addresses.values()) {
      state.attempts = 0;
      state.made = 0;
      state.byCause = {};
      state.firstByte = createHistogram();
    }
    return facts;
  }
}

const OWN: OwnRow = {
  loopDelayMaxMs: 4,
  loopUtilisation: 0.2,
  cpuSeconds: 0.2,
  memoryBytes: 100_000_000,
  memoryMax: 1_000_000_000,
  descriptorsOpen: 200,
  descriptorsMax: 10_000,
  connections: 100,
  connectionsMax: 10_000,
  exchangesActive: 10,
  portsUsed: 50,
  portsMax: 28_000,
  accessLogDropped: 0,
  diskFreeBytes: 1e10,
  diskBytes: 2e10,
};

function originRow(state: AddressState): OriginRow {
  const { at } = state;
  return {
    service: at.service,
    pool: at.pool,
    provider: at.provider,
    origin: at.origin,
    address: at.address,
    family: at.family,
    attempts: state.attempts,
    byCause: { ...state.byCause },
    firstByte: toSparse(state.firstByte),
    connectionsMade: state.made,
    inFlight: state.inFlight,
    held: state.inFlight,
    limit: 100,
    state: state.state,
    share: state.state === "up" ? 1 : 0.5,
    checkOk: state.checkOk,
    keepAliveMs: 4000,
  };
}

function attemptRecord(
  at: ModelAddress,
  number: number,
  cause: CauseId | null,
  ms: number,
  effect: Extract<AttemptEffect, { cause: CauseId }> | null,
): AttemptRecord {
  const idleMs = effect?.idleMs ?? 0;
  const us = Math.round(ms * 1000);
  const never = cause === "origin.refused" || cause === "net.connect_timeout" || cause === "net.unroutable";
  return {
    number,
    pool: at.pool,
    origin: at.origin,
    address: at.address,
    protocol: "HTTP/1.1",
    reused: idleMs > 0,
    connectionUses: idleMs > 0 ? 3 : 0,
    connectionAgeMs: idleMs,
    connectionIdleMs: idleMs,
    startedUs: 30,
    connectedUs: never ? -1 : 40,
    securedUs: -1,
    sentUs: never ? -1 : 50,
    firstByteUs: cause === null ? us : -1,
    headUs: cause === null ? us : -1,
    endedUs: us,
    tls: null,
    sentBytes: 300,
    receivedBytes: cause === null ? 500 : (effect?.receivedBytes ?? 0),
    status: cause === null ? 200 : 0,
    cause,
    evidence: effect?.evidence ?? "",
    signs: null,
  };
}

function pickRoute({ routes }: ModelService, chance: SeededChance): ModelRoute {
  let left = chance.next() * routes.reduce((all, { weight }) => all + weight, 0);
  for (const route of routes) {
    left -= route.weight;
    if (left <= 0) return route;
  }
  return routes[0] ?? { name: "all", class: "normal", weight: 1, ms: 10, method: "GET" };
}

/** A few networks have most of the clients. */
function networkOf(chance: SeededChance, networks: number): string {
  const rank = Math.floor(networks ** chance.next()) - 1;
  return `10.${Math.floor(rank / 250)}.${rank % 250}.0/24`;
}

function gauss(chance: SeededChance): number {
  return Math.sqrt(-2 * Math.log(1 - chance.next())) * Math.cos(2 * Math.PI * chance.next());
}

function poisson(mean: number, chance: SeededChance): number {
  if (mean > 50) return Math.max(0, Math.round(mean + gauss(chance) * Math.sqrt(mean)));
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = chance.next(); product > limit; product *= chance.next()) count += 1;
  return count;
}
