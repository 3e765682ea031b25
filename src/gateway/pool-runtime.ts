/**
 * One pool at work: its addresses as the names resolve now, and which of them may be used. Names are watched beside
 * the traffic; an answer that vanishes or shrinks sharply changes nothing until it is confirmed.
 */
import type {
  HealthSettings,
  OriginSettings,
  PoolSettings,
  RouteSettings,
  ServiceSettings,
} from "../config/settings.ts";
import type { Resolution } from "../kernel/resolver.ts";
import type { Address, OriginCertificate } from "../kernel/socket.ts";
import type { AdaptiveLimitOptions } from "../policies/limit-state.ts";
import { assess, probationTurn } from "../policies/availability.ts";
import type { Availability } from "../policies/availability.ts";
import { endDrain } from "../policies/drain.ts";
import type { Drain } from "../policies/drain.ts";
import { endRefusals, returnByChecks } from "../policies/ejection-phase.ts";
import { hearEjection } from "../policies/ejection-heard.ts";
import { observeLatency, observeStuck, slowFromMs } from "../policies/ejection-slowness.ts";
import { observeOutcome } from "../policies/ejection.ts";
import type { EjectionVerdict } from "../policies/ejection-state.ts";
import type { HeardPhase } from "../policies/ejection-heard.ts";
import type { TrafficOutcome } from "../policies/ejection.ts";
import { stepHealth } from "../policies/health.ts";
import type { CheckResult } from "../policies/health.ts";
import { createLatencyWindow } from "../policies/latency-window.ts";
import { NO_IDENTITY, doubtIdentity, isStranger, stepIdentity, unproven } from "../policies/origin-identity.ts";
import type { LatencyWindow } from "../policies/latency-window.ts";
import { LASTING_MS } from "../policies/slowness.ts";
import type { Standing } from "../policies/standing.ts";
import { STEADY, judgeResolution } from "../policies/resolution-change.ts";
import type { ResolutionChangeState } from "../policies/resolution-change.ts";
import type { Core } from "./core.ts";
import { FailOpenNotice } from "./fail-open-notice.ts";
import { OriginAddress, textOf } from "./origin-address.ts";
import type { AddressSettings } from "./origin-address.ts";
import { PoolBreakers } from "./pool-breakers.ts";
import { PoolSilenceWatch } from "./pool-silence-watch.ts";
import { ejectionNews, keepAliveNews } from "./shared-knowledge.ts";
import { placeOf } from "./place-of.ts";
import { trialOf } from "../contract/news-keys.ts";
import type { RoutesByNumber } from "./route-numbers.ts";

/** How often an answer is awaited that confirms a sharp loss of addresses. */
const CONFIRM_LOOK_MS = 1_000;
const SWEEP_MS = 25;
/** How long old addresses stay at most for new ones that do not show who they are. */
const LEAVING_MAX_MS = 30_000;
/** After a request was turned away; work that was queued then is still being done. */
const CROWDED_MS = 10_000;

export interface NamedOrigin {
  settings: OriginSettings;
  /** Null: its name is not watched yet, or not any more. */
  unwatch: (() => void) | null;
  addresses: OriginAddress[];
  /** When those last changed, epoch ms; null: never since the first ones. */
  addressesSince: number | null;
  change: ResolutionChangeState;
  resolution: Resolution | null;
  /** The addresses of the newest answer, while older ones stay because none of them may be used yet. */
  leaving: { readonly wanted: readonly OriginAddress[]; readonly until: number } | null;
  /** By hand; also for addresses that its name gets later. */
  drain: Drain | null;
}

/** What was told last of an address. */
interface Shown {
  readonly state: Standing["state"];
  readonly isDisputed: boolean;
}

