/** A pool at work in a whole gateway: names that change, origins that fail and come back, checks. */
import { describe, expect, it } from "vitest";
import { memoryGateway, seededChance } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../test/support/memory-gateway.ts";
import type { GatewayEvent } from "../contract/view.ts";

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";

function listen(world: MemoryGateway): GatewayEvent[] {
  const events: GatewayEvent[] = [];
  world.gateway.view.subscribe((event) => {
    if (event.kind !== "exchange") events.push(event);
  });
  return events;
}

function addresses(world: MemoryGateway): string[] {
  return world.gateway.view.origins().flatMap((origin) => origin.addresses.map((address) => address.address));
}

/** One exchange; the origin that is asked answers, or resets when `fails` says so. Returns where it ended. */
function exchange(world: MemoryGateway, fails: (address: string) => boolean = () => false): string {
  const client = world.client();
  client.send(GET);
  for (let last = -1; last !== world.network.dialled.length && client.received === "";) {
    last = world.network.dialled.length;
    const origin = world.origin(last);
    if (fails(origin.address)) origin.rst();
    else origin.send(OK);
  }
  client.rst();
  return world.records.at(-1)?.attempts.at(-1)?.address ?? "";
}

describe("the addresses of a name", () => {
  it("are all members, IPv4 and IPv6, and share the weight of their origin", async () => {
    const world = await memoryGateway({ origins: ["http://a.test:81", "http://10.0.0.7"] });
    world.names.answer("a.test", ["10.0.0.1", "2001:db8::1"]);
    expect(addresses(world)).toEqual(["10.0.0.1:81", "[2001:db8::1]:81", "10.0.0.7:80"]);
    expect(world.gateway.checkTargets()).toEqual([]);
  });

  it("that go are left with their idle connections closed and their busy ones finished, then closed too", async () => {
    const world = await memoryGateway({ origins: ["http://a.test"] });
    world.names.answer("a.test", ["10.0.0.1"]);
    const [idle, busy] = [world.client(), world.client()];
    idle.send(GET);
    busy.send(GET);
    world.origin(1).send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    world.names.answer("a.test", ["10.0.0.2"]);
    world.network.settle();
    expect(world.origin(1).ended).not.toBe("");
    expect(world.origin(2).ended).toBe("");
    world.origin(2).send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect(busy.received).toMatch(/^HTTP\/1\.1 200/);
    expect(world.origin(2).ended).not.toBe("");
    expect(exchange(world)).toBe("10.0.0.2:80");
  });

  it("stay when the name cannot be resolved any more, and that is told once for each reason", async () => {
    const world = await memoryGateway({ origins: ["http://a.test"] });
    world.names.answer("a.test", ["10.0.0.1"]);
    const events = listen(world);
    world.names.fail("a.test", "dns.servfail", "ESERVFAIL");
    world.names.fail("a.test", "dns.servfail", "ESERVFAIL");
    world.names.fail("a.test", "dns.timeout", "ETIMEOUT");
    expect(events.map((event) => event.kind === "resolution" && event.because)).toEqual([
      "dns.servfail (ESERVFAIL); the last good answer stays in use",
      "dns.timeout (ETIMEOUT); the last good answer stays in use",
    ]);
    expect(exchange(world)).toBe("10.0.0.1:80");
  });

  it("that shrink sharply are kept until the same is heard again; a dead one is then the name's fault", async () => {
    const world = await memoryGateway({ origins: ["http://a.test"] });
    world.names.answer("a.test", ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]);
    world.names.answer("a.test", ["10.0.0.4"]);
    expect(addresses(world)).toHaveLength(4);
    world.network.acceptAtOnce = false;
    const client = world.client();
    client.send(GET);
    expect(world.origin(1).address).not.toBe("10.0.0.4:80");
    world.origin(1).refuse("ECONNREFUSED");
    client.rst();
    expect(world.records[0]?.attempts[0]?.cause).toBe("dns.stale_ip");
    world.network.acceptAtOnce = true;
    world.advance(2_000);
    world.names.answer("a.test", ["10.0.0.4"]);
    expect(addresses(world)).toEqual(["10.0.0.4:80"]);
  });
});

