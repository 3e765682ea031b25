/**
 * Room at the origins: whether one more exchange of a route may go to the pools that it uses, which address has room,
 * and where it waits when none has. Two bounds come together here: what each address can take (learned, in
 * policies/adaptive-limit.ts) and how much of the gateway one route may have.
 */
import type { OverloadSettings, RouteSettings, ServiceSettings } from "../config/settings.ts";
import { addOutlook, NO_OUTLOOK } from "../policies/limit-foresight.ts";
import { beginGently } from "../policies/limit-state.ts";
import { limitNow } from "../policies/adaptive-limit.ts";
import type { Outlook } from "../policies/limit-foresight.ts";
import { countAt } from "../policies/sliding-count.ts";
import type { RetryBudget } from "../policies/retry-budget.ts";
import { Admission, rankOf } from "./admission.ts";
import type { Core } from "./core.ts";
import type { OriginAddress } from "./origin-address.ts";
import type { PoolChoice } from "./pool-choice.ts";
import type { PoolRuntime } from "./pool-runtime.ts";
import type { RouteCounters } from "./telemetry.ts";

/**
 * `new`: it waits when there is no room, or when somebody waits who goes before it. `called`: it has waited, and it is
 * its turn. `must`: its client has a part of the answer already, so it goes with room or without.
 */
export type Turn = "new" | "called" | "must";

/** Every usable address has as many requests as it can take. */
export interface NoRoom {
  readonly kind: "full";
  /** Where to wait; null: nobody waits. */
  readonly admission: Admission | null;
  readonly evidence: string;
}

/** A route as far as room is concerned. */
interface RoomUser {
  readonly settings: RouteSettings;
  readonly counters: RouteCounters;
  /** How many of its requests may wait for an answer at once. */
  readonly bulkhead: number;
}

/** The service whose routes come for room, as it is configured now. */
export interface RoomOf {
  readonly settings: ServiceSettings;
  readonly budget: RetryBudget;
  /** Null: no route has this number. */
  routeAt(number: number): RoomUser | null;
}

/** The part of what the gateway can take that one of several routes may have, unless it says otherwise. */
const ROUTE_SHARE = 0.75;

/** Of a gateway with so many routes. */
export function routeShare(routeCount: number, connectionsMax: number): number {
  return routeCount > 1 ? Math.ceil(connectionsMax * ROUTE_SHARE) : Infinity;
}

const NOBODY: readonly OriginAddress[] = [];

export class Room {
  /** Null: nobody waits. */
  admission: Admission | null = null;
  readonly #core: Core;
  readonly #choice: PoolChoice;
  #service: RoomOf;

  constructor(core: Core, service: RoomOf, choice: PoolChoice) {
    this.#core = core;
    this.#choice = choice;
    this.#service = service;
  }

  /** The service is configured as it says from now on. Whoever waits goes on waiting where he does. */
  configure(service: RoomOf): void {
    this.#service = service;
    const { overload } = service.settings;
    if (overload === null) this.admission = null;
    else if (this.admission === null) this.admission = this.#openAdmission(overload);
    else this.admission.configure(overload);
  }

  #openAdmission(overload: OverloadSettings): Admission {
    const { chance, every, clock } = this.#core;
    return new Admission(overload, {
      chance,
      every,
      now: () => clock.monotonic(),
      hasRoom: (route, now) => this.#isWithinBulkhead(route) && this.#anywhere(NOBODY, route, now) !== null,
      isCongested: (route, now) => this.#isCongested(route, now),
      outlook: (now) => this.#outlook(now),
      limitsInWords: (route, now) => this.limitsInWords(route, now),
      servedPerSecond: (now) => countAt(this.#service.budget.exchanges, now) / 10,
    });
  }

