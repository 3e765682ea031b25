import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Resolution, Resolver } from "../kernel/resolver.ts";
import { startDnsServer } from "../../test/support/dns-server.ts";
import type { Behaviour, DnsServer } from "../../test/support/dns-server.ts";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import type { ManualSchedule } from "../../test/support/manual-schedule.ts";
import { systemSchedule } from "./clock.ts";
import { createResolver } from "./resolver.ts";
import type { ConfigurableResolver, ResolverOptions } from "./resolver.ts";

let server: DnsServer;
let time: ManualSchedule;
let directory: string;
let open: Resolver[] = [];

beforeEach(async () => {
  server = await startDnsServer();
  time = manualSchedule();
  directory = mkdtempSync(path.join(tmpdir(), "goodgate-resolver-"));
  writeFileSync(path.join(directory, "hosts"), "127.0.0.1 localhost\n10.9.8.7 db.internal db\n");
});

afterEach(async () => {
  for (const resolver of open) resolver.close();
  open = [];
  await server.close();
  rmSync(directory, { recursive: true });
});

function start(
  options: Partial<Omit<ResolverOptions, "dns">> & { dns?: Partial<ResolverOptions["dns"]> } = {},
): ConfigurableResolver {
  const resolver = createResolver({
    clock: time.clock,
    chance: () => 0,
    schedule: time.schedule,
    hostsPath: path.join(directory, "hosts"),
    resolvConfPath: path.join(directory, "resolv.conf"),
    ...options,
    dns: { resolvers: [server.address], timeoutMs: 20_000, ttlMinMs: 1_000, ttlMaxMs: 300_000, ...options.dns },
  });
  open.push(resolver);
  return resolver;
}

function resolved(resolver: Resolver, name: string): Promise<Resolution> {
  return new Promise((resolve) => resolver.resolve(name, resolve));
}

/** Collects what a watcher hears, one by one. */
function watching(
  resolver: Resolver,
  name: string,
): { next(): Promise<Resolution>; heard: Resolution[]; stop: () => void } {
  const heard: Resolution[] = [];
  let taken = 0;
  let wake = (): void => {};
  const stop = resolver.watch(name, (resolution) => {
    heard.push(resolution);
    wake();
  });
  return {
    heard,
    stop,
    async next(): Promise<Resolution> {
      if (heard.length === taken) await new Promise<void>((resolve) => (wake = resolve));
      taken += 1;
      return heard[taken - 1]!;
    },
  };
}

