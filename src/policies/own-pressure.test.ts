import { expect, test } from "vitest";
import { createPressure, observePressure } from "./own-pressure.ts";
import type { PressureSample } from "./own-pressure.ts";

const OPTIONS = { memoryBytes: 0, loopDelayMs: 500, descriptorRatio: 1 };
const IDLE: PressureSample = { memoryBytes: 10, memoryMax: 100, descriptorsOpen: 10, descriptorsMax: 100, lateMs: 0 };

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
