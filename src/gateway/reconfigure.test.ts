/** Other settings for a gateway that serves: what changes, and what does not notice. */
import { describe, expect, it } from "vitest";
import type { GatewayEvent } from "../contract/view.ts";
import { memoryGateway, seededChance } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../test/support/memory-gateway.ts";

const A = "http://10.0.0.1";
const B = "http://10.0.0.2";
const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const HEAD_OF_TEN = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";

type Options = Readonly<Record<string, unknown>>;

function addressOf(world: MemoryGateway, text: string): ReturnType<typeof allAddresses>[number] | undefined {
  return allAddresses(world).find(({ address }) => address === text);
}

function allAddresses(world: MemoryGateway) {
  return world.gateway.view.origins().flatMap(({ addresses }) => addresses);
}

describe("an exchange that is under way", () => {
  it("ends as it began when its origin has left the configuration, and its connection goes then", async () => {
    const world = await memoryGateway({ origins: [A] });
    const client = world.client();
    client.send(GET);
    const origin = world.origin(1);
    origin.send(`${HEAD_OF_TEN}hello`);
    expect(await world.apply({ origins: [B] })).toEqual({ kind: "applied" });
    expect(origin.ended).toBe("");
    origin.send("world");
    expect(client.received).toMatch(/helloworld$/);
    expect(origin.ended).not.toBe("");
    client.send(GET);
    expect(world.origin(2).address).toBe("10.0.0.2:80");
    expect(world.records[0]).toMatchObject({ outcome: "served", cause: null });
  });

  it("is repeated at an origin that is configured now", async () => {
    const world = await memoryGateway({ origins: [A] });
    const client = world.client();
    client.send(GET);
    await world.apply({ origins: [A, B] });
    world.origin(1).rst();
    expect(world.origin(2).address).toBe("10.0.0.2:80");
    world.origin(2).send(OK);
    expect(client.received).toMatch(/ok$/);
    expect(world.records[0]).toMatchObject({ outcome: "rescued" });
  });

  it("keeps the timeouts of the route that it was led to", async () => {
    const route = (firstByte: string): Options => ({
      routes: [{ match: { path: "/*" }, name: "all", timeouts: { firstByte } }],
      retry: false,
    });
    const world = await memoryGateway({ service: route("5s") });
    const client = world.client();
    client.send(GET);
    await world.apply({ service: route("1s") });
    world.advance(3_000);
    expect(client.received).toBe("");
    world.origin(1).send(OK);
    expect(client.received).toMatch(/ok$/);
    const late = world.client();
    late.send(GET);
    world.advance(1_200);
    expect(late.received).toMatch(/^HTTP\/1\.1 504/);
  });

  it("ends in a service that is gone", async () => {
    const world = await memoryGateway({ service: { hosts: ["x"] } });
    const client = world.client();
    client.send(GET);
    const services = { other: { hosts: ["y"], health: false, pools: [{ origins: [B] }] } };
    expect(await world.apply({ rest: { services } })).toEqual({ kind: "applied" });
    world.origin(1).send(OK);
    expect(client.take()).toMatch(/ok$/);
    client.send(GET);
    expect(client.take()).toMatch(/^HTTP\/1\.1 404/);
    client.send("GET / HTTP/1.1\r\nHost: y\r\n\r\n");
    world.origin(2).send(OK);
    expect(client.take()).toMatch(/ok$/);
    expect(world.gateway.view.status().services.map(({ name }) => name)).toEqual(["other"]);
  });

  it("leaves the slot that it took, wherever its route has moved to", async () => {
    const slow = { match: { path: "/slow" }, name: "slow", class: "critical" };
    const first = { match: { path: "/first" }, name: "first" };
    const world = await memoryGateway({ service: { routes: [slow] } });
    const client = world.client();
    client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(addressOf(world, "10.0.0.1:80")).toMatchObject({ held: 1, inFlight: 1 });
    await world.apply({ service: { routes: [first, slow] } });
    expect(addressOf(world, "10.0.0.1:80")).toMatchObject({ held: 1, inFlight: 1 });
    // Gone altogether, and its number must not be another's before it is free.
    await world.apply({ service: { routes: [first] } });
    const other = world.client();
    other.send("GET /first HTTP/1.1\r\nHost: x\r\n\r\n");
    world.origin(2).send(OK);
    world.origin(1).send(OK);
    expect(client.received).toMatch(/ok$/);
    expect(addressOf(world, "10.0.0.1:80")).toMatchObject({ held: 0, inFlight: 0, attempts: 2 });
    expect(world.faults).toEqual([]);
  });

  it("goes on as a tunnel", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n");
    const origin = world.origin(1);
    origin.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n");
    await world.apply({ origins: [B] });
    world.advance(120_000);
    origin.take();
    client.send("there?");
    expect(origin.take()).toBe("there?");
    origin.send("yes");
    expect(client.received).toMatch(/yes$/);
  });

  it("that waits for room gets it by the new limit", async () => {
    const limited = (concurrency: number): Options => ({ overload: { concurrency } });
    const world = await memoryGateway({ service: limited(1) });
    const [one, two] = [world.client(), world.client()];
    one.send(GET);
    two.send(GET);
    expect(world.network.dialled).toHaveLength(1);
    await world.apply({ service: limited(2) });
    world.advance(50);
    expect(world.network.dialled).toHaveLength(2);
    world.origin(1).send(OK);
    world.origin(2).send(OK);
    expect([one, two].map(({ received }) => received.slice(-2))).toEqual(["ok", "ok"]);
  });
});

