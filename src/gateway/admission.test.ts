/** Room at the origins, through the whole gateway: who waits, who goes first, who is turned away, and what is told. */
import { describe, expect, it } from "vitest";
import { memoryGateway, seededChance } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../test/support/memory-gateway.ts";
import type { Peer } from "../../test/support/memory-socket.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

function get(path = "/", fields = ""): string {
  return `GET ${path} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`;
}

function ask(world: MemoryGateway, path = "/", fields = ""): Peer {
  const client = world.client();
  client.send(get(path, fields));
  return client;
}

function statusOf(client: Peer): string {
  return /^HTTP\/1\.1 (\d{3})/.exec(client.received)?.[1] ?? "";
}

/** Paths of requests in the order in which origins got them. */
function reached(world: MemoryGateway): string[] {
  return world.network.dialled.flatMap((peer) =>
    [...peer.received.matchAll(/^GET (\S+)/gm)].map((match) => match[1] ?? ""),
  );
}

const ONE = { overload: { concurrency: 1 } };

describe("an origin that has as many requests as it can take (overload.concurrency)", () => {
  it("gets the next one when it has answered, and the record says how long that waited", async () => {
    const world = await memoryGateway({ service: ONE });
    const first = ask(world, "/first");
    const second = ask(world, "/second");
    expect(reached(world)).toEqual(["/first"]);
    world.advance(50);
    world.origin(1).send(OK);
    expect(statusOf(first)).toBe("200");
    expect(reached(world)).toEqual(["/first", "/second"]);
    world.origin(1).send(OK);
    expect(statusOf(second)).toBe("200");
    const [, waited] = world.records;
    expect(waited?.queuedUs).toBeGreaterThanOrEqual(50_000);
    expect(waited?.decisions.map(({ code }) => code)).toContain("admit.queued");
    expect(world.faults).toEqual([]);
  });

  it("does not count responses that have begun: a slow reader or an event stream holds no place", async () => {
    const world = await memoryGateway({ service: ONE });
    ask(world, "/events");
    world.origin(1).send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
    const second = ask(world, "/second");
    world.origin(2).send(OK);
    expect(statusOf(second)).toBe("200");
  });

  it("does not count requests that are still on their way from the client", async () => {
    const world = await memoryGateway({ service: ONE });
    const upload = world.client();
    upload.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf-");
    const other = ask(world, "/other");
    world.origin(2).send(OK);
    expect(statusOf(other)).toBe("200");
  });

  it("keeps nobody waiting longer than overload.queueWait.calm", async () => {
    const world = await memoryGateway({ service: { overload: { concurrency: 1, queueWait: { calm: "200ms" } } } });
    ask(world, "/first");
    const second = ask(world, "/second");
    world.advance(150);
    expect(statusOf(second)).toBe("");
    expect(world.gateway.view.status().services[0]).toMatchObject({
      waiting: 1,
      because: expect.stringMatching(/; 1 request waits for room$/) as string,
    });
    world.advance(60);
    expect(statusOf(second)).toBe("503");
    expect(second.received).toMatch(/Retry-After: \d+/);
    const record = world.records.at(-1);
    expect(record).toMatchObject({ cause: "gw.shed", party: "overload", step: "admit", originStatus: 0 });
    expect(record?.evidence).toContain("1 requests to answer and can take 1 at once");
  });

  it("says of what was to be repeated that no room came for that, and tells what it had failed of", async () => {
    const origins = ["http://10.0.0.1", "http://10.0.0.2"];
    const overload = { concurrency: 1, queueWait: { calm: "200ms" } };
    const world = await memoryGateway({ origins, service: { overload, ejection: false } });
    // The third takes the place of whichever breaks.
    for (const path of ["/one", "/two", "/three"]) ask(world, path);
    const breaks = reached(world)[0];
    world.origin(1).rst();
    world.advance(220);
    const record = world.records.find(({ target }) => target === breaks);
    expect(record).toMatchObject({ cause: "origin.reset_before_response", attempts: [{ number: 1 }] });
    const said = record?.decisions.find(({ code }) => code === "admit.no-room-to-repeat");
    expect(said).toMatchObject({ step: "admit", reason: expect.stringContaining("can take 2 at once") as string });
  });

  it("keeps them 20 ms when the queue stands, and the newest goes first", async () => {
    const world = await memoryGateway({ service: { overload: { concurrency: 1, queueWait: { calm: "5s" } } } });
    ask(world, "/first");
    ask(world, "/stands");
    world.advance(510);
    const older = ask(world, "/older");
    world.advance(5);
    ask(world, "/newer");
    world.advance(5);
    world.origin(1).send(OK);
    // Who came before the stress keeps the wait that was promised, and goes before those who came in it.
    expect(reached(world)).toEqual(["/first", "/stands"]);
    world.origin(1).send(OK);
    expect(reached(world)).toEqual(["/first", "/stands", "/newer"]);
    const [service] = world.gateway.view.status().services;
    expect(service).toMatchObject({ state: "degraded", shedding: true });
    expect(service?.because).toContain("; requests are turned away for want of room");
    world.advance(15);
    expect(statusOf(older)).toBe("503");
    expect(world.records.find(({ target }) => target === "/older")?.queuedUs).toBeLessThanOrEqual(20_000);
  });

  it("refuses within 20 ms, with Retry-After, who comes while the queue stands", async () => {
    const world = await memoryGateway({ service: { overload: { concurrency: 1, queueWait: { calm: "5s" } } } });
    ask(world, "/first");
    ask(world, "/stands");
    world.advance(510);
    const late = ask(world, "/late");
    expect(statusOf(late)).toBe("");
    world.advance(20);
    expect(statusOf(late)).toBe("503");
    expect(late.received).toMatch(/\r\nRetry-After: \d+\r\n/);
    expect(world.records.at(-1)).toMatchObject({ target: "/late", cause: "gw.shed" });
  });

  it("goes to an origin that was tried last, one more than may, when there is room only where it has been", async () => {
    const world = await memoryGateway({ origins: ["http://10.0.0.1", "http://10.0.0.2"], service: ONE });
    ask(world, "/first");
    const second = ask(world, "/second");
    world.origin(2).rst();
    // Its own place is free now, and it is called for that; the other origin is still at work.
    world.advance(10);
    expect(reached(world)).toEqual(["/first", "/second", "/second"]);
    expect(world.origin(3).address).toBe(world.origin(1).address);
    world.origin(3).send(OK);
    expect(statusOf(second)).toBe("200");
    expect(world.faults).toEqual([]);
  });

  it("leaves what it cannot take to the next pool, as far as that has room, and the record says so", async () => {
    const world = await memoryGateway({
      service: {
        ...ONE,
        pools: [
          { name: "near", origins: ["http://10.0.0.1"] },
          { name: "far", origins: ["http://10.0.0.2"] },
        ],
      },
    });
    ask(world, "/first");
    const second = ask(world, "/second");
    const third = ask(world, "/third");
    expect(world.network.dialled.map(({ address }) => address)).toEqual(["10.0.0.1:80", "10.0.0.2:80"]);
    world.origin(2).send(OK);
    expect(statusOf(second)).toBe("200");
    const note = world.records[0]?.decisions.find(({ code }) => code === "pick.overflow");
    expect(note?.reason).toBe(
      "the origins of pool near have 1 requests to answer and can take 1 at once; pool far has room",
    );
    // Who waited gets the place that is free now, wherever that is.
    world.origin(2).send(OK);
    expect(statusOf(third)).toBe("200");
    expect(world.gateway.view.status().services[0]).toMatchObject({ pool: "near", waiting: 0 });
  });

  it("is forgotten with overload: false", async () => {
    const world = await memoryGateway({ service: { overload: false } });
    for (let count = 0; count < 300; count += 1) ask(world);
    expect(world.network.dialled).toHaveLength(300);
  });

  it("lets as many wait as overload.waiting allows", async () => {
    const world = await memoryGateway({ service: { overload: { concurrency: 1, waiting: 2 } } });
    ask(world);
    ask(world);
    ask(world);
    const last = ask(world);
    expect(statusOf(last)).toBe("503");
    expect(world.records.at(-1)?.evidence).toContain("overload.waiting");
  });

  it("frees the place of a client that leaves while it waits, and nothing is asked for it", async () => {
    const world = await memoryGateway({ service: ONE });
    ask(world, "/first");
    const gone = ask(world, "/gone");
    ask(world, "/third");
    gone.rst();
    world.origin(1).send(OK);
    expect(reached(world)).toEqual(["/first", "/third"]);
    expect(world.records[0]).toMatchObject({ outcome: "aborted", cause: "client.abort_wait" });
  });

  it("is asked for nothing whose deadline passed in the queue", async () => {
    const world = await memoryGateway({ service: ONE });
    ask(world, "/first");
    const late = ask(world, "/late", "X-Request-Timeout: 0.1\r\n");
    world.advance(200);
    expect(statusOf(late)).toMatch(/^5/);
    world.origin(1).send(OK);
    expect(reached(world)).toEqual(["/first"]);
  });

  it("keeps a request body that came meanwhile, whole", async () => {
    const world = await memoryGateway({ service: ONE });
    ask(world, "/first");
    const client = world.client();
    client.send("POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello ");
    client.send("world");
    world.origin(1).send(OK);
    const peer = world.network.dialled.find(({ received }) => received.includes("/body"));
    expect(peer?.received).toMatch(/hello world$/);
  });
});

