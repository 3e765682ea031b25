/** Answers for bad times: the fallback of a route, the page that waits, and what origins are told. */
import { describe, expect, it } from "vitest";
import { memoryGateway, seededChance } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../test/support/memory-gateway.ts";
import type { Peer } from "../../test/support/memory-socket.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const BROWSER = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n";
const BODY = "<!doctype html><title>Closed</title><p>Back soon.";

function send(client: Peer, method = "GET", fields = ""): string {
  client.take();
  const length = method === "POST" ? "Content-Length: 0\r\n" : "";
  client.send(`${method} / HTTP/1.1\r\nHost: x\r\n${length}${fields}\r\n`);
  return client.take();
}

function statusOf(answer: string): string {
  return /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? "";
}

function field(answer: string, name: string): string {
  return new RegExp(`\r\n${name}: ([^\r]*)\r\n`, "i").exec(answer)?.[1] ?? "";
}

function bodyOf(message: string): string {
  return message.slice(message.indexOf("\r\n\r\n") + 4);
}

function codes(world: MemoryGateway, index = -1): string[] {
  return world.records.at(index)?.decisions.map(({ code }) => code) ?? [];
}

describe("the fallback of a route", () => {
  const PREPARED = { fallback: { status: 200, contentType: "text/html", body: BODY } };

  /** A gateway whose only origin refuses, and a client of it. */
  async function broken(route: Record<string, unknown>): Promise<{ world: MemoryGateway; client: Peer }> {
    const world = await memoryGateway({ service: { routes: [route], retry: false } });
    world.network.acceptAtOnce = false;
    return { world, client: world.client() };
  }

  function refused({ world, client }: { world: MemoryGateway; client: Peer }, method = "GET"): string {
    send(client, method, BROWSER);
    world.network.dialled.at(-1)?.refuse("ECONNREFUSED");
    return client.take();
  }

  it("answers instead of the failure page, marked, and the record still says what failed", async () => {
    const scene = await broken(PREPARED);
    const answer = refused(scene);
    expect(statusOf(answer)).toBe("200");
    expect(bodyOf(answer)).toBe(BODY);
    expect(field(answer, "Content-Type")).toBe("text/html");
    expect(field(answer, "Proxy-Status")).toBe("goodgate; error=connection_refused");
    expect(field(answer, "Cache-Control")).toBe("no-store");
    expect(scene.world.records[0]).toMatchObject({
      outcome: "failed",
      cause: "origin.refused",
      status: 200,
      originStatus: 0,
      responseBytes: BODY.length,
    });
    expect(codes(scene.world)).toContain("reply.fallback");
    // The connection goes on.
    expect(statusOf(refused(scene))).toBe("200");
    expect(scene.world.faults).toEqual([]);
  });

  it("answers HEAD without a body, and nothing that asks for something to be done", async () => {
    const scene = await broken(PREPARED);
    const head = refused(scene, "HEAD");
    expect([statusOf(head), field(head, "Content-Length"), bodyOf(head)]).toEqual(["200", String(BODY.length), ""]);
    const post = refused(scene, "POST");
    expect(statusOf(post)).toBe("502");
    expect(post).not.toContain("Back soon");
  });

  it("comes from a file that was read before the start", async () => {
    const files = new Map([["/srv/closed.html", Buffer.from(BODY)]]);
    const world = await memoryGateway({
      service: { routes: [{ fallback: { file: "/srv/closed.html" } }], retry: false },
      fallbackFiles: files,
    });
    world.network.acceptAtOnce = false;
    const answer = refused({ world, client: world.client() });
    expect([statusOf(answer), bodyOf(answer)]).toEqual(["503", BODY]);
  });

  it("answers for failures, for lack of room, or for both, as the operator says", async () => {
    for (const [when, onFailure, onOverload] of [
      [["failure"], true, false],
      [["overload"], false, true],
      [["failure", "overload"], true, true],
    ] as const) {
      const fallback = { ...PREPARED.fallback, when };
      expect(refused(await broken({ fallback })).includes(BODY)).toBe(onFailure);
      const { answer } = await noRoom({ fallback, waitingPage: false });
      expect(answer.includes(BODY)).toBe(onOverload);
    }
  });

  it("leaves an origin's own error page alone, and a client's mistakes", async () => {
    const world = await memoryGateway({ service: { routes: [PREPARED], retry: false } });
    const client = world.client();
    send(client);
    world.origin(1).send("HTTP/1.1 500 Oh\r\nContent-Length: 4\r\n\r\noops");
    expect(bodyOf(client.take())).toBe("oops");
    const bad = world.client();
    bad.send("GET / HTTP/1.1\r\nHost: x\r\nMax-Forwards: 0\r\nBad Header: 1\r\n\r\n");
    expect(bad.take()).not.toContain("Back soon");
  });
});

