/** Which pool, and which address in it: the pools of a service in their order of preference. */
import { describe, expect, it } from "vitest";
import { memoryGateway, seededChance } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../test/support/memory-gateway.ts";

const OK = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
const POOLS = {
  service: {
    retry: { backoff: false },
    pools: [
      { name: "near", origins: ["http://10.1.0.1", "http://10.1.0.2"] },
      { name: "far", origins: ["http://10.2.0.1"] },
    ],
    routes: [{ match: { path: "/far/*" }, pools: ["far"] }],
  },
};
const near = (address: string): boolean => address.startsWith("10.1.");

/** One exchange; origins that `fails` names refuse the connection. Returns the pool where it ended. */
function exchange(
  world: MemoryGateway,
  fails: (address: string) => boolean = () => false,
  path = "/",
  method = "GET",
): string {
  world.network.acceptAtOnce = false;
  const client = world.client();
  const known = world.network.dialled.length;
  client.send(`${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`);
  for (let number = known + 1; number <= world.network.dialled.length; number += 1) {
    const origin = world.origin(number);
    if (fails(origin.address)) {
      origin.refuse("ECONNREFUSED");
      continue;
    }
    origin.accept();
    origin.send(OK);
  }
  client.rst();
  return world.records.at(-1)?.pool ?? "";
}

describe("pools in order of preference", () => {
  it("the first is used while it works", async () => {
    const world = await memoryGateway(POOLS);
    for (let count = 0; count < 10; count += 1) expect(exchange(world)).toBe("near");
    expect(world.gateway.view.status().services[0]).toMatchObject({ pool: "near", state: "healthy" });
  });

  it("a request that has tried the whole pool goes to the next one, and says so", async () => {
    const world = await memoryGateway(POOLS);
    expect(exchange(world, near)).toBe("far");
    expect(world.records[0]?.decisions.map((decision) => decision.code)).toEqual([
      "retry.allowed.never-sent",
      "retry.allowed.never-sent",
      "pick.other-pool",
    ]);
    expect(world.records[0]).toMatchObject({ outcome: "rescued" });
  });

  it("all requests leave a pool that is dead, are told so, and come back when it has been well for a while", async () => {
    const world = await memoryGateway(POOLS);
    const moves: string[] = [];
    world.gateway.view.subscribe((event) => {
      if (event.kind === "pool") moves.push(`${event.from} to ${event.to}`);
    });
    for (let count = 0; count < 20; count += 1) {
      exchange(world, near);
      world.advance(300);
    }
    expect(moves).toEqual(["near to far"]);
    expect(world.gateway.view.status().services[0]).toMatchObject({ pool: "far", state: "degraded" });
    for (let count = 0; count < 310; count += 1) {
      exchange(world);
      world.advance(1_000);
    }
    expect(moves).toEqual(["near to far", "far to near"]);
    expect(exchange(world)).toBe("near");
  });

  it("a route uses only the pools that it names, whatever the others are doing", async () => {
    const world = await memoryGateway(POOLS);
    expect(exchange(world, undefined, "/far/x")).toBe("far");
    expect(exchange(world, (address) => !near(address), "/far/x")).toBe("far");
    expect(world.records.at(-1)).toMatchObject({ cause: "origin.refused", route: "/far/*", outcome: "failed" });
  });
});

