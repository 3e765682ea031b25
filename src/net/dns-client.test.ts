import { afterEach, beforeEach, expect, test } from "vitest";
import { startDnsServer } from "../../test/support/dns-server.ts";
import type { DnsServer } from "../../test/support/dns-server.ts";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import { systemSchedule } from "./clock.ts";
import { createDnsClient } from "./dns-client.ts";
import type { DnsClient, DnsClientOptions, Family, FamilyAnswer } from "./dns-client.ts";

const time = manualSchedule();
let server: DnsServer;
let clients: DnsClient[] = [];

beforeEach(async () => {
  server = await startDnsServer();
});
afterEach(async () => {
  for (const client of clients) client.close();
  clients = [];
  await server.close();
});

function create(options: Partial<DnsClientOptions> = {}): DnsClient {
  const client = createDnsClient({
    servers: [server.address],
    timeoutMs: 20_000,
    schedule: time.schedule,
    shortage: () => null,
    ...options,
  });
  clients.push(client);
  return client;
}

function ask(client: DnsClient, name: string, family: Family = 4): Promise<FamilyAnswer> {
  return new Promise((resolve) => client.ask(name, family, resolve));
}

test("an answer that cannot be read fails its own question and no other that is under way", async () => {
  server.set("good.example", { kind: "held" });
  server.set("bad.example", { kind: "garbage" });
  const client = create();
  const good = ask(client, "good.example");
  await server.askedTimes(1);
  expect(await ask(client, "bad.example")).toMatchObject({ kind: "failed", cause: "dns.servfail", code: "EBADRESP" });
  server.set("good.example", { kind: "addresses", ips: ["192.0.2.1"] });
  server.release();
  expect(await good).toMatchObject({ kind: "addresses", ips: ["192.0.2.1"] });
});

test("a question that was lost is asked again within its time limit", async () => {
  server.set("a.example", { kind: "held" });
  const answer = ask(create({ timeoutMs: 1_000, schedule: systemSchedule }), "a.example");
  // The second one comes from the real timers of c-ares, after a quarter of the limit (and never before 250 ms).
  await server.askedTimes(2);
  server.set("a.example", { kind: "addresses", ips: ["192.0.2.1"] });
  server.release();
  expect(await answer).toMatchObject({ kind: "addresses" });
});

test("a question that is to be asked once is one packet, however long nobody answers", async () => {
  server.set("a.example", { kind: "held" });
  const client = create({ timeoutMs: 600, schedule: systemSchedule });
  const answer = await new Promise<FamilyAnswer>((resolve) => client.ask("a.example", 4, resolve, true));
  expect(answer).toMatchObject({ kind: "failed", cause: "dns.timeout" });
  expect(server.asked).toHaveLength(1);
});

test("the TTL is the smallest of the records, in ms, and an address is told once", async () => {
  server.set("a.example", {
    kind: "addresses",
    ips: ["192.0.2.2", "192.0.2.1", "192.0.2.2"],
    ttl: 7,
    aliases: ["b.example"],
  });
  expect(await ask(create(), "a.example")).toEqual({
    kind: "addresses",
    ips: ["192.0.2.1", "192.0.2.2"],
    ttlMs: 7_000,
  });
});

test("no more than 64 addresses are taken from one answer", async () => {
  const many = Array.from({ length: 200 }, (_, index) => `192.0.2.${index + 1}`);
  server.set("a.example", { kind: "addresses", ips: many, truncated: true });
  const answer = await ask(create(), "a.example");
  expect(answer.kind === "addresses" ? answer.ips : []).toHaveLength(64);
});

test("a shortage of descriptors is named instead of the name server, and no other server is asked", async () => {
  const gone = await startDnsServer();
  await gone.close();
  const client = create({ servers: [gone.address, server.address], shortage: () => "EMFILE" });
  expect(await ask(client, "a.example")).toEqual({ kind: "failed", cause: "gw.fd_exhausted", code: "EMFILE" });
  expect(server.asked).toEqual([]);
});

test("an answer from a name server is believed even when descriptors are short", async () => {
  const client = create({ shortage: () => "EMFILE" });
  expect(await ask(client, "nowhere.example")).toMatchObject({ kind: "none", cause: "dns.nxdomain" });
});

test("servers that change are asked from the next question on", async () => {
  const other = await startDnsServer();
  try {
    other.set("a.example", { kind: "addresses", ips: ["192.0.2.9"] });
    const client = create();
    expect(await ask(client, "a.example")).toMatchObject({ kind: "none" });
    client.setServers([other.address]);
    expect(await ask(client, "a.example")).toMatchObject({ kind: "addresses" });
  } finally {
    await other.close();
  }
});

test("what is no address is refused at the start", () => {
  expect(() => create({ servers: ["localhost"] })).toThrow("Invalid IP address");
});

test("after closing nothing is heard and no timer is left", async () => {
  server.set("a.example", { kind: "held" });
  const client = create();
  const heard: FamilyAnswer[] = [];
  client.ask("a.example", 4, (answer) => heard.push(answer));
  await server.askedTimes(1);
  client.close();
  while (time.waiting() > 0) await new Promise((resolve) => setImmediate(resolve));
  expect(heard).toEqual([]);
});
