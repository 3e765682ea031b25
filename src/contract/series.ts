/** Figures over time, as the control plane keeps them: what charts and tables ask for, and the state of a service at a glance. */
import type { Party } from "../kernel/causes.ts";
import type { Severity } from "./incident.ts";

/** Seconds a point covers. */
export type Resolution = 1 | 10 | 60 | 3600;

export interface SeriesQuestion {
  /** Empty: all services together. */
  readonly service: string;
  /** Which value of which dimension; at most one besides the service. */
  readonly by:
    | "all"
    | "route"
    | "class"
    | "pool"
    | "origin"
    | "provider"
    | "cause"
    | "node"
    | "revision"
    | "worker"
    | "family"
    | "network";
  /** Empty: each value of `by` is a series of its own, the busiest 20. */
  readonly value: string;
  /** Epoch ms. */
  readonly from: number;
  readonly to: number;
  readonly resolution: Resolution;
}

export interface SeriesAnswer {
  readonly resolution: Resolution;
  readonly series: readonly {
    readonly value: string;
    readonly points: readonly SeriesPoint[];
  }[];
}

export interface SeriesPoint {
  /** Epoch ms of its begin. */
  readonly at: number;
  /** Part of the stretch for which there are facts, 0–1. 0 is "no data" and never health. */
  readonly known: number;
  readonly exchanges: number;
  readonly failed: number;
  readonly rescued: number;
  /** ms; null: nothing to measure. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

/** A complete point as the store keeps it, and gives back after a restart. */
export interface SeriesRow extends Omit<SeriesPoint, "known"> {
  readonly resolution: Resolution;
  readonly service: string;
  readonly by: SeriesQuestion["by"];
  readonly value: string;
}

/** A service at a glance. */
export interface ServiceHealth {
  readonly service: string;
  readonly state: "well" | "disturbed" | "failing" | "silent" | "no data";
  /** A sentence. */
  readonly because: string;
  /** Over the last 10 s. */
  readonly perSecond: number;
  readonly failedRatio: number;
  readonly rescuedRatio: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly objective: {
    readonly availability: number;
    readonly latencyMs: number | null;
    /** Part of the 30-day budget that is left; negative: overspent. */
    readonly budgetLeft: number;
    /** How many times faster than allowed the budget burns, over 5 min and 1 h. */
    readonly burn5m: number;
    readonly burn1h: number;
    readonly from: number;
  } | null;
  readonly incidents: readonly {
    readonly id: string;
    readonly severity: Severity;
    readonly title: string;
    readonly party: Party | null;
  }[];
}
