import fc from "fast-check";
import { expect, test } from "vitest";
import { createPoolPreference, POOL_PREFERENCE_DEFAULTS as options, preferPool } from "./pool-preference.ts";
import type { PoolPreferenceState, PoolVerdict } from "./pool-preference.ts";

/** Asks at each instant of `shares` and gives the verdicts; `state` goes on from call to call. */
class Service {
  state: PoolPreferenceState = createPoolPreference(0);
  readonly moves: { at: number; to: number }[] = [];

  ask(now: number, ...shares: number[]): PoolVerdict {
    const pools = shares.map((liveShare, index) => ({ name: ["aws", "gcp", "own"][index] ?? "?", liveShare }));
    const step = preferPool(options, this.state, pools, now);
    this.state = step.state;
    if (step.verdict.kind === "move") this.moves.push({ at: now, to: step.verdict.pool });
    return step.verdict;
  }
}

test("the most preferred pool is used while it has capacity enough, and the distance to leaving is stated", () => {
  expect(new Service().ask(0, 2 / 3, 1)).toMatchObject({
    kind: "stay",
    pool: 0,
    code: "pool.stay.preferred",
    because: "pool aws has 67 % of its capacity live, 17 points above the threshold of 50 %",
    threshold: 0.5,
  });
});

test("with nothing live the traffic moves at once", () => {
  const service = new Service();
  expect(service.ask(100, 0, 1)).toMatchObject({
    kind: "move",
    pool: 1,
    code: "pool.move.none-live",
    because: "nothing in pool aws is known to work; pool gcp has 100 % of its capacity live",
  });
  expect(service.state.pool).toBe(1);
});

test("the next pool in order is taken when it has enough, not the one with the most", () => {
  expect(new Service().ask(0, 0, 0.6, 1)).toMatchObject({ kind: "move", pool: 1 });
  expect(new Service().ask(0, 0, 0.4, 1)).toMatchObject({ kind: "move", pool: 2 });
  expect(new Service().ask(0, 0, 0.2, 0.4)).toMatchObject({ kind: "move", pool: 2 });
});

test("a partial loss must last before all traffic is moved", () => {
  const service = new Service();
  expect(service.ask(0, 0.4, 1)).toMatchObject({ kind: "stay", code: "pool.stay.poor", nextAt: 5_000 });
  expect(service.ask(4_000, 0.5, 1)).toMatchObject({ code: "pool.stay.preferred" });
  expect(service.ask(5_000, 0.4, 1)).toMatchObject({ code: "pool.stay.poor", nextAt: 10_000 });
  expect(service.ask(10_000, 0.4, 1)).toMatchObject({
    kind: "move",
    code: "pool.move.below-threshold",
    because:
      "pool aws has 40 % of its capacity live, below the threshold of 50 % for 5 s; pool gcp has 100 % of its capacity live",
  });
});

test("nothing is gained by moving to a pool that is no better", () => {
  const service = new Service();
  for (let at = 0; at < 100_000; at += 1_000) {
    expect(service.ask(at, 0.4, 0.3)).toMatchObject({ kind: "stay", code: "pool.stay.poor" });
  }
});

test("the preferred pool is returned to after 30 s of being well, counted anew after each relapse", () => {
  const service = new Service();
  service.ask(0, 0, 1);
  expect(service.ask(1_000, 1, 1)).toMatchObject({ kind: "stay", code: "pool.stay.away", nextAt: 31_000 });
  service.ask(20_000, 0.5, 1);
  expect(service.ask(21_000, 1, 1).because).toMatch(/returns to a preferred pool in 30 s if it stays well$/);
  expect(service.ask(50_999, 1, 1).kind).toBe("stay");
  expect(service.ask(51_000, 1, 1)).toMatchObject({
    kind: "move",
    pool: 0,
    code: "pool.move.back",
    because: "pool aws is preferred and has been well for 30 s",
  });
});

