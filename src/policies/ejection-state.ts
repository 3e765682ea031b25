/**
 * What is known of an origin address by those who may eject it: plain data, and the words in which a change of it is told.
 * What becomes of it is in ejection.ts and the files beside it.
 */
import { createLatencyWindow } from "./latency-window.ts";
import type { LatencyWindow } from "./latency-window.ts";
import type { OutlierOptions } from "./outlier.ts";
import { createSlidingCount } from "./sliding-count.ts";
import type { SlidingCount } from "./sliding-count.ts";
import { createSlow } from "./slowness.ts";
import type { SlowOptions, SlowState } from "./slowness.ts";

/** The shape of `EjectionSettings` in config/settings.ts. */
export interface EjectionOptions extends OutlierOptions {
  readonly windowMs: number;
  readonly returnAfterMs: number;
  readonly returnAfterMaxMs: number;
  readonly rampMs: number;
  readonly ejectedRatioMax: number;
  /** Null: slowness is no reason. */
  readonly slow: SlowOptions | null;
}

/** `since`: monotonic ms; attempts that began before it carry no evidence. `times`: ejections without a calm spell between. */
export type EjectionPhase =
  | {
      readonly kind: "up";
      readonly since: number;
      readonly upSince: number;
      readonly times: number;
      readonly because: string;
    }
  | {
      readonly kind: "ejected";
      readonly since: number;
      readonly until: number;
      readonly times: number;
      readonly because: string;
    }
  | {
      readonly kind: "probation";
      readonly since: number;
      readonly until: number;
      readonly times: number;
      readonly because: string;
    }
  | {
      readonly kind: "ramping";
      readonly since: number;
      readonly until: number;
      readonly times: number;
      readonly because: string;
    };

export interface EjectionState {
  phase: EjectionPhase;
  /** Failures since the last success. */
  run: number;
  /** Refused connections since anything else was heard. */
  refusals: number;
  /** Monotonic ms when it was heard of; -1 never. */
  lastFailureAt: number;
  lastSuccessAt: number;
  /** When the last attempt that succeeded had begun; -1 never. */
  lastSuccessBegan: number;
  readonly successes: SlidingCount;
  readonly failures: SlidingCount;
  /** Why it is not ejected though it fails: a code and a sentence; empty when it does not fail. */
  heldCode: EjectionCode | "";
  heldBecause: string;
  /** Null: slowness is no reason. */
  readonly latencies: LatencyState | null;
}

export interface LatencyState {
  readonly window: LatencyWindow;
  readonly slow: SlowState;
  /** Monotonic ms when the peers are looked at again. */
  lookAt: number;
  /** It is out, or should be, because it is slow: then a slow answer is no proof that it is well. */
  accused: boolean;
  /** It has been ejected since: what is in the window is from before, and is taken out before anything is added. */
  stale: boolean;
}

/** What is needed of each address of a pool to judge one of them. */
export interface EjectionMember {
  readonly ejection: EjectionState;
  /** Set by availability.ts; 0: it gets no traffic now, for whatever reason. */
  share: number;
}

export type EjectionCode = keyof typeof EJECTION_CODES;

/** Every code of this policy with its meaning, for docs/reference/decisions.md. */
export const EJECTION_CODES = {
  "eject.out.failures-in-a-row":
    "An origin failed several times in a row while its peers did not; it gets no traffic for a while.",
  "eject.out.success-ratio":
    "An origin's success ratio fell below the limit and is clearly worse than its peers'; it gets no traffic for a while.",
  "eject.out.slow":
    "Far more of an origin's requests were slow than of its peers'; it gets no traffic for a while, though it answers.",
  "eject.out.probation-slow":
    "The one request that tried an origin, ejected for slowness, was slow again; it stays out for longer.",
  "eject.out.heard": "Another worker of the node took an origin out; it gets no traffic here either.",
  "eject.out.probation-failed": "The one request that tried an ejected origin failed; it stays out for longer.",
  "eject.held.peers-alike": "An origin fails, but its peers fail alike, so it is no outlier and stays in use.",
  "eject.held.ratio-cap":
    "An origin should be out, but as many of its pool are out as may be; it stays in use (fail open).",
  "eject.held.last-origin": "An origin should be out, but it is the last one available; it stays in use (fail open).",
  "eject.probation.unproven":
    "The one request that tried an ejected origin ended without evidence for or against it; another may try.",
  "eject.back.ramping": "A request to an ejected origin succeeded; its share of traffic grows back step by step.",
  "eject.back.recovered": "An origin that failed, but was held in use, works again.",
} as const satisfies Record<string, string>;

export type EjectionVerdict =
  | { readonly kind: "none" }
  | {
      /** `ejected`: out from now on. `fail-open`: should be out and is not. `back`: traffic returns. `unproven`: still out. All four: assess the pool again. */
      readonly kind: "ejected" | "fail-open" | "back" | "unproven";
      readonly code: EjectionCode;
      readonly because: string;
    };

export const NO_CHANGE: EjectionVerdict = { kind: "none" };

export const UNPROVEN: EjectionVerdict = {
  kind: "unproven",
  code: "eject.probation.unproven",
  because: "the request that tried it proved nothing; another may try",
};

export function createEjection(options: EjectionOptions, now: number): EjectionState {
  return {
    phase: { kind: "up", since: now, upSince: now, times: 0, because: "" },
    run: 0,
    refusals: 0,
    lastFailureAt: -1,
    lastSuccessAt: -1,
    lastSuccessBegan: -1,
    successes: createSlidingCount(options.windowMs),
    failures: createSlidingCount(options.windowMs),
    heldCode: "",
    heldBecause: "",
    latencies:
      options.slow === null
        ? null
        : {
            window: createLatencyWindow(options.windowMs),
            slow: createSlow(),
            lookAt: 0,
            accused: false,
            stale: false,
          },
  };
}

/** The windows are of another length, or slowness counts or does not: evidence begins anew, the verdict stands. */
export function reshapeEjection(options: EjectionOptions, before: EjectionState, now: number): EjectionState {
  const { successes, failures, latencies } = createEjection(options, now);
  return { ...before, successes, failures, latencies };
}
