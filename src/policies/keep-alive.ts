/**
 * How long an idle connection to an origin address may still be used, learned from the origin itself.
 *
 * An origin closes idle connections after a time that it seldom tells. A request that is sent just then
 * meets a closed door, and nobody can know whether it was read. So the gateway retires the connection
 * first. Three teachers, from the clearest to the vaguest:
 * - a `Keep-Alive: timeout=N` field: the origin's own word;
 * - idle connections that the origin closed at the same age several times, at different moments. One
 *   early close teaches nothing, nor do many at one moment: that is a deploy;
 * - a reset on reuse (the race itself): the limit is at most the idle age of that connection. At ages
 *   below half a second a crash is likelier than a timeout that nobody configures.
 *
 * All of it is forgotten by and by, because origins change: what is not heard again for ten minutes is
 * doubled, and doubled again, until the configured cap is back.
 *
 * Requests that must not run twice keep a wider distance: they use only connections idle for less than
 * half of the learned limit and less than half a second. The shortest idle timeout that any common server
 * has by default is two seconds (gunicorn), the shortest that people set is one; and what counts there began
 * a way earlier and ends a way later than what is measured here.
 *
 * The state is changed in place and nothing is allocated per request.
 */
import { durationInWords } from "./words.ts";

/** Part of the shape of `ConnectionSettings` in config/settings.ts. */
export interface KeepAliveOptions {
  /** Upper bound of the learned idle time. */
  readonly idleMaxMs: number;
}

export interface KeepAliveState {
  /** Each of the three: the idle age in ms at which the origin closes as far as that teacher knows, -1: it said nothing; and when it last said so. */
  hintMs: number;
  hintAt: number;
  closedMs: number;
  closedAt: number;
  racedMs: number;
  racedAt: number;
  /** The newest idle closes by the origin, at most `CLOSES_NEEDED`, oldest first. */
  readonly closes: { readonly idleMs: number; readonly at: number }[];
}

const CLOSES_NEEDED = 3;
/** Closes within this time are one event. */
const SAME_MOMENT_MS = 1_000;
/** Ages are alike when the largest is at most this much above the smallest. */
const ALIKE_RATIO = 1.2;
const ALIKE_MS = 300;
const RACE_MIN_MS = 500;
const MARGIN_MIN_MS = 1_000;
const MARGIN_RATIO = 0.2;
const FORGET_AFTER_MS = 600_000;
const UNREPEATABLE_IDLE_MAX_MS = 500;

export function createKeepAlive(): KeepAliveState {
  return { hintMs: -1, hintAt: 0, closedMs: -1, closedAt: 0, racedMs: -1, racedAt: 0, closes: [] };
}

/** A response carried `Keep-Alive: timeout=seconds`. Cheap enough for every response. */
export function learnFromHint(state: KeepAliveState, seconds: number, now: number): void {
  if (!(seconds >= 0) || seconds > 1e9) return;
  state.hintMs = seconds * 1000;
  state.hintAt = now;
}

/** The origin closed (FIN or RST) a connection that lay idle in the pool for `idleMs`. */
export function learnFromIdleClose(state: KeepAliveState, idleMs: number, now: number): void {
  if (!(idleMs >= 0)) return;
  const newest = state.closes.at(-1);
  if (newest !== undefined && now - newest.at < SAME_MOMENT_MS) return;
  if (state.closes.length >= CLOSES_NEEDED) state.closes.shift();
  state.closes.push({ idleMs, at: now });
  if (state.closes.length < CLOSES_NEEDED) return;
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (const close of state.closes) {
    least = Math.min(least, close.idleMs);
    most = Math.max(most, close.idleMs);
  }
  if (most > Math.max(least * ALIKE_RATIO, least + ALIKE_MS)) return;
  state.closedMs = least;
  state.closedAt = now;
}

/** A request on a connection that had lain idle for `idleMs` failed before any byte of the response. */
export function learnFromRace(state: KeepAliveState, idleMs: number, now: number): void {
  if (!(idleMs >= RACE_MIN_MS)) return;
  const known = state.racedMs < 0 ? -1 : relaxed(state.racedMs, state.racedAt, now);
  state.racedMs = known < 0 ? idleMs : Math.min(known, idleMs);
  state.racedAt = now;
}

/** ms after which an idle connection is to be closed; 0: do not keep it at all. */
export function maxIdleMs(options: KeepAliveOptions, state: KeepAliveState, now: number): number {
  let limit = options.idleMaxMs;
  if (state.hintMs >= 0) limit = Math.min(limit, withMargin(relaxed(state.hintMs, state.hintAt, now)));
  if (state.closedMs >= 0) limit = Math.min(limit, withMargin(relaxed(state.closedMs, state.closedAt, now)));
  if (state.racedMs >= 0) limit = Math.min(limit, withMargin(relaxed(state.racedMs, state.racedAt, now)));
  return limit;
}

/** May a connection that has lain idle for `idleMs` carry this request? `repeatable`: it may be sent a second time. */
export function mayReuse(
  options: KeepAliveOptions,
  state: KeepAliveState,
  idleMs: number,
  repeatable: boolean,
  now: number,
): boolean {
  const limit = maxIdleMs(options, state, now);
  // An age of exactly 0 is a connection handed on at once, which is no idling; a limit of 0 still forbids it.
  return idleMs < (repeatable ? limit : Math.min(UNREPEATABLE_IDLE_MAX_MS, limit / 2));
}

/**
 * The idle age at which the origin closes by what it said or did itself; -1: it has shown none. Races teach how long
 * to keep a connection, but whether one was a race is what this is asked for.
 */
export function learnedIdleMs(state: KeepAliveState, now: number): number {
  let least = Infinity;
  if (state.hintMs >= 0) least = Math.min(least, relaxed(state.hintMs, state.hintAt, now));
  if (state.closedMs >= 0) least = Math.min(least, relaxed(state.closedMs, state.closedAt, now));
  return least === Infinity ? -1 : least;
}

/** How the limit came about, for people. */
export function keepAliveBecause(options: KeepAliveOptions, state: KeepAliveState, now: number): string {
  const limit = maxIdleMs(options, state, now);
  if (limit >= options.idleMaxMs)
    return `the configured cap of ${durationInWords(options.idleMaxMs)}; nothing shorter was learned`;
  const retired = `idle connections are retired after ${durationInWords(limit)}`;
  if (state.hintMs >= 0 && withMargin(relaxed(state.hintMs, state.hintAt, now)) === limit) {
    return `the origin said Keep-Alive: timeout=${state.hintMs / 1000}, so ${retired}`;
  }
  if (state.closedMs >= 0 && withMargin(relaxed(state.closedMs, state.closedAt, now)) === limit) {
    return `the origin closed idle connections after ${durationInWords(state.closedMs)} ${CLOSES_NEEDED} times in a row, so ${retired}`;
  }
  return `a request on a connection idle for ${durationInWords(state.racedMs)} found it closed, so ${retired}`;
}

/** One second or a fifth below what the origin does, whichever is more; but half of it for very short ones. */
function withMargin(ms: number): number {
  return Math.max(ms / 2, ms - Math.max(MARGIN_MIN_MS, ms * MARGIN_RATIO));
}

/** Doubled for each stretch of time without a new word. */
function relaxed(ms: number, at: number, now: number): number {
  const silence = now - at;
  if (silence < FORGET_AFTER_MS) return ms;
  // A timeout of 0 would stay 0 for ever; after the first stretch it counts as a second.
  const base = Math.max(ms, MARGIN_MIN_MS);
  return base * 2 ** Math.min(Math.floor(silence / FORGET_AFTER_MS), 30);
}
