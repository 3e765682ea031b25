import { describe, expect, test } from "vitest";
import { addLatency, bucketOf, createLatencyWindow } from "./latency-window.ts";
import type { LatencyWindow } from "./latency-window.ts";
import { lookForPins } from "./pinning.ts";
import type { PinMember, PinSign } from "./pinning.ts";

interface Wait {
  turnMs: number;
  sentMs: number;
  nth: number;
  newer: Wait | null;
}

const NOW = 10_000;

/** The whole pool answers within 10 ms, usually. */
function usual(answers = 100): LatencyWindow {
  const window = createLatencyWindow(10_000);
  for (let count = 0; count < answers; count += 1) addLatency(window, bucketOf(10), NOW);
  return window;
}

/** Waits since 9,000, and nothing was heard there since; two that came later were answered elsewhere. */
function quiet(change: Partial<PinMember<Wait>> = {}): PinMember<Wait> {
  const oldest: Wait = { turnMs: 9_000, sentMs: 9_000, nth: 7, newer: null };
  const figures = { connectedAt: 9_100, checkedAt: 8_000, checkFailedAt: -1, attemptsSoFar: 9, outrun: 2 };
  return { waits: { oldest }, heardAt: 8_990, ...figures, ...change };
}

function speaks(): PinMember<Wait> {
  return quiet({ waits: { oldest: null }, heardAt: NOW - 20, outrun: 0 });
}

function signs(
  members: readonly PinMember<Wait>[],
  { latencies = usual(), stallEndedAt = 0 }: { latencies?: LatencyWindow; stallEndedAt?: number } = {},
): PinSign[] {
  return lookForPins(members, latencies, stallEndedAt, NOW).map(({ sign }) => sign);
}

describe("a request under which its origin falls silent", () => {
  test("pins it when what came after it was answered elsewhere at once", () => {
    const [found] = lookForPins([speaks(), quiet()], usual(), 0, NOW);
    expect(found).toMatchObject({ member: 1, sign: "pins", wait: { nth: 7 } });
  });

  test("pins it when what came after it waits and a check failed as well", () => {
    expect(signs([speaks(), quiet({ outrun: 0, checkFailedAt: 9_500, attemptsSoFar: 10 })])).toEqual(["pins"]);
    expect(signs([speaks(), quiet({ outrun: 0, checkFailedAt: 9_500, attemptsSoFar: 9 })])).toEqual(["unknown"]);
    expect(signs([speaks(), quiet({ outrun: 0, checkFailedAt: 8_500, attemptsSoFar: 10 })])).toEqual(["unknown"]);
  });

  test("is the oldest there: the others wait for it, and none of them is accused", () => {
    const second: Wait = { turnMs: 9_050, sentMs: 9_050, nth: 8, newer: null };
    const first: Wait = { turnMs: 9_000, sentMs: 9_000, nth: 7, newer: second };
    expect(signs([speaks(), quiet({ waits: { oldest: first } })])).toEqual(["pins", "unknown"]);
  });

  test("proves nothing while the pool says nothing either, whatever the reason", () => {
    expect(signs([quiet(), quiet()])).toEqual(["unknown", "unknown"]);
  });

  test("proves nothing where no connection is accepted: that is a machine or a network that is gone", () => {
    expect(signs([speaks(), quiet({ connectedAt: 8_900 })])).toEqual(["unknown"]);
  });

  test("proves nothing before it has been sent, or right after this process stood still itself", () => {
    const oldest: Wait = { turnMs: 9_000, sentMs: -1, nth: 7, newer: null };
    expect(signs([speaks(), quiet({ waits: { oldest } })])).toEqual(["unknown"]);
    expect(signs([speaks(), quiet()], { stallEndedAt: 9_900 })).toEqual([]);
  });

  test("proves nothing where too little is known of what is usual", () => {
    expect(signs([speaks(), quiet()], { latencies: usual(5) })).toEqual([]);
  });
});

describe("a page that takes its time", () => {
  test("is told by an answer to anybody else", () => {
    expect(signs([speaks(), quiet({ heardAt: 9_200 })])).toEqual(["answered beside"]);
  });

  test("is not told by what was under way when it came", () => {
    expect(signs([speaks(), quiet({ heardAt: 9_020 })])).toEqual(["pins"]);
  });

  test("is told by a check where nobody else is there, and not where others wait in vain", () => {
    expect(signs([speaks(), quiet({ outrun: 0, checkedAt: 9_500 })])).toEqual(["checked beside"]);
    expect(signs([speaks(), quiet({ checkedAt: 9_500 })])).toEqual(["pins"]);
  });
});
