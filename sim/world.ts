/**
 * A whole simulated world: the real gateway, put together as `src/main.ts` does it, on a virtual clock and a virtual
 * network, with the origins and clients that a scenario asks for. It runs from the first request to the last closed
 * socket and keeps the evidence that the checkers judge.
 */
import type { Settings } from "../src/config/settings.ts";
import type { Fact } from "../src/contract/facts.ts";
import type { ExchangeRecord } from "../src/contract/record.ts";
import type { GatewayEvent, MetricsView, OwnUse, ProcessView, StatusView } from "../src/contract/view.ts";
import { createHealthSchedule } from "../src/control/health-schedule.ts";
import { createGateway } from "../src/gateway/gateway.ts";
import type { FactPorts } from "../src/gateway/fact-book.ts";
import type { Change, Gateway } from "../src/gateway/gateway.ts";
import type { CheckTarget } from "../src/gateway/check-targets.ts";
import type { GatewayPorts } from "../src/gateway/gateway-ports.ts";
import type { Address } from "../src/kernel/socket.ts";
import { NO_PROCESS, settingsFrom, useOf } from "../test/support/gateway-parts.ts";
import { SeededChance } from "./chance.ts";
import { SimClient, USUAL_HABITS } from "./client.ts";
import type { ClientHabits } from "./client.ts";
import { KeyDisk } from "./key-disk.ts";
import { Ledger } from "./ledger.ts";
import { Load, USUAL_LOAD } from "./load.ts";
import type { LoadPlan } from "./load.ts";
import { NaiveGateway, USUAL_NAIVETY } from "./naive-gateway.ts";
import type { NaiveHabits } from "./naive-gateway.ts";
import { SimOrigin } from "./origin.ts";
import { SimResolver } from "./resolver.ts";
import { Trace } from "./trace.ts";
import { TURN, VirtualClock } from "./virtual-clock.ts";
import { VirtualNetwork } from "./virtual-network.ts";

/** Keys of a configuration file besides its services; `listener` holds those of the one listener. */
export type FileKeys = Readonly<Record<string, unknown>> & { readonly listener?: Readonly<Record<string, unknown>> };

export interface WorldSetup {
  readonly seed: number;
  /** Pool name → names of its origins, in order of preference; each origin gets a host of its own. */
  readonly pools: Readonly<Record<string, readonly string[]>>;
  /** Origins that no pool names: places that a name may move to. */
  readonly hosts: readonly string[];
  /** Keys of the service besides its pools, as in a configuration file. */
  readonly service: Readonly<Record<string, unknown>>;
  readonly file: FileKeys;
  /** Gateways one behind the other, alike; the last one has the pools. */
  readonly layers: number;
  /** It tells a control plane what it counts: for the corpus of diagnosis. */
  readonly tellsFacts: boolean;
  /** It has a disk for what Idempotency-Key promises. */
  readonly keepsKeys: boolean;
  /** Puts something between the gateway and its ports. */
  readonly bend: ((ports: GatewayPorts, world: World) => GatewayPorts) | null;
  /** Not null: a naive gateway takes the place of ours, which is put together and never started. */
  readonly naive: Partial<NaiveHabits> | null;
}

/** What `nothing left` looks at. */
export interface Rest {
  readonly when: "all clients done" | "after the end";
  readonly status: StatusView;
  readonly metrics: MetricsView;
  readonly sockets: readonly string[];
  /** Events that wait on the clock. */
  readonly timers: number;
}

/** Now and then a look at what the gateway says of its pools. */
export interface PoolSample {
  readonly atMs: number;
  readonly pool: string;
  /** Of all its names together. */
  readonly addresses: number;
  readonly available: number;
}

