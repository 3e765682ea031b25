/**
 * When a request is sent to a second origin although the first has not failed: it is later than nearly every answer
 * of its route, so the chance is good that something is wrong there which is not wrong elsewhere. Whoever answers
 * first wins; the other is cancelled, and told no worse than that it took at least so long.
 *
 * A hedge is more load for less waiting, and slow answers are also what an overload looks like. So: not before enough
 * was seen to know what late means, not while anything is stressed, and only from the upper half of the retry budget,
 * which leaves the lower half to requests that failed.
 *
 * Only requests that may run twice at the same time: safe methods (RFC 9110 §9.2.1), and what a route declares
 * repeatable. PUT and DELETE are idempotent, but two of them under way at once may overtake what came after the first.
 */
import type { DecisionCode } from "../kernel/decisions.ts";
import { durationInWords } from "./words.ts";

/** Part of the shape of `HedgeSettings` in config/settings.ts. */
export interface HedgeOptions {
  /** Not before this, however fast the route is. */
  readonly afterMinMs: number;
  /** Samples that the estimate needs. */
  readonly samplesMin: number;
}

export type HedgeCode = Extract<DecisionCode, `hedge.${string}`>;

export interface HedgeInput {
  /** Origins that could be asked and were not. */
  readonly othersLeft: number;
  /** Whole repeats that the budget would still allow, and how many it allows at all. */
  readonly budgetLeft: number;
  readonly budgetAllowed: number;
  /** The service or the gateway is shedding, queueing or failing open. */
  readonly stressed: boolean;
  /** Attempts made, the one that is late included. */
  readonly attempts: number;
  readonly attemptsMax: number;
  /** ms until nobody waits any more; Infinity when there is no deadline. */
  readonly deadlineLeftMs: number;
  /** What its route usually takes; a hedge that cannot end in time is load for nothing. */
  readonly usualMs: number;
}

export interface HedgeVerdict {
  readonly hedge: boolean;
  readonly code: HedgeCode;
  /** A full clause: "not hedged: …". */
  readonly reason: string;
}

/** After how long an attempt is late; 0: not known yet, so there is no hedge. */
export function hedgeAfterMs(options: HedgeOptions, lateMs: number, samples: number): number {
  if (samples < options.samplesMin || lateMs < 0) return 0;
  return Math.max(lateMs, options.afterMinMs);
}

/** The attempt is late. */
export function decideHedge(input: HedgeInput, waitedMs: number): HedgeVerdict {
  const waited = durationInWords(waitedMs);
  if (input.stressed)
    return refuse("hedge.refused.stressed", "the service turns requests away, and a hedge is more load");
  if (input.attempts >= input.attemptsMax) {
    return refuse("hedge.refused.attempts", `${input.attempts} of ${input.attemptsMax} attempts were made`);
  }
  if (input.othersLeft < 1)
    return refuse("hedge.refused.no-other-origin", "no other usable origin of its pool is left");
  if (input.deadlineLeftMs <= input.usualMs) {
    return refuse(
      "hedge.refused.deadline",
      `only ${durationInWords(input.deadlineLeftMs)} are left until the deadline`,
    );
  }
  if (input.budgetLeft < 1 || input.budgetLeft * 2 < input.budgetAllowed) {
    return refuse("hedge.refused.budget", "less than half of the retry budget is left, and that is for failures");
  }
  return {
    hedge: true,
    code: "hedge.sent",
    reason: `sent to a second origin as well: no answer in ${waited}, and nearly all answers of the route come sooner`,
  };
}

function refuse(code: HedgeCode, why: string): HedgeVerdict {
  return { hedge: false, code, reason: `not hedged: ${why}` };
}
