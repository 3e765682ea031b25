/**
 * One address of an origin and all that is known of it: connections, latency, health, what traffic says. The
 * policies decide on it; this only keeps their states and the connections together.
 */
import { Line } from "../kernel/line.ts";
import { UNIX, isUnix } from "../kernel/ip-text.ts";
import { hostFieldOf } from "../config/origin-url.ts";
import type { AttemptRecord } from "../contract/record.ts";
import type { ConnectionSettings, HeadLimits, OriginSettings } from "../config/settings.ts";
import type { CauseId } from "../kernel/causes.ts";
import { CAUSES } from "../kernel/causes.ts";
import { recordDuration } from "../kernel/histogram.ts";
import type { Address, OriginCertificate, SessionCounts, SharedConnection, Transport } from "../kernel/socket.ts";
import type { TimerOwner } from "../kernel/timer-wheel.ts";
import { WheelTimer } from "../kernel/timer-wheel.ts";
import { createAdaptiveLimit } from "../policies/limit-state.ts";
import { hasRoom, isCongested, leaveSlot, takeSlot } from "../policies/adaptive-limit.ts";
import type { AdaptiveLimit, AdaptiveLimitOptions } from "../policies/limit-state.ts";
import type { Leaving } from "../policies/adaptive-limit.ts";
import type { RouteBreakers } from "../policies/breaker.ts";
import type { Candidate } from "../policies/choose-two.ts";
import type { Drain } from "../policies/drain.ts";
import { createEjection, reshapeEjection } from "../policies/ejection-state.ts";
import { slowFromMs } from "../policies/ejection-slowness.ts";
import type { EjectionOptions, EjectionState } from "../policies/ejection-state.ts";
import type { TrafficOutcome } from "../policies/ejection.ts";
import { UNCHECKED } from "../policies/health.ts";
import type { HealthState } from "../policies/health.ts";
import { NO_IDENTITY } from "../policies/origin-identity.ts";
import type { IdentityState } from "../policies/origin-identity.ts";
import {
  createKeepAlive,
  learnFromHint,
  learnFromIdleClose,
  learnFromRace,
  maxIdleMs,
  mayReuse,
} from "../policies/keep-alive.ts";
import type { KeepAliveState } from "../policies/keep-alive.ts";
import { createPeakEwma, expectedLatency, recordFailure, recordLatency } from "../policies/peak-ewma.ts";
import type { PeakEwma } from "../policies/peak-ewma.ts";
import { beginWithLearned, learnedLimit } from "../policies/learned-limit.ts";
import type { LearnedLimit } from "../policies/learned-limit.ts";
import type { Member } from "../policies/availability.ts";
import type { AddressKnowledge } from "./address-memory.ts";
import type { Core } from "./core.ts";
import { FirstByteWaits } from "./first-byte-wait.ts";
import type { OriginConnection } from "./origin-connection.ts";
import { AddressCounters, countCause } from "./telemetry.ts";

/** Waits for a connection because as many as may be are open. */
export interface ConnectionWaiter {
  /** See `OriginConnection.whose`. */
  readonly whose: string;
  /** Null: a new connection may be opened. */
  serve(connection: OriginConnection | null, now: number): void;
  timeout(now: number): void;
  onFault(error: unknown): void;
}

export interface AddressSettings {
  readonly serviceName: string;
  readonly origin: OriginSettings;
  readonly poolName: string;
  readonly connections: ConnectionSettings;
  readonly ejection: EjectionOptions;
  /** Null: as many as come. */
  readonly overload: AdaptiveLimitOptions | null;
  readonly heads: HeadLimits;
}

/** Waiting exchanges per connection that may be open: beyond it, waiting would be longer than the limit anyway. */
const WAITERS_PER_CONNECTION = 4;

export class OriginAddress implements Address, Candidate, Member {
  readonly ip: string;
  readonly port: number;
  readonly family: 4 | 6;
  /** `127.0.0.1:3000`, `[::1]:3000`. */
  readonly text: string;
  /** What this origin expects as Host. */
  readonly hostField: string;
  origin: OriginSettings;
  readonly poolName: string;
  headLimits: HeadLimits;
  openMax: number;
  /** Null: plain TCP. */
  transport: Transport | null;