/** One that waited in vain for the only connection to the origin. */
async function noRoom(
  route: Record<string, unknown> = {},
  fields = BROWSER,
  rest: Record<string, unknown> = {},
): Promise<{ world: MemoryGateway; client: Peer; answer: string; holder: Peer }> {
  const world = await memoryGateway({
    service: {
      connections: { perOrigin: 1 },
      routes: [{ timeouts: { connect: "100ms" }, ...route }],
    },
    rest,
    chance: seededChance(5),
  });
  const holder = world.client("192.0.2.200");
  send(holder);
  const client = world.client();
  send(client, "GET", fields);
  world.advance(200);
  return { world, client, answer: client.take(), holder };
}

describe("a visitor for whom there is no room", () => {
  it("gets a page that waits, a ticket, and a moment to come back at", async () => {
    const { world, answer } = await noRoom();
    expect(statusOf(answer)).toBe("503");
    const seconds = Number(field(answer, "Retry-After"));
    expect(seconds).toBeGreaterThan(0);
    expect(answer).toContain(`<meta http-equiv="refresh" content="${seconds}">`);
    expect(field(answer, "Set-Cookie")).toMatch(
      /^goodgate-wait=[0-9a-z]+\.[\w-]{22}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/,
    );
    expect(field(answer, "Cache-Control")).toBe("no-store");
    expect(bodyOf(answer)).not.toMatch(/\bposition\b|\d+ (people|visitors)/i);
    expect(world.records[0]).toMatchObject({ outcome: "failed", party: "overload", status: 503 });
    expect(codes(world)).toContain("reply.waiting-page");
    expect(world.faults).toEqual([]);
  });

  it("keeps the ticket that it has, and gets another for one that is not right", async () => {
    const { world, client, answer } = await noRoom();
    const ticket = field(answer, "Set-Cookie").split(";")[0] ?? "";
    const again = (cookie: string): string => {
      send(client, "GET", `${BROWSER}Cookie: a=b; ${cookie}\r\n`);
      world.advance(200);
      return client.take();
    };
    const kept = again(ticket);
    expect(kept).toContain("One moment, please");
    expect(field(kept, "Set-Cookie")).toBe("");
    expect(field(again(ticket.replace(/.$/, "")), "Set-Cookie")).toContain("goodgate-wait=");
  });

  it("is sent back at another moment than those beside it", async () => {
    const { world } = await noRoom();
    const clients = Array.from({ length: 20 }, (_, i) => world.client(`192.0.2.${i + 10}`));
    for (const client of clients) send(client, "GET", BROWSER);
    world.advance(200);
    const moments = clients.map((client) => Number(field(client.take(), "Retry-After")));
    expect(new Set(moments).size).toBeGreaterThan(4);
  });

  it("that is a program gets Retry-After and no page", async () => {
    const { answer } = await noRoom({}, "Accept: application/json\r\n");
    expect(field(answer, "Content-Type")).toBe("application/problem+json");
    expect(Number(field(answer, "Retry-After"))).toBeGreaterThan(0);
    expect(answer).not.toMatch(/Set-Cookie|<html/i);
  });

  it("that sends something gets the usual page: one that asks again by itself would send it again", async () => {
    const { world, client } = await noRoom();
    send(client, "POST", BROWSER);
    world.advance(200);
    const answer = client.take();
    expect(statusOf(answer)).toBe("503");
    expect(answer).not.toContain('http-equiv="refresh"');
    expect(field(answer, "Set-Cookie")).toBe("");
  });

  it("gets the usual page where the operator does not want another", async () => {
    const { answer } = await noRoom({ waitingPage: false });
    expect(answer).toContain("503 Service Unavailable</h1>");
    expect(answer).not.toMatch(/Set-Cookie/i);
  });

  it("can show its ticket to every gateway that has the same secret, and to no other", async () => {
    const one = await noRoom({}, BROWSER, { waiting: { secret: "a-secret-of-the-fleet" } });
    const ticket = field(one.answer, "Set-Cookie").split(";")[0] ?? "";
    const seenBy = async (waiting: Record<string, unknown>): Promise<string> => {
      const { world, client } = await noRoom({}, BROWSER, { waiting });
      send(client, "GET", `${BROWSER}Cookie: ${ticket}\r\n`);
      world.advance(200);
      return field(client.take(), "Set-Cookie");
    };
    expect(await seenBy({ secret: "a-secret-of-the-fleet" })).toBe("");
    expect(await seenBy({ secret: "another-one-of-others" })).toContain("goodgate-wait=");
  });
});