describe("what stays in the configuration", () => {
  it("keeps its idle connections", async () => {
    const world = await memoryGateway({ origins: [A] });
    const client = world.client();
    client.send(GET);
    world.origin(1).send(OK);
    await world.apply({ origins: [A], service: { retry: { attempts: 2 }, routes: [{ match: { path: "/new" } }] } });
    expect(client.ended).toBe("");
    client.send(GET);
    expect(world.network.dialled).toHaveLength(1);
    world.origin(1).send(OK);
    expect(world.records.at(-1)?.attempts[0]).toMatchObject({ reused: true });
  });

  it("stays ejected, and comes back when it would have", async () => {
    const options = (weight: number) => ({
      service: { retry: false, pools: [{ name: "main", origins: [{ url: A, weight }, B] }] },
      chance: seededChance(),
    });
    const world = await memoryGateway(options(100));
    for (let number = 0; number < 20; number += 1) world.client().send(GET);
    for (const origin of world.network.dialled) if (origin.address === "10.0.0.2:80") origin.send(OK);
    for (const origin of world.network.dialled) if (origin.address === "10.0.0.1:80") origin.rst();
    expect(addressOf(world, "10.0.0.1:80")?.state).toBe("ejected");
    const before = addressOf(world, "10.0.0.1:80");
    await world.apply(options(50));
    expect(addressOf(world, "10.0.0.1:80")).toMatchObject({
      state: "ejected",
      until: before?.until,
      attempts: before?.attempts,
    });
  });

  it("stays down by its checks while they ask the same, and is unknown when they ask something else", async () => {
    const checked = (health: Options): Options => ({ health: { path: "/up", ...health } });
    const world = await memoryGateway({ service: checked({}), origins: [A, B] });
    const fail = (): void => {
      const [target] = world.gateway.checkTargets();
      if (target !== undefined) world.gateway.checked(target, { ok: false, detail: "status 503" });
    };
    fail();
    fail();
    fail();
    expect(addressOf(world, "10.0.0.1:80")?.state).toBe("down");
    await world.apply({ service: checked({ interval: "3s", down: 4 }), origins: [A, B] });
    expect(addressOf(world, "10.0.0.1:80")?.state).toBe("down");
    await world.apply({ service: checked({ path: "/ready" }), origins: [A, B] });
    expect(addressOf(world, "10.0.0.1:80")).toMatchObject({ state: "up", check: { ok: null } });
    expect(world.gateway.checkTargets().map(({ health }) => health.path)).toEqual(["/ready", "/ready"]);
  });

  it("stays taken out by hand", async () => {
    const world = await memoryGateway({ origins: [A, B] });
    const order = { service: "test", origin: A, by: "ann", reason: "new kernel", forMs: 60_000 };
    world.gateway.actions.drainOrigin(order);
    await world.apply({ origins: [A, B], service: { retry: false } });
    expect(addressOf(world, "10.0.0.1:80")?.state).toBe("drained");
    expect(world.gateway.actions.restoreOrigin(order)).toMatchObject({ done: true });
  });

  it("has used up what it has used up of its rate limits", async () => {
    const limited = (name: string): Options => ({
      routes: [{ match: { path: "/*" }, name: "all", rateLimit: { name: "few", rate: "1/1m" } }],
      reducedMode: name === "other",
    });
    const world = await memoryGateway({ service: limited("one") });
    const client = world.client();
    client.send(GET);
    world.origin(1).send(OK);
    await world.apply({ service: limited("other") });
    client.take();
    client.send(GET);
    expect(client.take()).toMatch(/^HTTP\/1\.1 429/);
  });

  it("has its stored responses", async () => {
    const cached = (retry: boolean): Options => ({
      routes: [{ match: { path: "/*" }, name: "all", cache: true }],
      ...(retry ? {} : { retry: false }),
    });
    const world = await memoryGateway({ service: cached(true) });
    const client = world.client();
    client.send(GET);
    world.origin(1).send(`HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nok`);
    await world.apply({ service: cached(false) });
    client.take();
    client.send(GET);
    expect(client.take()).toMatch(/Cache-Status: [^\r]*hit/);
    await world.apply({ service: { routes: [] } });
    expect(world.gateway.view.metrics().cache.entries).toBe(0);
  });
});

