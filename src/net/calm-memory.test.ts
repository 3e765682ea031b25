import { expect, test } from "vitest";
import { giveBackWhenCalm } from "./calm-memory.ts";

const MIB = 1024 * 1024;

function calmProcess(): {
  /** So many looks, in each of which it works so long. */
  look(times: number, workMs: number): void;
  grow(bytes: number): void;
  collected(): number;
  stop: () => void;
} {
  let worked = 0;
  let heap = 60 * MIB;
  let collected = 0;
  let look: (() => void) | null = null;
  const stop = giveBackWhenCalm({
    every(_ms, run) {
      look = run;
      return () => {
        look = null;
      };
    },
    workedMs: () => worked,
    heapBytes: () => heap,
    collect() {
      collected += 1;
      heap = 34 * MIB;
      worked += 400;
    },
  });
  return {
    look(times, workMs) {
      for (let count = 0; count < times; count += 1) {
        worked += workMs;
        look?.();
      }
    },
    grow: (bytes) => (heap += bytes),
    collected: () => collected,
    stop,
  };
}

test("memory is given back after a minute of calm, and not again until there was a rush", () => {
  const life = calmProcess();
  life.look(3, 100);
  expect(life.collected()).toBe(0);
  life.look(1, 100);
  expect(life.collected()).toBe(1);
  life.look(40, 100);
  expect(life.collected()).toBe(1);
  life.grow(100 * MIB);
  life.look(20, 9_000);
  expect(life.collected()).toBe(1);
  life.look(4, 100);
  expect(life.collected()).toBe(2);
});

test("a process that is at work is not stopped, however much it holds", () => {
  const life = calmProcess();
  life.grow(500 * MIB);
  for (let round = 0; round < 20; round += 1) {
    life.look(3, 200);
    life.look(1, 451);
  }
  expect(life.collected()).toBe(0);
});

test("a little is not worth stopping for", () => {
  const life = calmProcess();
  life.look(4, 0);
  expect(life.collected()).toBe(1);
  life.grow(23 * MIB);
  life.look(20, 0);
  expect(life.collected()).toBe(1);
  life.grow(2 * MIB);
  life.look(4, 0);
  expect(life.collected()).toBe(2);
});

test("what was ended looks no more", () => {
  const life = calmProcess();
  life.stop();
  life.look(10, 0);
  expect(life.collected()).toBe(0);
});
