import { expect, test } from "vitest";
import { hostAllowed, isLoopback } from "./admin-host.ts";

test.each([
  "localhost",
  "LOCALHOST",
  "app.localhost",
  "127.0.0.1",
  "127.8.9.1",
  "::1",
  "0:0:0:0:0:0:0:1",
  "::ffff:127.0.0.1",
])("%s is loopback", (host) => {
  expect(isLoopback(host)).toBe(true);
});

test.each([
  "",
  "0.0.0.0",
  "::",
  "128.0.0.1",
  "10.0.0.1",
  "localhost.example.com",
  "127.0.0.1.example.com",
  "127.example",
  "::2",
  "::ffff:10.0.0.1",
  "fe80::1%eth0",
])("%s is not loopback", (host) => {
  expect(isLoopback(host)).toBe(false);
});

test.each([
  "localhost",
  "localhost:9090",
  "LocalHost:9090",
  "localhost.",
  "127.0.0.1",
  "127.0.0.1:9090",
  "[::1]",
  "[::1]:9090",
])("a server on loopback answers to %s", (field) => {
  expect(hostAllowed("127.0.0.1", field)).toBe(true);
});

test.each([
  "evil.example",
  "evil.example:9090",
  "localhost.evil.example",
  "127.0.0.1.evil.example:9090",
  "",
  "localhost, evil.example",
  "localhost/",
  "user@localhost",
  "[::1",
  "::1",
  "192.168.1.5",
])("a server on loopback does not answer to '%s'", (field) => {
  expect(hostAllowed("127.0.0.1", field)).toBe(false);
  expect(hostAllowed("::1", field)).toBe(false);
  expect(hostAllowed("localhost", field)).toBe(false);
});

test("without a Host field a server on loopback does not answer", () => {
  expect(hostAllowed("127.0.0.1", undefined)).toBe(false);
});

test("off loopback every name is right, because a token is demanded there", () => {
  expect(hostAllowed("0.0.0.0", "gateway.example")).toBe(true);
  expect(hostAllowed("10.0.0.1", undefined)).toBe(true);
});
