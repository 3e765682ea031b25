/**
 * One route at work: what it may do, and where what is counted and learned of it lies. Made anew with each
 * configuration; counters, limits and what was learned go on from the route of the same name before it.
 */
import type { RateLimitSettings, RouteSettings, ServiceSettings } from "../config/settings.ts";
import type { AnswerYield } from "../policies/answer-worth-retrying.ts";
import { rateName } from "../contract/rate-names.ts";
import type { RouteCache } from "./cache/response-cache.ts";
import type { Core } from "./core.ts";
import type { Lateness } from "./lateness.ts";
import type { PoolChoice } from "./pool-choice.ts";
import { RouteLimits } from "./rate-limits.ts";
import type { Room } from "./room.ts";
import type { SharedLimit } from "./shared-rates.ts";
import { staticFallback } from "./static-fallback.ts";
import type { StaticFallback } from "./static-fallback.ts";
import type { RouteCounters } from "./telemetry.ts";

/** Its pools, and the room at them; routes with the same pools share one. */
export interface Place {
  readonly choice: PoolChoice;
  readonly room: Room;
}

export interface RouteRuntime extends Place {
  readonly settings: RouteSettings;
  readonly counters: RouteCounters;
  /** How many of its requests may wait for an answer at once. */
  readonly bulkhead: number;
  /** Null: it has none. */
  readonly limits: RouteLimits | null;
  /** Null: nothing is cached there. */
  readonly cache: RouteCache | null;
  /** Null: it has none. */
  readonly fallback: StaticFallback | null;
  /** What repeats because of a 5xx have brought; null: there were none. */
  answers: AnswerYield | null;
  /** When an answer is late; null: nothing is known yet. */
  lateness: Lateness | null;
}

/** Null: this gateway keeps it alone. */
function sharedLimit({ rates, limits }: Core, name: string, limit: RateLimitSettings): SharedLimit | null {
  return rates?.limit(name, limit, limit.per === "route" ? 1 : limits.rateLimitKeysMax) ?? null;
}

export function routeRuntime(
  core: Core,
  service: ServiceSettings,
  settings: RouteSettings,
  { choice, room }: Place,
  before: RouteRuntime | null,
): RouteRuntime {
  const { name, rateLimits, cache, fallback, concurrency } = settings;
  const { rateLimitKeysMax } = core.limits;
  const lateness = before?.lateness ?? null;
  if (service.hedge !== null) lateness?.configure(service.hedge);
  return {
    settings,
    counters: core.telemetry.ofRoute(service.name, name),
    bulkhead: concurrency > 0 ? concurrency : core.routeShare,
    limits:
      rateLimits.length === 0
        ? null
        : new RouteLimits(rateLimits, rateLimitKeysMax, core.hashKey, before?.limits ?? null, (limit) =>
            sharedLimit(core, rateName(service.name, name, limit), limit),
          ),
    cache: core.cache.route(service.name, name, cache),
    fallback: staticFallback(fallback, core.fallbackFiles),
    choice,
    room,
    answers: before?.answers ?? null,
    lateness: service.hedge === null ? null : lateness,
  };
}
