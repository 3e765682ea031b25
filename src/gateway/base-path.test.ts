import { describe, expect, it } from "vitest";
import { climbsAboveRoot } from "./base-path.ts";

describe("a path behind a base path", () => {
  it.each(["/", "/a/b", "/a/../b", "/a/b/../../c", "/..a/b", "/a/...", "/.", "/a/%2e%2e/b", "//", "/a//..", ""])(
    "%j stays inside",
    (path) => expect(climbsAboveRoot(path)).toBe(false),
  );

  it.each([
    "/..",
    "/../admin",
    "/a/../../admin",
    "/%2e%2e/admin",
    "/.%2E/admin",
    "/a/..%2f..%2fadmin",
    "/..;x=1/admin",
    "/a/..\\..\\admin",
    "/a/%5c../../admin",
    "//../admin",
  ])("%j leaves it", (path) => expect(climbsAboveRoot(path)).toBe(true));
});