export const GATEWAY_IP = "10.0.0.1";
const GATEWAY_PORT = 8080;
/** A gateway behind another one has two doors, so that the one in front has a choice. */
const GATEWAY_PORTS: readonly number[] = [GATEWAY_PORT, GATEWAY_PORT + 1];
const GATEWAY: Address = { ip: GATEWAY_IP, port: GATEWAY_PORT, family: 4 };
const ORIGIN_PORT = 3000;
const CHECKS_AT_ONCE_MAX = 64;
const SAMPLE_EVERY_MS = 500;
/** After the last client: longer than a connection lingers and a probation is waited for. */
const SETTLE_MS = 8_000;
/** No scenario asks for more; a world that goes on for longer hangs. */
const TRAFFIC_MAX_MS = 20 * 60_000;
const END_MAX_MS = 10 * 60_000;
const LAST_TURNS = 100;

export class World {
  readonly clock: VirtualClock = new VirtualClock();
  readonly trace: Trace = new Trace(this.clock);
  readonly ledger: Ledger = new Ledger();
  readonly chance: SeededChance;
  readonly network: VirtualNetwork;
  readonly resolver: SimResolver;
  readonly settings: Settings;
  readonly clients: SimClient[] = [];
  readonly loads: Load[] = [];

  readonly records: ExchangeRecord[] = [];
  /** What the gateway told a control plane; none unless `tellsFacts`. */
  readonly facts: Fact[] = [];
  readonly events: { readonly atMs: number; readonly event: GatewayEvent }[] = [];
  readonly samples: PoolSample[] = [];
  readonly rests: Rest[] = [];
  /** When the gateway's process crashed, monotonic ms, and how many records there were. */
  readonly gatewayCrashes: { readonly at: number; readonly records: number }[] = [];
  /** What the program threw where nobody caught it. */
  readonly faults: string[] = [];
  /** Times that other settings took effect. */
  reconfigurations = 0;
  /** From when on nothing is wrong any more, ms of traffic; Infinity: nobody says so. */
  wellFromMs = Infinity;
  /** When traffic began and ended, monotonic ms. */
  trafficBeganAt = 0;
  trafficEndedAt = 0;
  /** Why the run had to be given up; empty when it came to its end. */
  gaveUp = "";

  readonly #origins = new Map<string, SimOrigin>();
  readonly #setup: WorldSetup;
  readonly #disk: KeyDisk | null;
  #life: Life = { isOver: false, stops: [] };
  #gateway: Gateway;
  /** What clients ask, and what stands behind it. */
  readonly #running: Running[];
  #checks: { stop(): void };
  #descriptorsMax = 0;
  #revisions = 1;
  #memory: { readonly bytes: (atMs: number) => number; readonly most: number } | null = null;
  #drained: Promise<void> | null = null;
  #stopSampling: () => void = () => undefined;

