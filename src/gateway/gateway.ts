/**
 * A gateway, put together from its settings and the ports to the world. Everything it needs is handed in, so that a
 * simulator can run the very same code on a virtual network.
 */
import { isLoopbackIp } from "../kernel/ip-text.ts";
import { needsNewProcess } from "../config/needs-new-process.ts";
import type { HealthSettings, ListenerSettings, Settings } from "../config/settings.ts";
import type { KeyDesk } from "../contract/keys.ts";
import type { Challenges } from "../contract/acme.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import { revisionInWords } from "../contract/revision.ts";
import type { Revision } from "../contract/revision.ts";
import type { News } from "../contract/shared-knowledge.ts";
import type {
  CertificateView,
  GatewayActions,
  GatewayEvent,
  GatewayView,
  OwnUse,
  ProcessView,
} from "../contract/view.ts";
import type { CacheShelf } from "../kernel/cache-shelf.ts";
import type { Chance, Clock } from "../kernel/clock.ts";
import type { Ledger } from "../kernel/ledger.ts";
import type { Resolver } from "../kernel/resolver.ts";
import type { Dial, Listen, ListeningPort, SecureContexts, SocketListener, SocketPort } from "../kernel/socket.ts";
import { TimerWheel } from "../kernel/timer-wheel.ts";
import type { CheckResult } from "../policies/health.ts";
import { createPressure } from "../policies/own-pressure.ts";
import { clientKey, hashKeyFrom, networkOf } from "./client-key.ts";
import { AddressMemory } from "./address-memory.ts";
import { OwnLimits, SAMPLE_MS } from "./own-limits.ts";
import { ClientConnection } from "./client-connection.ts";
import { HandshakeRecords } from "./client-handshake.ts";
import { isCounted } from "./connection-count.ts";
import type { ListenerRuntime, Surplus } from "./listener-runtime.ts";
import type { Core } from "./core.ts";
import { ResponseCache } from "./cache/response-cache.ts";
import { FactBook, SECOND_MS } from "./fact-book.ts";
import type { FactPorts } from "./fact-book.ts";
import { noGeneration } from "./generation.ts";
import { Http2Connection } from "./http2-connection.ts";
import { Gather } from "./gather.ts";
import { createIdentity, identifyPeer, instanceOf } from "./identify.ts";
import { drainOrigin, restoreOrigin } from "./drains.ts";
import { KeyBook } from "./key-book.ts";
import { createKeyDesk } from "./key-desk.ts";
import { DRAIN_LOOK_MS, leave, Listeners } from "./listeners.ts";
import type { Opened } from "./listeners.ts";
import type { OriginAddress } from "./origin-address.ts";
import type { PoolRuntime } from "./pool-runtime.ts";
import { probeOrigin } from "./probe.ts";
import { RecordBook } from "./record-book.ts";
import { createReconfigure } from "./reconfigure.ts";
import { withSocketNames } from "./socket-names.ts";
import { Telemetry } from "./telemetry.ts";
import { knownNews } from "./known-news.ts";
import { LoadTeller } from "./load-news.ts";
import { checkNews, hearNews } from "./shared-knowledge.ts";
import type { SharedRates } from "./shared-rates.ts";
import type { Siblings } from "./siblings.ts";
import { createView } from "./view.ts";
import { WaitingRoom } from "./waiting.ts";

