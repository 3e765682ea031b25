/**
 * Where the rate limits of all workers of a node meet (policies/rate-pool.ts says who may have how many).
 *
 * A key has two states. At rest each worker has a base of its own for it, an equal part of burst and rate, and nobody
 * hears of it here. When a worker runs out of that, the row is *pooled*: all give up their base, tell what still counts
 * of it, and get requests from here as they need them, some in advance. When nothing counts any more, the base holds
 * again. So most clients, who stay far below a limit, cost no message at all; and whoever has all his connections at one
 * worker gets all of his limit there.
 *
 * At every instant the bases, or what the pool holds, add up to no more than the limit. A worker that dies is taken to
 * have used all that it might have; whoever follows it begins as if its base were used up.
 */
import type { RateBegin, RateGrant, RateKey, RateLevel, RateRow } from "../contract/shared-knowledge.ts";
import type { RateLimitOptions } from "../policies/rate-limit.ts";
import {
  addToLevel,
  createRatePool,
  freeOf,
  isEmptyPool,
  loseOut,
  settleOut,
  takeOut,
  waitMsOf,
} from "../policies/rate-pool.ts";
import type { RatePool } from "../policies/rate-pool.ts";

/** One worker as this desk knows it. */
export interface RateMember {
  /** Alike for a worker and whoever takes its place. */
  readonly worker: number;
  /** Unlike any other. */
  readonly id: string;
  sendRates(rows: readonly RateGrant[]): void;
  beginRates(begin: RateBegin): void;
}

interface Row extends RateKey {
  readonly options: RateLimitOptions;
  readonly pool: RatePool;
  /** Who has yet to tell what it admitted by its base. Until all have, nothing is given out, and nothing drains. */
  readonly untold: Set<RateMember>;
  told: number;
  /** Who asked and has no answer, and how many each wants. */
  readonly asking: Map<RateMember, number>;
  /** Somebody was asked to give back, and has not answered. */
  readonly recalled: Set<RateMember>;
  /** Not before then again. */
  recallAt: number;
  askedAt: number;
  readonly pooledAt: number;
}

/** Pooled rows at once; beyond it whoever runs out of the base is told to wait. */
const ROWS_MAX = 65_536;
const FULL_WAIT_MS = 1_000;
/** A row in use is not given up between two requests. */
const REST_MS = 2_000;
const SWEEP_MS = 1_000;
const RECALL_MS = 50;
/** Who has not told by then what it admitted is taken to have used up its base. */
const UNTOLD_MS = 500;
/** A base that was lost with its worker is forgotten after the longest that anything counts. */
const LOST_MAX = 1_024;

export class RateDesk {
  #limits: ReadonlyMap<string, RateLimitOptions>;
  readonly #workers: number;
  readonly #rows = new Map<string, Row>();
  /** Those with a base of their own. */
  readonly #based = new Map<number, RateMember>();
  readonly #members = new Set<RateMember>();
  /** When the base of a place was lost with its worker. */
  readonly #lostAt = new Map<number, number>();
  /** What a worker that went in order left of its base, for whoever has its place next. */
  readonly #left = new Map<number, { readonly levels: readonly RateLevel[]; readonly at: number }>();
  #sweepAt = 0;

  /** `limits`: of the whole node, by what workers call them. */
  constructor(limits: ReadonlyMap<string, RateLimitOptions>, workers: number) {
    this.#limits = limits;
    this.#workers = workers;
  }

  /** Rows of limits that are not there any more end by themselves: nobody uses them. */
  configure(limits: ReadonlyMap<string, RateLimitOptions>): void {
    this.#limits = limits;
  }

  /** It begins. While another of the same number has the base, it has none and asks for everything. */
  join(member: RateMember, now: number): void {
    this.#members.add(member);
    this.#giveBase(member, now);
  }

