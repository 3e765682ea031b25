/**
 * Who waits for room at the origins, for how long, and who goes first when there is some.
 *
 * The bound is time, not length: a queue of fifty is nothing before an origin that answers a thousand a second and
 * fatal before one that answers ten. Usually there is no queue at all; a burst waits its turn, oldest first, for up to
 * half a second, and who comes when it is too long for that hears so at once. A queue that stands for longer, because
 * answers are late and not because many came at once, is another matter: everybody in it would wait as long as they are
 * patient and be answered just too late (that is how an overload outlives its cause). Then who comes waits for a few
 * milliseconds at most, and the newest goes first: somebody is always served in time, and the others hear at once that
 * they are not.
 *
 * Classes: room goes to critical requests first, then to normal ones, then to background ones. While a class is refused
 * for want of room no lower class waits at all. Critical ones wait longer and take the places of lower ones.
 *
 * No class is given up at a step: who gets room decides for each request anew, and the number that may wait is what was
 * served lately in the time that they may wait. So what is refused is in proportion to what is too much.
 *
 * Each route has a lane for each class, so that a route without room does not hold up the others. The state is changed
 * in place; a waiter is whatever the owner hands in.
 */
import type { Outlook } from "./limit-foresight.ts";
import { addToCount, countAt, createSlidingCount } from "./sliding-count.ts";
import type { SlidingCount } from "./sliding-count.ts";

/** 0 critical, 1 normal, 2 background: what is shed last comes first. */
export type ClassRank = 0 | 1 | 2;

export interface QueueOptions {
  /** How long a request waits for room: usually, while the queue stands, and when it is critical. */
  readonly calmMs: number;
  readonly stressedMs: number;
  readonly criticalMs: number;
  /** Requests that wait at once. */
  readonly waitingMax: number;
}

export interface QueueEntry<Waiter> {
  readonly waiter: Waiter;
  readonly lane: number;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly deadlineAt: number;
  /** It is not waiting any more. */
  gone: boolean;
}

interface Lane<Waiter> {
  readonly route: number;
  readonly rank: ClassRank;
  /** From before the stress, oldest first. */
  patient: QueueEntry<Waiter>[];
  /** Newest last, and served first. */
  pressed: QueueEntry<Waiter>[];
  waiting: number;
  /** Since when somebody has been waiting without a break, and how many went on since; -1: nobody is. */
  standsSince: number;
  wentOn: number;
  stressedUntil: number;
  readonly served: SlidingCount;
}

export interface AdmissionQueue<Waiter> {
  /** By route and class; null: nobody ever waited there. */
  readonly lanes: (Lane<Waiter> | null)[];
  waiting: number;
  /** By class: until when it counts as stressed. */
  readonly stressedUntil: [number, number, number];
  readonly refused: SlidingCount;
}

export interface Arrival {
  readonly route: number;
  readonly rank: ClassRank;
  /** The wait is for late answers, or for a limit set by hand; not for a burst. */
  readonly congested: boolean;
  readonly outlook: Outlook;
  /** It was turned away before and came back when it was told to. */
  readonly hasWaited: boolean;
  /** Monotonic ms after which nobody wants the answer any more; Infinity: never. */
  readonly deadlineAt: number;
}

export interface ArrivalVerdict<Waiter> {
  /** Null: refused. */
  readonly entry: QueueEntry<Waiter> | null;
  /** Who has to leave for it. */
  readonly displaced: Waiter | null;
  readonly because: RefusalReason | "";
}

export type RefusalReason =
  /** As many wait as may. */
  | "full"
  /** As many wait as go on in the time that it may wait. */
  | "too long"
  /** A higher class is being refused. */
  | "lower class"
  /** A newer one took its place. */
  | "displaced"
  /** It waited as long as it may. */
  | "waited"
  /** Nobody wants the answer any more. */
  | "expired";