describe("an origin that fails while its peers do not", () => {
  const bad = (address: string): boolean => address.startsWith("10.0.0.1:");

  /** Three origins with some traffic; then the first fails, and one failure in a row is enough. */
  async function oneIsEjected(): Promise<{ world: MemoryGateway; events: GatewayEvent[] }> {
    const world = await memoryGateway({
      origins: [1, 2, 3].map((n) => `http://10.0.0.${n}`),
      service: { ejection: { consecutiveFailures: 1 } },
      chance: seededChance(),
    });
    const events = listen(world);
    for (let count = 0; count < 20; count += 1) exchange(world);
    while (!events.some((event) => event.kind === "origin")) exchange(world, bad);
    return { world, events };
  }

  it("is ejected, tried again by one request after its time, and comes back in steps; each is told", async () => {
    const { world, events } = await oneIsEjected();
    for (let count = 0; count < 10; count += 1) expect(exchange(world, bad)).not.toMatch(/^10\.0\.0\.1:/);
    world.advance(1_500);
    expect(exchange(world)).toBe("10.0.0.1:80");
    expect(world.records.at(-1)?.decisions.map((decision) => decision.code)).toEqual(["pick.probation"]);
    const states = events.flatMap((event) => (event.kind === "origin" ? [event.state] : []));
    expect(states).toEqual(["ejected", "probation", "ramping"]);
    expect(world.gateway.view.metrics().origins.map(({ ejections }) => ejections)).toEqual([1, 0, 0]);
    world.advance(11_000);
    world.gateway.view.origins();
    expect(events.at(-1)).toMatchObject({ kind: "origin", address: "10.0.0.1:80", state: "up" });
  });

  it("does not come back together with those that went out with it", async () => {
    const world = await memoryGateway({
      origins: [1, 2, 3, 4, 5, 6].map((n) => `http://10.0.0.${n}`),
      service: { ejection: { consecutiveFailures: 1 }, retry: { attempts: 2 } },
      chance: seededChance(),
    });
    const events = listen(world);
    const half = (address: string): boolean => /^10\.0\.0\.[123]:/.test(address);
    const times = (state: string): number =>
      events.filter((one) => one.kind === "origin" && one.state === state).length;
    for (let count = 0; count < 40; count += 1) exchange(world);
    for (let count = 0; count < 200 && times("ejected") < 3; count += 1) exchange(world, half);
    expect(times("ejected")).toBe(3);
    const triedAt: number[] = [];
    for (let ms = 10; ms <= 1_050; ms += 10) {
      world.advance(10);
      exchange(world);
      while (triedAt.length < times("probation")) triedAt.push(ms);
    }
    // One second at most, and up to three tenths of it sooner, each by its own chance.
    expect(triedAt).toHaveLength(3);
    expect(Math.min(...triedAt)).toBeGreaterThanOrEqual(700);
    // More apart than the requests that try them.
    expect(Math.max(...triedAt) - Math.min(...triedAt)).toBeGreaterThan(40);
  });

  it("stays out for longer when the request that tries it fails, and that request is rescued", async () => {
    const { world } = await oneIsEjected();
    world.advance(1_500);
    expect(exchange(world, bad)).not.toBe("10.0.0.1:80");
    expect(world.records.at(-1)).toMatchObject({ outcome: "rescued" });
    world.advance(1_100);
    expect(exchange(world, bad)).not.toBe("10.0.0.1:80");
    expect(world.records.at(-1)).toMatchObject({ outcome: "served" });
  });

  it("is not held in probation by a client that leaves before the answer", async () => {
    const { world } = await oneIsEjected();
    world.advance(1_500);
    const client = world.client();
    client.send(GET);
    client.rst();
    expect(world.records.at(-1)?.attempts[0]?.address).toBe("10.0.0.1:80");
    expect(exchange(world)).toBe("10.0.0.1:80");
  });

  it("is never the last: with one origin everything still goes there, and says so", async () => {
    const world = await memoryGateway();
    for (let count = 0; count < 12; count += 1) exchange(world, () => true);
    expect(world.gateway.view.status().services[0]?.state).toBe("failing open");
    expect(exchange(world)).toBe("10.0.0.1:80");
    expect(world.records.at(-1)?.decisions[0]?.code).toMatch(/^available\.fail-open\./);
  });

  it("by its clients' impatience alone is avoided, though nobody ever saw it fail", async () => {
    const world = await memoryGateway({ origins: ["http://10.0.0.1", "http://10.0.0.2"] });
    const hangs = (address: string): boolean => address.startsWith("10.0.0.1:");
    let hung = 0;
    for (let count = 0; count < 20; count += 1) {
      const client = world.client();
      client.send(GET);
      const origin = world.origin(world.network.dialled.length);
      world.advance(50);
      if (hangs(origin.address)) {
        hung += 1;
        world.advance(5_000);
        client.rst();
      } else origin.send(OK);
    }
    expect(hung).toBeLessThan(6);
  });
});

