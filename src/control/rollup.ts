/**
 * Figures over time: how many exchanges each service, route, class, pool, origin, provider, cause, node, revision,
 * worker, address family and client network had, how many of them failed, how many were rescued, and how long they took,
 * by seconds for five minutes, by 10 s for an hour, by minutes for six hours, by hours for five weeks.
 *
 * Bounded twice: rings of fixed length for each key, and a fixed number of keys; what does not fit is added to the
 * key "other" of its dimension, so that sums stay right. Durations are kept as three quantiles of each point; the
 * histogram that they come from lives only while its point is filled.
 *
 * A point also says for which part of its time there were facts. No facts is no health.
 */
import type { SecondFact, SparseHistogram } from "../contract/facts.ts";
import type { Resolution, SeriesPoint, SeriesQuestion, SeriesRow } from "../contract/series.ts";
import { PointRing } from "./point-ring.ts";

export type Dimension = SeriesQuestion["by"];

export const RESOLUTIONS: readonly Resolution[] = [1, 10, 60, 3600];
export const KEYS_MAX = 1_200;
/** Values of one dimension of one service; clients and causes could be without number. */
const VALUES_MAX = 60;
const OTHER = "other";

interface Key {
  readonly service: string;
  readonly by: Dimension;
  readonly value: string;
  readonly rings: readonly PointRing[];
}

/** What one row of facts adds. */
interface Amount {
  exchanges: number;
  failed: number;
  rescued: number;
  durations: SparseHistogram;
}

const NO_DURATIONS: SparseHistogram = [];

export class Rollup {
  readonly #keys = new Map<string, Key>();
  readonly #values = new Map<string, number>();
  /** Seconds for which any fact came, by resolution. */
  readonly #known: readonly Map<number, number>[] = RESOLUTIONS.map(() => new Map<number, number>());
  /** The newest second that a fact came for. */
  #newest = -1;

  /** Series that are kept. */
  get size(): number {
    return this.#keys.size;
  }

