/**
 * What is watched all the time, and what of it is unusual now. One watch for each thing that can go wrong by itself: what
 * clients of a service and of each route get, what each address of an origin does, how long answers take, who leaves,
 * who is turned away, whether anything is asked at all, and how the gateway itself does. An anomaly is a watch that
 * gave alarm; what it means is for the diagnosis (hypotheses.ts) to say.
 *
 * Not watched: what clients do wrong (malformed requests, limits that they meet). That is told in the records and is
 * no disturbance.
 */
import type { OriginRow, SecondFact, SparseHistogram, TopologyFact, TrafficRow } from "../contract/facts.ts";
import type { CauseId } from "../kernel/causes.ts";
import { createAddressWatch, firstSignOf, isDownForRequests, isDumb, isKeptOut, isSpared } from "./address-watch.ts";
import type { AddressWatch } from "./address-watch.ts";
import type { Anomaly, AnomalyKind } from "./anomaly.ts";
import { createRatioWatch, forgetRise, watchRatio } from "./change-point.ts";
import type { RatioOptions, RatioWatch } from "./change-point.ts";
import { CheckWatches } from "./check-watches.ts";
import { countOfCauses, exchangesOf, failuresOf, refusalsOfOurs } from "./fact-sums.ts";
import { Friends } from "./friends.ts";
import { createNormal, liftOf, restoreNormal, saveNormal, watchNormal } from "./normal.ts";
import type { Normal, SavedNormal } from "./normal.ts";
import { OwnWatches } from "./own-watches.ts";
import { SeasonBook } from "./season-book.ts";
import type { SavedSeasons } from "./season-book.ts";
import { createSilenceWatch, watchSilence } from "./silence.ts";
import type { SilenceWatch } from "./silence.ts";
import { countOf } from "./sparse-histogram.ts";

const FAILED: RatioOptions = { floor: 0.001, step: 0.03, outright: true };
const RESCUED: RatioOptions = { floor: 0.002, step: 0.04, outright: true };
const ATTEMPTS: RatioOptions = { floor: 0.001, step: 0.03, outright: true };
/** People leave all the time, and more of them with every tenth of a second. */
const LEFT: RatioOptions = { floor: 0.02, step: 0.15 };
const REFUSED: RatioOptions = { floor: 0.02, step: 0.15 };
/** So long out of use and nobody harmed is no restart any more; by its check, and where nobody has announced one, no quick one. */
const OUT_QUIET_S = 45;
const OUT_CHECKED_S = 15;
/** Of what would be its part; and so many attempts are expected at least. */
const SHUNNED_PART = 0.3;
const SHORT_PART = 0.6;
const SHARE_MIN = 8;
/** Attempts of the last seconds, faded. */
const POOL_IDLE = 0.25;
const KEEP_SHARE = 0.5 ** (1 / 4);
/** One late answer has an origin avoided for ten seconds; this is twice that of the last minutes. */
const SHUNNED_S = 18;
const KEEP_SHUNNED = 0.5 ** (1 / 60);
const OUT_FAILED_S = 3;
/** Nobody listens there: that is no stray error, and two in a row are no accident. */
const REFUSED_IN_ROW = 2;
/** Nobody asked it since: what was refused longer ago says nothing any more. */
const REFUSED_MS = 60_000;
const REFUSALS: readonly CauseId[] = ["origin.refused", "origin.socket_missing"];

/** Failures of an origin that is there: an error that it wrote, a connection that it had used for others before. */
const ANSWERED: readonly CauseId[] = [
  "origin.app_5xx",
  "origin.grpc_error",
  "origin.nested_gw_5xx",
  "origin.overload_reply",
  "origin.keepalive_race",
];

/** Five seconds of the last while: one failure costs an origin one. */
const EJECTED_S = 5;
const EJECTED_MOST_S = 6;
const KEEP_EJECTED = 0.5 ** (1 / 20);
const WATCHES_MAX = 4_000;
/** Of a route it is not learned how often it is asked, nor what had to be rescued. */
const ONLY_OF_SERVICES = { rescued: 0, isWell: false } as const;
/** An address that is not told any more has left, and so has a teller that tells nothing. */
const FORGET_MS = 60_000;
/** So long without any facts, and what comes next has to be looked at by itself. */
const AWAY_MS = 600_000;

interface RouteWatch {
  readonly service: string;
  readonly route: string;
  readonly failed: RatioWatch;
  readonly normal: Normal;
}

