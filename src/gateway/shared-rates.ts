/**
 * Rate limits that several workers keep together, as one of them uses them; control/rate-desk.ts is the other side and
 * says why it adds up.
 *
 * A request never waits while there is something at hand: the base of a key at rest, or what was fetched in advance. It
 * waits, for as long as a message takes there and back, where this worker would otherwise have to refuse although others
 * may have what it needs; and it is refused at once while it is known that nobody has.
 *
 * A worker that stands still answers nobody, and others must not wait for it: after a while the hub takes its base for
 * used up. So a worker that finds that it stood still does not use its base any more before it has been given another.
 */
import type { FromHub, RateGrant, RateKey, RateLevel, RateRow, ToHub } from "../contract/shared-knowledge.ts";
import type { Clock, Schedule } from "../kernel/clock.ts";
import { createRateTable, fillTable, levelAt, placeOf, raiseTo, remainingAt, takeOne } from "../policies/rate-limit.ts";
import type { RateLimitOptions, RateTable } from "../policies/rate-limit.ts";

export interface SharedRatePorts {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly send: (message: ToHub) => void;
  readonly workers: number;
}

/** Requests of one key that this worker may admit: given to it by the hub. */
interface Purse {
  readonly limit: SharedLimit;
  readonly key: number;
  /** In hand. */
  count: number;
  /** Since this was last told. */
  used: number;
  /** Of the two ticks before. */
  usedBefore: number;
  /** How many were asked for and have no answer; 0: none. */
  asking: number;
  /** Until then nobody has any. */
  nothingUntil: number;
  /** Left for all together, as far as was heard. */
  remaining: number;
  /** When one more will have drained, as far as was heard. */
  freeAt: number;
  /** What counts of the base that was given up for it, until that is told. */
  untold: number;
  readonly waiters: Set<Waiter>;
}

interface Waiter {
  done(now: number): void;
  cancel(): void;
}

/** What one limit says of one request. */
export type SharedVerdict =
  /** `take` has to follow if all limits allow it. */
  | { readonly kind: "may"; readonly remaining: number }
  | { readonly kind: "refused"; readonly waitMs: number }
  /** Others may have what it needs: `wait` for it. By what was heard last there is none for so long. */
  | { readonly kind: "ask"; readonly waitMs: number };

const TICK_MS = 50;
/** An answer that takes longer is not waited for: longer than the hub waits for one that stands still. */
const WAIT_MS = 600;
const BEAT_MS = 50;
/** Longer without a turn of the event loop, and the base is given up. The hub waits more than twice as long. */
const STILL_MS = 200;
/** Requests that wait for one key. */
const WAITERS_MAX = 1_024;

export class SharedRates {
  readonly #ports: SharedRatePorts;
  readonly #limits = new Map<string, SharedLimit>();
  /** Whether this worker has a base at all. */
  based = false;
  readonly #purses = new Map<string, Purse>();
  #isTicking = false;
  /** When the event loop was last seen to turn. */
  #aliveAt = 0;
  #isBeating = false;

  constructor(ports: SharedRatePorts) {
    this.#ports = ports;
  }

  get workers(): number {
    return this.#ports.workers;
  }

  /** `name`: of contract/rate-names.ts, so that the same name has the same options. */
  limit(name: string, options: RateLimitOptions, keysMax: number): SharedLimit {
    const known = this.#limits.get(name);
    if (known !== undefined) return known;
    const made = new SharedLimit(this, name, options, keysMax);
    this.#limits.set(name, made);
    if (!this.#isBeating) {
      this.#isBeating = true;
      this.#aliveAt = this.#ports.clock.monotonic();
      this.#ports.schedule(BEAT_MS, () => this.#beat());
    }
    return made;
  }

  /** Whether there is a base, and nobody can have taken it for used up. */
  mayUseBase(now: number): boolean {
    if (this.based && now - this.#aliveAt >= STILL_MS) this.#stoodStill(now);
    return this.based;
  }

  #beat(): void {
    const now = this.#ports.clock.monotonic();
    this.mayUseBase(now);
    this.#aliveAt = now;
    this.#ports.schedule(BEAT_MS, () => this.#beat());
  }

