/** What one gateway knows of its origins, read by another that takes its place, both in memory. */
import { describe, expect, it } from "vitest";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway, MemoryGatewayOptions } from "../../test/support/memory-gateway.ts";
import { leaveKnown, readKnown } from "../contract/known-news.ts";
import type { News } from "../contract/shared-knowledge.ts";
import { LIMIT_START } from "../policies/limit-gauge.ts";
import type { Siblings } from "./siblings.ts";

const [A, B, C, D] = ["http://10.0.0.1", "http://10.0.0.2", "http://10.0.0.3", "http://10.0.0.4"];
const OPTIONS: MemoryGatewayOptions = {
  origins: [A, B, C, D],
  service: { ejection: { consecutiveFailures: 1 }, health: { path: "/healthz" }, retry: { attempts: 1 } },
};

/** As it arrives in another process a moment later. */
function sent(world: MemoryGateway): readonly News[] {
  const read = readKnown(structuredClone(leaveKnown(world.gateway.known(), 1_000)), 1_500);
  if (!read.ok) throw new Error(read.because);
  return read.news;
}

function follow(known: readonly News[], options: MemoryGatewayOptions = OPTIONS): Promise<MemoryGateway> {
  return memoryGateway({ ...options, ofWorker: () => ({ known }) });
}

function states(world: MemoryGateway): string[] {
  return world.gateway.view.origins().flatMap((origin) => origin.addresses.map(({ state }) => state));
}

/** One exchange, answered by whoever gets it. Says who that was. */
function exchange(world: MemoryGateway, answer: string): string {
  const client = world.client();
  const known = world.network.dialled.length;
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  world.origin(known + 1).send(answer);
  client.rst();
  return world.records.at(-1)?.attempts.at(-1)?.origin ?? "";
}

/** So many at once, again and again, each answered after 20 ms. */
function rush(world: MemoryGateway, atOnce: number): void {
  for (let round = 0; round < 10; round += 1) {
    const from = world.network.dialled.length;
    const clients = Array.from({ length: atOnce }, () => world.client());
    for (const client of clients) client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    world.advance(20);
    for (const origin of world.network.dialled.slice(from)) origin.send(GOOD);
    world.advance(50);
    for (const client of clients) client.rst();
  }
}

function limits(world: MemoryGateway): { limit: number; latencyMs: number }[] {
  return world.gateway.view.origins().flatMap(({ addresses }) =>
    addresses.map(({ limit }) => ({
      limit,
      latencyMs: Math.round(latencyIn(world.gateway.known())),
    })),
  );
}

function latencyIn(known: readonly News[]): number {
  const load = known.find((news) => news.kind === "load");
  return load?.kind === "load" ? load.latencyMs : -1;
}

/** Others that say nothing. */
function aloneBut(sharers: number): Siblings {
  return {
    sharers,
    informed: true,
    hello: () => undefined,
    tell: () => undefined,
    mayTry: () => true,
    turnOver: () => undefined,
    onNews: () => undefined,
  };
}

const GOOD = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
const BROKEN = "HTTP/1.1 500 Broken\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

describe("a gateway that takes another one's place", () => {
  it("knows who was taken out by traffic, by checks and by hand, and after how long origins close", async () => {
    const before = await memoryGateway(OPTIONS);
    const ejected = exchange(before, BROKEN);
    const check = before.gateway.checkTargets().find(({ address }) => address.origin.url === B);
    if (check === undefined) throw new Error("nothing is checked");
    before.gateway.checked(check, { ok: false, detail: "status 503" });
    const order = { service: "test", origin: C, by: "ann", reason: "new kernel", forMs: 60_000 };
    before.gateway.actions.drainOrigin(order);
    expect([ejected, states(before)]).toEqual([A, ["ejected", "down", "drained", "up"]]);
    const hinted = "HTTP/1.1 200 OK\r\nConnection: close\r\nKeep-Alive: timeout=7\r\nContent-Length: 0\r\n\r\n";
    expect(exchange(before, hinted)).toBe(D);

    const after = await follow(sent(before));
    expect(states(after)).toEqual(["ejected", "down", "drained", "up"]);
    expect(after.gateway.view.origins()[2]?.addresses[0]?.because).toBe("ann took it out for 60 s: new kernel");
    const ofD = after.gateway.known().find((news) => news.kind === "keep-alive");
    expect(ofD).toMatchObject({ at: { origin: D }, teacher: "hint", idleMs: 7_000 });
    // It is let back by the same rules as before.
    after.advance(120_000);
    expect(states(after)).not.toContain("drained");
  });

  it("begins with the limit and the latency that were learned, and not with first guesses", async () => {
    const one = { ...OPTIONS, origins: [A], service: { health: false } };
    const before = await memoryGateway(one);
    rush(before, 50);
    const [known] = limits(before);
    expect(known?.limit).toBeGreaterThan(LIMIT_START);

    const after = await follow(sent(before), one);
    expect(limits(after)[0]?.limit).toBe(known?.limit);
    // It counts for less with each second in which nobody says it again.
    expect(limits(after)[0]?.latencyMs).toBeGreaterThan((known?.latencyMs ?? 0) / 2);
    // Two that share the traffic have half of it each.
    const siblings = aloneBut(2);
    const shared = await memoryGateway({ ...one, ofWorker: () => ({ known: sent(before), siblings }) });
    expect(limits(shared)[0]?.limit).toBe(Math.floor((known?.limit ?? 0) / 2));
    // What it is told is of origins that it has, by names that it has.
    const routes = [{ name: "other", match: { path: "/*" } }];
    const other = await follow(sent(before), { ...one, service: { ...one.service, routes } });
    expect(limits(other)[0]?.limit).toBe(known?.limit);
    expect(other.faults).toEqual([]);
  });

  it("passes over what its configuration does not name, and what nobody learned is not told", async () => {
    const before = await memoryGateway(OPTIONS);
    expect(before.gateway.known()).toEqual([]);
    exchange(before, BROKEN);
    const after = await follow(sent(before), { ...OPTIONS, origins: [B, C] });
    expect(states(after)).toEqual(["up", "up"]);
    expect(after.faults).toEqual([]);
  });
});