/** Lets the event loop turn until what the network brings has arrived. */
async function arrives(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

function ips(resolution: Resolution | null): string[] {
  return (resolution?.addresses ?? []).map((address) => address.ip);
}

describe("what needs no name server", () => {
  test("an address is its own answer, at once, in both families", () => {
    const resolver = start();
    expect(resolver.peek("192.0.2.7")?.addresses).toEqual([{ ip: "192.0.2.7", port: 0, family: 4 }]);
    expect(resolver.peek("2001:db8::1")?.addresses).toEqual([{ ip: "2001:db8::1", port: 0, family: 6 }]);
    let heard: Resolution | null = null;
    resolver.resolve("192.0.2.7", (resolution) => (heard = resolution));
    expect(ips(heard)).toEqual(["192.0.2.7"]);
    expect(server.asked).toEqual([]);
  });

  test("localhost and names under it are loopback, in the families that the hosts file gives them", () => {
    expect(ips(start().peek("localhost"))).toEqual(["127.0.0.1"]);
    expect(ips(start().peek("app.localhost"))).toEqual(["127.0.0.1"]);
    writeFileSync(path.join(directory, "hosts"), "");
    expect(ips(start().peek("localhost"))).toEqual(["::1", "127.0.0.1"]);
    expect(server.asked).toEqual([]);
  });

  test("the hosts file answers before any name server, and a change of it is heard", async () => {
    const resolver = start();
    const db = watching(resolver, "db.internal");
    expect(ips(await db.next())).toEqual(["10.9.8.7"]);
    writeFileSync(path.join(directory, "hosts"), "10.1.1.1 db.internal\n");
    time.advance(5_000);
    expect(ips(await db.next())).toEqual(["10.1.1.1"]);
    expect(server.asked).toEqual([]);
  });

  test("a line that appears in the hosts file while a name server is asked wins over its answer", async () => {
    server.set("a.example", { kind: "held" });
    const resolver = start();
    const a = watching(resolver, "a.example");
    await server.askedTimes(2);
    writeFileSync(path.join(directory, "hosts"), "10.1.1.1 a.example\n");
    time.advance(5_000);
    expect(ips(await a.next())).toEqual(["10.1.1.1"]);
    server.set("a.example", { kind: "addresses", ips: ["192.0.2.1"] });
    server.set("b.example", { kind: "addresses", ips: ["192.0.2.2"] });
    server.release();
    // Asked for afterwards, so by the time it is known the other answer has come as well.
    await resolved(resolver, "b.example");
    expect(ips(resolver.peek("a.example"))).toEqual(["10.1.1.1"]);
  });

  test("a name that leaves the hosts file keeps its address until a name server has a better one", async () => {
    const resolver = start();
    const db = watching(resolver, "db.internal");
    await db.next();
    server.set("db.internal", { kind: "addresses", ips: ["192.0.2.50"] });
    writeFileSync(path.join(directory, "hosts"), "# nothing\n");
    time.advance(5_000);
    expect(ips(await db.next())).toEqual(["192.0.2.50"]);
    expect(db.heard.every((resolution) => resolution.addresses.length > 0)).toBe(true);
  });
});

describe("good answers", () => {
  test("both families are asked and come mixed, IPv6 first", async () => {
    server.set("a.example", { kind: "addresses", ips: ["192.0.2.2", "192.0.2.1", "2001:db8::1"] });
    const resolution = await resolved(start(), "a.example");
    expect(resolution.addresses).toEqual([
      { ip: "2001:db8::1", port: 0, family: 6 },
      { ip: "192.0.2.1", port: 0, family: 4 },
      { ip: "192.0.2.2", port: 0, family: 4 },
    ]);
    expect(resolution.failure).toBe(null);
    expect(resolution.learnedAt).toBe(1_000);
  });

  test("a chain of aliases ends in addresses", async () => {
    server.set("www.example", { kind: "addresses", ips: ["192.0.2.9"], aliases: ["cdn.example", "edge.cdn.example"] });
    expect(ips(await resolved(start(), "www.example"))).toEqual(["192.0.2.9"]);
  });

  test("an answer too long for a datagram is fetched over TCP", async () => {
    const many = Array.from({ length: 40 }, (_, index) => `192.0.2.${100 + index}`);
    server.set("many.example", { kind: "addresses", ips: many, truncated: true });
    expect(ips(await resolved(start(), "many.example"))).toHaveLength(40);
    expect(server.asked.map((question) => question.over)).toContain("tcp");
  });

  test("many requests for an unknown name are one question", async () => {
    server.set("a.example", { kind: "held" });
    const resolver = start();
    expect(resolver.peek("a.example")).toBe(null);
    const all = Array.from({ length: 50 }, () => resolved(resolver, "a.example"));
    await server.askedTimes(2);
    expect(resolver.peek("a.example")).toBe(null);
    server.set("a.example", { kind: "addresses", ips: ["192.0.2.1"] });
    server.release();
    const answers = await Promise.all(all);
    expect(new Set(answers).size).toBe(1);
    expect(server.asked).toHaveLength(2);
  });

  test("a name server that is silent about one family delays the other by 50 ms and no more", async () => {
    server.set("a.example", { kind: "addresses", ips: ["192.0.2.1"] }, 4);
    server.set("a.example", { kind: "held" }, 6);
    const resolver = start();
    const a = watching(resolver, "a.example");
    await server.askedTimes(2);
    // The answer for IPv4 has to arrive before there is a wait to cut short.
    await arrives(() => time.delays().includes(50));
    time.advance(50);
    expect(ips(await a.next())).toEqual(["192.0.2.1"]);
    server.set("a.example", { kind: "addresses", ips: ["2001:db8::1"] }, 6);
    server.release();
    expect(ips(await a.next())).toEqual(["2001:db8::1", "192.0.2.1"]);
  });

  test("the unspecified address is no answer: dialling it would reach the gateway's own machine", async () => {
    server.set("blocked.example", { kind: "addresses", ips: ["0.0.0.0", "::"] });
    const { addresses, failure } = await resolved(start(), "blocked.example");
    expect(addresses).toEqual([]);
    expect(failure?.cause).toBe("dns.empty_or_prohibited");
  });
});

describe("refreshing beside the traffic", () => {
  test("a watched name is asked again when its TTL runs out, up to a tenth of it early by chance", async () => {
    server.set("a.example", { kind: "addresses", ips: ["192.0.2.1"], ttl: 20 });
    const resolver = start({ chance: () => 0.5 });
    const a = watching(resolver, "a.example");
    await a.next();
    time.advance(18_999);
    expect(server.asked).toHaveLength(2);
    server.set("a.example", { kind: "addresses", ips: ["192.0.2.2"], ttl: 20 });
    time.advance(1);
    expect(ips(await a.next())).toEqual(["192.0.2.2"]);
    expect(ips(resolver.peek("a.example"))).toEqual(["192.0.2.2"]);
    expect(resolver.peek("a.example")?.learnedAt).toBe(20_000);
  });

  test("a TTL is kept within its bounds", async () => {
    server.set("short.example", { kind: "addresses", ips: ["192.0.2.1"], ttl: 0 });
    server.set("long.example", { kind: "addresses", ips: ["192.0.2.1"], ttl: 86_400 });
    const resolver = start({ dns: { ttlMinMs: 2_500, ttlMaxMs: 4_000 } });
    await watching(resolver, "short.example").next();
    await watching(resolver, "long.example").next();
    time.advance(2_499);
    expect(server.asked).toHaveLength(4);
    time.advance(1);
    await server.askedTimes(6);
    time.advance(1_500);
    await server.askedTimes(8);
    expect(server.asked.slice(6).every((question) => question.name === "long.example")).toBe(true);
  });

  test("no name is asked for more than once in a second, whatever TTL and settings say", async () => {
    server.set("a.example", { kind: "addresses", ips: ["192.0.2.1"], ttl: 0 });
    const resolver = start({ dns: { ttlMinMs: 0, ttlMaxMs: 0 }, chance: () => 0.9 });
    await watching(resolver, "a.example").next();
    time.advance(999);
    // Asked for afterwards, so by the time it is known an earlier question would have come as well.
    await resolved(resolver, "b.example");
    expect(server.asked).toHaveLength(4);
    time.advance(1);
    await arrives(() => server.asked.filter((question) => question.name === "a.example").length === 4);
  });

  test("an answer in another order is the same answer", async () => {
    server.set("a.example", { kind: "addresses", ips: ["192.0.2.1", "192.0.2.2"], ttl: 10 });
    const resolver = start();
    const a = watching(resolver, "a.example");
    await a.next();
    server.set("a.example", { kind: "addresses", ips: ["192.0.2.2", "192.0.2.1"], ttl: 10 });
    time.advance(10_000);
    await server.askedTimes(4);
    server.set("a.example", { kind: "addresses", ips: ["192.0.2.3"], ttl: 10 });
    await arrives(() => resolver.peek("a.example")?.learnedAt === 11_000);
    time.advance(10_000);
    expect(ips(await a.next())).toEqual(["192.0.2.3"]);
    expect(a.heard).toHaveLength(2);
  });

  test("a name that nobody watches is answered from memory, old or not, and then asked for again", async () => {
    server.set("a.example", { kind: "addresses", ips: ["192.0.2.1"], ttl: 5 });
    const resolver = start();
    await resolved(resolver, "a.example");
    time.advance(60_000);
    expect(server.asked).toHaveLength(2);
    server.set("a.example", { kind: "addresses", ips: ["192.0.2.2"], ttl: 5 });
    expect(ips(await resolved(resolver, "a.example"))).toEqual(["192.0.2.1"]);
    await server.askedTimes(4);
    await arrives(() => ips(resolver.peek("a.example"))[0] !== "192.0.2.1");
    expect(ips(resolver.peek("a.example"))).toEqual(["192.0.2.2"]);
  });

  test("nothing is asked after the last watcher has left", async () => {
    server.set("a.example", { kind: "addresses", ips: ["192.0.2.1"], ttl: 5 });
    const resolver = start();
    const one = watching(resolver, "a.example");
    const two = watching(resolver, "a.example");
    await one.next();
    await two.next();
    one.stop();
    two.stop();
    time.advance(600_000);
    expect(server.asked).toHaveLength(2);
  });
});

describe("failures", () => {
  test.each([
    ["nxdomain", "dns.nxdomain", "ENOTFOUND"],
    ["nodata", "dns.empty_or_prohibited", "ENODATA"],
    ["servfail", "dns.servfail", "ESERVFAIL"],
    ["refused", "dns.servfail", "EREFUSED"],
  ] as const)("%s is %s for a name that was never known", async (kind, cause, code) => {
    server.set("a.example", { kind });
    const resolution = await resolved(start(), "a.example");
    expect(resolution).toEqual({
      name: "a.example",
      addresses: [],
      failure: { cause, code, since: 1_000 },
      learnedAt: -1,
    });
  });

  test("a name server that keeps silent is dns.timeout after its time, though it was asked more than once", async () => {
    server.set("a.example", { kind: "silent" });
    const answer = resolved(start({ dns: { timeoutMs: 600 } }), "a.example");
    await server.askedTimes(4);
    time.advance(600);
    expect((await answer).failure).toEqual({ cause: "dns.timeout", code: "ETIMEOUT", since: 1_600 });
  });

  test("a name server that is not there is dns.timeout, at once", async () => {
    const gone = await startDnsServer();
    await gone.close();
    const { failure } = await resolved(start({ dns: { resolvers: [gone.address] } }), "a.example");
    expect(failure).toMatchObject({ cause: "dns.timeout", code: "ECONNREFUSED" });
  });

  test("an answer that cannot be read is the name server's failure", async () => {
    server.set("a.example", { kind: "garbage" });
    const answer = resolved(start({ dns: { timeoutMs: 300 } }), "a.example");
    await server.askedTimes(2);
    time.advance(300);
    expect((await answer).failure).not.toBe(null);
  });

  test("a name that no name server could know does not exist, and nobody is asked", async () => {
    const { failure } = await resolved(start(), "two..dots");
    expect(failure).toMatchObject({ cause: "dns.nxdomain", code: "EBADNAME" });
    expect(server.asked).toEqual([]);
  });

  test.each(["nxdomain", "nodata", "servfail", "refused"] as const)(
    "%s after a good answer keeps the last good addresses without limit, and says so",
    async (kind) => {
      server.set("a.example", { kind: "addresses", ips: ["192.0.2.1", "2001:db8::1"], ttl: 2 });
      // The time limit lies beyond the hours that pass here between a question and its answer.
      const resolver = start({ dns: { timeoutMs: 100_000_000 } });
      const a = watching(resolver, "a.example");
      const good = await a.next();
      server.set("a.example", { kind });
      time.advance(2_000);
      const bad = await a.next();
      expect(bad.addresses).toEqual(good.addresses);
      expect(bad.learnedAt).toBe(1_000);
      expect(bad.failure?.since).toBe(3_000);
      for (let hour = 0; hour < 3; hour += 1) {
        const before = resolver.peek("a.example");
        time.advance(3_600_000);
        await arrives(() => resolver.peek("a.example") !== before);
      }
      expect(resolver.peek("a.example")?.addresses).toEqual(good.addresses);
      expect(resolver.peek("a.example")?.failure?.since).toBe(3_000);
      server.set("a.example", { kind: "addresses", ips: ["192.0.2.2"], ttl: 2 });
      time.advance(20_000);
      const back = await a.next();
      expect(ips(back)).toEqual(["192.0.2.2"]);
      expect(back.failure).toBe(null);
      expect(a.heard).toHaveLength(3);
    },
  );

  test("a request for a name that failed a moment ago hears it from memory; a second later it is asked again", async () => {
    server.set("a.example", { kind: "servfail" });
    const resolver = start();
    await resolved(resolver, "a.example");
    const asked = server.asked.length;
    time.advance(999);
    expect((await resolved(resolver, "a.example")).failure?.cause).toBe("dns.servfail");
    expect(server.asked).toHaveLength(asked);
    time.advance(1);
    server.set("a.example", { kind: "addresses", ips: ["192.0.2.1"] });
    expect(ips(await resolved(resolver, "a.example"))).toEqual(["192.0.2.1"]);
  });

  test("questions about a failing name become rarer: 1, 2, 4, 8 and then every 15 s", async () => {
    server.set("a.example", { kind: "nxdomain" });
    const waits: number[] = [];
    const resolver = start({
      dns: { timeoutMs: 100_000_000 },
      schedule(ms, run) {
        waits.push(ms);
        return time.schedule(ms, run);
      },
    });
    const a = watching(resolver, "a.example");
    await a.next();
    const gaps: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      const gap = waits.findLast((ms) => ms !== 5_000 && ms < 100_000_000) ?? 0;
      gaps.push(gap);
      const before = resolver.peek("a.example");
      time.advance(gap - 1);
      expect(server.asked).toHaveLength(2 * (round + 1));
      time.advance(1);
      await arrives(() => resolver.peek("a.example") !== before);
    }
    expect(gaps).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
  });

  test("one family that fails is no failure, and keeps its own last good addresses", async () => {
    server.set("a.example", { kind: "addresses", ips: ["192.0.2.1", "2001:db8::1"], ttl: 2 });
    const resolver = start();
    const a = watching(resolver, "a.example");
    await a.next();
    server.set("a.example", { kind: "servfail" }, 6);
    server.set("a.example", { kind: "addresses", ips: ["192.0.2.2"], ttl: 2 }, 4);
    time.advance(2_000);
    const mixed = await a.next();
    expect(ips(mixed)).toEqual(["2001:db8::1", "192.0.2.2"]);
    expect(mixed.failure).toBe(null);
  });

  test("one family that is empty while the other is not is simply empty", async () => {
    server.set("a.example", { kind: "addresses", ips: ["192.0.2.1", "2001:db8::1"], ttl: 2 });
    const resolver = start();
    const a = watching(resolver, "a.example");
    await a.next();
    server.set("a.example", { kind: "nodata" }, 6);
    time.advance(2_000);
    expect(ips(await a.next())).toEqual(["192.0.2.1"]);
  });

  test("a name server that says NXDOMAIN for one family and NODATA for the other has an empty name", async () => {
    server.set("a.example", { kind: "nodata" }, 4);
    server.set("a.example", { kind: "nxdomain" }, 6);
    expect((await resolved(start(), "a.example")).failure?.cause).toBe("dns.empty_or_prohibited");
  });
});