describe("classes", () => {
  const routes = [
    { match: { path: "/pay" }, class: "critical" },
    { match: { path: "/feed" }, class: "background" },
  ];

  it("go critical, normal, background when there is room", async () => {
    const world = await memoryGateway({ service: { ...ONE, routes } });
    ask(world, "/");
    for (const path of ["/feed", "/shop", "/pay"]) ask(world, path);
    for (let count = 0; count < 4; count += 1) world.origin(1).send(OK);
    expect(reached(world)).toEqual(["/", "/pay", "/shop", "/feed"]);
  });

  it("let a prefetch count one lower", async () => {
    const world = await memoryGateway({ service: { ...ONE, routes } });
    ask(world, "/");
    ask(world, "/guess", "Sec-Purpose: prefetch\r\n");
    ask(world, "/shop");
    for (let count = 0; count < 3; count += 1) world.origin(1).send(OK);
    expect(reached(world)).toEqual(["/", "/shop", "/guess"]);
  });

  it("give the place of a lower one to a critical one, which waits for overload.queueWait.critical", async () => {
    const overload = { concurrency: 1, waiting: 1, queueWait: { critical: "2s" } };
    const world = await memoryGateway({ service: { overload, routes } });
    ask(world, "/");
    const feed = ask(world, "/feed");
    const pay = ask(world, "/pay");
    expect(statusOf(feed)).toBe("503");
    world.advance(1_900);
    expect(statusOf(pay)).toBe("");
    world.advance(150);
    expect(statusOf(pay)).toBe("503");
  });
});

