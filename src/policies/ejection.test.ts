import fc from "fast-check";
import { expect, test } from "vitest";
import {
  beginProbation,
  endRefusals,
  ejectionShare,
  isProbationDue,
  RAMP_SHARE_MIN,
  settleEjection,
} from "./ejection-phase.ts";
import { createEjection } from "./ejection-state.ts";
import { ejectedMax } from "./ejection-bounds.ts";
import { observeLatency, observeStuck } from "./ejection-slowness.ts";
import { observeOutcome, trafficEvidence } from "./ejection.ts";
import { createLatencyWindow } from "./latency-window.ts";
import type { LatencyWindow } from "./latency-window.ts";
import type { EjectionMember, EjectionOptions, EjectionVerdict } from "./ejection-state.ts";
import type { TrafficOutcome } from "./ejection.ts";

const options: EjectionOptions = {
  consecutiveFailures: 5,
  successRatioMin: 0.8,
  requestsMin: 20,
  windowMs: 10_000,
  returnAfterMs: 1_000,
  returnAfterMaxMs: 60_000,
  rampMs: 10_000,
  ejectedRatioMax: 0.5,
  slow: { factor: 4, extraMs: 100, shareMin: 0.2, peersMin: 20 },
};

/** A pool of `size`, all up and used. `tell` reports `times` results of attempts that began at `now`. */
function poolOf(size: number): {
  members: (EjectionMember & { share: number })[];
  tell: (index: number, outcome: TrafficOutcome, now: number, times?: number, startedAt?: number) => EjectionVerdict;
} {
  const members = Array.from({ length: size }, () => ({ ejection: createEjection(options, 0), share: 1 }));
  const tell = (index: number, outcome: TrafficOutcome, now: number, times = 1, startedAt = now): EjectionVerdict => {
    let verdict: EjectionVerdict = { kind: "none" };
    for (let time = 0; time < times; time += 1) {
      verdict = observeOutcome(options, members[index]!, members, outcome, startedAt, 0, now);
    }
    return verdict;
  };
  return { members, tell };
}

test("the fifth failure in a row ejects, not the fourth, and says why", () => {
  const { members, tell } = poolOf(3);
  expect(tell(0, "failure", 100, 4)).toEqual({ kind: "none" });
  expect(tell(0, "failure", 100)).toEqual({
    kind: "ejected",
    code: "eject.out.failures-in-a-row",
    because: "5 requests in a row failed; out for 1 s",
  });
  expect(members[0]!.ejection.phase).toMatchObject({ kind: "ejected", since: 100, until: 1_100, times: 1 });
});

test("a success ends the run", () => {
  const { tell } = poolOf(3);
  tell(0, "failure", 100, 4);
  tell(0, "success", 100);
  expect(tell(0, "failure", 100, 4)).toEqual({ kind: "none" });
});

test("faults of the gateway itself are no evidence, however many", () => {
  const { members, tell } = poolOf(3);
  expect(tell(0, "ignore", 100, 1_000)).toEqual({ kind: "none" });
  expect(members[0]!.ejection.run).toBe(0);
});

test("an origin that fails every fourth request is found by its ratio, compared with its peers", () => {
  const { tell } = poolOf(3);
  tell(1, "success", 0, 30);
  let verdict: EjectionVerdict = { kind: "none" };
  for (let round = 0; round < 5 && verdict.kind === "none"; round += 1) {
    tell(0, "success", 0, 3);
    verdict = tell(0, "failure", 0);
  }
  expect(verdict).toMatchObject({
    kind: "ejected",
    code: "eject.out.success-ratio",
    because: "5 of 20 requests in the last 10 s failed; out for 1 s",
  });
});

test("when all are bad alike nobody is ejected, and it is said once for each", () => {
  const { members, tell } = poolOf(3);
  const verdicts: EjectionVerdict[] = [];
  for (let round = 0; round < 50; round += 1) {
    for (const index of [0, 1, 2]) {
      tell(index, "success", 0);
      verdicts.push(tell(index, "failure", 0));
    }
  }
  expect(verdicts.filter(({ kind }) => kind === "ejected")).toEqual([]);
  expect(verdicts.filter(({ kind }) => kind === "fail-open")).toHaveLength(3);
  expect(members[0]!.ejection.heldBecause).toMatch(/at its peers failed too: no outlier, so it stays in use$/);
});