interface ServiceWatch {
  readonly service: string;
  readonly failed: RatioWatch;
  readonly rescued: RatioWatch;
  readonly left: RatioWatch;
  readonly refused: RatioWatch;
  readonly normal: Normal;
  readonly silence: SilenceWatch;
}

export interface SavedWatches {
  readonly services: readonly {
    readonly name: string;
    readonly normal: SavedNormal;
    readonly silence: SilenceWatch;
    readonly ratios: readonly RatioWatch[];
  }[];
  readonly routes: readonly {
    readonly service: string;
    readonly route: string;
    readonly normal: SavedNormal;
    readonly failed: RatioWatch;
  }[];
  readonly addresses: readonly {
    readonly row: AddressWatch["row"];
    readonly normal: SavedNormal;
    readonly attempts: RatioWatch;
  }[];
  /** Absent in what was kept before hours were learned so. */
  readonly seasons?: SavedSeasons;
}

export class Watches {
  readonly services = new Map<string, ServiceWatch>();
  readonly routes = new Map<string, RouteWatch>();
  readonly addresses = new Map<string, AddressWatch>();
  readonly seasons = new SeasonBook();
  readonly #own = new OwnWatches();
  readonly #friends = new Friends();
  /** Origins whose name cannot be resolved, since when; told by events. */
  readonly #names = new Map<string, { service: string; since: number }>();
  readonly #checks = new CheckWatches();
  #now = 0;
  /** The first second that was told in this life, epoch ms. */
  since = 0;

