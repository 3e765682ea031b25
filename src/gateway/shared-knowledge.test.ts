/** What one worker learns and the others know: real gateways with the real hub between them. */
import { describe, expect, it } from "vitest";
import { LIMIT_START } from "../policies/limit-gauge.ts";
import { seededChance } from "../../test/support/memory-gateway.ts";
import type { MemoryGatewayOptions } from "../../test/support/memory-gateway.ts";
import { workerGroup } from "../../test/support/worker-group.ts";
import type { GroupWorker, WorkerGroup } from "../../test/support/worker-group.ts";

const OK = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
const THREE = [1, 2, 3].map((n) => `http://10.0.0.${n}`);
const first = (address: string): boolean => address.startsWith("10.0.0.1:");
/** Long enough for a batch and its way through the hub. */
const HEARD_MS = 60;

/** One exchange; the origin that is asked answers, or resets when `fails` says so. Returns where it ended. */
function exchange(
  world: GroupWorker,
  fails: (address: string) => boolean = () => false,
  request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
): string {
  const client = world.client();
  client.send(request);
  for (let last = -1; last !== world.network.dialled.length && client.received === "";) {
    last = world.network.dialled.length;
    const origin = world.network.dialled[last - 1];
    if (origin === undefined) break;
    if (fails(origin.address)) origin.rst();
    else origin.send(OK);
  }
  client.rst();
  return world.records.at(-1)?.attempts.at(-1)?.address ?? "";
}

async function group(count: number, options: MemoryGatewayOptions = {}): Promise<[WorkerGroup, ...GroupWorker[]]> {
  const all = workerGroup({
    origins: THREE,
    chance: seededChance(),
    ...options,
    service: { ejection: { consecutiveFailures: 1 }, ...options.service },
  });
  const workers: GroupWorker[] = [];
  for (let number = 0; number < count; number += 1) workers.push(await all.join());
  return [all, ...workers];
}

function one(world: GroupWorker | undefined): GroupWorker {
  if (world === undefined) throw new Error("no such worker");
  return world;
}

function stateOf(world: GroupWorker, address = "10.0.0.1:80"): string {
  const all = world.gateway.view.origins().flatMap(({ addresses }) => addresses);
  return all.find((each) => each.address === address)?.state ?? "";
}

function ejectFirst(world: GroupWorker): void {
  for (let count = 0; count < 20; count += 1) exchange(world);
  for (let count = 0; count < 200 && stateOf(world) !== "ejected"; count += 1) exchange(world, first);
  expect(stateOf(world)).toBe("ejected");
}

