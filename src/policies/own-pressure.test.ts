import { expect, test } from "vitest";
import { createPressure, observePressure } from "./own-pressure.ts";
import type { PressureSample } from "./own-pressure.ts";

const OPTIONS = { memoryBytes: 0, loopDelayMs: 500, descriptorRatio: 1, connectionsMax: 100 };
const IDLE: PressureSample = {
  memoryBytes: 10,
  memoryMax: 100,
  descriptorsOpen: 10,
  descriptorsMax: 100,
  connections: 0,
  lateMs: 0,
};

test("a loop that is late is a reason to turn requests away, and none to close clients that are idle", () => {
  const pressure = createPressure(0);
  for (let now = 250; now <= 5_000; now += 250) observePressure(OPTIONS, pressure, { ...IDLE, lateMs: 2_000 }, now);
  expect(pressure).toMatchObject({ level: 2, roomLevel: 0 });
});

test("descriptors that run out are a reason for both, and idle clients stay as soon as there is room again", () => {
  const pressure = createPressure(0);
  observePressure(OPTIONS, pressure, { ...IDLE, descriptorsOpen: 92 }, 250);
  expect(pressure).toMatchObject({ level: 2, roomLevel: 2 });
  observePressure(OPTIONS, pressure, IDLE, 500);
  expect(pressure).toMatchObject({ level: 2, roomLevel: 0 });
});

test("one pause, however long, is no reason for anything", () => {
  const pressure = createPressure(0);
  observePressure(OPTIONS, pressure, { ...IDLE, lateMs: 60_000 }, 60_250);
  expect(pressure).toMatchObject({ level: 0, roomLevel: 0 });
});

/** Warnings, with when they came, while something grows from 10 % to its limit within so many seconds. */
function warnings(overMs: number, grows: (share: number) => Partial<PressureSample>): { at: number; what: string }[] {
  const pressure = createPressure(0);
  const told: { at: number; what: string }[] = [];
  for (let at = 0; at <= overMs + 5_000; at += 250) {
    const share = Math.min(1, 0.1 + (0.9 * Math.max(0, at - 5_000)) / overMs);
    const { warning } = observePressure(OPTIONS, pressure, { ...IDLE, ...grows(share) }, at);
    if (warning !== "") told.push({ at, what: warning });
  }
  return told;
}

test.each([
  ["descriptors", 13, (share: number) => ({ descriptorsOpen: Math.round(share * 100) })],
  ["client connections", 13, (share: number) => ({ connections: Math.round(share * 100) })],
  ["memory", 30, (share: number) => ({ memoryBytes: Math.round(share * 100) })],
])("%s that run out within %i s are told ten seconds before, and once", (what, seconds, grows) => {
  for (const overS of [seconds, seconds * 2, seconds * 4]) {
    const told = warnings(overS * 1_000, grows);
    expect(told).toHaveLength(1);
    expect(told[0]?.what).toContain(what);
    expect(told[0]?.what).toMatch(/; at this rate the limit is met in \d+(\.\d)? s$/);
    expect(5_000 + overS * 1_000 - (told[0]?.at ?? Infinity)).toBeGreaterThanOrEqual(10_000);
  }
});

test("a second thing that runs out is told although the first one was told just before", () => {
  const told = warnings(40_000, (share) => ({
    descriptorsOpen: Math.round(share * 100),
    memoryBytes: Math.round(share * 100),
  }));
  expect(told.map(({ what }) => what.split(" in use")[0]?.replace(/^.*of \S+ (bytes )?/, ""))).toEqual([
    "file descriptors",
    "memory",
  ]);
});

test("what stays as it is, falls, or rushes to a third and stays there is no reason for a warning", () => {
  const pressure = createPressure(0);
  for (let at = 0; at <= 60_000; at += 250) {
    const sample = { ...IDLE, connections: 95, descriptorsOpen: at < 1_000 ? 10 : 30, memoryBytes: 70 - at / 2_000 };
    expect(observePressure(OPTIONS, pressure, sample, at)).toEqual({ changed: false, warning: "" });
  }
});
