/** What one gateway knows of its origins, read by another that takes its place, both in memory. */
import { describe, expect, it } from "vitest";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway, MemoryGatewayOptions } from "../../test/support/memory-gateway.ts";
import { readKnown } from "../contract/known-news.ts";
import type { News } from "../contract/shared-knowledge.ts";

const [A, B, C, D] = ["http://10.0.0.1", "http://10.0.0.2", "http://10.0.0.3", "http://10.0.0.4"];
const OPTIONS: MemoryGatewayOptions = {
  origins: [A, B, C, D],
  service: { ejection: { consecutiveFailures: 1 }, health: { path: "/healthz" }, retry: { attempts: 1 } },
};

/** As it arrives in another process a moment later. */
function sent(world: MemoryGateway): readonly News[] {
  const read = readKnown(structuredClone({ at: 1_000, news: world.gateway.known() }), 1_500);
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

  it("passes over what its configuration does not name, and what nobody learned is not told", async () => {
    const before = await memoryGateway(OPTIONS);
    expect(before.gateway.known()).toEqual([]);
    exchange(before, BROKEN);
    const after = await follow(sent(before), { ...OPTIONS, origins: [B, C] });
    expect(states(after)).toEqual(["up", "up"]);
    expect(after.faults).toEqual([]);
  });
});
