import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readDashboard } from "./dashboard-files.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "goodgate-dashboard-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function write(name: string, text: string, isCompressed = true): void {
  writeFileSync(join(directory, name), text);
  if (isCompressed) writeFileSync(join(directory, `${name}.gz`), `gz ${text}`);
}

test("each file is there by its path, with its type and both forms", async () => {
  mkdirSync(join(directory, "assets"));
  write("index.html", "<html>");
  write("assets/a-1.js", "run()");
  const files = await readDashboard(directory);
  expect([...(files?.keys() ?? [])].toSorted()).toEqual(["/assets/a-1.js", "/index.html"]);
  const script = files?.get("/assets/a-1.js");
  expect(script?.type).toMatch(/^text\/javascript/);
  expect([String(script?.raw), String(script?.gzip)]).toEqual(["run()", "gz run()"]);
  expect(script?.etag).toMatch(/^"[\w-]{22}"$/);
  expect(script?.etag).not.toBe(files?.get("/index.html")?.etag);
});

test("a dashboard that was not built, or only half, is none", async () => {
  expect(await readDashboard(join(directory, "nowhere"))).toBeNull();
  expect(await readDashboard(directory)).toBeNull();
  write("index.html", "<html>", false);
  expect(await readDashboard(directory)).toBeNull();
});