describe("a route's own bound (concurrency)", () => {
  it("lets so many of it wait for answers, and other routes pass", async () => {
    const routes = [{ match: { path: "/report" }, concurrency: 1 }];
    const world = await memoryGateway({ service: { routes } });
    ask(world, "/report");
    const second = ask(world, "/report");
    const other = ask(world, "/shop");
    world.origin(2).send(OK);
    expect(statusOf(other)).toBe("200");
    expect(reached(world)).toEqual(["/report", "/shop"]);
    world.advance(600);
    expect(statusOf(second)).toBe("503");
    expect(world.records.at(-1)?.evidence).toContain("1 requests of the route");
  });

  it("is three quarters of the connections by default when there is another route", async () => {
    const routes = [{ match: { path: "/report" } }];
    const world = await memoryGateway({ service: { routes }, rest: { limits: { connections: 8 } } });
    for (let count = 0; count < 7; count += 1) ask(world, "/report");
    expect(reached(world)).toHaveLength(6);
    ask(world, "/shop");
    expect(reached(world)).toHaveLength(7);
  });
});

describe("an adaptive limit", () => {
  it("is not met by three hundred requests at once", async () => {
    const world = await memoryGateway({ chance: seededChance() });
    const clients = Array.from({ length: 300 }, () => ask(world));
    for (let round = 0; round < 40 && clients.some((client) => statusOf(client) === ""); round += 1) {
      for (const peer of world.network.dialled) if (peer.take() !== "") peer.send(OK);
      world.advance(5);
    }
    expect(clients.map(statusOf).filter((status) => status !== "200")).toEqual([]);
  });
});

