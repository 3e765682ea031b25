/**
 * What active checks say about one origin address: down after several failures in a row, up after several
 * successes, the first result deciding at once (a gateway that just started has nothing better).
 *
 * Checks are weaker evidence than traffic: a check can fail because its own dependency does, and pass
 * while every real request fails. So this file only says what the checks say; availability.ts weighs it
 * against traffic and against the rest of the pool.
 *
 * A verdict of checks expires when no more results come: a checker that died must not hold an origin down.
 */
import { durationInWords } from "./words.ts";

/** Part of the shape of `HealthSettings` in config/settings.ts. */
export interface HealthOptions {
  /** Null: the check is a TCP connect, unless `grpc` says otherwise. */
  readonly path: string | null;
  /** Null: gRPC's health checking protocol is not spoken. */
  readonly grpc: string | null;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Failures in a row that take an origin down. */
  readonly down: number;
  /** Successes in a row that bring it up. */
  readonly up: number;
}

/** Times are monotonic ms. `at`: the newest result. `failingSince`: first failure of the newest run of them; -1: none. */
export type HealthState =
  | { readonly kind: "unknown"; readonly because: string }
  | {
      readonly kind: "up";
      readonly since: number;
      readonly at: number;
      readonly failed: number;
      readonly failingSince: number;
      readonly because: string;
    }
  | {
      readonly kind: "down";
      readonly since: number;
      readonly at: number;
      readonly succeeded: number;
      /** Successes in a row that it takes; one only when it was a single first result that decided. */
      readonly needed: number;
      readonly failingSince: number;
      readonly because: string;
    };

export interface CheckResult {
  readonly ok: boolean;
  /** "connection refused", "status 503", "no answer in 1 s". */
  readonly detail: string;
  /** Whether it showed the sign that is asked for; absent when none is, or it did not get so far. */
  readonly identity?: boolean;
}

/** Every code of this policy with its meaning. */
export const HEALTH_CODES = {
  "health.down": "Several active checks in a row failed.",
  "health.down.first-check": "The first active check of an origin failed.",
  "health.up": "Several active checks in a row succeeded.",
  "health.up.first-check": "The first active check of an origin succeeded.",
} as const satisfies Record<string, string>;

export type HealthVerdict =
  | { readonly kind: "none" }
  /** Assess the pool again. */
  | { readonly kind: "changed"; readonly code: keyof typeof HEALTH_CODES; readonly because: string };

export interface HealthStep {
  readonly state: HealthState;
  readonly verdict: HealthVerdict;
}

const NO_CHANGE: HealthVerdict = { kind: "none" };
/** Results older than this many intervals say nothing any more; never less than the time below. */
const STALE_INTERVALS = 10;
const STALE_MIN_MS = 30_000;

export const UNCHECKED: HealthState = { kind: "unknown", because: "not checked yet" };

export function stepHealth(options: HealthOptions, state: HealthState, result: CheckResult, now: number): HealthStep {
  const known = settleHealth(options, state, now);
  switch (known.kind) {
    case "unknown":
      return result.ok ? becomeUp(options, "health.up.first-check", 1, now) : becomeDown(options, result, 1, now, now);
    case "up": {
      if (result.ok) return { state: { ...known, at: now, failed: 0, failingSince: -1 }, verdict: NO_CHANGE };
      const failed = known.failed + 1;
      const failingSince = known.failingSince < 0 ? now : known.failingSince;
      if (failed >= options.down) return becomeDown(options, result, failed, failingSince, now);
      return { state: { ...known, at: now, failed, failingSince }, verdict: NO_CHANGE };
    }
    case "down": {
      if (!result.ok) {
        return { state: { ...known, at: now, succeeded: 0, needed: options.up }, verdict: NO_CHANGE };
      }
      const succeeded = known.succeeded + 1;
      if (succeeded >= known.needed) return becomeUp(options, "health.up", succeeded, now);
      return { state: { ...known, at: now, succeeded }, verdict: NO_CHANGE };
    }
  }
}

/** The state as far as it still holds at `now`. */
export function settleHealth(options: HealthOptions, state: HealthState, now: number): HealthState {
  if (state.kind === "unknown" || now - state.at < staleAfterMs(options)) return state;
  return { kind: "unknown", because: `no check result for ${durationInWords(now - state.at)}` };
}

/** How long a result is believed. */
export function staleAfterMs(options: HealthOptions): number {
  return Math.max(STALE_MIN_MS, STALE_INTERVALS * options.intervalMs);
}

function becomeUp(options: HealthOptions, code: keyof typeof HEALTH_CODES, succeeded: number, now: number): HealthStep {
  const because =
    succeeded === 1
      ? `a ${kindOf(options)} check succeeded`
      : `${succeeded} ${kindOf(options)} checks in a row succeeded`;
  return {
    state: { kind: "up", since: now, at: now, failed: 0, failingSince: -1, because },
    verdict: { kind: "changed", code, because },
  };
}

function becomeDown(
  options: HealthOptions,
  result: CheckResult,
  failed: number,
  failingSince: number,
  now: number,
): HealthStep {
  const first = failed < options.down;
  const because = first
    ? `the first ${kindOf(options)} check failed (${result.detail})`
    : `${failed} ${kindOf(options)} check${failed === 1 ? "" : "s in a row"} failed (${result.detail})`;
  return {
    state: { kind: "down", since: now, at: now, succeeded: 0, needed: first ? 1 : options.up, failingSince, because },
    verdict: { kind: "changed", code: first ? "health.down.first-check" : "health.down", because },
  };
}

function kindOf(options: HealthOptions): string {
  if (options.grpc !== null) return "gRPC";
  return options.path === null ? "connect" : "HTTP";
}
