import { expect, test } from "vitest";
import { parseDatabaseUrl } from "./database-url.ts";

const far = { host: "db.example.com", port: 5432, user: "gate", password: "", database: "fleet", tls: true };

test.each([
  ["postgres://gate@db.example.com/fleet", far],
  ["postgresql://gate:a%2Fb%25@db.example.com:6432/fleet", { ...far, port: 6432, password: "a/b%" }],
  ["postgres://gate@db.example.com/fleet?sslmode=require", far],
  ["postgres://gate@db.example.com/fleet?sslmode=disable", { ...far, tls: false }],
  ["postgres://gate@localhost/fleet", { ...far, host: "localhost", tls: false }],
  ["postgres://gate@[::1]/fleet?sslmode=verify-full", { ...far, host: "::1" }],
  ["postgres:///fleet?host=/run/postgresql", { ...far, host: "/run/postgresql", user: "", tls: false }],
  ["postgres://gate@/fleet?host=/run/postgresql", { ...far, host: "/run/postgresql", tls: false }],
])("%s", (text, expected) => {
  expect(parseDatabaseUrl(text)).toEqual({ ok: true, value: expected });
});

test.each([
  ["mysql://gate@db/fleet", "not the URL of a database"],
  ["db.example.com/fleet", "not the URL of a database"],
  ["postgres://gate@db", "names no database"],
  ["postgres:///fleet", "does not say where"],
  ["postgres:///fleet?host=relative", "does not say where"],
  ["postgres://gate@db/fleet?sslmode=prefer", "without TLS"],
  ["postgres://gate@db/fleet?application_name=x", "parameters other than"],
  ["postgres:///fleet?host=/run/postgresql&sslmode=verify-full", "no TLS on a Unix socket"],
  ["postgres://gate:%zz@db/fleet", "not encoded"],
])("%s is refused", (text, message) => {
  const parsed = parseDatabaseUrl(text);
  expect(parsed.ok ? "" : parsed.message).toContain(message);
});

test("what is refused does not repeat a password", () => {
  const parsed = parseDatabaseUrl("postgres://gate:sesame@db/fleet?sslmode=allow");
  expect(JSON.stringify(parsed)).not.toContain("sesame");
});
