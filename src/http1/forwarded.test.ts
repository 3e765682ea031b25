import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addressOf, clientOf, forwardedElement, parseForwarded } from "./forwarded.ts";

/** 10.0.0.0/8 and fd00::/8 are ours. */
const ours = (address: string): boolean => address.startsWith("10.") || address.startsWith("fd");

describe("the client", () => {
  test.each<[string, string, string[], string[], string]>([
    ["is the peer when the peer is not trusted", "192.0.2.9", ["203.0.113.1"], [], "192.0.2.9"],
    ["is the peer when it says nothing", "10.0.0.1", [], [], "10.0.0.1"],
    ["is what a trusted peer says", "10.0.0.1", ["203.0.113.1"], [], "203.0.113.1"],
    [
      "is the first address from the right that is not ours",
      "10.0.0.1",
      ["198.51.100.7, 203.0.113.1, 10.0.0.2"],
      [],
      "203.0.113.1",
    ],
    ["is not what a client wrote to the left of it", "10.0.0.1", ["10.9.9.9, 203.0.113.1"], [], "203.0.113.1"],
    ["is found across several fields", "10.0.0.1", ["198.51.100.7", "203.0.113.1", "10.0.0.2"], [], "203.0.113.1"],
    ["is the leftmost of ours when all are ours", "10.0.0.1", ["10.0.0.3,10.0.0.2"], [], "10.0.0.3"],
    ["is the last known hop when an entry is garbage", "10.0.0.1", ["203.0.113.1, <script>, 10.0.0.2"], [], "10.0.0.2"],
    ["is the peer when the nearest entry is garbage", "10.0.0.1", ["203.0.113.1, unknown"], [], "10.0.0.1"],
    ["may come with a port", "10.0.0.1", ["203.0.113.1:4711"], [], "203.0.113.1"],
    ["may be IPv6 with brackets and port", "10.0.0.1", ["[2001:DB8::1]:4711"], [], "2001:db8::1"],
    ["may be IPv6 without brackets", "10.0.0.1", ["2001:db8::1"], [], "2001:db8::1"],
    ["may be IPv4 written as IPv6", "10.0.0.1", ["::ffff:203.0.113.1"], [], "203.0.113.1"],
    ["empty entries do not count", "10.0.0.1", [", 203.0.113.1 ,, "], [], "203.0.113.1"],
    [
      "comes from Forwarded when there is no X-Forwarded-For",
      "10.0.0.1",
      [],
      ["for=203.0.113.1;proto=https, for=10.0.0.2"],
      "203.0.113.1",
    ],
    [
      "comes from X-Forwarded-For when both are there",
      "10.0.0.1",
      ["203.0.113.1"],
      ["for=198.51.100.7"],
      "203.0.113.1",
    ],
    ["may be quoted IPv6 in Forwarded", "10.0.0.1", [], ['For="[2001:db8::1]:4711"'], "2001:db8::1"],
    ["stays hidden behind an obfuscated identifier", "10.0.0.1", [], ["for=_hidden, for=10.0.0.2"], "10.0.0.2"],
    [
      "is the last hop before an element that names nobody",
      "10.0.0.1",
      [],
      ["for=203.0.113.1, proto=http"],
      "10.0.0.1",
    ],
    ["is the peer when Forwarded is malformed", "10.0.0.1", [], ["for=203.0.113.1;;for"], "10.0.0.1"],
    ["is the peer when an element names two", "10.0.0.1", [], ["for=203.0.113.1;for=198.51.100.7"], "10.0.0.1"],
  ])("%s", (_title, peer, forwardedFor, forwarded, expected) => {
    expect(clientOf(peer, forwardedFor, forwarded, ours)).toBe(expected);
  });

  test("is looked for among the nearest 32 hops only", () => {
    const proxies = Array.from({ length: 40 }, (_, index) => `10.0.1.${index}`);
    let asked = 0;
    const counting = (address: string): boolean => {
      asked += 1;
      return ours(address);
    };
    expect(clientOf("10.0.0.1", [["203.0.113.1", ...proxies].join(", ")], [], counting)).toBe("10.0.1.8");
    expect(asked).toBe(33);
  });

  test("is the peer or an address, whatever was sent", () => {
    const noise = fc.string({ unit: fc.constantFrom(...'for=;," []:.10\\ \tunknown_f\u{e9}'.split("")) });
    fc.assert(
      fc.property(fc.array(noise), fc.array(noise), (forwardedFor, forwarded) => {
        const client = clientOf("10.0.0.1", forwardedFor, forwarded, ours);
        expect(addressOf(client)).toBe(client);
      }),
    );
  });
});

describe("an address", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1"],
    [" 192.0.2.1\t", "192.0.2.1"],
    ["192.0.2.1:80", "192.0.2.1"],
    ["[::1]", "::1"],
    ["[::1]:80", "::1"],
    ["::1", "::1"],
  ])("is read from %j", (text, expected) => {
    expect(addressOf(text)).toBe(expected);
  });

  test.each([
    "",
    "unknown",
    "_x",
    "192.0.2",
    "192.0.2.256",
    "192.0.2.01",
    "192.0.2.1:",
    "192.0.2.1:123456",
    "[192.0.2.1]",
    "[::1",
    "::1]",
    "fe80::1%eth0",
    "shop.example",
    "192.0.2.1 x",
    "1",
    "0x7f.1",
  ])("is not read from %j", (text) => {
    expect(addressOf(text)).toBeNull();
  });
});

describe("the Forwarded field", () => {
  test("is read with quotes, escapes, any case, whitespace and empty elements", () => {
    const elements = parseForwarded('For="_a\\"b";PROTO=http ; host="a:1",, by=_x ,');
    expect(elements?.map((element) => Object.fromEntries(element))).toEqual([
      { for: '_a"b', proto: "http", host: "a:1" },
      { by: "_x" },
    ]);
  });

  test.each(["for", "for=", "=a", 'for="a', 'for="a"b', "for=a b", "for=[::1]", "for=a;for=b", 'for="a\\'])(
    "%j is malformed",
    (text) => {
      expect(parseForwarded(text)).toBeNull();
    },
  );

  test("a long run of whitespace costs one pass", () => {
    // Quadratic matching would take about a minute here, far beyond the test's time limit.
    expect(parseForwarded(`for=a;${" ".repeat(400_000)}!`)).toBeNull();
  });

  test("an element is written so that it is read as it was meant", () => {
    expect(forwardedElement("192.0.2.1", "shop.example", "http")).toBe("for=192.0.2.1;host=shop.example;proto=http");
    expect(forwardedElement("2001:db8::1", "shop.example:8080", "https")).toBe(
      'for="[2001:db8::1]";host="shop.example:8080";proto=https',
    );
    expect(forwardedElement("192.0.2.1", "", "http")).toBe("for=192.0.2.1;proto=http");
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'abc.:[]"\\;,= '.split("")) }), (host) => {
        const [element] = parseForwarded(forwardedElement("2001:db8::1", host, "http")) ?? [];
        expect(element?.get("host") ?? "").toBe(host);
        expect(element?.get("for")).toBe("[2001:db8::1]");
      }),
    );
  });
});