/** A queue that stands for so long stands. A burst is over by then: nobody in it waits for longer. */
const STANDING_MS = 500;
/** Of the time that they may wait is given out: it is better to hear at once that it is too long than after it. */
const BURST_SHARE = 0.8;
/** And before a queue has stood for so long nothing is known of its pace, unless the origins' is. */
const PACE_MS = 100;
/** Background requests do not queue behind others that have queued for so long, or at all where a queue was foreseen. */
const BEHIND_MS = 20;
/** After the last that found no room. */
const STRESS_MS = 1_000;
const AGAIN_MS = 30_000;
const SERVED_MS = 1_000;
const REFUSED_MS = 10_000;
/** Who was refused twice is counted twice, so the estimate is high; and a refusal costs less than room that nobody uses. */
const RETRY_AFTER_MAX_S = 10;

export function createAdmissionQueue<Waiter>(): AdmissionQueue<Waiter> {
  return { lanes: [], waiting: 0, stressedUntil: [0, 0, 0], refused: createSlidingCount(REFUSED_MS) };
}

/** Requests are being turned away, or were a moment ago: nothing is repeated now. */
export function isStressed(queue: AdmissionQueue<unknown>, now: number): boolean {
  const [critical, normal, background] = queue.stressedUntil;
  return now < critical || now < normal || now < background;
}

/** One that found no room. */
export function arrive<Waiter>(
  options: QueueOptions,
  queue: AdmissionQueue<Waiter>,
  waiter: Waiter,
  arrival: Arrival,
  now: number,
): ArrivalVerdict<Waiter> {
  const { route, rank, deadlineAt } = arrival;
  const lane = laneOf(queue, route, rank);
  if (arrival.congested) notice(queue, lane, now);
  if (now >= deadlineAt) return refuse(queue, "expired", now);
  // Who has waited already keeps its place among those from before the stress, as far as it would come in time.
  const keepsPlace = arrival.hasWaited && lane.patient.length < places(lane, options.calmMs, now);
  const stressed = now < lane.stressedUntil && !keepsPlace;
  if (rank > 0 && (isRefusedAbove(queue, rank, now) || (rank === 2 && isBehind(queue, arrival, now))))
    return refuse(queue, "lower class", now);
  let displaced: Waiter | null = null;
  if (queue.waiting >= options.waitingMax) {
    displaced = displace(queue, rank, stressed ? lane : null, now);
    if (displaced === null) return refuse(queue, "full", now);
  } else if (
    !stressed &&
    rank > 0 &&
    arrival.congested &&
    !hasPlaceInBurst(options, queue, lane, arrival.outlook, now)
  ) {
    return refuse(queue, "too long", now);
  } else if (stressed && rank > 0 && lane.pressed.length >= places(lane, options.stressedMs, now)) {
    displaced = takeOldest(queue, lane, now);
  }
  const waitMs = rank === 0 ? options.criticalMs : stressed ? options.stressedMs : options.calmMs;
  const untilMs = Math.min(now + waitMs, deadlineAt);
  const entry: QueueEntry<Waiter> = { waiter, lane: route * 3 + rank, sinceMs: now, untilMs, deadlineAt, gone: false };
  // Critical ones keep their order: none of them is to be given up for another.
  (stressed && rank > 0 ? lane.pressed : lane.patient).push(entry);
  lane.waiting += 1;
  queue.waiting += 1;
  if (lane.standsSince < 0) {
    lane.standsSince = now;
    lane.wentOn = 0;
  }
  return { entry, displaced, because: "" };
}

/** Whether one that has just come and has room must let somebody go first who waits and has room, too. */
export function goesBefore(
  queue: AdmissionQueue<unknown>,
  rank: ClassRank,
  hasRoom: (route: number) => boolean,
): boolean {
  if (queue.waiting === 0) return false;
  return queue.lanes.some((lane) => {
    if (lane === null || lane.waiting === 0) return false;
    const isFirst = lane.rank < rank || (lane.rank === rank && lane.patient.length > 0);
    return isFirst && hasRoom(lane.route);
  });
}

