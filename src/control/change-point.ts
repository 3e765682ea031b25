/**
 * Whether a part of many (failures of attempts, slow ones of answers, clients that left) has become larger than it
 * usually is: a cumulative sum (CUSUM, Page 1954) of log-likelihood ratios of two binomials, the usual ratio against
 * one that would be a disturbance.
 *
 * Why this and no threshold on a window: it needs a handful of events whatever the traffic is, so that a service with
 * one request a second is watched as well as one with ten thousand; an outright failure is found within seconds and
 * one of a few per cent within a minute; and its rate of false alarms is stated instead of tried out. For sums of
 * log-likelihood ratios the average run length to a false alarm is at least e^h observations (Lorden 1971), so with
 * h = ln(observations in 30 days) a watch at its usual ratio raises less than one false alarm in 30 days. The usual ratio is set
 * half as high again as what was seen, so real rates of false alarms are far below that.
 *
 * Beside the sum against a small rise runs one against "every second one fails". What is asked once in a few seconds, or is avoided
 * after its first failures, is found by it after three failures in a row instead of five. Two sums may be wrong
 * twice as often, so each has to be surer by ln 2.
 *
 * The usual ratio is learned slowly, and not while the sum is on the rise: a disturbance must not become usual
 * before it was told. What rises more slowly than that is learned all the same; once enough days are known (seasonal.ts), what is
 * usual is held between what it mostly was at this hour and the most that it was.
 */
import type { Expected } from "./seasonal.ts";

export interface RatioWatch {
  /** Faded counts of the time that went well: what is usual. */
  usualBad: number;
  usualTotal: number;
  /** Faded counts of the last seconds. */
  recentBad: number;
  recentTotal: number;
  score: number;
  /** The sum against an outright failure. Absent in what was kept before there was one. */
  outright?: number;
  /** When that one began to rise; 0: it is zero. */
  outrightSince: number;
  outrightPeak: number;
  /** When the sum began to rise: the first of what it counts. 0: it is zero. */
  since: number;
  /** The most that the sum was since then. */
  peak: number;
  /** When it last rose; epoch ms. */
  roseAt: number;
  /** When anything was last observed, and when that began after the last pause; epoch ms. */
  seenAt: number;
  resumedAt: number;
  /** Observations per second, faded. */
  perSecond: number;
  alarm: boolean;
  /** Counts of the time since the alarm: how bad it is. */
  alarmBad: number;
  alarmTotal: number;
  /** What speaks for its end: a sum like `score`, of being as usual against being as bad as it was. */
  wellScore: number;
}

export interface RatioOptions {
  /** Ratios below are all the same, 0–1. */
  readonly floor: number;
  /** What is added to the usual ratio to make a disturbance, at least; four times the usual when that is more. */
  readonly step: number;
  /** Whether a few in a row are enough: failures, which have a reason each, and not what comes in bursts by itself. */
  readonly outright?: boolean;
}

/** One false alarm in so many seconds per watch, at most, while nothing changes. */
export const FALSE_ALARM_EVERY_S: number = 30 * 86_400;

const HALF_LIFE_USUAL_S = 600;
const KEEP_USUAL = 0.5 ** (1 / HALF_LIFE_USUAL_S);
const KEEP_RECENT = 0.5 ** (1 / 4);
const USUAL_FACTOR = 1.5;
/** What fails more often than this is told each night, however usual it is. */
const EXPECTED_MOST = 0.05;
const STEP_FACTOR = 4;
/** The ratio of an outright failure, which the second sum is against. */
const OUTRIGHT = 0.5;
const OF_TWO: number = Math.LN2;
const ONE_FAILURE = 4.5;
const LONG_AGO_MS = 10_000;
/** What fell by so much was over, or as good as: what rises then began then. */
const FELL_TO = 0.5;
/** Nobody asked for so long, where usually ten would have. */
const PAUSE_MS = 60_000;
const PAUSE_OBSERVATIONS = 10;
/** e^10 to one that it is over: half a dozen good ones after an outright failure, hundreds after one of a few per cent. */
const WELL_SCORE = 10;
/** A sum that grows on would take as long to fall again. */
const SCORE_CAP = 1.5;
/** From here on the sum is on the rise, and nothing is learned. */
const LEARN_BELOW = 0.25;
const MUCH = 20;
const NEXT_TO_NOTHING = 0.05;

export function createRatioWatch(): RatioWatch {
  return {
    usualBad: 0,
    usualTotal: 0,
    recentBad: 0,
    recentTotal: 0,
    score: 0,
    outrightSince: 0,
    outrightPeak: 0,
    since: 0,
    peak: 0,
    roseAt: 0,
    seenAt: 0,
    resumedAt: 0,
    perSecond: 0,
    alarm: false,
    alarmBad: 0,
    alarmTotal: 0,
    wellScore: 0,
  };
}

/** What is usual, 0–1, with the floor and the margin that the watch is run with. `expected`: at this hour. */
export function usualRatio(watch: RatioWatch, { floor }: RatioOptions, expected: Expected | null = null): number {
  // As if so many had been seen already that one failure of a quiet service makes nothing usual.
  const seen = watch.usualTotal + 1 / floor;
  const usual = Math.min(0.5, Math.max(floor, (watch.usualBad / seen) * USUAL_FACTOR));
  if (expected === null) return usual;
  const most = Math.max(floor, expected.high * USUAL_FACTOR);
  const least = Math.min(expected.usual, EXPECTED_MOST) * USUAL_FACTOR;
  return Math.max(Math.min(usual, most), least);
}

