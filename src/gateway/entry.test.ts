/** What one client or one route may ask for, through the whole gateway. */
import { describe, expect, it } from "vitest";
import { memoryGateway, seededChance } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../test/support/memory-gateway.ts";
import type { Peer } from "../../test/support/memory-socket.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const get = (fields = "", path = "/"): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`;

function limited(rateLimit: unknown): Promise<MemoryGateway> {
  return memoryGateway({ service: { routes: [{ rateLimit }] }, rest: { trustedProxies: ["10.9.0.0/16"] } });
}

/** The answer to one request, which the origin answers at once. */
function ask(world: MemoryGateway, client: Peer, fields = ""): string {
  client.take();
  client.send(get(fields));
  for (const origin of world.network.dialled) if (origin.take().includes("\r\n\r\n")) origin.send(OK);
  return client.take();
}

function statusOf(answer: string): string {
  return /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? "";
}

function field(answer: string, name: string): string {
  return new RegExp(`\r\n${name}: ([^\r]*)\r\n`, "i").exec(answer)?.[1] ?? "";
}

describe("a rate limit", () => {
  it("refuses with 429, says when to come back, and tells the quota with every answer", async () => {
    const world = await limited({ rate: "2/s" });
    const client = world.client();
    const answers = [1, 2, 3].map(() => ask(world, client));
    expect(answers.map(statusOf)).toEqual(["200", "200", "429"]);
    expect(answers.map((answer) => field(answer, "RateLimit-Policy"))).toEqual(Array(3).fill('"client";q=2;w=1'));
    expect(answers.map((answer) => field(answer, "RateLimit"))).toEqual([
      '"client";r=1;t=1',
      '"client";r=0;t=1',
      '"client";r=0;t=1',
    ]);
    const refusal = answers[2] ?? "";
    expect(field(refusal, "Retry-After")).toBe("1");
    expect(field(refusal, "Proxy-Status")).toBe("goodgate; error=http_request_denied");
    expect(field(refusal, "Connection")).toBe("keep-alive");
    expect(world.records[2]).toMatchObject({
      outcome: "refused",
      cause: "client.rate_limited",
      party: "client",
      step: "admit",
      status: 429,
      evidence: 'rate limit "client": 2 requests in 1s for each client; one more in 500 ms',
      attempts: [],
    });
    world.advance(500);
    expect(statusOf(ask(world, client))).toBe("200");
    expect(world.faults).toEqual([]);
  });

  it("counts each client by its network: neighbours in one IPv6 network are one client", async () => {
    const world = await limited({ rate: "1/m" });
    expect(statusOf(ask(world, world.client("192.0.2.1")))).toBe("200");
    expect(statusOf(ask(world, world.client("192.0.2.2")))).toBe("200");
    expect(statusOf(ask(world, world.client("192.0.2.1")))).toBe("429");
    expect(statusOf(ask(world, world.client("2001:db8::1")))).toBe("200");
    expect(statusOf(ask(world, world.client("2001:db8::ffff:1")))).toBe("429");
    expect(statusOf(ask(world, world.client("2001:db8:0:1::1")))).toBe("200");
  });

  it("behind a trusted proxy counts who the proxy says it is, and nobody else may say that", async () => {
    const world = await limited({ rate: "1/m" });
    const proxy = world.client("10.9.0.1");
    expect(statusOf(ask(world, proxy, "X-Forwarded-For: 203.0.113.1\r\n"))).toBe("200");
    expect(statusOf(ask(world, proxy, "X-Forwarded-For: 203.0.113.2\r\n"))).toBe("200");
    expect(statusOf(ask(world, proxy, "X-Forwarded-For: 203.0.113.1\r\n"))).toBe("429");
    const liar = world.client("192.0.2.1");
    expect(statusOf(ask(world, liar, "X-Forwarded-For: 203.0.113.7\r\n"))).toBe("200");
    expect(statusOf(ask(world, liar, "X-Forwarded-For: 203.0.113.8\r\n"))).toBe("429");
  });

  it("by a field counts each value apart, and requests without it together", async () => {
    const world = await limited({ rate: "1/m", per: "header:X-Api-Key" });
    const client = world.client();
    const with_ = (key: string): string => statusOf(ask(world, client, `X-Api-Key: ${key}\r\n`));
    expect([with_("a"), with_("b"), with_("a")]).toEqual(["200", "200", "429"]);
    expect([1, 2].map(() => statusOf(ask(world, client)))).toEqual(["200", "429"]);
    expect(JSON.stringify(world.records)).not.toMatch(/"evidence":"[^"]*\bfield x-api-key (a|b)\b/);
  });

  it("of the route is shared by all, and sends them back at different times", async () => {
    const world = await memoryGateway({
      service: { routes: [{ rateLimit: { rate: "1/10s", per: "route" } }] },
      chance: seededChance(3),
    });
    const waits = Array.from({ length: 12 }, (_, i) => ask(world, world.client(`192.0.2.${i + 1}`)));
    expect(waits.map(statusOf)).toEqual(["200", ...Array.from({ length: 11 }, () => "429")]);
    const seconds = waits.slice(1).map((answer) => Number(field(answer, "Retry-After")));
    expect(Math.min(...seconds)).toBeGreaterThanOrEqual(10);
    expect(new Set(seconds).size).toBeGreaterThan(4);
  });

  it("is one of several that all have to hold, and what one refuses costs nothing with the others", async () => {
    const world = await limited([
      { rate: "1/s", name: "second" },
      { rate: "3/h", name: "hour" },
    ]);
    const client = world.client();
    expect(statusOf(ask(world, client))).toBe("200");
    const refused = ask(world, client);
    expect(statusOf(refused)).toBe("429");
    expect(field(refused, "RateLimit-Policy")).toBe('"second";q=1;w=1, "hour";q=3;w=3600');
    expect(field(refused, "RateLimit")).toMatch(/^"second";r=0;t=1, "hour";r=2;t=\d+$/);
    const later = [1, 2, 3].map(() => {
      world.advance(1_000);
      return statusOf(ask(world, client));
    });
    expect(later).toEqual(["200", "200", "429"]);
    expect(world.records.at(-1)?.evidence).toMatch(/^rate limit "hour": /);
  });

  it("in shadow refuses nothing, tells clients nothing, and notes and counts what it would have done", async () => {
    const world = await limited({ rate: "1/m", shadow: true });
    const client = world.client();
    const answers = [1, 2].map(() => ask(world, client));
    expect(answers.map(statusOf)).toEqual(["200", "200"]);
    expect(answers.join("")).not.toMatch(/RateLimit/i);
    expect(world.records.map((record) => record.decisions.map(({ code }) => code))).toEqual([
      [],
      ["admit.rate-limit-shadow"],
    ]);
    expect(world.records[1]?.decisions[0]?.reason).toMatch(
      /^rate limit "client": 1 request in 1m for each client \(shadow: only noted\)/,
    );
  });

  it("is of its route alone", async () => {
    const world = await memoryGateway({
      service: { routes: [{ match: { path: "/slow/*" }, rateLimit: { rate: "1/m" } }] },
    });
    const client = world.client();
    expect([1, 2, 3].map(() => statusOf(ask(world, client)))).toEqual(["200", "200", "200"]);
  });
});

