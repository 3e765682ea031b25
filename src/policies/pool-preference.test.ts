import fc from "fast-check";
import { expect, test } from "vitest";
import { createPoolPreference, preferPool } from "./pool-preference.ts";
import type { PoolPreferenceOptions, PoolPreferenceState, PoolVerdict } from "./pool-preference.ts";

const options: PoolPreferenceOptions = { threshold: 0.7, backAfterMs: 30_000, holdMs: 300_000 };

/** Asks at each instant with live shares and gives the verdicts; the state goes on from call to call. */
class Service {
  state: PoolPreferenceState = createPoolPreference();
  readonly moves: { at: number; to: number }[] = [];
  readonly #weights: readonly number[];
  readonly #standby: readonly number[];

  constructor(weights: readonly number[] = [], standby: readonly number[] = []) {
    this.#weights = weights;
    this.#standby = standby;
  }

  ask(now: number, ...shares: number[]): PoolVerdict {
    const pools = shares.map((liveShare, index) => ({
      name: ["aws", "gcp", "own"][index] ?? "?",
      liveShare,
      weight: this.#weights[index] ?? 300,
      standbyShare: this.#standby[index] ?? 0,
    }));
    const step = preferPool(options, this.state, pools, now);
    this.state = step.state;
    if (step.verdict.kind === "move") this.moves.push({ at: now, to: step.verdict.first });
    return step.verdict;
  }
}

test("the most preferred pool gets all while it has enough, and the distance to the threshold is stated", () => {
  expect(new Service().ask(0, 0.8, 1)).toMatchObject({
    kind: "stay",
    code: "pool.stay.preferred",
    because: "pool aws has 80 % of its capacity live, 10 points above the threshold of 70 %",
    shares: [1, 0],
    threshold: 0.7,
  });
});

test("below the threshold what is missing spills, in proportion and without a move", () => {
  const service = new Service();
  service.ask(0, 1, 1);
  expect(service.ask(1_000, 1 / 3, 1)).toMatchObject({
    kind: "stay",
    code: "pool.spill",
    first: 0,
    because:
      "pool aws has 33 % of its capacity live, 37 points below the threshold of 70 %; 52 % of the traffic goes to pool gcp",
    shares: [expect.closeTo(0.476, 2), expect.closeTo(0.524, 2)],
  });
  expect(service.moves).toEqual([]);
});

test("a small neighbour gets what it can take and no more, the next one the rest", () => {
  const service = new Service([300, 60, 300]);
  service.ask(0, 1, 1, 1);
  const { shares } = service.ask(1_000, 1 / 3, 1, 1);
  expect(shares[1]).toBeCloseTo(60 / 210);
  expect(shares[2]).toBeCloseTo(1 - 100 / 210 - 60 / 210);
});

test("when all together have too little, the first keeps what nobody can take, and it is said", () => {
  const service = new Service([300, 60]);
  service.ask(0, 1, 1);
  const verdict = service.ask(1_000, 1 / 3, 1);
  expect(verdict.code).toBe("pool.stay.short");
  expect(verdict.because).toMatch(
    /all pools together have 76 % of what is needed; 29 % of the traffic goes to pool gcp$/,
  );
  expect(verdict.shares[1]).toBeCloseTo(60 / 210);
});

test("capacity that comes back is counted on after it has been steady for 30 s, anew after each fall", () => {
  const service = new Service();
  service.ask(0, 1, 1);
  expect(service.ask(1_000, 0.35, 1).shares).toEqual([0.5, 0.5]);
  expect(service.ask(3_000, 0.9, 1)).toMatchObject({
    shares: [0.5, 0.5],
    nextAt: 31_000,
    // It said no more than that 90 % are above the threshold, which is no reason to spill.
    because:
      "pool aws has 90 % of its capacity live, 20 points above the threshold of 70 %, but had only 35 % within the last 30 s; 50 % of the traffic goes to pool gcp",
  });
  service.ask(20_000, 0.35, 1);
  expect(service.ask(22_000, 1, 1)).toMatchObject({ shares: [0.5, 0.5], nextAt: 50_000 });
  expect(service.ask(49_999, 1, 1).shares).toEqual([0.5, 0.5]);
  expect(service.ask(50_000, 1, 1)).toMatchObject({ code: "pool.stay.preferred", shares: [1, 0] });
});

test("capacity that has just come back is used at once where the rest would be too little", () => {
  const service = new Service([300, 60]);
  service.ask(0, 0, 1);
  expect(service.ask(1_000, 1, 1).shares).toEqual([expect.closeTo(1 - 60 / 210), expect.closeTo(60 / 210)]);
});

test("with nothing live another pool comes first at once", () => {
  const service = new Service();
  expect(service.ask(100, 0, 1)).toMatchObject({
    kind: "move",
    first: 1,
    code: "pool.move.none-live",
    because:
      "nothing in pool aws is known to work, 70 points below the threshold of 70 %; pool gcp has 100 % of its capacity live",
    shares: [0, 1],
  });
});

test("the next pool in order is taken when it has enough, not the one with the most", () => {
  expect(new Service().ask(0, 0, 0.8, 1)).toMatchObject({ kind: "move", first: 1 });
  expect(new Service().ask(0, 0, 0.4, 1)).toMatchObject({ kind: "move", first: 2 });
  expect(new Service().ask(0, 0, 0.2, 0.4)).toMatchObject({ kind: "move", first: 2 });
});