describe("a pool that has lost a part of its capacity", () => {
  const half = (address: string): boolean => address === "10.1.0.1:80";
  function check(world: MemoryGateway, fails: (address: string) => boolean): void {
    for (const target of world.gateway.checkTargets()) {
      world.gateway.checked(target, { ok: !fails(target.address.text), detail: "" });
    }
  }
  const FAILOVER = { health: {}, failover: { threshold: "100%" } };

  it("gives that part to the next pool, tells it once, and each exchange that went there says why", async () => {
    const world = await memoryGateway({ service: { ...POOLS.service, ...FAILOVER }, chance: seededChance() });
    const events: unknown[] = [];
    world.gateway.view.subscribe((event) => {
      if (event.kind === "pool" || event.kind === "spill") events.push(event);
    });
    check(world, half);
    const pools = Array.from({ length: 400 }, () => exchange(world));
    const spilled = pools.filter((pool) => pool === "far").length;
    expect(spilled).toBeGreaterThan(150);
    expect(spilled).toBeLessThan(250);
    expect(events).toMatchObject([
      {
        kind: "spill",
        shares: [
          { pool: "near", share: 0.5 },
          { pool: "far", share: 0.5 },
        ],
        because:
          "pool near has 50 % of its capacity live, 50 points below the threshold of 100 %; 50 % of the traffic goes to pool far",
      },
    ]);
    const there = world.records.filter(({ pool }) => pool === "far");
    expect(there.every(({ decisions }) => decisions[0]?.code === "pick.spill")).toBe(true);
    const status = world.gateway.view.status().services[0];
    expect(status).toMatchObject({ pool: "near", pools: [{ share: 0.5 }, { share: 0.5 }] });
    expect(status?.because).toMatch(/50 % of the traffic goes to pool far$/);
  });

  it("keeps all of it where what is left is enough by the threshold", async () => {
    const world = await memoryGateway({
      service: { ...POOLS.service, health: {}, failover: { threshold: "50%" } },
      chance: seededChance(),
    });
    check(world, half);
    expect(Array.from({ length: 100 }, () => exchange(world)).filter((pool) => pool === "far")).toEqual([]);
  });

  it("gets it back as late as is configured", async () => {
    const world = await memoryGateway({
      service: { ...POOLS.service, health: {}, failover: { threshold: "100%", backAfter: "2m" } },
      chance: seededChance(),
    });
    check(world, half);
    exchange(world);
    check(world, () => false);
    const shares = (): number[] => world.gateway.view.status().services[0]?.pools.map(({ share }) => share) ?? [];
    for (let count = 0; count < 118; count += 1) {
      world.advance(1_000);
      check(world, () => false);
      exchange(world);
    }
    expect(shares()).toEqual([0.5, 0.5]);
    for (let count = 0; count < 20; count += 1) {
      world.advance(1_000);
      exchange(world);
    }
    expect(shares()).toEqual([1, 0]);
  });
});

describe("a pool that has lost everything", () => {
  it("comes first again no earlier than is configured after the move", async () => {
    const world = await memoryGateway({ service: { ...POOLS.service, failover: { hold: "1m", backAfter: "5s" } } });
    const moves: string[] = [];
    world.gateway.view.subscribe((event) => {
      if (event.kind === "pool") moves.push(event.to);
    });
    for (let count = 0; count < 20; count += 1) exchange(world, near);
    for (let count = 0; count < 58; count += 1) {
      world.advance(1_000);
      exchange(world);
    }
    expect(moves).toEqual(["far"]);
    for (let count = 0; count < 5; count += 1) {
      world.advance(1_000);
      exchange(world);
    }
    expect(moves).toEqual(["far", "near"]);
  });
});

describe("a standby", () => {
  const service = {
    pools: [
      { name: "near", origins: ["http://10.1.0.1"] },
      { name: "far", origins: ["http://10.2.0.1"], standbyShare: "10%" },
    ],
  };

  it("always gets its share of safe requests, says so on them, and is no reason to call the service degraded", async () => {
    const world = await memoryGateway({ service, chance: seededChance() });
    const pools = Array.from({ length: 1_000 }, () => exchange(world));
    const proven = pools.filter((pool) => pool === "far").length;
    expect(proven).toBeGreaterThan(70);
    expect(proven).toBeLessThan(130);
    const record = world.records.find(({ pool }) => pool === "far");
    expect(record?.decisions).toEqual([
      { step: "pick", code: "pick.standby", reason: "pool far always gets 10 % of safe requests, to be proven" },
    ]);
    expect(world.gateway.view.status().services[0]).toMatchObject({ pool: "near", state: "healthy" });
  });

  it("gets no writes: they would be split between two places", async () => {
    const world = await memoryGateway({ service, chance: () => 0 });
    expect(exchange(world)).toBe("far");
    expect(exchange(world, undefined, "/", "PUT")).toBe("near");
    expect(exchange(world, undefined, "/", "POST")).toBe("near");
  });

  it("takes an origin that was ejected back by a safe request, never by a write", async () => {
    const [nearPool] = service.pools;
    const far = { name: "far", origins: ["http://10.2.0.1", "http://10.2.0.2"], standbyShare: "50%" };
    const world = await memoryGateway({
      service: { pools: [nearPool, far], health: false, hedge: false },
      chance: () => 0,
    });
    const state = (): string =>
      world.gateway.view
        .origins()
        .flatMap(({ addresses }) => addresses)
        .find(({ address }) => address === "10.2.0.1:80")?.state ?? "";
    for (let count = 0; count < 200 && state() !== "ejected"; count += 1) {
      exchange(world, (address) => address === "10.2.0.1:80");
      // Long enough that what it took to fail is no reason to go elsewhere.
      world.advance(20_000);
    }
    expect(state()).toBe("ejected");
    world.advance(60_000);
    for (let count = 0; count < 5; count += 1) expect(exchange(world, undefined, "/", "PUT")).toBe("near");
    expect(state()).toBe("ejected");
    exchange(world);
    expect(world.records.at(-1)?.decisions.map(({ code }) => code)).toContain("pick.probation");
    expect(state()).toBe("ramping");
  });

  it("that fails costs no client anything", async () => {
    const world = await memoryGateway({ service, chance: () => 0 });
    expect(exchange(world, (address) => !near(address))).toBe("near");
    expect(world.records.at(-1)).toMatchObject({ outcome: "rescued" });
  });
});

