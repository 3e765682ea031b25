/**
 * The breakers of one pool at work (policies/breaker.ts): hears what came of each attempt before ejection does, says
 * whose fault a failure was, and which addresses a route is kept from. While nothing fails it is one comparison.
 */
import type { EjectionSettings, ServiceSettings } from "../config/settings.ts";
import { trialOf } from "../contract/news-keys.ts";
import type { News } from "../contract/shared-knowledge.ts";
import type { DecisionCode } from "../kernel/decisions.ts";
import {
  beginTrial,
  breakerFailed,
  breakerSucceeded,
  breakerUnproven,
  createRouteBreakers,
  hearBreaker,
  isCalm,
  isOpen,
  isTrialDue,
} from "../policies/breaker.ts";
import type { HeardBreaker } from "../policies/breaker.ts";
import type { TrafficOutcome } from "../policies/ejection.ts";
import { countAt } from "../policies/sliding-count.ts";
import type { Core } from "./core.ts";
import type { OriginAddress } from "./origin-address.ts";
import { placeOf } from "./place-of.ts";
import type { RoutesByNumber } from "./route-numbers.ts";

interface PoolOf {
  readonly name: string;
  readonly members: readonly OriginAddress[];
}

/** Requests that cannot be repeated are spared a trial for this long after it is due. */
const REPEATABLE_FIRST_MS = 5_000;

export class PoolBreakers {
  readonly #core: Core;
  readonly #service: string;
  #ejection: EjectionSettings;
  #routes: RoutesByNumber;
  readonly #pool: PoolOf;
  #open = 0;

  constructor(
    core: Core,
    { name, ejection }: Pick<ServiceSettings, "name" | "ejection">,
    routes: RoutesByNumber,
    pool: PoolOf,
  ) {
    this.#core = core;
    this.#service = name;
    this.#ejection = ejection;
    this.#routes = routes;
    this.#pool = pool;
  }

  /** `#count` comes again: what was known of routes that are gone has been forgotten. */
  configure(ejection: EjectionSettings, routes: RoutesByNumber): void {
    this.#ejection = ejection;
    this.#routes = routes;
    this.#count();
  }

  /** Open pairs of address and route; usually none. */
  get open(): number {
    return this.#open;
  }

  /** Of the failure that was judged last: whether it makes its origin a slow one, too. */
  penalised = true;

