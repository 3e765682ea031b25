import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalText, plainSlashes, readingsOf } from "./path-text.ts";

/** Pieces that readers of paths disagree about, and a few that they do not. */
const paths = fc
  .array(
    fc.constantFrom(
      "/",
      "//",
      "a",
      "b",
      ".",
      "..",
      "...",
      "%2e",
      "%2E",
      "%2f",
      "%2F",
      "%5c",
      "%5C",
      "\\",
      ";",
      ";v=1",
      "%3b",
      "%25",
      "%252f",
      "%",
      "%4",
      "%zz",
      "%41",
      "%c3%a9",
      "é",
      "~",
      "%7E",
      "@",
      "%40",
      " ",
      "?",
      "#",
      "\0",
    ),
    { maxLength: 12 },
  )
  .map((parts) => `/${parts.join("")}`);

describe("the readings of a path", () => {
  test.each([
    ["/", ["/"]],
    ["", ["/"]],
    ["/a/b", ["/a/b"]],
    ["/a/./b", ["/a/b"]],
    ["/a/../b", ["/b"]],
    ["/../../b", ["/b"]],
    ["/a/b/..", ["/a/"]],
    ["/a/.", ["/a/"]],
    ["/a/%2e%2E/b", ["/b"]],
    ["/a/.%2e/b", ["/b"]],
    ["/.well-known/x", ["/.well-known/x"]],
    ["/a/.../b", ["/a/.../b"]],
    ["/%7Euser/%c3%a9", ["/~user/%C3%A9"]],
    ["/%40scope", ["/@scope"]],
    ["/a%20b", ["/a%20b"]],
    ["/a b", ["/a%20b"]],
    ["/a?x=/../b", ["/a"]],
    ["*", ["*"]],
    ["/a%252fb", ["/a%252fb"]],
    ["/a%zz%4", ["/a%25zz%254"]],
    ["/a%2%46b", ["/a%252Fb"]],
    ["/a//b", ["/a//b", "/a/b"]],
    ["/a%2fb", ["/a%2Fb", "/a/b"]],
    ["/a\\b", ["/a%5Cb", "/a/b"]],
    ["/a;v=1/b", ["/a;v=1/b", "/a/b"]],
    ["/public/..;/admin", ["/public/..;/admin", "/admin"]],
    ["/public/%2e%2e%2fadmin", ["/public/..%2Fadmin", "/admin"]],
    ["/public//../admin", ["/public/admin", "/admin"]],
    ["/public\\..\\admin", ["/public%5C..%5Cadmin", "/admin"]],
    ["/a;x%2Fb", ["/a;x%2Fb", "/a;x/b", "/a", "/a/b"]],
  ])("%s is read as %j", (path, readings) => {
    expect(readingsOf(path)).toEqual(readings);
  });

  test("a doubtful path that is long or has every kind of doubt is not read at all", () => {
    expect(readingsOf(`/${"a".repeat(3000)}%2F`)).toBe(null);
    expect(readingsOf("/a%2Fb%5Cc;d")).toBe(null);
    expect(readingsOf(`/${"a".repeat(3000)}/../b`)).toEqual(["/b"]);
  });

  test("there are never more than twelve, and the first is the RFC's", () => {
    fc.assert(
      fc.property(paths, (path) => {
        const readings = readingsOf(path);
        expect(readings === null || (readings.length >= 1 && readings.length <= 12)).toBe(true);
        // A URL parser does the same for dot segments, but it changes backslashes and leaves spellings alone.
        if (readings === null || /\\|%5c/i.test(path)) return;
        const url = new URL(`http://h${canonicalText(path.replace(/[?#].*$/s, ""))}`);
        expect(readings[0]).toBe(canonicalText(url.pathname));
      }),
    );
  });

  test("no reading has a segment that is a dot or two", () => {
    fc.assert(
      fc.property(paths, (path) => {
        for (const reading of readingsOf(path) ?? []) expect(reading).not.toMatch(/\/\.{1,2}(\/|$)/);
      }),
    );
  });
});

describe("a plain path", () => {
  test.each([
    ["/", 1],
    ["/a/b/c", 3],
    ["/.well-known/acme", 2],
    ["/...", 1],
    ["/..a/.b", 2],
    ["/a%20b/%E6%97%A5", 2],
    ["/a%25", 1],
    ["*", 0],
  ])("%s has %d slashes", (path, slashes) => {
    expect(plainSlashes(path)).toBe(slashes);
  });

  test.each([
    "",
    "//",
    "/a//",
    "/.",
    "/..",
    "/a/./b",
    "/a/../b",
    "/%2e",
    "/%2E",
    "/a%2Fb",
    "/a%5Cb",
    "/a\\b",
    "/a;b",
    "/a?b",
    "/a#b",
    "/a b",
    "/é",
    "/日",
    "/%e6",
    "/%41",
    "/%",
    "/%2",
    "/%G0",
    "/a|b",
  ])("%j needs a closer look", (path) => {
    expect(plainSlashes(path)).toBe(-1);
  });

  test("has one reading, which is its own text", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          paths,
          fc.string().map((text) => `/${text}`),
        ),
        (path) => {
          const slashes = plainSlashes(path);
          if (slashes < 0) return;
          expect(readingsOf(path)).toEqual([path]);
          expect(slashes).toBe(path.split("/").length - 1);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

test("canonical text does not change when it is made canonical again", () => {
  fc.assert(
    fc.property(paths, (path) => {
      const once = canonicalText(path);
      expect(canonicalText(once)).toBe(once);
    }),
  );
});
