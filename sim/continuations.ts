/**
 * Attempts that went on with a response which the client was getting already. Other rules hold for them than for those
 * that came before it: they may go where the exchange has been, work beside one another, and be let go without a fault.
 */
import type { AttemptRecord, Decision, ExchangeRecord } from "../src/contract/record.ts";

export interface Split {
  /** Until an origin answered. */
  readonly before: readonly AttemptRecord[];
  readonly continuations: readonly AttemptRecord[];
  /** One for each of them, in their order. */
  readonly decisions: readonly Decision[];
}

export function splitAttempts({ attempts, replyUs, originStatus, decisions, cache }: ExchangeRecord): Split {
  // A reply of the gateway's own, or an answer that was held back or stored, may leave at the very moment of the last
  // attempt.
  const wasHeld = cache === "last-good" || decisions.some(({ code }) => code === "held.given");
  const isOrigins = originStatus !== 0 && replyUs >= 0 && !wasHeld;
  // A second origin may be asked in the turn in which the first one answers.
  const wasHedged = decisions.some(({ code }) => code === "hedge.sent");
  const isLate = ({ number, startedUs }: AttemptRecord): boolean =>
    number > 1 && isOrigins && (wasHedged ? startedUs > replyUs : startedUs >= replyUs);
  return {
    before: attempts.filter((attempt) => !isLate(attempt)),
    continuations: attempts.filter(isLate),
    decisions: decisions.filter(({ code }) => code.startsWith("resume.allowed.")),
  };
}

/** Begun after a good part had come, which takes nothing from the retry budget. */
export function isOutsideBudget({ reason }: Decision): boolean {
  return reason.includes("outside the retry budget");
}
