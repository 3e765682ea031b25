/** Idempotency-Key where several workers serve: one ledger, in another process than any of them. */
import { describe, expect, it } from "vitest";
import { memoryLedger } from "../../test/support/memory-ledger.ts";
import type { MemoryLedger } from "../../test/support/memory-ledger.ts";
import { seededChance } from "../../test/support/memory-gateway.ts";
import type { Peer } from "../../test/support/memory-socket.ts";
import { workerGroup } from "../../test/support/worker-group.ts";
import type { GroupWorker, WorkerGroup } from "../../test/support/worker-group.ts";

const CREATED = "HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\ndone";

function pay(key: string, body = "10 EUR"): string {
  return `POST /pay HTTP/1.1\r\nHost: x\r\nIdempotency-Key: "${key}"\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

interface Shop {
  readonly all: WorkerGroup;
  readonly ledger: MemoryLedger;
  readonly a: GroupWorker;
  readonly b: GroupWorker;
  /** Lets the disk and the channels do their work. */
  settle(): void;
  /** Requests that have reached an origin through these workers. */
  runs(): number;
}

async function shop(): Promise<Shop> {
  const ledger = memoryLedger();
  const all = workerGroup({
    ledger,
    service: { retry: false, routes: [{ name: "all", idempotencyKey: "required" }] },
    rest: { idempotency: { wait: "2s" } },
  });
  const [a, b] = [await all.join(), await all.join()];
  return {
    all,
    ledger,
    a,
    b,
    settle() {
      for (let turn = 0; turn < 6; turn += 1) {
        all.advance(5);
        ledger.commitAll();
      }
      all.advance(5);
    },
    runs: () => requestsAt(a) + requestsAt(b),
  };
}

function requestsAt({ network }: GroupWorker): number {
  return network.dialled.reduce((sum, { received }) => sum + received.split("POST /pay").length - 1, 0);
}

function ask(world: GroupWorker, request: string): Peer {
  const client = world.client();
  client.send(request);
  return client;
}

describe("a key that comes to two workers", () => {
  it("is carried out once: the second waits for the first and gets its answer", async () => {
    const { a, b, settle, runs } = await shop();
    const [first, second] = [ask(a, pay("k1")), ask(b, pay("k1"))];
    settle();
    expect(runs()).toBe(1);
    a.network.dialled.at(-1)?.send(CREATED);
    settle();
    expect(first.received).toMatch(/^HTTP\/1\.1 201/);
    expect(second.received).toMatch(/^HTTP\/1\.1 201[^]*idempotency-replayed: true[^]*done$/i);
    expect(runs()).toBe(1);
    expect(b.records[0]?.decisions.map(({ code }) => code)).toEqual(["key.waited", "key.replayed"]);
  });

  it("is carried out once also when the second comes later", async () => {
    const { a, b, settle, runs } = await shop();
    ask(a, pay("k1"));
    settle();
    a.network.dialled.at(-1)?.send(CREATED);
    settle();
    const later = ask(b, pay("k1"));
    settle();
    expect(later.received).toMatch(/^HTTP\/1\.1 201/);
    expect(runs()).toBe(1);
  });

  it("is refused where it stands for another request, and where the wait is too long", async () => {
    const { all, a, b, settle, runs } = await shop();
    ask(a, pay("k1"));
    settle();
    const other = ask(b, pay("k1", "99 EUR"));
    settle();
    const same = ask(b, pay("k1"));
    settle();
    expect(other.received).toMatch(/^HTTP\/1\.1 422/);
    all.advance(2_100);
    expect(same.received).toMatch(/^HTTP\/1\.1 409/);
    expect(b.records.map(({ cause }) => cause)).toEqual(["client.key_reused", "client.key_in_flight"]);
    expect(runs()).toBe(1);
  });

  it("goes to the second when the first never sent it", async () => {
    const { a, b, settle, runs } = await shop();
    a.network.acceptAtOnce = false;
    ask(a, pay("k1"));
    settle();
    const second = ask(b, pay("k1"));
    settle();
    a.network.dialled.at(-1)?.refuse("ECONNREFUSED");
    settle();
    expect(runs()).toBe(1);
    b.network.dialled.at(-1)?.send(CREATED);
    settle();
    expect(second.received).toMatch(/^HTTP\/1\.1 201/);
  });

  it("is uncertain at once, and not sent again, when the worker that had sent it dies", async () => {
    const { a, b, ledger, settle, runs } = await shop();
    ask(a, pay("k1"));
    settle();
    const waiting = ask(b, pay("k1"));
    settle();
    expect(runs()).toBe(1);
    a.kill();
    settle();
    expect(ledger.entries[0]?.state).toMatchObject({
      kind: "uncertain",
      because: expect.stringMatching(/interrupted/),
    });
    expect(b.records[0]?.cause).toBe("origin.uncertain");
    expect(waiting.received).toMatch(/^HTTP\/1\.1 409/);
    expect(runs()).toBe(1);
  });

  it("is free when its worker dies before it may have sent anything", async () => {
    const { all, a, b, ledger, settle, runs } = await shop();
    ask(a, pay("k1"));
    all.advance(5);
    // The ledger has yet to answer.
    a.kill();
    settle();
    expect(ledger.entries).toEqual([]);
    ask(b, pay("k1"));
    settle();
    expect(runs()).toBe(1);
  });

  it("is refused where the promise is required and whoever keeps keys is gone", async () => {
    const { a, settle, runs } = await shop();
    const under = ask(a, pay("k0"));
    a.disconnect();
    const after = ask(a, pay("k1"));
    await Promise.resolve();
    settle();
    expect(under.received).toMatch(/^HTTP\/1\.1 503/);
    expect(after.received).toMatch(/^HTTP\/1\.1 503/);
    expect(a.records.map(({ cause }) => cause)).toEqual(["gw.key_unprotected", "gw.key_unprotected"]);
    expect(runs()).toBe(0);
  });
});

it("carries out no payment twice while workers are killed and replaced at any moment", async () => {
  for (let seed = 1; seed <= 12; seed += 1) {
    const roll = seededChance(seed * 7919);
    const ledger = memoryLedger();
    const all = workerGroup({
      ledger,
      chance: roll,
      origins: ["http://10.0.0.1", "http://10.0.0.2"],
      service: { routes: [{ name: "all", idempotencyKey: "required", timeouts: { firstByte: "1s" } }] },
      rest: { idempotency: { late: "1s", wait: "1s" } },
    });
    const workers = [await all.join(1), await all.join(2)];
    const executions = new Map<string, number>();
    const handled = new Map<Peer, number>();
    for (let step = 0; step < 80; step += 1) {
      const world = workers[Math.floor(roll() * 2)];
      const what = roll();
      if (world === undefined) continue;
      if (what < 0.45) {
        const client = world.client();
        client.send(pay(`key-${Math.floor(roll() * 6)}`));
        if (roll() < 0.2) client.rst();
      } else if (what < 0.75) {
        for (const peer of world.network.dialled) {
          const from = handled.get(peer) ?? 0;
          const found = /Idempotency-Key: "([^"]+)"[^]*?10 EUR/.exec(peer.received.slice(from));
          if (found === null || peer.ended !== "") continue;
          handled.set(peer, peer.received.length);
          executions.set(found[1] ?? "", (executions.get(found[1] ?? "") ?? 0) + 1);
          if (roll() < 0.8) peer.send(CREATED);
          else peer.rst();
        }
      } else if (what < 0.8) {
        world.kill();
        const place = workers.indexOf(world);
        workers[place] = await all.join(place + 1);
      } else if (what < 0.9) ledger.commit();
      all.advance(Math.floor(roll() * 60));
      if (roll() < 0.8) ledger.commitAll();
    }
    expect(
      [...executions.values()].every((count) => count === 1),
      `seed ${seed}`,
    ).toBe(true);
    expect(executions.size).toBeGreaterThan(0);
    for (const { faults } of workers) expect(faults).toEqual([]);
  }
});