test("whatever name servers say, addresses once known are never emptied, and a failure is told exactly while there is one", async () => {
  const kinds = ["nxdomain", "nodata", "servfail", "refused", "garbage"] as const;
  const behaviour = (ip: string): fc.Arbitrary<Behaviour> =>
    fc.oneof(
      { weight: 2, arbitrary: fc.constant({ kind: "addresses", ips: [ip], ttl: 1 } as const) },
      ...kinds.map((kind) => ({ weight: 1, arbitrary: fc.constant({ kind } as const) })),
    );
  let names = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(behaviour("192.0.2.1"), behaviour("2001:db8::1")), { minLength: 1, maxLength: 8 }),
      async (rounds) => {
        const name = `name${(names += 1)}.example`;
        const resolver = start({ dns: { timeoutMs: 100_000_000 } });
        let known = 0;
        for (const [round, [four, six]] of rounds.entries()) {
          server.set(name, four, 4);
          server.set(name, six, 6);
          const before = resolver.peek(name);
          if (round === 0) resolver.watch(name, () => {});
          else time.advance(20_000);
          await arrives(() => resolver.peek(name) !== before && server.asked.at(-1)?.name === name);
          const now = resolver.peek(name)!;
          const answered = four.kind === "addresses" || six.kind === "addresses";
          expect(now.failure === null).toBe(answered);
          if (answered) expect(now.addresses.length).toBeGreaterThan(0);
          expect(now.addresses.length).toBeGreaterThanOrEqual(Math.min(known, 1));
          known = now.addresses.length;
        }
        resolver.close();
      },
    ),
    { numRuns: 40 },
  );
});

