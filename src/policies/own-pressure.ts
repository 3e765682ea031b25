/**
 * How near this gateway is to limits of its own (memory, file descriptors, the event loop), and what it gives up for
 * that before they break it: a process that is killed or cannot open a socket serves nobody.
 *
 * Four levels, each for a part of the limit that is in use; the worst resource decides:
 * 1. background requests are turned away, nothing is repeated or hedged, idle clients make room;
 * 2. half of the normal ones as well, and more with each percent;
 * 3. all but critical ones.
 *
 * A level begins at once and ends when two seconds were better: what is turned away lowers the use at once, and without
 * that rest the levels would follow it up and down. A warning comes earlier than any level when the use grows so that
 * the limit will be met within half a minute. It looks at the client connections that may be open as well, which are a
 * wall for clients and no reason to turn requests away.
 *
 * What is 0 in a sample is not known, and no reason for anything.
 */
import type { ClassRank } from "./admission-queue.ts";
import { durationInWords, shareInWords, sizeInWords } from "./words.ts";

export interface PressureOptions {
  /** 0: what the sample says there is. */
  readonly memoryBytes: number;
  /** 0: lateness of the loop is no reason. */
  readonly loopDelayMs: number;
  /** The part of the descriptors that counts as all of them. */
  readonly descriptorRatio: number;
  /** Client connections that may be open. */
  readonly connectionsMax: number;
}

export interface PressureSample {
  readonly memoryBytes: number;
  readonly memoryMax: number;
  readonly descriptorsOpen: number;
  readonly descriptorsMax: number;
  /** Client connections that are open. */
  readonly connections: number;
  /** How late the loop was when this was taken. */
  readonly lateMs: number;
}

export type PressureLevel = 0 | 1 | 2 | 3;

type Resource = "memory" | "descriptors" | "connections" | "event loop";

/** What has a wall that can be seen coming. */
interface Walls {
  memory: number;
  descriptors: number;
  connections: number;
}

interface Use {
  readonly resource: Resource;
  readonly ratio: number;
  readonly because: string;
}

export interface Pressure {
  level: PressureLevel;
  /** The level with what is between it and the next, such as 2.4. */
  severity: number;
  /** A sentence; empty at level 0. */
  because: string;
  /**
   * The same of memory and descriptors alone, as it is now: what idle clients could make room for. To a loop that is
   * late they are no load, and one of them may have asked for something that was not read yet.
   */
  roomLevel: PressureLevel;
  /** Since when a lower level would do; -1: it would not. */
  betterSince: number;
  /** A moving average, because one pause is not a state. */
  lateMs: number;
  /** Of the newest sample; -1: not known. */
  descriptorsLeft: number;
  /** Where the use was a while ago, to see where it is going. */
  trail: (Readonly<Walls> & { readonly at: number })[];
  readonly warnedAt: Walls;
}

export interface PressureVerdict {
  /** The level changed. */
  readonly changed: boolean;
  /** A sentence when a limit comes near; empty otherwise. */
  readonly warning: string;
}

const LEVELS = [0.8, 0.9, 0.97] as const;
const LOOP_LEVELS = [0.8, 1, 2] as const;
const REST_MS = 2_000;
const LATE_SHARE = 0.3;
const TRAIL_EVERY_MS = 1_000;
const TRAIL = 6;
/** Of fewer nothing can be said. */
const TRAIL_LEAST = 3;
const WARN_AHEAD_MS = 30_000;
/** Below this growth is how programs and days begin: memory is taken at the start, connections come in a rush and stay. */
const WARN_FROM: Readonly<Walls> = { memory: 0.5, descriptors: 0.2, connections: 0.2 };
const WARN_AGAIN_MS = 60_000;

export function createPressure(now: number): Pressure {
  return {
    level: 0,
    severity: 0,
    because: "",
    roomLevel: 0,
    betterSince: -1,
    lateMs: 0,
    descriptorsLeft: -1,
    trail: [],
    warnedAt: {
      memory: now - WARN_AGAIN_MS,
      descriptors: now - WARN_AGAIN_MS,
      connections: now - WARN_AGAIN_MS,
    },
  };
}

export function observePressure(
  options: PressureOptions,
  state: Pressure,
  sample: PressureSample,
  now: number,
): PressureVerdict {
  // However long one pause was, it is one: it is over, and nobody is helped by refusals after it.
  const late = Math.min(Math.max(0, sample.lateMs), options.loopDelayMs * 2);
  state.lateMs += (late - state.lateMs) * LATE_SHARE;
  state.descriptorsLeft = sample.descriptorsMax > 0 ? Math.max(0, sample.descriptorsMax - sample.descriptorsOpen) : -1;
  const memory = memoryUse(options, sample);
  const descriptors = descriptorUse(options, sample);
  const loop = loopUse(options, state.lateMs);
  const before = state.level;
  state.roomLevel = Math.floor(Math.max(severityOf(memory), severityOf(descriptors))) as PressureLevel;
  settle(state, worstOf([memory, descriptors, loop]), now);
  const uses = { memory, descriptors, connections: connectionUse(options, sample) };
  return { changed: state.level !== before, warning: warningOf(state, uses, now) };
}

/** Whether a request of this class goes on. `roll` in [0, 1). */
export function passesPressure(state: Pressure, rank: ClassRank, roll: number): boolean {
  if (state.level === 0 || rank === 0) return true;
  if (rank === 2) return false;
  // 2.0 turns half of them away, 3.0 all.
  return state.severity < 2 || roll >= (state.severity - 1) / 2;
}

