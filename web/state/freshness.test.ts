import { describe, expect, test } from "vitest";
import type { ControlState } from "../../src/contract/control-port.ts";
import { diagnosisOf, freshnessOf, PULSE_PATIENCE_MS, STALE_AFTER_MS, STREAM_SILENCE_MS } from "./freshness.ts";

const heard = { now: 100_000, answeredAt: 99_000, isFailing: false, streamDownSince: null };

describe("what the gateway says", () => {
  test("is asked for before it is anything", () => {
    expect(freshnessOf({ ...heard, answeredAt: null, isFailing: true })).toEqual({ kind: "asking" });
  });

  test("is live while answers come and the stream is up", () => {
    expect(freshnessOf(heard)).toEqual({ kind: "live" });
  });

  test("is stale since the last answer when a question fails, or when none comes for long", () => {
    expect(freshnessOf({ ...heard, isFailing: true })).toEqual({ kind: "stale", since: 99_000 });
    const now = 99_000 + STALE_AFTER_MS + 1;
    expect(freshnessOf({ ...heard, now, streamDownSince: 99_500 })).toEqual({ kind: "stale", since: 99_000 });
  });

  test("is believed longer while the stream is up, because a tab in the background does not ask", () => {
    const now = 99_000 + STREAM_SILENCE_MS;
    expect(freshnessOf({ ...heard, now })).toEqual({ kind: "live" });
    expect(freshnessOf({ ...heard, now: now + 1 })).toEqual({ kind: "stale", since: 99_000 });
  });

  test("is asked for when only the stream is down, and a short cut is not worth a word", () => {
    expect(freshnessOf({ ...heard, streamDownSince: 99_000 })).toEqual({ kind: "live" });
    expect(freshnessOf({ ...heard, streamDownSince: 90_000 })).toEqual({ kind: "polling", since: 90_000 });
  });
});

describe("what the control plane says", () => {
  const state = (word: ControlState["state"]): ControlState => ({
    state: word,
    heardAt: 90_000,
    because: "no heartbeat",
    factsLost: 0,
    factsWaiting: 0,
    residentBytes: 0,
    tracesLeftOut: 0,
    restarts: 0,
  });

  test("is stale since it was heard last while it is dead, hung or starting", () => {
    for (const word of ["dead", "hung", "starting"] as const) {
      expect(diagnosisOf(state(word), 99_000, 100_000)).toMatchObject({ kind: "stale", since: 90_000 });
    }
  });

  test("is stale, too, when it is said to run and its pulses do not come", () => {
    expect(diagnosisOf(state("running"), 99_000, 100_000)).toEqual({ kind: "running" });
    expect(diagnosisOf(state("running"), 99_000, 99_001 + PULSE_PATIENCE_MS)).toMatchObject({
      kind: "stale",
      since: 99_000,
    });
  });

  test("is missing on purpose when it is switched off", () => {
    expect(diagnosisOf(state("off"), null, 0)).toEqual({ kind: "off", because: "no heartbeat" });
    expect(diagnosisOf(null, null, 0)).toEqual({ kind: "unknown" });
  });
});
