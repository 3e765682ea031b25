/** A late request at two origins at once, through the whole gateway. */
import { describe, expect, it } from "vitest";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway, MemoryGatewayOptions } from "../../test/support/memory-gateway.ts";
import type { Peer } from "../../test/support/memory-socket.ts";

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const TWO = { origins: ["http://10.0.0.1", "http://10.0.0.2"] };

function codes(world: MemoryGateway): string[] {
  return world.records.at(-1)?.decisions.map((decision) => decision.code) ?? [];
}

function expectQuiet(world: MemoryGateway): void {
  expect(world.faults).toEqual([]);
  expect(world.gateway.view.status().exchangesActive).toBe(0);
  for (const origin of world.gateway.view.origins()) {
    for (const address of origin.addresses) expect(address.inFlight).toBe(0);
  }
}

/** The connections on which something came since the last call, newest last. */
function asked(world: MemoryGateway): Peer[] {
  return world.network.dialled.filter((origin) => origin.ended === "" && origin.take() !== "");
}

/** A gateway that has seen enough answers of one millisecond to know what late means. */
async function warm(options: MemoryGatewayOptions = TWO): Promise<MemoryGateway> {
  const world = await memoryGateway(options);
  const client = world.client();
  for (let times = 0; times < 60; times += 1) {
    client.send(GET);
    for (const origin of asked(world)) origin.send(OK);
  }
  client.fin();
  // The estimate is worked out anew now and then.
  world.advance(2_000);
  return world;
}