  /** What is not there any more cannot fall silent, and nothing that comes would say that it is well again. */
  forgetWhatLeft(services: TopologyFact["services"]): void {
    const there = new Set(services.map(({ name }) => name));
    const origins = new Set(
      services.flatMap(({ name, pools }) =>
        pools.flatMap((pool) => pool.origins.map((origin) => `${name}\n${origin}`)),
      ),
    );
    for (const key of this.#names.keys()) if (!origins.has(key)) this.#names.delete(key);
    this.#checks.keep(there);
    for (const service of this.services.keys()) if (!there.has(service)) this.services.delete(service);
    for (const [key, { service }] of this.routes) if (!there.has(service)) this.routes.delete(key);
    this.seasons.forgetWhatLeft(services);
  }

  /** All facts of one second. `learns` says whether a service is as usual now. */
  look(facts: readonly SecondFact[], at: number, learns: (service: string) => boolean): void {
    if (this.#now > 0 && at - this.#now > AWAY_MS) this.#forgetRises();
    this.#now = at;
    if (this.since === 0) this.since = at;
    const traffic = new Map<string, TrafficRow[]>();
    for (const fact of facts) {
      for (const row of fact.traffic) push(traffic, row.service, row);
      this.#own.look(fact, at);
      if ([...this.services.keys()].every(learns)) this.#friends.look(fact);
    }
    this.#checks.look(facts, at);
    for (const service of traffic.keys())
      if (service !== "" && this.services.size < WATCHES_MAX) this.#service(service);
    for (const watch of this.services.values())
      this.#lookAtService(watch, traffic.get(watch.service) ?? [], at, learns(watch.service));
    this.#lookAtRoutes(facts, at, learns);
    for (const fact of facts) for (const row of fact.origins) this.#lookAtAddress(row, at, learns(row.service));
    this.#lookAtShares();
    for (const [key, { seenAt }] of this.addresses) if (seenAt < at - FORGET_MS) this.addresses.delete(key);
    this.#own.forget(at - FORGET_MS);
  }

  anomalies(): Anomaly[] {
    const found: Anomaly[] = [];
    for (const { service, failed, rescued, left, refused, silence } of this.services.values()) {
      add(found, "failed", service, {}, failed);
      add(found, "rescued", service, {}, rescued);
      add(found, "left", service, {}, left);
      add(found, "refused", service, {}, refused);
      if (silence.alarm)
        found.push({ key: `silence\n${service}`, kind: "silence", service, where: {}, since: silence.since });
    }
    for (const { service, route, failed, normal } of this.routes.values()) {
      add(found, "failed", service, { route }, failed);
      add(found, "slow", service, { route }, normal.slow);
    }
    for (const watch of this.addresses.values()) {
      const { row, attempts, normal, outSeconds, outSince, ejected, shunned, dumbSeconds, seenAt } = watch;
      const where = { pool: row.pool, origin: row.origin, address: row.address };
      const isQuiet = isSpared(watch);
      add(found, "attempts", row.service, where, attempts, isQuiet ? "nothing new" : undefined);
      // The data plane took it out after failures: few requests a second are not waited for.
      const isOut = ejected >= EJECTED_S || (outSeconds >= OUT_FAILED_S && attempts.recentBad >= 1.5);
      // Nobody listens there, or its check says so as well: one failure or two are enough.
      const isGone =
        (watch.refusedInRow >= REFUSED_IN_ROW && watch.failedAt >= this.#now - REFUSED_MS) ||
        (outSeconds >= OUT_FAILED_S && isDownForRequests(watch));
      if (!attempts.alarm && (isOut || isGone))
        found.push({
          key: `attempts\n${row.service}\n${Object.values(where).join("\n")}`,
          kind: "attempts",
          service: row.service,
          where,
          since: firstSignOf(watch),
          ...(!isOut ? { rests: "few failures" } : isQuiet ? { rests: "nothing new" } : {}),
        });
      add(found, "slow origin", row.service, where, normal.slow);
      const quietS = isDumb(watch) ? dumbSeconds : shunned >= SHUNNED_S ? SHUNNED_S : 0;
      if (!normal.slow.alarm && quietS > 0)
        found.push({
          key: `slow origin\n${row.service}\n${Object.values(where).join("\n")}`,
          kind: "slow origin",
          service: row.service,
          where,
          since: seenAt - quietS * 1000,
        });
      const isDown = watch.state === "down" && outSeconds >= OUT_CHECKED_S;
      if ((outSeconds >= OUT_QUIET_S || isDown) && isKeptOut(watch))
        found.push({
          key: `out\n${row.service}\n${row.address}`,
          kind: "out",
          service: row.service,
          where,
          since: outSince,
          ...(outSeconds < OUT_QUIET_S ? { rests: "few failures" } : {}),
        });
    }
    for (const [key, { service, since }] of this.#names) {
      const origin = key.slice(service.length + 1);
      found.push({ key: `names\n${key}`, kind: "names", service, where: { origin }, since });
    }
    found.push(...this.#checks.anomalies(), ...this.#own.anomalies(this.#now));
    return found;
  }

  /** A client network with a history of being served. */
  isFriend(network: string): boolean {
    return this.#friends.has(network);
  }

  /** A name that cannot be resolved, or can again. */
  lookAtName(service: string, origin: string, at: number, fails: boolean): void {
    const key = `${service}\n${origin}`;
    if (!fails) this.#names.delete(key);
    else if (!this.#names.has(key) && this.#names.size < WATCHES_MAX) this.#names.set(key, { service, since: at });
  }

  /** Addresses of a service that their checks keep out of use now. */
  down(service: string): AddressWatch[] {
    return [...this.addresses.values()].filter(
      (watch) => watch.row.service === service && watch.state === "down" && watch.outSeconds >= OUT_FAILED_S,
    );
  }

  /** The clock was set back. */
  goBack(byMs: number): void {
    const earlier = (at: number): number => (at === 0 ? 0 : at - byMs);
    const putBack = (...watches: RatioWatch[]): void => {
      for (const watch of watches) {
        watch.since = earlier(watch.since);
        watch.outrightSince = earlier(watch.outrightSince);
        watch.roseAt = earlier(watch.roseAt);
        watch.seenAt = earlier(watch.seenAt);
        watch.resumedAt = earlier(watch.resumedAt);
      }
    };
    this.#now = earlier(this.#now);
    for (const { failed, rescued, left, refused, normal, silence } of this.services.values()) {
      putBack(failed, rescued, left, refused, normal.slow);
      silence.since = earlier(silence.since);
    }
    for (const { failed, normal } of this.routes.values()) putBack(failed, normal.slow);
    for (const watch of this.addresses.values()) {
      putBack(watch.attempts, watch.normal.slow);
      watch.outSince = earlier(watch.outSince);
      watch.lastOutAt = earlier(watch.lastOutAt);
      watch.seenAt = earlier(watch.seenAt);
      watch.failedAt = earlier(watch.failedAt);
      watch.unreachedAt = earlier(watch.unreachedAt);
      watch.triedAt = earlier(watch.triedAt);
    }
    for (const [key, { service, since }] of this.#names) this.#names.set(key, { service, since: since - byMs });
    this.#checks.goBack(byMs);
    this.#own.goBack(earlier);
  }

  save(): SavedWatches {
    return {
      services: [...this.services.values()].map((watch) => ({
        name: watch.service,
        normal: saveNormal(watch.normal),
        silence: { ...watch.silence },
        ratios: [watch.failed, watch.rescued, watch.left, watch.refused].map((ratio) => ({ ...ratio })),
      })),
      routes: [...this.routes.values()].map(({ service, route, failed, normal }) => ({
        service,
        route,
        normal: saveNormal(normal),
        failed: { ...failed },
      })),
      addresses: [...this.addresses.values()].map(({ row, attempts, normal }) => ({
        row: { ...row },
        normal: saveNormal(normal),
        attempts: { ...attempts },
      })),
      seasons: this.seasons.save(),
    };
  }

  restore(saved: SavedWatches): void {
    if (saved.seasons !== undefined) this.seasons.restore(saved.seasons);
    for (const { name, normal, silence, ratios } of saved.services) {
      const [failed, rescued, left, refused] = ratios.map((ratio) => ({ ...createRatioWatch(), ...ratio }));
      this.services.set(name, {
        ...createServiceWatch(name),
        normal: restoreNormal(normal),
        silence: { ...createSilenceWatch(), ...silence },
        ...(failed === undefined ? {} : { failed }),
        ...(rescued === undefined ? {} : { rescued }),
        ...(left === undefined ? {} : { left }),
        ...(refused === undefined ? {} : { refused }),
      });
    }
    for (const { service, route, normal, failed } of saved.routes)
      this.routes.set(`${service}\n${route}`, {
        service,
        route,
        normal: restoreNormal(normal),
        failed: { ...createRatioWatch(), ...failed },
      });
    for (const { row, normal, attempts } of saved.addresses)
      this.addresses.set(`${row.service}\n${row.pool}\n${row.address}`, {
        ...createAddressWatch(row, 0),
        normal: restoreNormal(normal),
        attempts: { ...createRatioWatch(), ...attempts },
      });
  }

  #forgetRises(): void {
    for (const { failed, rescued, left, refused, normal } of this.services.values())
      for (const ratio of [failed, rescued, left, refused, normal.slow]) forgetRise(ratio);
    for (const { failed, normal } of this.routes.values()) for (const ratio of [failed, normal.slow]) forgetRise(ratio);
    for (const { attempts, normal } of this.addresses.values())
      for (const ratio of [attempts, normal.slow]) forgetRise(ratio);
  }

  #service(service: string): ServiceWatch {
    let watch = this.services.get(service);
    if (watch === undefined) {
      watch = createServiceWatch(service);
      this.services.set(service, watch);
    }
    return watch;
  }

  #lookAtService(watch: ServiceWatch, rows: readonly TrafficRow[], at: number, learns: boolean): void {
    let total = 0;
    let failed = 0;
    let rescued = 0;
    let left = 0;
    let refused = 0;
    for (const row of rows) {
      const { byOutcome } = row;
      total += exchangesOf(row);
      failed += byOutcome.failed;
      rescued += byOutcome.rescued;
      left += byOutcome.aborted;
      refused += refusalsOfOurs(row);
      this.#route(row);
    }
    const durations = rows.map((row) => row.duration);
    const hour = this.seasons.second(watch.service, null, at, { total, failed, rescued, durations, isWell: learns });
    watchRatio(watch.failed, failed, total, at, FAILED, learns, hour.failed);
    watchRatio(watch.rescued, rescued, total, at, RESCUED, learns, hour.rescued);
    watchRatio(watch.left, left, total, at, LEFT, learns);
    watchRatio(watch.refused, refused, total, at, REFUSED, learns);
    watchNormal(watch.normal, total, joined(durations), at, learns, hour.p95);
    watchSilence(watch.silence, total, at, hour.perSecond);
  }

  #route({ service, route }: TrafficRow): void {
    const key = `${service}\n${route}`;
    if (this.routes.has(key) || this.routes.size >= WATCHES_MAX) return;
    this.routes.set(key, { service, route, failed: createRatioWatch(), normal: createNormal() });
  }

  #lookAtRoutes(facts: readonly SecondFact[], at: number, learns: (service: string) => boolean): void {
    const told = new Map<string, TrafficRow[]>();
    for (const fact of facts) for (const row of fact.traffic) push(told, `${row.service}\n${row.route}`, row);
    for (const [key, watch] of this.routes) {
      const rows = told.get(key) ?? [];
      const learning = learns(watch.service);
      let failed = 0;
      let total = 0;
      for (const row of rows) {
        failed += row.byOutcome.failed;
        total += exchangesOf(row);
      }
      const durations = rows.map((row) => row.duration);
      const hour = this.seasons.second(watch.service, watch.route, at, {
        ...ONLY_OF_SERVICES,
        total,
        failed,
        durations,
      });
      watchRatio(watch.failed, failed, total, at, FAILED, learning, hour.failed);
      const of = this.services.get(watch.service);
      const lift = of === undefined ? 1 : liftOf(of.normal);
      watchNormal(watch.normal, total, joined(durations), at, learning, hour.p95, lift);
    }
  }

  #lookAtAddress(row: OriginRow, at: number, learns: boolean): void {
    const key = `${row.service}\n${row.pool}\n${row.address}`;
    let watch = this.addresses.get(key);
    if (watch === undefined) {
      if (this.addresses.size >= WATCHES_MAX) return;
      watch = createAddressWatch(row, at);
      this.addresses.set(key, watch);
    }
    watch.seenAt = at;
    watch.state = row.state;
    const failures = failuresOf(row);
    if (failures > 0) watch.failedAt = at;
    if (failures > countOfCauses(row, ANSWERED)) watch.unreachedAt = at;
    const refused = countOfCauses(row, REFUSALS);
    if (row.attempts > 0) watch.triedAt = at;
    if (row.attempts > 0) watch.refusedInRow = refused === row.attempts ? watch.refusedInRow + refused : 0;
    // Only one worker checks; the others tell nothing of it.
    if (row.checkOk !== null) {
      watch.checkFails = !row.checkOk;
      watch.checkWellS = row.checkOk ? watch.checkWellS + 1 : 0;
    }
    watch.recentAttempts = watch.recentAttempts * KEEP_SHARE + row.attempts;
    const { attempts } = this.seasons.thisHour(row.service, null);
    watchRatio(watch.attempts, failures, row.attempts, at, ATTEMPTS, learns, attempts);
    const of = this.services.get(row.service);
    const lift = of === undefined ? 1 : liftOf(of.normal);
    watchNormal(watch.normal, row.attempts, row.firstByte, at, learns && !watch.isShort, null, lift);
    // What was out for long does not count as out for as long again once it is back.
    watch.ejected = Math.min(EJECTED_MOST_S, watch.ejected * KEEP_EJECTED + (row.state === "ejected" ? 1 : 0));
    watch.dumbSeconds = row.held > 0 && countOf(row.firstByte) === 0 ? watch.dumbSeconds + 1 : 0;
    const isOut = row.state === "down" || row.state === "ejected";
    if (isOut) {
      if (watch.outSeconds === 0) watch.outSince = at;
      watch.outSeconds += 1;
      watch.lastOutAt = at + 1000;
    } else if (row.state !== "probation") watch.outSeconds = 0;
  }