describe("counters", () => {
  it("never go back, also of a route and an origin that leave and come again", async () => {
    const routes = [{ match: { path: "/a" }, name: "a" }];
    const world = await memoryGateway({ service: { routes } });
    const ask = (): void => {
      const client = world.client();
      client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
      world.network.dialled.at(-1)?.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    };
    const counted = (): unknown => {
      const { routes: all, origins } = world.gateway.view.metrics();
      return [
        all.find(({ route }) => route === "a")?.byOutcome.served,
        origins.find(({ origin }) => origin === A)?.attempts,
      ];
    };
    ask();
    ask();
    await world.apply({ origins: [B], service: { routes: [] } });
    expect(counted()).toEqual([2, undefined]);
    await world.apply({ service: { routes } });
    expect(counted()).toEqual([2, 2]);
    ask();
    expect(counted()).toEqual([3, 3]);
  });

  it("tell the facts of each second once, whatever is applied meanwhile", async () => {
    const world = await memoryGateway();
    const client = world.client();
    for (let number = 0; number < 5; number += 1) {
      client.send(GET);
      world.origin(1).send(OK);
      await world.apply({ service: { retry: { attempts: 1 + (number % 2) } } });
    }
    world.advance(2_000);
    const seconds = world.facts.flatMap((fact) => (fact.kind === "second" ? [fact] : []));
    const served = seconds.flatMap(({ traffic }) => traffic).reduce((sum, row) => sum + row.byOutcome.served, 0);
    const attempts = seconds.flatMap(({ origins }) => origins).reduce((sum, row) => sum + row.attempts, 0);
    expect([served, attempts]).toEqual([5, 5]);
    expect(seconds.at(-1)?.revision).toBe("hash-6");
  });
});

