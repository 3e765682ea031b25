/** Upgrades: from the request to the tunnel and to its end, with bytes in every place and every way to leave. */
import { describe, expect, it } from "vitest";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../test/support/memory-gateway.ts";
import type { Peer } from "../../test/support/memory-socket.ts";

const UPGRADE = "GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n";
const AGREED = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

async function tunnel(to = "websocket"): Promise<{ world: MemoryGateway; client: Peer; origin: Peer }> {
  const world = await memoryGateway();
  const client = world.client();
  client.send(UPGRADE.replace("WebSocket", to));
  const origin = world.origin(1);
  origin.send(AGREED.replace("websocket", to));
  client.take();
  origin.take();
  return { world, client, origin };
}

function expectQuiet(world: MemoryGateway): void {
  expect(world.faults).toEqual([]);
  const status = world.gateway.view.status();
  expect(status).toMatchObject({ exchangesActive: 0, connections: 0 });
  expect(world.gateway.view.origins()[0]?.addresses[0]).toMatchObject({ inFlight: 0, connectionsOpen: 0 });
  expect(world.records).toHaveLength(1);
  expect(world.records[0]).toMatchObject({ tunnel: true, status: 101 });
}

describe("an upgrade", () => {
  it("is passed on with its protocol and answered with the origin's", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(UPGRADE);
    expect(world.origin(1).received).toMatch(/\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n/);
    world.origin(1).send(AGREED);
    expect(client.received).toBe(AGREED);
  });

  it("carries bytes sent in the same packet as the request, and as the 101", async () => {
    for (const size of [3, 5_000, 100_000]) {
      const world = await memoryGateway();
      const client = world.client();
      const [early, quick] = ["c".repeat(size), "o".repeat(size)];
      client.send(UPGRADE + early);
      const origin = world.origin(1);
      expect(origin.take()).not.toContain("ccc");
      origin.send(AGREED + quick);
      expect(origin.take() === early).toBe(true);
      expect(client.take() === AGREED + quick).toBe(true);
      client.send("more");
      expect(origin.take()).toBe("more");
    }
  });

  it.each([
    ["that nobody asked for", GET, AGREED],
    ["to another protocol", UPGRADE, AGREED.replace("Upgrade: websocket", "Upgrade: other")],
    ["without a protocol", UPGRADE, "HTTP/1.1 101 Switching Protocols\r\n\r\n"],
  ])("%s fails and its connection is closed", async (_what, request, response) => {
    const world = await memoryGateway({ service: { retry: { attempts: 1 } } });
    const client = world.client();
    client.send(request);
    world.origin(1).send(`${response}raw bytes`);
    expect(client.received).toMatch(/^HTTP\/1\.1 502 /);
    expect(client.received).not.toContain("raw bytes");
    expect(world.origin(1).ended).not.toBe("");
    expect(world.records[0]?.cause).toBe("origin.upgrade_failed");
    expect(world.faults).toEqual([]);
  });

  it("that the origin answers otherwise is an answer, and what was sent ahead is read as the next request", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(UPGRADE + GET);
    world.origin(1).send(OK);
    world.origin(1).send(OK);
    expect(client.received.match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
    expect(world.faults).toEqual([]);
  });

  it("of an HTTP/1.0 client or to h2c is not passed on", async () => {
    for (const request of [UPGRADE.replace("HTTP/1.1", "HTTP/1.0"), UPGRADE.replace("WebSocket", "h2c")]) {
      const world = await memoryGateway();
      const client = world.client();
      client.send(request);
      expect(world.origin(1).received).not.toMatch(/upgrade/i);
    }
  });
});