describe("an origin that one worker takes out", () => {
  it("gets nothing from the others either, though they have not seen it fail, and they say why", async () => {
    const [all, a, b, c] = await group(3);
    ejectFirst(one(a));
    expect(stateOf(one(b))).toBe("up");
    all.advance(HEARD_MS);
    for (const other of [one(b), one(c)]) {
      expect(stateOf(other)).toBe("ejected");
      for (let count = 0; count < 20; count += 1) expect(exchange(other, first)).not.toMatch(/^10\.0\.0\.1:/);
    }
    const [address] = one(b).gateway.view.origins()[0]?.addresses ?? [];
    expect(address?.because).toMatch(/1 requests? in a row failed/);
    expect(one(b).records.every(({ outcome }) => outcome === "served")).toBe(true);
  });

  it("stays in use where its peers are out: whether so many may be is decided by each", async () => {
    const [all, a, b] = await group(2, { origins: THREE.slice(0, 2) });
    const second = (address: string): boolean => address.startsWith("10.0.0.2:");
    for (let count = 0; count < 20; count += 1) exchange(one(b));
    for (let count = 0; count < 100 && stateOf(one(b), "10.0.0.2:80") !== "ejected"; count += 1)
      exchange(one(b), second);
    // Both find another one at fault in the same moment.
    ejectFirst(one(a));
    all.advance(HEARD_MS);
    for (const world of [one(a), one(b)]) {
      const states = [stateOf(world), stateOf(world, "10.0.0.2:80")];
      expect(states).toContain("ejected");
      expect(states.filter((state) => state === "ejected")).toHaveLength(1);
    }
  });

  it("is tried again by one request of one worker, and comes back at all when that goes well", async () => {
    const [all, a, b, c] = await group(3);
    const workers = [one(a), one(b), one(c)];
    ejectFirst(one(b));
    all.advance(1_500);
    // Each has requests now; the first of each asks whether it may be the one.
    for (const world of workers) exchange(world, first);
    all.advance(5);
    const clients = workers.map((world) => world.client());
    for (const client of clients) client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const tried = workers.filter((world) => world.network.dialled.at(-1)?.address.startsWith("10.0.0.1:") === true);
    expect(tried).toHaveLength(1);
    all.advance(HEARD_MS);
    expect(workers.map((world) => stateOf(world))).toEqual(["probation", "probation", "probation"]);
    for (const world of workers) world.network.dialled.at(-1)?.send(OK);
    all.advance(HEARD_MS);
    expect(workers.map((world) => stateOf(world))).toEqual(["ramping", "ramping", "ramping"]);
  });

  it("stays out everywhere, and for longer, when that goes badly", async () => {
    const [all, a, b] = await group(2);
    ejectFirst(one(a));
    all.advance(1_500);
    exchange(one(b), first);
    all.advance(5);
    exchange(one(b), first);
    expect(one(b).records.at(-1)?.outcome).toBe("rescued");
    all.advance(HEARD_MS);
    expect([stateOf(one(a)), stateOf(one(b))]).toEqual(["ejected", "ejected"]);
    expect(one(a).gateway.view.origins()[0]?.addresses[0]?.because).toMatch(/time 2 in a row/);
  });

  it("is tried by another worker when the one whose turn it was has died", async () => {
    const [all, a, b] = await group(2);
    ejectFirst(one(a));
    all.advance(1_500);
    exchange(one(a), first);
    all.advance(5);
    one(a).client().send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(one(a).network.dialled.at(-1)?.address).toBe("10.0.0.1:80");
    all.advance(HEARD_MS);
    expect(stateOf(one(b))).toBe("probation");
    one(a).kill();
    all.advance(HEARD_MS);
    expect(stateOf(one(b))).toBe("ejected");
    exchange(one(b));
    all.advance(5);
    expect(exchange(one(b))).toBe("10.0.0.1:80");
    expect(stateOf(one(b))).toBe("ramping");
  });

  it("is out for a worker that begins later, before its first request", async () => {
    const [all, a] = await group(1);
    ejectFirst(one(a));
    all.advance(HEARD_MS);
    const late = await all.join();
    expect(stateOf(late)).toBe("ejected");
    expect(exchange(late, first)).not.toMatch(/^10\.0\.0\.1:/);
  });

  it("is out for the workers of another hub that takes over what is known", async () => {
    const [all, a] = await group(1);
    ejectFirst(one(a));
    all.advance(HEARD_MS);
    const others = workerGroup({ origins: THREE, chance: seededChance() }, 3, all.hub.known());
    const late = await others.join();
    expect(stateOf(late)).toBe("ejected");
    expect(exchange(late, first)).not.toMatch(/^10\.0\.0\.1:/);
  });

  it("is told to each worker in one message for an outage, not in one for each request", async () => {
    const [all, a, b] = await group(2, { service: { ejection: { consecutiveFailures: 1 } } });
    ejectFirst(one(a));
    for (let count = 0; count < 100; count += 1) {
      exchange(one(a), first);
      all.advance(5);
    }
    const news = one(b).heard.filter(({ kind }) => kind === "news");
    expect(news.length).toBeLessThan(12);
  });
});

describe("what a gateway calls itself", () => {
  it("is the same in Via whichever worker a request comes to, so that a loop is seen in its first round", async () => {
    const [, a, b] = await group(2);
    const [first = "", second = ""] = [one(a), one(b)].map((world) => {
      world.client().send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      return /\r\nVia: ([^\r]*)\r\n/.exec(world.network.dialled[0]?.received ?? "")?.[1] ?? "";
    });
    expect(first).toMatch(/^1\.1 goodgate-[0-9a-f]{8}$/);
    expect(second).toBe(first);
    const looped = one(b).client();
    looped.send(`GET / HTTP/1.1\r\nHost: x\r\nVia: ${first}\r\n\r\n`);
    expect(looped.received).toContain("proxy_loop_detected");
  });
});

