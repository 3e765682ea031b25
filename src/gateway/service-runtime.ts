/**
 * Pick: which address of which pool gets the next attempt. The pools of a service in order of preference, in the one
 * that is in use two addresses by chance, the less loaded taken. The policies decide; this asks them in turn.
 */
import type { RouteSettings, ServiceSettings } from "../config/settings.ts";
import type { CauseId } from "../kernel/causes.ts";
import type { DecisionCode } from "../kernel/decisions.ts";
import { createAnswerYield } from "../policies/answer-worth-retrying.ts";
import type { AnswerYield } from "../policies/answer-worth-retrying.ts";
import { chooseTwo } from "../policies/choose-two.ts";
import { doubtedOf } from "../policies/doubt.ts";
import { isStranger } from "../policies/origin-identity.ts";
import { countExchange, createRetryBudget } from "../policies/retry-budget.ts";
import type { RetryBudget } from "../policies/retry-budget.ts";
import type { Core } from "./core.ts";
import type { OriginAddress } from "./origin-address.ts";
import { Lateness } from "./lateness.ts";
import type { PickNote } from "./pick-note.ts";
import { PoolChoice } from "./pool-choice.ts";
import { PoisonWatch } from "./poison-watch.ts";
import type { FindAmong } from "./poison-watch.ts";
import { PoolRuntime } from "./pool-runtime.ts";
import { Room } from "./room.ts";
import type { NoRoom, Turn } from "./room.ts";
import { numberRoutes } from "./route-numbers.ts";
import { routeRuntime } from "./route-runtime.ts";
import type { Place, RouteRuntime } from "./route-runtime.ts";

export type Picked =
  | {
      readonly kind: "address";
      readonly address: OriginAddress;
      /** What the record should say about it; usually nothing. */
      readonly notes: readonly PickNote[];
    }
  /** A name has not been resolved yet: `ask` calls back when it has. */
  | { readonly kind: "ask"; readonly ask: (done: () => void) => void }
  | NoRoom
  | { readonly kind: "none"; readonly cause: CauseId; readonly evidence: string };

const NO_NOTES: readonly PickNote[] = [];

/** Requests were turned away as lately as this. */
const STRAIN_LASTS_MS = 2_000;

/**
 * Made anew with each configuration that changes it. What lasts longer than one configuration is handed on: pools with
 * their addresses, the queues, what was learned and counted. So an exchange that is under way goes on with the service
 * that it began with, and what it learns the next ones know.
 */
export class ServiceRuntime {
  readonly settings: ServiceSettings;
  readonly pools: readonly PoolRuntime[];
  readonly budget: RetryBudget;
  /** By number; null: none has it. Some may be of the configuration before, and are finishing. */
  readonly routes: readonly (RouteRuntime | null)[];
  /** The numbers of the settings' routes, in their order. */
  readonly numbers: readonly number[];
  /** Any of its origins serves under a base path. */
  readonly hasBasePath: boolean;
  /** It has more than one origin and may send to another what failed at the first. */
  readonly repeats: boolean;
  /** When it last turned a request away for lack of room, monotonic ms. */
  shedAt: number;
  /** Null: it is switched off. */
  readonly poison: PoisonWatch | null;
  readonly #core: Core;
  readonly #rooms: readonly Room[];

