/**
 * What is usual at this hour: how often a service is asked, which part of that fails or has to be rescued, how long answers take.
 * A batch that makes every night slow is no incident, and a ratio that would be nothing at noon is one at four in the morning.
 *
 * One level is kept for each hour of the last four weeks, and an hour is compared with the same hour of the week before it, or,
 * as long as too few weeks are known, with the same hour of the days before it. Enough are two weeks or three days; with
 * fewer there is no opinion instead of a wrong one. Levels are as they were, also in incidents: what is said to be usual is their
 * middle, which one bad night does not move, and what has to be exceeded to be unusual is their highest.
 *
 * Failures and latency of an hour are those of its worst quarter: what comes for ten minutes every night is usual in all of that hour.
 * What begins a little earlier or later than always is usual too (SLACK_MS).
 *
 * Hours are UTC: when a country changes its clock, what is usual moves by an hour and is learned again within days.
 */
import type { SparseHistogram } from "../contract/facts.ts";
import { createHistogram, quantileUs } from "../kernel/histogram.ts";
import type { Histogram } from "../kernel/histogram.ts";
import { addSparse, clear } from "./sparse-histogram.ts";

/** What an hour is held to. */
export interface Expected {
  /** The least that it was. */
  readonly low: number;
  /** What it mostly is. */
  readonly usual: number;
  /** The most that it was. */
  readonly high: number;
}

/** Levels of the last hours; plain data. */
export interface Hours {
  /** The newest hour that is kept, of the epoch; −1: none. */
  newest: number;
  /** By hour of the epoch modulo their number; UNKNOWN for those that were not seen. */
  readonly levels: number[];
}

export interface Season {
  readonly perSecond: Hours;
  readonly failed: Hours;
  readonly rescued: Hours;
  /** µs. */
  readonly p95: Hours;
  readonly now: HourUnderWay;
}

/** Not kept over a restart: of the hour in which one is, that may be half an hour too little to be known. */
interface HourUnderWay {
  hour: number;
  seconds: number;
  /** Of seconds in which nothing was wrong. */
  wellSeconds: number;
  exchanges: number;
  quarter: number;
  total: number;
  failed: number;
  rescued: number;
  readonly durations: Histogram;
  /** Of the quarters that are over; UNKNOWN: none. */
  failedMost: number;
  rescuedMost: number;
  p95Most: number;
}

export interface Second {
  readonly total: number;
  readonly failed: number;
  readonly rescued: number;
  readonly durations: readonly SparseHistogram[];
  /** Nothing is wrong. How often a service is asked is learned from such seconds only: silence must not become usual. */
  readonly isWell: boolean;
}

const HOUR_MS = 3_600_000;
const QUARTER_MS = 900_000;
const SLACK_MS = 600_000;
const HOURS_KEPT = 4 * 168;
const UNKNOWN = -1;
const WEEKS = [168, 336, 504, 672];
const DAYS = [24, 48, 72, 96, 120, 144, 168];
const WEEKS_ENOUGH = 2;
const DAYS_ENOUGH = 3;
/** An hour of which less was seen says nothing. */
const SECONDS_MIN = 1_800;
const DURATIONS_MIN = 100;
/** As if so many more had gone well: one failure of a quiet service makes nothing usual. */
const ADDED = 300;

export function createSeason(): Season {
  return {
    perSecond: createHours(),
    failed: createHours(),
    rescued: createHours(),
    p95: createHours(),
    now: {
      hour: -1,
      seconds: 0,
      wellSeconds: 0,
      exchanges: 0,
      quarter: -1,
      total: 0,
      failed: 0,
      rescued: 0,
      durations: createHistogram(),
      failedMost: UNKNOWN,
      rescuedMost: UNKNOWN,
      p95Most: UNKNOWN,
    },
  };
}

/** One second that is known. */
export function learnSecond(season: Season, at: number, second: Second): void {
  const { now } = season;
  const quarter = Math.floor(at / QUARTER_MS);
  if (quarter !== now.quarter) {
    endQuarter(now);
    now.quarter = quarter;
  }
  const hour = Math.floor(at / HOUR_MS);
  if (hour !== now.hour) {
    endHour(season);
    now.hour = hour;
  }
  now.seconds += 1;
  now.total += second.total;
  now.failed += second.failed;
  now.rescued += second.rescued;
  for (const durations of second.durations) addSparse(now.durations, durations);
  if (!second.isWell) return;
  now.wellSeconds += 1;
  now.exchanges += second.total;
}

/** Null: too little is known of this hour. */
export function expectedAt(hours: Hours, at: number): Expected | null {
  const hour = Math.floor(at / HOUR_MS);
  const expected = expectedIn(hours, hour);
  if (expected === null) return null;
  let { low, usual, high } = expected;
  for (const near of [Math.floor((at - SLACK_MS) / HOUR_MS), Math.floor((at + SLACK_MS) / HOUR_MS)]) {
    const beside = near === hour ? null : expectedIn(hours, near);
    if (beside === null) continue;
    low = Math.min(low, beside.low);
    usual = Math.max(usual, beside.usual);
    high = Math.max(high, beside.high);
  }
  return { low, usual, high };
}