test("a preferred pool comes first again when it is well, five minutes after the last move at the earliest", () => {
  const service = new Service();
  service.ask(0, 0, 1);
  expect(service.ask(60_000, 1, 1)).toMatchObject({ kind: "stay", code: "pool.stay.away", first: 1 });
  expect(service.ask(61_000, 1, 1).because).toMatch(/pool aws is well, and comes first again in 4 min if it stays so$/);
  expect(service.ask(299_999, 1, 1).kind).toBe("stay");
  expect(service.ask(300_000, 1, 1)).toMatchObject({ kind: "move", first: 0, code: "pool.move.back", shares: [1, 0] });
});

test("it has to have been well for 30 s then, and with all of the threshold", () => {
  const service = new Service();
  service.ask(0, 0, 1);
  service.ask(280_000, 1, 1);
  service.ask(290_000, 0.5, 1);
  expect(service.ask(300_000, 1, 1).kind).toBe("stay");
  expect(service.ask(319_999, 1, 1).kind).toBe("stay");
  expect(service.ask(320_000, 1, 1)).toMatchObject({ kind: "move", first: 0 });
  const other = new Service();
  other.ask(0, 0, 1);
  for (let at = 1_000; at < 900_000; at += 1_000) expect(other.ask(at, 0.69, 1).kind).toBe("stay");
});

test("when the new place dies too, nobody waits", () => {
  const service = new Service();
  service.ask(0, 0, 1);
  service.ask(10_000, 1, 1);
  expect(service.ask(12_000, 1, 0)).toMatchObject({
    kind: "move",
    first: 0,
    code: "pool.move.none-live",
    shares: [1, 0],
  });
});

test("with no pool live the first one stays first", () => {
  expect(new Service().ask(0, 0, 0)).toMatchObject({
    kind: "stay",
    first: 0,
    code: "pool.stay.none-live",
    shares: [1, 0],
  });
});

test("a pool of which nothing is known yet has not failed: others serve, and it is first as soon as it is known", () => {
  const service = new Service();
  expect(service.ask(0, -1, 1)).toMatchObject({ kind: "stay", first: 0, shares: [0, 1] });
  expect(service.ask(1_000, 1, 1)).toMatchObject({ kind: "stay", first: 0, shares: [1, 0] });
});

test("a cut of three seconds every twenty moves the traffic once, not more, and why it does not go back is said", () => {
  const service = new Service();
  let last: PoolVerdict | null = null;
  for (let at = 0; at < 900_000; at += 500) last = service.ask(at, at % 20_000 < 3_000 ? 0 : 1, 1);
  expect(service.moves).toEqual([{ at: 0, to: 1 }]);
  expect(last?.because).toMatch(/pool aws has 100 % of its capacity live and has to have 70 % for 30 s$/);
});

test("a cut of three seconds every minute moves it at most once in five minutes, and less with each relapse", () => {
  const service = new Service();
  for (let at = 0; at < 7_200_000; at += 500) service.ask(at, at % 60_000 < 3_000 ? 0 : 1, 1);
  const returns = service.moves.filter(({ to }) => to === 0);
  for (const [index, { at }] of returns.entries()) {
    if (index > 0) expect(at - returns[index - 1]!.at).toBeGreaterThan(300_000);
  }
  expect(service.moves.length).toBeLessThanOrEqual(2 * Math.log2(7_200_000 / 300_000) + 2);
});

test("a standby gets its share of what does no harm while it works and has no larger share already", () => {
  const service = new Service([], [0, 0.01]);
  expect(service.ask(0, 1, 1).standby).toEqual([0, 0.01]);
  expect(service.ask(1_000, 1, 0).standby).toEqual([0, 0]);
  expect(service.ask(2_000, 0.35, 1).standby).toEqual([0, 0]);
});

test("fewer pools after a reload are no reason to fall over", () => {
  const service = new Service();
  service.ask(0, 0, 0, 1);
  expect(service.ask(1, 1)).toMatchObject({ first: 0, shares: [1] });
});

test("for any course of events shares are shares, nextAt lies ahead, moves keep their distance, and it settles", () => {
  const share = fc.constantFrom(-1, 0, 0.2, 0.5, 0.69, 0.7, 1);
  const course = fc.array(
    fc.record({ after: fc.integer({ min: 0, max: 60_000 }), shares: fc.tuple(share, share, share) }),
  );
  fc.assert(
    fc.property(course, (steps) => {
      const service = new Service([300, 100, 500], [0, 0.01, 0]);
      let now = 0;
      let movedAt = -1;
      for (const { after, shares } of steps) {
        now += after;
        service.state = Object.freeze(service.state);
        const verdict = service.ask(now, ...shares);
        expect(verdict.first).toBe(service.state.first);
        expect(verdict.shares.reduce((sum, part) => sum + part, 0)).toBeCloseTo(1);
        expect(verdict.nextAt === -1 || verdict.nextAt > now).toBe(true);
        expect(verdict.distance).toBeCloseTo(verdict.liveShare - verdict.threshold);
        expect(verdict.because).toMatch(/(?:points (?:above|below)|at) the threshold of \d+ %/);
        if (verdict.code === "pool.move.back" && movedAt >= 0) expect(now - movedAt).toBeGreaterThanOrEqual(300_000);
        if (verdict.kind === "move") movedAt = now;
      }
      // All well again: in the end the most preferred pool has the traffic, whatever was.
      for (let next = now; next >= 0;) next = service.ask(next, 1, 1, 1).nextAt;
      expect(service.ask(now + 1e9, 1, 1, 1)).toMatchObject({ first: 0, shares: [1, 0, 0] });
    }),
  );
});
