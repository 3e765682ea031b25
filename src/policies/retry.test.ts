import fc from "fast-check";
import { expect, test } from "vitest";
import { DECISIONS } from "../kernel/decisions.ts";
import { decideRetry, isIdempotent } from "./retry.ts";
import type { RetryCode, RetryInput } from "./retry.ts";

/** An attempt that never reached its origin, with everything in favour of repeating it. */
const input: RetryInput = {
  retryClass: "R0",
  method: "POST",
  routeIdempotent: false,
  body: "kept",
  bodyBytes: 1_000,
  replayBytes: 65_536,
  responseBegun: false,
  attempts: 1,
  attemptsMax: 3,
  othersLeft: 2,
  staleConnection: false,
  budgetLeft: true,
  budgetWords: "",
};

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
      { budgetLeft: false, budgetWords: "200 repeats for 1000 exchanges" },
      "retry.refused.budget",
      "not retried: the retry budget is used up (200 repeats for 1000 exchanges)",
    ],
  ];
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
    attemptsMax: fc.integer({ min: 1, max: 5 }),
    othersLeft: fc.nat({ max: 3 }),
    staleConnection: fc.boolean(),
    budgetLeft: fc.boolean(),
    budgetWords: fc.constant("words"),
  });
  fc.assert(
    fc.property(anyInput, (any) => {
      const verdict = decideRetry(any);
      expect(verdict.retry).toBe(verdict.code.startsWith("retry.allowed."));
      expect(verdict.reason.startsWith(verdict.retry ? "retried" : "not retried: ")).toBe(true);
      if (!verdict.retry) return;
      expect(any.responseBegun || !any.budgetLeft).toBe(false);
      expect(any.attempts).toBeLessThan(any.attemptsMax);
      expect(["untouched", "kept"]).toContain(any.body);
      expect(["R0", "R1", "R2"]).toContain(any.retryClass);
      if (any.retryClass !== "R0") expect(any.routeIdempotent || isIdempotent(any.method)).toBe(true);
      expect(any.othersLeft > 0 || any.staleConnection).toBe(true);
      expect(verdict.target).toBe(any.othersLeft > 0 ? "other" : "same");
    }),
    { numRuns: 2_000 },
  );
});