/** Levels in the order of time, from the oldest known to the newest, for the store. */
export type SavedHours = readonly [newest: number, levels: readonly number[]];
export type SavedSeason = readonly [perSecond: SavedHours, failed: SavedHours, rescued: SavedHours, p95: SavedHours];

export function saveSeason({ perSecond, failed, rescued, p95 }: Season): SavedSeason {
  return [saveHours(perSecond), saveHours(failed), saveHours(rescued), saveHours(p95)];
}

export function restoreSeason([perSecond, failed, rescued, p95]: SavedSeason): Season {
  return {
    ...createSeason(),
    perSecond: restoreHours(perSecond),
    failed: restoreHours(failed),
    rescued: restoreHours(rescued),
    p95: restoreHours(p95),
  };
}

export function createHours(): Hours {
  return { newest: -1, levels: Array.from({ length: HOURS_KEPT }, () => UNKNOWN) };
}

export function keepHour(hours: Hours, hour: number, level: number): void {
  // The clock was set back: what comes after it has not been yet.
  for (let later = hour + 1; later <= hours.newest && later <= hour + HOURS_KEPT; later += 1)
    put(hours, later, UNKNOWN);
  const from = Math.max(hours.newest + 1, hour - HOURS_KEPT + 1);
  for (let between = from; between < hour; between += 1) put(hours, between, UNKNOWN);
  hours.newest = hour;
  put(hours, hour, round(level));
}

function put(hours: Hours, hour: number, level: number): void {
  hours.levels[hour % HOURS_KEPT] = level;
}

function expectedIn(hours: Hours, hour: number): Expected | null {
  const weeks = levelsOf(hours, hour, WEEKS);
  const days = levelsOf(hours, hour, DAYS);
  const isByWeek = weeks.length >= WEEKS_ENOUGH;
  if (!isByWeek && days.length < DAYS_ENOUGH) return null;
  const all = [...weeks, ...days];
  const likely = isByWeek ? weeks : days;
  return {
    low: Math.min(...all),
    // Of an even number the lower one: what was so in half of them is not usual.
    usual: likely.toSorted((a, b) => a - b)[Math.floor((likely.length - 1) / 2)] ?? 0,
    high: Math.max(...all),
  };
}

function levelsOf({ newest, levels }: Hours, hour: number, back: readonly number[]): number[] {
  const known: number[] = [];
  for (const hours of back) {
    const earlier = hour - hours;
    if (earlier < 0 || earlier > newest || earlier <= newest - HOURS_KEPT) continue;
    const level = levels[earlier % HOURS_KEPT] ?? UNKNOWN;
    if (level !== UNKNOWN) known.push(level);
  }
  return known;
}

function endQuarter(now: HourUnderWay): void {
  if (now.total > 0) {
    now.failedMost = Math.max(now.failedMost, now.failed / (now.total + ADDED));
    now.rescuedMost = Math.max(now.rescuedMost, now.rescued / (now.total + ADDED));
  }
  now.total = 0;
  now.failed = 0;
  now.rescued = 0;
  // Too few to say how long most take: they count into the next quarter of the hour.
  if (now.durations.count < DURATIONS_MIN) return;
  now.p95Most = Math.max(now.p95Most, quantileUs(now.durations, 0.95));
  clear(now.durations);
}

function endHour({ perSecond, failed, rescued, p95, now }: Season): void {
  if (now.wellSeconds >= SECONDS_MIN) keepHour(perSecond, now.hour, now.exchanges / now.wellSeconds);
  if (now.seconds >= SECONDS_MIN && now.failedMost !== UNKNOWN) {
    keepHour(failed, now.hour, now.failedMost);
    keepHour(rescued, now.hour, now.rescuedMost);
    if (now.p95Most !== UNKNOWN) keepHour(p95, now.hour, now.p95Most);
  }
  now.seconds = 0;
  now.wellSeconds = 0;
  now.exchanges = 0;
  now.failedMost = UNKNOWN;
  now.rescuedMost = UNKNOWN;
  now.p95Most = UNKNOWN;
  clear(now.durations);
}

function saveHours({ newest, levels }: Hours): SavedHours {
  const kept: number[] = [];
  for (let hour = newest - HOURS_KEPT + 1; hour <= newest; hour += 1) {
    const level = hour < 0 ? UNKNOWN : (levels[hour % HOURS_KEPT] ?? UNKNOWN);
    if (kept.length > 0 || level !== UNKNOWN) kept.push(level);
  }
  return [newest, kept];
}

function restoreHours([newest, kept]: SavedHours): Hours {
  const hours = createHours();
  kept.slice(-HOURS_KEPT).forEach((level, index, all) => {
    put(hours, newest - all.length + 1 + index, level);
  });
  hours.newest = newest;
  return hours;
}

/** Three digits are as much as is known, and a tenth of the length to write down. */
function round(level: number): number {
  return Number(level.toPrecision(3));
}