  weight: number;
  share = 1;
  inFlight = 0;
  /** The newest answer of its name no longer has it; it is kept until another answer confirms that. */
  leftAnswer = false;
  /** Monotonic ms when it last answered well, and when a connection to it was last made; -1: never. */
  answeredAt = -1;
  connectedAt = -1;
  /** Monotonic ms when a request to it got no answer, with none since that succeeded (policies/doubt.ts); -1: none. */
  brokenAt = -1;
  /** Monotonic ms when the last head of a response came, whatever it said; -1: none has. */
  heardAt = -1;
  /** Attempts since then that another origin was asked for later, and answered first. */
  outrun = 0;
  /** Monotonic ms when a check last went well, and when one last did not; -1: none has. */
  checkedAt = -1;
  checkFailedAt = -1;
  readonly latency: PeakEwma;
  ejection: EjectionState;
  readonly waits = new FirstByteWaits();
  health: HealthState;
  /** Whether it is who it is taken for. Not remembered: one that comes back has to show it again. */
  identity: IdentityState = NO_IDENTITY;
  /** Set by the pool while a person keeps its origin out. */
  drain: Drain | null = null;
  /** Null: nothing is limited. */
  limit: AdaptiveLimit | null;
  /** The newest result of an active check. */
  check: { ok: boolean | null; at: number; detail: string };

  /** What it showed in its newest full handshake; null: nothing yet. */
  certificate: OriginCertificate | null = null;

  /** Which routes fail here and not elsewhere. Null: none failed lately. */
  breakers: RouteBreakers | null = null;

  readonly counters: AddressCounters;

  /** A slot was freed and the turn that freed it is over. Set by the pool. */
  onRoom: (now: number) => void = () => undefined;
  /**
   * Called after each attempt, with what it says about the origin. Set by the pool. Returns whether a failure makes
   * the address a slow one: not where only one of its routes fails.
   */
  onOutcome: (
    address: OriginAddress,
    outcome: TrafficOutcome,
    route: number,
    startedMs: number,
    now: number,
  ) => boolean = () => true;
  /** Called for each first byte that came after `latencyMs`, or is that late already. Set by the pool. */
  onLatency: (address: OriginAddress, latencyMs: number, startedMs: number, now: number) => void = () => undefined;

  /** Called when it shows another certificate than before. Set by the pool. */
  onCertificate: (address: OriginAddress, before: OriginCertificate, now: OriginCertificate) => void = () => undefined;

  /** Called when nobody listens there any more and that matters. Set by the pool. */
  onNobody: (address: OriginAddress, now: number) => void = () => undefined;

  /** Something new was learned of how long it keeps idle connections. Set by the pool where there are other workers. */
  onKeepAlive: ((address: OriginAddress, teacher: "hint" | "closed" | "raced") => void) | null = null;

  readonly #core: Core;
  #connections: ConnectionSettings;
  readonly #keepAlive: KeepAliveState;
  #overload: AdaptiveLimitOptions | null;
  /** Newest last: the newest is used first, so that surplus ones grow old and are retired. */
  readonly #idle: OriginConnection[] = [];
  readonly #open = new Line<OriginConnection>();
  /** Connections that exchanges share (HTTP/2). */
  readonly #sessions: SessionCounts = { open: 0, idle: 0 };
  readonly #waiters: Waiter[] = [];
  #retired = false;

