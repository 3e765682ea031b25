import { describe, expect, test } from "vitest";
import {
  beginTrial,
  breakerFailed,
  breakerSucceeded,
  breakerUnproven,
  createRouteBreakers,
  isCalm,
  isOpen,
  isTrialDue,
} from "./breaker.ts";
import type { Blame, BreakerOptions, RouteBreakers } from "./breaker.ts";

const options: BreakerOptions = {
  consecutiveFailures: 5,
  successRatioMin: 0.8,
  requestsMin: 20,
  windowMs: 10_000,
  returnAfterMs: 1_000,
  returnAfterMaxMs: 60_000,
};
const A = 0;
const B = 1;

/** Addresses whose routes A and B get a request every 10 ms each, at every address; `fails` says which fail. */
function run(
  peers: RouteBreakers[],
  fails: (address: number, route: number, turn: number) => boolean,
  turns: number,
  from = 0,
): Blame[][] {
  const blames: Blame[][] = peers.map(() => []);
  for (let turn = 0; turn < turns; turn += 1) {
    const now = from + turn * 10;
    for (const [address, breakers] of peers.entries()) {
      for (const route of [A, B]) {
        if (isOpen(breakers, route)) continue;
        if (!fails(address, route, turn)) {
          breakerSucceeded(breakers, route, now);
          continue;
        }
        const others = peers.filter((peer) => peer !== breakers);
        blames[address]?.push(breakerFailed(options, breakers, route, others, 0, now).blame);
      }
    }
  }
  return blames;
}

function three(): RouteBreakers[] {
  return [1, 2, 3].map(() => createRouteBreakers(options, 2, { succeeded: 0, failed: 0 }, 0));
}

test("origins that are spared together are not tried together", () => {
  const until = [0, 0.5, 0.99].map((roll) => {
    const peers = three();
    run(peers, (address, route) => address === 0 && route === B, 4);
    const [own, ...others] = peers;
    if (own === undefined) throw new Error("three addresses");
    for (let now = 40; !isOpen(own, B); now += 10) breakerFailed(options, own, B, others, roll, now);
    let due = 40;
    while (!isTrialDue(own, B, due)) due += 1;
    return due;
  });
  expect(until[1]).toBeLessThan((until[0] ?? 0) - 100);
  expect(until[2]).toBeLessThan((until[1] ?? 0) - 100);
});

describe("whose fault a failure is", () => {
  test("one route fails at one origin alone: it is kept from it, and the origin keeps the rest", () => {
    const peers = three();
    const [blames] = run(peers, (address, route) => address === 0 && route === B, 40);
    expect(isOpen(peers[0]!, B)).toBe(true);
    expect(isOpen(peers[0]!, A)).toBe(false);
    // The first few are no pattern yet; they are fewer than it takes to eject the origin.
    expect(blames).toEqual(["origin", "origin", "route", "route", "route"]);
  });

  test("also when it fails now and then only", () => {
    const peers = three();
    run(peers, (address, route, turn) => address === 0 && route === B && turn % 2 === 0, 100);
    expect(isOpen(peers[0]!, B)).toBe(true);
  });

  test("an origin that dies is its own fault, whatever it did before", () => {
    const peers = three();
    const [blames = []] = run(peers, (address, _, turn) => address === 0 && turn >= 100, 110);
    expect(blames.filter((blame) => blame === "origin").length).toBeGreaterThanOrEqual(5);
    expect(isOpen(peers[0]!, A) || isOpen(peers[0]!, B)).toBe(false);
  });

  test("a route that fails alike everywhere is the application's: nothing opens, and nobody is blamed", () => {
    const peers = three();
    const blames = run(peers, (_, route) => route === B, 100);
    expect(peers.some((peer) => isOpen(peer, B))).toBe(false);
    for (const list of blames) expect(list.slice(5).filter((blame) => blame === "origin")).toEqual([]);
  });

  test("when the last origin begins to fail on it too, all are used again", () => {
    const peers = three();
    run(peers, (address, route) => address < 2 && route === B, 40);
    run(peers, (_, route) => route === B, 100, 400);
    expect(peers.some((peer) => isOpen(peer, B))).toBe(false);
  });

  test("with no other origin to send it to nothing opens", () => {
    const [only] = three();
    run([only!], (_, route) => route === B, 100);
    expect(isOpen(only!, B)).toBe(false);
  });
});

describe("the way back", () => {
  function opened(): RouteBreakers[] {
    const peers = three();
    run(peers, (address, route) => address === 0 && route === B, 10);
    return peers;
  }

  test("is one request after the pause, and its success closes", () => {
    const [breakers] = opened();
    expect(isTrialDue(breakers!, B, 500)).toBe(false);
    expect(isTrialDue(breakers!, B, 1_100)).toBe(true);
    beginTrial(breakers!, B, 1_100);
    expect(isTrialDue(breakers!, B, 1_101)).toBe(false);
    expect(breakerSucceeded(breakers!, B, 1_150)).toBe(true);
    expect(isOpen(breakers!, B)).toBe(false);
  });

  test("is longer each time it fails", () => {
    const peers = opened();
    const [breakers, ...others] = peers;
    beginTrial(breakers!, B, 1_100);
    expect(breakerFailed(options, breakers!, B, others, 0, 1_150).change).toMatchObject({ code: "breaker.stays-open" });
    expect(isTrialDue(breakers!, B, 3_000)).toBe(false);
    expect(isTrialDue(breakers!, B, 3_200)).toBe(true);
  });

  test("is free for another when a trial proved nothing or never ended", () => {
    const [breakers] = opened();
    beginTrial(breakers!, B, 1_100);
    breakerUnproven(breakers!, B, 1_200);
    expect(isTrialDue(breakers!, B, 1_200)).toBe(true);
    beginTrial(breakers!, B, 1_200);
    expect(isTrialDue(breakers!, B, 32_000)).toBe(true);
  });

  test("ends in nothing being remembered, after a calm spell", () => {
    const [breakers] = opened();
    expect(isCalm(options, breakers!, 100_000)).toBe(false);
    expect(isCalm(options, breakers!, 121_000)).toBe(true);
  });
});