describe("listeners", () => {
  it("take other timeouts, also for who is connected", async () => {
    const world = await memoryGateway({ listener: { timeouts: { idle: "75s" } } });
    const client = world.client();
    client.send(GET);
    await world.apply({ listener: { timeouts: { idle: "2s" } } });
    world.origin(1).send(OK);
    expect(client.ended).toBe("");
    world.advance(2_100);
    expect(client.ended).not.toBe("");
  });

  it("are opened and closed, and who is connected is finished", async () => {
    const listeners = (...ports: number[]): Options => ({
      rest: { listeners: ports.map((port) => ({ bind: `127.0.0.1:${port}` })) },
    });
    const world = await memoryGateway(listeners(8080));
    const [idle, busy, asks] = [world.client(), world.client(), world.client()];
    busy.send(GET);
    expect(await world.apply(listeners(8080, 8081))).toEqual({ kind: "applied" });
    expect(world.network.listening).toEqual([8080, 8081]);
    await world.apply(listeners(8081));
    world.network.settle();
    expect(world.network.listening).toEqual([8081]);
    expect(world.gateway.listening.map(({ port }) => port)).toEqual([8081]);
    world.origin(1).send(OK);
    expect(busy.received).toMatch(/Connection: close[\s\S]*ok$/);
    expect(busy.ended).not.toBe("");
    // Whoever asks on is answered for some seconds, and told to connect elsewhere.
    world.advance(4_000);
    asks.send(GET);
    world.origin(1).send(OK);
    expect(asks.received).toMatch(/Connection: close[\s\S]*ok$/);
    expect(idle.ended).toBe("");
    world.advance(1_200);
    expect(idle.ended).not.toBe("");
    world.client(undefined, 8081).send(GET);
    world.origin(1).send(OK);
    expect(world.records.at(-1)?.listener).toBe("127.0.0.1:8081");
  });

  it("that are gone are not waited for longer than a drain may take", async () => {
    const listeners = (port: number): Options => ({
      rest: { listeners: [{ bind: `127.0.0.1:${port}` }], drain: "2s" },
      service: { routes: [{ match: { path: "/*" }, timeouts: { firstByte: "60s" } }] },
    });
    const world = await memoryGateway(listeners(8080));
    const timers = world.timers();
    const client = world.client();
    client.send(GET);
    await world.apply(listeners(8081));
    world.advance(1_500);
    expect(client.ended).toBe("");
    world.advance(1_000);
    expect(client.ended).not.toBe("");
    expect(world.records[0]).toMatchObject({ cause: "gw.draining" });
    expect(world.timers()).toBe(timers);
  });

  it("that are gone tell a WebSocket of it that begins afterwards", async () => {
    const listeners = (port: number): Options => ({ rest: { listeners: [{ bind: `127.0.0.1:${port}` }] } });
    const world = await memoryGateway(listeners(8080));
    const client = world.client();
    const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    client.send(`GET / HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`);
    await world.apply(listeners(8081));
    world.origin(1).send(`HTTP/1.1 101 Switching Protocols\r\n${upgrade}\r\n`);
    client.take();
    world.advance(200);
    expect(client.take()).toBe("\x88\x02\x03\xe9");
  });

  it("that cannot be opened refuse the whole change", async () => {
    const world = await memoryGateway();
    world.network.taken.add(8082);
    const listeners = [8080, 8081, 8082].map((port) => ({ bind: `127.0.0.1:${port}` }));
    const applied = await world.apply({ origins: [B], rest: { listeners } });
    expect(applied).toMatchObject({ kind: "cannot listen", error: { code: "EADDRINUSE" } });
    expect(world.network.listening).toEqual([8080]);
    world.client(undefined, 8080).send(GET);
    expect(world.origin(1).address).toBe("10.0.0.1:80");
    expect(await world.apply({ origins: [B] })).toEqual({ kind: "applied" });
  });

  it("take peers for trusted from the next request on, and no longer when they are not", async () => {
    const trusting = (ranges: readonly string[]): Options => ({ listener: { trustedProxies: ranges } });
    const world = await memoryGateway();
    const client = world.client("192.0.2.7");
    const ask = (): string | undefined => {
      client.send("GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 198.51.100.9\r\n\r\n");
      world.origin(1).send(OK);
      return world.records.at(-1)?.clientAddress;
    };
    expect(ask()).toBe("192.0.2.7");
    await world.apply(trusting(["192.0.2.0/24"]));
    expect(ask()).toBe("198.51.100.9");
    await world.apply(trusting([]));
    expect(ask()).toBe("192.0.2.7");
  });
});