  #stoodStill(now: number): void {
    this.#endBase(now);
    this.#ports.send({ kind: "rates resume" });
  }

  purseOf(name: string, key: number): Purse | undefined {
    return this.#purses.get(nameOf({ limit: name, key }));
  }

  hear(message: Extract<FromHub, { kind: "rates" | "rates begin" | "rates end" }>): void {
    const now = this.#ports.clock.monotonic();
    switch (message.kind) {
      case "rates":
        for (const grant of message.rows) this.#hear(grant, now);
        return;
      case "rates begin": {
        const { lostAgoMs, pooled, levels } = message.begin;
        this.based = true;
        if (lostAgoMs >= 0) for (const limit of this.#limits.values()) limit.fill(now - lostAgoMs);
        for (const { limit, keys, levels: left } of levels) this.#limits.get(limit)?.takeOver(keys, left, now);
        // What it has asked for already it has no base for, but what its predecessor admitted counts.
        for (const purse of this.#purses.values()) purse.untold = purse.limit.giveUp(purse.key, now);
        for (const row of pooled) this.#openPurse(row, now);
        return;
      }
      case "rates end":
        this.#endBase(now);
    }
  }

  /** Asks for some. `done` is called once, unless it is cancelled by the function that is returned. */
  wait(limit: SharedLimit, key: number, now: number, done: (now: number) => void): () => void {
    const purse = this.#purseFor(limit, key, now);
    const stop = this.#ports.schedule(WAIT_MS, () => {
      // Nobody knows whether there are any: as if there were none, for a moment.
      purse.nothingUntil = this.#ports.clock.monotonic() + TICK_MS;
      this.#wake(purse, waiter);
    });
    const waiter: Waiter = { done, cancel: stop };
    purse.waiters.add(waiter);
    this.#ask(purse);
    return () => {
      stop();
      purse.waiters.delete(waiter);
    };
  }

  took(purse: Purse): void {
    purse.count -= 1;
    purse.used += 1;
    this.#tickSoon();
  }

  mayWait(purse: Purse | undefined): boolean {
    return purse === undefined || purse.waiters.size < WAITERS_MAX;
  }

  #purseFor(limit: SharedLimit, key: number, now: number): Purse {
    const known = this.purseOf(limit.name, key);
    if (known !== undefined) return known;
    const none = { count: 0, used: 0, usedBefore: 0, remaining: 0, asking: 0 };
    const untold = limit.giveUp(key, now);
    const purse: Purse = { limit, key, ...none, nothingUntil: -Infinity, freeAt: now, untold, waiters: new Set() };
    this.#purses.set(nameOf({ limit: limit.name, key }), purse);
    return purse;
  }

  #openPurse({ limit: name, key }: RateKey, now: number): void {
    const limit = this.#limits.get(name);
    if (limit !== undefined) this.#purseFor(limit, key, now);
  }

  #ask(purse: Purse): void {
    if (purse.asking > 0) return;
    purse.asking = Math.max(1, purse.waiters.size, 2 * purse.usedBefore);
    this.#send([this.#rowOf(purse, "ask", purse.asking, 0)]);
    this.#tickSoon();
  }

  #rowOf(purse: Purse, say: RateRow["say"], want: number, back: number): RateRow {
    const { used, untold: level, limit, key } = purse;
    purse.used = 0;
    purse.untold = 0;
    purse.count -= back;
    return { limit: limit.name, key, say, used, back, want, level, based: this.based };
  }

  #hear(grant: RateGrant, now: number): void {
    const limit = this.#limits.get(grant.limit);
    if (limit === undefined) return;
    const known = this.purseOf(grant.limit, grant.key);
    switch (grant.say) {
      case "pool":
        this.#send([this.#rowOf(this.#purseFor(limit, grant.key, now), "told", 0, 0)]);
        return;
      case "grant":
        if (known !== undefined) this.#granted(known, grant, now);
        return;
      case "back":
        if (known !== undefined) this.#send([this.#rowOf(known, "used", 0, known.count)]);
        return;
      case "base":
        if (known !== undefined && known.asking === 0) this.#purses.delete(nameOf(grant));
    }
  }

  #granted(purse: Purse, { count, waitMs, remaining }: RateGrant, now: number): void {
    const asked = purse.asking;
    purse.count += count;
    purse.asking = 0;
    purse.remaining = remaining;
    purse.freeAt = now + waitMs;
    // Less than was wanted is all that there is. Others may give something back long before more has drained.
    const isShort = count < Math.max(1, asked);
    purse.nothingUntil = isShort ? now + Math.min(Math.max(1, waitMs), TICK_MS) : -Infinity;
    // In the order in which they came. Those for whom there is none hear that, too; more may have come meanwhile.
    for (const waiter of purse.waiters) {
      if (purse.count > 0 || isShort) this.#wake(purse, waiter);
    }
    if (purse.waiters.size > 0) this.#ask(purse);
    this.#tickSoon();
  }

  #wake(purse: Purse, waiter: Waiter): void {
    if (!purse.waiters.delete(waiter)) return;
    waiter.cancel();
    waiter.done(this.#ports.clock.monotonic());
  }

  #endBase(now: number): void {
    if (!this.based) return;
    this.based = false;
    this.#ports.send({ kind: "rates end", levels: [...this.#limits.values()].map((limit) => limit.leave(now)) });
  }

  #tickSoon(): void {
    if (this.#isTicking) return;
    this.#isTicking = true;
    this.#ports.schedule(TICK_MS, () => this.#tick());
  }

  /** Tells what was used, fetches what will be, gives back what lies idle. */
  #tick(): void {
    this.#isTicking = false;
    const rows: RateRow[] = [];
    for (const purse of this.#purses.values()) {
      const { used, usedBefore, count } = purse;
      // The hub looks again at what it waits for whenever it is reminded.
      const isWaiting = purse.waiters.size > 0;
      if (used === 0 && usedBefore === 0 && count === 0 && !isWaiting) continue;
      purse.usedBefore = used;
      const target = 2 * Math.max(used, usedBefore);
      const back = used === 0 && usedBefore === 0 ? count : 0;
      const want = back > 0 || purse.asking > 0 ? 0 : Math.max(0, target - count);
      if (used > 0 || back > 0 || want > 0 || isWaiting) rows.push(this.#rowOf(purse, "used", want, back));
      this.#isTicking = true;
    }
    if (rows.length > 0) this.#send(rows);
    if (this.#isTicking) this.#ports.schedule(TICK_MS, () => this.#tick());
  }

  #send(rows: readonly RateRow[]): void {
    this.#ports.send({ kind: "rates", rows });
  }
}