export interface GatewayPorts {
  readonly clock: Clock;
  readonly chance: Chance;
  /** 32 hex digits, never twice. */
  readonly newId: () => string;
  readonly dial: Dial;
  readonly listen: Listen;
  /** What the listeners with TLS show. Needed when there are any. */
  /** Answers to authorities that ask whether a name is ours. Absent: nothing is to be proven. */
  readonly challenges?: Challenges;
  readonly secureContexts?: (listener: ListenerSettings) => SecureContexts;
  readonly resolver: Resolver;
  /** Null: there is no state directory, and keys are not honoured. */
  readonly ledger: Ledger | null;
  /** Where stored responses outlive the process. Null: nowhere. */
  readonly cacheShelf: CacheShelf | null;
  /** Calls `run` every `ms` until the returned function is called. */
  readonly every: (ms: number, run: () => void) => () => void;
  /** Calls `run` when all sockets that are ready now have been read. Default: at the end of the running call. */
  readonly soon?: (run: () => void) => void;
  readonly processView: () => ProcessView;
  /** What is in use of memory and descriptors, and of how much; 0: not known. Asked a few times a second. */
  readonly ownUse: () => OwnUse;
  /** Gets every record; must be done with it when it returns. Null: no access log. */
  readonly log: ((record: ExchangeRecord) => void) | null;
  readonly accessLogDropped: () => number;
  /** Whom facts are told, for conclusions. Absent: nobody, and nothing is counted for it. */
  readonly facts?: FactPorts;
  /** The other workers of this node. Absent: there are none. */
  readonly siblings?: Siblings;
  /** What a process before this one knew of the origins. Absent: nothing. */
  readonly known?: readonly News[];
  readonly rates?: SharedRates;
  /** Hears of each record that is kept, where another process keeps copies. */
  readonly kept?: (record: ExchangeRecord) => void;
  /** 32 hex digits of chance: whom clients are counted as. Absent: made up here; alike in all workers of a node. */
  readonly hashSeed?: string;
  /** What the files of the routes' fallbacks hold, by path. Needed when there are any. */
  readonly fallbackFiles?: ReadonlyMap<string, Buffer>;
  /** What the listeners show. Absent: nothing. */
  readonly certificates?: () => readonly CertificateView[];
  readonly version: string;
  /** Hears of a defect of ours that was contained: one exchange failed with gw.internal, the rest goes on. */
  readonly onFault: (error: unknown) => void;
}

/** What an active check is about. Plain identity for the schedule, which asks for nothing else. */
export interface CheckTarget {
  readonly key: string;
  readonly health: HealthSettings;
  /** The one that is asked. */
  readonly address: OriginAddress;
  /** All that the answer is about: names and services that lead to the same place and are checked alike. */
  readonly places: readonly { readonly address: OriginAddress; readonly pool: PoolRuntime }[];
}

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