describe("several name servers", () => {
  test("the next one answers for one that fails, and is asked first from then on", async () => {
    const second = await startDnsServer();
    try {
      server.set("a.example", { kind: "servfail" });
      second.set("a.example", { kind: "addresses", ips: ["192.0.2.1"], ttl: 2 });
      const resolver = start({ dns: { resolvers: [server.address, second.address] } });
      const a = watching(resolver, "a.example");
      const { addresses, failure } = await a.next();
      expect(addresses).toHaveLength(1);
      expect(failure).toBe(null);
      const asked = server.asked.length;
      time.advance(2_000);
      await second.askedTimes(4);
      expect(server.asked).toHaveLength(asked);
    } finally {
      await second.close();
    }
  });

  test("a silent one costs its time limit, then the next is asked", async () => {
    const second = await startDnsServer();
    try {
      server.set("a.example", { kind: "silent" });
      second.set("a.example", { kind: "addresses", ips: ["192.0.2.1"] });
      const answer = resolved(
        start({ dns: { resolvers: [server.address, second.address], timeoutMs: 600 } }),
        "a.example",
      );
      await server.askedTimes(2);
      expect(second.asked).toEqual([]);
      time.advance(600);
      expect(ips(await answer)).toEqual(["192.0.2.1"]);
    } finally {
      await second.close();
    }
  });

  test("that a name does not exist is an answer: the next one is not asked", async () => {
    const second = await startDnsServer();
    try {
      second.set("a.example", { kind: "addresses", ips: ["192.0.2.1"] });
      const { failure } = await resolved(start({ dns: { resolvers: [server.address, second.address] } }), "a.example");
      expect(failure?.cause).toBe("dns.nxdomain");
      expect(second.asked).toEqual([]);
    } finally {
      await second.close();
    }
  });

  test("when all fail, an answer that reports trouble says more than silence", async () => {
    const gone = await startDnsServer();
    await gone.close();
    server.set("a.example", { kind: "servfail" });
    const { failure } = await resolved(start({ dns: { resolvers: [server.address, gone.address] } }), "a.example");
    expect(failure?.cause).toBe("dns.servfail");
  });
});