test("the last available origin is never ejected, whatever took the others out", () => {
  const { members, tell } = poolOf(2);
  members[1]!.share = 0;
  const verdicts = Array.from({ length: 20 }, () => tell(0, "failure", 0));
  expect(verdicts.filter(({ kind }) => kind !== "none")).toEqual([
    {
      kind: "fail-open",
      code: "eject.held.last-origin",
      because: "5 requests in a row failed, but no other origin of the pool is available, so it stays in use",
    },
  ]);
  expect(members[0]!.ejection.phase.kind).toBe("up");
});

test("two ejections in one instant count each other, before anybody assessed the pool", () => {
  const { members, tell } = poolOf(2);
  tell(0, "failure", 0, 5);
  expect(tell(1, "failure", 0, 5)).toMatchObject({ kind: "fail-open", code: "eject.held.last-origin" });
  expect(members.map(({ ejection }) => ejection.phase.kind)).toEqual(["ejected", "up"]);
});

test("where nobody listens, that is no judgement: more than the ratio may be out, but never the last", () => {
  const { members, tell } = poolOf(3);
  tell(2, "success", 0, 100);
  tell(0, "refused", 0, 5);
  expect(tell(1, "refused", 0, 5)).toMatchObject({ kind: "ejected" });
  members[0]!.share = 0;
  members[1]!.share = 0;
  expect(tell(2, "refused", 0, 200)).toMatchObject({ kind: "none" });
  expect(members[2]!.ejection.heldCode).toBe("eject.held.last-origin");
});

test("a check that reaches it ends what refusals were held against it, and nothing else", () => {
  const { members, tell } = poolOf(3);
  tell(2, "success", 0, 100);
  const [refused, failing] = [members[0]!.ejection, members[1]!.ejection];
  tell(0, "refused", 100, 5);
  expect(isProbationDue(refused, true, 200)).toBe(false);
  expect(endRefusals(refused, 200)).toBe(true);
  expect(isProbationDue(refused, true, 200)).toBe(true);
  expect(trafficEvidence(options, refused, 200).failing).toBe(false);
  tell(1, "refused", 200, 4);
  tell(1, "failure", 200);
  expect(endRefusals(failing, 300)).toBe(false);
  expect(trafficEvidence(options, failing, 300).dead).toBe(true);
});

test("no more than the ratio of a pool is out; the next one is ejected as soon as there is room and it fails again", () => {
  const { members, tell } = poolOf(4);
  tell(3, "success", 0, 100);
  tell(0, "failure", 0, 5);
  tell(1, "failure", 0, 5);
  expect(tell(2, "failure", 0, 5)).toMatchObject({ kind: "fail-open", code: "eject.held.ratio-cap" });
  beginProbation(members[0]!.ejection, 2_000);
  expect(tell(0, "success", 2_000)).toMatchObject({ kind: "back" });
  expect(tell(2, "failure", 2_000)).toMatchObject({ kind: "ejected" });
});

test("the cap lets at least one of a small pool go, and never all", () => {
  const most = (ratio: number, size: number): number => ejectedMax({ ...options, ejectedRatioMax: ratio }, size);
  expect([1, 2, 3, 4, 10].map((size) => most(0.5, size))).toEqual([0, 1, 1, 2, 5]);
  expect([2, 3, 9].map((size) => most(0.1, size))).toEqual([1, 1, 1]);
  expect([1, 2, 3].map((size) => most(1, size))).toEqual([0, 1, 2]);
  expect(most(0, 10)).toBe(0);
});

test("a held origin that works again is released with a word", () => {
  const { members, tell } = poolOf(1);
  tell(0, "failure", 0, 5);
  expect(members[0]!.ejection.heldCode).toBe("eject.held.last-origin");
  expect(tell(0, "success", 1)).toMatchObject({ kind: "back", code: "eject.back.recovered" });
  expect(members[0]!.ejection.heldBecause).toBe("");
});

