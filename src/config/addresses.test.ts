import { describe, expect, test } from "vitest";
import { bindsOverlap, parseBind, parseCidr, parseResolver } from "./addresses.ts";
import type { Bind } from "./settings.ts";

function bind(text: string): Bind {
  const parsed = parseBind(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

describe("where to listen", () => {
  test.each([
    ["0.0.0.0:8080", "0.0.0.0", 8080],
    ["127.0.0.1:0", "127.0.0.1", 0],
    ["[::]:80", "::", 80],
    ["[0:0::1]:80", "::1", 80],
    ["localhost:9090", "127.0.0.1", 9090],
  ])("%s", (text, host, port) => {
    expect(parseBind(text)).toEqual({ ok: true, value: { host, port } });
  });

  test.each([
    "",
    "80",
    ":80",
    "::1:80",
    "[::1]",
    "[fe80::1%eth0]:80",
    "1.2.3:80",
    "0x7f.1:80",
    "256.1.1.1:80",
    "a:80",
    "127.0.0.1:65536",
    "127.0.0.1:-1",
    "127.0.0.1: 80",
    8080,
  ])("%j is refused", (input) => {
    expect(parseBind(input).ok).toBe(false);
  });

  test("a star, as other programs write every address, is told what to write here", () => {
    expect(parseBind("*:8080")).toEqual({
      ok: false,
      message: '"*" is neither an IP address nor localhost, and a listener binds to nothing else.',
      hint: "Write 0.0.0.0:8080 for every IPv4 address, or [::]:8080 for every address.",
    });
  });

  test.each([
    ["0.0.0.0:80", "127.0.0.1:80", true],
    ["127.0.0.1:80", "0.0.0.0:80", true],
    ["[::]:80", "127.0.0.1:80", true],
    ["[::1]:80", "0.0.0.0:80", false],
    ["127.0.0.1:80", "127.0.0.2:80", false],
    ["127.0.0.1:80", "127.0.0.1:81", false],
    ["127.0.0.1:0", "127.0.0.1:0", false],
  ])("%s and %s overlap: %s", (one, other, overlap) => {
    expect(bindsOverlap(bind(one), bind(other))).toBe(overlap);
  });
});

describe("whom to trust", () => {
  test.each([
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["192.0.2.7", "192.0.2.7/32"],
    ["fd00::/8", "fd00::/8"],
    ["FD00:0::/16", "fd00::/16"],
    ["::1", "::1/128"],
    ["0.0.0.0/0", "0.0.0.0/0"],
  ])("%s is %s", (text, cidr) => {
    expect(parseCidr(text)).toEqual({ ok: true, value: cidr });
  });

  test.each(["10.0.0.0/33", "10.0.0.1/8", "::1/129", "10.0.0.0/", "10.0.0.0/8/8", "/8", "[::1]/128", "a", 10])(
    "%j is refused",
    (input) => {
      expect(parseCidr(input).ok).toBe(false);
    },
  );
});

describe("whom to ask for names", () => {
  test.each([
    ["9.9.9.9", "9.9.9.9"],
    ["127.0.0.1:5353", "127.0.0.1:5353"],
    ["2620:00fe::fe", "2620:fe::fe"],
    ["[2620:fe::fe]:53", "[2620:fe::fe]:53"],
  ])("%s is %s", (text, address) => {
    expect(parseResolver(text)).toEqual({ ok: true, value: address });
  });
});
