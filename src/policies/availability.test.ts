import fc from "fast-check";
import { expect, test } from "vitest";
import { assess, probationTurn } from "./availability.ts";
import type { Availability, AvailabilityOptions, Member } from "./availability.ts";
import { createEjection } from "./ejection-state.ts";
import { observeOutcome } from "./ejection.ts";
import type { TrafficOutcome } from "./ejection.ts";
import { NO_IDENTITY } from "./origin-identity.ts";
import { stepHealth, UNCHECKED } from "./health.ts";
import type { HealthState } from "./health.ts";

const options: AvailabilityOptions = {
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
};

interface Origin extends Member {
  health: HealthState;
}

class Pool {
  readonly members: Origin[];

  constructor(size: number, weights: readonly number[] = []) {
    this.members = Array.from({ length: size }, (_, index) => ({
      weight: weights[index] ?? 100,
      share: 1,
      health: UNCHECKED,
      identity: NO_IDENTITY,
      drain: null,
      ejection: createEjection(options.ejection, 0),
    }));
  }

  traffic(index: number, outcome: TrafficOutcome, now: number, times = 1): void {
    for (let time = 0; time < times; time += 1) {
      observeOutcome(options.ejection, this.members[index]!, this.members, outcome, now, 0, now);
    }
  }

  check(index: number, ok: boolean, now: number, times = 1): void {
    const member = this.members[index]!;
    for (let time = 0; time < times; time += 1) {
      if (options.health === null) return;
      member.health = stepHealth(options.health, member.health, { ok, detail: "status 503" }, now).state;
    }
  }

  assess(now: number): Availability<Origin> {
    return assess(options, this.members, now);
  }

  usableAt(now: number): number[] {
    return this.assess(now).usable.map((member) => this.members.indexOf(member));
  }
}

test("an untouched pool is used whole", () => {
  const pool = new Pool(3);
  expect(pool.assess(0)).toMatchObject({
    kind: "normal",
    code: "available.normal",
    liveShare: 1,
    even: true,
    nextAt: -1,
  });
  expect(pool.usableAt(0)).toEqual([0, 1, 2]);
});

test("an origin whose checks fail and that has no traffic is out, with the reason", () => {
  const pool = new Pool(3);
  pool.check(0, true, 0);
  pool.check(0, false, 100, 3);
  const available = pool.assess(100);
  expect(available.standings[0]).toEqual({
    state: "down",
    since: 100,
    until: -1,
    usable: false,
    share: 0,
    because: "3 HTTP checks in a row failed (status 503)",
    disagreement: "",
  });
  expect(available.liveShare).toBeCloseTo(2 / 3);
  expect(pool.usableAt(100)).toEqual([1, 2]);
});

test("traffic outranks checks: requests that began after the checks began to fail and succeed keep it in", () => {
  const pool = new Pool(3);
  pool.check(0, false, 100, 3);
  pool.traffic(0, "success", 150, 240);
  const standing = pool.assess(150).standings[0]!;
  expect(standing).toMatchObject({ state: "up", usable: true, share: 1 });
  expect(standing.disagreement).toBe("checks fail, but 240 of 240 requests in the last 10 s succeeded");
  expect(standing.because).toMatch(/and traffic outranks checks$/);
});

test("requests that began before the checks began to fail vouch for nothing, and old ones no longer", () => {
  const before = new Pool(3);
  before.traffic(0, "success", 99, 240);
  before.check(0, false, 100, 3);
  expect(before.usableAt(100)).toEqual([1, 2]);

  const old = new Pool(3);
  old.check(0, false, 100, 3);
  old.traffic(0, "success", 150, 240);
  expect(old.assess(150).nextAt).toBe(10_150);
  expect(old.usableAt(10_150)).toEqual([1, 2]);
});

test("checks that succeed while traffic fails are a disagreement too", () => {
  const pool = new Pool(1);
  pool.check(0, true, 0);
  pool.traffic(0, "failure", 100, 6);
  expect(pool.assess(100).standings[0]!.disagreement).toBe(
    "checks succeed, but only 0 of 6 requests in the last 10 s succeeded",
  );
});