describe("bounds and the end", () => {
  test("names that nobody watches are forgotten, oldest first, when there are too many", async () => {
    const resolver = start({ namesMax: 3 });
    for (const name of ["a", "b", "c", "d"]) server.set(`${name}.example`, { kind: "addresses", ips: ["192.0.2.1"] });
    await watching(resolver, "a.example").next();
    for (const name of ["b", "c", "d"]) await resolved(resolver, `${name}.example`);
    expect(resolver.peek("a.example")).not.toBe(null);
    expect(resolver.peek("b.example")).toBe(null);
    expect(resolver.peek("c.example")).not.toBe(null);
    expect(resolver.peek("d.example")).not.toBe(null);
  });

  test("closing answers whoever waits, stops every timer, and nothing is heard afterwards", async () => {
    server.set("a.example", { kind: "held" });
    const resolver = start();
    const answer = resolved(resolver, "a.example");
    const a = watching(resolver, "a.example");
    await server.askedTimes(2);
    resolver.close();
    expect((await answer).failure).toMatchObject({ cause: "dns.timeout", code: "ECANCELLED" });
    server.release();
    expect((await resolved(resolver, "a.example")).failure?.code).toBe("ECANCELLED");
    time.advance(60_000);
    expect(a.heard).toEqual([]);
    expect(time.waiting()).toBe(0);
  });

  test("whoever watches a name that is known already hears it, after watch has returned", async () => {
    const resolver = start();
    const heard: Resolution[] = [];
    const stop = resolver.watch("192.0.2.7", (resolution) => heard.push(resolution));
    expect(heard).toEqual([]);
    await Promise.resolve();
    expect(heard).toHaveLength(1);
    stop();
  });
});

