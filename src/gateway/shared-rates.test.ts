/** A rate limit of a node with several workers, as its clients meet it. */
import { describe, expect, it } from "vitest";
import { memoryLedger } from "../../test/support/memory-ledger.ts";
import type { MemoryGatewayOptions } from "../../test/support/memory-gateway.ts";
import type { Peer } from "../../test/support/memory-socket.ts";
import { workerGroup } from "../../test/support/worker-group.ts";
import type { GroupWorker, WorkerGroup } from "../../test/support/worker-group.ts";

const OK = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

async function limited(
  limit: Readonly<Record<string, unknown>>,
  options: MemoryGatewayOptions = {},
): Promise<{ readonly all: WorkerGroup; readonly workers: readonly [GroupWorker, GroupWorker] }> {
  const all = workerGroup({
    ...options,
    service: { retry: false, routes: [{ match: { path: "/*" }, rateLimit: limit }], ...options.service },
  });
  return { all, workers: [await all.join(), await all.join()] };
}

/** Answers whatever waits at the origin. */
function answer(world: GroupWorker): void {
  for (const origin of world.network.dialled) if (origin.ended === "" && origin.take() !== "") origin.send(OK);
}

function ask(world: GroupWorker, request = GET): Peer {
  const client = world.client();
  client.send(request);
  answer(world);
  return client;
}

function statuses(worlds: readonly GroupWorker[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { records } of worlds) for (const { status } of records) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

describe("a rate limit of a node with two workers", () => {
  it("lets a client have all of it at one worker, and nothing more at the other", async () => {
    const { all, workers } = await limited({ rate: "10/m" });
    const [a, b] = workers;
    for (let count = 0; count < 10; count += 1) {
      ask(a);
      all.advance(10);
      answer(a);
    }
    expect(statuses(workers)).toEqual({ 200: 10 });
    for (let count = 0; count < 5; count += 1) {
      ask(b);
      all.advance(60);
      answer(b);
    }
    expect(statuses(workers)).toEqual({ 200: 10, 429: 5 });
    expect(b.records.at(-1)?.evidence).toMatch(
      /^rate limit "client": 10 requests in 1m for each client; one more in 5\.\d s$/,
    );
  });

  it("holds a request up for a message's way and back, and no longer, only where it would have to refuse it", async () => {
    const { all, workers } = await limited({ rate: "1/m" });
    const [a] = workers;
    const client = ask(a);
    expect(client.received).toBe("");
    all.advance(5);
    answer(a);
    expect(client.received).toMatch(/^HTTP\/1\.1 200/);
    expect(client.received).toMatch(/ratelimit: "[^"]+";r=0;t=60/i);
  });

  it("lets the client go that leaves while it waits", async () => {
    const { all, workers } = await limited({ rate: "1/m" });
    const [a] = workers;
    ask(a).rst();
    all.advance(300);
    expect(a.records).toHaveLength(1);
    expect(a.records[0]).toMatchObject({ outcome: "aborted", attempts: [] });
    expect(a.faults).toEqual([]);
  });

  it("loses nothing of a body that comes meanwhile", async () => {
    const { all, workers } = await limited({ rate: "1/m" });
    const [a] = workers;
    const client = a.client();
    client.send("POST /in HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc");
    client.send("def");
    all.advance(5);
    client.send("ghi");
    all.advance(5);
    expect(a.network.dialled.at(-1)?.received).toMatch(/\r\n\r\nabcdefghi$/);
  });

  it("knows a request with a key by all of its body, also by what came while it waited", async () => {
    const ledger = memoryLedger();
    const { all, workers } = await limited({ rate: "1/m" }, { ledger });
    const [a] = workers;
    const client = a.client();
    client.send("POST /pay HTTP/1.1\r\nHost: x\r\nIdempotency-Key: k1\r\nContent-Length: 6\r\n\r\nabc");
    all.advance(5);
    client.send("def");
    all.advance(5);
    ledger.commitAll();
    all.advance(5);
    expect(a.network.dialled.at(-1)?.received).toMatch(/\r\n\r\nabcdef$/);
    expect(ledger.entries).toHaveLength(1);
    expect(a.faults).toEqual([]);
  });

  it("in shadow holds nobody up and refuses nobody", async () => {
    const { all, workers } = await limited({ rate: "1/m", shadow: true });
    const [a] = workers;
    for (let count = 0; count < 5; count += 1) {
      ask(a);
      all.advance(60);
    }
    expect(statuses(workers)).toEqual({ 200: 5 });
    expect(a.gateway.view.metrics().routes.some((route) => route.rateLimitShadowed > 0)).toBe(true);
  });

  it("is refused in its own words when the hub is silent", async () => {
    const { all, workers } = await limited({ rate: "1/m" });
    const [a, b] = workers;
    b.mute();
    const client = ask(a);
    a.mute();
    all.advance(700);
    expect(client.received).toMatch(/^HTTP\/1\.1 429/);
  });
});
