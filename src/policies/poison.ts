/**
 * Requests that break whatever they are sent to. A retry carries such a request from origin to origin and kills each
 * in turn; so does the client's own next try. What breaks two origins and never succeeds is therefore kept away from
 * the others for a while.
 *
 * A request is known again by its fingerprint: method, route, path, query, and the beginning of its body. It is marked
 * when a connection breaks under it without a byte of an answer. That alone proves little, because a crash takes
 * everything with it that the origin was working on. So:
 * - A crash counts as shared: 1/k for each of the k requests that it hit. Only what adds up to a whole crash is
 *   suspect, and where a crash was shared the others get a moment to clear themselves.
 * - A request that kills is sent to its second origin after the first has died. One that was under way at several when
 *   all of them went at once, as in a power cut, is a victim at each.
 * - One success clears, for as long as marks count. What sometimes works is not what kills.
 * - An origin that breaks connections all the time is flaky: its marks count only if it also went away, that is,
 *   refused connections right after.
 *
 * What does not kill an origin but keeps it so busy that nobody else is answered there is treated alike; how that is
 * told from a page that takes its time stands in pinning.ts. It is answered in the end, so its answer clears it only
 * where others were answered beside it.
 *
 * Quarantine ends by itself: after ten seconds one request may try, one at a time and only at an origin that requests
 * like it have broken before, so that a third is never risked; where none of these is up it waits. If it breaks again,
 * the next quarantine is twice as long, up to ten minutes. It begins short because whoever is held back wrongly is held
 * back from everything. Nothing is counted for requests while no connection breaks.
 */
import { durationInWords } from "./words.ts";

/** One crash of an origin: what broke within a moment. */
interface Crash {
  readonly at: number;
  /** Requests that it hit. */
  hit: number;
  /** The origin refused connections right after it: it did die. */
  died: boolean;
}

interface Mark {
  readonly origin: string;
  /** Of the crash, which others may have met first. */
  readonly at: number;
  /** When the attempt that broke had begun, and when it broke. */
  readonly sentAt: number;
  readonly brokeAt: number;
  /** Requests that the crash hit, and whether the origin died of it: kept up to date for as long as that can change. */
  hit: number;
  died: boolean;
  /** Crashes of that origin in the ten seconds before this one. */
  readonly before: number;
}

/** It kept an origin so busy that nobody else was answered there. */
interface Pin {
  readonly origin: string;
  readonly sentAt: number;
}

interface Suspect {
  marks: Mark[];
  pins: Pin[];
  /** It has succeeded: marks before this instant do not count. */
  goodUntil: number;
  /** 0: not in quarantine. */
  until: number;
  times: number;
  /** Origins that it has broken or kept busy; remembered for as long as it is in quarantine. */
  broken: string[];
  /** Until when a request that tries it is waited for; 0: none is under way. */
  tryingUntil: number;
}

export interface PoisonState {
  /** By fingerprint, oldest first. */
  suspects: Record<string, Suspect>;
  size: number;
  /** The last crashes of each origin. */
  crashes: Record<string, Crash[]>;
}

export type PoisonVerdict =
  | { readonly kind: "pass" }
  /**
   * Quarantine is over: this one request tries whether it still breaks origins, at one of those that it has broken.
   * It must not be repeated.
   */
  | { readonly kind: "try"; readonly at: readonly string[]; readonly because: string }
  | {
      readonly kind: "refuse";
      readonly untilMs: number;
      readonly because: string;
      /** This is the first that is refused: quarantine begins. */
      readonly begins: boolean;
    };

const PASS: PoisonVerdict = { kind: "pass" };
/** Marks older than this are forgotten. */
const MEMORY_MS = 60_000;
const QUARANTINE_MS = 10_000;
const QUARANTINE_MAX_MS = 600_000;
/** What breaks within this time breaks by the same crash. */
const SAME_CRASH_MS = 100;
/** A dead process refuses connections this soon. */
const DEATH_SEEN_MS = 2_000;
/** Where a crash was shared, its other victims have this long to succeed. */
const CLEAR_MS = 500;
const FLAKY_WINDOW_MS = 10_000;
const FLAKY_CRASHES = 3;
const TRY_MAX_MS = 60_000;
/** While no origin that may be risked is up, this often another request finds out. */
const POSTPONED_MS = 1_000;
const SUSPECTS_MAX = 512;
const ORIGINS_MAX = 64;
const CRASHES_MAX = 8;
const MARKS_MAX = 8;
/** Bytes of a body that tell one request from another. */
export const POISON_BODY_BYTES = 1024;

