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
import { POOL_PREFERENCE_DEFAULTS, createPoolPreference, preferPool } from "../policies/pool-preference.ts";
import type { PoolPreferenceState, PoolVerdict } from "../policies/pool-preference.ts";
import { countExchange, createRetryBudget } from "../policies/retry-budget.ts";
import type { RetryBudget } from "../policies/retry-budget.ts";
import type { Core } from "./core.ts";
import type { OriginAddress } from "./origin-address.ts";
import { PoolRuntime } from "./pool-runtime.ts";
import { RouteLimits } from "./rate-limits.ts";
import { RouteCounters } from "./telemetry.ts";

export type Picked =
  | {
      readonly kind: "address";
      readonly address: OriginAddress;
      readonly note: { readonly code: DecisionCode; readonly reason: string } | null;
    }
  /** A name has not been resolved yet: `ask` calls back when it has. */
  | { readonly kind: "ask"; readonly ask: (done: () => void) => void }
  | { readonly kind: "none"; readonly cause: CauseId; readonly evidence: string };

/** How often the pool in use is thought about while nothing happens. */
const PREFERENCE_LOOK_MS = 250;

export class ServiceRuntime {
  readonly settings: ServiceSettings;
  readonly pools: readonly PoolRuntime[];
  readonly budget: RetryBudget = createRetryBudget();
  readonly counters: readonly RouteCounters[];
  /** Any of its origins serves under a base path. */
  readonly hasBasePath: boolean;
  /** It has more than one origin and may send to another what failed at the first. */
  readonly repeats: boolean;
  /** When it last turned a request away for lack of room, monotonic ms. */
  shedAt = -Infinity;
  readonly #core: Core;
  readonly #limits: readonly (RouteLimits | null)[];
  /** What repeats because of a 5xx have brought, by route; null: there were none. */
  readonly #answers: (AnswerYield | null)[];
  /** For each route the pools it uses and which of them is in use; routes with the same pools share one. */
  readonly #preferences: readonly Preference[];

  constructor(core: Core, settings: ServiceSettings) {
    this.#core = core;
    this.settings = settings;
    const origins = settings.pools.reduce((sum, pool) => sum + pool.origins.length, 0);
    this.repeats = settings.retry.attemptsMax > 1 && origins > 1;
    this.hasBasePath = settings.pools.some((pool) => pool.origins.some((origin) => origin.basePath !== ""));
    this.pools = settings.pools.map((pool) => new PoolRuntime(core, settings, pool));
    this.#answers = settings.routes.map(() => null);
    this.counters = settings.routes.map((route) => new RouteCounters(settings.name, route.name));
    this.#limits = settings.routes.map((route) =>
      route.rateLimits.length === 0
        ? null
        : new RouteLimits(route.rateLimits, core.limits.rateLimitKeysMax, core.hashKey),
    );
    const shared = new Map<string, Preference>();
    this.#preferences = settings.routes.map((route) => {
      const key = route.pools.join("\n");
      const preference = shared.get(key) ?? new Preference(core, settings.name, this.#poolsOf(route));
      shared.set(key, preference);
      return preference;
    });
  }

  /** Null: the route has none. */
  limitsOf(routeIndex: number): RouteLimits | null {
    return this.#limits[routeIndex] ?? null;
  }

  countersOf(routeIndex: number): RouteCounters | null {
    return this.counters[routeIndex] ?? null;
  }

  /** The pool that new exchanges go to by the route that takes everything else, which stands last. */
  get poolInUse(): PoolRuntime {
    return this.#last.settle(this.#core.clock.monotonic());
  }

  /** Why that one. */
  get preferenceBecause(): string {
    return this.#last.verdict?.because ?? "it is the only pool";
  }

  get #last(): Preference {
    const last = this.#preferences[this.#preferences.length - 1];
    if (last === undefined) throw new Error("a service without routes");
    return last;
  }

  answersOf(routeIndex: number): AnswerYield {
    return (this.#answers[routeIndex] ??= createAnswerYield());
  }

  /** Once for each exchange: what the retry budget is a share of. */
  admitted(now: number): void {
    countExchange(this.budget, now);
  }

  /** `tried`: addresses that this exchange has used; they are not picked again. */
  pick(routeIndex: number, tried: readonly OriginAddress[], repeatable: boolean, now: number): Picked {
    const preference = this.#preferences[routeIndex];
    if (preference === undefined) throw new Error("a route without pools");
    if (tried.length === 0) {
      const probation = preference.probation(repeatable, now);
      if (probation !== null) {
        return {
          kind: "address",
          address: probation,
          note: { code: "pick.probation", reason: `this request tries ${probation.text} again after its ejection` },
        };
      }
    }
    const inUse = preference.settle(now);
    const address = this.#choose(inUse, tried, now);
    if (address !== null) return { kind: "address", address, note: noteOf(inUse) };
    for (const pool of preference.pools) {
      if (pool === inUse) continue;
      const other = this.#choose(pool, tried, now);
      if (other !== null) {
        return {
          kind: "address",
          address: other,
          note: {
            code: "pick.other-pool",
            reason: `pool ${inUse.name} has no origin left for this exchange; pool ${pool.name} has`,
          },
        };
      }
    }
    const lastResort = tried.length === 0 ? null : lastResortOf(preference.pools, tried);
    if (lastResort !== null) {
      return {
        kind: "address",
        address: lastResort,
        note: {
          code: "pick.last-resort",
          reason: `no usable origin is left for this exchange; ${lastResort.text} is ejected, but its checks do not fail`,
        },
      };
    }
    return this.#nothing(preference.pools);
  }

  /** How many addresses may still be tried; an ejected one counts only when there is nothing else. */
  othersLeft(routeIndex: number, tried: readonly OriginAddress[]): number {
    let count = 0;
    for (const pool of this.#preferences[routeIndex]?.pools ?? []) {
      for (const address of pool.availability.usable) if (!tried.includes(address)) count += 1;
    }
    if (count > 0) return count;
    return lastResortOf(this.#preferences[routeIndex]?.pools ?? [], tried) === null ? 0 : 1;
  }

  #choose(pool: PoolRuntime, tried: readonly OriginAddress[], now: number): OriginAddress | null {
    const { usable, even } = pool.availability;
    const { chance } = this.#core;
    const index = chooseTwo(usable, usable.length, chance(), chance(), now, tried, even);
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
          evidence: `${origin.settings.host} could not be resolved (${failure.code}) and no earlier answer is known`,
        };
      }
    }
    return (
      failed ?? {
        kind: "none",
        cause: "origin.all_unhealthy",
        evidence: "no origin of the route's pools can be picked",
      }
    );
  }

  #poolsOf(route: RouteSettings): PoolRuntime[] {
    return route.pools.flatMap((name) => this.pools.filter((pool) => pool.name === name));
  }
}