describe("the turn to try something again", () => {
  it("goes to a worker that has a request for it when the one that has it has none", async () => {
    const [all, a, b] = await group(2);
    ejectFirst(one(a));
    all.advance(1_500);
    exchange(one(a), first);
    all.advance(5);
    // It has the turn, and no request comes any more.
    all.advance(3_000);
    exchange(one(b), first);
    all.advance(20);
    expect(exchange(one(b))).toBe("10.0.0.1:80");
  });
});

describe("active checks", () => {
  const CHECKED = { service: { health: { path: "/up" } } };
  const bad = { ok: false, detail: "status 503" };

  it("are done by one worker, and all know what came of them", async () => {
    const [all, a, b] = await group(2, CHECKED);
    all.advance(HEARD_MS);
    expect([one(a).checks, one(b).checks]).toEqual([true, false]);
    const target = one(a)
      .gateway.checkTargets()
      .find(({ address }) => address.text === "10.0.0.1:80");
    if (target === undefined) throw new Error("no target");
    for (let count = 0; count < 3; count += 1) {
      one(a).gateway.checked(target, bad);
      all.advance(HEARD_MS);
    }
    expect([stateOf(one(a)), stateOf(one(b))]).toEqual(["down", "down"]);
    const late = await all.join();
    expect(stateOf(late)).toBe("down");
  });

  it("go on at another worker when that one has died", async () => {
    const [all, a, b] = await group(2, CHECKED);
    one(a).kill();
    all.advance(HEARD_MS);
    expect(one(b).checks).toBe(true);
  });
});

describe("what a person does at one worker", () => {
  const order = { service: "test", origin: "http://10.0.0.2", by: "ann", reason: "new kernel" };

  it("holds at all of them, those that begin later included, and is undone at all", async () => {
    const [all, a, b] = await group(2);
    expect(one(a).gateway.actions.drainOrigin({ ...order, forMs: 60_000 }).done).toBe(true);
    all.advance(HEARD_MS);
    const late = await all.join();
    for (const world of [one(b), late]) expect(stateOf(world, "10.0.0.2:80")).toBe("drained");
    expect(one(b).gateway.actions.restoreOrigin({ ...order, by: "bob" }).done).toBe(true);
    all.advance(HEARD_MS);
    for (const world of [one(a), one(b), late]) expect(stateOf(world, "10.0.0.2:80")).toBe("ramping");
  });

  it("ends by itself at all of them, in time", async () => {
    const [all, a, b] = await group(2);
    one(a).gateway.actions.drainOrigin({ ...order, forMs: 1_000 });
    all.advance(900);
    expect(stateOf(one(b), "10.0.0.2:80")).toBe("drained");
    all.advance(200);
    exchange(one(b));
    expect(stateOf(one(b), "10.0.0.2:80")).toBe("ramping");
  });
});