describe("connections of one client", () => {
  const LIMITS = { limits: { connections: 100, connectionsPerClient: 3 }, trusted: ["198.51.100.0/24"] };

  it("are bounded: a few more are told so, the rest is closed, and others are served", async () => {
    const world = await memoryGateway({ rest: LIMITS });
    const own = Array.from({ length: 3 }, () => world.client("192.0.2.1"));
    const told = world.client("192.0.2.1");
    const answer = ask(world, told);
    expect(statusOf(answer)).toBe("429");
    expect(field(answer, "Connection")).toBe("close");
    expect(world.records[0]).toMatchObject({
      cause: "client.flood",
      evidence: "3 connections of this client are open (limits.connectionsPerClient)",
    });
    const more = Array.from({ length: 20 }, () => world.network.connect("192.0.2.1"));
    expect(more.filter((peer) => peer !== null).length).toBeLessThan(5);
    expect(statusOf(ask(world, world.client("192.0.2.2")))).toBe("200");
    // A place that becomes free can be had.
    for (const peer of [...own, told, ...more]) peer?.rst();
    expect(statusOf(ask(world, world.client("192.0.2.1")))).toBe("200");
    expect(world.faults).toEqual([]);
  });

  it("that have been idle make room for its new ones", async () => {
    const world = await memoryGateway({ rest: LIMITS });
    const idle = Array.from({ length: 3 }, () => world.client("192.0.2.1"));
    world.advance(1_500);
    expect(statusOf(ask(world, world.client("192.0.2.1")))).toBe("200");
    expect(idle.filter((peer) => peer.ended !== "")).toHaveLength(1);
  });

  it("are not counted for protected clients and trusted proxies", async () => {
    const world = await memoryGateway({ rest: { ...LIMITS, trustedProxies: ["10.9.0.0/16"] } });
    for (const address of ["198.51.100.7", "10.9.0.1", "127.0.0.1"]) {
      const peers = Array.from({ length: 10 }, () => world.client(address));
      expect(peers.map((peer) => statusOf(ask(world, peer)))).toEqual(Array.from({ length: 10 }, () => "200"));
    }
  });
});