describe("weights", () => {
  it("hold for the draw: ten to one is ten to one", async () => {
    const world = await memoryGateway({
      service: {
        pools: [
          {
            name: "main",
            origins: [
              { url: "http://10.0.0.1", weight: 1000 },
              { url: "http://10.0.0.2", weight: 100 },
            ],
          },
        ],
      },
      chance: seededChance(),
    });
    let heavy = 0;
    for (let count = 0; count < 400; count += 1) {
      exchange(world);
      if (world.records.at(-1)?.attempts[0]?.address === "10.0.0.1:80") heavy += 1;
    }
    expect(heavy).toBeGreaterThan(330);
    expect(heavy).toBeLessThan(395);
  });
});

describe("nothing to pick", () => {
  it("is refused as such when a service's only names never resolve, each time with the newest reason", async () => {
    const world = await memoryGateway({ origins: ["http://a.test"] });
    world.names.fail("a.test", "dns.nxdomain", "ENOTFOUND");
    exchange(world);
    world.names.fail("a.test", "dns.timeout", "ETIMEOUT");
    exchange(world);
    expect(world.records.map((record) => [record.cause, record.status])).toEqual([
      ["dns.nxdomain", 502],
      ["dns.timeout", 504],
    ]);
    expect(world.gateway.view.status().services[0]?.state).toBe("down");
    world.names.answer("a.test", ["10.0.0.1"]);
    exchange(world);
    expect(world.records.at(-1)).toMatchObject({ outcome: "served" });
  });
});

describe("a request that may not be sent twice", () => {
  const TWO = { origins: ["http://10.0.0.1", "http://10.0.0.2"], service: { retry: { backoff: false } } };
  const first = (address: string): boolean => address === "10.0.0.1:80";

  /** Where it went first, and the codes of its record. */
  function sent(
    world: MemoryGateway,
    method: string,
    fails = (_address: string): boolean => false,
  ): [string, string[]] {
    const known = world.network.dialled.length;
    exchange(world, fails, "/", method);
    const codes = world.records.at(-1)?.decisions.map((decision) => decision.code) ?? [];
    return [world.origin(known + 1).address, codes];
  }

  it("goes elsewhere for as long as the last request to an origin got no answer, and says so", async () => {
    const world = await memoryGateway(TWO);
    expect(sent(world, "GET", first)[0]).toBe("10.0.0.1:80");
    expect(sent(world, "POST")).toEqual(["10.0.0.2:80", ["pick.spared"]]);
    // The failure alone would not keep a request away any more.
    world.advance(2_000);
    expect(sent(world, "POST")).toEqual(["10.0.0.2:80", ["pick.spared"]]);
    expect(sent(world, "GET")).toEqual(["10.0.0.1:80", []]);
    expect(sent(world, "POST")).toEqual(["10.0.0.1:80", []]);
  });

  it("finds out by itself after ten seconds, where nothing else is asked for", async () => {
    const world = await memoryGateway(TWO);
    expect(sent(world, "POST", first)[0]).toBe("10.0.0.1:80");
    world.advance(9_900);
    expect(sent(world, "POST")[0]).toBe("10.0.0.2:80");
    world.advance(200);
    expect(sent(world, "POST")).toEqual(["10.0.0.1:80", []]);
  });

  it("goes on to an origin that answers with errors: the others would have the same for it", async () => {
    const world = await memoryGateway(TWO);
    const client = world.client();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    world.origin(1).send(OK.replace("200 OK", "500 No"));
    client.rst();
    world.advance(2_000);
    expect(sent(world, "POST")).toEqual(["10.0.0.1:80", []]);
  });

  it("goes to an origin in doubt where there is no other, or more than half of the pool failed", async () => {
    const world = await memoryGateway(TWO);
    sent(world, "GET", () => true);
    expect(sent(world, "POST")).toEqual(["10.0.0.1:80", []]);
  });
});
