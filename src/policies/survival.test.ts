/**
 * The survival kit as a whole, on a virtual clock: the policies put together as the gateway does it, against
 * origins that misbehave. What is asserted is what clients and origins would notice, for several seeds.
 */
import { describe, expect, test } from "vitest";
import { RETRY_INPUT } from "../../test/support/retry-input.ts";
import { assess, probationTurn } from "./availability.ts";
import type { Availability, AvailabilityOptions, Member } from "./availability.ts";
import { chooseTwo } from "./choose-two.ts";
import type { Candidate } from "./choose-two.ts";
import { createEjection } from "./ejection-state.ts";
import { observeLatency, slowFromMs } from "./ejection-slowness.ts";
import { observeOutcome } from "./ejection.ts";
import type { EjectionVerdict } from "./ejection-state.ts";
import { NO_IDENTITY } from "./origin-identity.ts";
import { stepHealth, UNCHECKED } from "./health.ts";
import type { HealthState } from "./health.ts";
import { createLatencyWindow } from "./latency-window.ts";
import { createPeakEwma, recordFailure, recordLatency } from "./peak-ewma.ts";
import { createPoolPreference, preferPool } from "./pool-preference.ts";
import { countExchange, createRetryBudget, retriesLeft, takeRetry } from "./retry-budget.ts";
import { decideRetry } from "./retry.ts";
import { poolByRoll } from "./spill.ts";

const defaults: AvailabilityOptions & { readonly retry: { budgetRatio: number; budgetPerSecond: number } } = {
  ejection: {
    consecutiveFailures: 5,
    successRatioMin: 0.8,
    requestsMin: 20,
    windowMs: 10_000,
    returnAfterMs: 1_000,
    returnAfterMaxMs: 60_000,
    rampMs: 10_000,
    ejectedRatioMax: 0.5,
    slow: { factor: 4, extraMs: 100, shareMin: 0.2, peersMin: 20 },
  },
  health: { path: "/healthz", grpc: null, intervalMs: 2_000, timeoutMs: 1_000, down: 3, up: 2 },
  retry: { budgetRatio: 0.1, budgetPerSecond: 10 },
};

const FAILOVER = { threshold: 0.7, backAfterMs: 30_000, holdMs: 300_000 };

/** What an origin does with a request or a check that reaches it at `now`. */
type Behaviour = (now: number, chance: () => number) => { readonly ms: number; readonly ok: boolean };

interface Origin extends Member, Candidate {
  readonly pool: number;
  readonly behaviour: Behaviour;
  readonly checked: Behaviour;
  health: HealthState;
  inFlight: number;
  /** Instants at which attempts began. */
  readonly attempts: number[];
}

const well: Behaviour = (_, chance) => ({ ms: 8 + 4 * chance(), ok: true });
/** `bad` from `from` to `until`, otherwise well. */
function during(from: number, until: number, bad: Behaviour): Behaviour {
  return (now, chance) => (now >= from && now < until ? bad(now, chance) : well(now, chance));
}
const failsFast: Behaviour = () => ({ ms: 1, ok: false });

/** Numbers in [0, 1) that are the same for the same seed (a linear congruence; spread enough for this). */
function chanceOf(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
}

class Simulation {
  readonly pools: Origin[][];
  readonly chance: () => number;
  readonly failures: number[] = [];
  readonly ejections: { at: number; code: string; of: number }[] = [];
  /** Instants at which an exchange ended that had taken longer than a second. */
  readonly slow: number[] = [];
  readonly moves: { at: number; to: number }[] = [];
  exchanges = 0;
  retries = 0;
  leastUsable = Number.POSITIVE_INFINITY;
  readonly #options: typeof defaults;
  readonly #budget = createRetryBudget();
  readonly #latencies = [createLatencyWindow(10_000), createLatencyWindow(10_000)];
  #available: Availability<Origin>[] = [];
  #preference = createPoolPreference();
  #preferenceAt = -1;
  #shares: readonly number[] = [1];
  #queue: { at: number; run: () => void }[] = [];
  #now = 0;

