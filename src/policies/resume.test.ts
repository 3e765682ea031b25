import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { countResume, createResume, decideResume, PROGRESS_BYTES } from "./resume.ts";
import type { ResumeInput, ResumeVerdict } from "./resume.ts";

const OPTIONS = { attemptsMax: 3, timesMax: 50, gapMs: 30_000 };
const MIB = 1024 * 1024;

const INPUT: ResumeInput = {
  retryClass: "R2",
  stalled: false,
  silentMs: 0,
  received: 100_000,
  bodyBytes: MIB,
  othersLeft: 1,
  sameLeft: true,
  budgetLeft: true,
  budgetWords: "",
};

function decide(change: Partial<ResumeInput> = {}, options = OPTIONS): ResumeVerdict {
  return decideResume(options, createResume(), { ...INPUT, ...change });
}

describe("a broken body", () => {
  it("is continued at another origin, and the reason says what is missing", () => {
    expect(decide()).toEqual({
      resume: true,
      target: "other",
      takesToken: false,
      code: "resume.allowed.broken",
      reason:
        "resumed at another origin: 926 KiB of 1 MiB are missing, from byte 100000; outside the retry budget, because a good part had come",
    });
  });

  it("is continued at the same origin when no other is left", () => {
    expect(decide({ othersLeft: 0 })).toMatchObject({ target: "same", code: "resume.allowed.same-origin" });
  });

  it.each<[string, Partial<ResumeInput>]>([
    ["resume.refused.no-cure", { retryClass: "RX" }],
    ["resume.refused.no-origin", { othersLeft: 0, sameLeft: false }],
    ["resume.refused.no-origin", { othersLeft: 0, sameLeft: false, stalled: true }],
    ["resume.refused.budget", { received: PROGRESS_BYTES - 1, budgetLeft: false }],
    ["resume.refused.budget", { stalled: true, budgetLeft: false }],
  ])("is not: %s for %j", (code, change) => {
    expect(decide(change)).toMatchObject({ resume: false, code });
  });

  it("is not continued by a service that makes one attempt", () => {
    expect(decide({}, { attemptsMax: 1, timesMax: 50, gapMs: 30_000 })).toMatchObject({
      code: "resume.refused.attempts",
    });
  });

  it("takes no token after a good part, because nothing is asked for twice", () => {
    expect(decide({ received: PROGRESS_BYTES, budgetLeft: false })).toMatchObject({ resume: true, takesToken: false });
    expect(decide({ received: PROGRESS_BYTES - 1 })).toMatchObject({ resume: true, takesToken: true });
  });

  it("is asked for once outside the budget where the good part came from, after another did not have it", () => {
    const spent = { ...INPUT, budgetLeft: false };
    const state = createResume();
    expect(decideResume(OPTIONS, state, spent)).toMatchObject({ target: "other", takesToken: false });
    countResume(state, spent.received, MIB, "other");
    const owed = decideResume(OPTIONS, state, spent);
    expect(owed).toMatchObject({ target: "same", takesToken: false, code: "resume.allowed.same-origin" });
    expect(owed.reason).toMatch(/which is known to have the rest: .*; outside the retry budget/);
    // With something left in the budget, others come first.
    expect(decideResume(OPTIONS, state, INPUT)).toMatchObject({ target: "other", takesToken: true });
    for (const change of [{ sameLeft: false }, { stalled: true }]) {
      expect(decideResume(OPTIONS, state, { ...spent, ...change })).toMatchObject({ code: "resume.refused.budget" });
    }
    countResume(state, spent.received, MIB, "same");
    expect(decideResume(OPTIONS, state, spent)).toMatchObject({ code: "resume.refused.budget" });
    // What little came from there since then owes it nothing; the next good part does.
    countResume(state, spent.received + 1, MIB, "other");
    expect(state.sameOwed).toBe(false);
    countResume(state, spent.received + 1 + PROGRESS_BYTES, MIB, "other");
    expect(state.sameOwed).toBe(true);
  });

  it("that only stands still takes a token whatever it has brought, because two origins are at work then", () => {
    expect(decide({ stalled: true })).toMatchObject({
      resume: true,
      takesToken: true,
      code: "resume.allowed.stalled",
    });
  });
});

describe("a silent body", () => {
  it("is asked for at another origin, or else at the same one on a new connection", () => {
    expect(decide({ stalled: true }).reason).toMatch(/elsewhere besides/);
    expect(decide({ stalled: true, othersLeft: 0 })).toMatchObject({ target: "same", code: "resume.allowed.stalled" });
  });
});

describe("the count of attempts", () => {
  it("ends after twice as many in a row that brought nothing as any request gets", () => {
    const state = createResume();
    const cut = { ...INPUT, received: 0 };
    for (let time = 0; time < 5; time += 1) {
      expect(decideResume(OPTIONS, state, cut).resume).toBe(true);
      countResume(state, 0, MIB, "other");
    }
    expect(decideResume(OPTIONS, state, cut)).toMatchObject({
      code: "resume.refused.attempts",
      reason: "not resumed: 6 attempts in a row brought too little, the newest 0 bytes",
    });
    expect(state).toEqual({ times: 5, fruitless: 5, from: 0, sameOwed: false });
  });

  it("begins afresh after a good part: 64 KiB, or a tenth of what was missing", () => {
    for (const [bodyBytes, brought, fresh] of [
      [100 * MIB, PROGRESS_BYTES, 0],
      [100 * MIB, PROGRESS_BYTES - 1, 3],
      [1000, 100, 0],
      [1000, 99, 3],
      [1, 0, 3],
    ] as const) {
      const state = { ...createResume(), times: 2, fruitless: 2 };
      countResume(state, brought, bodyBytes, "other");
      expect(state.fruitless).toBe(fresh);
    }
  });

  it("does not leave a client without a byte for longer than any silence may last", () => {
    const silent = (silentMs: number, received: number, gapMs = 30_000): ResumeVerdict =>
      decideResume(
        { ...OPTIONS, gapMs },
        { times: 1, fruitless: 1, from: 1000, sameOwed: false },
        { ...INPUT, silentMs, received },
      );
    expect(silent(29_999, 1000).resume).toBe(true);
    expect(silent(30_000, 1000)).toMatchObject({
      code: "resume.refused.silence",
      reason: "not resumed: the client has had nothing for 30 s",
    });
    expect(silent(30_000, 1000, 0).resume).toBe(true);
    // The one that fell silent brought something, and nobody has been asked since.
    expect(silent(30_000, 1001).resume).toBe(true);
    expect(decide({ silentMs: 30_000 }).resume).toBe(true);
  });

  it("is bounded in all, however good the parts are", () => {
    const state = { ...createResume(), times: 50 };
    expect(decideResume(OPTIONS, state, INPUT)).toMatchObject({ code: "resume.refused.times" });
  });
});

test("any course of breaks ends: complete, or refused with no more than the bound", () => {
  const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 200, maxLength: 200, size: "max" });
  fc.assert(
    fc.property(cuts, fc.integer({ min: 1, max: 5_000_000_000 }), (shares, bodyBytes) => {
      const state = createResume();
      let received = 0;
      let asked = 0;
      for (const share of shares) {
        received += Math.floor((bodyBytes - received) * share);
        if (received === bodyBytes) break;
        if (!decideResume(OPTIONS, state, { ...INPUT, received, bodyBytes }).resume) break;
        countResume(state, received, bodyBytes, "other");
        asked += 1;
      }
      expect(asked).toBeLessThanOrEqual(OPTIONS.timesMax);
      expect(state.times).toBe(asked);
    }),
    { numRuns: 50 },
  );
});
