/**
 * Watches one pool for silence (policies/pool-silence.ts, docs/decisions/0034) while requests wait there: traffic sets the watch going, and
 * it goes on by a timer of its own, because nobody may ask again until the first of those who wait give up. On its
 * rounds it looks as well for requests that keep one address so busy that nobody else is answered there.
 */
import { WheelTimer } from "../kernel/timer-wheel.ts";
import type { TimerOwner } from "../kernel/timer-wheel.ts";
import { lookForPins } from "../policies/pinning.ts";
import type { LatencyWindow } from "../policies/latency-window.ts";
import { asksSilent, createSilence, observeSilence, silenceInWords } from "../policies/pool-silence.ts";
import type { SilenceState } from "../policies/pool-silence.ts";
import { durationInWords } from "../policies/words.ts";
import type { Core } from "./core.ts";
import type { FirstByteWait } from "./first-byte-wait.ts";
import type { OriginAddress } from "./origin-address.ts";

/** A wait of this length is reason enough to look on. */
const LOOK_FROM_MS = 100;
const LOOK_MS = 50;

interface WatchedPool {
  readonly name: string;
  readonly members: readonly OriginAddress[];
}

export class PoolSilenceWatch implements TimerOwner {
  /** It is silent now. */
  silent = false;
  readonly #core: Core;
  readonly #service: string;
  readonly #pool: WatchedPool;
  /** Hears of requests that may keep one of its addresses busy. Set by the service; null: nobody asks. */
  onPin: ((address: OriginAddress, wait: FirstByteWait, now: number) => void) | null = null;
  /** Of all members together. Set by the pool. */
  latencies: LatencyWindow;
  readonly #timer: WheelTimer = new WheelTimer(this);
  readonly #state: SilenceState = createSilence();
  readonly #told = new WeakSet<FirstByteWait>();
  #looksOn = false;
  #isRetired = false;

  constructor(core: Core, service: string, pool: WatchedPool, latencies: LatencyWindow) {
    this.#core = core;
    this.#service = service;
    this.#pool = pool;
    this.latencies = latencies;
  }

  /** Why exchanges go elsewhere. */
  get because(): string {
    return silenceInWords(this.#pool.name, this.#state);
  }

  /** `waitedMs`: of the one that waits longest at one of its addresses. Returns at once when that is nothing. */
  look(waitedMs: number, now: number): void {
    if (this.#looksOn || waitedMs < LOOK_FROM_MS) return;
    this.#looksOn = true;
    this.#core.wheel.arm(this.#timer, now, LOOK_MS);
  }

  /** Whether this request, which is safe, goes there all the same: somebody has to hear it when the pool speaks again. */
  asks(now: number): boolean {
    return asksSilent(this.#state, now);
  }

  /** The pool is out of the configuration: only those who wait there still are watched. */
  retire(): void {
    this.#isRetired = true;
  }

  stop(): void {
    this.#core.wheel.remove(this.#timer);
  }

  onTimer(_timer: WheelTimer, now: number): void {
    this.#looksOn = false;
    const { members } = this.#pool;
    const { since } = this.#state;
    const isSilent = observeSilence(this.#state, members, this.latencies, this.#core.wheel.stallEndedAt, now);
    if (isSilent !== this.silent) this.#changed(isSilent, since, now);
    if (isSilent) this.#tellWaits(now);
    else if (this.onPin !== null) this.#lookForPins(this.onPin, now);
    const goesOn = isSilent && !this.#isRetired;
    if (goesOn || members.some(({ waits }) => waits.oldest !== null)) this.look(Infinity, now);
    this.#core.gather.flush();
  }

  onFault(error: unknown): void {
    this.#core.onFault(error);
  }

  #changed(isSilent: boolean, since: number, now: number): void {
    this.silent = isSilent;
    const { name } = this.#pool;
    const detail = isSilent
      ? `${this.because}; reads go to other pools until it is heard again`
      : `pool ${name} is not taken for silent any more, after ${durationInWords(now - since)}`;
    const code = isSilent ? "pool.silent" : "pool.silence-over";
    const at = this.#core.clock.wall();
    this.#core.book.publish({ kind: "gateway", at, code, detail: `${this.#service}: ${detail}` });
  }

  #lookForPins(tell: NonNullable<PoolSilenceWatch["onPin"]>, now: number): void {
    const { members } = this.#pool;
    for (const { member, wait, sign } of lookForPins(members, this.latencies, this.#core.wheel.stallEndedAt, now)) {
      const address = members[member];
      // What pinned it may let go for a moment, when those who waited have left: only an answer ends that.
      const isLess = sign === "unknown" || (sign === "checked beside" && wait.pin === "pins");
      if (isLess || wait.pin === sign || address === undefined) continue;
      wait.pin = sign;
      if (sign === "pins") tell(address, wait, now);
    }
  }

  /** Those who wait may go elsewhere now, each of them once. */
  #tellWaits(now: number): void {
    const waiting: FirstByteWait[] = [];
    for (const { waits } of this.#pool.members) {
      for (let wait = waits.oldest; wait !== null; wait = wait.newer) {
        if (now - wait.turnMs < this.#state.fromMs) break;
        if (!this.#told.has(wait)) waiting.push(wait);
      }
    }
    // Told only now: whoever goes elsewhere changes the lists.
    for (const wait of waiting) {
      this.#told.add(wait);
      wait.onPoolSilent(now);
    }
  }
}
