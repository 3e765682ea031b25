/**
 * Whether a whole pool has gone silent: requests wait at it, and nobody there says a word. What is slow beside its
 * peers is found by comparing (slowness.ts); when the way to a provider is cut without a word there is nobody left to
 * compare with, connections neither open nor fail, and each limit (connect 2 s, first byte 15 s) would be waited for
 * by everybody who asked meanwhile.
 *
 * Silence is told from slowness by what the pool usually needs: nobody has been heard for longer than nearly all
 * answers take, while several requests at several addresses have waited all that time. It is a guess, so it ejects
 * nobody and moves no preference: reads go elsewhere as long as it lasts, a few go on asking, and the first byte that
 * is heard ends it.
 */
import { countAbove, medianOf } from "./latency-window.ts";
import type { LatencyWindow } from "./latency-window.ts";
import { durationInWords } from "./words.ts";

/** Not before this, however fast the pool usually is: a lost packet is sent again after a fifth of a second (RFC 6298). */
export const SILENT_FROM_MS = 400;
/** Times the median there: pages that take long on purpose must not look like silence. */
const USUAL_TIMES = 8;
/** Answers in the window that the median needs. */
const ANSWERS_MIN = 20;
/** Fewer waits than this may be chance. */
const WAITS_MIN = 3;
/** How often one request asks a silent pool whether it speaks again. */
const ASK_EVERY_MS = 250;
/** Nobody has asked for so long: what is known is too old to go by. */
const FORGET_MS = 5_000;

export interface SilenceMember {
  /** Attempts that wait for their first byte, oldest first. */
  readonly waits: { readonly oldest: SilenceWait | null };
  /** When the last first byte of a response came from it, monotonic ms; -1: never. */
  readonly heardAt: number;
}

export interface SilenceWait {
  /** Monotonic ms since when it waits. */
  readonly turnMs: number;
  readonly newer: SilenceWait | null;
}

export interface SilenceState {
  /** Monotonic ms when it was found silent; -1: it is not. */
  since: number;
  /** When one request may ask it. */
  askAt: number;
  /** From how long on a wait counted when it was found silent, ms. */
  fromMs: number;
}

export function createSilence(): SilenceState {
  return { since: -1, askAt: 0, fromMs: 0 };
}

/** From how long on a wait tells of silence, ms; `latencies` are those of the whole pool. Infinity: too little is known. */
export function silentFromMs(latencies: LatencyWindow, now: number): number {
  if (countAbove(latencies, -1, now) < ANSWERS_MIN) return Infinity;
  return Math.max(SILENT_FROM_MS, USUAL_TIMES * medianOf(latencies, now));
}

/**
 * Looks at a pool. `members`: its addresses. `stallEndedAt`: when this process last stood still, monotonic ms; whoever
 * does not listen hears nothing. True when it is silent.
 */
export function observeSilence(
  state: SilenceState,
  members: readonly SilenceMember[],
  latencies: LatencyWindow,
  stallEndedAt: number,
  now: number,
): boolean {
  let heardAt = -1;
  for (const member of members) if (member.heardAt > heardAt) heardAt = member.heardAt;
  if (state.since !== -1) {
    const isOver = heardAt > state.since || now - state.askAt > FORGET_MS;
    if (isOver) state.since = -1;
    return !isOver;
  }
  // Nearly always somebody was heard a moment ago; a pool that was never heard is only starting.
  if (heardAt === -1 || now - heardAt < SILENT_FROM_MS) return false;
  const fromMs = silentFromMs(latencies, now);
  if (now - heardAt < fromMs || now - stallEndedAt < fromMs) return false;
  let places = 0;
  let waits = 0;
  for (const member of members) {
    let counted = 0;
    for (let wait = member.waits.oldest; wait !== null && counted < WAITS_MIN; wait = wait.newer) {
      if (now - wait.turnMs < fromMs) break;
      counted += 1;
    }
    waits += counted;
    if (counted > 0) places += 1;
  }
  // One address of several may be ill by itself: then comparing it with its peers tells.
  if (waits < WAITS_MIN || places < Math.min(2, members.length)) return false;
  state.since = now;
  state.askAt = now + ASK_EVERY_MS;
  state.fromMs = fromMs;
  return true;
}

/** Whether this request, which may be sent twice, is the one that asks a silent pool. */
export function asksSilent(state: SilenceState, now: number): boolean {
  if (now < state.askAt) return false;
  state.askAt = now + ASK_EVERY_MS;
  return true;
}

export function silenceInWords(pool: string, state: SilenceState): string {
  return `pool ${pool} was silent: no answer from any of its addresses for ${durationInWords(state.fromMs)}, while requests waited at them`;
}