describe("active checks", () => {
  const CHECKED = {
    origins: ["http://10.0.0.1", "http://10.0.0.2", "http://10.0.0.3"],
    service: { health: { path: "/up" } },
  };

  it("take an origin out and bring it back; an address that is gone is heard of no more", async () => {
    const world = await memoryGateway(CHECKED);
    const [first] = world.gateway.checkTargets();
    if (first === undefined) throw new Error("nothing is checked");
    for (let count = 0; count < 3; count += 1) world.gateway.checked(first, { ok: false, detail: "status 500" });
    for (let count = 0; count < 6; count += 1) expect(exchange(world)).not.toBe("10.0.0.1:80");
    expect(world.gateway.view.origins()[0]?.addresses[0]).toMatchObject({
      state: "down",
      check: { kind: "http", ok: false, detail: "status 500" },
    });
    for (let count = 0; count < 2; count += 1) world.gateway.checked(first, { ok: true, detail: "status 200" });
    expect(world.gateway.view.origins()[0]?.addresses[0]).toMatchObject({
      state: "ramping",
      because: "its checks succeed again; its share grows back over 10 s",
    });
    world.advance(10_000);
    expect(world.gateway.view.origins()[0]?.addresses[0]?.state).toBe("up");
  });

  it("alone never empty a pool", async () => {
    const world = await memoryGateway(CHECKED);
    for (const target of world.gateway.checkTargets()) {
      for (let count = 0; count < 3; count += 1) world.gateway.checked(target, { ok: false, detail: "status 500" });
    }
    expect(exchange(world)).not.toBe("");
    expect(world.records.at(-1)).toMatchObject({ outcome: "served" });
    expect(world.records.at(-1)?.decisions[0]?.code).toBe("available.fail-open.checks");
  });

  it("follow the addresses: whoever schedules them hears of each change", async () => {
    const world = await memoryGateway({ origins: ["http://a.test"], service: { health: { path: "/up" } } });
    let changes = 0;
    world.gateway.onCheckTargets(() => (changes += 1));
    world.names.answer("a.test", ["10.0.0.1"]);
    world.names.answer("a.test", ["10.0.0.1"]);
    world.names.answer("a.test", ["10.0.0.1", "10.0.0.2"]);
    expect(changes).toBe(2);
    expect(world.gateway.checkTargets().map(({ address }) => address.text)).toEqual(["10.0.0.1:80", "10.0.0.2:80"]);
  });
});

/** A round of checks of all origins. */
function check(world: MemoryGateway, ok: (address: string) => boolean): void {
  for (const target of world.gateway.checkTargets()) {
    world.gateway.checked(target, { ok: ok(target.address.text), detail: "status 503" });
  }
}