  /**
   * An origin that answers late or badly is asked less by the balancer before anything is ejected: then neither failures nor late answers
   * are many, and the missing share is the sign.
   */
  #lookAtShares(): void {
    const pools = new Map<string, { recent: number; usual: number }>();
    for (const { row, recentAttempts, normal } of this.addresses.values()) {
      const key = `${row.service}\n${row.pool}`;
      const pool = pools.get(key) ?? { recent: 0, usual: 0 };
      pool.recent += recentAttempts;
      pool.usual += normal.perSecond;
      pools.set(key, pool);
    }
    for (const watch of this.addresses.values()) {
      const pool = pools.get(`${watch.row.service}\n${watch.row.pool}`);
      if (pool === undefined) continue;
      watch.isPoolIdle = pool.recent < POOL_IDLE;
      const expected = pool.usual > 0 ? (pool.recent * watch.normal.perSecond) / pool.usual : 0;
      watch.isShunned =
        watch.outSeconds === 0 && expected >= SHARE_MIN && watch.recentAttempts <= expected * SHUNNED_PART;
      watch.isShort = expected >= SHARE_MIN && watch.recentAttempts < expected * SHORT_PART;
      watch.shunned = watch.shunned * KEEP_SHUNNED + (watch.isShunned ? 1 : 0);
    }
  }
}

function createServiceWatch(service: string): ServiceWatch {
  return {
    service,
    failed: createRatioWatch(),
    rescued: createRatioWatch(),
    left: createRatioWatch(),
    refused: createRatioWatch(),
    normal: createNormal(),
    silence: createSilenceWatch(),
  };
}

function add(
  found: Anomaly[],
  kind: AnomalyKind,
  service: string,
  where: Record<string, string>,
  watch: RatioWatch,
  rests?: Anomaly["rests"],
): void {
  if (!watch.alarm) return;
  found.push({
    key: `${kind}\n${service}\n${Object.values(where).join("\n")}`,
    kind,
    service,
    where,
    since: watch.since,
    ...(rests === undefined ? {} : { rests }),
  });
}

function joined(durations: readonly SparseHistogram[]): SparseHistogram {
  return durations.length === 1 ? (durations[0] ?? []) : durations.flat();
}

function push<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