describe("an answer that is late", () => {
  it("is asked for at a second origin, and the first to answer wins", async () => {
    const world = await warm();
    const client = world.client();
    client.send(GET);
    const [first] = asked(world);
    world.advance(100);
    const [second, ...more] = asked(world);
    expect(more).toEqual([]);
    expect(second?.address).not.toBe(first?.address);
    second?.send(OK);
    expect(client.received).toMatch(/ok$/);
    expect(first?.ended).toBe("rst");
    const record = world.records.at(-1);
    expect(record).toMatchObject({ outcome: "served", cause: null, origin: `http://${second?.address.slice(0, -3)}` });
    expect(record?.attempts).toMatchObject([
      { status: 0, cause: null },
      { status: 200, cause: null },
    ]);
    expect(codes(world)).toEqual(["hedge.sent", "hedge.won"]);
    const counted = world.gateway.view.metrics().routes.at(-1)?.rescues.hedges;
    expect(counted).toEqual({ started: 1, won: 1, cancelled: 0 });
    expect(record?.decisions[0]?.reason).toContain(`; next is ${second?.address} in pool main`);
    // Let go without blame, but not forgotten: it took at least so long.
    const loser = world.gateway.view
      .origins()
      .flatMap(({ addresses }) => addresses)
      .find(({ address }) => address === first?.address);
    expect(loser).toMatchObject({ failures: 0, state: "up" });
    expect(loser?.latencyMs).toBeGreaterThan(2);
    expectQuiet(world);
  });

  it("may be an upgrade: the second to agree is let go, and the client gets one 101", async () => {
    const world = await warm();
    const agreed = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    const client = world.client();
    client.send("GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    const [first] = asked(world);
    world.advance(100);
    const [second] = asked(world);
    second?.send(`${agreed}first words`);
    expect(first?.ended).toBe("rst");
    expect(client.take()).toBe(`${agreed}first words`);
    client.send("and an answer");
    expect(second?.take()).toBe("and an answer");
    second?.fin();
    client.fin();
    expect(world.records.at(-1)).toMatchObject({ outcome: "served", tunnel: true, status: 101 });
    expectQuiet(world);
  });

  it("may still come first from the first", async () => {
    const world = await warm();
    const client = world.client();
    client.send(GET);
    const [first] = asked(world);
    world.advance(100);
    const [second] = asked(world);
    first?.send(OK);
    expect(client.received).toMatch(/ok$/);
    expect(second?.ended).toBe("rst");
    expect(world.records.at(-1)).toMatchObject({ origin: `http://${first?.address.slice(0, -3)}` });
    expect(codes(world)).toEqual(["hedge.sent", "hedge.cancelled"]);
    const counted = world.gateway.view.metrics().routes.at(-1)?.rescues.hedges;
    expect(counted).toEqual({ started: 1, won: 0, cancelled: 1 });
    expectQuiet(world);
  });

  it("is waited for at the other when one of both fails, and retried when both have", async () => {
    const world = await warm({ origins: [1, 2, 3].map((n) => `http://10.0.0.${n}`) });
    const client = world.client();
    client.send(GET);
    const [first] = asked(world);
    world.advance(100);
    const [second] = asked(world);
    first?.rst();
    expect(client.received).toBe("");
    second?.send("garbage\r\n\r\n");
    const [third] = asked(world);
    third?.send(OK);
    expect(client.received).toMatch(/ok$/);
    expect(codes(world)).toEqual(["hedge.sent", "hedge.goes-on", "retry.allowed.idempotent"]);
    expect(world.records.at(-1)).toMatchObject({ outcome: "rescued" });
    expectQuiet(world);
  });

  it("that is a 5xx of one is held back while the other is waited for", async () => {
    const world = await warm();
    const client = world.client();
    client.send(GET);
    const [first] = asked(world);
    world.advance(100);
    const [second] = asked(world);
    second?.send("HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno");
    expect(client.received).toBe("");
    first?.send(OK);
    expect(client.received).toMatch(/ok$/);
    expectQuiet(world);
  });

  it("is asked for while the first is still connecting", async () => {
    const world = await warm({ ...TWO, service: { connections: { idle: "10s" } } });
    world.advance(15_000);
    for (let times = 0; times < 60; times += 1) {
      const client = world.client();
      client.send(GET);
      for (const origin of asked(world)) origin.send(OK);
    }
    world.advance(15_000);
    world.network.acceptAtOnce = false;
    const known = world.network.dialled.length;
    const client = world.client();
    client.send(GET);
    world.advance(100);
    expect(world.network.dialled).toHaveLength(known + 2);
    world.origin(known + 2).accept();
    world.origin(known + 2).send(OK);
    expect(client.received).toMatch(/ok$/);
    expectQuiet(world);
  });

  it("that nobody gives fails when its time is over, as without a hedge", async () => {
    const world = await warm({ ...TWO, service: { routes: [{ timeouts: { firstByte: "1s" } }] } });
    const client = world.client();
    client.send(GET);
    world.advance(1_100);
    world.advance(200);
    expect(client.received).toMatch(/^HTTP\/1\.1 504/);
    expect(world.records.at(-1)?.attempts.map(({ cause }) => cause)).toEqual([
      "origin.ttfb_timeout",
      "origin.ttfb_timeout",
    ]);
    expect(world.records.at(-1)?.attempts[0]?.evidence).toMatch(/within 1000 ms/);
    expectQuiet(world);
  });

  it("is let go at both when the client leaves", async () => {
    const world = await warm();
    const client = world.client();
    client.send(GET);
    const [first] = asked(world);
    world.advance(100);
    const [second] = asked(world);
    client.rst();
    expect([first?.ended, second?.ended]).toEqual(["rst", "rst"]);
    expectQuiet(world);
  });
});

describe("no second origin is asked", () => {
  it.each([
    ["for a payment", TWO, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"],
    ["for what may overtake itself", TWO, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"],
    ["when hedges are off", { ...TWO, service: { hedge: false } }, GET],
    ["when retries are off", { ...TWO, service: { retry: false } }, GET],
    [
      "on a route that answers late on purpose",
      { ...TWO, service: { routes: [{ timeouts: { firstByte: false } }] } },
      GET,
    ],
    ["behind a Goodgate that does", TWO, GET.replace("Host: x", "Host: x\r\nGoodgate-Attempt: 1")],
    ["before enough is known", { ...TWO, service: { hedge: { samples: 1_000 } } }, GET],
    ["before the least time has passed", { ...TWO, service: { hedge: { after: "1s" } } }, GET],
  ])("%s", async (_, options, request) => {
    const world = await warm(options);
    const client = world.client();
    client.send(request);
    const [first] = asked(world);
    world.advance(500);
    expect(asked(world)).toEqual([]);
    first?.send(OK);
    expect(client.received).toMatch(/ok$/);
    expect(codes(world)).toEqual([]);
    expectQuiet(world);
  });

  it("while the gateway is short of memory, and says so", async () => {
    const use = { memory: 10 };
    const ownUse = (): { memoryBytes: number; memoryMax: number; descriptorsOpen: number; descriptorsMax: number } => ({
      memoryBytes: use.memory,
      memoryMax: 100,
      descriptorsOpen: 0,
      descriptorsMax: 0,
    });
    const world = await warm({ ...TWO, ownUse });
    use.memory = 85;
    world.advance(300);
    const client = world.client();
    client.send(GET);
    const [first] = asked(world);
    world.advance(100);
    expect(asked(world)).toEqual([]);
    first?.send(OK);
    expect(codes(world)).toContain("hedge.refused.stressed");
    expectQuiet(world);
  });

  it("once hedges have used the upper half of the budget that they share with retries", async () => {
    // Ten in ten seconds.
    const world = await warm({ ...TWO, service: { retry: { budget: "0%", budgetPerSecond: 1 } } });
    const clients = Array.from({ length: 9 }, () => world.client());
    for (const client of clients) client.send(GET);
    const first = asked(world);
    expect(first).toHaveLength(9);
    world.advance(100);
    const second = asked(world);
    expect(second).toHaveLength(6);
    for (const origin of [...first, ...second]) if (origin.ended === "") origin.send(OK);
    const said = world.records.flatMap(({ decisions }) => decisions.map(({ code }) => code));
    expect(said.filter((code) => code === "hedge.sent")).toHaveLength(6);
    expect(said.filter((code) => code === "hedge.refused.budget")).toHaveLength(3);
    expectQuiet(world);
  });

  it("from what is left of the budget for failures, and says so", async () => {
    const world = await warm({ ...TWO, service: { retry: { budget: "0%", budgetPerSecond: 0 } } });
    const client = world.client();
    client.send(GET);
    const [first] = asked(world);
    world.advance(100);
    expect(asked(world)).toEqual([]);
    first?.send(OK);
    expect(codes(world)).toEqual(["hedge.refused.budget"]);
    expectQuiet(world);
  });
});

describe("a request at a pool that has fallen silent", () => {
  const POOLS = {
    service: {
      pools: [
        { name: "near", origins: ["http://10.0.0.1", "http://10.0.0.2"] },
        { name: "far", origins: ["http://10.0.1.1"] },
      ],
    },
  };

  /** Four requests wait at the near pool, and have been sent to the far one as well. */
  async function silent(): Promise<{ world: MemoryGateway; near: Peer[]; far: Peer[] }> {
    const world = await warm(POOLS);
    for (let count = 0; count < 3; count += 1) world.client().send(GET);
    const near = asked(world);
    world.advance(200);
    // Traffic sets the watch going.
    world.client().send(GET);
    near.push(...asked(world));
    world.advance(1_000);
    const far = asked(world);
    expect(new Set(far.map(({ address }) => address))).toEqual(new Set(["10.0.1.1:80"]));
    expect(far).toHaveLength(4);
    return { world, near, far };
  }

  function failuresAt(world: MemoryGateway, ip: string): number {
    const addresses = world.gateway.view.origins().flatMap((origin) => origin.addresses);
    return addresses.filter(({ address }) => address.startsWith(ip)).reduce((sum, { failures }) => sum + failures, 0);
  }

  it("is answered by the next pool, and the silent one has failed", async () => {
    const { world, far } = await silent();
    for (const origin of far) origin.send(OK);
    expect(world.records.slice(-4).map(({ origin, status }) => `${origin} ${status}`)).toEqual(
      Array.from({ length: 4 }, () => "http://10.0.1.1 200"),
    );
    expect(failuresAt(world, "10.0.0.")).toBeGreaterThanOrEqual(3);
    expect(failuresAt(world, "10.0.1.")).toBe(0);
    expectQuiet(world);
  });

  it("and is not held against the next one where the silent one speaks first after all", async () => {
    const { world, near } = await silent();
    const before = failuresAt(world, "10.0.0.");
    for (const origin of near) if (origin.ended === "") origin.send(OK);
    const last = world.records.slice(-4);
    expect(last.map(({ pool, status }) => `${pool} ${status}`)).toEqual([
      "near 200",
      "near 200",
      "near 200",
      "near 200",
    ]);
    expect(failuresAt(world, "10.0.1.")).toBe(0);
    expect(failuresAt(world, "10.0.0.")).toBe(before);
    expectQuiet(world);
  });
});