export function createPoison(): PoisonState {
  return { suspects: {}, size: 0, crashes: {} };
}

/** `body`: pieces of its beginning; more than `POISON_BODY_BYTES` is not looked at. */
export function fingerprintOf(method: string, route: string, target: string, body: readonly Uint8Array[]): string {
  let a = 0x811c9dc5;
  let b = 0x1b873593;
  const text = `${method} ${route} ${target}`;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x85ebca6b);
  }
  let left = POISON_BODY_BYTES;
  for (const piece of body) {
    const end = Math.min(piece.length, left);
    for (let index = 0; index < end; index += 1) {
      const byte = piece[index] ?? 0;
      a = Math.imul(a ^ byte, 0x01000193);
      b = Math.imul(b ^ byte, 0xc2b2ae35);
    }
    left -= end;
    if (left <= 0) break;
  }
  // A letter in front: a key that looks like a number would be sorted before all others.
  return `p${(a >>> 0).toString(16).padStart(8, "0")}${(b >>> 0).toString(16).padStart(8, "0")}`;
}

/** May a request with this fingerprint go to an origin? Only to be asked while `size` is above 0. */
export function admitFingerprint(state: PoisonState, fingerprint: string, now: number): PoisonVerdict {
  const suspect = state.suspects[fingerprint];
  if (suspect === undefined) return PASS;
  const begins = suspect.until === 0;
  if (begins) {
    if (!isPoison(suspect, now)) return PASS;
    quarantine(suspect, now);
  }
  if (now < suspect.until || now < suspect.tryingUntil) return refusal(suspect, begins, now);
  suspect.tryingUntil = now + TRY_MAX_MS;
  return {
    kind: "try",
    at: suspect.broken,
    because: `its quarantine is over, and this one request tries it again; ${inWords(suspect)}`,
  };
}

/** None of the origins at which it might be tried is up: it is kept away a little longer. */
export function postponeTrial(state: PoisonState, fingerprint: string, now: number): PoisonVerdict {
  const suspect = state.suspects[fingerprint];
  if (suspect === undefined) return PASS;
  suspect.tryingUntil = 0;
  suspect.until = Math.max(suspect.until, now + POSTPONED_MS);
  return refusal(suspect, false, now);
}

/** A connection to `origin` broke under the request, sent at `sentAt`, without a byte of an answer. */
export function markBroken(state: PoisonState, fingerprint: string, origin: string, sentAt: number, now: number): void {
  const crashes = crashesOf(state, origin, now);
  const last = crashes.at(-1);
  const before = crashes.filter((crash) => now - crash.at <= FLAKY_WINDOW_MS).length;
  let crash = last;
  if (crash === undefined || now - crash.at > SAME_CRASH_MS) {
    crash = { at: now, hit: 0, died: false };
    crashes.push(crash);
    if (crashes.length > CRASHES_MAX) crashes.shift();
  }
  crash.hit += 1;
  const suspect = suspectOf(state, fingerprint, now);
  if (now < suspect.goodUntil) return;
  const wasTrial = suspect.tryingUntil !== 0;
  suspect.tryingUntil = 0;
  suspect.marks.push({
    origin,
    at: crash.at,
    sentAt,
    brokeAt: now,
    hit: crash.hit,
    died: false,
    before: crash.hit === 1 ? before : before - 1,
  });
  if (suspect.marks.length > MARKS_MAX) suspect.marks.shift();
  if (wasTrial) quarantine(suspect, now);
  spread(state, origin, crash);
}

/** While the request, sent at `sentAt`, waits at `origin`, nobody else is answered there. */
export function markPinned(state: PoisonState, fingerprint: string, origin: string, sentAt: number, now: number): void {
  const suspect = suspectOf(state, fingerprint, now);
  if (now < suspect.goodUntil || suspect.pins.some((pin) => pin.origin === origin && pin.sentAt === sentAt)) return;
  const wasTrial = suspect.tryingUntil !== 0;
  suspect.tryingUntil = 0;
  suspect.pins.push({ origin, sentAt });
  if (suspect.pins.length > MARKS_MAX) suspect.pins.shift();
  if (wasTrial) quarantine(suspect, now);
}