test("checks alone never take out more than half: then all whom only they accuse are used, and it says so", () => {
  const pool = new Pool(4);
  for (const index of [0, 1]) pool.check(index, false, 100, 3);
  expect(pool.usableAt(100)).toEqual([2, 3]);
  pool.check(2, false, 100, 3);
  const available = pool.assess(100);
  expect(available).toMatchObject({ kind: "fail-open", code: "available.fail-open.checks", liveShare: 0.25 });
  expect(available.because).toBe(
    "checks alone would take out 3 of 4, more than they may, so those are used all the same",
  );
  expect(pool.usableAt(100)).toEqual([0, 1, 2, 3]);
  expect(available.standings[0]!.because).toMatch(/status 503\); checks alone would take out 3 of 4/);
});

test("an origin that checks and traffic accuse alike stays out, also when many are and its failures grow old", () => {
  const pool = new Pool(4);
  for (const index of [0, 1, 2]) pool.check(index, false, 100, 3);
  for (const index of [0, 1, 2]) pool.traffic(index, "failure", 200, 5);
  expect(pool.usableAt(200)).toEqual([3]);
  for (const index of [0, 1, 2]) pool.check(index, false, 20_000);
  expect(pool.usableAt(20_000)).toEqual([3]);
  expect(pool.assess(20_000)).toMatchObject({ kind: "normal", liveShare: 0.25 });
});

test("without that, dead origins would be tried again each time their failures leave the window", () => {
  // Nobody may be ejected here, so the agreement of checks and traffic is all that keeps the dead out.
  const noEjection = { ...options, ejection: { ...options.ejection, ejectedRatioMax: 0 } };
  const pool = new Pool(4);
  for (const index of [0, 1, 2]) pool.check(index, false, 100, 3);
  expect(assess(noEjection, pool.members, 100)).toMatchObject({
    kind: "fail-open",
    code: "available.fail-open.checks",
  });
  for (const { ejection } of pool.members.slice(0, 3)) Object.assign(ejection, { run: 5, lastFailureAt: 200 });
  for (const index of [0, 1, 2]) pool.check(index, false, 20_000);
  const available = assess(noEjection, pool.members, 20_000);
  expect(available).toMatchObject({ kind: "normal", liveShare: 0.25 });
  expect(available.usable).toHaveLength(1);
});

test("when nothing works all are used", () => {
  const pool = new Pool(3);
  for (const index of [0, 1, 2]) pool.traffic(index, "failure", 100, 5);
  const available = pool.assess(100);
  expect(available).toMatchObject({ kind: "fail-open", code: "available.fail-open.all", liveShare: 0 });
  expect(available.usable).toHaveLength(3);
  expect(available.standings[0]!.because).toMatch(/; all 3 origins fail, so all are used all the same$/);
});

test("a single origin is used whatever is known of it", () => {
  const pool = new Pool(1);
  pool.check(0, false, 0, 3);
  expect(pool.usableAt(0)).toEqual([0]);
  pool.traffic(0, "failure", 10, 50);
  expect(pool.assess(10)).toMatchObject({ code: "available.fail-open.all", liveShare: 0 });
  expect(pool.usableAt(10)).toEqual([0]);
});

test("failing open by a cap is visible although the list of origins looks usual", () => {
  const pool = new Pool(3);
  pool.traffic(2, "success", 0, 100);
  pool.traffic(0, "failure", 0, 5);
  pool.traffic(1, "failure", 0, 5);
  const available = pool.assess(0);
  expect(available).toMatchObject({ kind: "fail-open", code: "available.fail-open.held" });
  expect(available.because).toMatch(/1 of 3 are out already and at most 1 may be/);
  expect(available.liveShare).toBeCloseTo(1 / 3);
  expect(pool.usableAt(0)).toEqual([1, 2]);
});

test("a pool without addresses is empty and says so", () => {
  expect(new Pool(0).assess(0)).toMatchObject({ kind: "empty", code: "available.empty", usable: [], liveShare: 0 });
});

