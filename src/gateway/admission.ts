/**
 * Admit, second part: room at the origins. An exchange that finds every usable address of its pools at its limit waits
 * here, in the order and for the time that policies/admission-queue.ts says; whoever frees a slot calls the next.
 *
 * One for each set of pools, so that routes with other origins neither wait nor count as stressed with these. While
 * nobody waits it does nothing: no timer, and one comparison where a slot is freed.
 */
import type { OverloadSettings, RouteSettings } from "../config/settings.ts";
import type { Chance } from "../kernel/clock.ts";
import { NO_OUTLOOK } from "../policies/limit-foresight.ts";
import type { Outlook } from "../policies/limit-foresight.ts";
import {
  arrive,
  createAdmissionQueue,
  goesBefore,
  isStressed,
  leaveQueue,
  nextWaiter,
  retryAfterFor,
  takeExpired,
} from "../policies/admission-queue.ts";
import type { Arrival, ClassRank, QueueEntry, RefusalReason } from "../policies/admission-queue.ts";
import { durationInWords } from "../policies/words.ts";

/** An exchange that waits for room. */
export interface RoomWaiter {
  roomFound(waitedMs: number): void;
  roomRefused(evidence: string, retryAfterSeconds: number): void;
}

/** What a place in the queue is to whoever waits. */
export type Place = QueueEntry<RoomWaiter>;

export interface AdmissionParts {
  readonly chance: Chance;
  readonly every: (ms: number, run: () => void) => () => void;
  readonly now: () => number;
  /** Some usable address would take one more of this route. */
  readonly hasRoom: (route: number, now: number) => boolean;
  /** All that would are late rather than busy for a moment. */
  readonly isCongested: (route: number, now: number) => boolean;
  /** What those who wait have to expect of them then. */
  readonly outlook: (now: number) => Outlook;
  /** Where there is no room, for the evidence. */
  readonly limitsInWords: (route: number, now: number) => string;
  /** What the service gets done. */
  readonly servedPerSecond: (now: number) => number;
}

/** How exactly waits end; below what a person or a test of 20 ms would notice. */
const TICK_MS = 5;

export class Admission {
  readonly #parts: AdmissionParts;
  readonly #queue = createAdmissionQueue<RoomWaiter>();
  #options: Parameters<typeof arrive>[0];
  readonly #expired: Place[] = [];
  #now = 0;
  #stopTicking: (() => void) | null = null;

  constructor(settings: OverloadSettings, parts: AdmissionParts) {
    this.#parts = parts;
    this.#options = optionsOf(settings);
  }

  /** For those who come from now on; who waits has been told how long. */
  configure(settings: OverloadSettings): void {
    this.#options = optionsOf(settings);
  }

  get waiting(): number {
    return this.#queue.waiting;
  }

  /** Requests are being turned away, so nothing is repeated or hedged. */
  isStressed(now: number): boolean {
    return isStressed(this.#queue, now);
  }

  /** Somebody waits who would have to go first. */
  isTaken(rank: ClassRank, now: number): boolean {
    this.#now = now;
    return goesBefore(this.#queue, rank, this.#hasRoom);
  }

  /** Null: it was refused at once, or (rarely) let in at once, and knows. */
  wait(waiter: RoomWaiter, turn: Omit<Arrival, "congested" | "outlook">, now: number): Place | null {
    const { route } = turn;
    const congested = this.#parts.isCongested(route, now);
    const outlook = congested ? this.#parts.outlook(now) : NO_OUTLOOK;
    const verdict = arrive(this.#options, this.#queue, waiter, { ...turn, congested, outlook }, now);
    if (verdict.displaced !== null) this.#refuse(verdict.displaced, route, "displaced", 0, now);
    if (verdict.entry === null) {
      if (verdict.because !== "") this.#refuse(waiter, route, verdict.because, 0, now);
      return null;
    }
    this.#stopTicking ??= this.#parts.every(TICK_MS, () => this.#tick());
    return verdict.entry;
  }

  leave(place: Place): void {
    leaveQueue(this.#queue, place);
  }

  /** A slot was freed. */
  serve(now: number): void {
    // Whoever finds that the room is at an origin that it has tried comes back at once: each gets one look, or this
    // would never end.
    for (let looks = this.#queue.waiting; looks > 0 && this.#queue.waiting > 0; looks -= 1) {
      this.#now = now;
      const place = nextWaiter(this.#queue, this.#hasRoom, now);
      if (place === null) return;
      place.waiter.roomFound(now - place.sinceMs);
    }
  }

  stop(): void {
    this.#stopTicking?.();
    this.#stopTicking = null;
  }

  /** Bound once, so that looking for the next one makes no closure. */
  readonly #hasRoom = (route: number): boolean => this.#parts.hasRoom(route, this.#now);

  #tick(): void {
    const now = this.#parts.now();
    takeExpired(this.#queue, now, this.#expired);
    for (const place of this.#expired.splice(0)) {
      const route = Math.floor(place.lane / 3);
      this.#refuse(place.waiter, route, now < place.deadlineAt ? "waited" : "expired", now - place.sinceMs, now);
    }
    this.serve(now);
    if (this.#queue.waiting === 0) this.stop();
  }

  #refuse(waiter: RoomWaiter, route: number, why: RefusalReason, waitedMs: number, now: number): void {
    const { servedPerSecond, chance, limitsInWords } = this.#parts;
    const retryAfter = retryAfterFor(this.#queue, servedPerSecond(now), chance(), now);
    waiter.roomRefused(`${WHY[why](waitedMs)}; ${limitsInWords(route, now)}`, retryAfter);
  }
}

function optionsOf(settings: OverloadSettings): Parameters<typeof arrive>[0] {
  return {
    calmMs: settings.calmMs,
    // Waits end on a tick, and the refusal is to be at the client by then.
    stressedMs: Math.max(0, settings.stressedMs - 2 * TICK_MS),
    criticalMs: settings.criticalMs,
    waitingMax: settings.waitingMax,
  };
}

const WHY: Readonly<Record<RefusalReason, (waitedMs: number) => string>> = {
  full: () => "as many requests wait for room as may (overload.waiting)",
  "too long": () => "as many wait as go on in the time that it may wait (overload.queueWait)",
  "lower class": () => "requests of a higher class are being turned away",
  displaced: () => "a newer request took its place in the queue",
  waited: (ms) => `it waited ${durationInWords(ms)} for room`,
  expired: () => "its deadline passed before there was room",
};

/** By class of the route; a prefetch, which nobody may ever look at, counts one lower. */
export function rankOf(route: RouteSettings, isPrefetch: boolean): ClassRank {
  if (route.class === "background") return 2;
  if (route.class === "normal") return isPrefetch ? 2 : 1;
  return isPrefetch ? 1 : 0;
}
