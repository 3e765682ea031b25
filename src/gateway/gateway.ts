/**
 * A gateway, put together from its settings and the ports to the world. Everything it needs is handed in, so that a
 * simulator can run the very same code on a virtual network.
 */
import { needsNewProcess } from "../config/needs-new-process.ts";
import type { ListenerSettings, Settings } from "../config/settings.ts";
import type { KeyDesk } from "../contract/keys.ts";
import { revisionInWords } from "../contract/revision.ts";
import type { Revision } from "../contract/revision.ts";
import type { News } from "../contract/shared-knowledge.ts";
import type { GatewayActions, GatewayEvent, GatewayView } from "../contract/view.ts";
import { isLoopbackIp } from "../kernel/ip-text.ts";
import type { ListeningPort } from "../kernel/socket.ts";
import { TimerWheel } from "../kernel/timer-wheel.ts";
import type { CheckResult } from "../policies/health.ts";
import { createPressure } from "../policies/own-pressure.ts";
import { AddressMemory } from "./address-memory.ts";
import { ResponseCache } from "./cache/response-cache.ts";
import { checkTargetsOf } from "./check-targets.ts";
import type { CheckTarget } from "./check-targets.ts";
import type { ClientConnection } from "./client-connection.ts";
import { HandshakeRecords } from "./client-handshake.ts";
import { clientKey, hashKeyFrom, networkOf } from "./client-key.ts";
import type { Core } from "./core.ts";
import { Door } from "./door.ts";
import { drainOrigin, restoreOrigin } from "./drains.ts";
import { FactBook, SECOND_MS } from "./fact-book.ts";
import { finishConnections } from "./finish-connections.ts";
import type { GatewayPorts } from "./gateway-ports.ts";
import { Gather } from "./gather.ts";
import { noGeneration } from "./generation.ts";
import { Http2Connection } from "./http2-connection.ts";
import { createIdentity, instanceOf } from "./identify.ts";
import { KeyBook } from "./key-book.ts";
import { createKeyDesk } from "./key-desk.ts";
import { knownNews } from "./known-news.ts";
import { leave, Listeners } from "./listeners.ts";
import type { Opened } from "./listeners.ts";
import { LoadTeller } from "./load-news.ts";
import { OwnLimits, SAMPLE_MS } from "./own-limits.ts";
import { probeOrigin } from "./probe.ts";
import { createReconfigure } from "./reconfigure.ts";
import { RecordBook } from "./record-book.ts";
import { checkNews, hearNews } from "./shared-knowledge.ts";
import { withSocketNames } from "./socket-names.ts";
import { firstAnswers, firstIdentities, firstNews } from "./start-waits.ts";
import { Telemetry } from "./telemetry.ts";
import { createView } from "./view.ts";
import { WaitingRoom } from "./waiting.ts";

/** What is to be in effect from now on. */
export interface Change {
  readonly settings: Settings;
  /** What the files of the routes' fallbacks hold now, by path. */
  readonly fallbackFiles: ReadonlyMap<string, Buffer>;
  readonly revision: Revision;
}

export type ApplyResult =
  | { readonly kind: "applied" }
  /** Nothing was changed: these fields are of the process's start, and another process has to begin with them. */
  | { readonly kind: "needs new process"; readonly fields: readonly string[] }
  /** Nothing was changed: a listener cannot be opened. */
  | { readonly kind: "cannot listen"; readonly error: unknown }
  /** Nothing was changed: the gateway has been told to end. */
  | { readonly kind: "draining" };