  /** Its route has as many as it may, or somebody waits who would have to go first. */
  mustWait(route: number, now: number): boolean {
    if (!this.#isWithinBulkhead(route)) return true;
    const { admission } = this;
    if (admission === null || admission.waiting === 0) return false;
    const settings = this.#service.routeAt(route)?.settings ?? null;
    return settings !== null && admission.isTaken(rankOf(settings, false), now);
  }

  /** The one that was picked when it has room, otherwise another of its pool or of those in use; null: there is none. */
  roomy(
    picked: OriginAddress,
    pool: PoolRuntime,
    tried: readonly OriginAddress[],
    route: number,
    now: number,
  ): OriginAddress | null {
    if (picked.hasRoom(route, now)) return picked;
    return roomiestOf(pool, tried, route, now) ?? this.#anywhere(tried, route, now);
  }

  none(route: number, now: number): NoRoom {
    return { kind: "full", admission: this.admission, evidence: this.limitsInWords(route, now) };
  }

  limitsInWords(route: number, now: number): string {
    if (!this.#isWithinBulkhead(route)) {
      const name = this.#service.routeAt(route)?.settings.name ?? "";
      return `${this.#service.routeAt(route)?.bulkhead} requests of the route ${name} wait for an answer, and no more may`;
    }
    const { name, availability } = this.#choice.settle(now);
    const held = availability.usable.reduce((sum, address) => sum + (address.limit?.held ?? 0), 0);
    const limit = availability.usable.reduce(
      (sum, address) => sum + (address.limit === null ? 0 : limitNow(address.limit)),
      0,
    );
    return `the origins of pool ${name} have ${held} requests to answer and can take ${limit} at once`;
  }

  #isWithinBulkhead(route: number): boolean {
    const known = this.#service.routeAt(route);
    return known === null || known.counters.held < known.bulkhead;
  }

  /**
   * In the pools that get traffic now; and where these are late with what they have, in the next ones, each as far as its
   * own limits go. A burst that the first pool is about to answer stays where it is.
   */
  #anywhere(tried: readonly OriginAddress[], route: number, now: number): OriginAddress | null {
    const first = this.#choice.settle(now);
    const address = roomiestOf(first, tried, route, now);
    if (address !== null) return address;
    for (const pool of this.#choice.pools) {
      if (pool === first || this.#choice.shareOf(pool) <= 0) continue;
      const other = roomiestOf(pool, tried, route, now);
      if (other !== null) return other;
    }
    return this.#choice.pools.length > 1 && isLate(first, route, now) ? this.#inReserve(tried, route, now) : null;
  }

  /** In the pools that get no traffic now, in their order. */
  #inReserve(tried: readonly OriginAddress[], route: number, now: number): OriginAddress | null {
    for (const pool of this.#choice.pools) {
      if (this.#choice.shareOf(pool) > 0) continue;
      pool.settle(now);
      for (const { limit } of pool.availability.usable) if (limit !== null) beginGently(limit);
      const other = pool.availability.liveShare > 0 ? roomiestOf(pool, tried, route, now) : null;
      if (other !== null) return other;
    }
    return null;
  }

  /** Of all that may get what waits here: the pool in use, and those that take what it is late with. */
  #outlook(now: number): Outlook {
    const first = this.#choice.settle(now);
    const outlook = { perSecond: 0, ahead: 0 };
    for (const pool of this.#choice.pools) {
      if (pool !== first && pool.availability.liveShare <= 0) continue;
      for (const { limit } of pool.availability.usable) {
        if (limit === null || !addOutlook(limit, outlook)) return NO_OUTLOOK;
      }
    }
    return outlook.perSecond > 0 ? outlook : NO_OUTLOOK;
  }

  #isCongested(route: number, now: number): boolean {
    if (!this.#isWithinBulkhead(route)) return true;
    return isLate(this.#choice.settle(now), route, now);
  }
}

/** All that may be used there are late rather than busy for a moment. */
function isLate({ availability }: PoolRuntime, route: number, now: number): boolean {
  return availability.usable.every((address) => address.isCongested(route, now));
}

/**
 * The one with the least to do of those that have room and serve the route. Ones that fail on it count only where no
 * other is left, as for who is picked.
 */
function roomiestOf(
  { availability, breakers }: PoolRuntime,
  tried: readonly OriginAddress[],
  route: number,
  now: number,
): OriginAddress | null {
  const { usable } = availability;
  let left = breakers?.avoided(route, tried) ?? tried;
  if (left !== tried && usable.every((address) => left.includes(address))) left = tried;
  let best: OriginAddress | null = null;
  for (const address of usable) {
    if (!address.hasRoom(route, now) || left.includes(address)) continue;
    if (best === null || (address.limit?.held ?? 0) < (best.limit?.held ?? 0)) best = address;
  }
  return best;
}
