import fc from "fast-check";
import { expect, test } from "vitest";
import { RETRY_INPUT } from "../../test/support/retry-input.ts";
import { DECISIONS } from "../kernel/decisions.ts";
import { decideRetry, isFree, isIdempotent } from "./retry.ts";
import type { RetryCode, RetryInput } from "./retry.ts";

/** An attempt that never reached its origin, with everything in favour of repeating it. */
const input: RetryInput = { ...RETRY_INPUT, retryClass: "R0", method: "POST", body: "kept", bodyBytes: 1_000 };

test("each rule by its case, with the sentence that a person reads", () => {
  const cases: [Partial<RetryInput>, RetryCode, string][] = [
    [{}, "retry.allowed.never-sent", "retried: nothing had reached the origin"],
    [
      { retryClass: "R1", method: "GET" },
      "retry.allowed.idempotent",
      "retried: GET is idempotent and nothing of a response had been passed on",
    ],
    [
      { retryClass: "R1", routeIdempotent: true },
      "retry.allowed.idempotent",
      "retried: its route declares it repeatable and nothing of a response had been passed on",
    ],
    [
      { retryClass: "R1", method: "GET", othersLeft: 0, staleConnection: true },
      "retry.allowed.fresh-connection",
      "retried on a new connection to the same origin: the idle connection had died, and no other origin is left",
    ],
    [
      { retryClass: "R1" },
      "retry.refused.not-idempotent",
      "not retried: POST is not idempotent and may have reached the origin (RFC 9110 §9.2.2)",
    ],
    [
      { body: "too-large", bodyBytes: 3 * 2 ** 20 },
      "retry.refused.body-too-large",
      "not retried: body of 3 MiB exceeds the replay buffer of 64 KiB",
    ],
    [
      { body: "too-large", bodyBytes: 0 },
      "retry.refused.body-too-large",
      "not retried: body exceeds the replay buffer of 64 KiB",
    ],
    [
      { body: "not-kept" },
      "retry.refused.body-not-kept",
      "not retried: the body was not kept, because the memory for replay buffers was used up",
    ],
    [{ responseBegun: true }, "retry.refused.response-begun", "not retried: the response had begun"],
    [
      { retryClass: "R2", method: "GET" },
      "retry.allowed.idempotent",
      "retried: GET is idempotent and nothing of a response had been passed on",
    ],
    [
      { retryClass: "R2" },
      "retry.refused.not-idempotent",
      "not retried: POST is not idempotent and may have reached the origin (RFC 9110 §9.2.2)",
    ],
    [{ retryClass: "RX" }, "retry.refused.no-cure", "not retried: repeating does not cure this failure"],
    [{ attempts: 3 }, "retry.refused.attempts", "not retried: 3 of 3 attempts were made"],
    [{ othersLeft: 0 }, "retry.refused.no-other-origin", "not retried: no usable origin is left that was not tried"],
    [
      { retryClass: "R1", keyed: "origins-honour" },
      "retry.allowed.keyed",
      "retried: its route declares that origins run one idempotency key once",
    ],
    [
      { retryClass: "R1", keyed: "never-twice" },
      "retry.refused.keyed",
      "not retried: it may have reached the origin, and its route does not say that origins run one idempotency key once",
    ],
    [
      { othersLeft: 0, connectFailed: true },
      "retry.allowed.second-pass",
      "retried after 50 ms: no origin could be reached, nothing was sent, and one may be back by then",
    ],
    [
      { retryClass: "R2", method: "GET", status: 503 },
      "retry.allowed.answer",
      "retried: the answer 503 is held back while another origin is asked, because GET is idempotent",
    ],
    [
      { retryClass: "R2", method: "GET", status: 503, overloadedForMs: 1_000, deadlineLeftMs: 3_000 },
      "retry.allowed.retry-after",
      "retried after 1.3 s: the origin asked to wait, and the deadline allows it",
    ],
    [
      { retryClass: "R2", method: "GET", status: 503, overloadedForMs: 1_000 },
      "retry.refused.overloaded",
      "not retried: the origin says that it is overloaded",
    ],
    [
      { retryClass: "R1", method: "GET", repeatedInFront: true },
      "retry.refused.in-front",
      "not retried: a Goodgate in front repeats what fails here, and one layer is enough",
    ],
    [
      { retryClass: "R1", method: "GET", shedding: true },
      "retry.refused.shedding",
      "not retried: requests are being turned away for want of room; a repeat would take another's",
    ],
    [
      { retryClass: "R1", method: "GET", originsBroken: 2 },
      "retry.refused.breaks-origins",
      "not retried: it has broken the connection to 2 origins, and no other is risked for it",
    ],
    [
      { retryClass: "R0", onTrial: true },
      "retry.refused.breaks-origins",
      "not retried: requests like it broke origins, and no other is risked to find out whether they still do",
    ],
    [
      { deadlineLeftMs: 80, usualMs: 100 },
      "retry.refused.deadline",
      "not retried: 80 ms are left until the deadline, and another attempt takes about 100 ms",
    ],
    [
      { budgetLeft: false, budgetWords: "200 repeats for 1000 exchanges" },
      "retry.refused.budget",
      "not retried: the retry budget is used up (200 repeats for 1000 exchanges)",
    ],
  ];
  // What was refused at the door has cost nothing that the budget would be for.
  expect(decideRetry({ ...input, retryClass: "R0", connectFailed: true, budgetLeft: false }).retry).toBe(true);
  expect(decideRetry({ ...input, retryClass: "R1", connectFailed: true, budgetLeft: false }).retry).toBe(false);
  for (const [change, code, reason] of cases) {
    expect(decideRetry({ ...input, ...change }), code).toMatchObject({
      retry: code.startsWith("retry.allowed."),
      code,
      reason,
    });
  }
  // Every code that the documentation promises has a case above.
  const promised = Object.keys(DECISIONS).filter((code) => code.startsWith("retry."));
  expect(new Set(cases.map(([, code]) => code))).toEqual(new Set(promised));
});