  /** `known`: what is remembered of it, when it has been here before. */
  constructor(
    core: Core,
    address: { ip: string; family: 4 | 6 },
    settings: AddressSettings,
    known: AddressKnowledge | null,
    now: number,
  ) {
    this.#core = core;
    this.ip = address.ip;
    this.family = address.family;
    this.port = settings.origin.port;
    this.text = textOf(address, this.port);
    this.origin = settings.origin;
    this.poolName = settings.poolName;
    this.headLimits = settings.heads;
    this.weight = settings.origin.weight;
    this.openMax = settings.connections.perOriginMax;
    this.#connections = settings.connections;
    this.latency = known?.latency ?? createPeakEwma();
    this.ejection = known?.ejection ?? createEjection(settings.ejection, now);
    this.health = known?.health ?? UNCHECKED;
    this.check = known?.check ?? { ok: null, at: 0, detail: "" };
    this.#keepAlive = known?.keepAlive ?? createKeepAlive();
    this.#overload = settings.overload;
    this.limit = settings.overload === null ? null : createAdaptiveLimit(settings.overload, now);
    this.transport = transportOf(settings.origin, settings.connections.idleMaxMs, this.#sessions);
    this.hostField = hostFieldOf(settings.origin);
    this.counters = core.telemetry.addresses.of(this.#countedAs(settings.serviceName), () => new AddressCounters());
  }

  /**
   * It stays, and is treated by other settings from now on. What is learned of it holds as far as it is of the same
   * shape; connections are as good as before, unless they would be made in another way now: what a certificate had to
   * show then is not what it has to show.
   */
  configure(settings: AddressSettings, isEjectionAlike: boolean, now: number): void {
    this.origin = settings.origin;
    const transport = transportOf(settings.origin, settings.connections.idleMaxMs, this.#sessions);
    if (JSON.stringify(transport) !== JSON.stringify(this.transport)) {
      this.transport = transport;
      for (const connection of this.#idle.splice(0)) connection.retire();
    }
    this.headLimits = settings.heads;
    this.#connections = settings.connections;
    this.openMax = settings.connections.perOriginMax;
    if (!isEjectionAlike) this.ejection = reshapeEjection(settings.ejection, this.ejection, now);
    this.limit = limitFor(settings.overload, this.#overload, this.limit, now);
    this.#overload = settings.overload;
  }

  /** By hand; otherwise it is learned, or there is none. */
  get isLimitSet(): boolean {
    return this.#overload !== null && this.#overload.concurrency > 0;
  }

  /** Nothing is learned of a route any more, and its number may be another's. */
  forgetRoute(number: number): void {
    if (this.limit !== null && (this.limit.routes[number]?.held ?? 0) === 0) this.limit.routes[number] = null;
    if (this.breakers !== null) this.breakers.routes[number] = null;
  }

  /** It is asked in another way from now on: what checks said of it is no answer to that. */
  forgetChecks(): void {
    this.health = UNCHECKED;
    this.check = { ok: null, at: 0, detail: "" };
  }

  #countedAs(service: string): string {
    return `${service}\n${this.poolName}\n${this.origin.url}\n${this.text}`;
  }

  // ------------------------------------------------------------------ connections

  get connectionsOpen(): number {
    if (this.transport === null || this.transport.http2 === null) return this.#open.size;
    // Streams come and go on connections that are counted where they are made; beside them there may be some of
    // HTTP/1.1, for an origin that chose it and for WebSockets.
    let own = 0;
    for (const { socket, connectedAt } of this.#open)
      if (connectedAt > 0 && (socket.carrier.shared ?? null) === null) own += 1;
    return this.#sessions.open + own;
  }

  get connectionsIdle(): number {
    return this.#idle.length + this.#sessions.idle;
  }

  mayOpen(): boolean {
    return this.#open.size < this.openMax;
  }

  opened(connection: OriginConnection): void {
    this.#open.add(connection);
    // Of a stream it is known only when it begins whether it made one.
    if (this.transport === null || this.transport.http2 === null) this.counters.connectionsMade += 1;
  }

  /** A stream began, on a connection that is new or has been used before. */
  shares({ uses }: SharedConnection): void {
    if (uses === 0) this.counters.connectionsMade += 1;
    else this.counters.connectionsReused += 1;
  }

  closed(connection: OriginConnection): void {
    this.#open.delete(connection);
    this.forgetIdle(connection);
    if (this.#waiters.length > 0 && this.mayOpen()) this.#waiters.shift()?.serve(null, this.#core.clock.monotonic());
  }

  /**
   * An idle connection that may carry such a request, or null. `repeatable`: the request may be sent twice. `whose`: see
   * `OriginConnection.whose`.
   */
  takeIdle(now: number, repeatable: boolean, whose: string): OriginConnection | null {
    if (whose !== "") return this.#takeIdleOf(whose, now, repeatable);
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (mayReuse(this.#connections, this.#keepAlive, now - connection.idleSince, repeatable, now)) {
        this.counters.connectionsReused += 1;
        return connection;
      }
      if (!repeatable) {
        // Too old for this request, good enough for others; the ones below are older still.
        if (mayReuse(this.#connections, this.#keepAlive, now - connection.idleSince, true, now)) {
          this.#idle.push(connection);
          return null;
        }
      }
      connection.retire();
    }
    return null;
  }

  /** Of this client's own, the one that was used last. Too old ones of others go by their own timers. */
  #takeIdleOf(whose: string, now: number, repeatable: boolean): OriginConnection | null {
    const at = this.#idle.findLastIndex((connection) => connection.whose === whose);
    const connection = this.#idle[at];
    if (connection === undefined) return null;
    if (!mayReuse(this.#connections, this.#keepAlive, now - connection.idleSince, repeatable, now)) return null;
    this.#idle.splice(at, 1);
    this.counters.connectionsReused += 1;
    return connection;
  }

  /** Whose turn it is with this connection. One that is nobody else's makes room for a new one. */
  #nextWaiter(connection: OriginConnection): Waiter | undefined {
    if (connection.whose === "") return this.#waiters.shift();
    const at = this.#waiters.findIndex((waiter) => waiter.whose === connection.whose);
    return at === -1 ? undefined : this.#waiters.splice(at, 1)[0];
  }

  /** The connection has done its work and is fit for more. */
  release(connection: OriginConnection, now: number): void {
    // One that waits gets another, as soon as this one is closed.
    if (connection.transport !== this.transport) {
      connection.retire();
      return;
    }
    const waiter = this.#nextWaiter(connection);
    if (waiter !== undefined) {
      this.counters.connectionsReused += 1;
      waiter.serve(connection, now);
      return;
    }
    const limit = maxIdleMs(this.#connections, this.#keepAlive, now);
    if (
      this.#waiters.length > 0 ||
      this.#retired ||
      limit <= 0 ||
      this.#idle.length >= this.#connections.idlePerOriginMax
    ) {
      connection.retire();
      return;
    }
    this.#idle.push(connection);
    connection.wait("idle", limit, now);
  }

  /** Returns a function that takes the waiter out of the queue again. */
  waitForConnection(now: number, limitMs: number, waiter: ConnectionWaiter): () => void {
    const queued = new Waiter(this.#core, waiter, (done) => {
      const at = this.#waiters.indexOf(done);
      if (at !== -1) this.#waiters.splice(at, 1);
    });
    const full = this.#waiters.length >= this.openMax * WAITERS_PER_CONNECTION;
    this.#waiters.push(queued);
    // One that lies idle but is not fit for this request only takes the place of one that would be.
    this.#idle.shift()?.retire();
    queued.start(now, full ? 1 : limitMs);
    return () => queued.cancel();
  }

  /** The origin left the configuration or the name's answer: idle connections go, busy ones finish. */
  retire(service: string): void {
    this.#retired = true;
    this.#core.telemetry.addresses.left(this.#countedAs(service));
    for (const connection of this.#idle.splice(0)) connection.retire();
  }

  /** For the end of the process. */
  destroy(): void {
    for (const connection of this.#open) connection.retire();
  }

  closedWhileIdle(idleMs: number, now: number): void {
    const { closedAt } = this.#keepAlive;
    learnFromIdleClose(this.#keepAlive, idleMs, now);
    if (this.#keepAlive.closedAt !== closedAt) this.onKeepAlive?.(this, "closed");
  }

  /** `Keep-Alive: timeout=5` of a response; null when there was none. */
  learnKeepAlive(value: string | null, now: number): void {
    if (value === null) return;
    const match = /(?:^|[\s,])timeout\s*=\s*"?(\d{1,9})/i.exec(value);
    if (match?.[1] === undefined) return;
    const { hintMs } = this.#keepAlive;
    learnFromHint(this.#keepAlive, Number(match[1]), now);
    if (this.#keepAlive.hintMs !== hintMs) this.onKeepAlive?.(this, "hint");
  }

  /** In a handshake that was made now. */
  showed(certificate: OriginCertificate): void {
    const before = this.certificate;
    this.certificate = certificate;
    if (before !== null && before.fingerprint !== certificate.fingerprint)
      this.onCertificate(this, before, certificate);
  }

  /** What has to be remembered when it leaves. */
  get knowledge(): AddressKnowledge {
    const { latency, ejection, health, check } = this;
    return { latency, ejection, keepAlive: this.#keepAlive, health, check };
  }

  get keepAlive(): KeepAliveState {
    return this.#keepAlive;
  }

  /** It is being closed, though it may take a moment: nobody may take it any more. */
  forgetIdle(connection: OriginConnection): void {
    const at = this.#idle.lastIndexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
  }

  // ------------------------------------------------------------------ slots

  /** Whether one more of this route may wait for an answer here. */
  hasRoom(route: number, now: number): boolean {
    return this.#overload === null || this.limit === null || hasRoom(this.#overload, this.limit, route, now);
  }

  isCongested(route: number, now: number): boolean {
    return this.#overload !== null && this.limit !== null && isCongested(this.#overload, this.limit, route, now);
  }

  takeSlot(route: number, now: number): void {
    if (this.limit !== null) takeSlot(this.limit, route, now);
  }

  leaveSlot(route: number, leaving: Leaving, sinceMs: number, now: number): void {
    if (this.#overload !== null && this.limit !== null)
      leaveSlot(this.#overload, this.limit, route, leaving, sinceMs, now);
  }

  /** For a process that begins; null: nothing was learned, or nothing is limited. */
  learnedLimit(now: number): LearnedLimit | null {
    return this.#overload === null || this.limit === null ? null : learnedLimit(this.#overload, this.limit, now);
  }

  /** Another process learned it. `ratio`: this one's part of the traffic beside that. */
  beginWithLimit(learned: LearnedLimit, ratio: number, now: number): void {
    if (this.#overload !== null && this.limit !== null)
      beginWithLearned(this.#overload, this.limit, learned, ratio, now);
  }

  // ------------------------------------------------------------------ attempts

  get attemptsSoFar(): number {
    return this.counters.attempts;
  }

  attemptStarted(): void {
    this.counters.attempts += 1;
    this.inFlight += 1;
  }

  /** `cause`: null when nothing failed. `startedMs`: when the attempt began, monotonic. */
  attemptEnded(attempt: AttemptRecord, route: number, startedMs: number, cause: CauseId | null, now: number): void {
    this.inFlight -= 1;
    if (attempt.firstByteUs !== -1) recordDuration(this.counters.firstByte, attempt.firstByteUs - attempt.startedUs);
    const outcome = cause === null ? "success" : outcomeOf(cause);
    const failed = outcome === "failure" || outcome === "refused";
    if (cause !== null) {
      this.counters.failures += failed ? 1 : 0;
      countCause(this.counters.byCause, cause);
      if (cause === "origin.keepalive_race") {
        learnFromRace(this.#keepAlive, attempt.connectionIdleMs, now);
        this.onKeepAlive?.(this, "raced");
      }
    }
    const penalised = this.onOutcome(this, outcome, route, startedMs, now);
    if (outcome === "success") {
      this.answeredAt = now;
      this.brokenAt = -1;
      recordLatency(this.latency, (attempt.firstByteUs - attempt.startedUs) / 1000, now);
    } else if (failed && penalised) recordFailure(this.latency, now - startedMs, now);
    if (failed && attempt.status === 0) this.brokenAt = now;
    if (cause === "origin.refused" && this.identity.kind === "proven") this.onNobody(this, now);
  }

  /** It has not ended, but took longer than it may, which counts as much as if it had ended by that. */
  attemptOverdue(route: number, startedMs: number, now: number): void {
    this.counters.failures += 1;
    countCause(this.counters.byCause, "origin.ttfb_timeout");
    this.brokenAt = now;
    if (this.onOutcome(this, "failure", route, startedMs, now)) recordFailure(this.latency, now - startedMs, now);
  }

  /**
   * The client left first: says nothing about the origin, except that it took at least `waitedMs`. An origin that
   * hangs, behind clients less patient than the gateway, shows by nothing else. 0: the origin's turn had not come.
   */
  attemptAbandoned(route: number, startedMs: number, waitedMs: number, now: number): void {
    this.inFlight -= 1;
    if (waitedMs > expectedLatency(this.latency, 1, now)) recordLatency(this.latency, waitedMs, now);
    this.onOutcome(this, "ignore", route, startedMs, now);
  }

  /** A first byte came, or is late, `waitedMs` after the origin's turn began. Across a stall of this process it says nothing. */
  waited(turnMs: number, waitedMs: number, startedMs: number, now: number): void {
    if (this.#core.wheel.stallEndedAt <= turnMs) this.onLatency(this, waitedMs, startedMs, now);
  }

  /** Tells of those whose first byte is late by now. Returns how long the oldest has waited. */
  tellSlow(now: number): number {
    const fromMs = slowFromMs(this.ejection);
    for (let wait = this.waits.nextSlow(fromMs, now); wait !== null; wait = this.waits.nextSlow(fromMs, now)) {
      this.waited(wait.turnMs, now - wait.turnMs, wait.beganMs, now);
    }
    const { oldest } = this.waits;
    return oldest === null ? 0 : now - oldest.turnMs;
  }
}

/** Null: plain TCP. */
function transportOf(
  { proxyProtocol, host, http2, http2Limits, tls }: OriginSettings,
  idleMs: number,
  sessions: SessionCounts,
): Transport | null {
  const unixPath = isUnix(host) ? host.slice(UNIX.length) : "";
  if (http2 === "never" || http2Limits === null)
    return proxyProtocol === 0 && unixPath === "" && tls === null
      ? null
      : { tls, proxyProtocol, unixPath, http2: null };
  return { tls, proxyProtocol, unixPath, http2: { choice: http2, idleMs, ...http2Limits, sessions } };
}

/** What was learned of a limit goes on, unless it was or is set by hand. */
function limitFor(
  options: AdaptiveLimitOptions | null,
  before: AdaptiveLimitOptions | null,
  limit: AdaptiveLimit | null,
  now: number,
): AdaptiveLimit | null {
  if (options === null) return null;
  if (limit === null || before === null) return createAdaptiveLimit(options, now);
  if (options.concurrency !== before.concurrency) limit.limit = createAdaptiveLimit(options, now).limit;
  return limit;
}

/** `127.0.0.1:3000`, `[::1]:3000`, `unix:/run/app.sock`. */
export function textOf(address: { readonly ip: string; readonly family: 4 | 6 }, port: number): string {
  if (isUnix(address.ip)) return address.ip;
  return address.family === 6 ? `[${address.ip}]:${port}` : `${address.ip}:${port}`;
}

/**
 * What a failed attempt says about the origin. Local faults and what only a stale connection shows never count
 * against it (guardrail: automation must not eject an origin for what the gateway did).
 */
export function outcomeOf(cause: CauseId): TrafficOutcome {
  if (cause === "origin.early_reply") return "success";
  if (cause === "origin.refused" || cause === "origin.socket_missing") return "refused";
  if (cause === "origin.keepalive_race" || cause === "net.half_open") return "ignore";
  // It leaves a connection, or has enough to do; and whose time was over is no matter of the origin's.
  if (cause === "origin.h2_refused" || cause === "origin.deadline") return "ignore";
  // It answered, and rightly: only that it is asked to go on with another origin's body.
  if (cause === "origin.resume_mismatch") return "ignore";
  switch (CAUSES[cause].party) {
    case "origin":
    case "network":
    case "overload":
      return cause.startsWith("gw.") ? "ignore" : "failure";
    case "configuration":
      // Whoever has to mend it: until then nothing gets through there.
      return cause.startsWith("origin.") || cause.startsWith("tls.") ? "failure" : "ignore";
    case "client":
    case "gateway":
    case "dns":
      return "ignore";
  }
}

class Waiter implements TimerOwner {
  readonly #core: Core;
  readonly whose: string;
  readonly #waiter: ConnectionWaiter;
  readonly #leave: (waiter: Waiter) => void;
  readonly #timer: WheelTimer = new WheelTimer(this);

  constructor(core: Core, waiter: ConnectionWaiter, leave: (waiter: Waiter) => void) {
    this.#core = core;
    this.#waiter = waiter;
    this.whose = waiter.whose;
    this.#leave = leave;
  }

  start(now: number, limitMs: number): void {
    this.#core.wheel.arm(this.#timer, now, limitMs);
  }

  serve(connection: OriginConnection | null, now: number): void {
    this.#core.wheel.remove(this.#timer);
    // It is another exchange than the one whose end freed the connection, and answers for its own defects.
    try {
      this.#waiter.serve(connection, now);
    } catch (error) {
      this.#waiter.onFault(error);
    }
  }

  cancel(): void {
    this.#core.wheel.remove(this.#timer);
    this.#leave(this);
  }

  onTimer(_timer: WheelTimer, now: number): void {
    this.#leave(this);
    this.#waiter.timeout(now);
    this.#core.gather.flush();
  }

  onFault(error: unknown): void {
    this.#waiter.onFault(error);
  }
}
