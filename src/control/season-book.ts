/**
 * What is usual at this hour, of each service and of its routes: who learns it, and what they are held to now. Of origins nothing is
 * learned: they come and go within days. They are held to what is usual for their service.
 *
 * Bounded: the first services and routes that are told of have a season, and those beyond are watched without one. A season
 * needs about 20 KB, and at most 8 KB in the store.
 */
import type { TopologyFact } from "../contract/facts.ts";
import { createSeason, expectedAt, learnSecond, restoreSeason, saveSeason } from "./seasonal.ts";
import type { Expected, SavedSeason, Season, Second } from "./seasonal.ts";

/** Null: not known of this hour. */
export interface ThisHour {
  readonly perSecond: Expected | null;
  readonly failed: Expected | null;
  readonly rescued: Expected | null;
  /** Part of attempts that fail, at least: what it comes to in answers to clients. */
  readonly attempts: Expected | null;
  /** µs. */
  readonly p95: Expected | null;
}

interface Entry {
  readonly season: Season;
  /** Which ten minutes `thisHour` is of. */
  stretch: number;
  thisHour: ThisHour;
}

export type SavedSeasons = readonly (readonly [service: string, route: string | null, season: SavedSeason])[];

/** With margins at both ends of the hour (seasonal.ts), what is expected changes every ten minutes at most. */
const STRETCH_MS = 600_000;
const SERVICES_MAX = 200;
const ROUTES_MAX = 200;
const NOT_KNOWN: ThisHour = { perSecond: null, failed: null, rescued: null, attempts: null, p95: null };

export class SeasonBook {
  readonly #services = new Map<string, Entry>();
  readonly #routes = new Map<string, Map<string, Entry>>();
  #routeCount = 0;

  /** `route` null: of the service as a whole. Learns the second, and says what it is held to. */
  second(service: string, route: string | null, at: number, second: Second): ThisHour {
    const entry = this.#find(service, route) ?? this.#create(service, route);
    if (entry === null) return NOT_KNOWN;
    learnSecond(entry.season, at, second);
    const stretch = Math.floor(at / STRETCH_MS);
    if (stretch !== entry.stretch) {
      entry.stretch = stretch;
      entry.thisHour = thisHourOf(entry.season, at);
    }
    return entry.thisHour;
  }

  /** As of the last second that was told. */
  thisHour(service: string, route: string | null): ThisHour {
    return this.#find(service, route)?.thisHour ?? NOT_KNOWN;
  }

  forgetWhatLeft(services: TopologyFact["services"]): void {
    for (const service of this.#services.keys())
      if (!services.some(({ name }) => name === service)) this.#services.delete(service);
    for (const [service, routes] of this.#routes) {
      const there = services.find(({ name }) => name === service)?.routes;
      for (const route of routes.keys()) {
        if (there?.some(({ name }) => name === route) === true) continue;
        routes.delete(route);
        this.#routeCount -= 1;
      }
      if (routes.size === 0) this.#routes.delete(service);
    }
  }

  save(): SavedSeasons {
    const saved: [string, string | null, SavedSeason][] = [];
    for (const [service, { season }] of this.#services) saved.push([service, null, saveSeason(season)]);
    for (const [service, routes] of this.#routes)
      for (const [route, { season }] of routes) saved.push([service, route, saveSeason(season)]);
    return saved;
  }

  restore(saved: SavedSeasons): void {
    for (const [service, route, season] of saved) this.#create(service, route, restoreSeason(season));
  }

  #find(service: string, route: string | null): Entry | null {
    return (route === null ? this.#services.get(service) : this.#routes.get(service)?.get(route)) ?? null;
  }

  #create(service: string, route: string | null, season: Season = createSeason()): Entry | null {
    if (route === null ? this.#services.size >= SERVICES_MAX : this.#routeCount >= ROUTES_MAX) return null;
    const entry: Entry = { season, stretch: -1, thisHour: NOT_KNOWN };
    if (route === null) this.#services.set(service, entry);
    else {
      const routes = this.#routes.get(service) ?? new Map<string, Entry>();
      this.#routes.set(service, routes.set(route, entry));
      this.#routeCount += 1;
    }
    return entry;
  }
}

function thisHourOf(season: Season, at: number): ThisHour {
  const failed = expectedAt(season.failed, at);
  const rescued = expectedAt(season.rescued, at);
  return {
    perSecond: expectedAt(season.perSecond, at),
    failed,
    rescued,
    attempts:
      failed === null || rescued === null ? null : { low: 0, usual: failed.usual + rescued.usual, high: Infinity },
    p95: expectedAt(season.p95, at),
  };
}
