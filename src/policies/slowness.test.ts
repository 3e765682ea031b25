import { expect, test } from "vitest";
import { addLatency, bucketOf, createLatencyWindow, NO_BUCKET } from "./latency-window.ts";
import { clearSlow, countSlow, createSlow, isProven, LASTING_MS, lookAtPeers, slownessInWords } from "./slowness.ts";
import type { SlowOptions, SlowState } from "./slowness.ts";

const options: SlowOptions = { factor: 4, extraMs: 100, shareMin: 0.2, peersMin: 20 };

/** An origin whose peers answered `usual` times in 10 ms and `slow` times in 3 s. */
function besides(
  usual: number,
  slow = 0,
): { state: SlowState; tell: (ms: number) => boolean; peers: (ms: number) => void; proven: (now: number) => boolean } {
  const [pool, own, state] = [createLatencyWindow(10_000), createLatencyWindow(10_000), createSlow()];
  const peers = (ms: number): void => addLatency(pool, bucketOf(ms), 0);
  for (let time = 0; time < usual; time += 1) peers(10);
  for (let time = 0; time < slow; time += 1) peers(3_000);
  lookAtPeers(options, state, pool, own, 0);
  let now = 0;
  const tell = (ms: number): boolean => {
    now += LASTING_MS;
    for (const window of [pool, own]) addLatency(window, bucketOf(ms), 0);
    return countSlow(options, state, bucketOf(ms), pool, own, now);
  };
  const proven = (at: number): boolean => isProven(options, state, pool, own, at);
  return { state, tell, peers, proven };
}

/** How many requests it takes, the n-th of them slow for each n in `every`; -1: a thousand were not enough. */
function requestsUntilAccused({ tell }: ReturnType<typeof besides>, isSlow: (time: number) => boolean): number {
  for (let time = 1; time <= 1_000; time += 1) if (tell(isSlow(time) ? 3_000 : 10)) return time;
  return -1;
}

test("three slow requests in a row are proof where the peers have none, two are not", () => {
  expect(requestsUntilAccused(besides(1_000), () => true)).toBe(3);
});

test("every fifth request is seen within four slow ones", () => {
  const world = besides(1_000);
  expect(requestsUntilAccused(world, (time) => time % 5 === 0)).toBeLessThanOrEqual(20);
  const { state } = world;
  expect(slownessInWords(state)).toMatch(
    /^\d of its last \d+ requests took longer than 1\d\d ms, and 0 of 1000 at its peers$/,
  );
});

test("one in a hundred is nobody's fault", () => {
  expect(requestsUntilAccused(besides(1_000), (time) => time % 100 === 0)).toBe(-1);
});

test("where a tenth of the peers' requests is slow too, a tenth accuses nobody and a half does", () => {
  expect(requestsUntilAccused(besides(900, 100), (time) => time % 10 === 0)).toBe(-1);
  expect(requestsUntilAccused(besides(900, 100), (time) => time % 2 === 0)).toBeGreaterThan(0);
});

test("the good requests from before do not outvote the slow ones", () => {
  const world = besides(1_000);
  requestsUntilAccused(world, () => false);
  expect(requestsUntilAccused(world, () => true)).toBe(3);
});

test("too little traffic at the peers is nothing to compare with", () => {
  const world = besides(19);
  expect(world.state.above).toBe(NO_BUCKET);
  expect(requestsUntilAccused(world, () => true)).toBe(-1);
});

test("a multiple of very little is not slow", () => {
  const { state, tell } = besides(1_000);
  expect(tell(90)).toBe(false);
  expect(state.sum).toBe(0);
});

test("a cluster of slow ones that comes to all alike accuses nobody", () => {
  const { tell, peers } = besides(1_000);
  for (let time = 0; time < 50; time += 1) {
    expect(tell(3_000)).toBe(false);
    peers(3_000);
    peers(3_000);
  }
});

test("what was held against it is forgotten when it is told so, and can be outweighed within bounds", () => {
  const world = besides(1_000);
  const { state, tell } = world;
  for (let time = 0; time < 100_000; time += 1) tell(3_000);
  let needed = 0;
  while (state.sum > 0 && needed < 1_000) {
    tell(10);
    needed += 1;
  }
  expect(needed).toBeLessThan(200);
  tell(3_000);
  clearSlow(state);
  expect(requestsUntilAccused(world, () => true)).toBe(3);
});

test("a pause makes many requests slow and is no proof until it has lasted", () => {
  const { state, tell, proven } = besides(1_000);
  for (let time = 0; time < 100; time += 1) tell(3_000);
  expect(proven(state.since + LASTING_MS - 1)).toBe(false);
  expect(proven(state.since + LASTING_MS)).toBe(true);
});
