/**
 * When which certificate is ordered, and from whom. Pure: times are epoch ms, because what it goes by outlives the
 * process, and chance is an argument.
 *
 * - A certificate is renewed when its issuer says so (ARI, RFC 9773), otherwise at two thirds of its life, at a moment
 *   that is drawn once for each, so that many do not come at once.
 * - What fails for the name's own reasons (nobody answers there, the proof is wrong) waits longer after each time, with
 *   full jitter; ten minutes to begin with, because authorities count five failures of a name in an hour.
 * - What fails at the authority (it is down, it says "later") is the authority's: the next one in the list is asked at
 *   once, and the one that failed is left alone for as long as it said, or for a while that doubles.
 * - So many certificates of one name in seven days, and no more, whatever happens: one that is obtained over and over,
 *   because something loses it, would otherwise use up what the authority allows, and then there is none for a week.
 */

export interface OrderOptions {
  /** Directories of authorities, the preferred one first. */
  readonly authorities: readonly string[];
  /** Certificates of one name. */
  readonly perWeekMax: number;
}

/** What is known of one name. Plain data, kept on disk. */
export interface NameState {
  readonly name: string;
  /** Null: there is no certificate. */
  readonly held: Held | null;
  /** Failures of its own in a row. */
  readonly failures: number;
  /** It is not tried before that because of them; 0: it may be. */
  readonly waitUntil: number;
  /** When certificates were obtained in the last seven days, oldest first. */
  readonly obtained: readonly number[];
  readonly lastError: string;
  /** When its issuer may be asked again for when to renew it; 0: now. */
  readonly askAt: number;
}

export interface Held {
  readonly notBefore: number;
  readonly notAfter: number;
  readonly authority: string;
  /** From 0 to 1, drawn when it was obtained: where in the time for it its renewal begins. */
  readonly roll: number;
  /** What its issuer suggests. Null: nothing is known. */
  readonly window: { readonly start: number; readonly end: number } | null;
}

export interface AuthorityState {
  readonly url: string;
  readonly failures: number;
  /** It is not asked before that; 0: it may be. */
  readonly waitUntil: number;
}

/** What is to be done: an order now, or nothing before a time. */
export type Plan =
  | { readonly kind: "order"; readonly name: string; readonly authority: string }
  | { readonly kind: "wait"; readonly until: number };

export interface Due {
  readonly at: number;
  readonly because: string;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
const RENEW_AT_RATIO = 2 / 3;
/** A twentieth of its life: what the moment of a renewal is spread over when nobody suggests one. */
const SPREAD_RATIO = 0.05;
const NAME_BACKOFF = { min: MINUTE, base: 10 * MINUTE, max: DAY };
const AUTHORITY_BACKOFF = { min: 1_000, base: MINUTE, max: HOUR };
/** Nothing may wait for ever on a word of somebody else. */
const RETRY_AFTER_MAX = WEEK;
/** With nothing to do, the next look. */
const LOOK_MS = DAY;

export function newName(name: string): NameState {
  return { name, held: null, failures: 0, waitUntil: 0, obtained: [], lastError: "", askAt: 0 };
}

/** When the certificate of a name is to be ordered, by what is known of the name alone. */
export function dueOf(options: OrderOptions, state: NameState, now: number): Due {
  const wanted = wantedAt(state);
  const lately = state.obtained.filter((at) => now - at < WEEK);
  const oldest = lately[lately.length - options.perWeekMax];
  const free = oldest === undefined ? 0 : oldest + WEEK;
  if (free > Math.max(wanted.at, state.waitUntil)) {
    return { at: free, because: `${lately.length} in seven days are as many as acme.certificatesPerWeek allows` };
  }
  if (state.waitUntil > wanted.at) return { at: state.waitUntil, because: "the last try failed" };
  return wanted;
}

export function planOrder(
  options: OrderOptions,
  names: readonly NameState[],
  authorities: readonly AuthorityState[],
  now: number,
): Plan {
  const dues = names.map((state) => ({ state, at: dueOf(options, state, now).at }));
  // Who has nothing comes first, and then whose certificate ends first.
  const due = dues.filter(({ at }) => at <= now).toSorted((one, other) => endOf(one.state) - endOf(other.state))[0];
  if (due === undefined) return { kind: "wait", until: Math.min(now + LOOK_MS, ...dues.map(({ at }) => at)) };
  const waits = options.authorities.map((url) => ({
    url,
    until: authorities.find((authority) => authority.url === url)?.waitUntil ?? 0,
  }));
  const free = waits.find(({ until }) => until <= now);
  if (free !== undefined) return { kind: "order", name: due.state.name, authority: free.url };
  return { kind: "wait", until: Math.min(...waits.map(({ until }) => until)) };
}

export function obtained(state: NameState, held: Held, now: number): NameState {
  const lately = [...state.obtained.filter((at) => now - at < WEEK), now];
  return { ...state, held, obtained: lately, failures: 0, waitUntil: 0, lastError: "", askAt: 0 };
}

/** `retryAfterMs`: what the authority said; -1: nothing. */
export function nameFailed(
  state: NameState,
  error: string,
  retryAfterMs: number,
  roll: number,
  now: number,
): NameState {
  const waitUntil = now + waitOf(NAME_BACKOFF, state.failures, retryAfterMs, roll);
  return { ...state, failures: state.failures + 1, waitUntil, lastError: error };
}

export function authorityFailed(
  state: AuthorityState,
  retryAfterMs: number,
  roll: number,
  now: number,
): AuthorityState {
  const waitUntil = now + waitOf(AUTHORITY_BACKOFF, state.failures, retryAfterMs, roll);
  return { ...state, failures: state.failures + 1, waitUntil };
}

export function authorityWorked({ url }: AuthorityState): AuthorityState {
  return { url, failures: 0, waitUntil: 0 };
}

/** By hand: what holds it back is forgotten, but for the bound of the week. */
export function wantedNow(state: NameState, now: number): NameState {
  const { held } = state;
  return { ...state, waitUntil: 0, held: held === null ? null : { ...held, window: { start: now, end: now } } };
}

interface Backoff {
  readonly min: number;
  readonly base: number;
  readonly max: number;
}

/** Full jitter: anything up to the limit, which doubles. What the other side says is kept to, and a little more. */
function waitOf(backoff: Backoff, failures: number, said: number, roll: number): number {
  const limit = Math.min(backoff.max, backoff.base * 2 ** Math.min(failures, 30));
  const own = Math.max(backoff.min, roll * limit);
  return said < 0 ? own : Math.max(own, Math.min(said, RETRY_AFTER_MAX) + roll * MINUTE);
}

function wantedAt({ held }: NameState): Due {
  if (held === null) return { at: 0, because: "there is none" };
  const { window, roll, notBefore, notAfter } = held;
  if (window !== null) {
    const at = window.start + roll * Math.max(0, window.end - window.start);
    return { at, because: "its issuer suggests that time" };
  }
  const life = notAfter - notBefore;
  const at = notBefore + life * (RENEW_AT_RATIO - roll * SPREAD_RATIO);
  return { at, because: "two thirds of its life are over then" };
}

function endOf({ held }: NameState): number {
  return held === null ? 0 : held.notAfter;
}
