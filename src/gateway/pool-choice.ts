/**
 * Which of some pools an exchange goes to: asks policies/pool-preference.ts now and then, and at once when the first
 * pool changed, and shares the traffic out as it says. While the first pool has all it needs, an exchange costs a few
 * comparisons here and no roll.
 */
import type { FailoverSettings, PoolSettings } from "../config/settings.ts";
import { createPoolPreference, preferPool, rearrange } from "../policies/pool-preference.ts";
import type { PoolPreferenceState, PoolVerdict } from "../policies/pool-preference.ts";
import { isSafe } from "../policies/safe-method.ts";
import { poolByRoll } from "../policies/spill.ts";
import { shareInWords } from "../policies/words.ts";
import type { Availability } from "../policies/availability.ts";
import type { Core } from "./core.ts";
import type { OriginAddress } from "./origin-address.ts";
import type { PickNote } from "./pick-note.ts";
import type { PoolRuntime } from "./pool-runtime.ts";

/** How often the pools are thought about while nothing happens. */
const LOOK_MS = 250;
/** A share that moves by less is not told. */
const NEWS = 0.1;

export class PoolChoice {
  readonly pools: readonly PoolRuntime[];
  verdict: PoolVerdict | null = null;
  /** Why the pool that `choose` gave last is not the first one; null when it is. */
  note: PickNote | null = null;
  readonly #core: Core;
  readonly #service: string;
  #failover: FailoverSettings;
  #weights: readonly number[] = [];
  #standbyShares: readonly number[] = [];
  #state: PoolPreferenceState = createPoolPreference();
  #lookAt = 0;
  /** The assessment of the first pool that was thought about last. */
  #known: Availability<OriginAddress> | null = null;
  #spilling = false;
  #standby = 0;
  #told: readonly number[] = [];

  constructor(
    core: Core,
    service: { readonly name: string; readonly failover: FailoverSettings },
    pools: readonly PoolRuntime[],
    settings: readonly PoolSettings[],
    before: PoolChoice | null = null,
  ) {
    this.#core = core;
    this.#service = service.name;
    this.#failover = service.failover;
    this.pools = pools;
    this.configure(service, settings);
    if (before !== null) this.#goOnFrom(before);
  }

  /** The same pools, other settings. */
  configure(service: { readonly failover: FailoverSettings }, settings: readonly PoolSettings[]): void {
    this.#failover = service.failover;
    this.#weights = settings.map((pool) => pool.origins.reduce((sum, origin) => sum + origin.weight, 0));
    this.#standbyShares = settings.map((pool) => pool.standbyShare);
    this.#lookAt = 0;
    this.#known = null;
  }