  add(fact: SecondFact): void {
    const second = Math.floor(fact.at / 1000);
    this.#know(fact, second);
    const whole: Amount = { exchanges: 0, failed: 0, rescued: 0, durations: NO_DURATIONS };
    for (const row of fact.traffic) {
      const { byOutcome } = row;
      const amount: Amount = {
        exchanges: byOutcome.served + byOutcome.rescued + byOutcome.failed + byOutcome.refused + byOutcome.aborted,
        failed: byOutcome.failed,
        rescued: byOutcome.rescued,
        durations: row.duration,
      };
      if (amount.exchanges === 0) continue;
      whole.exchanges += amount.exchanges;
      whole.failed += amount.failed;
      whole.rescued += amount.rescued;
      this.#count(second, row.service, "all", "", amount);
      this.#count(second, "", "all", "", amount);
      this.#count(second, row.service, "route", row.route, amount);
      this.#count(second, row.service, "class", row.class, amount);
    }
    if (whole.exchanges > 0) {
      this.#count(second, "", "node", fact.node, whole);
      this.#count(second, "", "worker", `${fact.node}/${fact.worker}`, whole);
      this.#count(second, "", "revision", fact.revision, whole);
    }
    for (const row of fact.origins) {
      if (row.attempts === 0) continue;
      let failed = 0;
      for (const count of Object.values(row.byCause)) failed += count;
      const amount: Amount = { exchanges: row.attempts, failed, rescued: 0, durations: row.firstByte };
      this.#count(second, row.service, "pool", row.pool, amount);
      this.#count(second, row.service, "origin", row.origin, amount);
      this.#count(second, row.service, "provider", row.provider, amount);
      this.#count(second, row.service, "family", row.family, amount);
    }
    for (const row of fact.failures) {
      const amount: Amount = {
        exchanges: row.count,
        failed: row.outcome === "failed" ? row.count : 0,
        rescued: row.outcome === "rescued" ? row.count : 0,
        durations: NO_DURATIONS,
      };
      if (row.cause !== null) this.#count(second, row.service, "cause", row.cause, amount);
    }
    for (const row of fact.clients)
      this.#count(second, "", "network", row.network, {
        exchanges: row.exchanges,
        failed: row.failed,
        rescued: 0,
        durations: NO_DURATIONS,
      });
  }

  /** Oldest first; also those without anything in them, which are known or not. */
  points(
    service: string,
    by: Dimension,
    value: string,
    resolution: Resolution,
    from: number,
    to: number,
  ): SeriesPoint[] {
    const ring = this.#keys.get(keyOf(service, by, value))?.rings[RESOLUTIONS.indexOf(resolution)];
    const lengthMs = resolution * 1000;
    const points: SeriesPoint[] = [];
    const first = Math.floor(from / lengthMs);
    const last = Math.min(Math.ceil(to / lengthMs), first + POINTS_MAX);
    for (let index = first; index < last; index += 1) {
      const kept = ring?.at(index) ?? null;
      points.push({
        at: index * lengthMs,
        known: this.#knownPart(index, resolution),
        exchanges: kept?.exchanges ?? 0,
        failed: kept?.failed ?? 0,
        rescued: kept?.rescued ?? 0,
        p50Ms: kept?.p50Ms ?? null,
        p95Ms: kept?.p95Ms ?? null,
        p99Ms: kept?.p99Ms ?? null,
      });
    }
    return points;
  }

  /** Values of a dimension that were seen, the busiest of [from, to) first. */
  values(service: string, by: Dimension, resolution: Resolution, from: number, to: number): string[] {
    const sums: { value: string; exchanges: number }[] = [];
    const lengthMs = resolution * 1000;
    for (const key of this.#keys.values()) {
      if (key.service !== service || key.by !== by) continue;
      const ring = key.rings[RESOLUTIONS.indexOf(resolution)];
      const exchanges = ring?.sum(Math.floor(from / lengthMs), Math.ceil(to / lengthMs)) ?? 0;
      if (exchanges > 0) sums.push({ value: key.value, exchanges });
    }
    sums.sort((a, b) => b.exchanges - a.exchanges || (a.value < b.value ? -1 : 1));
    return sums.map(({ value }) => value);
  }

  /** Points that are complete at `now` and were not given out before; what the store keeps. */
  takeClosed(now: number): SeriesRow[] {
    const rows: SeriesRow[] = [];
    for (const { service, by, value, rings } of this.#keys.values()) {
      rings.forEach((ring, index) => {
        const resolution = RESOLUTIONS[index] ?? 1;
        if (resolution === 1) return;
        const closed = ring.takeClosed(Math.floor(now / (resolution * 1000)));
        if (closed !== null)
          rows.push({ ...closed, at: closed.at * resolution * 1000, resolution, service, by, value });
      });
    }
    return rows;
  }

  /** The clock was set back to `second`: what was counted for later seconds would be in the way of what comes. */
  goBack(second: number): void {
    this.#newest = second - 1;
    RESOLUTIONS.forEach((resolution, index) => {
      const at = Math.floor(second / resolution);
      for (const key of this.#keys.values()) key.rings[index]?.goBack(at);
      for (const known of this.#known[index]?.keys() ?? []) if (known > at) this.#known[index]?.delete(known);
    });
  }

  /** Points of an earlier life. */
  putBack(rows: readonly SeriesRow[]): void {
    for (const row of rows) {
      const at = Math.floor(row.at / (row.resolution * 1000));
      const index = RESOLUTIONS.indexOf(row.resolution);
      this.#key(row.service, row.by, row.value).rings[index]?.put({ ...row, at });
      this.#known[index]?.set(at, row.resolution);
    }
  }

  #count(second: number, service: string, by: Dimension, value: string, amount: Amount): void {
    const { rings } = this.#key(service, by, value);
    rings.forEach((ring, index) => {
      ring.add(Math.floor(second / (RESOLUTIONS[index] ?? 1)), amount);
    });
  }

  #key(service: string, by: Dimension, value: string): Key {
    const id = keyOf(service, by, value);
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    const dimension = `${service}\n${by}`;
    const values = this.#values.get(dimension) ?? 0;
    const isFull = this.#keys.size >= KEYS_MAX;
    if (value !== OTHER && (values >= VALUES_MAX || isFull)) return this.#key(service, by, OTHER);
    // With no room left even for that, one series for each dimension takes what comes of all further services.
    if (isFull && service !== OTHER) return this.#key(OTHER, by, OTHER);
    this.#values.set(dimension, values + 1);
    const key: Key = { service, by, value, rings: RINGS.map((length) => new PointRing(length)) };
    this.#keys.set(id, key);
    return key;
  }

  #know(fact: SecondFact, second: number): void {
    // Several tellers tell the same second; it is known once.
    if (second <= this.#newest) return;
    this.#newest = second;
    const seconds = Math.max(1, Math.round(fact.lengthMs / 1000));
    this.#known.forEach((known, index) => {
      const resolution = RESOLUTIONS[index] ?? 1;
      const at = Math.floor(second / resolution);
      known.set(at, Math.min(resolution, (known.get(at) ?? 0) + seconds));
      const most = RINGS[index] ?? 0;
      if (known.size > most) known.delete(known.keys().next().value ?? -1);
    });
  }

  #knownPart(index: number, resolution: Resolution): number {
    return (this.#known[RESOLUTIONS.indexOf(resolution)]?.get(index) ?? 0) / resolution;
  }
}

/** Points kept by resolution. */
const RINGS: readonly number[] = [300, 360, 360, 840];
const POINTS_MAX = 1_000;

function keyOf(service: string, by: Dimension, value: string): string {
  return `${service}\n${by}\n${value}`;
}
