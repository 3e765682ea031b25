/** Origins that a person takes out and gives back, in a whole gateway. */
import { describe, expect, it } from "vitest";
import type { GatewayEvent } from "../contract/view.ts";
import { memoryGateway, seededChance } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../test/support/memory-gateway.ts";

const A = "http://10.0.0.1";
const B = "http://10.0.0.2";
const order = (origin: string): { service: string; origin: string; by: string; reason: string; forMs: number } => ({
  service: "test",
  origin,
  by: "ann",
  reason: "new kernel",
  forMs: 60_000,
});

/** Who answers each of this many requests. */
function answerers(world: MemoryGateway, count: number): Set<string> {
  const seen = new Set<string>();
  for (let number = 0; number < count; number += 1) {
    const client = world.client();
    const known = world.network.dialled.length;
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    if (world.network.dialled.length > known) {
      world.origin(known + 1).send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    }
    client.rst();
    const record = world.records.at(-1);
    seen.add(record?.attempts.at(-1)?.origin ?? record?.cause ?? "");
  }
  return seen;
}

function states(world: MemoryGateway): string[] {
  return world.gateway.view.origins().flatMap((origin) => origin.addresses.map(({ state }) => state));
}

describe("an origin that a person took out", () => {
  it("gets nothing until its time is over, and its state says who did it, why and until when", async () => {
    const world = await memoryGateway({ origins: [A, B], chance: seededChance() });
    const events: GatewayEvent[] = [];
    world.gateway.view.subscribe((event) => void (event.kind === "exchange" || events.push(event)));
    expect(answerers(world, 20)).toEqual(new Set([A, B]));
    const until = world.clock.wall() + 60_000;
    expect(world.gateway.actions.drainOrigin(order(A))).toEqual({ done: true, until });
    expect(answerers(world, 20)).toEqual(new Set([B]));
    expect(world.gateway.view.origins()[0]?.addresses[0]).toMatchObject({
      state: "drained",
      because: "ann took it out for 60 s: new kernel",
      until,
      share: 0,
    });
    expect(world.gateway.view.status().services[0]).toMatchObject({
      state: "degraded",
      because: "1 of 2 origins is in use, 1 was taken out by hand",
    });
    expect(events.map((event) => ("code" in event ? event.code : event.kind))).toEqual(["origin", "origin.drained"]);
    world.advance(60_000);
    answerers(world, 1);
    expect(states(world)).toEqual(["ramping", "up"]);
    world.advance(10_000);
    expect(answerers(world, 20)).toEqual(new Set([A, B]));
    expect(states(world)).toEqual(["up", "up"]);
  });

  it("comes back early when it is restored, and only then is there nothing to restore", async () => {
    const world = await memoryGateway({ origins: [A, B] });
    world.gateway.actions.drainOrigin(order(A));
    expect(world.gateway.actions.restoreOrigin(order(A))).toEqual({ done: true, until: null });
    expect(world.gateway.view.origins()[0]?.addresses[0]).toMatchObject({
      state: "ramping",
      because: "ann restored it: new kernel; its share grows back over 10 s",
    });
    expect(world.gateway.actions.restoreOrigin(order(A))).toMatchObject({ done: false, why: "not drained" });
  });

  it("is never the last one that a route has, and taking out another time only moves the end", async () => {
    const world = await memoryGateway({ origins: [A, B] });
    world.gateway.actions.drainOrigin(order(A));
    expect(world.gateway.actions.drainOrigin({ ...order(A), forMs: 120_000 })).toMatchObject({
      until: world.clock.wall() + 120_000,
    });
    const refused = world.gateway.actions.drainOrigin(order(B));
    expect(refused).toMatchObject({ done: false, why: "last" });
    expect(answerers(world, 3)).toEqual(new Set([B]));
  });

  it("is refused by the pools of each route, not of the service as a whole", async () => {
    const world = await memoryGateway({
      service: {
        pools: [
          { name: "one", origins: [A] },
          { name: "two", origins: [B] },
        ],
        routes: [{ match: { path: "/only" }, pools: ["one"] }, { match: { path: "/*" } }],
      },
    });
    expect(world.gateway.actions.drainOrigin(order(A))).toMatchObject({ why: "last" });
    expect(world.gateway.actions.drainOrigin(order(B))).toMatchObject({ done: true });
  });

  it("stays out at addresses that its name gets later, and a whole pool that is out hands over to the next", async () => {
    const world = await memoryGateway({
      service: {
        pools: [
          { name: "one", origins: ["http://a.test"] },
          { name: "two", origins: [B] },
        ],
      },
    });
    world.names.answer("a.test", ["10.0.0.1"]);
    expect(answerers(world, 3)).toEqual(new Set(["http://a.test"]));
    world.gateway.actions.drainOrigin(order("http://a.test"));
    world.names.answer("a.test", ["10.0.0.1", "10.0.0.9"]);
    expect(states(world)).toEqual(["drained", "drained", "up"]);
    expect(answerers(world, 5)).toEqual(new Set([B]));
  });

  it("has to exist", async () => {
    const world = await memoryGateway({ origins: [A, B] });
    expect(world.gateway.actions.drainOrigin(order("http://10.0.0.3"))).toMatchObject({ why: "unknown" });
    expect(world.gateway.actions.drainOrigin({ ...order(A), service: "blog" })).toMatchObject({ why: "unknown" });
  });
});