  constructor(setup: WorldSetup) {
    this.chance = new SeededChance(setup.seed);
    this.network = new VirtualNetwork(this.clock, this.chance.fork("network"), this.trace);
    this.resolver = new SimResolver(this.clock, this.trace);
    this.clock.onFault = (error) => this.#fault(error);
    for (const name of [...Object.values(setup.pools).flat(), ...setup.hosts]) this.#addOrigin(name);
    this.#setup = setup;
    this.#disk = setup.keepsKeys ? new KeyDisk(this.clock, this.chance.fork("disk")) : null;
    this.settings = settingsOf(setup, 0);
    const ports = this.#ports("");
    this.#gateway = this.#createGateway(ports);
    const schedule = (ms: number, run: () => void): (() => void) => this.clock.schedule(ms, run);
    this.#running = Array.from({ length: setup.layers }, (_, layer): Running => {
      const settings = settingsOf(setup, layer);
      const own = layer === 0 ? ports : this.#innerPorts(layer);
      if (setup.naive !== null)
        return new NaiveGateway(settings, { ...own, schedule }, { ...USUAL_NAIVETY, ...setup.naive });
      return layer === 0 ? this.#gateway : createGateway(settings, own);
    });
    for (let layer = 1; layer < setup.layers; layer += 1) this.resolver.setAnswer(nameOf(layer), [ipOf(layer)]);
    this.#checks = setup.naive === null ? this.#startChecks() : NO_CHECKS;
  }

  /** The one that clients ask, as it is now. */
  get gateway(): Gateway {
    return this.#gateway;
  }

  origin(name: string): SimOrigin {
    const origin = this.#origins.get(name);
    if (origin === undefined) throw new Error(`no origin ${name} in this scenario`);
    return origin;
  }

  /** Who is at an address such as `10.1.0.1:3000`; names may move, so they do not tell. */
  nameAt(address: string): string {
    return this.origins.find(({ place }) => `${place.ip}:${place.port}` === address)?.place.name ?? address;
  }

  get origins(): SimOrigin[] {
    return [...this.#origins.values()];
  }

  /** Clients with these habits, each starting a little later than the one before. */
  addClients(count: number, habits: Partial<ClientHabits> = {}): SimClient[] {
    const world = { ...this.#parts(), gateway: GATEWAY };
    const added: SimClient[] = [];
    for (let index = 0; index < count; index += 1) {
      const number = this.clients.length + 1;
      const name = `client-${number}`;
      const client = new SimClient(
        world,
        name,
        `10.9.0.${number}`,
        { ...USUAL_HABITS, ...habits },
        this.chance.fork(name),
      );
      this.clients.push(client);
      added.push(client);
    }
    return added;
  }

  /** A steady stream of calls, whatever becomes of them. */
  addLoad(plan: Pick<LoadPlan, "name" | "perSecond" | "untilMs"> & Partial<LoadPlan>): Load {
    const world = { ...this.#parts(), gateway: GATEWAY };
    const prefix = `10.8.${this.loads.length}`;
    const load = new Load(world, prefix, { ...USUAL_LOAD, ...plan }, this.chance.fork(plan.name));
    this.loads.push(load);
    return load;
  }

  /** All lines short and alike, and reads as things come: for scenarios that are about amounts, not about bytes. */
  straightenLines(): void {
    const line = { latencyMs: [0.2, 0.6], windowBytes: [400_000, 400_000], cuts: ["whole"] } as const;
    this.network.setLines(GATEWAY_IP, line);
    for (const { place } of this.origins) this.network.setLines(place.ip, line);
  }

  /** The gateway's process may have this many sockets, and not one more. */
  limitDescriptors(most: number): void {
    this.#descriptorsMax = most;
    this.network.setSocketsMax(GATEWAY_IP, most);
  }

  /** What the gateway's process has in use of so much memory, after so many ms of traffic. */
  useMemory(bytes: (atMs: number) => number, most: number): void {
    this.#memory = { bytes, most };
  }

  /** `run` after `ms` of traffic. */
  at(ms: number, run: () => void): void {
    this.clock.schedule(ms, run);
  }

  /**
   * The gateway's process is gone, with its connections and all that it knew; after `downMs` another one starts on
   * what was durable. The negative control is spared.
   */
  crashGateway(how: "fin" | "rst", downMs: number): void {
    if (this.#setup.naive !== null || this.#life.isOver || this.#drained !== null) return;
    this.trace.note("world", `the gateway crashes (${how})`);
    this.gatewayCrashes.push({ at: this.clock.monotonic(), records: this.records.length });
    this.#life.isOver = true;
    for (const stop of this.#life.stops) stop();
    this.#checks.stop();
    this.network.killProcess(GATEWAY_IP, how);
    this.#disk?.crash();
    this.clock.schedule(downMs, () => this.#startAgain());
  }

  /** Other settings for the gateway that clients ask; what is left out is as it was at the start. The negative control is spared. */
  reconfigure(other: Partial<Pick<WorldSetup, "pools" | "service" | "file">>): void {
    if (this.#setup.naive !== null || this.#life.isOver || this.#drained !== null) return;
    this.#revisions += 1;
    const number = this.#revisions;
    const settings = settingsOf({ ...this.#setup, ...other }, 0);
    const revision = { number, hash: String(number), at: this.clock.wall(), by: "", reason: "", changes: [] };
    this.#apply({ settings, fallbackFiles: new Map(), revision }).catch((error: unknown) => this.#fault(error));
  }

  /** Begins to drain the gateway, as SIGTERM does. */
  drain(): Promise<void> {
    if (this.#drained !== null) return this.#drained;
    this.trace.note("world", "the gateway drains");
    this.#checks.stop();
    const drained = this.#drainAll();
    this.#drained = drained;
    return drained;
  }

  /** From the start of the gateway to the last closed socket. */
  async run(): Promise<void> {
    for (const gateway of this.#running.toReversed()) {
      // oxlint-disable-next-line no-await-in-loop -- From the innermost outwards, as they need each other.
      await this.#settled(gateway.start(), 5_000, "the gateway does not start");
      if (this.gaveUp !== "") return;
    }
    this.#stopSampling = this.clock.every(SAMPLE_EVERY_MS, () => this.#sample());
    this.trafficBeganAt = this.clock.monotonic();
    const users = [...this.clients, ...this.loads];
    for (const user of users) user.start();
    const isDone = (): boolean => users.every((user) => user.isDone);
    await this.clock.run(TRAFFIC_MAX_MS, isDone);
    this.trafficEndedAt = this.clock.monotonic();
    if (!isDone()) this.gaveUp = "clients wait for answers that do not come";
    await this.clock.run(SETTLE_MS);
    this.#rest("all clients done");
    this.#stopSampling();
    await this.#settled(this.drain(), END_MAX_MS, "the gateway does not end");
    this.resolver.close();
    for (const origin of this.origins) origin.crash("fin");
    await this.clock.run(END_MAX_MS, () => this.clock.waiting === 0);
    this.#rest("after the end");
  }

  // ------------------------------------------------------------------ inside

  #parts(): Pick<World, "clock" | "network" | "ledger" | "trace"> {
    const { clock, network, ledger, trace } = this;
    return { clock, network, ledger, trace };
  }

  async #drainAll(): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- From the outermost inwards.
    for (const gateway of this.#running) await gateway.drain();
  }

  #addOrigin(name: string): void {
    const place = { name, ip: `10.1.0.${this.#origins.size + 1}`, port: ORIGIN_PORT };
    const origin = new SimOrigin(this.#parts(), place, this.chance.fork(name));
    this.#origins.set(name, origin);
    this.resolver.setAnswer(`${name}.test`, [place.ip]);
    origin.start();
  }

  #createGateway(ports: GatewayPorts): Gateway {
    const { bend } = this.#setup;
    const gateway = createGateway(this.settings, bend === null ? ports : bend(ports, this));
    const life = this.#life;
    gateway.view.subscribe((event) => life.isOver || this.#hear(event));
    return gateway;
  }

  async #apply(change: Change): Promise<void> {
    const { kind } = await this.#gateway.apply(change);
    if (kind === "applied") this.reconfigurations += 1;
    else if (kind !== "draining") this.faults.push(`a change of the configuration came to nothing: ${kind}`);
  }

  #startAgain(): void {
    this.trace.note("world", "the gateway starts again");
    this.#life = { isOver: false, stops: [] };
    this.#gateway = this.#createGateway(this.#ports(this.#nameOfLife()));
    this.#running[0] = this.#gateway;
    this.#checks = this.#startChecks();
    this.#gateway.start().catch((error: unknown) => this.#fault(error));
  }

  /** `which`: of the processes one after the other; the first has no name. */
  #ports(which: string, isFirst = true): GatewayPorts {
    const { clock } = this;
    const life = this.#life;
    const ids = this.chance.fork(`ids${which}`);
    return {
      clock,
      chance: this.chance.fork(`gateway${which}`).next,
      newId: () => ids.id(),
      dial: this.network.dialFrom(GATEWAY_IP),
      listen: this.network.listen,
      resolver: this.resolver,
      ledger: this.#disk === null ? null : this.#disk.open(),
      cacheShelf: null,
      every: (ms, run) => {
        const stop = clock.every(ms, run);
        life.stops.push(stop);
        return stop;
      },
      processView: () => this.#processView(),
      ownUse: () => this.#ownUse(),
      log: (record) => this.#keep(record),
      accessLogDropped: () => 0,
      ...(this.#setup.tellsFacts && isFirst ? { facts: this.#factPorts() } : {}),
      version: "simulated",
      onFault: (error) => this.#fault(error),
    };
  }

  /** Of a gateway behind the first one: what it records and says is not looked at. */
  #innerPorts(layer: number): GatewayPorts {
    const { clock } = this;
    const ids = this.chance.fork(`ids ${layer}`);
    return {
      ...this.#ports("", false),
      chance: this.chance.fork(`gateway ${layer}`).next,
      newId: () => ids.id(),
      dial: this.network.dialFrom(ipOf(layer)),
      every: (ms, run) => clock.every(ms, run),
      log: null,
    };
  }

  #factPorts(): FactPorts {
    const life = this.#life;
    return {
      node: GATEWAY_IP,
      worker: 0,
      revision: "simulated",
      tell: (fact) => void (life.isOver || this.facts.push(structuredClone(fact))),
      machine: () => ({ portsMax: 0, diskFreeBytes: 0, diskBytes: 0 }),
    };
  }

  #processView(): ProcessView {
    if (this.#descriptorsMax === 0) return NO_PROCESS;
    const descriptorsOpen = this.network.openAt(GATEWAY_IP).length;
    return { ...NO_PROCESS, descriptorsOpen, descriptorsMax: this.#descriptorsMax };
  }

  #ownUse(): OwnUse {
    const use = useOf(this.#processView());
    if (this.#memory === null) return use;
    const { bytes, most } = this.#memory;
    return { ...use, memoryBytes: bytes(this.clock.monotonic() - this.trafficBeganAt), memoryMax: most };
  }

  #startChecks(): { stop(): void } {
    const { gateway, clock } = this;
    const checks = createHealthSchedule<CheckTarget>({
      clock,
      chance: this.chance.fork(`checks${this.#nameOfLife()}`).next,
      schedule: (ms, run) => clock.schedule(ms, run),
      probe: (target, done) => gateway.probe(target, done),
      onCheck: (target, result) => gateway.checked(target, result),
      atOnceMax: CHECKS_AT_ONCE_MAX,
    });
    const follow = (): void => checks.setTargets(gateway.checkTargets());
    gateway.onCheckTargets(follow);
    follow();
    return checks;
  }

  #nameOfLife(): string {
    return this.gatewayCrashes.length === 0 ? "" : ` ${this.gatewayCrashes.length}`;
  }

  #keep(record: ExchangeRecord): void {
    // The port says: done with it when it returns.
    this.records.push(copyOf(record));
    const attempts = record.attempts.map(
      (one) => `${this.nameAt(one.address)}${one.reused ? "~" : ""} ${one.cause ?? one.status}`,
    );
    this.trace.note(
      "gateway",
      `${record.target.split("?")[0]?.replace("/r/", "#")} ${record.outcome} ${record.status} ${record.cause ?? ""} [${attempts.join(", ")}]`,
    );
  }

  #hear(event: GatewayEvent): void {
    if (event.kind === "exchange") return;
    this.events.push({ atMs: this.clock.elapsedMs, event });
    this.trace.note("gateway", wordsOf(event));
  }

  #sample(): void {
    const { view } = this.gateway;
    const addresses = new Map<string, number>();
    for (const origin of view.origins())
      addresses.set(origin.pool, (addresses.get(origin.pool) ?? 0) + origin.addresses.length);
    for (const { name, available } of view.status().services.flatMap((service) => service.pools)) {
      this.samples.push({ atMs: this.clock.elapsedMs, pool: name, addresses: addresses.get(name) ?? 0, available });
    }
  }

  #rest(when: Rest["when"]): void {
    const { view } = this.gateway;
    this.rests.push({
      when,
      status: view.status(),
      metrics: view.metrics(),
      sockets: this.network.openAt(GATEWAY_IP),
      timers: this.clock.waiting,
    });
  }

  #fault(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.trace.note("gateway", `THROWS ${text.split("\n")[0]}`);
    this.faults.push(text);
  }

  /** Lets time pass until the promise is settled. */
  async #settled(promise: Promise<void>, limitMs: number, otherwise: string): Promise<void> {
    let isSettled = false;
    const settle = promise
      .catch((error: unknown) => this.#fault(error))
      .finally(() => {
        isSettled = true;
      });
    const hasSettled = (): boolean => isSettled;
    await this.clock.run(limitMs, hasSettled);
    // The last event may have set off a longer chain of promises than an event usually does.
    // oxlint-disable-next-line no-await-in-loop -- Turns are what is waited for.
    for (let turn = 0; turn < LAST_TURNS && !hasSettled(); turn += 1) await TURN;
    if (hasSettled()) await settle;
    else this.gaveUp = otherwise;
  }
}

