/**
 * How slow an origin address is now: an average that rises fast and falls slowly, so that trouble is
 * believed at once and recovery only with time ("peak EWMA").
 *
 * Three things are our own choice:
 * - After a failure it counts as slow for a while, apart from the average: a second, twice as long after each further
 *   one that no answer came between. A balancer that sees only latency is drawn to the origin that refuses in a
 *   millisecond. As a sample in the average, one failure before an idle service would cost an origin all its requests
 *   for ten seconds, and one that was its first sample for a minute; who fails again and again is for ejection.ts.
 * - One sample raises the estimate at most fourfold. A gateway carries reports and thumbnails over the
 *   same origins; with an unbounded peak, one three-second report on a 5 ms origin would send the whole
 *   traffic of a small pool to its neighbours for most of a minute, and two in a row would swing it back.
 *   An origin that really is slow or failing gets there with its fourth or fifth sample.
 * - Silence lowers the estimate too, so an origin that was avoided is tried again without a special case.
 *
 * It does not count what is in flight (the connection pool does) and does not decide (choose-two.ts does).
 * The state is changed in place and nothing is allocated.
 */
export interface PeakEwma {
  /** ms at `at`; -1 while nothing is known. */
  estimateMs: number;
  /** Monotonic ms of the newest sample. */
  at: number;
  /** Failures since the last answer, up to a few; 0: what follows has no meaning. */
  failures: number;
  /** Monotonic ms of the newest failure. */
  failedAt: number;
  /** What it counts as at least, until that is over. */
  penaltyMs: number;
}

/** An old sample keeps 37 % of its weight after this time. */
const TIME_CONSTANT_MS = 10_000;
/** Differences below this are noise of our own event loop and of the network card. */
export const LATENCY_FLOOR_MS = 2;
/** What a failure counts as at least. */
const PENALTY_MS = 1_000;
/** And for how long, after the first; twice as long after each further one, up to the last of so many. */
const AVOIDED_MS = 1_000;
const FAILURES_MAX = 4;
/** A failure that is so long ago is no reason to take the next one for more. */
const FORGOTTEN_MS = 30_000;
/** What an origin that has not answered anything yet counts as, once something waits at it. */
const UNKNOWN_MS = 1_000;
const RISE_MAX = 4;
/** Keeps sums finite whatever a caller measured. */
const SAMPLE_MAX_MS = 600_000;

export function createPeakEwma(): PeakEwma {
  return { estimateMs: -1, at: 0, failures: 0, failedAt: 0, penaltyMs: 0 };
}

/** A response began `sampleMs` after its attempt started. */
export function recordLatency(state: PeakEwma, sampleMs: number, now: number): void {
  const sample = sampleMs > 0 ? Math.min(sampleMs, SAMPLE_MAX_MS) : 0;
  const known = state.estimateMs;
  if (known < 0) {
    state.estimateMs = sample;
  } else if (sample > known) {
    state.estimateMs = Math.min(sample, Math.max(known, LATENCY_FLOOR_MS) * RISE_MAX);
  } else {
    const kept = Math.exp(-Math.max(0, now - state.at) / TIME_CONSTANT_MS);
    state.estimateMs = known * kept + sample * (1 - kept);
  }
  if (now > state.at) state.at = now;
  // What was sent before the failure and answered after it says nothing about what comes next.
  if (state.failures > 0 && now - sample >= state.failedAt) state.failures = 0;
}

/** An attempt failed through the origin's or the network's fault after `sampleMs`. */
export function recordFailure(state: PeakEwma, sampleMs: number, now: number): void {
  const before = now - state.failedAt < FORGOTTEN_MS ? state.failures : 0;
  // Requests that were under way together and failed together are one failure.
  const isNews = before === 0 || now - sampleMs >= state.failedAt;
  state.failures = isNews ? Math.min(FAILURES_MAX, before + 1) : before;
  state.failedAt = now;
  state.penaltyMs = sampleMs > PENALTY_MS ? Math.min(sampleMs, SAMPLE_MAX_MS) : PENALTY_MS;
}

/**
 * The latency to reckon with, in ms. An unknown origin with nothing in flight is free of charge, so it is
 * tried at once; with something in flight it is dear, so it is not flooded before its first answer.
 */
export function expectedLatency(state: PeakEwma, inFlight: number, now: number): number {
  if (state.failures > 0 && now - state.failedAt < AVOIDED_MS * 2 ** (state.failures - 1)) {
    return Math.max(state.estimateMs, state.penaltyMs);
  }
  if (state.estimateMs < 0) return inFlight > 0 ? UNKNOWN_MS : 0;
  const silence = now - state.at;
  const estimate = silence > 0 ? state.estimateMs * Math.exp(-silence / TIME_CONSTANT_MS) : state.estimateMs;
  return estimate > LATENCY_FLOOR_MS ? estimate : LATENCY_FLOOR_MS;
}

/** What is known of it in a process that begins now, apart from failures, which are over in seconds; -1: nothing. */
export function learnedLatency(state: PeakEwma, now: number): number {
  if (state.estimateMs < 0) return -1;
  return state.estimateMs * Math.exp(-Math.max(0, now - state.at) / TIME_CONSTANT_MS);
}

/** Another process found it, at `at`. What was found here counts more. */
export function beginWithLatency(state: PeakEwma, latencyMs: number, at: number): void {
  if (state.estimateMs >= 0 || latencyMs < 0) return;
  state.estimateMs = Math.min(latencyMs, SAMPLE_MAX_MS);
  state.at = at;
}

/** What one more exchange would have to wait for, roughly. */
export function load(state: PeakEwma, inFlight: number, now: number): number {
  return expectedLatency(state, inFlight, now) * (inFlight + 1);
}
