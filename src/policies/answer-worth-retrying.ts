/**
 * A complete answer with a 5xx: is it worth asking another origin before it is passed on?
 *
 * An origin that is broken in a way that still lets it answer (a lost database connection, a full disk) fails fast
 * and politely, and passing its errors on would cost every client that meets it. So the answer is held back while
 * another origin is asked, and passed on, as it was, when that one has nothing better: an origin's own error page is
 * never replaced by one of ours.
 *
 * - 502, 503, 504: the origin could not do the work. Any idempotent request may be asked for elsewhere.
 * - 500: something may have been half done. Safe methods only (RFC 9110 §9.2.1).
 * - 501, 505 and the rest say what the origin cannot do at all; its peers cannot either.
 *
 * When every origin answers alike, it is the application, and each repeat is load without use. That is learned for
 * each route from what earlier repeats brought: after a few without a better answer no more are made, until they have
 * left the window. So a broken release costs a handful of repeats in ten seconds, whatever the traffic.
 */
import { addToCount, countAt, createSlidingCount } from "./sliding-count.ts";
import type { SlidingCount } from "./sliding-count.ts";
import { isIdempotent, isRead } from "./retry.ts";

export interface AnswerYield {
  /** Repeats because of an answer, and those that brought a better one. */
  readonly asked: SlidingCount;
  readonly better: SlidingCount;
}

const WINDOW_MS = 10_000;
/** What is tried before anything is concluded. */
const ASKED_MIN = 5;
/** Less than this of the repeats brought something better: not worth it. */
const YIELD_MIN = 0.2;

export function createAnswerYield(): AnswerYield {
  return { asked: createSlidingCount(WINDOW_MS), better: createSlidingCount(WINDOW_MS) };
}

/** Whether such an answer can be a fault of the one origin, and asking another one does no harm. */
export function mayBeBetterElsewhere(status: number, method: string, routeIdempotent: boolean): boolean {
  switch (status) {
    case 500:
      return isRead(method) || routeIdempotent;
    case 502:
    case 503:
    case 504:
      return isIdempotent(method) || routeIdempotent;
    default:
      return false;
  }
}

/** Whether earlier repeats on this route brought better answers, or too few were made to know. */
export function isWorthAsking(state: AnswerYield, now: number): boolean {
  const asked = countAt(state.asked, now);
  return asked < ASKED_MIN || countAt(state.better, now) >= asked * YIELD_MIN;
}

/**
 * Another origin was asked because of an answer; `better`: it had one below 500. Counted when that is known, because
 * in the first moment of a failure many are asked before the first of them answers.
 */
export function countAsked(state: AnswerYield, better: boolean, now: number): void {
  addToCount(state.asked, 1, now);
  if (better) addToCount(state.better, 1, now);
}

/** For the reason: "2 of 40 repeats in the last 10 s brought a better answer". */
export function yieldInWords(state: AnswerYield, now: number): string {
  return `${countAt(state.better, now)} of ${countAt(state.asked, now)} repeats in the last 10 s brought a better answer`;
}