/** There may be room again: whose turn it is, or null. `hasRoom` is asked for each route that somebody waits for. */
export function nextWaiter<Waiter>(
  queue: AdmissionQueue<Waiter>,
  hasRoom: (route: number) => boolean,
  now: number,
): QueueEntry<Waiter> | null {
  if (queue.waiting === 0) return null;
  let best: Lane<Waiter> | null = null;
  let bestEntry: QueueEntry<Waiter> | null = null;
  for (const lane of queue.lanes) {
    if (lane === null || lane.waiting === 0 || (best !== null && lane.rank > best.rank)) continue;
    const entry = firstOf(lane);
    if (entry === null || !hasRoom(lane.route)) continue;
    if (best === null || bestEntry === null || lane.rank < best.rank || isBefore(lane, entry, best, bestEntry)) {
      best = lane;
      bestEntry = entry;
    }
  }
  if (best === null || bestEntry === null) return null;
  if (best.patient.length > 0) best.patient.shift();
  else best.pressed.pop();
  remove(queue, best, bestEntry);
  best.wentOn += 1;
  addToCount(best.served, 1, now);
  return bestEntry;
}

/** Those whose time has run out, oldest first, appended to `out`. */
export function takeExpired<Waiter>(queue: AdmissionQueue<Waiter>, now: number, out: QueueEntry<Waiter>[]): void {
  if (queue.waiting === 0) return;
  for (const lane of queue.lanes) {
    if (lane === null || lane.patient.length + lane.pressed.length === 0) continue;
    lane.patient = keepInTime(queue, lane, lane.patient, now, out);
    lane.pressed = keepInTime(queue, lane, lane.pressed, now, out);
  }
}

/** It does not want to wait any more. */
export function leaveQueue<Waiter>(queue: AdmissionQueue<Waiter>, entry: QueueEntry<Waiter>): void {
  const lane = queue.lanes[entry.lane];
  // Looked for only when its turn comes: taking it out of the middle would cost a search for each client that leaves.
  if (lane !== undefined && lane !== null && !entry.gone) remove(queue, lane, entry);
}

/**
 * Seconds for Retry-After: somewhere between now and the time that it takes to serve all who were refused lately, so
 * that they come back as the origins can take them and not all at once.
 */
export function retryAfterFor(
  queue: AdmissionQueue<unknown>,
  servedPerSecond: number,
  roll: number,
  now: number,
): number {
  const backlogSeconds = countAt(queue.refused, now) / Math.max(1, servedPerSecond);
  return 1 + Math.floor(roll * Math.min(RETRY_AFTER_MAX_S, Math.max(2, backlogSeconds)));
}

function laneOf<Waiter>(queue: AdmissionQueue<Waiter>, route: number, rank: ClassRank): Lane<Waiter> {
  const index = route * 3 + rank;
  const known = queue.lanes[index];
  if (known !== undefined && known !== null) return known;
  while (queue.lanes.length <= index) queue.lanes.push(null);
  const made: Lane<Waiter> = {
    route,
    rank,
    patient: [],
    pressed: [],
    waiting: 0,
    standsSince: -1,
    wentOn: 0,
    stressedUntil: 0,
    served: createSlidingCount(SERVED_MS),
  };
  queue.lanes[index] = made;
  return made;
}

/** A queue that stands makes stress, and each that finds no room then makes it last. */
function notice(queue: AdmissionQueue<unknown>, lane: Lane<unknown>, now: number): void {
  const stands = lane.standsSince >= 0 && now - lane.standsSince >= STANDING_MS;
  // What stood a while ago and is congested again need not stand first: each time would cost some a long wait.
  const again = lane.stressedUntil > 0 && now - lane.stressedUntil < AGAIN_MS;
  if (!stands && !again) return;
  lane.stressedUntil = now + STRESS_MS;
  queue.stressedUntil[lane.rank] = lane.stressedUntil;
}

function isRefusedAbove(queue: AdmissionQueue<unknown>, rank: ClassRank, now: number): boolean {
  const [critical, normal] = queue.stressedUntil;
  return now < critical || (rank === 2 && now < normal);
}

/** As many as are served while they may wait; one more would only wait to be refused. */
function places(lane: Lane<unknown>, stressedMs: number, now: number): number {
  return Math.ceil((countAt(lane.served, now) * stressedMs) / SERVED_MS) + 1;
}

/**
 * The same for who comes in a burst, by the pace since it began. Of few nothing certain can be said, so the pace is
 * taken for as high as it may well be. Where the origins' own pace is known that holds from the first moment on, for
 * all who wait; otherwise there is a place for everybody then.
 */