export class PoolRuntime {
  readonly name: string;
  origins: readonly NamedOrigin[];
  members: readonly OriginAddress[] = [];
  availability: Availability<OriginAddress>;
  /** Which routes are kept from which of its addresses. Null: that is switched off, or there is one route only. */
  breakers: PoolBreakers | null = null;
  /** Hears that the set of addresses changed, so that checks follow. Set by the gateway. */
  onMembers: () => void = () => undefined;
  /** Hears that one of its addresses may have room again. Set by the service. */
  onRoom: (now: number) => void = () => undefined;
  readonly #core: Core;
  #service: ServiceSettings;
  /** Of all members together: what each of them is compared with. */
  #latencies: LatencyWindow;
  /** Monotonic ms when held addresses are looked at again. */
  #confirmAt = Infinity;
  /** Monotonic ms when waits that are too long are looked for again. */
  #sweepAt: number;
  /** When its service last turned a request away for lack of room, monotonic ms. */
  shedAt = -Infinity;
  #shown = new Map<OriginAddress, Shown>();
  readonly #failOpen: FailOpenNotice;
  /** Whether all of it is silent. */
  readonly silence: PoolSilenceWatch;
  /** Service and check: what an address is remembered under. States of other settings would be of another shape. */
  #memoryKey: string;
  #limit: AdaptiveLimitOptions | null;

  /** `routes`: by number (route-numbers.ts); as they stand in the settings where nothing else is said. */
  constructor(core: Core, service: ServiceSettings, pool: PoolSettings, routes: RoutesByNumber = service.routes) {
    this.#core = core;
    this.#service = service;
    this.name = pool.name;
    this.#memoryKey = memoryKeyOf(service);
    this.#limit = limitOptions(service, routes);
    this.#failOpen = new FailOpenNotice(core, service.name, pool.name);
    this.#latencies = createLatencyWindow(service.ejection.windowMs);
    this.silence = new PoolSilenceWatch(core, service.name, this, this.#latencies);
    this.#sweepAt = service.ejection.slow === null ? Infinity : 0;
    this.origins = pool.origins.map(newOrigin);
    this.#configureBreakers(routes);
    this.availability = assess(service, [], core.clock.monotonic());
  }

  /** Begins to watch the names, as far as they are not watched yet. */
  start(): void {
    for (const origin of this.origins) {
      origin.unwatch ??= this.#core.resolver.watch(origin.settings.host, (resolution) =>
        this.#resolved(origin, resolution),
      );
    }
  }

  stop(): void {
    for (const origin of this.origins) unwatch(origin);
    this.silence.stop();
    for (const member of this.members) {
      this.#remember(member, this.#core.clock.monotonic());
      member.destroy();
    }
  }

  /** It left the configuration: what is under way is finished by whoever began it, and nothing is kept besides. */
  retire(): void {
    const now = this.#core.clock.monotonic();
    for (const origin of this.origins) this.#letOriginGo(origin, now);
    this.silence.retire();
  }

