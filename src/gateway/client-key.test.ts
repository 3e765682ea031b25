import { expect, test } from "vitest";
import { clientKey, hashKeyFrom, networkOf } from "./client-key.ts";

const USUAL = { ipv4: 32, ipv6: 64 };

test.each([
  ["192.0.2.7", USUAL, "192.0.2.7"],
  ["192.0.2.7", { ipv4: 24, ipv6: 64 }, "192.0.2.0/24"],
  ["192.0.2.255", { ipv4: 25, ipv6: 64 }, "192.0.2.128/25"],
  ["2001:db8:0:1:2:3:4:5", USUAL, "2001:db8:0:1::/64"],
  ["2001:db8:0:1::", USUAL, "2001:db8:0:1::/64"],
  ["2001:db8:0:1f::", { ipv4: 32, ipv6: 60 }, "2001:db8:0:10::/60"],
  ["2001:DB8::1", { ipv4: 32, ipv6: 128 }, "2001:db8::1"],
  ["::ffff:192.0.2.7", USUAL, "192.0.2.7"],
  ["unknown", USUAL, "unknown"],
  ["_hidden:1", USUAL, "_hidden:1"],
  ["", USUAL, ""],
])("the network of %j", (address, bits, network) => {
  expect(networkOf(address, bits)).toBe(network);
});

test("neighbours in one IPv6 network are one client, and another process counts under other numbers", () => {
  const key = hashKeyFrom("00112233445566778899aabbccddeeff");
  const one = clientKey("2001:db8:0:1::1", USUAL, key);
  expect(clientKey("2001:db8:0:1:ffff::9", USUAL, key)).toBe(one);
  expect(clientKey("2001:db8:0:2::1", USUAL, key)).not.toBe(one);
  expect(clientKey("2001:db8:0:1::1", USUAL, hashKeyFrom("ff112233445566778899aabbccddeeff"))).not.toBe(one);
});
