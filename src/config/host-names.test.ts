import { describe, expect, test } from "vitest";
import { parseHostPattern } from "./host-names.ts";

describe("hosts that a service answers for", () => {
  test.each([
    ["shop.example.com", "shop.example.com"],
    ["Shop.Example.COM", "shop.example.com"],
    ["shop.example.com.", "shop.example.com"],
    ["localhost", "localhost"],
    ["xn--bcher-kva.example", "xn--bcher-kva.example"],
    ["my_app", "my_app"],
    ["*", "*"],
    ["*.example.com", "*.example.com"],
    ["192.0.2.1", "192.0.2.1"],
    ["[2001:DB8:0::1]", "[2001:db8::1]"],
    ["2001:db8::1", "[2001:db8::1]"],
  ])("%s is compared as %s", (text, pattern) => {
    expect(parseHostPattern(text)).toEqual({ ok: true, value: pattern });
  });

  test.each([
    "",
    ".",
    "a..b",
    "-a",
    "a-",
    "a b",
    "a/b",
    "a:80",
    "[::1]:80",
    "*a",
    "a.*",
    "*.*.a",
    "*.",
    "*.192.0.2.1",
    "1.2.3",
    "10",
    "0x7f",
    "a.0x1",
    "a".repeat(64),
    `${"a.".repeat(127)}a`,
    "[::1",
    "[fe80::1%1]",
    5,
    null,
  ])("%j is refused", (input) => {
    expect(parseHostPattern(input).ok).toBe(false);
  });
});
