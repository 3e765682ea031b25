import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { defaultStateDirectory, isFull, tryDirectory } from "./state-directory.ts";

const BIND = { name: "0.0.0.0:8080", port: 8080 };

describe("the place for state", () => {
  test.each([
    [{ STATE_DIRECTORY: "/var/lib/goodgate", HOME: "/home/a" }, "/var/lib/goodgate"],
    [{ STATE_DIRECTORY: "/var/lib/one:/var/lib/two" }, "/var/lib/one"],
    [{ XDG_STATE_HOME: "/state", HOME: "/home/a" }, "/state/goodgate/0.0.0.0:8080"],
    [{ XDG_STATE_HOME: "state", HOME: "/home/a" }, "/home/a/.local/state/goodgate/0.0.0.0:8080"],
    [{ HOME: "/home/a" }, "/home/a/.local/state/goodgate/0.0.0.0:8080"],
    [{ HOME: "" }, null],
    [{}, null],
  ])("of %j is %s", (env, directory) => {
    expect(defaultStateDirectory(env, BIND)).toBe(directory);
  });

  test("is none for a port that the system chooses, unless it is given", () => {
    const bind = { name: "127.0.0.1:0", port: 0 };
    expect(defaultStateDirectory({ HOME: "/home/a" }, bind)).toBe(null);
    expect(defaultStateDirectory({ HOME: "/home/a", STATE_DIRECTORY: "/var/lib/goodgate" }, bind)).toBe(
      "/var/lib/goodgate",
    );
  });
});

test("a directory that could be made is looked at without making it, and a file in its way is told", async () => {
  const folder = mkdtempSync(join(tmpdir(), "goodgate-state-"));
  expect(await tryDirectory(folder)).toBe(null);
  expect(await tryDirectory(join(folder, "a", "b"))).toBe(null);
  expect(existsSync(join(folder, "a"))).toBe(false);
  writeFileSync(join(folder, "file"), "");
  expect(await tryDirectory(join(folder, "file", "b"))).not.toBe(null);
  rmSync(folder, { recursive: true });
});

test.each([
  [{ blocks: 1000, bavail: 1000, bsize: 4096 }, false],
  [{ blocks: 1000, bavail: 3, bsize: 4096 }, true],
  [{ blocks: 1000, bavail: 0, bsize: 4096 }, true],
  [{ blocks: 0, bavail: 0, bsize: 4096 }, false],
])("a disk with %j is full: %s", (space, full) => {
  expect(isFull(space)).toBe(full);
});