/** From the start of a process to its end. */
interface Life {
  isOver: boolean;
  readonly stops: (() => void)[];
}

interface Running {
  start(): Promise<void>;
  drain(): Promise<void>;
}

function ipOf(layer: number): string {
  return layer === 0 ? GATEWAY_IP : `10.0.${layer}.1`;
}

function nameOf(layer: number): string {
  return `layer-${layer}.test`;
}

function copyOf(record: ExchangeRecord): ExchangeRecord {
  return {
    ...record,
    attempts: record.attempts.map((attempt) => ({ ...attempt })),
    decisions: record.decisions.map((decision) => ({ ...decision })),
  };
}

const settingsKnown = new Map<string, Settings>();

/** Reading a configuration takes longer than many a run; the same text gives the same settings. */
function settingsOf({ pools, service, file, layers }: WorldSetup, layer: number): Settings {
  const { listener, ...others } = file;
  const isLast = layer === layers - 1;
  const places = isLast
    ? Object.entries(pools).map(([name, origins]) => ({
        name,
        origins: origins.map((origin) => `http://${origin}.test:${ORIGIN_PORT}`),
      }))
    : [{ name: "next", origins: GATEWAY_PORTS.map((port) => `http://${nameOf(layer + 1)}:${port}`) }];
  const value = {
    admin: false,
    ...others,
    listeners: (layer === 0 ? [GATEWAY_PORT] : GATEWAY_PORTS).map((port) => ({
      bind: `${ipOf(layer)}:${port}`,
      ...listener,
    })),
    services: {
      shop: {
        health: { path: "/healthz" },
        ...service,
        pools: places,
      },
    },
  };
  const key = JSON.stringify(value);
  const known = settingsKnown.get(key);
  if (known !== undefined) return known;
  const settings = settingsFrom(value);
  settingsKnown.set(key, settings);
  return settings;
}

function wordsOf(event: GatewayEvent): string {
  switch (event.kind) {
    case "origin":
      return `${event.origin} is ${event.state}: ${event.because}`;
    case "pool":
      return `pool ${event.from} → ${event.to}: ${event.because}`;
    case "spill":
      return `shares ${event.shares.map(({ pool, share }) => `${pool} ${share}`).join(", ")}: ${event.because}`;
    case "fail-open":
      return `pool ${event.pool} fails open, ${event.state}: ${event.because}`;
    case "disagreement":
      return `${event.address}: disagreement, ${event.state}: ${event.because}`;
    case "resolution":
      return `${event.origin}: ${event.because}`;
    case "gateway":
      return `${event.code}: ${event.detail}`;
    case "exchange":
      return event.record.id;
  }
}

const NO_CHECKS = { stop: (): void => undefined };