test("without resolvers of its own it asks those of resolv.conf, and follows changes of it", async () => {
  // Servers in resolv.conf are asked at port 53, where nothing of ours can listen: that somebody refuses is the proof.
  writeFileSync(path.join(directory, "resolv.conf"), "nameserver 127.0.0.1\n");
  const resolver = start({ dns: { resolvers: [], timeoutMs: 300 }, schedule: systemSchedule });
  const { failure } = await resolved(resolver, "nowhere.invalid");
  expect(failure).not.toBe(null);
});

describe("other settings", () => {
  test("send questions to other name servers, and what failed is asked there at once", async () => {
    const other = await startDnsServer();
    try {
      server.set("a.test", { kind: "addresses", ips: ["192.0.2.1"], ttl: 60 });
      server.set("b.test", { kind: "servfail" });
      other.set("a.test", { kind: "addresses", ips: ["192.0.2.9"], ttl: 60 });
      other.set("b.test", { kind: "addresses", ips: ["192.0.2.2"], ttl: 60 });
      const resolver = start();
      const good = watching(resolver, "a.test");
      const bad = watching(resolver, "b.test");
      await good.next();
      expect((await bad.next()).failure).not.toBeNull();
      resolver.configure({ resolvers: [other.address], timeoutMs: 20_000, ttlMinMs: 1_000, ttlMaxMs: 300_000 });
      expect((await bad.next()).addresses.map(({ ip }) => ip)).toEqual(["192.0.2.2"]);
      // What is known stays known for as long as it is good.
      expect(resolver.peek("a.test")?.addresses.map(({ ip }) => ip)).toEqual(["192.0.2.1"]);
      expect(other.asked.map(({ name }) => name)).not.toContain("a.test");
    } finally {
      await other.close();
    }
  });

  test("take up the name servers of the system, which were not looked for before", async () => {
    writeFileSync(path.join(directory, "resolv.conf"), "nameserver 127.0.0.1\n");
    const resolver = start();
    server.set("a.test", { kind: "addresses", ips: ["192.0.2.1"], ttl: 60 });
    expect((await resolved(resolver, "a.test")).failure).toBeNull();
    const dns = { timeoutMs: 20_000, ttlMinMs: 1_000, ttlMaxMs: 300_000 };
    resolver.configure({ ...dns, resolvers: [] });
    resolver.configure({ ...dns, resolvers: [server.address] });
    server.set("b.test", { kind: "addresses", ips: ["192.0.2.2"], ttl: 60 });
    expect((await resolved(resolver, "b.test")).addresses.map(({ ip }) => ip)).toEqual(["192.0.2.2"]);
  });
});
