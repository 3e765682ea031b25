import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KeyState } from "../kernel/ledger.ts";
import { concludeKey, judgeKnownKey } from "./idempotency.ts";
import type { KeyOutcome, KnownKey } from "./idempotency.ts";

const STARTED: KeyState = { kind: "started" };
const ANSWERED: KeyState = { kind: "answered", status: 201, kept: true, because: "" };
const NOT_KEPT: KeyState = { kind: "answered", status: 201, kept: false, because: "it was larger than 1 MiB" };
const UNCERTAIN: KeyState = { kind: "uncertain", because: "reset" };

function response(status: number, change: Partial<KeyOutcome> = {}): KeyOutcome {
  return { kind: "response", status, retryAfter: false, kept: true, because: "", ...change } as KeyOutcome;
}

describe("a request with a known key", () => {
  test.each([
    ["replays the answer that is stored", ANSWERED, false, "replay"],
    ["is told that the answer is not at hand", NOT_KEPT, false, "answer not kept"],
    ["waits for the one under way", STARTED, true, "wait"],
    ["is told when nobody knows what became of it", UNCERTAIN, false, "uncertain"],
    ["does not trust a start that nobody works on", STARTED, false, "uncertain"],
  ] as const)("%s", (_what, state, inFlight, kind) => {
    expect(judgeKnownKey({ fingerprint: "f", state }, "f", inFlight, false).kind).toBe(kind);
    expect(judgeKnownKey({ fingerprint: "f", state }, "g", inFlight, true).kind).toBe("other request");
  });

  test("is sent again after an uncertain end only to origins that honour the key themselves", () => {
    for (const state of [UNCERTAIN, STARTED]) {
      expect(judgeKnownKey({ fingerprint: "f", state }, "f", false, true).kind).toBe("send");
    }
    expect(judgeKnownKey({ fingerprint: "f", state: STARTED }, "f", true, true).kind).toBe("wait");
    for (const state of [ANSWERED, NOT_KEPT]) {
      expect(judgeKnownKey({ fingerprint: "f", state }, "f", false, true).kind).not.toBe("send");
    }
  });
});

describe("the end of a try", () => {
  test.each([200, 201, 204, 301, 400, 401, 402, 404, 409, 422, 500, 501, 503])(
    "%i is the answer of the key",
    (status) => {
      expect(concludeKey(response(status), false, "").state).toEqual({
        kind: "answered",
        status,
        kept: true,
        because: "",
      });
    },
  );

  test.each([
    [429, false],
    [408, false],
    [425, false],
    [421, false],
    [503, true],
  ])("%i (Retry-After: %s) says that nothing was done, so the key is free", (status, retryAfter) => {
    expect(concludeKey(response(status, { retryAfter }), false, "").state).toBe(null);
  });

  test.each([502, 504])("%i is another gateway that does not know either", (status) => {
    expect(concludeKey(response(status), false, "").state).toMatchObject({ kind: "uncertain" });
  });

  test("409 of an origin that honours keys may mean that it is still at work", () => {
    expect(concludeKey(response(409), true, "").state).toMatchObject({ kind: "uncertain" });
  });

  test("without an answer only what was never sent leaves the key free", () => {
    expect(concludeKey({ kind: "failed", sent: false, because: "refused" }, false, "").state).toBe(null);
    expect(concludeKey({ kind: "failed", sent: true, because: "reset" }, false, "").state).toEqual(UNCERTAIN);
  });
});

test("a try that did nothing leaves a key uncertain that was so before", () => {
  const nothingDone: KeyOutcome[] = [response(429), { kind: "failed", sent: false, because: "refused" }];
  for (const outcome of nothingDone) expect(concludeKey(outcome, true, "reset").state).toEqual(UNCERTAIN);
  expect(concludeKey(response(201), true, "reset").state).toMatchObject({ kind: "answered", kept: true });
});

/** What happens to one key from its first use on, with an origin that does not know of keys. */
type Happening =
  | { readonly kind: "ask"; readonly fingerprint: string }
  | { readonly kind: "crash" }
  | {
      readonly kind: "end";
      readonly executes: boolean;
      readonly outcome: "answer" | "refusal" | "reset" | "never sent";
    };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ kind: fc.constant("ask" as const), fingerprint: fc.constantFrom("f", "f", "f", "g") }),
  fc.record({ kind: fc.constant("crash" as const) }),
  fc.record({
    kind: fc.constant("end" as const),
    executes: fc.boolean(),
    outcome: fc.constantFrom("answer" as const, "refusal" as const, "reset" as const, "never sent" as const),
  }),
);

test("no sequence of tries, answers, resets and crashes executes a key twice", () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 40 }), (happenings) => {
      let known = nothingKnown();
      let inFlight = false;
      let executions = 0;
      for (const it of happenings) {
        if (it.kind === "crash") inFlight = false;
        else if (it.kind === "ask") {
          const verdict = known === null ? "send" : judgeKnownKey(known, it.fingerprint, inFlight, false).kind;
          if (verdict === "send") {
            expect(executions).toBe(0);
            known = { fingerprint: it.fingerprint, state: STARTED };
            inFlight = true;
          }
          if (verdict === "replay") expect(executions).toBe(1);
        } else if (known !== null && inFlight) {
          // An origin that refuses, or never saw the request, has executed nothing; one that answers has.
          const executed = it.outcome === "answer" || (it.outcome === "reset" && it.executes);
          if (executed) executions += 1;
          const { state } = concludeKey(outcomeOf(it.outcome), false, "");
          known = state === null ? null : { fingerprint: known.fingerprint, state };
          inFlight = false;
        }
        expect(executions).toBeLessThanOrEqual(1);
      }
    }),
    { numRuns: 2_000 },
  );
});

function nothingKnown(): KnownKey | null {
  return null;
}

function outcomeOf(outcome: "answer" | "refusal" | "reset" | "never sent"): KeyOutcome {
  switch (outcome) {
    case "answer":
      return response(201);
    case "refusal":
      return response(429);
    case "reset":
      return { kind: "failed", sent: true, because: "reset" };
    case "never sent":
      return { kind: "failed", sent: false, because: "refused" };
  }
}