/**
 * An ejected origin whose checks do not fail. Ejection spares exchanges a likely failure; one that has nothing else
 * left has nothing to lose by it.
 */
function lastResortOf(pools: readonly PoolRuntime[], tried: readonly OriginAddress[]): OriginAddress | null {
  for (const pool of pools) {
    for (const address of pool.members) {
      if (address.share === 0 && address.health.kind !== "down" && !tried.includes(address)) return address;
    }
  }
  return null;
}

function noteOf(pool: PoolRuntime): { code: DecisionCode; reason: string } | null {
  const { availability } = pool;
  switch (availability.code) {
    case "available.fail-open.held":
    case "available.fail-open.checks":
    case "available.fail-open.all":
      return { code: availability.code, reason: availability.because };
    case "available.normal":
    case "available.empty":
      return null;
  }
}

/** Which of some pools is in use. */
class Preference {
  readonly pools: readonly PoolRuntime[];
  verdict: PoolVerdict | null = null;
  readonly #core: Core;
  readonly #service: string;
  #state: PoolPreferenceState;
  #lookAt = 0;

  constructor(core: Core, service: string, pools: readonly PoolRuntime[]) {
    this.#core = core;
    this.#service = service;
    this.pools = pools;
    this.#state = createPoolPreference(core.clock.monotonic());
  }

  /** An ejected address that is due, in the pool in use or in one preferred to it: so they come back. */
  probation(repeatable: boolean, now: number): OriginAddress | null {
    for (let index = 0; index <= this.#state.pool; index += 1) {
      const pool = this.pools[index];
      if (pool === undefined || pool.availability.probationAt < 0) continue;
      const address = pool.probation(repeatable, now);
      if (address !== null) return address;
    }
    return null;
  }

  settle(now: number): PoolRuntime {
    const { pools } = this;
    const first = pools[0];
    if (first === undefined) throw new Error("a route without pools");
    if (pools.length === 1) {
      first.settle(now);
      return first;
    }
    // Thought about now and then, and at once when what is in use has nothing live.
    const current = pools[this.#state.pool] ?? first;
    current.settle(now);
    if (now >= this.#lookAt || current.availability.liveShare <= 0) this.#look(now);
    return pools[this.#state.pool] ?? first;
  }

  #look(now: number): void {
    this.#lookAt = now + PREFERENCE_LOOK_MS;
    for (const pool of this.pools) pool.settle(now);
    const before = this.#state.pool;
    const capacities = this.pools.map((pool) => ({ name: pool.name, liveShare: pool.availability.liveShare }));
    const { state, verdict } = preferPool(POOL_PREFERENCE_DEFAULTS, this.#state, capacities, now);
    this.#state = state;
    this.verdict = verdict;
    if (state.pool === before) return;
    this.#core.book.publish({
      kind: "pool",
      at: this.#core.clock.wall(),
      service: this.#service,
      from: this.pools[before]?.name ?? "",
      to: this.pools[state.pool]?.name ?? "",
      because: verdict.because,
    });
  }
}