describe("a request that breaks what it meets", () => {
  const KILLER = "GET /kill HTTP/1.1\r\nHost: x\r\n\r\n";
  const all_ = (): boolean => true;

  it("touches two origins of the node and no third, whichever workers it comes to", async () => {
    const [all, a, b, c] = await group(3, { service: { retry: false, ejection: false } });
    const hit: string[] = [];
    for (const world of [one(a), one(b), one(c)]) {
      for (let count = 0; count < 6; count += 1) {
        const where = exchange(world, all_, KILLER);
        const record = world.records.at(-1);
        if (record?.cause !== "origin.poison") hit.push(where);
        if (new Set(hit).size === 2) break;
        all.advance(HEARD_MS);
      }
      all.advance(HEARD_MS);
    }
    expect(new Set(hit).size).toBe(2);
    for (const world of [one(a), one(b), one(c)]) {
      exchange(world, all_, KILLER);
      expect(world.records.at(-1)?.cause).toBe("origin.poison");
    }
    // It is one quarantine, told once.
    all.advance(HEARD_MS);
    const begun = [one(a), one(b), one(c)].map((w) => w.gateway.view.metrics().services[0]?.poisonQuarantines ?? 0);
    expect(begun.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(1);
  });
});

describe("what was learned of idle connections", () => {
  it("is known to all: what raced at one worker races at no other", async () => {
    const [all, a, b] = await group(2);
    const client = one(a).client();
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    one(a).network.dialled.at(-1)?.send("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=4\r\nContent-Length: 2\r\n\r\nok");
    const where = one(a).network.dialled.at(-1)?.address ?? "";
    all.advance(HEARD_MS);
    const known = one(b)
      .gateway.view.origins()
      .flatMap(({ addresses }) => addresses)
      .find(({ address }) => address === where);
    expect(known?.keepAliveBecause).toMatch(/the origin said Keep-Alive: timeout=4/);
  });
});

describe("stored responses", () => {
  const CACHED = { service: { retry: false, routes: [{ match: { path: "/*" }, cache: true }] } };
  const STORABLE = "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";

  it("are forgotten by all when a request to one may have changed them", async () => {
    const [all, a, b] = await group(2, CACHED);
    const ask = (world: GroupWorker, request: string): string => {
      const client = world.client();
      const before = world.network.dialled.length;
      client.send(request);
      if (world.network.dialled.length > before) world.network.dialled.at(-1)?.send(STORABLE);
      client.rst();
      return world.records.at(-1)?.cache ?? "";
    };
    const get = "GET /thing HTTP/1.1\r\nHost: x\r\n\r\n";
    ask(one(b), get);
    expect(ask(one(b), get)).toBe("hit");
    ask(one(a), "POST /thing HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    all.advance(10);
    expect(ask(one(b), get)).not.toBe("hit");
  });
});

describe("what an origin can take at once", () => {
  const ONE = { origins: ["http://10.0.0.1"], service: { health: false } };
  const limitOf = (world: GroupWorker): number =>
    world.gateway.view.origins().flatMap(({ addresses }) => addresses.map(({ limit }) => limit))[0] ?? 0;

  /** So many at once, again and again, each answered after 20 ms. */
  function rush(all: WorkerGroup, world: GroupWorker, atOnce: number): void {
    for (let round = 0; round < 20; round += 1) {
      const from = world.network.dialled.length;
      const clients = Array.from({ length: atOnce }, () => world.client());
      for (const client of clients) client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      all.advance(20);
      for (const origin of world.network.dialled.slice(from)) origin.send(OK);
      all.advance(50);
      for (const client of clients) client.rst();
    }
    all.advance(1_100);
  }

  it("is known to a worker that takes another's place, also when that crashed, and not forced upon who serves", async () => {
    const [all, a, b] = await group(2, ONE);
    rush(all, one(a), 60);
    const known = limitOf(one(a));
    expect(known).toBeGreaterThan(LIMIT_START);
    expect(limitOf(one(b))).toBe(LIMIT_START);
    one(a).kill();
    const next = await all.join(1);
    expect(limitOf(next)).toBe(known);
    // What it hears when names have other addresses does not undo what it learned since.
    expect(one(b).heard.filter(({ kind }) => kind === "news")).toHaveLength(1);
  });

  it("is divided among another number of workers, and forgotten when it is old", async () => {
    const [all, a] = await group(2, ONE);
    rush(all, one(a), 60);
    const known = limitOf(one(a));
    const more = workerGroup({ ...ONE, chance: seededChance() }, 4, all.hub.known());
    expect(limitOf(await more.join())).toBe(Math.floor(known / 2));
    all.advance(70_000);
    expect(limitOf(await all.join())).toBe(LIMIT_START);
  });

  it("is told by whoever has more of the traffic", async () => {
    const [all, a, b] = await group(2, ONE);
    rush(all, one(a), 60);
    rush(all, one(b), 2);
    const known = limitOf(one(a));
    expect(limitOf(one(b))).toBeLessThan(known);
    one(b).kill();
    expect(limitOf(await all.join(2))).toBe(known);
  });

  it("is told once in a while and not with each answer", async () => {
    const [all, a] = await group(2, ONE);
    rush(all, one(a), 60);
    const said = one(a).sent.flatMap((message) => (message.kind === "news" ? message.news : []));
    const loads = said.filter(({ kind }) => kind === "load");
    expect(loads.length).toBeGreaterThan(0);
    expect(loads.length).toBeLessThan(5);
    // Where nobody was answered since, there is nothing to tell.
    all.advance(12_000);
    const before = one(a).sent.length;
    all.advance(30_000);
    expect(one(a).sent).toHaveLength(before);
  });
});