  /** It gives up its base and goes on without. */
  retire(member: RateMember, levels: readonly RateLevel[], now: number): void {
    if (this.#based.get(member.worker) !== member) return;
    this.#based.delete(member.worker);
    this.#left.set(member.worker, { levels, at: now });
    for (const row of this.#rows.values()) {
      // What it was asked about is in what it leaves.
      if (row.untold.has(member)) this.#told(row, member, levelIn(levels, row), now);
    }
    for (const next of this.#members) if (next !== member && next.worker === member.worker) this.#giveBase(next, now);
  }

  /** It gave up its base because it stood still. */
  resume(member: RateMember, now: number): void {
    this.#giveBase(member, now);
  }

  leave(member: RateMember, now: number): void {
    this.#members.delete(member);
    const wasBased = this.#based.get(member.worker) === member;
    if (wasBased) {
      this.#based.delete(member.worker);
      if (this.#lostAt.size < LOST_MAX) this.#lostAt.set(member.worker, now);
    }
    for (const row of this.#rows.values()) {
      row.asking.delete(member);
      row.recalled.delete(member);
      loseOut(row.options, row.pool, member.id, now);
      if (row.untold.has(member)) this.#told(row, member, baseLevel(row.options, this.#workers), now);
      else this.#serve(row, now);
    }
    if (wasBased) for (const next of this.#members) if (next.worker === member.worker) this.#giveBase(next, now);
  }

  hear(member: RateMember, rows: readonly RateRow[], now: number): void {
    for (const said of rows) this.#hear(member, said, now);
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + SWEEP_MS;
    this.#sweep(now);
  }

  #hear(member: RateMember, said: RateRow, now: number): void {
    const row = this.#rows.get(nameOf(said)) ?? this.#pool(member, said, now);
    if (row === null) {
      // It was given up, and what this worker says crossed that.
      if (said.say === "ask")
        send(member, { ...keyOf(said), say: "grant", count: 0, waitMs: FULL_WAIT_MS, remaining: 0 });
      return;
    }
    settleOut(row.options, row.pool, member.id, said.used, said.back, now);
    row.recalled.delete(member);
    if (said.used > 0 || said.say === "ask") row.askedAt = now;
    if (row.untold.has(member) && said.based) this.#told(row, member, said.level, now);
    if (row.untold.size > 0 && now - row.pooledAt >= UNTOLD_MS) {
      // It stands still, or it would have said; when it goes on it does not use its base (gateway/shared-rates.ts).
      for (const late of row.untold) this.#told(row, late, baseLevel(row.options, this.#workers), now);
    }
    if (said.say === "ask") row.asking.set(member, Math.max(1, said.want));
    this.#serve(row, now);
    if (said.say === "used" && said.want > 0 && row.untold.size === 0) this.#grant(row, member, said.want, now);
  }

  /** Null: it cannot be pooled. */
  #pool(member: RateMember, said: RateRow, now: number): Row | null {
    const options = this.#limits.get(said.limit);
    if (options === undefined || said.say !== "ask" || this.#rows.size >= ROWS_MAX) return null;
    const row: Row = {
      ...keyOf(said),
      options,
      pool: createRatePool(0, now),
      untold: new Set(this.#based.values()),
      told: 0,
      asking: new Map(),
      recalled: new Set(),
      recallAt: 0,
      askedAt: now,
      pooledAt: now,
    };
    this.#rows.set(nameOf(said), row);
    // Places without anybody: what was admitted there may still count.
    for (const [worker, lostAt] of this.#lostAt) {
      if (this.#based.has(worker)) continue;
      const left = baseLevel(options, this.#workers) - this.#drained(options, now - lostAt);
      row.told += Math.max(0, left);
    }
    for (const [worker, { levels, at }] of this.#left) {
      if (this.#based.has(worker)) continue;
      const left = levelIn(levels, row) - this.#drained(options, now - at);
      row.told += Math.max(0, left);
    }
    if (row.untold.size === 0) addToLevel(options, row.pool, row.told, now);
    for (const other of row.untold) {
      if (other !== member || !said.based)
        send(other, { ...keyOf(said), say: "pool", count: 0, waitMs: 0, remaining: 0 });
    }
    return row;
  }

  #told(row: Row, member: RateMember, level: number, now: number): void {
    row.untold.delete(member);
    row.told += level;
    if (row.untold.size > 0) return;
    addToLevel(row.options, row.pool, row.told, now);
    this.#serve(row, now);
  }

  /** Answers whoever asked, as far as there is anything; what lies idle elsewhere is called back first. */
  #serve(row: Row, now: number): void {
    if (row.untold.size > 0 || row.asking.size === 0) return;
    const { options, pool } = row;
    if (freeOf(options, pool, now) === 0 && this.#recall(row, now)) return;
    let left = row.asking.size;
    for (const [member, want] of row.asking) {
      row.asking.delete(member);
      // Who asks at the same time gets as much.
      const share = Math.max(1, Math.ceil(freeOf(options, pool, now) / left));
      this.#grant(row, member, Math.min(want, share), now);
      left -= 1;
    }
  }

  /** True: somebody else may have some and will say. */
  #recall(row: Row, now: number): boolean {
    if (row.recalled.size > 0 || now < row.recallAt) return row.recalled.size > 0;
    row.recallAt = now + RECALL_MS;
    for (const member of this.#members) {
      if ((row.pool.out[member.id] ?? 0) === 0 || row.asking.has(member)) continue;
      row.recalled.add(member);
      send(member, { ...keyOf(row), say: "back", count: 0, waitMs: 0, remaining: 0 });
    }
    return row.recalled.size > 0;
  }

  #grant(row: Row, member: RateMember, want: number, now: number): void {
    const { options, pool } = row;
    const count = takeOut(options, pool, member.id, want, now);
    const waitMs = count > 0 ? 0 : Math.max(1, waitMsOf(options, pool, now));
    const remaining = freeOf(options, pool, now);
    send(member, { ...keyOf(row), say: "grant", count, waitMs, remaining });
  }

  #giveBase(member: RateMember, now: number): void {
    const { worker } = member;
    if (this.#based.has(worker)) return;
    this.#based.set(worker, member);
    const lostAt = this.#lostAt.get(worker) ?? -1;
    const left = this.#left.get(worker);
    this.#lostAt.delete(worker);
    this.#left.delete(worker);
    member.beginRates({
      lostAgoMs: lostAt < 0 ? -1 : now - lostAt,
      pooled: [...this.#rows.values()].map(keyOf),
      levels: left === undefined ? [] : left.levels.map((level) => this.#older(level, now - left.at)),
    });
  }

  #older({ limit, keys, levels }: RateLevel, ms: number): RateLevel {
    const options = this.#limits.get(limit);
    const drained = options === undefined ? Infinity : this.#drained(options, ms);
    return { limit, keys, levels: levels.map((level) => Math.max(0, level - drained)) };
  }

  /** What one base lets go of in this time: its part of the rate, also while nobody uses it. */
  #drained({ count }: RateLimitOptions, ms: number): number {
    return Math.floor((Math.floor(ms) * count) / this.#workers);
  }

  /** Rows of which nothing counts any more. */
  #sweep(now: number): void {
    for (const [name, row] of this.#rows) {
      if (row.untold.size > 0 || row.asking.size > 0 || now - row.askedAt < REST_MS) continue;
      if (!isEmptyPool(row.options, row.pool, now)) continue;
      this.#rows.delete(name);
      for (const member of this.#members) {
        send(member, { ...keyOf(row), say: "base", count: 0, waitMs: 0, remaining: 0 });
      }
    }
  }
}

function baseLevel(options: RateLimitOptions, workers: number): number {
  return Math.floor(options.burst / workers) * options.periodMs;
}

function levelIn(levels: readonly RateLevel[], { limit, key }: RateKey): number {
  for (const each of levels) {
    if (each.limit !== limit) continue;
    const at = each.keys.indexOf(key);
    return at < 0 ? 0 : (each.levels[at] ?? 0);
  }
  return 0;
}

function nameOf({ limit, key }: RateKey): string {
  return `${key} ${limit}`;
}

function keyOf({ limit, key }: RateKey): RateKey {
  return { limit, key };
}

function send(member: RateMember, grant: RateGrant): void {
  member.sendRates([grant]);
}
