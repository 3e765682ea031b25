/** The published package, installed into an empty folder and run there: what a user of `npm i -g goodgate` has. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePackage } from "../../tools/package.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "goodgate-package-"));
  execFileSync("tar", ["-xzf", await makePackage(), "-C", folder]);
  // Its dependencies as this checkout has them: the test is about the package and not about a registry.
  symlinkSync(join(ROOT, "node_modules"), join(folder, "package", "node_modules"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("brings no Node, no scripts and no development tools along", () => {
  const manifest = JSON.parse(readFileSync(join(folder, "package", "package.json"), "utf8")) as Record<string, unknown>;
  expect(Object.keys(manifest).sort()).toEqual(
    ["bin", "dependencies", "description", "engines", "license", "name", "type", "version"].sort(),
  );
});

test("runs from its build", () => {
  const checked = execFileSync(
    process.execPath,
    [join(folder, "package", "bin", "goodgate.js"), "explain", "origin.refused", "--json"],
    { encoding: "utf8" },
  );
  expect(JSON.parse(checked)).toMatchObject({ id: "origin.refused" });
});
