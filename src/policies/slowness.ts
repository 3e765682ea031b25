/**
 * Is an origin slow while its peers are not? The one that answers its checks and most of its requests, and lets
 * every fifth wait for seconds, is the hardest to see ("gray"): no average and no median shows it.
 *
 * So requests are sorted into usual and slow, and slow is what takes far longer than is usual at the peers: a
 * multiple of their median and a time on top, because a multiple of one millisecond is noise. Where all have
 * slow requests (a report, an export) the peers have the same share of them, and nobody is accused.
 *
 * How many are too many is a sequential test (Page's cumulative sum): each slow request adds what it speaks for
 * an origin with a larger share of them than its peers, each usual one takes off what it speaks against, and the
 * sum never falls below zero. A share over a window would not do: the balancer avoids an origin from its first
 * slow answer on, so a handful of requests must be enough, and the good ones from before the trouble must not
 * outvote them.
 *
 * It must last: a pause of some hundred milliseconds (a collection of garbage) makes many requests slow and is over
 * before anything done about it would help.
 *
 * The peers are looked at twice: over the last while, and over the very time of the suspicion. Slow requests are
 * heard of late, so when traffic begins, ends or stands still for a moment they come in clusters, at all alike.
 *
 * What is measured is the time to the first byte of the response: what comes later is the pace of the client
 * as much as of the origin.
 */
import { bucketEndMs, bucketOf, countAbove, everAbove, medianBesides, NO_BUCKET } from "./latency-window.ts";
import type { LatencyWindow } from "./latency-window.ts";

/** The shape of `SlowSettings` in config/settings.ts. */
export interface SlowOptions {
  /** A request is slow above this multiple of the peers' median, and this many ms above it. */
  readonly factor: number;
  readonly extraMs: number;
  /** How much larger than its peers' share of slow requests the share of an origin is that has to be found soon. */
  readonly shareMin: number;
  /** Requests of its peers in the window that a comparison needs. */
  readonly peersMin: number;
}

/** Changed in place; plain data. */
export interface SlowState {
  /** The bucket above which a request is slow; `NO_BUCKET`: too little is known of the peers. */
  above: number;
  /** Its end in ms: a wait is slow from here on. */
  fromMs: number;
  /** Monotonic ms since when that has been known. */
  knownSince: number;
  /** What a slow request adds to the sum, and a usual one takes off. */
  gain: number;
  loss: number;
  /** The evidence so far, and the requests since it began to grow. */
  sum: number;
  slow: number;
  total: number;
  /** Monotonic ms when the suspicion began. */
  since: number;
  /** What the peers did when they were looked at. */
  peersSlow: number;
  peersTotal: number;
  /** What they had done ever, when the suspicion began. */
  everSlow: number;
  everTotal: number;
}

/** How likely an origin like its peers may be, at most, to be accused by its next requests. */
const CHANCE = 1e-6;
const SUM_MAX = -Math.log(CHANCE);
/** No peers are so well known that fewer than three slow requests would be proof. */
const USUAL_LEAST = 0.0005;
/** Longer than what passes by itself. */
export const LASTING_MS = 500;
/** A number, because Infinity does not survive JSON. */
const NEVER_MS = Number.MAX_SAFE_INTEGER;

export function createSlow(): SlowState {
  return {
    above: NO_BUCKET,
    fromMs: NEVER_MS,
    knownSince: 0,
    gain: 0,
    loss: 0,
    sum: 0,
    slow: 0,
    total: 0,
    since: 0,
    peersSlow: 0,
    peersTotal: 0,
    everSlow: 0,
    everTotal: 0,
  };
}