describe("what is shown of an address", () => {
  it("is of the last seconds, also when no request comes any more", async () => {
    const world = await memoryGateway({ origins: ["http://10.0.0.1"], service: { health: false } });
    const because = (): string => world.gateway.view.origins()[0]?.addresses[0]?.because ?? "";
    for (let round = 0; round < 3; round += 1) exchange(world);
    expect(because()).toBe("3 of 3 requests in the last 10 s succeeded");
    world.advance(60_000);
    expect(because()).toBe("no requests lately, and no checks are configured");
  });
});

describe("checks that fail while traffic succeeds", () => {
  it("are told as such after the second one, before they decide anything, and again when it is over", async () => {
    const origins = ["http://10.0.0.1", "http://10.0.0.2"];
    const world = await memoryGateway({ origins, service: { health: { path: "/healthz" } } });
    const events = listen(world);
    check(world, () => true);
    for (let round = 0; round < 2; round += 1) {
      world.advance(2_000);
      check(world, (address) => address !== "10.0.0.1:80");
      exchange(world);
    }
    check(world, (address) => address !== "10.0.0.1:80");
    expect(events).toMatchObject([
      {
        kind: "disagreement",
        state: "begin",
        address: "10.0.0.1:80",
        because: "checks fail, but 1 of 1 requests in the last 10 s succeeded",
      },
    ]);
    const address = world.gateway.view.origins()[0]?.addresses[0];
    expect(address).toMatchObject({ state: "up", disagreement: expect.stringMatching(/^checks fail, but /) });
    check(world, () => true);
    check(world, () => true);
    expect(events.at(-1)).toMatchObject({ kind: "disagreement", state: "end", address: "10.0.0.1:80" });
    expect(world.gateway.view.origins()[0]?.addresses[0]?.disagreement).toBe("");
  });

  it("are contradicted by nothing when traffic fails as well", async () => {
    const world = await memoryGateway({ origins: ["http://10.0.0.1", "http://10.0.0.2"], service: { health: {} } });
    const events = listen(world);
    check(world, () => true);
    for (let round = 0; round < 4; round += 1) {
      world.advance(2_000);
      check(world, (address) => address !== "10.0.0.1:80");
      exchange(world, (address) => address === "10.0.0.1:80");
    }
    expect(events.filter(({ kind }) => kind === "disagreement")).toEqual([]);
  });
});

describe("a pool that is used although it fails", () => {
  it("says so when it begins, on each exchange, and when it is over, with numbers", async () => {
    const world = await memoryGateway({ origins: ["http://10.0.0.1", "http://10.0.0.2"], service: { health: {} } });
    const events = listen(world);
    const told = (): GatewayEvent[] => events.filter(({ kind }) => kind === "fail-open");
    check(world, () => false);
    expect(told()).toMatchObject([
      {
        state: "begin",
        code: "available.fail-open.checks",
        because:
          "checks fail at 2 of 2 and no other origin is known to work, so those are used all the same (2 of 2 addresses are used, 0 are up)",
      },
    ]);
    for (let count = 0; count < 3; count += 1) exchange(world);
    expect(world.records.map(({ decisions }) => decisions.map(({ code }) => code))).toEqual([
      ["available.fail-open.checks"],
      ["available.fail-open.checks"],
      ["available.fail-open.checks"],
    ]);
    world.advance(2_000);
    check(world, () => true);
    check(world, () => true);
    exchange(world);
    expect(world.records.at(-1)?.decisions).toEqual([]);
    world.advance(2_000);
    check(world, () => true);
    expect(told()).toHaveLength(1);
    world.advance(3_500);
    exchange(world);
    expect(told()).toHaveLength(2);
    expect(told()[1]).toMatchObject({
      state: "end",
      because: expect.stringMatching(
        /^it was used so for 2 s and served 3 exchanges; it has been in order for 5\.\d s$/,
      ),
    });
  });
});