/** One limit of one route at this worker. */
export class SharedLimit {
  readonly name: string;
  readonly #rates: SharedRates;
  readonly #options: RateLimitOptions;
  readonly #base: RateLimitOptions;
  readonly #table: RateTable;

  constructor(rates: SharedRates, name: string, options: RateLimitOptions, keysMax: number) {
    const { count, periodMs, burst } = options;
    this.name = name;
    this.#rates = rates;
    this.#options = options;
    // Whole requests, so that the parts never make more than the whole.
    this.#base = { count, periodMs: periodMs * rates.workers, burst: Math.floor(burst / rates.workers) };
    this.#table = createRateTable(keysMax);
  }

  /** Whether one more may come. Nothing is counted before `take`. */
  look(key: number, now: number): SharedVerdict {
    const purse = this.#rates.purseOf(this.name, key);
    if (purse === undefined) {
      const remaining = this.#baseLeft(key, now);
      return remaining >= 1 ? { kind: "may", remaining: this.#mostLeft(key, now) } : { kind: "ask", waitMs: 0 };
    }
    if (purse.count >= 1) return { kind: "may", remaining: purse.remaining + purse.count };
    if (now < purse.nothingUntil || !this.#rates.mayWait(purse)) {
      return { kind: "refused", waitMs: Math.max(1, Math.ceil(Math.max(purse.nothingUntil, purse.freeAt) - now)) };
    }
    return { kind: "ask", waitMs: Math.max(0, Math.ceil(purse.freeAt - now)) };
  }

  /** Only after `look` said that it may. */
  take(key: number, now: number): void {
    const purse = this.#rates.purseOf(this.name, key);
    if (purse !== undefined) this.#rates.took(purse);
    else takeOne(this.#base, this.#table, this.#placeOf(key, now), now);
  }

  wait(key: number, now: number, done: (now: number) => void): () => void {
    return this.#rates.wait(this, key, now, done);
  }

  /** For a limit that holds nobody up: it is counted when it is known. */
  takeLater(key: number, now: number): void {
    this.wait(key, now, (at) => {
      if (this.look(key, at).kind === "may") this.take(key, at);
    });
  }

  /** The base of this key is not used from now on. Returns what counts of it, in units of the whole limit. */
  giveUp(key: number, now: number): number {
    return this.#rates.based ? this.#levelOf(this.#placeOf(key, now), now) : 0;
  }

  /** Everybody's base counts as used up at that time. */
  fill(at: number): void {
    fillTable(this.#base, this.#table, at);
  }

  /** What counts of every key by the base. */
  leave(now: number): RateLevel {
    const keys: number[] = [];
    const levels: number[] = [];
    this.#table.keys.forEach((key, place) => {
      const purse = this.#rates.purseOf(this.name, key);
      const level = purse === undefined ? this.#levelOf(place, now) : purse.untold;
      if (key === 0 || level === 0) return;
      keys.push(key);
      levels.push(level);
    });
    return { limit: this.name, keys, levels };
  }

  /** A predecessor admitted so much by the same base. */
  takeOver(keys: readonly number[], levels: readonly number[], now: number): void {
    keys.forEach((key, index) => {
      const level = (levels[index] ?? 0) * this.#rates.workers;
      raiseTo(this.#base, this.#table, this.#placeOf(key, now), level, now);
    });
  }

  #baseLeft(key: number, now: number): number {
    if (!this.#rates.mayUseBase(now) || this.#base.burst < 1) return 0;
    return remainingAt(this.#base, this.#table, this.#placeOf(key, now), now);
  }

  /** If nobody else has used any. */
  #mostLeft(key: number, now: number): number {
    const { burst } = this.#options;
    return burst - (this.#base.burst - this.#baseLeft(key, now));
  }

  #levelOf(place: number, now: number): number {
    return Math.ceil(levelAt(this.#base, this.#table, place, now) / this.#rates.workers);
  }

  #placeOf(key: number, now: number): number {
    return placeOf(this.#base, this.#table, key, now);
  }
}

function nameOf({ limit, key }: RateKey): string {
  return `${key} ${limit}`;
}
