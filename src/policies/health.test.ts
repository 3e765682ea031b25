import fc from "fast-check";
import { expect, test } from "vitest";
import { settleHealth, stepHealth, UNCHECKED } from "./health.ts";
import type { CheckResult, HealthOptions, HealthState } from "./health.ts";

const options: HealthOptions = { path: null, grpc: null, intervalMs: 2_000, timeoutMs: 1_000, down: 3, up: 2 };
const bad: CheckResult = { ok: false, detail: "connection refused" };
const good: CheckResult = { ok: true, detail: "" };

/** One result every two seconds from 2000 on; the codes of the verdicts that were not `none`, and the last state. */
function run(results: readonly CheckResult[], from: HealthState = UNCHECKED): { codes: string[]; state: HealthState } {
  let state = from;
  const codes: string[] = [];
  results.forEach((result, index) => {
    const step = stepHealth(options, state, result, (index + 1) * 2_000);
    state = step.state;
    if (step.verdict.kind === "changed") codes.push(step.verdict.code);
  });
  return { codes, state };
}

test("the first result decides at once", () => {
  expect(run([good])).toMatchObject({ codes: ["health.up.first-check"], state: { kind: "up" } });
  expect(run([bad])).toMatchObject({
    codes: ["health.down.first-check"],
    state: { kind: "down", because: "the first connect check failed (connection refused)" },
  });
});

test("a check is called by what it asks", () => {
  const becauseOf = (of: Partial<HealthOptions>): unknown =>
    stepHealth({ ...options, ...of }, UNCHECKED, { ok: false, detail: "status 12" }, 2_000).state;
  expect(becauseOf({ path: "/healthz" })).toMatchObject({ because: "the first HTTP check failed (status 12)" });
  // It was called a connect check, which says that not even a connection came about.
  expect(becauseOf({ grpc: "" })).toMatchObject({ because: "the first gRPC check failed (status 12)" });
});

test("a down that a single first result decided is undone by a single success", () => {
  expect(run([bad, good]).codes).toEqual(["health.down.first-check", "health.up"]);
  expect(run([bad, bad, good]).codes).toEqual(["health.down.first-check"]);
});

test("three failures in a row take an origin down, two do not, and a success between starts the count again", () => {
  expect(run([good, bad, bad]).state.kind).toBe("up");
  expect(run([good, bad, bad, good, bad, bad]).state.kind).toBe("up");
  const down = run([good, bad, bad, bad]);
  expect(down.codes.at(-1)).toBe("health.down");
  expect(down.state).toMatchObject({
    kind: "down",
    since: 8_000,
    failingSince: 4_000,
    because: "3 connect checks in a row failed (connection refused)",
  });
});

test("two successes in a row bring it up, one does not, and a failure between starts the count again", () => {
  const down = [good, bad, bad, bad];
  expect(run([...down, good]).state.kind).toBe("down");
  expect(run([...down, good, bad, good]).state.kind).toBe("down");
  expect(run([...down, good, good]).state).toMatchObject({
    kind: "up",
    because: "2 connect checks in a row succeeded",
  });
});

test("an HTTP check is called one", () => {
  const step = stepHealth({ ...options, path: "/healthz" }, UNCHECKED, { ok: false, detail: "status 503" }, 0);
  expect(step.state.because).toBe("the first HTTP check failed (status 503)");
});

test("a verdict expires when the checker falls silent", () => {
  const { state } = run([good, bad, bad, bad]);
  expect(settleHealth(options, state, 8_000 + 29_999)).toBe(state);
  expect(settleHealth(options, state, 8_000 + 30_000)).toEqual({
    kind: "unknown",
    because: "no check result for 30 s",
  });
});

test("for any results the state follows the plain definition of runs, and two successes always bring it up", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (oks) => {
      const { state } = run(oks.map((ok) => (ok ? good : bad)));
      const tail = (length: number, ok: boolean): boolean =>
        oks.length >= length && oks.slice(-length).every((each) => each === ok);
      if (tail(3, false)) expect(state.kind).toBe("down");
      if (tail(2, true)) expect(state.kind).toBe("up");
      const at = oks.length * 2_000;
      const once = stepHealth(options, state, good, at + 2_000).state;
      expect(stepHealth(options, once, good, at + 4_000).state.kind).toBe("up");
    }),
  );
});
