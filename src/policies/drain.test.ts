import { expect, test } from "vitest";
import { assess, probationTurn } from "./availability.ts";
import type { AvailabilityOptions, Member } from "./availability.ts";
import { drainBecause } from "./drain.ts";
import type { Drain } from "./drain.ts";
import { createEjection } from "./ejection-state.ts";
import { observeOutcome } from "./ejection.ts";
import { UNCHECKED } from "./health.ts";
import { NO_IDENTITY } from "./origin-identity.ts";

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
    slow: null,
  },
  health: null,
};
const HALF_AN_HOUR: Drain = { by: "ann", reason: "new kernel", since: 0, until: 1_800_000 };

function pool(size: number): Member[] {
  return Array.from({ length: size }, () => ({
    weight: 100,
    share: 1,
    health: UNCHECKED,
    identity: NO_IDENTITY,
    drain: null,
    ejection: createEjection(options.ejection, 0),
  }));
}

function fail(members: readonly Member[], index: number, now: number): void {
  for (let times = 0; times < 10; times += 1)
    observeOutcome(options.ejection, members[index]!, members, "failure", now, 0, now);
}

test("whom a person took out gets nothing, and what is shown says who, for how long and why", () => {
  const members = pool(2);
  members[0]!.drain = HALF_AN_HOUR;
  const found = assess(options, members, 1_000);
  expect(found.usable).toEqual([members[1]]);
  expect(found.standings[0]).toMatchObject({
    state: "drained",
    share: 0,
    since: 0,
    until: 1_800_000,
    because: "ann took it out for 30 min: new kernel",
  });
  expect(found.because).toBe("1 of 2 origins is in use, 1 was taken out by hand");
  expect(found.liveShare).toBe(0.5);
  expect(found.nextAt).toBe(1_800_000);
});

test("when the time is over it comes back by itself, with a share that grows", () => {
  const members = pool(2);
  members[0]!.drain = HALF_AN_HOUR;
  assess(options, members, 0);
  const found = assess(options, members, 1_800_000);
  expect(found.standings[0]?.state).toBe("ramping");
  expect(found.standings[0]?.because).toContain("is over");
  expect(members[0]?.share).toBeLessThan(0.2);
  expect(assess(options, members, 1_810_000).standings[0]?.state).toBe("up");
});

test("a person outranks a pool in which nothing else works", () => {
  const members = pool(2);
  members[0]!.drain = HALF_AN_HOUR;
  fail(members, 1, 100);
  const found = assess(options, members, 100);
  expect(found.usable).toEqual([members[1]]);
  expect(found.because).toBe("the only origin that may be used fails; it is used all the same");
});

test("a pool whose origins were all taken out is empty and says why", () => {
  const members = pool(2);
  for (const member of members) member.drain = HALF_AN_HOUR;
  expect(assess(options, members, 0)).toMatchObject({
    kind: "empty",
    code: "available.drained",
    usable: [],
    liveShare: 0,
  });
});

test("an ejected one that was taken out is not tried with a request", () => {
  const members = pool(3);
  fail(members, 0, 0);
  expect(assess(options, members, 0).standings[0]?.state).toBe("ejected");
  members[0]!.drain = HALF_AN_HOUR;
  const found = assess(options, members, 5_000);
  expect(found.probationAt).toBe(-1);
  expect(probationTurn(options, members, { ...found, probationAt: 0 }, true, 5_000)).toBe(-1);
  members[0]!.drain = null;
  expect(probationTurn(options, members, assess(options, members, 5_000), true, 5_000)).toBe(0);
});

test("the sentence has the whole time, because a rest would be old as soon as it is read", () => {
  expect(drainBecause({ ...HALF_AN_HOUR, since: 1_790_000 })).toBe("ann took it out for 10 s: new kernel");
});
