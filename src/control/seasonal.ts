/**
 * What is usual at this hour of the week: one mean and one deviation for each of its 168 hours, faded over weeks. It
 * answers only for hours that it has seen in an earlier week, so a new gateway has no opinion instead of a wrong one.
 */
export interface Seasons {
  /** For each hour of the week, UTC, beginning with Thursday 00:00 as the epoch does. */
  readonly hours: ({ mean: number; deviation: number; weeks: number } | null)[];
  /** The hour under way. */
  hour: number;
  sum: number;
  seconds: number;
}

const HOURS_OF_WEEK = 168;
const HOUR_MS = 3_600_000;
const NEWEST_WEIGHT = 0.4;
/** An hour of which less was seen says nothing. */
const SECONDS_MIN = 1_800;

export function createSeasons(): Seasons {
  return { hours: Array.from({ length: HOURS_OF_WEEK }, () => null), hour: -1, sum: 0, seconds: 0 };
}

/** One second with `value` in it. */
export function learnSecond(seasons: Seasons, at: number, value: number): void {
  const hour = Math.floor(at / HOUR_MS);
  if (hour !== seasons.hour) {
    if (seasons.hour >= 0 && seasons.seconds >= SECONDS_MIN) keepHour(seasons);
    seasons.hour = hour;
    seasons.sum = 0;
    seasons.seconds = 0;
  }
  seasons.sum += value;
  seasons.seconds += 1;
}

/** Null: this hour of the week was not seen before. */
export function usualAt(seasons: Seasons, at: number): { readonly mean: number; readonly deviation: number } | null {
  return seasons.hours[Math.floor(at / HOUR_MS) % HOURS_OF_WEEK] ?? null;
}

function keepHour(seasons: Seasons): void {
  const index = seasons.hour % HOURS_OF_WEEK;
  const mean = seasons.sum / seasons.seconds;
  const before = seasons.hours[index] ?? null;
  if (before === null) {
    seasons.hours[index] = { mean, deviation: mean / 2, weeks: 1 };
    return;
  }
  before.deviation += (Math.abs(mean - before.mean) - before.deviation) * NEWEST_WEIGHT;
  before.mean += (mean - before.mean) * NEWEST_WEIGHT;
  before.weeks += 1;
}
