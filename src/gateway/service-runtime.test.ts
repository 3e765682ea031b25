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
function exchange(world: MemoryGateway, fails: (address: string) => boolean = () => false, path = "/"): string {
  world.network.acceptAtOnce = false;
  const client = world.client();
  const known = world.network.dialled.length;
  client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
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
    for (let count = 0; count < 100; count += 1) {
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