describe("limits", () => {
  it("of connections hold from then on", async () => {
    const limits = (connections: number): Options => ({ rest: { limits: { connections } } });
    const world = await memoryGateway(limits(100));
    world.client("192.0.2.1").send(GET);
    await world.apply(limits(1));
    const client = world.client("192.0.2.2");
    client.send(GET);
    expect(client.received).toMatch(/^HTTP\/1\.1 503/);
    await world.apply(limits(100));
    const later = world.client("192.0.2.3");
    later.send(GET);
    world.origin(2).send(OK);
    expect(later.received).toMatch(/ok$/);
  });
});

describe("a change", () => {
  it("is told as an event and as a fact, with who, why and what", async () => {
    const world = await memoryGateway();
    const events: GatewayEvent[] = [];
    world.gateway.view.subscribe((event) => void events.push(event));
    const changes = [{ path: "services.test.retry.attemptsMax", from: "3", to: "1" }];
    await world.apply({ service: { retry: false } }, { by: "ann", reason: "calm down", changes });
    const detail = "configuration 2 (hash-2) is in effect by ann (calm down): services.test.retry.attemptsMax";
    expect(events).toContainEqual(expect.objectContaining({ code: "config.applied", detail }));
    expect(world.facts).toContainEqual(
      expect.objectContaining({ kind: "change", what: "configuration applied", text: detail, by: "ann" }),
    );
    const topologies = world.facts.filter(({ kind }) => kind === "topology");
    expect(topologies.at(-1)).toMatchObject({ revision: "hash-2" });
  });

  it("of what a process begins with is not made", async () => {
    const world = await memoryGateway();
    const applied = await world.apply({ origins: [B], rest: { node: "other", cache: { disk: "1GiB" } } });
    expect(applied).toEqual({ kind: "needs new process", fields: ["node", "cache.disk"] });
    world.client().send(GET);
    expect(world.origin(1).address).toBe("10.0.0.1:80");
  });

  it("is not made in a gateway that ends", async () => {
    const world = await memoryGateway();
    world.client().send(GET);
    void world.gateway.drain();
    expect(await world.apply({ origins: [B] })).toEqual({ kind: "draining" });
  });

  it("is one of many: five hundred leave nothing behind", async () => {
    const options = (number: number) => ({
      origins: [A, `http://10.1.${number % 250}.1`, `http://o${number}.example`],
      service: { routes: [{ match: { path: `/${number}` }, name: `route-${number}`, rateLimit: { rate: "5/1s" } }] },
      rest: { limits: { connections: 1_000 + (number % 3), rateLimitKeys: 64 } },
    });
    const world = await memoryGateway(options(0));
    const client = world.client();
    const ask = (): void => {
      client.send(GET);
      for (const origin of world.network.dialled.slice(-2)) origin.send(OK);
    };
    for (let number = 1; number <= 10; number += 1) await world.apply(options(number));
    const before = { timers: world.timers(), watchers: world.names.watchers() };
    for (let number = 11; number <= 500; number += 1) {
      world.names.answer(`o${number}.example`, [`10.2.0.${number % 250}`]);
      await world.apply(options(number));
      if (number % 10 === 0) ask();
    }
    world.advance(60_000);
    expect({ timers: world.timers(), watchers: world.names.watchers() }).toEqual(before);
    expect(world.faults).toEqual([]);
    expect(world.gateway.view.metrics().routes.length).toBeLessThanOrEqual(1_003);
  });
});