  /**
   * Other settings for the same pool. Addresses of origins that stay are the same objects as before, with all that is
   * known of them and all that is under way there; only what a setting gives another meaning begins anew.
   */
  configure(service: ServiceSettings, pool: PoolSettings, routes: RoutesByNumber): void {
    const now = this.#core.clock.monotonic();
    const before = this.#service;
    const known = new Map(this.origins.map((origin) => [origin.settings.url, origin]));
    const origins = pool.origins.map((settings) => {
      const origin = known.get(settings.url);
      if (origin === undefined) return newOrigin(settings);
      known.delete(settings.url);
      origin.settings = settings;
      return origin;
    });
    for (const gone of known.values()) this.#letOriginGo(gone, now);
    this.#service = service;
    this.#memoryKey = memoryKeyOf(service);
    this.#limit = limitOptions(service, routes);
    const isEjectionAlike =
      before.ejection.windowMs === service.ejection.windowMs &&
      (before.ejection.slow === null) === (service.ejection.slow === null);
    if (!isEjectionAlike) {
      this.#latencies = createLatencyWindow(service.ejection.windowMs);
      this.silence.latencies = this.#latencies;
    }
    this.#sweepAt = service.ejection.slow === null ? Infinity : 0;
    this.origins = origins;
    for (const origin of origins) {
      for (const address of origin.addresses) {
        address.configure(this.#addressSettings(origin), isEjectionAlike, now);
        address.weight = origin.settings.weight / origin.addresses.length;
        if (!isSameCheck(before.health, service.health)) this.#checkAnew(address, now);
        routes.forEach((route, number) => {
          if (route === null || !wasThere(before, route)) address.forgetRoute(number);
        });
      }
    }
    this.members = origins.flatMap((origin) => origin.addresses);
    this.#configureBreakers(routes);
    this.assess(now);
    this.onMembers();
  }

  /** What it was taken for so far it counts as until the first check of the new kind tells: that takes a moment. */
  #checkAnew(address: OriginAddress, now: number): void {
    address.forgetChecks();
    const isAsked = (this.#service.health?.expect ?? null) !== null;
    if (!isAsked) address.identity = NO_IDENTITY;
    else if (address.identity.kind === "none") address.identity = { kind: "proven", since: now };
  }

  #configureBreakers(routes: RoutesByNumber): void {
    const { breaker, ejection, routes: configured } = this.#service;
    if (breaker && configured.length > 1) {
      if (this.breakers === null) this.breakers = new PoolBreakers(this.#core, this.#service, routes, this);
      else this.breakers.configure(ejection, routes);
      return;
    }
    this.breakers = null;
    for (const address of this.members) address.breakers = null;
  }

  #letOriginGo(origin: NamedOrigin, now: number): void {
    unwatch(origin);
    for (const address of origin.addresses) {
      this.#remember(address, now);
      address.retire(this.#service.name);
    }
  }

  /** Brings `availability` up to date when time alone may have changed it. Four comparisons on the usual path. */
  settle(now: number): void {
    const { nextAt } = this.availability;
    if (nextAt >= 0 && now >= nextAt) this.assess(now);
    if (now >= this.#confirmAt) this.#lookAgain(now);
    if (now >= this.#sweepAt) this.#sweep(now);
    if (now >= this.#failOpen.endAt) this.#failOpen.end(now);
  }

  /**
   * Addresses are held that their name has left, or that nobody has confirmed for long. The resolver tells of changes
   * only, and an answer that says the same again is none, nor is a failure that lasts: so it is looked at here.
   */
  #lookAgain(now: number): void {
    this.#confirmAt = Infinity;
    this.#letGo(now);
    for (const origin of this.origins) {
      const { change, resolution, leaving } = origin;
      if (leaving !== null) this.#confirmAt = Math.min(this.#confirmAt, leaving.until);
      if (resolution !== null && resolution.failure !== null && origin.addresses.length > 0) {
        this.#resolved(origin, resolution);
      }
      if (change.kind !== "held") continue;
      const again = this.#core.resolver.peek(origin.settings.host);
      if (again !== null && again.failure === null && again.learnedAt > change.since) this.#resolved(origin, again);
      if (origin.change.kind === "held") this.#confirmAt = now + CONFIRM_LOOK_MS;
    }
  }

  /** The address whose turn it is to be tried again by this one request, or null. */
  probation(repeatable: boolean, now: number): OriginAddress | null {
    const may = this.#core.siblings === null ? null : this.#mayTry;
    const index = probationTurn(this.#service, this.members, this.availability, repeatable, now, may);
    if (index < 0) return null;
    this.assess(now);
    const address = this.members[index] ?? null;
    if (address !== null) this.#tellSiblings(address, now);
    return address;
  }

  readonly #mayTry = (address: OriginAddress): boolean =>
    this.#core.siblings === null ||
    this.#core.siblings.mayTry(trialOf(placeOf(this.#service.name, this.name, address), ""));

  /** Another worker took it out, tries it or brought it back. */
  hearEjection(address: OriginAddress, heard: HeardPhase, now: number): void {
    const verdict = hearEjection(this.#service.ejection, address, this.members, heard, now);
    if (verdict.kind !== "none") this.assess(now);
  }

  /** Of its phase, which has changed just now. */
  #tellSiblings(address: OriginAddress, now: number): void {
    const { siblings } = this.#core;
    if (siblings === null) return;
    const at = placeOf(this.#service.name, this.name, address);
    const news = ejectionNews(at, address, this.#service.ejection.consecutiveFailures, now);
    if (news !== null) siblings.tell(news);
    if (address.ejection.phase.kind !== "probation") siblings.turnOver(trialOf(at, ""));
  }

  checked(address: OriginAddress, result: CheckResult, now: number): void {
    if (this.#service.health === null) return;
    address.check = { ok: result.ok, at: this.#core.clock.wall(), detail: result.detail };
    if (result.ok) address.checkedAt = now;
    else address.checkFailedAt = now;
    const before = address.health;
    const { state, verdict } = stepHealth(this.#service.health, before, result, now);
    address.health = state;
    const isBack = verdict.kind === "changed" && before.kind === "down" && address.share === 0;
    if (isBack) returnByChecks(this.#service.ejection, address.ejection, now);
    const listens = result.ok && endRefusals(address.ejection, now);
    // A failure may contradict traffic, and a success may end or contradict what is thought of it.
    const isNews = verdict.kind === "changed" || !result.ok || (before.kind === "up" && before.failed > 0);
    const identity = stepIdentity(address.identity, result, state.kind === "down", now);
    if (identity !== address.identity) {
      address.identity = identity;
      this.#letGo(now);
      this.assess(now);
      return;
    }
    if (isNews || listens || address.ejection.phase.kind !== "up") this.assess(now);
  }

  /** Null ends it. */
  setDrain(origin: NamedOrigin, drain: Drain | null, because: string, now: number): void {
    origin.drain = drain;
    for (const address of origin.addresses) {
      if (drain === null) endDrain(this.#service.ejection, address, because, now);
      else address.drain = drain;
    }
    this.assess(now);
  }

  assess(now: number): void {
    this.availability = assess(this.#service, this.members, now);
    this.#announce();
    this.#failOpen.look(this.availability, this.members.length, now);
  }

  /** An exchange is served by a pool that is used although it fails. */
  servedOpen(): void {
    this.#failOpen.served += 1;
  }

  #outcome(address: OriginAddress, outcome: TrafficOutcome, startedMs: number, now: number): void {
    // A roll is only used when an ejection happens; drawing it for each outcome would be work for nothing.
    const roll = outcome === "failure" || outcome === "refused" ? this.#core.chance() : 0;
    this.#heed(
      address,
      observeOutcome(this.#service.ejection, address, this.members, outcome, startedMs, roll, now),
      now,
    );
  }

  #latency(address: OriginAddress, latencyMs: number, startedMs: number, now: number): void {
    if (this.#isCrowded(now)) return;
    const { ejection } = this.#service;
    const roll = latencyMs < slowFromMs(address.ejection) ? 0 : this.#core.chance();
    const all = this.#latencies;
    this.#heed(address, observeLatency(ejection, address, this.members, all, latencyMs, startedMs, roll, now), now);
  }

  /** Waits that are too long already: traffic that is stuck must not have to end before anybody learns from it. */
  #sweep(now: number): void {
    this.#sweepAt = now + SWEEP_MS;
    if (this.#isCrowded(now)) return;
    for (const address of this.members) {
      const waitedMs = address.tellSlow(now);
      this.silence.look(waitedMs, now);
      if (waitedMs < LASTING_MS) continue;
      const { ejection } = this.#service;
      const { members } = this;
      const roll = this.#core.chance();
      this.#heed(address, observeStuck(ejection, address, members, this.#latencies, waitedMs, roll, now), now);
    }
  }

  /**
   * While there is more work than room the slowest address is the one that was given the most, and taking it out would
   * leave less room still. What each can do in time is then the limits' affair (policies/adaptive-limit.ts).
   */
  #isCrowded(now: number): boolean {
    return now - this.shedAt < CROWDED_MS;
  }

  #heed(address: OriginAddress, verdict: EjectionVerdict, now: number): void {
    if (verdict.kind === "none") return;
    if (verdict.kind === "ejected") address.counters.ejections += 1;
    this.assess(now);
    // What is held in use here is held by what is out here: each worker decides that for itself.
    if (verdict.kind !== "fail-open") this.#tellSiblings(address, now);
  }

  /**
   * For an exchange that cannot go on without this name. The resolver answers whoever asked before whoever watches, so
   * what it says is taken from here: asking again at once would get the same answer for ever.
   */
  ask(origin: NamedOrigin, done: () => void): void {
    this.#core.resolver.resolve(origin.settings.host, (resolution) => {
      if (origin.addresses.length === 0 && origin.resolution !== resolution) this.#resolved(origin, resolution);
      done();
    });
  }

  #resolved(origin: NamedOrigin, resolution: Resolution): void {
    const now = this.#core.clock.monotonic();
    const failedBefore = origin.resolution?.failure?.cause ?? null;
    origin.resolution = resolution;
    const { failure } = resolution;
    if (failure !== null && failure.cause !== failedBefore) {
      const kept = origin.addresses.length === 0 ? "no answer is known" : "the last good answer stays in use";
      this.#tellResolution(origin, `${failure.cause} (${failure.code}); ${kept}`);
    }
    const { state, verdict } = judgeResolution<Address>(
      origin.change,
      origin.addresses,
      failure === null
        ? { kind: "addresses", addresses: resolution.addresses, ttlMs: 0 }
        : { kind: "failure", detail: failure.code, ageMs: now - resolution.learnedAt },
      this.#core.dns.keepMs,
      now,
    );
    origin.change = state;
    if (verdict.code === "resolution.dropped.too-old") this.#tellResolution(origin, verdict.because);
    else if (failure !== null && origin.addresses.length > 0) {
      this.#confirmAt = Math.min(this.#confirmAt, resolution.learnedAt + this.#core.dns.keepMs);
    }
    if (state.kind === "held") this.#confirmAt = Math.min(this.#confirmAt, state.confirmAt);
    if (failure === null) {
      const fresh = new Set(resolution.addresses.map((address) => address.ip));
      for (const address of origin.addresses) address.leftAnswer = !fresh.has(address.ip);
    }
    if (verdict.kind !== "apply") return;
    const known = new Map(origin.addresses.map((address) => [address.ip, address]));
    const wanted = verdict.addresses.map(
      (address) => known.get(address.ip) ?? this.#newAddress(origin, { ip: address.ip, family: address.family }, now),
    );
    const gone = origin.addresses.filter((address) => !wanted.includes(address));
    // New ones that have not shown who they are cannot serve yet: until one has, the old ones stay.
    const keepOld = wanted.length > 0 && wanted.every(({ identity }) => isStranger(identity));
    origin.leaving = keepOld && gone.length > 0 ? { wanted, until: now + LEAVING_MAX_MS } : null;
    if (origin.leaving !== null) this.#confirmAt = Math.min(this.#confirmAt, origin.leaving.until);
    this.#use(origin, origin.leaving === null ? wanted : [...wanted, ...gone], now);
  }

  #use(origin: NamedOrigin, next: readonly OriginAddress[], now: number): void {
    this.#tellChange(origin, next);
    for (const address of origin.addresses) {
      if (next.includes(address)) continue;
      this.#remember(address, now);
      address.retire(this.#service.name);
    }
    origin.addresses = [...next];
    // A name with four addresses is still one origin: they share its weight.
    for (const address of next) address.weight = origin.settings.weight / next.length;
    this.members = this.origins.flatMap((each) => each.addresses);
    this.assess(now);
    this.onMembers();
    this.#core.siblings?.hello();
  }

  /** The first answer is none. */
  #tellChange(origin: NamedOrigin, next: readonly OriginAddress[]): void {
    const { settings, addresses } = origin;
    if (addresses.length === 0) return;
    const [before, after] = [addresses, next].map((all) =>
      all
        .map(({ ip }) => ip)
        .toSorted()
        .join(", "),
    );
    if (before === after) return;
    origin.addressesSince = this.#core.clock.wall();
    const where = { service: this.#service.name, pool: this.name, origin: settings.url };
    this.#core.facts?.change(
      "dns answer changed",
      where,
      `${settings.host} leads to ${after || "nowhere"}, not to ${before}`,
    );
  }

  /** Old addresses leave when a new one has shown who it is, or after a while. */
  #letGo(now: number): void {
    for (const origin of this.origins) {
      const { leaving } = origin;
      if (leaving === null) continue;
      const isReady = leaving.wanted.some(({ identity }) => !isStranger(identity));
      if (!isReady && now < leaving.until) continue;
      origin.leaving = null;
      this.#use(origin, leaving.wanted, now);
    }
  }

  #tellResolution(origin: NamedOrigin, because: string): void {
    const at = this.#core.clock.wall();
    const service = this.#service.name;
    this.#core.book.publish({ kind: "resolution", at, service, origin: origin.settings.url, because });
  }

  #remember(address: OriginAddress, now: number): void {
    this.#core.memory.remember(`${this.#memoryKey} ${address.text}`, address.knowledge, now);
  }

  #newAddress(origin: NamedOrigin, address: { ip: string; family: 4 | 6 }, now: number): OriginAddress {
    const made = new OriginAddress(
      this.#core,
      address,
      this.#addressSettings(origin),
      this.#core.memory.recall(`${this.#memoryKey} ${textOf(address, origin.settings.port)}`, now),
      now,
    );
    made.drain = origin.drain !== null && now < origin.drain.until ? origin.drain : null;
    made.onRoom = (at) => this.onRoom(at);
    if ((this.#service.health?.expect ?? null) !== null) made.identity = unproven(now);
    made.onCertificate = (self, before, after) => {
      const where = { service: this.#service.name, pool: this.name, origin: self.origin.url };
      const text = `${self.text} shows a certificate ${lifeText(after)}, not the one ${lifeText(before)}`;
      this.#core.facts?.change("certificate changed", where, text);
    };
    made.onNobody = (self, at) => {
      self.identity = doubtIdentity(self.identity, at);
      this.assess(at);
    };
    made.onOutcome = (self, outcome, route, startedMs, at) => {
      const { breakers } = this;
      this.#outcome(self, breakers === null ? outcome : breakers.judge(self, outcome, route, at), startedMs, at);
      return breakers === null || breakers.penalised;
    };
    const { siblings } = this.#core;
    if (siblings !== null) {
      made.onKeepAlive = (self, teacher) =>
        siblings.tell(keepAliveNews(placeOf(this.#service.name, this.name, self), self.keepAlive, teacher));
    }
    made.onLatency = (self, latencyMs, startedMs, at) => this.#latency(self, latencyMs, startedMs, at);
    return made;
  }

  #addressSettings({ settings }: NamedOrigin): AddressSettings {
    const { name, connections, ejection, heads } = this.#service;
    return {
      serviceName: name,
      origin: settings,
      poolName: this.name,
      connections,
      ejection,
      overload: this.#limit,
      heads,
    };
  }

  /** Tells whoever listens which addresses changed their state, and which checks and traffic disagree about, once each. */
  #announce(): void {
    const shown = new Map<OriginAddress, Shown>();
    this.members.forEach((member, index) => {
      const standing = this.availability.standings[index];
      if (standing === undefined) return;
      const { state, because, disagreement } = standing;
      const isDisputed = disagreement !== "";
      shown.set(member, { state, isDisputed });
      const before = this.#shown.get(member) ?? { state: "up", isDisputed: false };
      const where = {
        at: this.#core.clock.wall(),
        service: this.#service.name,
        pool: this.name,
        origin: member.origin.url,
        address: member.text,
      };
      if (before.state !== state) this.#core.book.publish({ kind: "origin", ...where, state, because });
      if (before.isDisputed === isDisputed) return;
      const about = isDisputed
        ? ({ state: "begin", because: disagreement } as const)
        : ({ state: "end", because } as const);
      this.#core.book.publish({ kind: "disagreement", ...where, ...about });
    });
    this.#shown = shown;
  }
}

function newOrigin(settings: OriginSettings): NamedOrigin {
  return {
    settings,
    unwatch: null,
    addresses: [],
    addressesSince: null,
    change: STEADY,
    resolution: null,
    leaving: null,
    drain: null,
  };
}

function unwatch(origin: NamedOrigin): void {
  origin.unwatch?.();
  origin.unwatch = null;
}

function memoryKeyOf({ name, health, ejection }: ServiceSettings): string {
  return JSON.stringify([name, health, ejection]);
}

function limitOptions({ overload }: ServiceSettings, routes: RoutesByNumber): AdaptiveLimitOptions | null {
  return (
    overload && {
      concurrency: overload.concurrency,
      whole: routes.map((route) => route?.class === "critical"),
    }
  );
}

/** The same question, and the same answers count as good: how often and how patiently it is asked does not matter. */
function isSameCheck(before: HealthSettings | null, after: HealthSettings | null): boolean {
  if (before === null || after === null) return before === after;
  const asked = ({ path, grpc, host, statusMin, statusMax, expect }: HealthSettings): string =>
    JSON.stringify([path, grpc, host, statusMin, statusMax, expect]);
  return asked(before) === asked(after);
}

function wasThere({ routes }: ServiceSettings, { name }: RouteSettings): boolean {
  return routes.some((route) => route.name === name);
}

/** `of shop.example.com by R11 until 2026-04-01`. */
function lifeText({ names, issuer, until }: OriginCertificate): string {
  return `of ${names[0] ?? "nobody"} by ${issuer} until ${new Date(until).toISOString().slice(0, 10)}`;
}
