import { describe, expect, test } from "vitest";
import { fitsPattern, parsePathPattern, patternShape } from "./path-pattern.ts";
import type { PathPattern } from "./path-pattern.ts";

function pattern(text: string): PathPattern {
  const parsed = parsePathPattern(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

describe("a path of a route", () => {
  test.each([
    ["/", "exact", "/"],
    ["/a/b", "exact", "/a/b"],
    ["/a/", "exact", "/a/"],
    ["/*", "everything", "/*"],
    ["/a/*", "prefix", "/a/*"],
    ["/users/{id}/posts", "template", "/users/{id}/posts"],
    ["/{a}", "template", "/{a}"],
    ["/%7euser/%c3%a9", "exact", "/~user/%C3%A9"],
    ["/café/*", "prefix", "/caf%C3%A9/*"],
    ["/%40scope/{name}", "template", "/@scope/{name}"],
    ["/.well-known/...", "exact", "/.well-known/..."],
    ["/a|b", "exact", "/a%7Cb"],
  ])("%s is %s, written %s", (text, kind, canonical) => {
    expect(pattern(text)).toMatchObject({ kind, text: canonical });
  });

  test.each([
    ["/a/*", "/a", true],
    ["/a/*", "/a/", true],
    ["/a/*", "/a/b/c", true],
    ["/a/*", "/ab", false],
    ["/a/*", "/", false],
    ["/a", "/a/", false],
    ["/users/{id}", "/users/7", true],
    ["/users/{id}", "/users/", false],
    ["/users/{id}", "/users/7/", false],
    ["/users/{id}", "/users/7/x", false],
    ["/users/{id}/", "/users/7/", true],
    ["/{a}/b/{c}", "/x/b/y", true],
    ["/{a}/b/{c}", "/x/bb/y", false],
    ["/{a}/b/{c}", "x/b/y", false],
    ["/*", "*", true],
  ])("%s and %s: %s", (text, path, fits) => {
    expect(fitsPattern(pattern(text), path)).toBe(fits);
  });

  test("names of parameters do not make a difference", () => {
    expect(patternShape(pattern("/users/{id}"))).toBe(patternShape(pattern("/users/{name}")));
    expect(patternShape(pattern("/users/{id}"))).not.toBe(patternShape(pattern("/{users}/id")));
  });
});
