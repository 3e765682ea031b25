/**
 * One fetch of a key, and those who wait for it: the first request goes to an origin, everybody who asks for the same
 * meanwhile gets its response as it comes. When it turns out that it may not be shared they go their own ways; when it
 * fails, one of them takes the lead and the others go on waiting, so that a broken origin is asked by one at a time;
 * unless what is stored answered the first one's client: then it answers the others as well.
 */
import type { TimerOwner, TimerWheel } from "../../kernel/timer-wheel.ts";
import { WheelTimer } from "../../kernel/timer-wheel.ts";
import type { ExchangeRecord } from "../../contract/record.ts";
import type { Entry } from "./entry.ts";
import type { Slot, Store } from "./store.ts";

/** Who leads a flight. */
export interface FlightLeader {
  /** Its attempts tell whether an origin has been reached. */
  readonly record: Pick<ExchangeRecord, "id" | "attempts">;
  /** Others want the response: it goes on without the leader's client, and does not wait for it. */
  hasFollowers: boolean;
}

export type Release =
  /** It is not to be shared. */
  | "alone"
  /** It failed, and somebody else may try. */
  | "again"
  /** No origin answered, and its own client got what is stored. */
  | "unanswered"
  /** An origin answered with an error, and its own client got what is stored. */
  | "errored"
  /** It took longer than the follower wanted to wait. */
  | "late";

/** Who waits. Each call ends its waiting. */
export interface Follower {
  /** The response may be used by others; its body may still be coming. False: not by this one. */
  onShared(entry: Entry): boolean;
  onReleased(why: Release): void;
  onFault(error: unknown): void;
}

/** RFC 5861 §4: what counts as an error of the origin. */
export const STALE_STATUSES: ReadonlySet<number> = new Set([500, 502, 503, 504]);

export class Flight {
  readonly slot: Slot;
  readonly leader: FlightLeader;
  /** Monotonic ms. */
  readonly beganAt: number;
  /** Known as soon as the response's head is, and only when it is shared. */
  entry: Entry | null = null;
  readonly #store: Store;
  readonly #wheel: TimerWheel;
  readonly #waiting: Set<Waiting> = new Set();
  #over = false;

  constructor(store: Store, slot: Slot, leader: FlightLeader, wheel: TimerWheel, now: number) {
    this.#store = store;
    this.slot = slot;
    this.leader = leader;
    this.beganAt = now;
    this.#wheel = wheel;
    slot.flights.push(this);
  }

  get over(): boolean {
    return this.#over;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** No origin has been reached for it: none has sent a byte, and each try has failed or is not even connected. */
  get isUnreached(): boolean {
    return this.isSilent && this.leader.record.attempts.every((one) => one.cause !== null || one.connectedUs === -1);
  }

  /** Origins were asked, and none has sent a byte. */
  get isSilent(): boolean {
    const { attempts } = this.leader.record;
    return attempts.length > 0 && attempts.every(({ firstByteUs }) => firstByteUs === -1);
  }

  /** An origin answered with an error, and of those that were asked for something better none has sent a byte. */
  get isErrored(): boolean {
    const { attempts } = this.leader.record;
    return (
      attempts.some(({ status }) => STALE_STATUSES.has(status)) &&
      attempts.every(({ cause, firstByteUs }) => cause !== null || firstByteUs === -1)
    );
  }

  /** Returns what ends the waiting when the follower's client has left. */
  join(follower: Follower, now: number, waitMs: number): () => void {
    const waiting = new Waiting(follower, (one) => this.#late(one));
    this.#waiting.add(waiting);
    this.leader.hasFollowers = true;
    this.#wheel.arm(waiting.timer, now, waitMs);
    return () => {
      this.#drop(waiting);
      this.settleFollowers();
    };
  }

  /** The head has come, and who fits may have the response. */
  share(entry: Entry): void {
    this.entry = entry;
    for (const waiting of this.#waiting) {
      this.#drop(waiting);
      if (!waiting.follower.onShared(entry)) waiting.follower.onReleased("again");
    }
    this.settleFollowers();
  }

  /** It is over, as far as others are concerned. */
  end(why: Exclude<Release, "late">): void {
    if (this.#over) return;
    this.#over = true;
    const at = this.slot.flights.indexOf(this);
    if (at !== -1) this.slot.flights.splice(at, 1);
    this.#store.tidy(this.slot);
    const waiting = [...this.#waiting];
    for (const one of waiting) this.#drop(one);
    this.settleFollowers();
    for (const one of waiting) one.follower.onReleased(why);
  }

  /** Whether anybody still wants the response besides the leader's client. */
  settleFollowers(): void {
    this.leader.hasFollowers = this.#waiting.size > 0 || (this.entry?.body?.readers ?? 0) > 0;
  }

  #late(waiting: Waiting): void {
    this.#drop(waiting);
    this.settleFollowers();
    waiting.follower.onReleased("late");
  }

  #drop(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    this.#wheel.remove(waiting.timer);
  }
}

class Waiting implements TimerOwner {
  readonly follower: Follower;
  readonly timer: WheelTimer = new WheelTimer(this);
  readonly #late: (waiting: Waiting) => void;

  constructor(follower: Follower, late: (waiting: Waiting) => void) {
    this.follower = follower;
    this.#late = late;
  }

  onTimer(): void {
    this.#late(this);
  }

  onFault(error: unknown): void {
    this.follower.onFault(error);
  }
}