test("late results of attempts that began before the ejection change nothing, for better or worse", () => {
  const { members, tell } = poolOf(3);
  tell(0, "failure", 1_000, 5);
  const before = structuredClone(members[0]!.ejection);
  expect(tell(0, "success", 1_500, 3, 999)).toEqual({ kind: "none" });
  expect(tell(0, "failure", 1_500, 3, 999)).toEqual({ kind: "none" });
  expect(members[0]!.ejection).toEqual(before);
});

test("probation is due after the wait, for repeatable requests first, and begins once", () => {
  const { members, tell } = poolOf(3);
  tell(0, "failure", 1_000, 5);
  const state = members[0]!.ejection;
  expect(isProbationDue(state, true, 1_999)).toBe(false);
  expect(isProbationDue(state, true, 2_000)).toBe(true);
  expect(isProbationDue(state, false, 2_000)).toBe(false);
  expect(isProbationDue(state, false, 7_000)).toBe(true);
  beginProbation(state, 2_000);
  expect(isProbationDue(state, true, 2_000)).toBe(false);
  expect(ejectionShare(state.phase, 2_000)).toBe(0);
});

test("a probation that succeeds starts a ramp from a tenth to all of its share, then it is up", () => {
  const { members, tell } = poolOf(3);
  const state = members[0]!.ejection;
  tell(0, "failure", 0, 5);
  beginProbation(state, 1_000);
  expect(tell(0, "success", 1_200, 1, 1_000)).toMatchObject({ kind: "back", code: "eject.back.ramping" });
  expect(ejectionShare(settleEjection(state, 1_200), 1_200)).toBe(RAMP_SHARE_MIN);
  expect(ejectionShare(settleEjection(state, 6_200), 6_200)).toBe(0.5);
  expect(settleEjection(state, 11_200)).toMatchObject({ kind: "up", upSince: 11_200 });
  expect(ejectionShare(state.phase, 11_200)).toBe(1);
});

test("a probation that fails doubles the wait, up to the longest", () => {
  const { members, tell } = poolOf(3);
  const state = members[0]!.ejection;
  let now = 0;
  tell(0, "failure", now, 5);
  const waits: number[] = [];
  for (let time = 0; time < 8; time += 1) {
    const phase = state.phase;
    if (phase.kind !== "ejected") break;
    waits.push(phase.until - now);
    now = phase.until;
    beginProbation(state, now);
    expect(tell(0, "failure", now)).toMatchObject({ kind: "ejected", code: "eject.out.probation-failed" });
  }
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
});

test("the wait is up to 30 % shorter by chance, never longer", () => {
  const { members } = poolOf(3);
  for (let time = 0; time < 5; time += 1) {
    observeOutcome(options, members[0]!, members, "failure", 0, 0.999_999, 0);
  }
  const phase = members[0]!.ejection.phase;
  expect(phase.kind === "ejected" && phase.until).toBeCloseTo(700, 1);
});

test("failing again within the ramp or soon after makes it longer; a calm minute makes it a first time", () => {
  const soon = poolOf(3);
  soon.tell(0, "failure", 0, 5);
  beginProbation(soon.members[0]!.ejection, 1_000);
  soon.tell(0, "success", 1_000);
  soon.tell(0, "failure", 2_000, 5);
  expect(soon.members[0]!.ejection.phase).toMatchObject({ kind: "ejected", times: 2 });

  const calm = poolOf(3);
  calm.tell(0, "failure", 0, 5);
  beginProbation(calm.members[0]!.ejection, 1_000);
  calm.tell(0, "success", 1_000);
  calm.tell(0, "failure", 71_000, 5);
  expect(calm.members[0]!.ejection.phase).toMatchObject({ kind: "ejected", times: 1 });
});

test("a probation that proves nothing is due again at once; one that never ends is given up after a while", () => {
  const { members, tell } = poolOf(3);
  const state = members[0]!.ejection;
  tell(0, "failure", 0, 5);
  const because = state.phase.because;
  for (let time = 0; time < 100; time += 1) {
    beginProbation(state, 1_000);
    expect(tell(0, "ignore", 1_000)).toMatchObject({ kind: "unproven" });
    expect(isProbationDue(state, true, 1_000)).toBe(true);
  }
  expect(state.phase.because).toBe(because);
  beginProbation(state, 2_000);
  expect(settleEjection(state, 31_999).kind).toBe("probation");
  expect(settleEjection(state, 32_000).kind).toBe("ejected");
  expect(isProbationDue(state, true, 32_000)).toBe(true);
});

