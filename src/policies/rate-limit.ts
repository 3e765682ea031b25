/**
 * So many requests in so much time, for everybody together or for each client: the generic cell rate algorithm in
 * its leaky-bucket form (ITU-T I.371 §A: both forms decide alike). Each request raises a level that falls at the
 * permitted rate; a request that would raise it above the burst is refused and raises nothing. Unlike a counter per
 * window it lets nobody have two windows' worth around the turn of a second, and it needs two numbers per client.
 *
 * Levels are whole numbers: a request weighs `periodMs`, a millisecond takes `count` away, and nothing is rounded, so
 * a limit means the same after a year. Time is read in whole milliseconds.
 *
 * Clients are strangers, so the table of levels has a fixed size. When there is no room for a newcomer it takes the
 * place of whoever has the lowest level in its row, and takes over that level too. An empty level is nobody's loss;
 * and whoever is pushed out can come back only to a level at least as high as his own would be: every place in the
 * row was at least that high when he was pushed out, and all levels fall alike. So no flood of invented keys resets
 * a limit. The price is told by the same sentence: a table that is too small refuses some newcomers too early, never
 * lets anybody have more.
 *
 * Not here: what a key is made of (gateway/client-key.ts), and one limit for a fleet of gateways.
 */

/** Part of the shape of `RateLimitSettings` in config/settings.ts. */
export interface RateLimitOptions {
  /** So many requests … */
  readonly count: number;
  /** … in so much time. */
  readonly periodMs: number;
  /** So many at once, after a pause. At least 1. */
  readonly burst: number;
}

/** Rows of places, flat. Changed in place. */
export interface RateTable {
  readonly rows: number;
  /** 0: nobody yet. */
  readonly keys: number[];
  readonly levels: number[];
  /** When the level was that, whole ms. */
  readonly at: number[];
}

/** Places in a row: with eight, rows fill up evenly enough that a table is used to nine tenths before one overflows. */
const WAYS = 8;

/** For `keysMax` keys; 1: everybody shares one level. */
export function createRateTable(keysMax: number): RateTable {
  const rows = rowsFor(keysMax);
  const places = keysMax <= 1 ? 1 : rows * WAYS;
  const zeros = (): number[] => Array.from({ length: places }, () => 0);
  return { rows, keys: zeros(), levels: zeros(), at: zeros() };
}

export function rowsFor(keysMax: number): number {
  return Math.max(1, Math.ceil(keysMax / WAYS));
}

/** The place of this key, which it gets if it has none. Valid until the next call for another key. */
export function placeOf(options: RateLimitOptions, table: RateTable, key: number, now: number): number {
  const { rows, keys } = table;
  const ways = keys.length / rows;
  const first = (key % rows) * ways;
  for (let place = first; place < first + ways; place += 1) if (keys[place] === key) return place;
  let lowest = first;
  let level = Number.POSITIVE_INFINITY;
  for (let place = first; place < first + ways; place += 1) {
    const other = levelAt(options, table, place, now);
    if (other >= level) continue;
    level = other;
    lowest = place;
  }
  keys[lowest] = key;
  table.levels[lowest] = level;
  table.at[lowest] = Math.floor(now);
  return lowest;
}

/** How many requests may come now; 0: this one is too many. */
export function remainingAt(options: RateLimitOptions, table: RateTable, place: number, now: number): number {
  const room = options.burst * options.periodMs - levelAt(options, table, place, now);
  return Math.floor(room / options.periodMs);
}

/** Counts one request. Only after `remainingAt` gave at least 1. */
export function takeOne(options: RateLimitOptions, table: RateTable, place: number, now: number): void {
  table.levels[place] = levelAt(options, table, place, now) + options.periodMs;
  table.at[place] = Math.floor(now);
}

/** ms until one more may come; 0: now. */
export function waitMsAt(options: RateLimitOptions, table: RateTable, place: number, now: number): number {
  const { burst, periodMs, count } = options;
  const above = levelAt(options, table, place, now) + periodMs - burst * periodMs;
  return above <= 0 ? 0 : Math.ceil(above / count);
}

/** ms until all of the burst is there again. */
export function fullMsAt(options: RateLimitOptions, table: RateTable, place: number, now: number): number {
  return Math.ceil(levelAt(options, table, place, now) / options.count);
}

/** Whoever is not known yet begins as if the burst had been used up at `at`, which may be a while ago. */
export function fillTable({ burst, periodMs }: RateLimitOptions, { levels, at: times }: RateTable, at: number): void {
  levels.fill(burst * periodMs);
  times.fill(Math.floor(at));
}

/** So much counts of this key at least: it was counted elsewhere before. */
export function raiseTo(options: RateLimitOptions, table: RateTable, place: number, level: number, now: number): void {
  table.levels[place] = Math.max(level, levelAt(options, table, place, now));
  table.at[place] = Math.floor(now);
}

/** A clock that goes back counts as one that stands still. */
export function levelAt(options: RateLimitOptions, { levels, at }: RateTable, place: number, now: number): number {
  const level = levels[place] ?? 0;
  const elapsed = Math.floor(now) - (at[place] ?? 0);
  if (elapsed <= 0) return level;
  const left = level - elapsed * options.count;
  return left > 0 ? left : 0;
}