/** `origin` refuses connections: if it broke some a moment ago, it died of it. */
export function markRefused(state: PoisonState, origin: string, now: number): void {
  const crash = state.crashes[origin]?.at(-1);
  if (crash === undefined || crash.died || now - crash.at > DEATH_SEEN_MS) return;
  crash.died = true;
  spread(state, origin, crash);
}

/** An origin answered a request with this fingerprint. Only to be told while `size` is above 0. */
export function markSuccess(state: PoisonState, fingerprint: string, now: number): void {
  const suspect = state.suspects[fingerprint];
  if (suspect === undefined) return;
  // One that was sent before the quarantine began clears it as well: it is no poison.
  suspect.marks = [];
  suspect.pins = [];
  suspect.until = 0;
  suspect.times = 0;
  suspect.broken = [];
  suspect.tryingUntil = 0;
  suspect.goodUntil = now + MEMORY_MS;
}

/**
 * The request that tried it ended without evidence for or against: another may try. Not at once where it is said to keep
 * origins busy, took its time again, and nobody was there who would have had to wait; `harmless`: except for a check,
 * which was answered.
 */
export function markUnproven(state: PoisonState, fingerprint: string, harmless: boolean, now: number): void {
  const suspect = state.suspects[fingerprint];
  if (suspect === undefined || suspect.tryingUntil === 0) return;
  suspect.tryingUntil = 0;
  if (suspect.pins.length > 0 && !harmless) quarantine(suspect, now);
}

/** Whether it is to keep origins busy, so that an answer by itself does not clear it. */
export function isPinning(state: PoisonState, fingerprint: string): boolean {
  return (state.suspects[fingerprint]?.pins.length ?? 0) > 0;
}

/** Whether anything is known of it. */
export function isSuspected(state: PoisonState, fingerprint: string): boolean {
  return state.suspects[fingerprint] !== undefined;
}

export interface Quarantine {
  readonly until: number;
  readonly times: number;
  readonly broken: readonly string[];
}

/** Null: it is not in quarantine. */
export function quarantineOf(state: PoisonState, fingerprint: string): Quarantine | null {
  const suspect = state.suspects[fingerprint];
  return suspect === undefined || suspect.until === 0 ? null : suspect;
}

/** Another worker keeps it away, so that it begins nowhere anew. The later end holds. */
export function hearQuarantine(
  state: PoisonState,
  fingerprint: string,
  { until, times, broken }: Quarantine,
  now: number,
): void {
  const suspect = suspectOf(state, fingerprint, now);
  if (until <= suspect.until) return;
  suspect.until = until;
  suspect.times = Math.max(suspect.times, times);
  suspect.broken = [...new Set([...suspect.broken, ...broken])].slice(-MARKS_MAX);
  suspect.tryingUntil = 0;
}

/** Forgets what is over. Cheap; to be called now and then while `size` is above 0. */
export function sweepPoison(state: PoisonState, now: number): void {
  for (const [fingerprint, suspect] of Object.entries(state.suspects)) {
    if (isOver(suspect, now)) forget(state, fingerprint);
  }
  for (const [origin, crashes] of Object.entries(state.crashes)) {
    if (now - (crashes.at(-1)?.at ?? 0) > MEMORY_MS) delete state.crashes[origin];
  }
}

function isPoison(suspect: Suspect, now: number): boolean {
  const pinned = suspect.pins.filter((pin) => now - pin.sentAt <= MEMORY_MS);
  if (pinned.some(({ origin }) => origin !== pinned[0]?.origin)) return true;
  const marks = suspect.marks.filter((mark) => now - mark.at <= MEMORY_MS && counts(mark));
  if (!wentFromOneToAnother(marks)) return false;
  const blame = marks.reduce((sum, mark) => sum + 1 / mark.hit, 0);
  // A third and two thirds must be a whole also in floating point.
  if (blame < 1 - 1e-9) return false;
  const shared = marks.some((mark) => mark.hit > 1);
  const last = Math.max(...marks.map((mark) => mark.at));
  return !shared || now - last >= CLEAR_MS;
}

