/**
 * What an exhausted descriptor table looks like from inside: in a process of its own, because a process without
 * descriptors can no longer report on anything.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { runChild } from "../../test/support/child.ts";
import { startDnsServer } from "../../test/support/dns-server.ts";
import type { DnsServer } from "../../test/support/dns-server.ts";

const CHILD = `
import fs from "node:fs";
import { systemChance } from "${import.meta.dirname}/chance.ts";
import { systemClock, systemSchedule } from "${import.meta.dirname}/clock.ts";
import { createResolver } from "${import.meta.dirname}/resolver.ts";

const resolver = createResolver({
  dns: { resolvers: [process.argv[1]], timeoutMs: 5000, ttlMinMs: 1000, ttlMaxMs: 1000 },
  clock: systemClock, chance: systemChance,
  // A refresh comes at once, so that nobody waits for it here; the time limit of a question stays.
  schedule: (ms, run) => systemSchedule(ms < 5000 ? 1 : ms, run),
});
const ask = (name) => new Promise((resolve) => resolver.resolve(name, resolve));
const keepAlive = setInterval(() => {}, 1000);
await ask("known.example");
// From before the shortage: who comes later is not told of a failure that has been told.
const failed = new Promise((resolve) => resolver.watch("known.example", (heard) => heard.failure && resolve(heard)));
const taken = [];
const take = () => { try { for (;;) taken.push(fs.openSync("/dev/null", "r")); } catch {} };
take();
// A question that was under way has a descriptor still, and gives it back when it is answered.
const takeOn = setInterval(take, 1);
const known = await failed;
const unknown = await ask("unknown.example");
clearInterval(takeOn);
for (const descriptor of taken) fs.closeSync(descriptor);
const afterwards = await ask("other.example");
clearInterval(keepAlive);
resolver.close();
console.log(JSON.stringify({ unknown, known, afterwards }));
`;

let server: DnsServer;
beforeAll(async () => {
  server = await startDnsServer();
  for (const name of ["known", "unknown", "other"])
    server.set(`${name}.example`, { kind: "addresses", ips: ["192.0.2.1"], ttl: 0 });
});
afterAll(() => server.close());

test.runIf(process.platform === "linux")(
  "a process without descriptors blames itself and not the name servers, and keeps what it knew",
  async () => {
    const program = [process.execPath, "--input-type=module", "--eval", CHILD, server.address];
    const child = await runChild("sh", ["-c", 'ulimit -n 48 && exec "$0" "$@"', ...program]);
    expect(child.code, child.stderr).toBe(0);
    const { unknown, known, afterwards } = JSON.parse(child.stdout);
    expect(unknown.failure).toMatchObject({ cause: "gw.fd_exhausted", code: "EMFILE" });
    expect(unknown.addresses).toEqual([]);
    expect(known.failure.cause).toBe("gw.fd_exhausted");
    expect(known.addresses).toHaveLength(1);
    expect(afterwards.failure).toBe(null);
    expect(afterwards.addresses).toHaveLength(1);
  },
);