/** One second of it. `learns`: false while something disturbs, so that the disturbance is not learned. */
export function watchRatio(
  watch: RatioWatch,
  bad: number,
  total: number,
  at: number,
  options: RatioOptions,
  learns: boolean,
  expected: Expected | null = null,
): void {
  const usual = usualRatio(watch, options, expected);
  const disturbed = Math.min(0.95, Math.max(usual * STEP_FACTOR, usual + options.step));
  const good = Math.max(0, total - bad);
  watch.recentBad = watch.recentBad * KEEP_RECENT + bad;
  watch.recentTotal = watch.recentTotal * KEEP_RECENT + total;
  watch.perSecond = watch.perSecond * KEEP_USUAL + total * (1 - KEEP_USUAL);
  const limit = alarmLimit(watch.perSecond) + (options.outright === true ? OF_TWO : 0);
  if (total > 0) {
    const gain = bad * Math.log(disturbed / usual) + good * Math.log((1 - disturbed) / (1 - usual));
    if (at - watch.seenAt > Math.max(PAUSE_MS, (PAUSE_OBSERVATIONS * 1000) / watch.perSecond)) watch.resumedAt = at;
    watch.seenAt = at;
    if (options.outright === true && usual < OUTRIGHT) watchOutright(watch, bad, good, at, usual, limit);
    if (gain > 0 && !watch.alarm && isBeginning(watch, at, watch.score, watch.peak)) {
      watch.since = at;
      watch.peak = 0;
    }
    if (gain > 0) watch.roseAt = at;
    watch.score = Math.min(limit * SCORE_CAP, Math.max(0, watch.score + gain));
    watch.peak = Math.max(watch.peak, watch.score);
  }
  if (watch.score === 0) watch.since = 0;
  if (!watch.alarm && Math.max(watch.score, watch.outright ?? 0) >= limit) {
    watch.alarm = true;
    // Of what fails outright the other sum knows better where it began: a few good ones are enough for it.
    if ((watch.outright ?? 0) >= limit) watch.since = Math.max(watch.since, watch.outrightSince);
    watch.alarmBad = watch.recentBad;
    watch.alarmTotal = watch.recentTotal;
  }
  if (watch.alarm) {
    const isWell = countsAsWell(watch, bad, good, usual, disturbed);
    if (isWell || isOver(watch, limit, (usual + disturbed) / 2)) endAlarm(watch);
  }
  if (learns && !watch.alarm && watch.score < limit * LEARN_BELOW) {
    watch.usualBad = watch.usualBad * KEEP_USUAL + bad;
    watch.usualTotal = watch.usualTotal * KEEP_USUAL + total;
  }
}

function watchOutright(watch: RatioWatch, bad: number, good: number, at: number, usual: number, limit: number): void {
  const before = watch.outright ?? 0;
  if (bad === 0 && before === 0) return;
  const gain = bad * Math.log(OUTRIGHT / usual) + good * Math.log((1 - OUTRIGHT) / (1 - usual));
  if (gain > 0 && !watch.alarm && isBeginning(watch, at, before, watch.outrightPeak)) {
    watch.outrightSince = at;
    watch.outrightPeak = 0;
  }
  watch.outright = Math.min(limit * SCORE_CAP, Math.max(0, before + gain));
  watch.outrightPeak = Math.max(watch.outrightPeak, watch.outright);
}

/** Whether what makes a sum rise now is the first of it. */
function isBeginning({ roseAt, resumedAt }: RatioWatch, at: number, score: number, peak: number): boolean {
  if (score <= peak * FELL_TO) return true;
  // A stray failure of a while ago is no beginning.
  if (score <= ONE_FAILURE && at - roseAt > LONG_AGO_MS) return true;
  // Nor does what was before a pause say when it began.
  return roseAt < resumedAt;
}

/** h: e^h observations between false alarms at least. */
export function alarmLimit(perSecond: number): number {
  return Math.log(FALSE_ALARM_EVERY_S * Math.max(1, perSecond));
}

/**
 * Where much is seen the last seconds decide, elsewhere the sum has to fall first: a pause between two failures is no end. No
 * traffic is no news: a watch without observations keeps its alarm until `recent` has faded away.
 */
function isOver({ score, recentBad, recentTotal }: RatioWatch, limit: number, between: number): boolean {
  if (recentTotal < NEXT_TO_NOTHING) return true;
  const ratio = recentBad / recentTotal;
  return (score < limit && ratio < between) || (recentTotal >= MUCH && ratio < between / 2);
}

/**
 * A sum that is high takes as long to fall as good ones are few, and what failed outright is over sooner than that: the end is
 * asked for by itself, against how bad it was. While it goes on, each failure takes back what the good ones said.
 */
function countsAsWell(watch: RatioWatch, bad: number, good: number, usual: number, disturbed: number): boolean {
  const ratio = watch.alarmTotal > 0 ? watch.alarmBad / watch.alarmTotal : 0;
  const asBad = Math.min(0.9, Math.max(disturbed, ratio));
  const gain = good * Math.log((1 - usual) / (1 - asBad)) - bad * Math.log(asBad / usual);
  watch.wellScore = Math.max(0, watch.wellScore + gain);
  // Good ones after the end make it no milder than it was.
  if (bad > 0) {
    watch.alarmBad += bad;
    watch.alarmTotal += bad + good;
  }
  return watch.wellScore >= WELL_SCORE;
}

/** Nothing was told for a long time: what was on the rise before that says nothing about now. */
export function forgetRise(watch: RatioWatch): void {
  if (!watch.alarm) endAlarm(watch);
}

function endAlarm(watch: RatioWatch): void {
  watch.alarm = false;
  watch.score = 0;
  watch.outright = 0;
  watch.outrightPeak = 0;
  watch.since = 0;
  watch.peak = 0;
  watch.wellScore = 0;
}