function wentFromOneToAnother(marks: readonly Mark[]): boolean {
  return marks.some((later) =>
    marks.some((earlier) => earlier.origin !== later.origin && later.sentAt >= earlier.brokeAt),
  );
}

function counts(mark: Mark): boolean {
  return mark.died || mark.before < FLAKY_CRASHES;
}

function quarantine(suspect: Suspect, now: number): void {
  suspect.times += 1;
  for (const { origin } of [...suspect.marks, ...suspect.pins]) {
    if (!suspect.broken.includes(origin)) suspect.broken.push(origin);
  }
  while (suspect.broken.length > MARKS_MAX) suspect.broken.shift();
  suspect.until = now + Math.min(QUARANTINE_MAX_MS, QUARANTINE_MS * 2 ** Math.min(suspect.times - 1, 30));
}

function refusal(suspect: Suspect, begins: boolean, now: number): PoisonVerdict {
  const untilMs = Math.max(suspect.until, now + 1_000) - now;
  return {
    kind: "refuse",
    untilMs,
    begins,
    because: `${inWords(suspect)}; kept away from origins for another ${durationInWords(untilMs)}`,
  };
}

function inWords(suspect: Suspect): string {
  if (suspect.pins.length > 0) {
    return `requests like it kept ${suspect.broken.join(" and ")} so busy that nobody else was answered there`;
  }
  return `requests like it broke the connection to ${suspect.broken.join(" and ")} without an answer, and none has succeeded`;
}

/** All marks of a crash say the same of it, whenever they were made. */
function spread(state: PoisonState, origin: string, crash: Crash): void {
  for (const suspect of Object.values(state.suspects)) {
    for (const mark of suspect.marks) {
      if (mark.origin !== origin || mark.at !== crash.at) continue;
      mark.hit = crash.hit;
      mark.died = crash.died;
    }
  }
}

function crashesOf(state: PoisonState, origin: string, now: number): Crash[] {
  const known = state.crashes[origin];
  if (known !== undefined) return known;
  const origins = Object.keys(state.crashes);
  if (origins.length >= ORIGINS_MAX) {
    const oldest = origins.reduce((a, b) =>
      (state.crashes[a]?.at(-1)?.at ?? now) <= (state.crashes[b]?.at(-1)?.at ?? now) ? a : b,
    );
    delete state.crashes[oldest];
  }
  return (state.crashes[origin] = []);
}

function suspectOf(state: PoisonState, fingerprint: string, now: number): Suspect {
  const known = state.suspects[fingerprint];
  if (known !== undefined) {
    known.marks = known.marks.filter((mark) => now - mark.at <= MEMORY_MS);
    // Those of a quarantine say why it is kept away.
    if (known.until === 0) known.pins = known.pins.filter((pin) => now - pin.sentAt <= MEMORY_MS);
    return known;
  }
  if (state.size >= SUSPECTS_MAX) makeRoom(state, now);
  state.size += 1;
  return (state.suspects[fingerprint] = {
    marks: [],
    pins: [],
    goodUntil: 0,
    until: 0,
    times: 0,
    broken: [],
    tryingUntil: 0,
  });
}

/** The oldest that is not in quarantine goes first: what is being held back is worth most. */
function makeRoom(state: PoisonState, now: number): void {
  sweepPoison(state, now);
  if (state.size < SUSPECTS_MAX) return;
  const names = Object.keys(state.suspects);
  forget(state, names.find((name) => state.suspects[name]?.until === 0) ?? names[0] ?? "");
}

function forget(state: PoisonState, fingerprint: string): void {
  if (state.suspects[fingerprint] === undefined) return;
  delete state.suspects[fingerprint];
  state.size -= 1;
}

function isOver(suspect: Suspect, now: number): boolean {
  const lastMark = Math.max(suspect.marks.at(-1)?.at ?? -Infinity, suspect.pins.at(-1)?.sentAt ?? -Infinity);
  // What came back once is remembered until the longest quarantine after its end, so that the next doubles.
  const quarantined = suspect.until === 0 ? 0 : suspect.until + QUARANTINE_MAX_MS;
  return now - lastMark > MEMORY_MS && now >= suspect.goodUntil && now >= quarantined;
}
