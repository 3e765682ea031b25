import { execFileSync } from "node:child_process";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import type { ManualSchedule } from "../../test/support/manual-schedule.ts";
import { watchFile } from "./watched-file.ts";
import type { WatchedFile } from "./watched-file.ts";

let directory: string;
let file: string;
let time: ManualSchedule;
let watched: WatchedFile | null = null;
let texts: string[];

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "goodgate-watch-"));
  file = path.join(directory, "hosts");
  time = manualSchedule();
  texts = [];
});
afterEach(() => {
  watched?.close();
  watched = null;
  rmSync(directory, { recursive: true });
});

function watch(): void {
  watched = watchFile(file, time.schedule, (text) => texts.push(text));
}

/** One look at the file, with all that comes of it. */
async function look(): Promise<void> {
  time.advance(5_000);
  while (time.waiting() === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(time.waiting()).toBe(1);
}

test("the text is there before watching returns, and comes again only when it has changed", async () => {
  writeFileSync(file, "one");
  watch();
  expect(texts).toEqual(["one"]);
  await look();
  await look();
  expect(texts).toEqual(["one"]);
  writeFileSync(file, "another");
  await look();
  await look();
  expect(texts).toEqual(["one", "another"]);
});

test("a file that is replaced by renaming is a changed file, though time and size are the same", async () => {
  writeFileSync(file, "one");
  watch();
  writeFileSync(`${file}.new`, "two");
  renameSync(`${file}.new`, file);
  await look();
  expect(texts).toEqual(["one", "two"]);
});

test("a file that is gone leaves what was read, and is read when it comes back", async () => {
  writeFileSync(file, "one");
  watch();
  rmSync(file);
  await look();
  expect(texts).toEqual(["one"]);
  writeFileSync(file, "three");
  await look();
  expect(texts).toEqual(["one", "three"]);
});

test("a file that was never there is empty until it comes", async () => {
  watch();
  expect(texts).toEqual([""]);
  writeFileSync(file, "late");
  await look();
  expect(texts).toEqual(["", "late"]);
});

test("only the first MiB is read", () => {
  writeFileSync(file, "x".repeat(3 * 1024 * 1024));
  watch();
  expect(texts[0]).toHaveLength(1024 * 1024);
});

test("after closing nothing is asked any more, though a look was under way", async () => {
  writeFileSync(file, "one");
  watch();
  writeFileSync(file, "two!");
  time.advance(5_000);
  watched?.close();
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  expect(time.waiting()).toBe(0);
  expect(texts).toEqual(["one"]);
});

test("a pipe in its place is not opened: what was read stays", async () => {
  writeFileSync(file, "one");
  watch();
  rmSync(file);
  // Nobody writes into it.
  execFileSync("mkfifo", [file]);
  await look();
  rmSync(file);
  writeFileSync(file, "three");
  await look();
  expect(texts).toEqual(["one", "three"]);
});