test("an ejected origin is tried by exactly one request, then comes back in steps", () => {
  const pool = new Pool(3);
  pool.traffic(0, "failure", 0, 5);
  let available = pool.assess(0);
  expect(available).toMatchObject({ probationAt: 1_000, nextAt: 1_000 });
  expect(probationTurn(options, pool.members, available, true, 999)).toBe(-1);
  expect(probationTurn(options, pool.members, available, true, 1_000)).toBe(0);
  expect(probationTurn(options, pool.members, available, true, 1_000)).toBe(-1);
  expect(pool.assess(1_000).standings[0]).toMatchObject({ state: "probation", usable: false });

  pool.traffic(0, "success", 1_010);
  available = pool.assess(1_010);
  expect(available.standings[0]).toMatchObject({ state: "ramping", share: 0.1, usable: true });
  expect(available).toMatchObject({ even: false, nextAt: 1_510 });
  expect(pool.assess(6_010).standings[0]!.share).toBe(0.5);
  expect(pool.assess(11_010)).toMatchObject({ even: true, nextAt: -1, liveShare: 1 });
});

test("no request is wasted on a probation while checks fail too, but a broken check does not forbid it for ever", () => {
  const pool = new Pool(3);
  pool.traffic(0, "failure", 0, 5);
  for (let at = 0; at <= 62_000; at += 2_000) pool.check(0, false, at);
  expect(probationTurn(options, pool.members, pool.assess(60_999), true, 60_999)).toBe(-1);
  expect(probationTurn(options, pool.members, pool.assess(61_000), true, 61_000)).toBe(0);
});

test("an ejected origin whose turn has come counts as live, so a pool that is not in use can be chosen again", () => {
  const pool = new Pool(2);
  pool.traffic(0, "failure", 0, 5);
  expect(pool.assess(999).liveShare).toBe(0.5);
  expect(pool.assess(1_000).liveShare).toBe(1);
});

test("live share goes by weight", () => {
  const pool = new Pool(2, [300, 100]);
  pool.check(0, false, 0, 3);
  expect(pool.assess(0)).toMatchObject({ liveShare: 0.25, even: true });
});

test("check results that stopped coming are no reason to keep an origin out", () => {
  const pool = new Pool(3);
  pool.check(0, false, 0, 3);
  expect(pool.assess(0).nextAt).toBe(30_000);
  expect(pool.usableAt(30_000)).toEqual([0, 1, 2]);
});

test("without checks the words do not speak of checks", () => {
  const pool = new Pool(1);
  const available = assess({ ...options, health: null }, pool.members, 0);
  expect(available.standings[0]!.because).toBe("no requests lately, and no checks are configured");
});

test("for any events a pool with members is never empty, and nextAt is never in the past", () => {
  const event = fc.record({
    after: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 3_000 }), fc.constant(200_000)),
    who: fc.nat({ max: 9 }),
    what: fc.constantFrom<TrafficOutcome | "check ok" | "check bad" | "turn">(
      "success",
      "failure",
      "failure",
      "ignore",
      "check ok",
      "check bad",
      "check bad",
      "turn",
    ),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(event, { maxLength: 120 }), (size, events) => {
      const pool = new Pool(size);
      let now = 0;
      let available = pool.assess(now);
      for (const { after, who, what } of events) {
        now += after;
        const index = who % size;
        if (what === "turn") probationTurn(options, pool.members, available, true, now);
        else if (what === "check ok") pool.check(index, true, now);
        else if (what === "check bad") pool.check(index, false, now);
        else pool.traffic(index, what, now, 3);
        available = pool.assess(now);
        expect(available.usable.length).toBeGreaterThan(0);
        expect(available.nextAt === -1 || available.nextAt > now).toBe(true);
        expect(available.liveShare).toBeGreaterThanOrEqual(0);
        expect(available.liveShare).toBeLessThanOrEqual(1);
        for (const [place, standing] of available.standings.entries()) {
          expect(standing.usable).toBe(available.usable.includes(pool.members[place]!));
          expect(standing.because).not.toBe("");
          expect(standing.because.length).toBeLessThan(500);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test.each([
  [1, "the only origin is in use", "the only origin fails; it is used all the same"],
  [2, "both origins are in use", "both origins fail, so both are used all the same"],
  [3, "all 3 origins are in use", "all 3 origins fail, so all are used all the same"],
])("a pool of %i is told in words that fit its size", (size, well, failing) => {
  const pool = new Pool(size);
  expect(pool.assess(0).because).toBe(well);
  for (const index of pool.members.keys()) pool.traffic(index, "failure", 100, 10);
  expect(pool.assess(200).because).toBe(failing);
});
