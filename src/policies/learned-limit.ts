/**
 * What a limit of concurrency has learned, for a process that begins while the traffic goes on: a successor, or a worker
 * in the place of another. It would begin at the first guess, hold back under load what the origin can do, or give an
 * origin that is slow more than it can do, and take the queue of that rush for the usual wait.
 *
 * Handed on: the limit, whether it shrank a moment ago, and the usual wait of each route with its own limit, if it has
 * one. Not the round under way, trials or what is held: they are about requests of the process that has them.
 *
 * Taken in only where nothing has been learned yet, and in proportion: what two processes could have at once between
 * them four have between them.
 */
import { LIMIT_FLOOR, NO_LIMIT } from "./limit-gauge.ts";
import { routeOf } from "./limit-state.ts";
import { USUAL_SAMPLES } from "./usual-wait.ts";
import type { AdaptiveLimit, AdaptiveLimitOptions } from "./limit-state.ts";

export interface LearnedLimit {
  readonly limit: number;
  /** How long ago it shrank last. */
  readonly shrunkAgoMs: number;
  readonly routes: readonly LearnedRoute[];
}

export interface LearnedRoute {
  /** Its number. */
  readonly route: number;
  readonly usualMs: number;
  /** 0: it has none of its own. */
  readonly limit: number;
}

/** More is nothing that was learned. */
const LEARNED_MAX = 1_000_000;
/** Longer is no usual wait. */
const USUAL_MAX_MS = 3_600_000;
/** Of one address; the first ones, where there are more. */
const LEARNED_ROUTES_MAX = 16;

/** Null: nothing has been learned, or it is set by hand. */
export function learnedLimit(options: AdaptiveLimitOptions, state: AdaptiveLimit, now: number): LearnedLimit | null {
  if (options.concurrency > 0) return null;
  const routes: LearnedRoute[] = [];
  for (const [route, own] of state.routes.entries()) {
    // A few answers are no usual wait.
    if (own === null || own.samples < USUAL_SAMPLES || own.usualMs > USUAL_MAX_MS) continue;
    if (routes.length === LEARNED_ROUTES_MAX) break;
    routes.push({ route, usualMs: own.usualMs, limit: own.limit >= NO_LIMIT ? 0 : own.limit });
  }
  if (routes.length === 0) return null;
  return { limit: Math.min(LEARNED_MAX, state.limit), shrunkAgoMs: Math.max(0, now - state.shrunkAt), routes };
}

/** `ratio`: this process's part of the traffic beside that of the one that learned it. */
export function beginWithLearned(
  options: AdaptiveLimitOptions,
  state: AdaptiveLimit,
  learned: LearnedLimit,
  ratio: number,
  now: number,
): void {
  const isUnknown = state.failures === 0 && state.routes.every((own) => own === null || own.samples === 0);
  if (options.concurrency > 0 || !isUnknown) return;
  state.limit = Math.max(LIMIT_FLOOR, Math.min(LEARNED_MAX, learned.limit * ratio));
  state.shrunkAt = now - learned.shrunkAgoMs;
  for (const { route, usualMs, limit } of learned.routes.slice(0, LEARNED_ROUTES_MAX)) {
    const own = routeOf(state, route, now);
    own.usualMs = usualMs;
    own.samples = USUAL_SAMPLES;
    own.isNewUntil = now;
    if (limit > 0) own.limit = Math.max(LIMIT_FLOOR, Math.min(LEARNED_MAX, limit * ratio));
  }
}