describe("the gateway's own limits", () => {
  const levels = (use: {
    memory: number;
  }): (() => { memoryBytes: number; memoryMax: number; descriptorsOpen: number; descriptorsMax: number }) => {
    return () => ({ memoryBytes: use.memory * 100, memoryMax: 100, descriptorsOpen: 0, descriptorsMax: 0 });
  };
  const routes = [
    { match: { path: "/pay" }, class: "critical" },
    { match: { path: "/feed" }, class: "background" },
  ];

  it("turn away background requests first, then a part of the normal ones, and all but critical ones at last", async () => {
    const use = { memory: 0.5 };
    const world = await memoryGateway({ service: { routes }, ownUse: levels(use), chance: () => 0.3 });
    const events: string[] = [];
    world.gateway.view.subscribe((event) => {
      if (event.kind === "gateway") events.push(event.code);
    });
    use.memory = 0.85;
    world.advance(300);
    expect(statusOf(ask(world, "/feed"))).toBe("503");
    expect(world.records.at(-1)).toMatchObject({ cause: "gw.shed", step: "admit" });
    expect(world.records.at(-1)?.evidence).toMatch(/85 bytes of 100 bytes memory/);
    // Spread over five seconds by the roll of 0.3, so that they do not come back as one.
    expect(ask(world, "/feed").received).toMatch(/\r\nRetry-After: 2\r\n/);
    expect(statusOf(ask(world, "/shop"))).toBe("");
    use.memory = 0.93;
    world.advance(300);
    expect(statusOf(ask(world, "/shop"))).toBe("503");
    use.memory = 0.99;
    world.advance(300);
    expect(statusOf(ask(world, "/pay"))).toBe("");
    use.memory = 0.1;
    world.advance(9_000);
    expect(statusOf(ask(world, "/feed"))).toBe("");
    expect(events).toEqual([
      "pressure.warning",
      "pressure.level-1",
      "pressure.level-2",
      "pressure.level-3",
      "pressure.level-2",
      "pressure.level-1",
      "pressure.level-0",
    ]);
  });

  it("have idle clients make room, sixteen at a look, those that asked longest ago first", async () => {
    let open = 10;
    const world = await memoryGateway({
      ownUse: () => ({ memoryBytes: 0, memoryMax: 0, descriptorsOpen: open, descriptorsMax: 100 }),
    });
    const clients = Array.from({ length: 40 }, () => world.client());
    world.advance(2_000);
    open = 80;
    world.advance(250);
    // One was asked for its place sixteen times: its socket tells of its end only later.
    expect(clients.map(({ ended }) => ended !== "")).toEqual(clients.map((_, index) => index < 16));
    open = 10;
    world.advance(5_000);
    expect(clients.filter(({ ended }) => ended !== "")).toHaveLength(16);
  });

  it("keep descriptors for origins: beyond limits.descriptors no connection is taken", async () => {
    let open = 10;
    const world = await memoryGateway({
      rest: { limits: { descriptors: "50%" } },
      ownUse: () => ({ memoryBytes: 0, memoryMax: 0, descriptorsOpen: open, descriptorsMax: 100 }),
    });
    world.advance(300);
    expect(world.network.connect("10.9.9.9")).not.toBeNull();
    open = 50;
    world.advance(300);
    expect(world.network.connect("10.9.9.9")).toBeNull();
  });
});

describe("a surge before an origin that does fifty a second", () => {
  /** Thirty at once, behind some that were answered in ten milliseconds, and five answers a fiftieth of a second apart. */
  async function surge(path = "/"): Promise<{ world: MemoryGateway; later: Peer[] }> {
    const world = await memoryGateway({ service: { routes: [{ match: { path: "/critical/*" }, class: "critical" }] } });
    for (let count = 0; count < 20; count += 1) {
      const client = ask(world);
      world.advance(10);
      world.origin(1).send(OK);
      client.fin();
    }
    for (let count = 0; count < 30; count += 1) ask(world);
    const answered = world.network.dialled.slice(0, 30);
    world.advance(30);
    for (const origin of answered.slice(0, 5)) {
      world.advance(20);
      origin.send(OK);
    }
    const later = Array.from({ length: 20 }, () => ask(world, path));
    return { world, later };
  }

  it("tells those at once who would not go on in time, as soon as the origin's answers show a line", async () => {
    const { world, later } = await surge();
    const told = later.filter((client) => statusOf(client) === "503").length;
    expect(told).toBeGreaterThan(10);
    expect(world.records.filter(({ cause, queuedUs }) => cause === "gw.shed" && queuedUs === 0)).toHaveLength(told);
    expect(later.find((client) => client.received !== "")?.received).toMatch(/\r\nRetry-After: \d/);
    expect(world.faults).toEqual([]);
  });

  it("tells no critical request so", async () => {
    const { later } = await surge("/critical/x");
    expect(later.map(statusOf).filter((status) => status !== "")).toEqual([]);
  });
});

describe("an origin that was gone and is back", () => {
  it("gets a few of those who wait for it, and more only as it answers", async () => {
    const world = await memoryGateway({ service: { ejection: false, health: false, retry: false } });
    const { network } = world;
    network.acceptAtOnce = false;
    for (let count = 0; count < 12; count += 1) {
      const client = ask(world);
      world.origin(network.dialled.length).refuse("ECONNREFUSED");
      client.fin();
      world.advance(200);
    }
    network.acceptAtOnce = true;
    const gone = network.dialled.length;
    const herd = Array.from({ length: 40 }, () => ask(world));
    const asked = (): number => reached(world).length;
    expect(network.dialled.length - gone).toBe(4);
    expect(asked()).toBe(4);
    // Each answer in time lets one go in for it, and now and then one more.
    for (let answers = 1; answers <= 12; answers += 1) {
      world.advance(5);
      const origin = network.dialled.slice(gone).find((peer) => peer.ended === "" && peer.take() !== "");
      if (origin === undefined) throw new Error("nobody is asked");
      origin.send(OK);
      const held = asked() - answers;
      expect(held).toBeGreaterThanOrEqual(4);
      expect(held).toBeLessThanOrEqual(4 + answers);
    }
    expect(herd.filter((client) => statusOf(client) === "200")).toHaveLength(12);
    expect(world.faults).toEqual([]);
  });
});