  /** `before`: the service of this name in the configuration that this one takes the place of. */
  constructor(core: Core, settings: ServiceSettings, before: ServiceRuntime | null = null) {
    this.#core = core;
    this.settings = settings;
    const origins = settings.pools.reduce((sum, pool) => sum + pool.origins.length, 0);
    this.repeats = settings.retry.attemptsMax > 1 && origins > 1;
    this.hasBasePath = settings.pools.some((pool) => pool.origins.some((origin) => origin.basePath !== ""));
    this.budget = before?.budget ?? createRetryBudget();
    this.shedAt = before?.shedAt ?? -Infinity;
    const known = staying(before, settings);
    this.numbers = numberRoutes(
      settings.routes.map(({ name }) => name),
      known.map((route) => route?.settings.name ?? null),
    );
    const byNumber = known.map((route) => route?.settings ?? null);
    settings.routes.forEach((route, index) => (byNumber[this.numbers[index] ?? 0] = route));
    this.pools = settings.pools.map((pool) => {
      const runtime = before?.pools.find(({ name }) => name === pool.name) ?? null;
      if (runtime === null) return new PoolRuntime(core, settings, pool, byNumber);
      runtime.configure(settings, pool, byNumber);
      return runtime;
    });
    for (const pool of before?.pools ?? []) if (!this.pools.includes(pool)) pool.retire();
    this.poison = settings.poison ? this.#watchPoison(before?.poison ?? null) : null;
    const { poison } = this;
    for (const pool of this.pools) {
      pool.silence.onPin =
        poison === null ? null : (address, wait, now) => poison.pinned(address.text, wait.asked(), wait.turnMs, now);
    }
    const places = new Map<string, Place>();
    const routes = [...known];
    settings.routes.forEach((route, index) => {
      const number = this.numbers[index] ?? 0;
      const earlier = known[number] ?? null;
      const key = route.pools.join("\n");
      const place = places.get(key) ?? this.#placeFor(route, before, earlier);
      places.set(key, place);
      routes[number] = routeRuntime(core, settings, route, place, earlier);
    });
    this.routes = routes;
    this.#rooms = [...places.values()].map(({ room }) => room);
    for (const room of this.#rooms) room.configure(this);
    for (const pool of this.pools) pool.onRoom = (now) => this.#roomFreed(now);
  }

  /** Null: none has this number. */
  routeAt(number: number): RouteRuntime | null {
    return this.routes[number] ?? null;
  }

  /** It left the configuration: what is under way is finished, nothing else is kept. */
  retire(): void {
    for (const pool of this.pools) pool.retire();
  }

  /** Why origins are to do with less; empty: all is as it should be. */
  strainAt(routeIndex: number, now: number): string {
    if (!this.settings.reducedMode) return "";
    if (now - Math.max(this.shedAt, this.#core.shedAt) < STRAIN_LASTS_MS)
      return "requests are turned away for lack of room";
    if (this.#core.pressure.level > 0) return this.#core.pressure.because;
    return this.routes[routeIndex]?.choice.strain ?? "";
  }

  /** For each set of pools that routes use. */
  get routePools(): readonly (readonly PoolRuntime[])[] {
    return [...new Set(this.numbers.flatMap((number) => this.routeAt(number)?.choice ?? []))].map(({ pools }) => pools);
  }

  /** Null: no route uses these pools in this order. */
  choiceOf(pools: readonly string[]): PoolChoice | null {
    const isMeant = (choice: PoolChoice): boolean =>
      choice.pools.length === pools.length && choice.pools.every(({ name }, index) => name === pools[index]);
    return this.routes.find((route) => route !== null && isMeant(route.choice))?.choice ?? null;
  }

  /** The choice of the route that takes everything else, which stands last: what is shown for the service. */
  get shown(): PoolChoice {
    const last = this.routeAt(this.numbers[this.numbers.length - 1] ?? -1);
    if (last === null) throw new Error("a service without routes");
    return last.choice;
  }

  #tell(code: DecisionCode, detail: string): void {
    this.#core.book.publish({ kind: "gateway", at: this.#core.clock.wall(), code, detail });
  }

  /**
   * One of these addresses, for a request that no other is to get. An ejected one will do if its checks do not fail:
   * where this request is all that is ever asked for, nothing else would bring it back.
   */
  #upAmong(addresses: readonly string[]): OriginAddress | "none up" | "unknown" {
    const members = this.pools.flatMap((pool) => pool.members.filter(({ text }) => addresses.includes(text)));
    if (members.length === 0) return "unknown";
    const usable = members.find(({ share }) => share > 0);
    return (
      usable ?? members.find(({ health, identity }) => health.kind !== "down" && !isStranger(identity)) ?? "none up"
    );
  }

  /** Null: nothing is hedged. */
  latenessOf(routeIndex: number, now: number): Lateness | null {
    const { hedge } = this.settings;
    const route = this.routes[routeIndex] ?? null;
    if (hedge === null || route === null) return null;
    return (route.lateness ??= new Lateness(hedge, now));
  }

  /** Addresses of the same pool with room for one more: a hedge is not worth what a move to another pool costs. */
  othersInPool(
    poolName: string,
    routeIndex: number,
    tried: readonly OriginAddress[],
    now: number,
  ): readonly OriginAddress[] {
    const pool = this.pools.find(({ name }) => name === poolName);
    if (pool === undefined) return [];
    const avoided = pool.breakers?.avoided(routeIndex, tried) ?? tried;
    return pool.availability.usable.filter((address) => !avoided.includes(address) && address.hasRoom(routeIndex, now));
  }

  /** Addresses with room in a pool that speaks, for a request that waits at one that is silent. */
  elsewhere(
    poolName: string,
    routeIndex: number,
    tried: readonly OriginAddress[],
    now: number,
  ): { readonly addresses: readonly OriginAddress[]; readonly because: string } | null {
    const choice = this.routes[routeIndex]?.choice;
    const silent = choice?.pools.find(({ name }) => name === poolName);
    const other = silent === undefined ? null : (choice?.speaking(silent) ?? null);
    if (silent === undefined || other === null) return null;
    const addresses = this.othersInPool(other.name, routeIndex, tried, now);
    return addresses.length === 0 ? null : { addresses, because: silent.silence.because };
  }

  answersOf(routeIndex: number): AnswerYield {
    const route = this.routes[routeIndex] ?? null;
    if (route === null) throw new Error(NO_ROUTE);
    return (route.answers ??= createAnswerYield());
  }

  /** A request is turned away for lack of room. */
  turnedAway(now: number): void {
    this.shedAt = now;
    for (const pool of this.pools) pool.shedAt = now;
  }

  /** Once for each exchange that an origin has to answer: what the retry budget is a share of. Stored answers are none. */
  asksOrigin(now: number): void {
    countExchange(this.budget, now);
  }

  /** Requests are being turned away, so nothing is repeated or hedged now. */
  isShedding(now: number): boolean {
    if (this.#core.pressure.level > 0) return true;
    for (const { admission } of this.#rooms) if (admission !== null && admission.isStressed(now)) return true;
    return false;
  }

  /** Exchanges that wait for room. */
  get waiting(): number {
    return this.#rooms.reduce((sum, { admission }) => sum + (admission?.waiting ?? 0), 0);
  }

  stop(): void {
    for (const { admission } of this.#rooms) admission?.stop();
    for (const pool of this.pools) pool.stop();
  }

  /** `tried`: addresses that this exchange has used; they are not picked again. */
  pick(
    routeIndex: number,
    tried: readonly OriginAddress[],
    repeatable: boolean,
    now: number,
    method: string = "",
    turn: Turn = "new",
  ): Picked {
    const route = this.routes[routeIndex] ?? null;
    if (route === null) throw new Error(NO_ROUTE);
    const { choice, room } = route;
    if (turn === "new" && room.mustWait(routeIndex, now)) return room.none(routeIndex, now);
    if (tried.length === 0) {
      const address = choice.probation(repeatable, method, now);
      if (address !== null) {
        const reason = `this request tries ${address.text} again after its ejection`;
        return { kind: "address", address, notes: [{ code: "pick.probation", reason }] };
      }
    }
    const chosen = choice.choose(method, now);
    const trial = chosen.breakers?.trial(routeIndex, tried, repeatable, now) ?? null;
    if (trial !== null) {
      const reason = `this request tries its route again at ${trial.text}`;
      return { kind: "address", address: trial, notes: [{ code: "pick.breaker-trial", reason }] };
    }
    const doubted = repeatable ? null : doubtedOf(chosen.availability.usable, now);
    const address = this.#choose(chosen, routeIndex, tried, doubted, now);
    if (address !== null) {
      const roomy = turn === "must" ? address : room.roomy(address, chosen, tried, routeIndex, now);
      // Called, but the room is where this exchange has been: one more than the limit, or it would be called for ever.
      if (roomy === null && turn === "new") return room.none(routeIndex, now);
      if (roomy === null || roomy.poolName === chosen.name) {
        const note = doubted === null ? choice.note : sparedNote(doubted, tried, roomy ?? address, choice.note);
        return { kind: "address", address: roomy ?? address, notes: notesOf(note, chosen) };
      }
      const reason = `${room.limitsInWords(routeIndex, now)}; pool ${roomy.poolName} has room`;
      return { kind: "address", address: roomy, notes: [{ code: "pick.overflow", reason }] };
    }
    for (const pool of choice.pools) {
      if (pool === chosen) continue;
      const other = this.#choose(pool, routeIndex, tried, null, now);
      if (other === null) continue;
      const reason = `pool ${chosen.name} has no origin left for this exchange; pool ${pool.name} has`;
      return { kind: "address", address: other, notes: notesOf({ code: "pick.other-pool", reason }, pool) };
    }
    const lastResort = tried.length === 0 ? null : lastResortOf(choice.pools, tried);
    if (lastResort !== null) {
      const reason = `no usable origin is left for this exchange; ${lastResort.text} is ejected, but its checks do not fail`;
      return { kind: "address", address: lastResort, notes: [{ code: "pick.last-resort", reason }] };
    }
    return this.#nothing(choice.pools);
  }

  /** How many addresses may still be tried; an ejected one counts only when there is nothing else. */
  othersLeft(routeIndex: number, tried: readonly OriginAddress[]): number {
    let count = 0;
    const pools = this.routes[routeIndex]?.choice.pools ?? [];
    for (const pool of pools) {
      for (const address of pool.availability.usable) if (!tried.includes(address)) count += 1;
    }
    if (count > 0) return count;
    return lastResortOf(pools, tried) === null ? 0 : 1;
  }

  #roomFreed(now: number): void {
    for (const { admission } of this.#rooms) if (admission !== null && admission.waiting > 0) admission.serve(now);
  }

  /** `doubted`: those that are to be spared as long as there are others; null: none. */
  #choose(
    pool: PoolRuntime,
    routeIndex: number,
    tried: readonly OriginAddress[],
    doubted: readonly OriginAddress[] | null,
    now: number,
  ): OriginAddress | null {
    const { usable, even } = pool.availability;
    const { chance } = this.#core;
    const avoided = pool.breakers?.avoided(routeIndex, tried) ?? tried;
    if (doubted !== null) {
      const sure = chooseTwo(usable, usable.length, chance(), chance(), now, [...avoided, ...doubted], even);
      if (sure >= 0) return usable[sure] ?? null;
    }
    const index = chooseTwo(usable, usable.length, chance(), chance(), now, avoided, even);
    // Where everybody else was tried, one that fails on the route is better than none.
    if (index < 0 && avoided !== tried) {
      return usable[chooseTwo(usable, usable.length, chance(), chance(), now, tried, even)] ?? null;
    }
    return usable[index] ?? null;
  }

  /** No address at all: names that were never resolved, or everything was tried. One that may still come is waited for. */
  #nothing(pools: readonly PoolRuntime[]): Picked {
    let failed: Picked | null = null;
    for (const pool of pools) {
      for (const origin of pool.origins) {
        if (origin.addresses.length > 0) continue;
        const failure = origin.resolution?.failure ?? null;
        if (failure === null) return { kind: "ask", ask: (done) => pool.ask(origin, done) };
        failed ??= {
          kind: "none",
          cause: failure.cause,
          evidence: `${origin.settings.host} could not be resolved (${failure.code}) and ${origin.resolution?.addresses.length === 0 ? "no earlier answer is known" : "the last good answer is too old (dns.keep)"}`,
        };
      }
    }
    const foreign = pools.flatMap((pool) => pool.members).find(({ identity }) => identity.kind === "foreign");
    if (failed === null && foreign !== undefined && foreign.identity.kind === "foreign") {
      return { kind: "none", cause: "dns.wrong_tenant", evidence: `${foreign.text}: ${foreign.identity.because}` };
    }
    return (
      failed ?? {
        kind: "none",
        cause: "origin.all_unhealthy",
        evidence: "no origin of the route's pools can be picked",
      }
    );
  }

  #watchPoison(before: PoisonWatch | null): PoisonWatch {
    const tell = (detail: string): void => this.#tell("poison.refused", detail);
    const find = (addresses: readonly string[]): ReturnType<FindAmong> => this.#upAmong(addresses);
    if (before === null) return new PoisonWatch(this.settings.name, this.#core.siblings, tell, find);
    before.tell = tell;
    before.find = find;
    return before;
  }

  /** The one that routes with these pools had before, and whoever waits there goes on waiting; otherwise a new one. */
  #placeFor(route: RouteSettings, before: ServiceRuntime | null, known: RouteRuntime | null): Place {
    const { settings } = this;
    const pools = route.pools.flatMap((name) => this.pools.filter((pool) => pool.name === name));
    const configured = route.pools.flatMap((name) => settings.pools.filter((pool) => pool.name === name));
    const same = before?.routes.find(
      (one) =>
        one !== null &&
        one.choice.pools.length === pools.length &&
        one.choice.pools.every((pool, index) => pool === pools[index]),
    );
    if (same !== undefined && same !== null) {
      same.choice.configure(settings, configured);
      return same;
    }
    const choice = new PoolChoice(this.#core, settings, pools, configured, known?.choice ?? null);
    return { choice, room: new Room(this.#core, this, choice) };
  }
}

/** `other`: what is to be said anyway, which comes first. */
function sparedNote(
  doubted: readonly OriginAddress[],
  tried: readonly OriginAddress[],
  picked: OriginAddress,
  other: PickNote | null,
): PickNote | null {
  const spared = doubted.filter((address) => !tried.includes(address));
  if (other !== null || spared.length === 0 || spared.includes(picked)) return other;
  const names = spared.map(({ text }) => text).join(", ");
  return { code: "pick.spared", reason: `it may not be sent twice, and the last request to ${names} got no answer` };
}

const NO_ROUTE = "no route of the service has this number";

/** Those that are configured still, and those that are gone and have attempts which wait for an answer. */
function staying(before: ServiceRuntime | null, { routes }: ServiceSettings): (RouteRuntime | null)[] {
  const names = new Set(routes.map(({ name }) => name));
  return (before?.routes ?? []).map((route) =>
    route !== null && (names.has(route.settings.name) || route.counters.held > 0) ? route : null,
  );
}

/**
 * An ejected origin whose checks do not fail. Ejection spares exchanges a likely failure; one that has nothing else
 * left has nothing to lose by it.
 */
function lastResortOf(pools: readonly PoolRuntime[], tried: readonly OriginAddress[]): OriginAddress | null {
  for (const pool of pools) {
    for (const address of pool.members) {
      if (isStranger(address.identity) || address.drain !== null) continue;
      if (address.share === 0 && address.health.kind !== "down" && !tried.includes(address)) return address;
    }
  }
  return null;
}

/** Every exchange that a pool serves although it fails says so, whatever brought it there. */
function notesOf(note: PickNote | null, pool: PoolRuntime): readonly PickNote[] {
  const { availability } = pool;
  switch (availability.code) {
    case "available.fail-open.held":
    case "available.fail-open.checks":
    case "available.fail-open.all": {
      pool.servedOpen();
      const open = { code: availability.code, reason: availability.because };
      return note === null ? [open] : [note, open];
    }
    case "available.normal":
    case "available.unidentified":
    case "available.drained":
    case "available.empty":
      return note === null ? NO_NOTES : [note];
  }
}
