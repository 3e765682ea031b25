import { expect, it } from "vitest";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import { watchSocketFiles } from "./socket-files.ts";

it("a file of a socket that somebody removed is told once, and again when it was there in between", async () => {
  const time = manualSchedule();
  const told: string[] = [];
  let gone: readonly string[] = [];
  const stop = watchSocketFiles(
    time.schedule,
    () => Promise.resolve(gone),
    (code, detail) => told.push(`${code} ${detail}`),
  );
  const look = async (): Promise<number> => {
    time.advance(5_000);
    await Promise.resolve();
    return told.length;
  };
  expect(await look()).toBe(0);
  gone = ["unix:/tmp/a.sock"];
  expect(await look()).toBe(1);
  expect(told[0]).toMatch(/^listener.file-gone somebody removed unix:\/tmp\/a.sock.*SIGHUP/);
  expect(await look()).toBe(1);
  gone = [];
  await look();
  gone = ["unix:/tmp/a.sock"];
  expect(await look()).toBe(2);
  stop();
  expect(time.waiting()).toBe(0);
});
