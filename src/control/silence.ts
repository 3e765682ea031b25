/**
 * Traffic that vanished. A service that is asked all the time and then not at all is broken in front of the gateway,
 * where no error shows. Nothing coming is told from little coming: a watch has an opinion only about a service that
 * had requests in nearly every ten seconds of the last half hour, and only once the chance of such a pause is below
 * e^-25 at a tenth of the usual rate, so that load which falls (the night, a batch that ended) stays quiet.
 */
import type { Expected } from "./seasonal.ts";

export interface SilenceWatch {
  /** Exchanges per second, faded over ten minutes. */
  perSecond: number;
  /** Part of the stretches of ten seconds that had any, faded over half an hour. */
  steadiness: number;
  stretchCount: number;
  stretchSeconds: number;
  /** Stretches seen, and empty ones of the pause under way, which count once it is over. */
  stretches: number;
  emptyStretches: number;
  /** Seconds known without an exchange, up to now. */
  quietSeconds: number;
  /** Epoch ms of the first quiet second; 0: it is not quiet. */
  since: number;
  alarm: boolean;
  /** The last pause in which something should have come: how long, and when it ended, epoch ms. */
  lullSeconds: number;
  lullEndedAt: number;
}

const STRETCH_S = 10;
/** Half an hour of stretches. */
const STRETCH_WEIGHT = 1 / 180;
const STRETCHES_MIN = 90;
const STEADY_MIN = 0.98;
const RATE_WEIGHT = 1 / 600;
/** Of the usual rate: load may fall so far within ten minutes and is no silence. */
const PART_OF_USUAL = 0.1;
const UNLIKELY = 25;
const QUIET_MIN_S = 20;
/** So long without the least of what comes, by chance once in e^30. */
const LULL_MIN_S = 8;
const LULL_EXPECTED = 30;

export function createSilenceWatch(): SilenceWatch {
  return {
    perSecond: 0,
    steadiness: 0,
    stretchCount: 0,
    stretchSeconds: 0,
    stretches: 0,
    emptyStretches: 0,
    quietSeconds: 0,
    since: 0,
    alarm: false,
    lullSeconds: 0,
    lullEndedAt: 0,
  };
}

/**
 * One second that is known, with `count` exchanges in it. A second without facts must not be told as an empty one. `expected`: how many
 * come in a second at this hour.
 */
export function watchSilence(watch: SilenceWatch, count: number, at: number, expected: Expected | null): void {
  if (count > 0) {
    if (watch.quietSeconds >= LULL_MIN_S && watch.quietSeconds * watch.perSecond >= LULL_EXPECTED) {
      watch.lullSeconds = watch.quietSeconds;
      watch.lullEndedAt = at;
    }
    // What was told as silence was no pause of the usual kind.
    if (watch.alarm) watch.emptyStretches = 0;
    watch.alarm = false;
    watch.quietSeconds = 0;
    watch.since = 0;
  } else {
    if (watch.quietSeconds === 0) watch.since = at;
    watch.quietSeconds += 1;
    if (!watch.alarm && watch.quietSeconds >= QUIET_MIN_S && expectedInPause(watch, expected) >= UNLIKELY)
      watch.alarm = true;
  }
  if (watch.alarm) return;
  // What is quiet is not learned at once: a pause would make itself usual.
  if (watch.quietSeconds < QUIET_MIN_S)
    watch.perSecond +=
      (count - watch.perSecond) * Math.max(RATE_WEIGHT, 1 / (watch.stretches * STRETCH_S + watch.stretchSeconds + 1));
  watch.stretchCount += count;
  watch.stretchSeconds += 1;
  if (watch.stretchSeconds < STRETCH_S) return;
  if (watch.stretchCount === 0) watch.emptyStretches += 1;
  else {
    for (; watch.emptyStretches > 0; watch.emptyStretches -= 1) learnStretch(watch, 0);
    learnStretch(watch, 1);
  }
  watch.stretchCount = 0;
  watch.stretchSeconds = 0;
}

function learnStretch(watch: SilenceWatch, had: 0 | 1): void {
  watch.steadiness += (had - watch.steadiness) * Math.max(STRETCH_WEIGHT, 1 / (watch.stretches + 1));
  watch.stretches += 1;
}

/** How many exchanges the pause should have had, carefully. */
function expectedInPause(watch: SilenceWatch, expected: Expected | null): number {
  if (watch.stretches < STRETCHES_MIN || watch.steadiness < STEADY_MIN) return 0;
  const rate = expected === null ? watch.perSecond : Math.min(watch.perSecond, expected.low);
  return rate * PART_OF_USUAL * watch.quietSeconds;
}
