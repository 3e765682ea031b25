import fc from "fast-check";
import { expect, test } from "vitest";
import { ADDRESSES_MAX, judgeResolution, STEADY } from "./resolution-change.ts";
import type { Addressed, ResolutionAnswer, ResolutionChangeState, ResolutionVerdict } from "./resolution-change.ts";

function ips(...numbers: number[]): Addressed[] {
  return numbers.map((number) => ({ ip: `192.0.2.${number}` }));
}

function found(...numbers: number[]): ResolutionAnswer<Addressed> {
  return { kind: "addresses", addresses: ips(...numbers), ttlMs: 2_000 };
}

const KEEP_MS = 86_400_000;
const failure: ResolutionAnswer<Addressed> = { kind: "failure", detail: "SERVFAIL", ageMs: KEEP_MS - 1 };

/** Remembers what is in use from answer to answer. */
class Name {
  state: ResolutionChangeState = STEADY;
  inUse: readonly Addressed[];

  constructor(...numbers: number[]) {
    this.inUse = ips(...numbers);
  }

  hear(answer: ResolutionAnswer<Addressed>, now = 0): ResolutionVerdict<Addressed> {
    const step = judgeResolution(this.state, this.inUse, answer, KEEP_MS, now);
    this.state = step.state;
    this.inUse = step.verdict.addresses;
    return step.verdict;
  }
}

test("the first good answer is applied, a failure before it helps nobody", () => {
  const name = new Name();
  expect(name.hear(failure)).toMatchObject({ kind: "keep", code: "resolution.none" });
  expect(name.hear(found(1, 2))).toMatchObject({
    kind: "apply",
    code: "resolution.applied",
    because: "2 addresses found",
  });
});

test("a failure and an empty answer leave the last good addresses in use", () => {
  const name = new Name(1, 2);
  expect(name.hear(failure)).toEqual({
    kind: "keep",
    addresses: ips(1, 2),
    code: "resolution.kept.failure",
    because: "the name could not be resolved (SERVFAIL); the last good answer (2 addresses) stays in use",
  });
  expect(name.hear(found())).toMatchObject({ kind: "keep", code: "resolution.kept.empty" });
  expect(name.inUse).toEqual(ips(1, 2));
});

test("the same addresses in another order are no change", () => {
  expect(new Name(1, 2, 3).hear(found(3, 1, 2, 2))).toMatchObject({ kind: "keep", code: "resolution.unchanged" });
});

test("a move to entirely different addresses is applied at once", () => {
  const name = new Name(1);
  expect(name.hear(found(2))).toMatchObject({ kind: "apply", because: "1 added, 1 gone, 1 address now" });
  expect(name.inUse).toEqual(ips(2));
});

test("losing half of the addresses is applied, losing more is held", () => {
  expect(new Name(1, 2, 3, 4).hear(found(1, 2))).toMatchObject({ kind: "apply", code: "resolution.applied" });
  const name = new Name(1, 2, 3, 4, 5);
  expect(name.hear(found(1, 2))).toMatchObject({
    kind: "keep",
    code: "resolution.held.shrink",
    because: "the answer has 2 of 5 addresses; none is dropped until another answer says the same",
  });
  expect(name.inUse).toEqual(ips(1, 2, 3, 4, 5));
});

test("a second answer after the first has run out confirms the loss, one before does not", () => {
  const name = new Name(1, 2, 3, 4, 5);
  name.hear(found(1), 0);
  expect(name.hear(found(1), 1_999).code).toBe("resolution.held.shrink");
  expect(name.hear(found(1), 2_000)).toMatchObject({
    kind: "apply",
    code: "resolution.applied.confirmed",
    because: "two answers 2 s apart agree: 0 added, 4 gone, 1 address now",
  });
});

test("when the addresses come back in between, the loss is forgotten", () => {
  const name = new Name(1, 2, 3, 4, 5);
  name.hear(found(1), 0);
  name.hear(found(1, 2, 3, 4, 5), 1_000);
  expect(name.hear(found(1), 5_000).code).toBe("resolution.held.shrink");
});

test("new addresses in a held answer are used beside the old ones", () => {
  const name = new Name(1, 2, 3, 4, 5);
  expect(name.hear(found(9), 0)).toMatchObject({ kind: "apply", code: "resolution.held.shrink" });
  expect(name.inUse).toEqual(ips(1, 2, 3, 4, 5, 9));
  expect(name.hear(found(9), 2_000)).toMatchObject({ kind: "apply", code: "resolution.applied.confirmed" });
  expect(name.inUse).toEqual(ips(9));
});

test("failures while an answer is held neither confirm nor forget it", () => {
  const name = new Name(1, 2, 3, 4, 5);
  name.hear(found(1), 0);
  name.hear(failure, 3_000);
  expect(name.inUse).toHaveLength(5);
  expect(name.hear(found(1), 4_000).code).toBe("resolution.applied.confirmed");
});

test("a day's TTL does not keep lost addresses for a day", () => {
  const name = new Name(1, 2, 3, 4, 5);
  name.hear({ kind: "addresses", addresses: ips(1), ttlMs: 86_400_000 }, 0);
  expect(name.hear(found(1), 300_000).code).toBe("resolution.applied.confirmed");
});

test("for any answers what is in use is never emptied, never grows beyond the bound, and a steady answer wins", () => {
  const answer = fc.oneof(
    fc.constant(failure),
    fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 90 }).map((numbers) => found(...numbers)),
  );
  const step = fc.record({ after: fc.integer({ min: 0, max: 5_000 }), answer });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const name = new Name(1, 2, 3);
      let now = 0;
      for (const { after, answer: heard } of steps) {
        now += after;
        const before = new Set(name.inUse.map(({ ip }) => ip));
        const verdict = name.hear(heard, now);
        const after_ = verdict.addresses.map(({ ip }) => ip);
        expect(after_.length).toBeGreaterThan(0);
        expect(after_.length).toBeLessThanOrEqual(ADDRESSES_MAX);
        expect(new Set(after_).size).toBe(after_.length);
        if (verdict.kind === "keep") expect(new Set(after_)).toEqual(before);
      }
      name.hear(found(7, 8), now);
      name.hear(found(7, 8), now + 300_000);
      expect(new Set(name.inUse.map(({ ip }) => ip))).toEqual(new Set(ips(7, 8).map(({ ip }) => ip)));
    }),
  );
});

test("the last good addresses are dropped when nobody has confirmed them for as long as is stated", () => {
  const name = new Name(1, 2);
  expect(name.hear({ kind: "failure", detail: "ENOTFOUND", ageMs: KEEP_MS })).toEqual({
    kind: "apply",
    addresses: [],
    code: "resolution.dropped.too-old",
    because: "the name could not be resolved for 1440 min (ENOTFOUND); 2 addresses of the last good answer dropped",
  });
  expect(name.hear({ kind: "failure", detail: "ENOTFOUND", ageMs: 2 * KEEP_MS })).toMatchObject({
    kind: "keep",
    code: "resolution.none",
  });
  expect(name.hear(found(1))).toMatchObject({ kind: "apply", code: "resolution.applied" });
});