/** A name that takes longer at start is waited for by the requests that need it. */
const START_RESOLVE_MS = 1_000;
/** How long addresses are waited for at start that have to show who they are. */
const START_IDENTITY_MS = 1_000;
/** How long at start what other workers know is waited for. */
const START_NEWS_MS = 250;
const NEWS_LOOK_MS = 5;
const TELL_EVERY_MS = 10_000;
const TELL_TUNNELS_MS = 5_000;
/** So long after the begin of a drain a connection may say what it came for. */
const FRESH_MS = 1_000;
/** Connections that are asked for their place, oldest first: accepting must not become slow when it matters most. */
const RECLAIM_LOOKS = 64;
/** Clients above the limit that are told so; beyond them connections are closed without a word. */
const SURPLUS_MAX = 16;
const SURPLUS_OF_CLIENT_MAX = 4;

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

  const listeners = new Listeners({ core, listen: ports.listen, accept, handOver });
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

  let toldOfTurningAway = -Infinity;

  function turnAwayClient(address: string): void {
    core.telemetry.connectionsTurnedAway += 1;
    tellOfTurningAway(
      `${core.connectionsPerClientMax} connections of ${address} are open, as many as one client may have (limits.connectionsPerClient); its new ones are closed without an answer`,
    );
  }

  function turnAway(connectionsMax: number): void {
    core.telemetry.connectionsTurnedAway += 1;
    tellOfTurningAway(
      `${core.connections} client connections are open and ${connectionsMax} may be (limits.connections); new ones are closed without an answer`,
    );
  }

  function turnAwayHandshake(): void {
    core.telemetry.connectionsTurnedAway += 1;
    tellOfTurningAway(
      `${core.handshaking.size} TLS handshakes are under way, as many as may be (limits.handshakes); new connections are closed without an answer`,
    );
  }

  /** Counted each time, told now and then: a flood of connections must not become one of events. */
  function tellOfTurningAway(detail: string): void {
    const now = clock.monotonic();
    if (now - toldOfTurningAway < TELL_EVERY_MS) return;
    toldOfTurningAway = now;
    core.book.publish({
      kind: "gateway",
      at: clock.wall(),
      code: "connections.turned-away",
      detail,
    });
  }

  /** At the limit whoever has been idle longest makes room: browsers keep connections that they may never use again. */
  function reclaimOne(whose: number | null): boolean {
    const now = clock.monotonic();
    for (const runtime of listeners.all()) {
      let looked = 0;
      for (const connection of runtime.connections) {
        if ((whose === null || connection.peer.key === whose) && connection.reclaim(now)) return true;
        looked += 1;
        if (looked === RECLAIM_LOOKS) break;
      }
      looked = 0;
      for (const session of runtime.sessions) {
        if ((whose === null || session.peer.key === whose) && session.reclaim(now)) return true;
        looked += 1;
        if (looked === RECLAIM_LOOKS) break;
      }
    }
    return false;
  }

  /** Whoever has taken longest gives way. */
  function reclaimHandshake(): boolean {
    const [oldest] = core.handshaking;
    return oldest?.reclaim(clock.monotonic()) === true;
  }

  const ownLimits = new OwnLimits({
    clock,
    options: () => core.limits,
    pressure: core.pressure,
    ownUse: ports.ownUse,
    connections: () => core.connections,
    closeIdle(max) {
      for (let closed = 0; closed < max && reclaimOne(null); closed += 1);
    },
    publish: (event) => core.book.publish(event),
  });
  let stopLooking: () => void = () => undefined;
  let stopTelling: () => void = () => undefined;
  let stopTellingLoads: () => void = () => undefined;
  const loads = new LoadTeller();

  function accept(listener: ListenerRuntime, socket: SocketPort): SocketListener | null {
    const { connectionsMax } = core.limits;
    // Told nothing and given nothing: an answer would need what is short. Whoever is idle makes room for the next.
    if (core.connections >= ownLimits.connectionsMax && !reclaimOne(null)) {
      turnAway(core.connections);
      return null;
    }
    if (core.connections >= connectionsMax + SURPLUS_MAX) {
      turnAway(connectionsMax);
      return null;
    }
    if (listener.settings.tls !== null && core.handshaking.size >= core.limits.handshakesMax && !reclaimHandshake()) {
      turnAwayHandshake();
      return null;
    }
    const peer = identifyPeer(
      socket.remoteAddress,
      listener.isTrusted,
      core,
      socket.carrier.proxy,
      schemeOf(listener.settings, socket),
    );
    const own = isCounted(peer) ? (core.connectionsOf.get(peer.key) ?? 0) : 0;
    if (own >= core.connectionsPerClientMax + SURPLUS_OF_CLIENT_MAX) {
      turnAwayClient(peer.address);
      return null;
    }
    let surplus: Surplus = null;
    if (own >= core.connectionsPerClientMax && !reclaimOne(peer.key)) surplus = "client";
    else if (core.connections >= connectionsMax && !reclaimOne(null)) surplus = "all";
    return new ClientConnection(core, listener, socket, peer, surplus);
  }

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

  /** Those that have been idle since then. */
  function closeIdle(which: (connection: ClientConnection) => boolean, since: number): void {
    for (const connection of connections()) if (which(connection)) connection.closeIfIdle(since);
  }

  function sessions(): Http2Connection[] {
    return listeners.all().flatMap((runtime) => [...runtime.sessions]);
  }

  /** Clients that are told all at once come again all at once. */
  function tellTunnelsWithinMs(): number {
    return Math.max(DRAIN_LOOK_MS, Math.min(TELL_TUNNELS_MS, core.generation.settings.drainMs / 2));
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
      const begunAt = clock.monotonic();
      // Not in this turn, here and below: a request may have arrived that nobody has read yet, and would be met by a reset.
      // Twice: the turn that runs may have begun to read before it arrived.
      if (idleMs === 0) core.soon(() => core.soon(() => closeIdle(({ uses }) => uses > 0, Infinity)));
      // Who has just come has not had the time to ask.
      const idleEndMs = Math.max(idleMs, FRESH_MS);
      // These can be told, and nothing that they have sent is lost: they need no time in which to say so.
      for (const session of sessions()) session.drain();
      const tunnels = connections().filter(({ isTunnel }) => isTunnel);
      const perLook = Math.ceil((tunnels.length * DRAIN_LOOK_MS) / tellTunnelsWithinMs());
      const tellTunnels = (): void => {
        // Behind those that were there, whoever has become one since: what was under way may have been an upgrade.
        const those = tunnels.length > 0 ? tunnels.splice(0, perLook) : connections();
        for (const connection of those) connection.tellTunnel();
      };
      tellTunnels();
      await new Promise<void>((resolve) => {
        const stop = ports.every(DRAIN_LOOK_MS, () => {
          const drainedMs = clock.monotonic() - begunAt;
          tellTunnels();
          // Also of those that were accepted since.
          for (const session of sessions()) session.drain();
          const isOver = drainedMs >= core.generation.settings.drainMs;
          if (drainedMs >= idleEndMs && !isOver) {
            const since = clock.monotonic() - idleEndMs;
            core.soon(() => closeIdle(() => true, since));
          }
          if ((!areAllAccepted || core.connections + core.outliving.size > 0) && !isOver) return;
          stop();
          resolve();
        });
      });
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
      const targets = new Map<string, CheckTarget>();
      for (const service of core.generation.services) {
        const { health } = service.settings;
        if (health === null) continue;
        for (const pool of service.pools) {
          for (const address of pool.members) {
            const key = checkKey(health, address);
            const places = [...(targets.get(key)?.places ?? []), { address, pool }];
            targets.set(key, { key, health, address: places[0]?.address ?? address, places });
          }
        }
      }
      return [...targets.values()];
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

/** What the client speaks, with this gateway or with the load balancer that told of it. */
function schemeOf({ tls }: ListenerSettings, { carrier }: SocketPort): "http" | "https" {
  return tls === null && carrier.tls === null ? "http" : "https";
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

/**
 * Where addresses have to show who they are, they are asked once before the first client is: it would meet a gateway
 * that has nothing to pick.
 */
function firstIdentities(gateway: Gateway, ports: GatewayPorts): Promise<void> {
  const targets = gateway.checkTargets().filter(({ health }) => health.expect !== null);
  if (targets.length === 0) return Promise.resolve();
  const until = ports.clock.monotonic() + START_IDENTITY_MS;
  let missing = targets.length;
  const giveUps = targets.map((target) =>
    gateway.probe(target, (result) => {
      missing -= 1;
      gateway.checked(target, result);
    }),
  );
  return new Promise((resolve) => {
    const stop = ports.every(DRAIN_LOOK_MS, () => {
      if (missing > 0 && ports.clock.monotonic() < until) return;
      stop();
      for (const giveUp of giveUps) giveUp();
      resolve();
    });
  });
}

/** Alike for checks that ask the same place the same question at the same pace. */
function checkKey(health: HealthSettings, address: OriginAddress): string {
  const { down: _down, up: _up, ...question } = health;
  const asked = health.path === null ? "" : `${health.host ?? address.hostField} ${address.origin.basePath}`;
  return `${address.text} ${asked} ${JSON.stringify(question)}`;
}

/** A worker that takes another one's place knows what the others know before it is asked for anything. */
function firstNews({ siblings, clock, every }: GatewayPorts): Promise<void> {
  if (siblings === undefined) return Promise.resolve();
  const until = clock.monotonic() + START_NEWS_MS;
  return new Promise((resolve) => {
    const stop = every(NEWS_LOOK_MS, () => {
      if (!siblings.informed && clock.monotonic() < until) return;
      stop();
      resolve();
    });
  });
}

/** Waits until every name has an answer or a failure, or the time is up. */
function firstAnswers(names: readonly string[], resolver: Resolver, ports: GatewayPorts): Promise<void> {
  const until = ports.clock.monotonic() + START_RESOLVE_MS;
  const missing = new Set(names);
  for (const name of names) resolver.resolve(name, () => missing.delete(name));
  if (missing.size === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = ports.every(DRAIN_LOOK_MS, () => {
      if (missing.size > 0 && ports.clock.monotonic() < until) return;
      stop();
      resolve();
    });
  });
}
