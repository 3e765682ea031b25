import { describe, expect, test } from "vitest";
import { parseOriginUrl } from "./origin-url.ts";

describe("an origin's URL", () => {
  test.each([
    ["http://a1.example.net", "http://a1.example.net", "a1.example.net", 80, ""],
    ["HTTP://A1.Example.Net:80/", "http://a1.example.net", "a1.example.net", 80, ""],
    ["http://a:3000", "http://a:3000", "a", 3000, ""],
    ["http://127.0.0.1:03000", "http://127.0.0.1:3000", "127.0.0.1", 3000, ""],
    ["http://[::1]:3000/base/", "http://[::1]:3000/base", "::1", 3000, "/base"],
    ["http://my_app/a/b.c/%20x", "http://my_app/a/b.c/%20x", "my_app", 80, "/a/b.c/%20x"],
    ["http://a.", "http://a", "a", 80, ""],
    ["https://a", "https://a", "a", 443, ""],
    ["HTTPS://A:443/b/", "https://a/b", "a", 443, "/b"],
    ["https://a:80", "https://a:80", "a", 80, ""],
    ["http://a:443", "http://a:443", "a", 443, ""],
  ])("%s is %s", (text, url, host, port, basePath) => {
    expect(parseOriginUrl(text)).toEqual({
      ok: true,
      value: { url, host, port, basePath, secure: url.startsWith("https:") },
    });
  });

  // What a URL parser would have repaired or taken for something else.
  test.each([
    "http:a",
    "http:/a",
    "http:\\\\a",
    "http:///a",
    "http://1",
    "http://0x7f.1",
    "http://a:",
    "http://a:80:80",
    "http://a:65536",
    "http://a#b",
    "http://a?",
    "http://user@a",
    "http://a b",
    " http://a",
    "http://a\n",
    "http://a\tb",
    "http://a//",
    "http://a/.",
    "http://a/./b",
    "http://a/x/%2E%2e/y",
    "http://a/x%2Fy",
    "http://a/x\\y",
    "http://a/é",
    `http://a/${"x".repeat(1024)}`,
    "https:a",
    "https://user:secret@a",
    "https://a:0",
    "ws://a",
    "a",
    3000,
    null,
  ])("%j is refused", (input) => {
    expect(parseOriginUrl(input).ok).toBe(false);
  });

  test.each([
    [":3000", "Write http://127.0.0.1:3000."],
    [":3000/base", "Write http://127.0.0.1:3000/base."],
    ["3000", "For that port of this machine write http://127.0.0.1:3000."],
    ["app:3000", "Write http://app:3000."],
    ["[::1]:3000", "Write http://[::1]:3000."],
    [":", "Write http://HOST, https://HOST or http://HOST:PORT/base."],
    ["::1", "Write http://HOST, https://HOST or http://HOST:PORT/base."],
  ])("%s has no scheme, and the hint can be copied", (text, hint) => {
    expect(parseOriginUrl(text)).toMatchObject({ ok: false, hint });
  });

  test("a password is never repeated", () => {
    const parsed = parseOriginUrl("http://admin:hunter2@a");
    expect(JSON.stringify(parsed)).not.toContain("hunter2");
    expect(parsed.ok).toBe(false);
  });
});