/** How many more descriptors may be opened for clients; Infinity: not known to be bounded. */
export function descriptorsLeft(options: PressureOptions, sample: PressureSample): number {
  if (sample.descriptorsMax <= 0 || sample.descriptorsOpen <= 0) return Infinity;
  return Math.max(0, Math.floor(sample.descriptorsMax * options.descriptorRatio) - sample.descriptorsOpen);
}

function memoryUse(options: PressureOptions, sample: PressureSample): Use {
  const max = options.memoryBytes > 0 ? options.memoryBytes : sample.memoryMax;
  const ratio = max > 0 ? sample.memoryBytes / max : 0;
  return { resource: "memory", ratio, because: `${sizeInWords(sample.memoryBytes)} of ${sizeInWords(max)} memory` };
}

function descriptorUse(options: PressureOptions, { descriptorsOpen, descriptorsMax }: PressureSample): Use {
  const max = Math.floor(descriptorsMax * options.descriptorRatio);
  const ratio = max > 0 ? descriptorsOpen / max : 0;
  const because = `${descriptorsOpen} of ${descriptorsMax} file descriptors`;
  return { resource: "descriptors", ratio, because };
}

function connectionUse({ connectionsMax }: PressureOptions, { connections }: PressureSample): Use {
  const ratio = connectionsMax > 0 ? connections / connectionsMax : 0;
  return { resource: "connections", ratio, because: `${connections} of ${connectionsMax} client connections` };
}

function loopUse({ loopDelayMs }: PressureOptions, lateMs: number): Use {
  const ratio = loopDelayMs > 0 ? lateMs / loopDelayMs : 0;
  return { resource: "event loop", ratio, because: `an event loop that is ${durationInWords(lateMs)} late` };
}

function worstOf(uses: readonly Use[]): { readonly severity: number; readonly because: string } {
  let worst = { severity: 0, because: "" };
  for (const use of uses) {
    const severity = severityOf(use);
    if (severity > worst.severity) worst = { severity, because: `this gateway has ${use.because} in use` };
    if (severity > 0 && use.resource === "event loop" && severity === worst.severity) {
      worst = { severity, because: `this gateway has ${use.because}` };
    }
  }
  return worst;
}

function severityOf({ resource, ratio }: Use): number {
  const [one, two, three] = resource === "event loop" ? LOOP_LEVELS : LEVELS;
  if (ratio < one) return 0;
  if (ratio < two) return 1 + (ratio - one) / (two - one);
  return Math.min(3, 2 + (ratio - two) / (three - two));
}

function settle(state: Pressure, worst: { readonly severity: number; readonly because: string }, now: number): void {
  const level = Math.floor(worst.severity) as PressureLevel; // severityOf is within 0 and 3.
  if (level >= state.level) {
    state.betterSince = -1;
    state.level = level;
    state.severity = worst.severity;
    state.because = worst.because;
    return;
  }
  if (state.betterSince < 0) state.betterSince = now;
  state.severity = state.level;
  if (now - state.betterSince < REST_MS) return;
  // One level at a time: what it lets in again has to show first.
  state.level = (state.level - 1) as PressureLevel;
  state.severity = Math.max(state.level, worst.severity);
  state.betterSince = state.level > level ? now : -1;
  if (state.level === 0) state.because = "";
}

function warningOf(state: Pressure, uses: Readonly<Record<keyof Walls, Use>>, now: number): string {
  const { memory, descriptors, connections } = uses;
  const newest = state.trail.at(-1);
  if (newest === undefined || now - newest.at >= TRAIL_EVERY_MS) {
    const ratios = { memory: memory.ratio, descriptors: descriptors.ratio, connections: connections.ratio };
    state.trail.push({ at: now, ...ratios });
    if (state.trail.length > TRAIL) state.trail.shift();
  }
  const warnings: string[] = [];
  for (const wall of ["descriptors", "connections", "memory"] as const) {
    if (now - state.warnedAt[wall] < WARN_AGAIN_MS) continue;
    const warning = comesNear(state, uses[wall], wall, now);
    if (warning === "") continue;
    state.warnedAt[wall] = now;
    warnings.push(warning);
  }
  return warnings.join("; ");
}

function comesNear(state: Pressure, use: Use, wall: keyof Walls, now: number): string {
  const told = `${use.because} in use (${shareInWords(use.ratio)} of what may be)`;
  // The slower of all and the last of it: a rush that is over is no growth.
  const { trail } = state;
  const perMs =
    trail.length < TRAIL_LEAST ? 0 : Math.min(growth(trail[0], use, wall, now), growth(trail.at(-2), use, wall, now));
  const leftMs = perMs > 0 ? (1 - use.ratio) / perMs : Infinity;
  if (use.ratio >= WARN_FROM[wall] && leftMs <= WARN_AHEAD_MS && leftMs >= 0) {
    return `${told}; at this rate the limit is met in ${durationInWords(leftMs)}`;
  }
  // At their limit clients that are idle make room for new ones: being near it is how a busy gateway looks.
  return use.ratio >= LEVELS[0] && wall !== "connections" ? told : "";
}

function growth(before: Pressure["trail"][number] | undefined, use: Use, wall: keyof Walls, now: number): number {
  return before === undefined || now === before.at ? 0 : (use.ratio - before[wall]) / (now - before.at);
}
