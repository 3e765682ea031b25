import { afterEach, beforeEach, expect, test } from "vitest";
import { startDnsServer } from "../../test/support/dns-server.ts";
import type { DnsServer } from "../../test/support/dns-server.ts";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import { createDnsClient } from "./dns-client.ts";
import type { DnsClient, FamilyAnswer } from "./dns-client.ts";
import { askName, failureOf } from "./dns-question.ts";
import type { NameAnswer } from "./dns-question.ts";

const time = manualSchedule();
let server: DnsServer;
let client: DnsClient;

beforeEach(async () => {
  server = await startDnsServer();
  client = createDnsClient({
    servers: [server.address],
    timeoutMs: 20_000,
    schedule: time.schedule,
    shortage: () => null,
  });
});
afterEach(async () => {
  client.close();
  await server.close();
});

function ask(...names: string[]): Promise<NameAnswer> {
  return new Promise((resolve) => askName(client, time.schedule, names, resolve));
}

test("the first full name that exists answers; the ones after it are not asked", async () => {
  server.set("api.svc", { kind: "addresses", ips: ["192.0.2.1"] });
  server.set("api", { kind: "addresses", ips: ["192.0.2.66"] });
  const { v4, complete } = await ask("api.shop.svc", "api.svc", "api");
  expect(v4).toMatchObject({ kind: "addresses", ips: ["192.0.2.1"] });
  expect(complete).toBe(true);
  expect(server.asked.map((question) => question.name)).not.toContain("api");
});

test("a name that exists without addresses is passed over, too", async () => {
  server.set("api.svc", { kind: "nodata" });
  server.set("api", { kind: "addresses", ips: ["192.0.2.1"] });
  expect((await ask("api.svc", "api")).v4).toMatchObject({ kind: "addresses" });
});

test("after a failure no other name is tried: its addresses might be somebody else's", async () => {
  server.set("api.svc", { kind: "servfail" });
  server.set("api", { kind: "addresses", ips: ["192.0.2.66"] });
  expect(await ask("api.svc", "api")).toMatchObject({ v4: { kind: "failed" }, v6: { kind: "failed" } });
  expect(server.asked.map((question) => question.name)).not.toContain("api");
});

test("when none exists the last one's answer stands", async () => {
  expect(await ask("api.svc", "api")).toMatchObject({ v4: { kind: "none", cause: "dns.nxdomain" }, complete: true });
});

test("of two families without addresses the one that leaves the question open names the failure", () => {
  const addresses: FamilyAnswer = { kind: "addresses", ips: ["192.0.2.1"], ttlMs: 1 };
  const exhausted: FamilyAnswer = { kind: "failed", cause: "gw.fd_exhausted", code: "EMFILE" };
  const servfail: FamilyAnswer = { kind: "failed", cause: "dns.servfail", code: "ESERVFAIL" };
  const timeout: FamilyAnswer = { kind: "failed", cause: "dns.timeout", code: "ETIMEOUT" };
  const empty: FamilyAnswer = { kind: "none", cause: "dns.empty_or_prohibited", code: "ENODATA" };
  const missing: FamilyAnswer = { kind: "none", cause: "dns.nxdomain", code: "ENOTFOUND" };
  const ordered = [exhausted, servfail, timeout, empty, missing];
  for (const [index, worse] of ordered.entries()) {
    expect(failureOf(worse, addresses)).toBe(null);
    expect(failureOf(addresses, worse)).toBe(null);
    for (const better of ordered.slice(index)) {
      expect(failureOf(worse, better)).toBe(worse);
      expect(failureOf(better, worse)).toBe(worse);
    }
  }
});