describe("origins of a strained service", () => {
  it("are told to do with less while requests are turned away, and a little longer", async () => {
    const { world, holder } = await noRoom();
    world.origin(1).send(OK);
    world.origin(1).take();
    send(holder);
    expect(world.origin(1).take()).toMatch(/\r\nGoodgate-Mode: reduced\r\n/);
    world.origin(1).send(OK);
    expect(codes(world)).toEqual(["attempt.reduced-mode"]);
    world.advance(2_500);
    send(holder);
    expect(world.origin(1).take()).not.toMatch(/Goodgate-Mode/i);
  });

  it("are told when they stand in for a pool that is out", async () => {
    const world = await memoryGateway({
      service: {
        pools: [
          { name: "first", origins: ["http://10.0.0.1"] },
          { name: "second", origins: ["http://10.0.1.1"] },
        ],
      },
    });
    world.network.acceptAtOnce = false;
    const client = world.client();
    for (let i = 0; i < 12; i += 1) {
      send(client);
      for (let round = 0; round < 4; round += 1) {
        const last = world.network.dialled.at(-1);
        if (last?.address.startsWith("10.0.0.1") === true) last.refuse("ECONNREFUSED");
        else last?.accept();
      }
      for (const peer of world.network.dialled) if (peer.take().includes("\r\n\r\n")) peer.send(OK);
      world.advance(300);
    }
    const told = world.records.filter((record) => record.decisions.some(({ code }) => code === "attempt.reduced-mode"));
    expect(told.length).toBeGreaterThan(0);
    expect(told.at(-1)?.pool).toBe("second");
    expect(told.at(-1)?.decisions.find(({ code }) => code === "attempt.reduced-mode")?.reason).toMatch(/\bfirst\b/);
    expect(world.network.dialled.some((peer) => peer.received.includes("Goodgate-Mode: reduced"))).toBe(true);
  });

  it("are told nothing by clients, and what a trusted gateway in front says", async () => {
    const world = await memoryGateway({ rest: { trustedProxies: ["10.9.0.1"] } });
    send(world.client(), "GET", "Goodgate-Mode: reduced\r\n");
    expect(world.origin(1).take()).not.toMatch(/Goodgate-Mode/i);
    world.origin(1).send(OK);
    send(world.client("10.9.0.1"), "GET", "Goodgate-Mode: reduced\r\n");
    expect(
      world
        .origin(1)
        .take()
        .match(/Goodgate-Mode: reduced/g),
    ).toHaveLength(1);
  });

  it("are told nothing where the operator does not want it", async () => {
    const world = await memoryGateway({
      service: {
        reducedMode: false,
        connections: { perOrigin: 1 },
        routes: [{ timeouts: { connect: "100ms" } }],
      },
    });
    const [holder, client] = [world.client(), world.client()];
    send(holder);
    send(client);
    world.advance(200);
    expect(statusOf(client.take())).toBe("503");
    world.origin(1).send(OK);
    world.origin(1).take();
    send(holder);
    expect(world.origin(1).take()).not.toMatch(/Goodgate-Mode/i);
  });
});
