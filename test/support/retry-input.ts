/** A failed attempt with everything in favour of repeating it, for tests that change one thing about it. */
import type { RetryInput } from "../../src/policies/retry.ts";

export const RETRY_INPUT: RetryInput = {
  retryClass: "R1",
  method: "GET",
  routeIdempotent: false,
  keyed: "no",
  body: "untouched",
  bodyBytes: 0,
  replayBytes: 65_536,
  responseBegun: false,
  attempts: 1,
  attemptsMax: 3,
  othersLeft: 2,
  staleConnection: false,
  connectFailed: false,
  originsBroken: 0,
  overloadedForMs: -1,
  status: 0,
  repeatedInFront: false,
  deadlineLeftMs: Infinity,
  usualMs: 0,
  backoff: { backoffBaseMs: 100, backoffMaxMs: 1_000 },
  pass: 1,
  roll: 0.5,
  budgetLeft: true,
  budgetWords: "",
};