test("the methods that may be repeated are those of RFC 9110 §9.2.2, in capitals", () => {
  for (const method of ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"]) expect(isIdempotent(method)).toBe(true);
  for (const method of ["POST", "PATCH", "CONNECT", "get", "LOCK", ""]) expect(isIdempotent(method)).toBe(false);
});

test("a stale connection goes to another origin first, to the same one only when none is left", () => {
  expect(decideRetry({ ...input, retryClass: "R1", method: "GET", staleConnection: true })).toMatchObject({
    target: "other",
  });
  expect(
    decideRetry({ ...input, retryClass: "R1", method: "GET", staleConnection: true, othersLeft: 0 }),
  ).toMatchObject({ target: "same" });
});

test("a pause fits between the failure and the deadline, or is not made", () => {
  const again: RetryInput = { ...input, othersLeft: 0, connectFailed: true, roll: 0.9 };
  expect(decideRetry({ ...again, deadlineLeftMs: 91 })).toMatchObject({ target: "any", waitMs: 90 });
  expect(decideRetry({ ...again, deadlineLeftMs: 90 })).toMatchObject({ code: "retry.refused.deadline" });
  expect(decideRetry({ ...again, pass: 2, deadlineLeftMs: 181 })).toMatchObject({ target: "any", waitMs: 180 });
  expect(decideRetry({ ...again, backoff: { backoffBaseMs: 0, backoffMaxMs: 0 } })).toMatchObject({
    code: "retry.refused.no-other-origin",
  });
});

test("a gateway in front leaves to this one what was never sent, and idle connections that had died", () => {
  const behind: RetryInput = { ...RETRY_INPUT, repeatedInFront: true };
  expect(decideRetry({ ...behind, retryClass: "R0", method: "POST" }).retry).toBe(true);
  expect(decideRetry({ ...behind, staleConnection: true }).retry).toBe(true);
  expect(decideRetry(behind).retry).toBe(false);
});

test("what an origin did not look at because it leaves does not count, as often as there are attempts", () => {
  const made = (attempts: number, leftUnseen: number, attemptsMax = 3): RetryCode =>
    decideRetry({ ...input, attempts, leftUnseen, attemptsMax }).code;
  expect(made(3, 0)).toBe("retry.refused.attempts");
  expect(made(3, 1)).toBe("retry.allowed.never-sent");
  expect(made(4, 1)).toBe("retry.refused.attempts");
  expect(made(5, 5)).toBe("retry.allowed.never-sent");
  expect(made(6, 6)).toBe("retry.refused.attempts");
  // Who wants one attempt keeps nothing to send again.
  expect(made(1, 1, 1)).toBe("retry.refused.attempts");
});

test("no combination of circumstances repeats what must not be repeated", () => {
  const anyInput = fc.record({
    retryClass: fc.constantFrom<RetryInput["retryClass"]>("R0", "R1", "R2", "RX"),
    method: fc.constantFrom("GET", "POST", "PUT", "PATCH", "get"),
    routeIdempotent: fc.boolean(),
    body: fc.constantFrom<RetryInput["body"]>("untouched", "kept", "too-large", "not-kept"),
    bodyBytes: fc.nat(),
    replayBytes: fc.nat(),
    responseBegun: fc.boolean(),
    attempts: fc.integer({ min: 1, max: 5 }),
    leftUnseen: fc.nat({ max: 5 }),
    attemptsMax: fc.integer({ min: 1, max: 5 }),
    othersLeft: fc.nat({ max: 3 }),
    staleConnection: fc.boolean(),
    keyed: fc.constantFrom<RetryInput["keyed"]>("no", "never-twice", "origins-honour"),
    connectFailed: fc.boolean(),
    originsBroken: fc.nat({ max: 3 }),
    onTrial: fc.boolean(),
    overloadedForMs: fc.constantFrom(-1, 0, 1_000),
    status: fc.constantFrom(0, 500, 503),
    repeatedInFront: fc.boolean(),
    shedding: fc.boolean(),
    deadlineLeftMs: fc.constantFrom(Infinity, -5, 50, 5_000),
    usualMs: fc.nat({ max: 200 }),
    backoff: fc.constant(RETRY_INPUT.backoff),
    pass: fc.integer({ min: 1, max: 5 }),
    roll: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    budgetLeft: fc.boolean(),
    budgetWords: fc.constant("words"),
  });
  fc.assert(
    fc.property(anyInput, (any) => {
      const verdict = decideRetry(any);
      expect(verdict.retry).toBe(verdict.code.startsWith("retry.allowed."));
      expect(verdict.reason.startsWith(verdict.retry ? "retried" : "not retried: ")).toBe(true);
      if (!verdict.retry) return;
      expect(any.responseBegun || (!any.budgetLeft && !isFree(any))).toBe(false);
      expect(any.attempts).toBeLessThan(2 * any.attemptsMax);
      expect(any.attempts - any.leftUnseen).toBeLessThan(any.attemptsMax);
      expect(["untouched", "kept"]).toContain(any.body);
      expect(["R0", "R1", "R2"]).toContain(any.retryClass);
      if (any.retryClass !== "R0") {
        expect(any.routeIdempotent || any.keyed === "origins-honour" || isIdempotent(any.method)).toBe(true);
        expect(any.keyed).not.toBe("never-twice");
        expect(any.originsBroken).toBeLessThan(2);
      }
      expect(verdict.waitMs + any.usualMs).toBeLessThan(any.deadlineLeftMs);
      if (any.overloadedForMs >= 0) expect(verdict.waitMs).toBeGreaterThanOrEqual(any.overloadedForMs);
      else if (any.othersLeft > 0) expect(verdict).toMatchObject({ target: "other", waitMs: 0 });
      else expect(verdict.target).toBe(any.staleConnection ? "same" : "any");
      if (verdict.target === "any" && any.overloadedForMs < 0) expect(any.retryClass).toBe("R0");
    }),
    { numRuns: 2_000 },
  );
});