describe("a flood of requests", () => {
  const LIMITS = { limits: { flood: { calm: { times: 20, perSecond: 100 } } }, trusted: ["198.51.100.0/24"] };

  /** A second in which twenty others ask once each and one client asks so often. */
  function second(world: MemoryGateway, heavy: Peer, times: number, others: readonly Peer[]): string[] {
    for (const other of others) ask(world, other);
    const statuses = Array.from({ length: times }, () => statusOf(ask(world, heavy)));
    world.advance(1_000);
    return statuses;
  }

  function crowd(world: MemoryGateway): Peer[] {
    return Array.from({ length: 20 }, (_, i) => world.client(`192.0.2.${i + 1}`));
  }

  it("is held back with the rule in the record, and for ten seconds at most", async () => {
    const world = await memoryGateway({ rest: LIMITS });
    const others = crowd(world);
    const events: string[] = [];
    world.gateway.view.subscribe((event) => {
      if (event.kind === "gateway") events.push(`${event.code} ${event.detail}`);
    });
    const heavy = world.client("203.0.113.9");
    const statuses = second(world, heavy, 2_000, others);
    expect(statuses.filter((status) => status === "429").length).toBeGreaterThan(1_800);
    const refused = world.records.find((record) => record.cause === "client.flood");
    expect(refused).toMatchObject({ outcome: "refused", status: 429, step: "admit" });
    expect(refused?.evidence).toMatch(/^rule flood\.dominant: .*\d+ requests a second; the other 20 clients bring/);
    expect(
      events.filter((text) => text.startsWith("flood.holding-back 203.0.113.9 by rule flood.dominant")),
    ).toHaveLength(1);
    expect(world.gateway.view.metrics().floodRefused).toBeGreaterThan(1_800);
    expect(others.map((other) => statusOf(ask(world, other)))).toEqual(Array.from({ length: 20 }, () => "200"));
    world.advance(15_000);
    expect(statusOf(ask(world, heavy))).toBe("200");
    expect(world.faults).toEqual([]);
  });

  it("of a protected client passes, and says why", async () => {
    const world = await memoryGateway({ rest: LIMITS });
    const heavy = world.client("198.51.100.9");
    const statuses = second(world, heavy, 1_000, crowd(world));
    expect(new Set(statuses)).toEqual(new Set(["200"]));
    const spared = world.records.find((record) => record.decisions.length > 0);
    expect(spared?.decisions[0]).toMatchObject({ code: "admit.flood-spared" });
    expect(spared?.decisions[0]?.reason).toMatch(/^a protected identity: /);
  });

  it("of a client that was good for minutes passes", async () => {
    const world = await memoryGateway({ rest: LIMITS });
    const others = crowd(world);
    const partner = world.client("203.0.113.9");
    for (let stretch = 0; stretch < 14; stretch += 1) {
      second(world, partner, 3, others);
      world.advance(9_000);
    }
    expect(new Set(second(world, partner, 1_000, others))).toEqual(new Set(["200"]));
    expect(
      world.records.some(({ decisions }) => decisions[0]?.reason.startsWith("a client that was good before")),
    ).toBe(true);
  });

  it("is cut by far lower bounds while requests are turned away for lack of room", async () => {
    const world = await memoryGateway({
      rest: { limits: { flood: { stressed: { times: 5, perSecond: 10 } } } },
      service: {
        connections: { perOrigin: 1 },
        routes: [{ match: { path: "/wait" }, timeouts: { connect: "100ms" } }],
      },
    });
    const others = crowd(world);
    const heavy = world.client("203.0.113.9");
    expect(new Set(second(world, heavy, 100, others))).toEqual(new Set(["200"]));
    // Somebody keeps the only connection, and another one waits for it in vain.
    others[0]?.send(get("", "/wait"));
    others[1]?.send(get("", "/wait"));
    world.advance(200);
    expect(world.records.at(-1)).toMatchObject({ cause: "gw.pool_wait", party: "overload" });
    for (const origin of world.network.dialled) origin.send(OK);
    const statuses = second(world, heavy, 100, others.slice(2));
    expect(statuses.filter((status) => status === "429").length).toBeGreaterThan(50);
    expect(world.records.find(({ cause }) => cause === "client.flood")?.evidence).toMatch(/^rule flood\.stressed: /);
  });

  it("in shadow is noted and passes; switched off nobody looks", async () => {
    const shadow = { ...LIMITS, limits: { flood: { ...LIMITS.limits.flood, shadow: true } } };
    const world = await memoryGateway({ rest: shadow });
    expect(new Set(second(world, world.client("203.0.113.9"), 1_000, crowd(world)))).toEqual(new Set(["200"]));
    expect(world.records.some(({ decisions }) => decisions[0]?.code === "admit.flood-shadow")).toBe(true);
    const off = await memoryGateway({ rest: { limits: { flood: false } } });
    expect(new Set(second(off, off.client("203.0.113.9"), 1_000, crowd(off)))).toEqual(new Set(["200"]));
    expect(off.records.every(({ decisions }) => decisions.length === 0)).toBe(true);
  });

  it("is cut while a batch of one's own, its probes and everybody else are served, in one run", async () => {
    const world = await memoryGateway({
      rest: { limits: { flood: { calm: { times: 10, perSecond: 60 } } }, trusted: ["198.51.100.0/24"] },
    });
    const others = crowd(world);
    const partner = world.client("203.0.113.1");
    for (let stretch = 0; stretch < 14; stretch += 1) {
      second(world, partner, 3, others);
      world.advance(9_000);
    }
    const batch = world.client("198.51.100.7");
    const probe = world.client("127.0.0.1");
    const flood = world.client("203.0.113.100");
    for (const other of others) ask(world, other);
    const before = world.records.length;
    for (let now = 0; now < 4; now += 1) {
      for (const other of others) ask(world, other);
      for (const client of [batch, partner, probe]) for (let i = 0; i < 100; i += 1) ask(world, client);
      for (let i = 0; i < 300; i += 1) ask(world, flood);
      world.advance(1_000);
    }
    const records = world.records.slice(before);
    const flooding = records.filter(({ clientAddress }) => clientAddress === "203.0.113.100");
    const legitimate = records.filter(({ clientAddress }) => clientAddress !== "203.0.113.100");
    const refused = flooding.filter(({ cause }) => cause === "client.flood");
    // What passed did so before the first second was over (policies/flood.test.ts holds a minute against its mark).
    expect(flooding.length - refused.length).toBeLessThan(150);
    expect(refused.length).toBeGreaterThan(1_000);
    expect(legitimate.filter(({ status }) => status !== 200)).toEqual([]);
    const spared = new Set(legitimate.flatMap(({ decisions }) => decisions.map(({ reason }) => reason.split(":")[0])));
    expect(spared).toEqual(new Set(["a protected identity", "a client that was good before"]));
    expect(world.faults).toEqual([]);
  });
});