export interface Gateway {
  readonly view: GatewayView;
  readonly actions: GatewayActions;
  readonly listening: readonly ListeningPort[];
  /** Null: no keys are kept. */
  readonly keys: KeyDesk | null;
  /** Resolves names as far as they come within a second, then listens. Rejects when a bind fails. */
  start(): Promise<void>;
  /**
   * Puts other settings into effect without dropping anything. New exchanges go by them, those under way finish as they
   * began. One after the other: a change waits for the one before it.
   */
  apply(change: Change): Promise<ApplyResult>;
  /** Who gets every record from now on. Null: nobody. */
  logTo(log: GatewayPorts["log"]): void;
  /**
   * Stops accepting, finishes what is under way within `settings.drainMs`, cuts the rest. A connection that asks nothing
   * is closed after `idleMs`; what it asks until then is answered with the word that it closes.
   */
  drain(idleMs?: number): Promise<void>;
  /** Everything at once. */
  close(): Promise<void>;
  /** What whoever takes its place should know of the origins. */
  known(): News[];
  /** After its end: memory of which nobody needs anything any more. */
  letGo(): void;
  /** What is to be checked now. */
  checkTargets(): CheckTarget[];
  onCheckTargets(changed: () => void): void;
  checked(target: CheckTarget, result: CheckResult): void;
  probe(target: CheckTarget, done: (result: CheckResult) => void): () => void;
  /** Something beside the traffic that whoever hears its events should know. */
  tell(code: string, detail: string): void;
}