function hasPlaceInBurst(
  { calmMs }: QueueOptions,
  queue: AdmissionQueue<unknown>,
  lane: Lane<unknown>,
  { perSecond, ahead }: Outlook,
  now: number,
): boolean {
  const shareMs = calmMs * BURST_SHARE;
  if (queue.waiting >= (perSecond * shareMs) / 1_000 - ahead) return false;
  const standsMs = lane.standsSince < 0 ? 0 : now - lane.standsSince;
  if (standsMs < PACE_MS) return true;
  const wentOnAtMost = lane.wentOn + Math.sqrt(lane.wentOn + 1) + 2;
  return lane.waiting < (wentOnAtMost * shareMs) / standsMs;
}

/** A background request would queue behind others that wait for late answers. */
function isBehind(queue: AdmissionQueue<unknown>, { congested, outlook }: Arrival, now: number): boolean {
  if (!congested) return false;
  const forMs = outlook.perSecond === Infinity ? BEHIND_MS : 0;
  return queue.lanes.some(
    (lane) => lane !== null && lane.rank < 2 && lane.standsSince >= 0 && now - lane.standsSince >= forMs,
  );
}

/** Somebody of the lowest class that is below, or of a stressed lane its own oldest. */
function displace<Waiter>(
  queue: AdmissionQueue<Waiter>,
  rank: ClassRank,
  own: Lane<Waiter> | null,
  now: number,
): Waiter | null {
  let lowest: Lane<Waiter> | null = null;
  for (const lane of queue.lanes) {
    if (lane === null || lane.waiting === 0 || lane.rank <= rank) continue;
    if (lowest === null || lane.rank > lowest.rank) lowest = lane;
  }
  const lane = lowest ?? own;
  return lane === null ? null : takeOldest(queue, lane, now);
}

function takeOldest<Waiter>(queue: AdmissionQueue<Waiter>, lane: Lane<Waiter>, now: number): Waiter | null {
  for (const entries of [lane.pressed, lane.patient]) {
    for (let entry = entries.shift(); entry !== undefined; entry = entries.shift()) {
      if (entry.gone) continue;
      remove(queue, lane, entry);
      addToCount(queue.refused, 1, now);
      return entry.waiter;
    }
  }
  return null;
}

function firstOf<Waiter>(lane: Lane<Waiter>): QueueEntry<Waiter> | null {
  while (lane.patient[0]?.gone === true) lane.patient.shift();
  while (lane.pressed.at(-1)?.gone === true) lane.pressed.pop();
  return lane.patient[0] ?? lane.pressed.at(-1) ?? null;
}

/** Of two lanes of one class: those who wait in order go first, the oldest of them; then the newest. */
function isBefore<Waiter>(
  lane: Lane<Waiter>,
  entry: QueueEntry<Waiter>,
  other: Lane<Waiter>,
  otherEntry: QueueEntry<Waiter>,
): boolean {
  const inOrder = lane.patient.length > 0;
  if (inOrder !== other.patient.length > 0) return inOrder;
  return inOrder ? entry.sinceMs < otherEntry.sinceMs : entry.sinceMs > otherEntry.sinceMs;
}

function keepInTime<Waiter>(
  queue: AdmissionQueue<Waiter>,
  lane: Lane<Waiter>,
  entries: QueueEntry<Waiter>[],
  now: number,
  out: QueueEntry<Waiter>[],
): QueueEntry<Waiter>[] {
  let kept = 0;
  for (const entry of entries) {
    if (entry.gone) continue;
    if (now < entry.untilMs) {
      entries[kept] = entry;
      kept += 1;
      continue;
    }
    remove(queue, lane, entry);
    addToCount(queue.refused, 1, now);
    out.push(entry);
  }
  entries.length = kept;
  return entries;
}

function remove(queue: AdmissionQueue<unknown>, lane: Lane<unknown>, entry: QueueEntry<unknown>): void {
  entry.gone = true;
  lane.waiting -= 1;
  queue.waiting -= 1;
  if (lane.waiting === 0) lane.standsSince = -1;
}

function refuse<Waiter>(queue: AdmissionQueue<Waiter>, because: RefusalReason, now: number): ArrivalVerdict<Waiter> {
  addToCount(queue.refused, 1, now);
  return { entry: null, displaced: null, because };
}
