/**
 * The last points of one series at one resolution. Counts lie in flat arrays, because there are a thousand series of
 * two thousand points; the histogram of the point under way becomes three quantiles when the point is over.
 */
import type { SparseHistogram } from "../contract/facts.ts";
import { createHistogram } from "../kernel/histogram.ts";
import type { Histogram } from "../kernel/histogram.ts";
import { addSparse, clear, quantileMs } from "./sparse-histogram.ts";

export interface KeptPoint {
  /** Index of the stretch since the epoch, or epoch ms where said. */
  readonly at: number;
  readonly exchanges: number;
  readonly failed: number;
  readonly rescued: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

const FIELDS = 6;

export class PointRing {
  readonly #length: number;
  /** Made at the first count: many series never have any at some resolution. */
  #fields: Float32Array | null = null;
  #ats: Float64Array | null = null;
  #durations: Histogram | null = null;
  /** The stretch under way. */
  #current = -1;
  #given = -1;

  constructor(length: number) {
    this.#length = length;
  }

  add(
    at: number,
    amount: {
      readonly exchanges: number;
      readonly failed: number;
      readonly rescued: number;
      readonly durations: SparseHistogram;
    },
  ): void {
    if (at > this.#current) {
      this.#close();
      this.#current = at;
    }
    const slot = this.#slot(at);
    const fields = this.#fields;
    // Too late: that place has been taken by a newer point.
    if (fields === null || slot < 0) return;
    fields[slot] = (fields[slot] ?? 0) + amount.exchanges;
    fields[slot + 1] = (fields[slot + 1] ?? 0) + amount.failed;
    fields[slot + 2] = (fields[slot + 2] ?? 0) + amount.rescued;
    if (at === this.#current && amount.durations.length > 0) {
      this.#durations ??= createHistogram();
      addSparse(this.#durations, amount.durations);
    }
  }

  put(point: KeptPoint): void {
    const slot = this.#slot(point.at);
    const fields = this.#fields;
    if (fields === null || slot < 0) return;
    fields.set(
      [point.exchanges, point.failed, point.rescued, orNone(point.p50Ms), orNone(point.p95Ms), orNone(point.p99Ms)],
      slot,
    );
    this.#given = Math.max(this.#given, point.at);
    this.#current = Math.max(this.#current, point.at);
  }

  at(at: number): KeptPoint | null {
    if (at === this.#current) this.#keepQuantiles();
    const index = at % this.#length;
    if (this.#ats === null || this.#ats[index] !== at || this.#fields === null) return null;
    const slot = index * FIELDS;
    const [exchanges = 0, failed = 0, rescued = 0, p50 = -1, p95 = -1, p99 = -1] = this.#fields.subarray(
      slot,
      slot + FIELDS,
    );
    return { at, exchanges, failed, rescued, p50Ms: orNull(p50), p95Ms: orNull(p95), p99Ms: orNull(p99) };
  }

  /** What was counted for after `at` is dropped. */
  goBack(at: number): void {
    if (this.#current <= at) return;
    if (this.#durations !== null) clear(this.#durations);
    this.#ats?.forEach((there, index, ats) => {
      if (there > at) ats[index] = -1;
    });
    this.#current = -1;
    this.#given = Math.min(this.#given, at - 1);
  }

  sum(from: number, to: number): number {
    let sum = 0;
    for (let at = Math.max(from, to - this.#length); at < to; at += 1) {
      const index = at % this.#length;
      if (this.#ats?.[index] === at) sum += this.#fields?.[index * FIELDS] ?? 0;
    }
    return sum;
  }

  /** The point under way, when it is over by now and was not given before. */
  takeClosed(now: number): KeptPoint | null {
    if (this.#current < 0 || this.#current >= now || this.#given >= this.#current) return null;
    this.#given = this.#current;
    return this.at(this.#current);
  }

  #slot(at: number): number {
    this.#ats ??= new Float64Array(this.#length).fill(-1);
    this.#fields ??= new Float32Array(this.#length * FIELDS);
    const index = at % this.#length;
    const there = this.#ats[index] ?? -1;
    if (there > at) return -1;
    if (there < at) {
      this.#ats[index] = at;
      this.#fields.set([0, 0, 0, -1, -1, -1], index * FIELDS);
    }
    return index * FIELDS;
  }

  #close(): void {
    this.#keepQuantiles();
    if (this.#durations !== null) clear(this.#durations);
  }

  #keepQuantiles(): void {
    const durations = this.#durations;
    if (durations === null || this.#fields === null || this.#current < 0 || durations.count === 0) return;
    const slot = (this.#current % this.#length) * FIELDS;
    this.#fields[slot + 3] = orNone(quantileMs(durations, 0.5));
    this.#fields[slot + 4] = orNone(quantileMs(durations, 0.95));
    this.#fields[slot + 5] = orNone(quantileMs(durations, 0.99));
  }
}

function orNone(value: number | null): number {
  return value ?? -1;
}

function orNull(value: number): number | null {
  return value < 0 ? null : value;
}