describe("a name that cannot be resolved any more", () => {
  it("keeps its addresses for as long as is stated, whatever the resolver says, and not longer", async () => {
    const world = await memoryGateway({ origins: ["http://a.test"], rest: { dns: { keep: "1h" } } });
    world.names.answer("a.test", ["10.0.0.1"]);
    const events = listen(world);
    world.names.fail("a.test", "dns.nxdomain", "ENOTFOUND");
    world.advance(3_500_000);
    expect(exchange(world)).toBe("10.0.0.1:80");
    world.advance(100_000);
    exchange(world);
    expect(world.records.at(-1)).toMatchObject({
      cause: "dns.nxdomain",
      evidence: "a.test could not be resolved (ENOTFOUND) and the last good answer is too old (dns.keep)",
    });
    expect(world.gateway.view.origins()[0]?.resolution).toMatch(/the last good answer is too old \(dns\.keep\)$/);
    expect(events.at(-1)).toMatchObject({
      kind: "resolution",
      because: expect.stringMatching(
        /^the name could not be resolved for 60 min \(ENOTFOUND\); 1 address of the last good/,
      ),
    });
    world.names.answer("a.test", ["10.0.0.1"]);
    expect(exchange(world)).toBe("10.0.0.1:80");
  });
});

describe("an address that leaves the answer of its name", () => {
  const bad = (address: string): boolean => address === "10.0.0.1:80";

  /** Two addresses, the first of them ejected. */
  async function withOneOut(): Promise<MemoryGateway> {
    const world = await memoryGateway({ origins: ["http://a.test"], chance: seededChance(3) });
    world.names.answer("a.test", ["10.0.0.1", "10.0.0.2"]);
    for (let count = 0; count < 200 && stateOf(world, "10.0.0.1:80") !== "ejected"; count += 1) {
      exchange(world, bad);
      world.advance(2_000);
    }
    return world;
  }

  function stateOf(world: MemoryGateway, address: string): string | undefined {
    const all = world.gateway.view.origins().flatMap((origin) => origin.addresses);
    return all.find((each) => each.address === address)?.state;
  }

  it("finds itself as it was when it comes back: leaving is no way out of an ejection", async () => {
    const world = await withOneOut();
    expect(stateOf(world, "10.0.0.1:80")).toBe("ejected");
    const before = world.gateway.view.origins()[0]?.addresses[0];
    world.names.answer("a.test", ["10.0.0.2"]);
    expect(stateOf(world, "10.0.0.1:80")).toBeUndefined();
    world.names.answer("a.test", ["10.0.0.1", "10.0.0.2"]);
    expect(world.gateway.view.origins()[0]?.addresses[0]).toMatchObject({
      state: "ejected",
      because: before?.because,
      keepAliveBecause: before?.keepAliveBecause,
      latencyMs: before?.latencyMs,
    });
  });

  it("is a stranger again after ten minutes", async () => {
    const world = await withOneOut();
    world.names.answer("a.test", ["10.0.0.2"]);
    world.advance(600_000);
    world.names.answer("a.test", ["10.0.0.1", "10.0.0.2"]);
    expect(stateOf(world, "10.0.0.1:80")).toBe("up");
  });
});

describe("a check", () => {
  const names = { "a.test": ["10.0.0.1"], "b.test": ["10.0.0.1"] };

  async function keys(service: Readonly<Record<string, unknown>>): Promise<MemoryGateway> {
    const world = await memoryGateway({ origins: ["http://a.test", "http://b.test"], service });
    for (const [name, ips] of Object.entries(names)) world.names.answer(name, ips);
    return world;
  }

  it("is made once where two names lead to the same place, and its result is told to both", async () => {
    for (const health of [{}, { path: "/healthz", host: "health.test" }]) {
      const world = await keys({ health });
      const targets = world.gateway.checkTargets();
      expect(targets).toHaveLength(1);
      expect(targets[0]?.places).toHaveLength(2);
      world.gateway.checked(targets[0]!, { ok: true, detail: "connected" });
      const checks = world.gateway.view
        .origins()
        .flatMap((origin) => origin.addresses.map(({ check: made }) => made.ok));
      expect(checks).toEqual([true, true]);
    }
  });

  it("is made for each of them where each is asked for by its own name", async () => {
    const world = await keys({ health: { path: "/healthz" } });
    expect(world.gateway.checkTargets()).toHaveLength(2);
  });
});
