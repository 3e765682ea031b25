/**
 * All forecasts: each kind looks twice a minute, and what it sees is told when it has seen it three times in a row and
 * is over when it has not for ten minutes. So a wish of the moment is no forecast, and one does not come and go.
 */
import type { Fact } from "../../contract/facts.ts";
import type { Forecast } from "../../contract/incident.ts";
import type { ServiceHealth } from "../../contract/series.ts";
import { foreseeCapacity } from "./forecast-capacity.ts";
import { foreseeCertificates } from "./forecast-certificates.ts";
import { foreseeDns } from "./forecast-dns.ts";
import { foreseeKeepAlive } from "./forecast-keep-alive.ts";
import { foreseeNames } from "./forecast-names.ts";
import { foreseeObjective } from "./forecast-objective.ts";
import { foreseeOrigins } from "./forecast-origins.ts";
import { foreseeStandby } from "./forecast-standby.ts";
import { foreseeUnequal } from "./forecast-unequal.ts";
import { PoolRooms } from "./pool-rooms.ts";
import type { Compared } from "./standby-probe.ts";
import { foreseeWalls } from "./forecast-walls.ts";
import type { Forecaster, Foreseen } from "./forecaster.ts";
import { MINUTE } from "./forecaster.ts";

export interface ForecastNews {
  readonly forecast: Forecast;
  readonly over: boolean;
}

const LOOK_MS: number = MINUTE / 2;
const SEEN_MIN = 3;
const OVER_MS: number = 10 * MINUTE;
const FORECASTS_MAX = 200;
/** Told again when the time has moved by more than this part of what is left. */
const MOVED = 0.25;

interface Known {
  forecast: Forecast;
  seen: number;
  seenAt: number;
  told: Forecast | null;
}

export class ForecastBook {
  readonly #forecasters: readonly Forecaster[];
  readonly #known = new Map<string, Known>();
  #lookedAt = 0;

  /** `compared`: what light probes showed of standby pools. */
  constructor(compared: () => readonly Compared[] = () => [], forecasters: readonly Forecaster[] = usual(compared)) {
    this.#forecasters = forecasters;
  }

  /** What has to outlive a restart, by name. */
  save(): ReadonlyMap<string, unknown> {
    return new Map(
      this.#forecasters.flatMap(({ memory }) => (memory === undefined ? [] : [[memory.name, memory.save()]])),
    );
  }

  /** Before any fact. */
  restore(saved: ReadonlyMap<string, unknown>, onFault: (error: unknown) => void): void {
    for (const { memory } of this.#forecasters) {
      if (memory === undefined || !saved.has(memory.name)) continue;
      try {
        memory.restore(saved.get(memory.name));
      } catch (error) {
        onFault(error);
      }
    }
  }

  hear(fact: Fact): void {
    for (const forecaster of this.#forecasters) forecaster.hear(fact);
  }

  /** Time is `now`; `services` is asked when it is time to look. */
  tick(now: number, services: () => readonly ServiceHealth[]): readonly ForecastNews[] {
    if (now - this.#lookedAt < LOOK_MS) return [];
    this.#lookedAt = now;
    const moment = { now, services: services() };
    const news: ForecastNews[] = [];
    for (const forecaster of this.#forecasters) for (const sign of forecaster.look(moment)) this.#see(sign, now, news);
    for (const [id, known] of this.#known) {
      if (known.seenAt === now) continue;
      if (known.told === null) this.#known.delete(id);
      else if (now - known.seenAt >= OVER_MS) {
        this.#known.delete(id);
        news.push({ forecast: known.told, over: true });
      }
    }
    return news;
  }

  /** The worst and the nearest first. */
  list(): readonly Forecast[] {
    return [...this.#known.values()]
      .flatMap(({ told, forecast }) => (told === null ? [] : [forecast]))
      .sort(
        (one, other) => RANK[one.severity] - RANK[other.severity] || (one.when ?? Infinity) - (other.when ?? Infinity),
      );
  }

  #see(sign: Foreseen, now: number, news: ForecastNews[]): void {
    let known = this.#known.get(sign.id);
    if (known === undefined) {
      if (this.#known.size >= FORECASTS_MAX) return;
      known = { forecast: { ...sign, since: now }, seen: 0, seenAt: now, told: null };
      this.#known.set(sign.id, known);
    }
    known.forecast = { ...sign, since: known.forecast.since };
    known.seen += 1;
    known.seenAt = now;
    if (known.seen < SEEN_MIN || !isNews(known, now)) return;
    known.told = known.forecast;
    news.push({ forecast: known.forecast, over: false });
  }
}

const RANK: Readonly<Record<Forecast["severity"], number>> = { critical: 0, warning: 1, notice: 2 };

function isNews({ told, forecast }: Known, now: number): boolean {
  if (told === null || told.severity !== forecast.severity) return true;
  if ((told.when === null) !== (forecast.when === null)) return true;
  if (told.when === null || forecast.when === null) return false;
  return Math.abs(told.when - forecast.when) > MOVED * Math.max(MINUTE, forecast.when - now);
}

function usual(compared: () => readonly Compared[]): Forecaster[] {
  const rooms = new PoolRooms();
  return [
    // Before those that ask it.
    rooms,
    foreseeWalls(),
    foreseeOrigins(),
    foreseeKeepAlive(),
    foreseeObjective(),
    foreseeStandby(),
    foreseeUnequal(compared, rooms),
    foreseeDns(),
    foreseeCertificates(),
    foreseeNames(),
    foreseeCapacity(rooms),
  ];
}