describe("a tunnel", () => {
  it("carries bytes both ways, and nobody looks at them or at the clock", async () => {
    const { world, client, origin } = await tunnel();
    client.send("\0\r\nGET / HTTP/9.9");
    expect(origin.take()).toBe("\0\r\nGET / HTTP/9.9");
    world.advance(600_000);
    origin.send("HTTP/1.1 500\r\n\r\n");
    expect(client.take()).toBe("HTTP/1.1 500\r\n\r\n");
    client.rst();
    expectQuiet(world);
    expect(world.records[0]).toMatchObject({ outcome: "served", requestBytes: 17, responseBytes: 16 });
  });

  it("reads neither side faster than the other takes it", async () => {
    const { world, client, origin } = await tunnel();
    const bytes = Buffer.alloc(500_000, "0123456789").latin1Slice();
    for (const [from, to] of [
      [client, origin],
      [origin, client],
    ] as const) {
      to.takeOnly(50_000);
      from.send(bytes);
      expect(from.stalled).toBe(true);
      world.advance(20_000);
      to.takeAll();
      expect(to.take() === bytes).toBe(true);
    }
    client.fin();
    origin.fin();
    expectQuiet(world);
  });

  it.each(["client", "origin"])(
    "half-closed by the %s still carries what the other side sends, and ends with its FIN",
    async (first) => {
      const { world, client, origin } = await tunnel();
      const [one, other] = first === "client" ? [client, origin] : [origin, client];
      one.send("last");
      one.fin();
      expect(other.take()).toBe("last");
      expect(other.ended).toBe("fin");
      other.send("answer");
      expect(one.take()).toBe("answer");
      other.fin();
      expect(one.ended).toBe("fin");
      world.advance(3_000);
      expectQuiet(world);
      expect(world.records[0]?.outcome).toBe("served");
    },
  );

  it("closed in order by both sides ends in order at both, and no RST takes the last bytes back", async () => {
    const { world, client, origin } = await tunnel();
    origin.fin();
    client.send("x".repeat(80_000));
    client.fin();
    expect(origin.take()).toHaveLength(80_000);
    expect([client.ended, origin.ended]).toEqual(["fin", "fin"]);
    world.advance(3_000);
    expectQuiet(world);
  });

  it("whose origin takes nothing of what waits for it ends after the time between bytes", async () => {
    const { world, client, origin } = await tunnel();
    origin.fin();
    origin.takeOnly(0);
    client.send("y".repeat(1_000));
    client.fin();
    world.advance(29_000);
    expect(origin.ended).toBe("");
    world.advance(5_000);
    expect(origin.ended).not.toBe("");
    expect(world.records[0]).toMatchObject({ outcome: "failed", cause: "origin.write_stall" });
    expectQuiet(world);
  });

  it("whose client takes nothing of what waits for it ends after the time between bytes", async () => {
    const { world, client, origin } = await tunnel();
    client.takeOnly(0);
    origin.send("x".repeat(1_000));
    world.advance(29_000);
    client.takeAll();
    world.advance(60_000);
    expect(client.ended).toBe("");
    client.takeOnly(0);
    origin.send("x".repeat(1_000));
    world.advance(31_000);
    expect(client.ended).toBe("rst");
    expect(world.records[0]).toMatchObject({ outcome: "aborted", cause: "client.slow" });
    expectQuiet(world);
  });

  it("hands over a FIN that the client sent before the 101", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(`${UPGRADE}all I have to say`);
    client.fin();
    const origin = world.origin(1);
    origin.take();
    origin.send(AGREED);
    expect(origin.take()).toBe("all I have to say");
    expect(origin.ended).toBe("fin");
    origin.send("answer");
    origin.fin();
    expect(client.received).toBe(`${AGREED}answer`);
    world.advance(3_000);
    expectQuiet(world);
  });

  it.each(["client", "origin"])("ends for both when the %s resets", async (who) => {
    const { world, client, origin } = await tunnel();
    (who === "client" ? client : origin).rst();
    // A FIN would say that the protocol inside had come to its end.
    expect(who === "client" ? origin.ended : client.ended).toBe("rst");
    expect(world.records[0]?.decisions.map((decision) => decision.code)).toEqual(
      who === "origin" ? ["relay.tunnel-reset"] : [],
    );
    client.fin();
    world.advance(3_000);
    expectQuiet(world);
  });

  it("is cut when the time of a drain is over", async () => {
    const { world, client, origin } = await tunnel("other");
    const drained = world.gateway.drain();
    client.send("still there");
    expect(origin.take()).toBe("still there");
    world.advance(31_000);
    await drained;
    world.network.settle();
    expect(client.ended).not.toBe("");
    expect(origin.ended).not.toBe("");
    expectQuiet(world);
  });
});

