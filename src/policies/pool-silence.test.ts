import { describe, expect, test } from "vitest";
import { addLatency, bucketOf, createLatencyWindow } from "./latency-window.ts";
import type { LatencyWindow } from "./latency-window.ts";
import { asksSilent, createSilence, observeSilence } from "./pool-silence.ts";
import type { SilenceMember, SilenceState, SilenceWait } from "./pool-silence.ts";

const CUT = 20_000;

/** A pool that answered in `usualMs` until `CUT`. */
function pool(usualMs: number): LatencyWindow {
  const window = createLatencyWindow(20_000);
  for (let i = 0; i < 100; i += 1) addLatency(window, bucketOf(usualMs), CUT - 100);
  return window;
}

function member(heardAt: number, ...waits: number[]): SilenceMember {
  const oldest = waits.reduceRight<SilenceWait | null>((newer, turnMs) => ({ turnMs, newer }), null);
  return { heardAt, waits: { oldest } };
}

function silentAt(now: number, members: SilenceMember[], latencies = pool(20), stallEndedAt = 0): boolean {
  return observeSilence(createSilence(), members, latencies, stallEndedAt, now);
}

const CUT_OFF = [member(CUT, CUT + 10, CUT + 30), member(CUT - 5, CUT + 20)];

describe("A pool is silent", () => {
  test("when requests wait at several addresses and nobody says anything for longer than answers take", () => {
    expect(silentAt(CUT + 399, CUT_OFF)).toBe(false);
    expect(silentAt(CUT + 500, CUT_OFF)).toBe(true);
  });

  test("later where answers usually take longer", () => {
    expect(silentAt(CUT + 1_500, CUT_OFF, pool(300))).toBe(false);
    expect(silentAt(CUT + 4_000, CUT_OFF, pool(300))).toBe(true);
  });

  test("also when it has one address only, at which all wait", () => {
    expect(silentAt(CUT + 500, [member(CUT, CUT, CUT + 1, CUT + 2)])).toBe(true);
  });
});

describe("A pool is not silent", () => {
  test("when one address alone says nothing", () => {
    expect(silentAt(CUT + 500, [member(CUT, CUT, CUT + 1, CUT + 2), member(CUT)])).toBe(false);
    expect(silentAt(CUT + 500, [member(CUT, CUT, CUT + 1, CUT + 2), member(CUT + 300, CUT)])).toBe(false);
  });

  test("when few wait, or nobody", () => {
    expect(silentAt(CUT + 500, [member(CUT, CUT), member(CUT, CUT)])).toBe(false);
    expect(silentAt(CUT + 500, [member(CUT), member(CUT)])).toBe(false);
  });

  test("when this process itself stood still meanwhile", () => {
    expect(silentAt(CUT + 500, CUT_OFF, pool(20), CUT + 450)).toBe(false);
  });

  test("before anything is known of it", () => {
    expect(silentAt(CUT + 500, CUT_OFF, createLatencyWindow(20_000))).toBe(false);
    expect(silentAt(CUT + 500, [member(-1, CUT, CUT), member(-1, CUT)])).toBe(false);
  });
});

describe("While it is silent", () => {
  function silent(): SilenceState {
    const state = createSilence();
    observeSilence(state, CUT_OFF, pool(20), 0, CUT + 500);
    return state;
  }

  test("one request now and then asks it", () => {
    const state = silent();
    const asked = [500, 700, 760, 800, 1_000, 1_020].filter((ms) => asksSilent(state, CUT + ms));
    expect(asked).toEqual([760, 1_020]);
  });

  test("the first answer of any address ends it", () => {
    const state = silent();
    expect(observeSilence(state, CUT_OFF, pool(20), 0, CUT + 600)).toBe(true);
    expect(observeSilence(state, [member(CUT), member(CUT + 601)], pool(20), 0, CUT + 602)).toBe(false);
  });

  test("and so does that nobody has asked for seconds", () => {
    const state = silent();
    expect(observeSilence(state, CUT_OFF, pool(20), 0, CUT + 7_000)).toBe(false);
  });
});