export function createGateway(settings: Settings, ports: GatewayPorts): Gateway {
  const { clock } = ports;
  const wheel = new TimerWheel(clock.monotonic());
  const hashKey = hashKeyFrom(ports.hashSeed ?? ports.newId());
  const facts = factBookOf(settings, ports, () => ownLimits.takeLateMs());
  const book = new RecordBook(settings.records, ports.chance, ports.log, facts);
  book.onKept = ports.kept ?? null;
  const waitingSecret = ports.newId() + ports.newId();
  const instance = instanceOf(ports.hashSeed ?? ports.newId());
  const core: Core = {
    clock,
    chance: ports.chance,
    newId: ports.newId,
    dial: ports.dial,
    resolver: withSocketNames(ports.resolver),
    wheel,
    every: ports.every,
    soon: ports.soon ?? queueMicrotask,
    gather: new Gather(),
    identity: createIdentity(instance),
    identityForHttp2: createIdentity(instance, "2.0"),
    book,
    facts,
    keys:
      ports.ledger === null
        ? null
        : new KeyBook(ports.ledger, settings.idempotency, clock, (event) => book.publish(event)),
    siblings: ports.siblings ?? null,
    rates: ports.rates ?? null,
    telemetry: new Telemetry(),
    handshakeRecords: new HandshakeRecords(),
    handshaking: new Set(),
    challenges: ports.challenges ?? null,
    secureContexts: ports.secureContexts ?? noContexts,
    replayBudget: { bytes: 0, bytesMax: settings.limits.replayBytesTotal },
    cache: new ResponseCache(settings.cache, ports.cacheShelf, clock),
    limits: settings.limits,
    onFault: ports.onFault,
    dns: settings.dns,
    memory: new AddressMemory(),
    generation: noGeneration(settings),
    routeShare: Infinity,
    pressure: createPressure(clock.monotonic()),
    hashKey,
    clientKey: (address) => clientKey(address, core.limits.clientBits, hashKey),
    isProtected: isLoopbackIp,
    flood: null,
    connectionsOf: new Map(),
    fallbackFiles: new Map(),
    waiting: new WaitingRoom(settings.waiting, waitingSecret, ports, networkOfClient),
    connectionsPerClientMax: Infinity,
    shedAt: -Infinity,
    draining: false,
    connections: 0,
    exchangesActive: 0,
    outliving: new Set(),
  };
  function networkOfClient(address: string): string {
    return networkOf(address, core.limits.clientBits);
  }

  const listeners = new Listeners({
    core,
    listen: ports.listen,
    accept: (listener, socket) => door.accept(listener, socket),
    handOver,
  });
  const reconfigure = createReconfigure(
    core,
    ({ waiting }) => new WaitingRoom(waiting, waitingSecret, ports, networkOfClient),
  );
  reconfigure(settings, ports.fallbackFiles ?? new Map());
  let onCheckTargets: () => void = () => undefined;
  let applying: Promise<unknown> = Promise.resolve();
  /** How many processes share the traffic. */
  const sharers = core.siblings?.sharers ?? 1;
  let stopTicking: () => void = () => undefined;

  const ownLimits = new OwnLimits({
    clock,
    options: () => core.limits,
    pressure: core.pressure,
    ownUse: ports.ownUse,
    connections: () => core.connections,
    closeIdle(max) {
      for (let closed = 0; closed < max && door.reclaimOne(null); closed += 1);
    },
    publish: (event) => core.book.publish(event),
  });
  const door = new Door({
    core,
    listeners: () => listeners.all(),
    connectionsMax: () => ownLimits.connectionsMax,
  });
  let stopLooking: () => void = () => undefined;
  let stopTelling: () => void = () => undefined;
  let stopTellingLoads: () => void = () => undefined;
  const loads = new LoadTeller();

  /** A client speaks HTTP/2: it was agreed on in the handshake, or said in its first line. It is counted already. */
  function handOver(
    connection: ClientConnection,
    prefaceSeen: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    const session = new Http2Connection(core, connection, prefaceSeen);
    connection.socket.listener = session;
    if (start < end) session.onData(bytes, start, end);
  }

  function connections(): ClientConnection[] {
    return listeners.all().flatMap((runtime) => [...runtime.connections]);
  }

  /** Names that are asked for at last when they are needed are asked for now. */
  async function prepare(next: Settings): Promise<void> {
    const names = new Set(next.services.flatMap((s) => s.pools.flatMap((p) => p.origins.map((o) => o.host))));
    await firstAnswers(
      [...names].filter((name) => core.resolver.peek(name) === null),
      core.resolver,
      ports,
    );
  }

  async function apply({ settings: next, fallbackFiles, revision }: Change): Promise<ApplyResult> {
    const before = core.generation.settings;
    const fields = needsNewProcess(before, next);
    if (fields.length > 0) return { kind: "needs new process", fields };
    await prepare(next);
    let opened: Opened;
    try {
      opened = await listeners.open(next.listeners);
    } catch (error) {
      return { kind: "cannot listen", error };
    }
    if (core.draining) {
      await listeners.abandon(opened);
      return { kind: "draining" };
    }
    // From here on at once: no exchange sees one half of it.
    reconfigure(next, fallbackFiles);
    listeners.use(opened, next);
    startPools();
    facts?.configure(next, revision);
    book.publish({ kind: "gateway", at: clock.wall(), code: "config.applied", detail: revisionInWords(revision) });
    return { kind: "applied" };
  }

  function tellLoads(): void {
    const { siblings } = core;
    if (siblings === null) return;
    loads.look(core.generation.services, sharers, clock.monotonic(), (news) => siblings.tell(news));
  }

  function startPools(): void {
    for (const service of core.generation.services) {
      for (const pool of service.pools) {
        pool.onMembers = onCheckTargets;
        pool.start();
      }
    }
    onCheckTargets();
  }

  function sessions(): Http2Connection[] {
    return listeners.all().flatMap((runtime) => [...runtime.sessions]);
  }

  const drainPorts = {
    core,
    clock,
    publish: (event: GatewayEvent) => book.publish(event),
    facts,
    siblings: core.siblings,
  };

  const gateway: Gateway = {
    view: createView({
      core,
      listeners: listeners.runtimes,
      listening: listeners.ports,
      ports,
      startedAt: clock.wall(),
    }),
    actions: {
      purgeCache: (target) => core.cache.purge(target, clock.monotonic()),
      drainOrigin: (order) => drainOrigin(drainPorts, order),
      restoreOrigin: (order) => restoreOrigin(drainPorts, order),
    },
    listening: listeners.ports,
    keys: core.keys === null ? null : createKeyDesk(core.keys, clock, (event) => book.publish(event)),

    async start() {
      core.cache.load();
      // Behind the sockets: what arrived while the process was busy is read before anybody is taken for silent or idle.
      const advance = (): void => wheel.advance(clock.monotonic());
      stopTicking = ports.every(wheel.tickMs, () => core.soon(advance));
      stopLooking = ports.every(SAMPLE_MS, () => ownLimits.look());
      if (core.siblings !== null) stopTellingLoads = ports.every(SECOND_MS, tellLoads);
      if (facts !== null) {
        facts.start(ports.version);
        stopTelling = ports.every(SECOND_MS, () => facts.second(core));
      }
      startPools();
      await prepare(settings);
      await firstNews(ports);
      if (ports.known !== undefined) hear(ports.known);
      await firstIdentities(gateway, ports);
      try {
        listeners.use(await listeners.open(settings.listeners), settings);
      } catch (error) {
        await gateway.close();
        throw error;
      }
    },

    apply(change) {
      const applied = applying.then(() => apply(change));
      applying = applied.catch(() => undefined);
      return applied;
    },

    logTo(log) {
      book.log = log;
    },

    async drain(idleMs = 0) {
      core.draining = true;
      facts?.stop();
      listeners.drain();
      let areAllAccepted = listeners.ports.every((port) => port.leave === undefined);
      const closed = Promise.all(listeners.ports.map(leave)).finally(() => {
        areAllAccepted = true;
      });
      const areAccepted = (): boolean => areAllAccepted;
      await finishConnections({ core, every: ports.every, connections, sessions, areAccepted }, idleMs);
      for (const connection of connections()) connection.cutForDrain();
      for (const session of sessions()) session.cutForDrain();
      await gateway.close();
      await closed;
    },

    async close() {
      core.draining = true;
      listeners.drain();
      const closed = Promise.all(listeners.ports.splice(0).map((port) => port.close()));
      for (const connection of connections()) connection.cutForDrain();
      for (const session of sessions()) session.cutForDrain();
      for (const exchange of core.outliving) {
        exchange.fail("gw.draining", "the gateway stops and its time to finish has run out", "relay", 0);
      }
      facts?.second(core);
      for (const service of core.generation.services) service.stop();
      await closed;
      stopLooking();
      stopTelling();
      stopTellingLoads();
      stopTicking();
    },

    known: () => knownNews(core.generation.services, gateway.checkTargets(), sharers, clock.monotonic()),

    letGo() {
      core.cache.letGo();
    },

    checkTargets() {
      return checkTargetsOf(core.generation.services);
    },

    onCheckTargets(changed) {
      onCheckTargets = changed;
      for (const service of core.generation.services) for (const pool of service.pools) pool.onMembers = changed;
    },

    checked(target, result) {
      const now = clock.monotonic();
      for (const { address, pool } of target.places) pool.checked(address, result, now);
      core.siblings?.tell(checkNews(target.key, result, target.address.health.kind !== "down"));
    },

    probe: (target, done) => probeOrigin(ports.dial, target.address, target.health, done),

    tell: (code, detail) => book.publish({ kind: "gateway", at: clock.wall(), code, detail }),
  };
  const placesOf = (key: string): CheckTarget["places"] =>
    gateway.checkTargets().find((target) => target.key === key)?.places ?? [];
  const hear = (news: readonly News[]): void =>
    hearNews({ clock, sharers, services: core.generation.services, cache: core.cache, placesOf }, news);
  if (core.siblings !== null) {
    const { siblings, cache } = core;
    cache.onChanged = (service, host, targets) => siblings.tell({ kind: "changed", service, host, targets });
    siblings.onNews = hear;
  }
  return gateway;
}

function noContexts({ name }: ListenerSettings): never {
  throw new Error(`${name} is to speak TLS and nobody has certificates`);
}

function factBookOf(settings: Settings, ports: GatewayPorts, takeLateMs: () => number): FactBook | null {
  const { facts, clock, processView, ownUse, accessLogDropped, certificates } = ports;
  return facts === undefined
    ? null
    : new FactBook({ clock, ports: facts, settings, processView, ownUse, accessLogDropped, certificates, takeLateMs });
}
