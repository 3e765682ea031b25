/** Through the whole gateway: what origins are told of whose a connection is. */
import { describe, expect, test } from "vitest";
import { ProxyHeaderReader } from "../kernel/proxy-protocol.ts";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../test/support/memory-gateway.ts";

const REQUEST = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

function started(service: Readonly<Record<string, unknown>>): Promise<MemoryGateway> {
  return memoryGateway({ service });
}

/** How many connections to origins there are. */
function dialled({ network }: MemoryGateway): number {
  return network.dialled.length;
}

describe("an origin that is told whose a connection is", () => {
  test("hears it before the request, once for the connection", async () => {
    const world = await started({ proxyProtocol: 1 });
    const client = world.client("203.0.113.9");
    client.send(REQUEST);
    expect(world.origin(1).received).toMatch(/^PROXY TCP4 203\.0\.113\.9 \S+ \d+ \d+\r\nGET \/ HTTP\/1\.1\r\n/);
    world.origin(1).send(ANSWER);
    client.send(REQUEST);
    expect(dialled(world)).toBe(1);
    expect(world.origin(1).received.match(/PROXY /g)?.length).toBe(1);
    expect(world.origin(1).received.match(/GET \/ /g)?.length).toBe(2);
  });

  test("never gets another client's request on it", async () => {
    const world = await started({ proxyProtocol: 2 });
    const [one, other] = [world.client("203.0.113.9"), world.client("203.0.113.10")];
    one.send(REQUEST);
    world.origin(1).send(ANSWER);
    other.send(REQUEST);
    expect(dialled(world)).toBe(2);
    const reader = new ProxyHeaderReader(4096);
    const bytes = Buffer.from(world.origin(2).received, "latin1");
    reader.execute(bytes, 0, bytes.length);
    expect(reader.header).toMatchObject({ version: 2, local: false, source: "203.0.113.10" });
    world.origin(2).send(ANSWER);
    one.send(REQUEST);
    other.send(REQUEST);
    expect(dialled(world)).toBe(2);
  });

  test("gets no idle connection of a client that waits: it makes room for a new one", async () => {
    const world = await started({ proxyProtocol: 1, connections: { perOrigin: 1 } });
    const [one, other] = [world.client("203.0.113.9"), world.client("203.0.113.10")];
    one.send(REQUEST);
    other.send(REQUEST);
    expect(dialled(world)).toBe(1);
    world.origin(1).send(ANSWER);
    expect(world.origin(1).ended).not.toBe("");
    expect(world.origin(2).received).toContain("203.0.113.10");
    world.origin(2).send(ANSWER);
    expect(other.received).toContain("200 OK");
  });

  test("is told by a pool's own word before the service's", async () => {
    const world = await memoryGateway({
      service: { proxyProtocol: 2, pools: [{ origins: ["http://10.0.0.1"], proxyProtocol: false }] },
    });
    world.client().send(REQUEST);
    expect(world.origin(1).received).toMatch(/^GET /);
  });

  test("is told that a check is nobody's", async () => {
    const world = await started({ proxyProtocol: 1, health: { path: "/up" } });
    const [target] = world.gateway.checkTargets();
    if (target === undefined) throw new Error("nothing is to be checked");
    world.gateway.probe(target, () => undefined);
    world.network.settle();
    expect(world.origin(1).received).toMatch(/^PROXY UNKNOWN\r\nGET \/up /);
  });
});

test("an origin that is told nothing shares its connections between clients", async () => {
  const world = await started({});
  world.client("203.0.113.9").send(REQUEST);
  world.origin(1).send(ANSWER);
  world.client("203.0.113.10").send(REQUEST);
  expect(dialled(world)).toBe(1);
});

describe("an origin on a Unix socket", () => {
  test("is dialled by its path, needs no name, and is asked as localhost", async () => {
    const world = await memoryGateway({
      origins: ["unix:/run/app.sock:/base"],
      service: { routes: [{ hostHeader: "origin" }] },
    });
    world.client().send(REQUEST);
    expect(world.origin(1).received).toMatch(/^GET \/base\/ HTTP\/1\.1\r\n/);
    expect(world.origin(1).received).toMatch(/\r\nHost: localhost\r\n/i);
    world.origin(1).send(ANSWER);
    expect(world.records[0]?.attempts[0]).toMatchObject({
      origin: "unix:/run/app.sock:/base",
      address: "unix:/run/app.sock",
    });
  });

  test.each([
    ["ENOENT", "origin.socket_missing"],
    ["EACCES", "origin.socket_denied"],
    ["ECONNREFUSED", "origin.refused"],
    ["EAGAIN", "origin.socket_full"],
  ])("%s when connecting is %s", async (code, cause) => {
    const world = await memoryGateway({ origins: ["unix:/run/app.sock"], service: { retry: false } });
    world.network.acceptAtOnce = false;
    const client = world.client();
    client.send(REQUEST);
    world.origin(1).refuse(code);
    expect(world.records[0]).toMatchObject({ cause, originStatus: 0 });
    expect(client.received).toMatch(/^HTTP\/1\.1 50[23] /);
  });
});

test("a client on a Unix socket is told of as unknown, and counted like the machine itself", async () => {
  const world = await memoryGateway({ rest: { limits: { connectionsPerClient: 1 } } });
  const clients = [1, 2, 3, 4, 5, 6].map(() => world.client("unix:"));
  clients[5]?.send(REQUEST);
  expect(world.origin(1).received).toContain("X-Forwarded-For: unknown\r\n");
  expect(world.origin(1).received).toMatch(/\r\nForwarded: for=unknown;/);
  world.origin(1).send(ANSWER);
  expect(world.records[0]).toMatchObject({ clientAddress: "unix:", outcome: "served" });
});

test("what a trusted proxy on a Unix socket says of its client is believed", async () => {
  const world = await memoryGateway({ listener: { trustedProxies: ["unix:"] } });
  world.client("unix:").send("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n");
  expect(world.origin(1).received).toContain("X-Forwarded-For: 203.0.113.9, unknown\r\n");
  world.origin(1).send(ANSWER);
  expect(world.records[0]?.clientAddress).toBe("203.0.113.9");
});