  /** Pools came, went or changed their order. */
  #goOnFrom(before: PoolChoice): void {
    this.#state = rearrange(
      before.#state,
      this.pools.map((pool) => before.pools.indexOf(pool)),
    );
  }

  /** The pool for the next attempt of an exchange. Standbys are proven with safe methods only: a write must not split. */
  choose(method: string, now: number): PoolRuntime {
    const first = this.settle(now);
    this.note = null;
    if (this.#standby > 0 && isSafe(method)) {
      const standby = this.#standbyByRoll();
      if (standby !== null) return standby;
    }
    if (first.silence.silent) {
      const other = this.#whileSilent(first, method, now);
      if (other !== null) return other;
    }
    return this.#spilling ? this.#spillByRoll(first, now) : first;
  }

  /** Another pool, for as long as the first says nothing; null: this request asks it, or there is none. */
  #whileSilent(first: PoolRuntime, method: string, now: number): PoolRuntime | null {
    const other = this.speaking(first);
    if (other === null || (isSafe(method) && first.silence.asks(now))) return null;
    other.settle(now);
    this.note = { code: "pick.silent-pool", reason: first.silence.because };
    return other;
  }

  /** The next pool that can take requests and is not silent, too; null: there is none. */
  speaking(silent: PoolRuntime): PoolRuntime | null {
    for (const pool of this.pools) {
      if (pool !== silent && !pool.silence.silent && pool.availability.liveShare > 0) return pool;
    }
    return null;
  }

  /** The pool that comes first, brought up to date. */
  settle(now: number): PoolRuntime {
    const { pools } = this;
    const first = pools[this.#state.first] ?? pools[0];
    if (first === undefined) throw new Error("a route without pools");
    first.settle(now);
    if (pools.length === 1) return first;
    if (now >= this.#lookAt || first.availability !== this.#known) this.#look(now);
    return pools[this.#state.first] ?? first;
  }

  /** Another worker moved, or had moved before this one began: all are at the same pool, for as long. */
  hearFirst(name: string, movedAt: number, relapses: number): void {
    const first = this.pools.findIndex((pool) => pool.name === name);
    if (first < 0 || movedAt < this.#state.movedAt) return;
    this.#state = { ...this.#state, first, movedAt, relapses };
    this.#lookAt = 0;
  }

  /** Why not everything goes to the most preferred pool; empty: it does, but for shares that prove standbys. */
  get strain(): string {
    return this.#spilling || this.#state.first !== 0 ? (this.verdict?.because ?? "") : "";
  }

  /** Part of the traffic that a pool gets now, standby share included. */
  shareOf(pool: PoolRuntime): number {
    const index = this.pools.indexOf(pool);
    if (this.verdict === null) return index === 0 ? 1 : 0;
    return Math.max(this.verdict.shares[index] ?? 0, this.verdict.standby[index] ?? 0);
  }

  /** An ejected address that is due: so they come back. In pools that are not first by requests that do no harm alone. */
  probation(repeatable: boolean, method: string, now: number): OriginAddress | null {
    for (let index = 0; index < this.pools.length; index += 1) {
      const pool = this.pools[index];
      if (pool === undefined || pool.availability.probationAt < 0) continue;
      if (index !== this.#state.first && !isSafe(method)) continue;
      const address = pool.probation(repeatable, now);
      if (address !== null) return address;
    }
    return null;
  }

  #standbyByRoll(): PoolRuntime | null {
    const roll = this.#core.chance();
    if (roll >= this.#standby) return null;
    const standby = this.verdict?.standby ?? [];
    const index = poolByRoll(standby, roll);
    const pool = this.pools[index] ?? null;
    if (pool !== null) {
      const share = shareInWords(standby[index] ?? 0);
      this.note = {
        code: "pick.standby",
        reason: `pool ${pool.name} always gets ${share} of safe requests, to be proven`,
      };
    }
    return pool;
  }

  #spillByRoll(first: PoolRuntime, now: number): PoolRuntime {
    const pool = this.pools[poolByRoll(this.verdict?.shares ?? [], this.#core.chance())] ?? first;
    if (pool === first) return first;
    pool.settle(now);
    this.note = { code: "pick.spill", reason: this.verdict?.because ?? "" };
    return pool;
  }

  #look(now: number): void {
    this.#lookAt = now + LOOK_MS;
    for (const pool of this.pools) pool.settle(now);
    const before = this.#state.first;
    const capacities = this.pools.map((pool, index) => ({
      name: pool.name,
      // Without an address that may be used at all, nothing is known yet of what it can take.
      liveShare: pool.availability.kind === "empty" ? -1 : pool.availability.liveShare,
      weight: this.#weights[index] ?? 0,
      standbyShare: this.#standbyShares[index] ?? 0,
    }));
    const { state, verdict } = preferPool(this.#failover, this.#state, capacities, now);
    this.#state = state;
    this.verdict = verdict;
    this.#known = this.pools[state.first]?.availability ?? null;
    this.#spilling = (verdict.shares[state.first] ?? 1) < 1;
    this.#standby = verdict.standby.reduce((sum, share) => sum + share, 0);
    const at = this.#core.clock.wall();
    if (state.first !== before) {
      const from = this.pools[before]?.name ?? "";
      const to = this.pools[state.first]?.name ?? "";
      this.#core.book.publish({ kind: "pool", at, service: this.#service, from, to, because: verdict.because });
      const pools = this.pools.map((pool) => pool.name);
      const { movedAt, relapses } = state;
      const news = { service: this.#service, pools, first: to, agoMs: now - movedAt, relapses };
      this.#core.siblings?.tell({ kind: "pool", ...news });
    } else if (this.#isNews(verdict.shares)) {
      const shares = this.pools.map((pool, index) => ({ pool: pool.name, share: verdict.shares[index] ?? 0 }));
      this.#core.book.publish({ kind: "spill", at, service: this.#service, shares, because: verdict.because });
    } else return;
    this.#told = verdict.shares;
  }

  #isNews(shares: readonly number[]): boolean {
    return shares.some((share, index) => {
      const told = this.#told[index] ?? (index === this.#state.first ? 1 : 0);
      return Math.abs(share - told) >= NEWS || share > 0 !== told > 0;
    });
  }
}
