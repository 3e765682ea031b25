import fc from "fast-check";
import { expect, test } from "vitest";
import { poolByRoll, shareOut } from "./spill.ts";

const room = (live: number, trusted = live): { live: number; trusted: number } => ({ live, trusted });

test("the first pool gets all while it has room for all", () => {
  expect(shareOut([room(1.4), room(1)], [0, 1])).toEqual([1, 0]);
});

test("what is missing goes to the next, and what that cannot take to the one after it", () => {
  expect(shareOut([room(0.5), room(0.3), room(1)], [0, 1, 2])).toEqual([0.5, 0.3, 0.2]);
});

test("what nobody has room for stays with the first pool that works, not with the neighbour", () => {
  expect(shareOut([room(0.2), room(0.3)], [0, 1])).toEqual([0.7, 0.3]);
  expect(shareOut([room(0), room(0.3)], [0, 1])).toEqual([0, 1]);
});

test("capacity that has just come back is used last, but before anybody is given too much", () => {
  expect(shareOut([room(1, 0), room(1)], [0, 1])).toEqual([0, 1]);
  expect(shareOut([room(1, 0.2), room(0.3)], [0, 1])[0]).toBeCloseTo(0.7);
});

test("with nothing live all goes to the first", () => {
  expect(shareOut([room(0), room(0)], [1, 0])).toEqual([0, 1]);
});

test("shares sum up to one, none is negative, and none but the first working pool gets more than it can take", () => {
  const part = fc.double({ min: 0, max: 2, noNaN: true });
  fc.assert(
    fc.property(fc.array(fc.tuple(part, part), { minLength: 1, maxLength: 5 }), fc.nat(), (pairs, which) => {
      const rooms = pairs.map(([live, part]) => room(live, Math.min(live, part)));
      const first = which % rooms.length;
      const order = [first, ...rooms.map((_, index) => index).filter((index) => index !== first)];
      const shares = shareOut(rooms, order);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1);
      const works = order.find((index) => rooms[index]!.live > 0) ?? first;
      shares.forEach((share, index) => {
        expect(share).toBeGreaterThanOrEqual(0);
        if (index !== works) expect(share).toBeLessThanOrEqual(rooms[index]!.live + 1e-9);
      });
    }),
  );
});

test("a roll falls on a pool with the probability of its share, and never on one without", () => {
  const shares = [0, 0.25, 0, 0.75];
  const counts = [0, 0, 0, 0];
  for (let roll = 0; roll < 1; roll += 0.001) counts[poolByRoll(shares, roll)]! += 1;
  expect(counts).toEqual([0, 250, 0, expect.closeTo(750, -1)]);
  expect(poolByRoll([0.5, 0.5 - 1e-12], 1 - 1e-13)).toBe(1);
});
