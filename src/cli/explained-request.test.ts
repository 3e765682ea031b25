import { describe, expect, test } from "vitest";
import { parseExplained, parseFields } from "./explained-request.ts";

describe("the request to explain", () => {
  test.each([
    [["GET", "https://Shop.Example.com/api/cart?x=1#top"], "GET", "shop.example.com", "/api/cart?x=1"],
    [["https://shop.example.com"], "GET", "shop.example.com", "/"],
    [["post", "http://shop.example.com:8080?x"], "POST", "shop.example.com", "/?x"],
    [["GET", "http://[::1]:8080/a"], "GET", "[::1]", "/a"],
    [["PURGE", "http://user:secret@a/b"], "PURGE", "a", "/b"],
  ])("%j", (words, method, host, path) => {
    expect(parseExplained(words)).toMatchObject({ ok: true, value: [{ method, host, path }] });
  });

  test("keeps dot segments and escapes as they are written, because routing them is the question", () => {
    const parsed = parseExplained(["GET", "http://a/x/%2e%2e/../admin%2Fy"]);
    expect(parsed).toMatchObject({ ok: true, value: [{ path: "/x/%2e%2e/../admin%2Fy" }] });
  });

  test("several URLs share the method", () => {
    expect(parseExplained(["PUT", "http://a/1", "http://a/2"])).toMatchObject({
      ok: true,
      value: [
        { method: "PUT", path: "/1" },
        { method: "PUT", path: "/2" },
      ],
    });
  });

  test("a word that is no URL, no method or nothing at all is told", () => {
    const form = "Write it like  goodgate check --explain GET https://host/path";
    expect(parseExplained(["GET"])).toEqual({ ok: false, message: "--explain needs a URL.", hint: form });
    expect(parseExplained(["GET", "/path"])).toEqual({
      ok: false,
      message: '"/path" is not a URL with a host.',
      hint: form,
    });
    expect(parseExplained(["G(T", "http://a"])).toEqual({ ok: false, message: '"G(T" is not a method.', hint: form });
    expect(parseExplained(["ftp://a/b"])).toEqual({
      ok: false,
      message: '"ftp://a/b" is not a URL with a host.',
      hint: form,
    });
  });

  test("a file that was swallowed by --explain is told where it belongs", () => {
    expect(parseExplained(["GET", "http://a/b", "goodgate.yaml"])).toEqual({
      ok: false,
      message: '"goodgate.yaml" is not a URL with a host.',
      hint: "A file goes before --explain:  goodgate check goodgate.yaml --explain GET http://a/b",
    });
  });
});

describe("its fields", () => {
  test("have lower-case names, trimmed values, and are joined when given twice", () => {
    const parsed = parseFields(["X-Beta:  1 ", "x-beta: 2", "Empty:"]);
    expect(parsed.ok && [...parsed.value]).toEqual([
      ["x-beta", "1, 2"],
      ["empty", ""],
    ]);
  });

  test("without a colon or with a space in the name are told", () => {
    for (const field of ["x-beta", "x beta: 1", ": 1"]) {
      expect(parseFields([field])).toEqual({
        ok: false,
        message: `${JSON.stringify(field)} is not a header field.`,
        hint: "Write it like  -H 'name: value'",
      });
    }
  });
});
