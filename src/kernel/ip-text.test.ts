import { expect, test } from "vitest";
import { bracketed, hostPort, isLoopbackIp } from "./ip-text.ts";

test("only IPv6 addresses stand in brackets", () => {
  expect([bracketed("::1"), bracketed("10.0.0.1"), bracketed("a.test")]).toEqual(["[::1]", "10.0.0.1", "a.test"]);
  expect([hostPort("2001:db8::1", 80), hostPort("a.test", 8080)]).toEqual(["[2001:db8::1]:80", "a.test:8080"]);
});

test.each(["127.0.0.1", "127.255.9.9", "::1", "0:0:0:0:0:0:0:1", "0000::0001", "::ffff:127.0.0.1", "::ffff:7f00:1"])(
  "%s is loopback",
  (ip) => {
    expect(isLoopbackIp(ip)).toBe(true);
  },
);

test.each([
  "",
  "0.0.0.0",
  "::",
  "128.0.0.1",
  "10.0.0.1",
  "127.0.0",
  "127.0.0.256",
  "127.0.0.1.example.com",
  "127.example",
  "::2",
  "::ffff:10.0.0.1",
  "fe80::1",
  "localhost",
  "0:nonsense",
])("%j is not loopback", (ip) => {
  expect(isLoopbackIp(ip)).toBe(false);
});