test("between leaving and returning lie two thresholds", () => {
  const service = new Service();
  service.ask(0, 0, 1);
  for (let at = 1_000; at < 200_000; at += 1_000) expect(service.ask(at, 0.69, 1).kind).toBe("stay");
  expect(service.ask(200_000, 0.69, 1).because).toMatch(
    /aws has 69 % of its capacity live and counts as well from 70 %$/,
  );
});

test("with no pool live the one in use stays in use", () => {
  const service = new Service();
  expect(service.ask(0, 0, 0)).toMatchObject({ kind: "stay", pool: 0, code: "pool.stay.none-live" });
});

test("when the pool in use dies while the preferred one has just become well, nobody waits for the 30 s", () => {
  const service = new Service();
  service.ask(0, 0, 1);
  service.ask(10_000, 1, 1);
  expect(service.ask(12_000, 1, 0)).toMatchObject({ kind: "move", pool: 0, code: "pool.move.none-live" });
});

test("a cut of three seconds every twenty does not make the traffic flap", () => {
  const service = new Service();
  for (let at = 0; at < 600_000; at += 500) service.ask(at, at % 20_000 < 3_000 ? 0 : 1, 1);
  expect(service.moves).toEqual([{ at: 0, to: 1 }]);
});

test("a cut every minute makes each return later: three moves in the first five minutes, few after", () => {
  const service = new Service();
  for (let at = 0; at < 1_200_000; at += 500) service.ask(at, at % 60_000 < 3_000 ? 0 : 1, 1);
  expect(service.moves.filter(({ at }) => at < 300_000)).toHaveLength(3);
  expect(service.moves.length).toBeLessThanOrEqual(5);
});

test("two pools that die by turns do not throw the traffic about faster than once a minute in the end", () => {
  const service = new Service();
  for (let at = 0; at < 600_000; at += 500) {
    const live = Math.floor(at / 2_000) % 2;
    service.ask(at, live, 1 - live);
  }
  expect(service.moves.filter(({ at }) => at >= 300_000).length).toBeLessThanOrEqual(5);
});

test("after a calm spell the next departure counts as the first again", () => {
  const service = new Service();
  service.ask(0, 0, 1);
  service.ask(1_000, 1, 1);
  service.ask(31_000, 1, 1);
  service.ask(40_000, 0, 1);
  expect(service.state.departures).toBe(2);
  service.ask(41_000, 1, 1);
  service.ask(41_000 + 120_000, 1, 1);
  expect(service.state.pool).toBe(0);
  service.ask(1_000_000, 0, 1);
  expect(service.state.departures).toBe(1);
});

test("fewer pools after a reload are no reason to fall over", () => {
  const service = new Service();
  service.ask(0, 0, 0, 1);
  expect(service.ask(1, 1)).toMatchObject({ pool: 0 });
});

test("for any course of events the pool exists, nextAt lies ahead, and waiting until it settles", () => {
  const share = fc.constantFrom(0, 0.2, 0.5, 0.69, 0.7, 1);
  const course = fc.array(
    fc.record({ after: fc.integer({ min: 0, max: 60_000 }), shares: fc.tuple(share, share, share) }),
  );
  fc.assert(
    fc.property(course, (steps) => {
      const service = new Service();
      let now = 0;
      for (const { after, shares } of steps) {
        now += after;
        const frozen = Object.freeze({ ...service.state, wellSince: Object.freeze([...service.state.wellSince]) });
        service.state = frozen;
        const verdict = service.ask(now, ...shares);
        expect(verdict.pool).toBe(service.state.pool);
        expect(verdict.pool).toBeLessThan(3);
        expect(verdict.nextAt === -1 || verdict.nextAt > now).toBe(true);
        expect(verdict.distance).toBeCloseTo(verdict.liveShare - verdict.threshold);
      }
      // All well again: in the end the most preferred pool has the traffic, whatever was.
      for (let next = now; next >= 0;) next = service.ask(next, 1, 1, 1).nextAt;
      expect(service.state.pool).toBe(0);
    }),
  );
});