test("a success that came while the pool failed open is as good as a probation", () => {
  const { members, tell } = poolOf(3);
  tell(0, "failure", 0, 5);
  expect(tell(0, "success", 500)).toMatchObject({ kind: "back" });
  expect(members[0]!.ejection.phase.kind).toBe("ramping");
});

test("evidence of being dead is fresh evidence: without traffic it lapses", () => {
  const { members, tell } = poolOf(1);
  tell(0, "failure", 0, 5);
  expect(trafficEvidence(options, members[0]!.ejection, 9_999)).toMatchObject({ dead: true, failing: true });
  expect(trafficEvidence(options, members[0]!.ejection, 10_000)).toMatchObject({ dead: false, failing: false });
});

test("the verdicts of the usual path are one shared object", () => {
  const { tell } = poolOf(3);
  expect(tell(0, "success", 0)).toBe(tell(1, "failure", 0));
});

test("for any events the cap holds, the last available one stays, and the phase always has a way out", () => {
  const event = fc.record({
    after: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5_000 }), fc.constant(10_000_000)),
    who: fc.nat({ max: 9 }),
    what: fc.constantFrom<TrafficOutcome | "probation">("success", "failure", "failure", "ignore", "probation"),
    late: fc.integer({ min: 0, max: 3_000 }),
    roll: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(event, { maxLength: 150 }), (size, events) => {
      const { members } = poolOf(size);
      let now = 0;
      for (const { after, who, what, late, roll } of events) {
        now += after;
        const member = members[who % size]!;
        if (what === "probation") {
          if (isProbationDue(settled(member, now), true, now)) beginProbation(member.ejection, now);
        } else {
          observeOutcome(options, member, members, what, Math.max(0, now - late), roll, now);
        }
        const out = members.filter(({ ejection }) => ["ejected", "probation"].includes(ejection.phase.kind));
        expect(out.length).toBeLessThanOrEqual(ejectedMax(options, size));
        expect(out.length).toBeLessThan(size);
      }
      // Whatever happened: after the longest wait one good request brings each of them back.
      for (const member of members) {
        const later = now + 100_000;
        if (isProbationDue(settled(member, later), true, later)) beginProbation(member.ejection, later);
        observeOutcome(options, member, members, "success", later, 0, later);
        expect(settleEjection(member.ejection, later + options.rampMs).kind).toBe("up");
      }
    }),
    { numRuns: 300 },
  );
});

function settled(member: EjectionMember, now: number): EjectionMember["ejection"] {
  settleEjection(member.ejection, now);
  return member.ejection;
}

/** A pool whose second and third member answer in 10 ms; `wait` tells of requests to the first. */
function poolWithLatencies(size: number): {
  members: (EjectionMember & { share: number })[];
  wait: (ms: number, now: number, index?: number) => EjectionVerdict;
  all: LatencyWindow;
} {
  const { members } = poolOf(size);
  const all = createLatencyWindow(options.windowMs);
  const wait = (ms: number, now: number, index = 0): EjectionVerdict => {
    // The outcome is heard a moment later, of an attempt that began before.
    const slow = observeLatency(options, members[index]!, members, all, ms, now, 0, now + ms);
    const outcome = observeOutcome(options, members[index]!, members, "success", now, 0, now + ms);
    return slow.kind === "none" ? outcome : slow;
  };
  for (let time = 0; time < 500; time += 1) for (let peer = 1; peer < size; peer += 1) wait(10, 0, peer);
  return { members, wait, all };
}