describe("a WebSocket when the gateway ends", () => {
  const TEXT = "\x81\x05hello";
  const MASKED = "\x81\x85abcd\x09\x07\x0f\x08\x0e";
  const GOING = "\x88\x02\x03\xe9";
  const CLOSED = "\x88\x80abcd";

  /** What a client's Close says, without its mask. */
  function codeOf(frame: string): number {
    const bytes = Buffer.from(frame, "latin1");
    expect([bytes.length, bytes[0], bytes[1]]).toEqual([8, 0x88, 0x82]);
    return (((bytes[6] ?? 0) ^ (bytes[2] ?? 0)) << 8) | ((bytes[7] ?? 0) ^ (bytes[3] ?? 0));
  }

  it("is told on both sides at once where no frame is under way, and is closed when both have answered", async () => {
    const { world, client, origin } = await tunnel();
    client.send(MASKED + MASKED);
    origin.send(TEXT);
    origin.take();
    client.take();
    void world.gateway.drain();
    expect(client.take()).toBe(GOING);
    expect(codeOf(origin.take())).toBe(1001);
    // Nothing may follow a Close.
    client.send(MASKED);
    origin.send(TEXT);
    expect([client.take(), origin.take()]).toEqual(["", ""]);
    client.send(CLOSED);
    expect([client.ended, origin.ended]).toEqual(["", ""]);
    origin.send(GOING);
    expect([client.ended, origin.ended]).toEqual(["fin", "fin"]);
    client.fin();
    origin.fin();
    world.advance(3_000);
    expectQuiet(world);
    expect(world.records[0]).toMatchObject({ outcome: "served", decisions: [{ code: "relay.tunnel-told" }] });
  });

  it("is told behind the frame that is under way, wherever that is cut", async () => {
    const long = `\x82\x7e\x01\x2c${"x".repeat(300)}`;
    const huge = `\x82\x7f\0\0\0\0\0\x01\x11\x70${"y".repeat(70_000)}`;
    for (const frame of [TEXT, long, huge]) {
      for (const at of [1, 2, 3, 5, 9, 11, frame.length - 1].filter((one) => one < frame.length)) {
        const { world, client, origin } = await tunnel();
        origin.send(TEXT + frame.slice(0, at));
        void world.gateway.drain();
        origin.send(frame.slice(at) + TEXT);
        expect(client.take() === TEXT + frame + GOING).toBe(true);
        client.rst();
      }
    }
  });

  it("is left alone when one side closes it already, and when it is none", async () => {
    for (const early of [CLOSED, CLOSED.slice(0, 1)]) {
      const { world, client, origin } = await tunnel();
      client.send(early);
      void world.gateway.drain();
      expect([client.take(), origin.take()]).toEqual(["", early]);
      client.send(CLOSED.slice(early.length));
      origin.send(`${TEXT}${GOING}`);
      expect(client.take()).toBe(`${TEXT}${GOING}`);
      client.rst();
    }
    const { world, client } = await tunnel("other");
    void world.gateway.drain();
    expect(client.take()).toBe("");
  });

  it("that does not answer is cut at the end of the drain", async () => {
    const { world, client } = await tunnel();
    const drained = world.gateway.drain();
    expect(client.take()).toBe(GOING);
    world.advance(31_000);
    await drained;
    expect(client.ended).not.toBe("");
    expect(world.records[0]).toMatchObject({ cause: "gw.draining" });
  });

  it("is told also when it begins while the gateway ends", async () => {
    const world = await memoryGateway();
    const client = world.client();
    client.send(UPGRADE);
    void world.gateway.drain();
    const origin = world.origin(1);
    origin.send(AGREED);
    client.take();
    origin.take();
    world.advance(200);
    expect(client.take()).toBe(GOING);
    expect(codeOf(origin.take())).toBe(1001);
    world.advance(200);
    expect([client.take(), origin.take()]).toEqual(["", ""]);
  });

  it("is told in portions where there are many, so that they do not all come again at once", async () => {
    const { world } = await tunnel();
    const clients = Array.from({ length: 300 }, (_, index) => {
      const client = world.client();
      client.send(UPGRADE);
      world.origin(index + 2).send(AGREED);
      client.take();
      return client;
    });
    void world.gateway.drain();
    const told = (): number => clients.filter(({ received }) => received.endsWith(GOING)).length;
    expect(told()).toBeLessThan(30);
    world.advance(6_000);
    expect(told()).toBe(300);
  });
});