  constructor(seed: number, pools: readonly { serves: Behaviour; checked?: Behaviour }[][], options = defaults) {
    this.#options = options;
    this.chance = chanceOf(seed);
    this.pools = pools.map((origins, pool) =>
      origins.map(({ serves, checked }) => ({
        pool,
        behaviour: serves,
        checked: checked ?? well,
        weight: 100,
        share: 1,
        inFlight: 0,
        latency: createPeakEwma(),
        ejection: createEjection(options.ejection, 0),
        health: UNCHECKED,
        identity: NO_IDENTITY,
        drain: null,
        attempts: [],
      })),
    );
  }

  /** Open-loop arrivals at `perSecond` for `forMs`. */
  run(perSecond: number, forMs: number): void {
    this.#assess();
    for (const origin of this.pools.flat()) this.#later(this.chance() * 2_000, () => this.#check(origin, forMs));
    this.#later(0, () => this.#arrive(perSecond, forMs));
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      this.#now = next.at;
      next.run();
    }
  }

  #later(ms: number, run: () => void): void {
    const at = this.#now + ms;
    let place = this.#queue.length;
    while (place > 0 && this.#queue[place - 1]!.at > at) place -= 1;
    this.#queue.splice(place, 0, { at, run });
  }

  #arrive(perSecond: number, forMs: number): void {
    if (this.#now >= forMs) return;
    this.exchanges += 1;
    countExchange(this.#budget, this.#now);
    this.#attempt([]);
    this.#later((2_000 * this.chance()) / perSecond, () => this.#arrive(perSecond, forMs));
  }

  #attempt(tried: Origin[]): void {
    const origin = this.#pick(tried);
    if (origin === null) {
      this.failures.push(this.#now);
      return;
    }
    tried.push(origin);
    const startedAt = this.#now;
    origin.attempts.push(startedAt);
    origin.inFlight += 1;
    const { ms, ok } = origin.behaviour(this.#now, this.chance);
    // As the gateway does: an attempt counts as slow as soon as it is, not when it ends.
    this.#later(Math.min(ms, slowFromMs(origin.ejection)), () => {
      const { ejection } = this.#options;
      const all = this.#latencies[origin.pool]!;
      const members = this.pools[origin.pool]!;
      const waited = this.#now - startedAt;
      this.#heed(origin, observeLatency(ejection, origin, members, all, waited, startedAt, 0, this.#now));
    });
    this.#later(ms, () => {
      origin.inFlight -= 1;
      if (ok) recordLatency(origin.latency, ms, this.#now);
      else recordFailure(origin.latency, ms, this.#now);
      const members = this.pools[origin.pool]!;
      const outcome = ok ? "success" : "failure";
      if (ms > 1_000) this.slow.push(this.#now);
      const verdict = observeOutcome(
        this.#options.ejection,
        origin,
        members,
        outcome,
        startedAt,
        this.chance(),
        this.#now,
      );
      this.#heed(origin, verdict);
      if (!ok) this.#rescue(tried);
    });
  }

  #heed(origin: Origin, verdict: EjectionVerdict): void {
    if (verdict.kind === "none") return;
    const of = this.pools[origin.pool]!.indexOf(origin);
    if (verdict.kind === "ejected") this.ejections.push({ at: this.#now, code: verdict.code, of });
    this.#assess();
  }

  #pick(tried: Origin[]): Origin | null {
    if (this.#available.some(({ nextAt }) => nextAt >= 0 && nextAt <= this.#now)) this.#assess();
    else if (this.#preferenceAt >= 0 && this.#preferenceAt <= this.#now) this.#assess();
    const pool = poolByRoll(this.#shares, this.pools.length > 1 ? this.chance() : 0);
    for (let index = 0; index < this.pools.length && tried.length === 0; index += 1) {
      const turn = probationTurn(this.#options, this.pools[index]!, this.#available[index]!, true, this.#now);
      if (turn < 0) continue;
      this.#assess();
      return this.pools[index]![turn]!;
    }
    for (const each of [pool, ...this.pools.keys()]) {
      const { usable, even } = this.#available[each]!;
      if (each === pool) this.leastUsable = Math.min(this.leastUsable, usable.length);
      const index = chooseTwo(usable, usable.length, this.chance(), this.chance(), this.#now, tried, even);
      if (usable[index] !== undefined) return usable[index];
    }
    return null;
  }

  #rescue(tried: Origin[]): void {
    const usable = this.#available.flatMap((available) => available.usable);
    const { retry } = decideRetry({
      ...RETRY_INPUT,
      attempts: tried.length,
      othersLeft: usable.filter((origin) => !tried.includes(origin)).length,
      budgetLeft: retriesLeft(this.#options.retry, this.#budget, this.#now) > 0,
    });
    if (!retry || !takeRetry(this.#options.retry, this.#budget, this.#now)) {
      this.failures.push(this.#now);
      return;
    }
    this.retries += 1;
    this.#attempt(tried);
  }

  #check(origin: Origin, until: number): void {
    if (this.#options.health === null || this.#now >= until) return;
    const { ok } = origin.checked(this.#now, this.chance);
    const step = stepHealth(this.#options.health, origin.health, { ok, detail: "status 503" }, this.#now);
    origin.health = step.state;
    if (step.verdict.kind !== "none") this.#assess();
    this.#later(2_000, () => this.#check(origin, until));
  }

  #assess(): void {
    this.#available = this.pools.map((members) => assess(this.#options, members, this.#now));
    const capacities = this.#available.map(({ liveShare }, index) => ({
      name: `pool-${index}`,
      liveShare,
      weight: 100 * this.pools[index]!.length,
      standbyShare: 0,
    }));
    const step = preferPool(FAILOVER, this.#preference, capacities, this.#now);
    this.#shares = step.verdict.shares;
    this.#preference = step.state;
    this.#preferenceAt = step.verdict.nextAt;
    if (step.verdict.kind === "move") this.moves.push({ at: this.#now, to: step.verdict.first });
  }

  /** Part of all attempts between two instants that went to one origin of the first pool. */
  share(index: number, from: number, until: number): number {
    const within = (origin: Origin): number => origin.attempts.filter((at) => at >= from && at < until).length;
    return within(this.pools[0]![index]!) / this.pools.flat().reduce((sum, origin) => sum + within(origin), 0);
  }

  /** Client-visible failures between two instants, as a part of what arrives at `perSecond`. */
  errors(perSecond: number, from: number, until: number): number {
    return this.failures.filter((at) => at >= from && at < until).length / ((perSecond * (until - from)) / 1000);
  }
}

const withoutEjection = { ...defaults, ejection: { ...defaults.ejection, ejectedRatioMax: 0 } };

describe.each([1, 2, 3, 4, 5])("seed %i", (seed) => {
  test("healthy origins share the traffic evenly", () => {
    const sim = new Simulation(seed, [[{ serves: well }, { serves: well }, { serves: well }]]);
    sim.run(100, 30_000);
    for (const index of [0, 1, 2]) expect(sim.share(index, 1_000, 30_000)).toBeCloseTo(1 / 3, 1);
    expect(sim.failures).toEqual([]);
  });

  test("an origin that fails fast gets almost nothing, and no client notices", () => {
    const bad = during(10_000, 70_000, failsFast);
    const sim = new Simulation(seed, [[{ serves: well }, { serves: bad }, { serves: well }]]);
    sim.run(100, 70_000);
    expect(sim.share(1, 11_000, 70_000)).toBeLessThan(0.01);
    expect(sim.failures).toEqual([]);
  });

  test("also when it must not be ejected, its errors count as slowness and it attracts nothing", () => {
    const bad = during(10_000, 70_000, failsFast);
    const sim = new Simulation(seed, [[{ serves: well }, { serves: bad }, { serves: well }]], withoutEjection);
    sim.run(100, 70_000);
    expect(sim.share(1, 11_000, 70_000)).toBeLessThan(0.02);
    expect(sim.failures).toEqual([]);
  });

  test("an origin that fails every fifth request is out within ten seconds", () => {
    const gray = during(10_000, 60_000, (_, chance) => ({ ms: 10, ok: chance() > 0.25 }));
    const sim = new Simulation(seed, [[{ serves: well }, { serves: gray }, { serves: well }]]);
    sim.run(100, 60_000);
    expect(sim.share(1, 20_000, 60_000)).toBeLessThan(0.1);
    expect(sim.errors(100, 20_000, 60_000)).toBeLessThan(0.005);
  });

  test("a slow origin gets the little that it can carry", () => {
    const slow = during(10_000, 60_000, (_, chance) => ({ ms: 400 + 200 * chance(), ok: true }));
    const sim = new Simulation(seed, [[{ serves: well }, { serves: slow }, { serves: well }]]);
    sim.run(100, 60_000);
    expect(sim.share(1, 12_000, 60_000)).toBeLessThan(0.03);
    expect(sim.share(1, 12_000, 60_000)).toBeGreaterThan(0);
  });

  test.each([60, 100, 300, 1_000])(
    "an origin that lets every fifth request wait for three seconds harms one request in 200 at most, at %i a second",
    (rate) => {
      const gray = during(10_000, 60_000, (_, chance) => ({ ms: chance() < 0.2 ? 3_000 : 10, ok: true }));
      const sim = new Simulation(seed, [[{ serves: well }, { serves: gray }, { serves: well }]]);
      sim.run(rate, 60_000);
      expect(sim.slow.length / (rate * 50)).toBeLessThan(0.005);
      expect(sim.ejections.every(({ of }) => of === 1)).toBe(true);
      // The fewer requests, the longer it takes to know; until then the balancer avoids it.
      if (rate >= 300) expect(sim.ejections[0]).toMatchObject({ code: "eject.out.slow" });
      if (rate >= 300) expect(sim.ejections[0]!.at).toBeLessThan(20_000);
    },
  );

  test("reports that take seconds at every origin take nobody out", () => {
    const reports: Behaviour = (_, chance) => ({ ms: chance() < 0.1 ? 2_000 * (0.5 + chance()) : 10, ok: true });
    const sim = new Simulation(seed, [[{ serves: reports }, { serves: reports }, { serves: reports }]]);
    sim.run(200, 300_000);
    expect(sim.ejections).toEqual([]);
  });

  test("one slow report now and then does not turn an origin's traffic over to its neighbours", () => {
    const reports: Behaviour = (_, chance) => ({ ms: chance() < 0.002 ? 3_000 : 10, ok: true });
    const sim = new Simulation(seed, [[{ serves: reports }, { serves: reports }]]);
    sim.run(200, 120_000);
    for (let from = 10_000; from < 120_000; from += 30_000) {
      expect(sim.share(0, from, from + 30_000)).toBeGreaterThan(0.2);
      expect(sim.share(0, from, from + 30_000)).toBeLessThan(0.8);
    }
  });

  test("a recovered origin gets its traffic again, in steps and never as a herd", () => {
    const bad = during(10_000, 30_000, failsFast);
    const sim = new Simulation(seed, [[{ serves: well }, { serves: bad }, { serves: well }]]);
    sim.run(100, 150_000);
    expect(sim.share(1, 120_000, 150_000)).toBeGreaterThan(0.25);
    for (let from = 30_000; from < 120_000; from += 1_000) {
      expect(sim.share(1, from, from + 1_000)).toBeLessThan(0.55);
    }
    // The ramp: in the first second after the probation succeeded it gets a small part only.
    const back = sim.pools[0]![1]!.attempts.find((at) => at >= 30_000)!;
    expect(sim.share(1, back + 100, back + 1_100)).toBeLessThan(0.25);
    expect(sim.failures).toEqual([]);
  });

  test("with all failing nothing is ever empty, and repeats stay within a tenth plus ten per second", () => {
    const bad = during(5_000, 35_000, failsFast);
    const sim = new Simulation(seed, [[{ serves: bad }, { serves: bad }, { serves: bad }]]);
    sim.run(200, 90_000);
    expect(sim.leastUsable).toBeGreaterThanOrEqual(1);
    expect(sim.retries).toBeLessThanOrEqual(0.1 * sim.exchanges + 10 * (30 + 10));
    expect(sim.errors(200, 5_000, 35_000)).toBeGreaterThan(0.5);
    // All recover, and all are used again.
    expect(sim.errors(200, 40_000, 90_000)).toBe(0);
    for (const index of [0, 1, 2]) expect(sim.share(index, 75_000, 90_000)).toBeGreaterThan(0.2);
  });

  test("a broken health page takes nobody's traffic away", () => {
    const checked = during(10_000, 60_000, failsFast);
    const sim = new Simulation(seed, [
      [
        { serves: well, checked },
        { serves: well, checked },
        { serves: well, checked },
      ],
    ]);
    sim.run(100, 60_000);
    expect(sim.failures).toEqual([]);
    expect(sim.leastUsable).toBe(3);
  });

  test("an origin that hangs and fails its checks is out before its requests time out", () => {
    const hangs = during(10_000, 60_000, () => ({ ms: 15_000, ok: false }));
    const checked = during(10_000, 60_000, failsFast);
    const sim = new Simulation(seed, [[{ serves: well }, { serves: hangs, checked }, { serves: well }]]);
    sim.run(100, 60_000);
    expect(sim.share(1, 17_000, 60_000)).toBeLessThan(0.005);
    expect(sim.failures).toEqual([]);
  });

  test("a dead pool hands over to the next and gets its traffic back when it is well, without flapping", () => {
    const bad = during(10_000, 60_000, failsFast);
    const sim = new Simulation(seed, [
      [
        { serves: bad, checked: bad },
        { serves: bad, checked: bad },
      ],
      [{ serves: well }, { serves: well }],
    ]);
    sim.run(100, 400_000);
    expect(sim.moves.map(({ to }) => to)).toEqual([1, 0]);
    expect(sim.moves[0]!.at).toBeLessThan(11_000);
    expect(sim.moves[1]!.at).toBeGreaterThan(300_000);
    expect(sim.errors(100, 10_000, 400_000)).toBe(0);
    expect(sim.share(0, 380_000, 400_000)).toBeGreaterThan(0.3);
  });

  test("a pool that is cut off for three seconds every twenty moves the traffic once and harms nobody", () => {
    const cut: Behaviour = (now, chance) =>
      now >= 10_000 && now % 20_000 < 3_000 ? failsFast(now, chance) : well(now, chance);
    const sim = new Simulation(seed, [
      [
        { serves: cut, checked: cut },
        { serves: cut, checked: cut },
      ],
      [{ serves: well }, { serves: well }],
    ]);
    sim.run(100, 320_000);
    expect(sim.moves.map(({ to }) => to)).toEqual([1]);
    expect(sim.failures).toEqual([]);
  });

  test("half a pool lost sends its share to the next and no more", () => {
    const bad = during(10_000, 60_000, failsFast);
    const sim = new Simulation(seed, [
      [{ serves: bad, checked: bad }, { serves: well }],
      [{ serves: well }, { serves: well }],
    ]);
    sim.run(100, 60_000);
    expect(sim.moves).toEqual([]);
    expect(sim.failures).toEqual([]);
    // Half of the capacity is 71 % of what is needed.
    expect(sim.share(1, 20_000, 60_000)).toBeCloseTo(0.71, 1);
  });
});