test("an origin far slower than its peers is ejected though it answers, and its slow probation is no success", () => {
  const { members, wait } = poolWithLatencies(3);
  wait(10, 500);
  wait(128, 1_000);
  wait(128, 1_200);
  expect(wait(128, 1_500)).toMatchObject({
    kind: "ejected",
    code: "eject.out.slow",
    because: "its last 3 requests took longer than 128 ms, and 0 of 1000 at its peers; out for 1 s",
  });
  beginProbation(members[0]!.ejection, 2_700);
  expect(wait(300, 2_700)).toMatchObject({ kind: "ejected", code: "eject.out.probation-slow" });
  expect(members[0]!.ejection.phase).toMatchObject({ kind: "ejected", times: 2, until: 5_000 });
  beginProbation(members[0]!.ejection, 5_000);
  expect(wait(10, 5_000)).toMatchObject({ kind: "back", code: "eject.back.ramping" });
});

test("a slow probation of an origin that was out for its failures is a success", () => {
  const { members, wait } = poolWithLatencies(3);
  for (let time = 0; time < 5; time += 1) observeOutcome(options, members[0]!, members, "failure", 100, 0, 100);
  beginProbation(members[0]!.ejection, 1_200);
  expect(wait(3_000, 1_200)).toMatchObject({ kind: "back" });
});

test("slowness ejects no more than the caps allow, and what is held is released when it is fast again", () => {
  const { members, wait } = poolWithLatencies(2);
  wait(10, 500);
  members[1]!.share = 0;
  for (let time = 0; time < 3; time += 1) wait(128, 1_000 + 300 * time);
  expect(members[0]!.ejection).toMatchObject({ phase: { kind: "up" }, heldCode: "eject.held.last-origin" });
  expect(wait(10, 2_001)).toEqual({ kind: "none" });
  const verdicts = Array.from({ length: 200 }, () => wait(10, 2_002));
  expect(verdicts.filter(({ kind }) => kind !== "none")).toMatchObject([{ code: "eject.back.recovered" }]);
  expect(members[0]!.ejection.heldCode).toBe("");
});

test("slowness is no reason where it is switched off, and nothing is kept for it", () => {
  const off = { ...options, slow: null };
  const members = [0, 1].map(() => ({ ejection: createEjection(off, 0), share: 1 }));
  expect(members[0]!.ejection.latencies).toBeNull();
  const all = createLatencyWindow(10_000);
  expect(observeLatency(off, members[0]!, members, all, 60_000, 0, 0, 0)).toEqual({ kind: "none" });
});

test("an origin that hangs is found by what waits there, though nothing more is sent to it", () => {
  const { members, wait, all } = poolWithLatencies(3);
  wait(10, 500);
  for (let time = 0; time < 3; time += 1) wait(128, 1_000);
  const stuck = (member: number, waitedMs: number): EjectionVerdict =>
    observeStuck(options, members[member]!, members, all, waitedMs, 0, 1_000 + waitedMs);
  expect(stuck(0, 499)).toEqual({ kind: "none" });
  expect(stuck(1, 628)).toEqual({ kind: "none" });
  expect(stuck(0, 628)).toMatchObject({ code: "eject.out.slow" });
});

test("origins that go out together are due at different times, none later than it may and none before seven tenths of it", () => {
  const roll = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(roll, roll, fc.nat({ max: 8 }), (one, other, timesBefore) => {
      const dueAfter = (chance: number): number => {
        const { members } = poolOf(3);
        const first = members[0]!;
        let now = 0;
        for (let time = 0; time <= timesBefore; time += 1) {
          for (let count = 0; count < options.consecutiveFailures; count += 1) {
            observeOutcome(options, first, members, "failure", now, chance, now);
          }
          const { phase } = first.ejection;
          if (phase.kind !== "ejected") throw new Error(`it is ${phase.kind}`);
          if (time === timesBefore) return phase.until - now;
          now = phase.until;
          beginProbation(first.ejection, now);
        }
        throw new Error("it was never out");
      };
      const longest = Math.min(options.returnAfterMaxMs, options.returnAfterMs * 2 ** timesBefore);
      const [a, b] = [dueAfter(one), dueAfter(other)];
      for (const ms of [a, b]) {
        expect(ms).toBeGreaterThan(longest * 0.7 - 0.001);
        expect(ms).toBeLessThanOrEqual(longest);
      }
      expect(Math.abs(a - b)).toBeCloseTo(longest * 0.3 * Math.abs(one - other), 3);
    }),
  );
});
