import { expect, test } from "vitest";
import { systemClock, systemSchedule } from "./clock.ts";

test("the monotonic clock never goes backwards", () => {
  let last = systemClock.monotonic();
  for (let count = 0; count < 10_000; count += 1) {
    const now = systemClock.monotonic();
    expect(now).toBeGreaterThanOrEqual(last);
    last = now;
  }
});

test("a scheduled call comes once, later and not before its time", async () => {
  const startedAt = systemClock.monotonic();
  let inside = true;
  const waited = await new Promise<number>((resolve) => {
    systemSchedule(5, () => {
      expect(inside).toBe(false);
      resolve(systemClock.monotonic() - startedAt);
    });
    inside = false;
  });
  // Node rounds timers to whole ms of its own loop time, so a fraction of one may be missing.
  expect(waited).toBeGreaterThanOrEqual(4);
});

test("a cancelled call never comes", async () => {
  const heard: string[] = [];
  const cancel = systemSchedule(1, () => heard.push("cancelled"));
  cancel();
  await new Promise<void>((resolve) => {
    systemSchedule(2, () => {
      heard.push("kept");
      resolve();
    });
  });
  expect(heard).toEqual(["kept"]);
});