  /** What the attempt says about the origin as a whole: what belongs to the route alone says nothing. */
  judge(address: OriginAddress, outcome: TrafficOutcome, route: number, now: number): TrafficOutcome {
    const { breakers } = address;
    switch (outcome) {
      case "success":
        if (breakers === null) return outcome;
        if (breakerSucceeded(breakers, route, now))
          this.#changed(address, route, "breaker.closed", "a request succeeded", now);
        else if (isCalm(this.#ejection, breakers, now)) {
          address.breakers = null;
          this.#count();
        }
        return outcome;
      case "ignore":
        if (breakers !== null) {
          breakerUnproven(breakers, route, now);
          this.#turnOver(address, route);
        }
        return outcome;
      case "failure":
        return this.#failed(address, route, now);
      case "refused":
        return this.#failed(address, route, now) === "failure" ? outcome : "ignore";
    }
  }

  /** `tried`, and those that the route is kept from. */
  avoided(route: number, tried: readonly OriginAddress[]): readonly OriginAddress[] {
    if (this.#open === 0) return tried;
    const open = this.#pool.members.filter((address) => isOpen(address.breakers, route) && !tried.includes(address));
    return open.length === 0 ? tried : [...tried, ...open];
  }

  /** For people: which routes the address is spared, and why; empty: none. */
  inWords({ breakers }: OriginAddress): string {
    if (breakers === null) return "";
    const open = this.#routes.flatMap((settings, route) =>
      settings !== null && isOpen(breakers, route)
        ? [`route ${settings.name} is kept from it: ${breakers.routes[route]?.because ?? ""}`]
        : [],
    );
    return open.join("; ");
  }

  /** The address whose turn it is to be tried again by this one request of the route, or null. */
  trial(route: number, tried: readonly OriginAddress[], repeatable: boolean, now: number): OriginAddress | null {
    if (this.#open === 0 || tried.length > 0) return null;
    const dueAt = repeatable ? now : now - REPEATABLE_FIRST_MS;
    for (const address of this.#pool.members) {
      if (address.breakers === null || address.share <= 0 || !isTrialDue(address.breakers, route, dueAt)) continue;
      const { siblings } = this.#core;
      if (siblings !== null && !siblings.mayTry(this.#turnOf(address, route))) continue;
      beginTrial(address.breakers, route, now);
      this.#tellSiblings(address, route, now);
      return address;
    }
    return null;
  }

  /** Another worker opened, tries or closed it. */
  hear(address: OriginAddress, routeName: string, heard: HeardBreaker, now: number): void {
    const ejection = this.#ejection;
    const route = this.#routes.findIndex((settings) => settings?.name === routeName);
    if (route < 0) return;
    address.breakers ??= createRouteBreakers(ejection, this.#routes.length, knownOf(address, now), now);
    hearBreaker(ejection, address.breakers, route, heard, now);
    this.#count();
  }

  /** All that are open, for a process that begins later. */
  *known(now: number): Generator<News> {
    for (const address of this.#pool.members) {
      for (let route = 0; route < this.#routes.length; route += 1) {
        const news = this.#newsOf(address, route, now);
        if (news !== null && news.phase !== "closed") yield news;
      }
    }
  }

  #failed(address: OriginAddress, route: number, now: number): TrafficOutcome {
    const ejection = this.#ejection;
    const routes = this.#routes.length;
    const breakers = (address.breakers ??= createRouteBreakers(ejection, routes, knownOf(address, now), now));
    const peers = this.#pool.members.flatMap((peer) => (peer === address || peer.share <= 0 ? [] : [peer.breakers]));
    const { blame, othersWork, change } = breakerFailed(ejection, breakers, route, peers, this.#core.chance(), now);
    this.penalised = !othersWork;
    if (change !== null) this.#changed(address, route, change.code, change.because, now);
    return blame === "origin" ? "failure" : "ignore";
  }

  #turnOf(address: OriginAddress, route: number): string {
    return trialOf(placeOf(this.#service, this.#pool.name, address), this.#routes[route]?.name ?? "");
  }

  #turnOver(address: OriginAddress, route: number): void {
    const { siblings } = this.#core;
    if (siblings !== null) siblings.turnOver(this.#turnOf(address, route));
  }

  #tellSiblings(address: OriginAddress, route: number, now: number): void {
    const { siblings } = this.#core;
    const news = siblings === null ? null : this.#newsOf(address, route, now);
    if (news !== null) siblings?.tell(news);
  }

  #newsOf(address: OriginAddress, route: number, now: number): Extract<News, { kind: "breaker" }> | null {
    const breaker = address.breakers?.routes[route] ?? null;
    if (breaker === null) return null;
    const { phase, times, because } = breaker;
    const isClosed = phase.kind === "closed";
    return {
      kind: "breaker",
      at: placeOf(this.#service, this.#pool.name, address),
      route: this.#routes[route]?.name ?? "",
      phase: phase.kind,
      agoMs: isClosed ? 0 : now - phase.since,
      forMs: isClosed ? 0 : phase.until - phase.since,
      times,
      because,
    };
  }

  #changed(address: OriginAddress, route: number, code: DecisionCode, because: string, now: number): void {
    this.#count();
    this.#tellSiblings(address, route, now);
    this.#turnOver(address, route);
    const name = this.#routes[route]?.name ?? "";
    const detail = `route ${name} at ${address.text} of pool ${this.#pool.name}: ${because}`;
    this.#core.book.publish({ kind: "gateway", at: this.#core.clock.wall(), code, detail });
  }

  #count(): void {
    const { length } = this.#routes;
    this.#open = 0;
    for (const { breakers } of this.#pool.members) {
      for (let route = 0; route < length; route += 1) if (isOpen(breakers, route)) this.#open += 1;
    }
  }
}

function knownOf({ ejection }: OriginAddress, now: number): { succeeded: number; failed: number } {
  return { succeeded: countAt(ejection.successes, now), failed: countAt(ejection.failures, now) };
}