/** Learns from the peers what is slow. Not for every request: they change slowly. `pool`: their sum, with this one's own. */
export function lookAtPeers(
  options: SlowOptions,
  state: SlowState,
  pool: LatencyWindow,
  own: LatencyWindow,
  now: number,
): void {
  const total = countAbove(pool, -1, now) - countAbove(own, -1, now);
  const median = total < options.peersMin ? -1 : medianBesides(pool, own, now);
  if (median < 0) {
    clearSlow(state);
    state.above = NO_BUCKET;
    state.fromMs = NEVER_MS;
    return;
  }
  const above = bucketOf(Math.max(options.factor * median, median + options.extraMs));
  if (state.above === NO_BUCKET) state.knownSince = now;
  // A suspicion is pursued with the limit that it began with, unless that is out of place by now.
  if (state.sum === 0 || Math.abs(above - state.above) > 1) {
    clearSlow(state);
    state.above = above;
    state.fromMs = above < NO_BUCKET - 1 ? bucketEndMs(above) : NEVER_MS;
  }
  state.peersTotal = total;
  state.peersSlow = Math.max(0, countAbove(pool, state.above, now) - countAbove(own, state.above, now));
  weigh(options, state, shareOf(state.peersSlow, total));
}

/** A request ended. True: the origin is slower than its peers beyond doubt. */
export function countSlow(
  options: SlowOptions,
  state: SlowState,
  bucket: number,
  pool: LatencyWindow,
  own: LatencyWindow,
  now: number,
): boolean {
  if (bucket <= state.above) {
    if (state.sum === 0) return false;
    state.total += 1;
    state.sum -= state.loss;
    if (state.sum <= 0) clearSlow(state);
    return false;
  }
  if (state.sum === 0) {
    state.since = now;
    state.everSlow = everAbove(pool, state.above) - everAbove(own, state.above);
    state.everTotal = everAbove(pool, -1) - everAbove(own, -1);
  }
  state.slow += 1;
  state.total += 1;
  // Bounded, so that an origin that is held in use is believed again within some good requests.
  state.sum = Math.min(state.sum + state.gain, 2 * SUM_MAX);
  return isProven(options, state, pool, own, now);
}

/** The evidence is enough, has lasted, and is not what the peers show as well since the suspicion began. */
export function isProven(
  options: SlowOptions,
  state: SlowState,
  pool: LatencyWindow,
  own: LatencyWindow,
  now: number,
): boolean {
  if (state.sum < SUM_MAX || now - state.since < LASTING_MS) return false;
  comparePeers(options, state, pool, own);
  return state.sum >= SUM_MAX;
}

function comparePeers(options: SlowOptions, state: SlowState, pool: LatencyWindow, own: LatencyWindow): void {
  const total = everAbove(pool, -1) - everAbove(own, -1) - state.everTotal;
  const slow = everAbove(pool, state.above) - everAbove(own, state.above) - state.everSlow;
  const usual = Math.max(shareOf(state.peersSlow, state.peersTotal), shareOf(slow, total));
  if (total > 0) weigh(options, state, usual);
}

/** Half a request: peers that had no slow one are not known to have none ever. */
function shareOf(slow: number, total: number): number {
  return Math.max(0, slow + 0.5) / (Math.max(0, total) + 1);
}

/** What a request counts for when the usual share is this, and what those so far amount to. */
function weigh(options: SlowOptions, state: SlowState, share: number): void {
  const usual = Math.max(USUAL_LEAST, share);
  const suspected = usual + options.shareMin;
  if (suspected >= 1) {
    // Where nearly all is slow, none can be much slower.
    state.gain = 0;
    state.loss = 0;
    clearSlow(state);
    return;
  }
  state.gain = Math.log(suspected / usual);
  state.loss = -Math.log((1 - suspected) / (1 - usual));
  if (state.sum === 0) return;
  const sum = state.slow * state.gain - (state.total - state.slow) * state.loss;
  state.sum = Math.min(sum, 2 * SUM_MAX);
  if (!(sum > 0)) clearSlow(state);
}

export function clearSlow(state: SlowState): void {
  state.sum = 0;
  state.slow = 0;
  state.total = 0;
}

/** `4 of its last 11 requests took longer than 128 ms, and 1 of 240 at its peers`. */
export function slownessInWords(state: SlowState): string {
  const limit = bucketEndMs(state.above);
  const limitText = limit < 1000 ? `${Math.round(limit)} ms` : `${(limit / 1000).toFixed(1)} s`;
  const own = state.slow === state.total ? `its last ${state.total}` : `${state.slow} of its last ${state.total}`;
  return `${own} requests took longer than ${limitText}, and ${state.peersSlow} of ${state.peersTotal} at its peers`;
}
