/** Connections of HTTP/2 to origins: what is configured for them, and how they are shown. */
import { expect, test } from "vitest";
import { http2Origin, STREAMS, WINDOW } from "../../test/support/h2-origin-peer.ts";
import type { Http2Origin } from "../../test/support/h2-origin-peer.ts";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../test/support/memory-gateway.ts";
import { FRAME } from "../http2/frames.ts";

const OK = { ":status": "200" };
const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface World {
  readonly world: MemoryGateway;
  ask(): void;
  origin(number: number, ...settings: (readonly [number, number])[]): Promise<Http2Origin>;
}

async function behind(http2: unknown): Promise<World> {
  const world = await memoryGateway({ service: { http2, health: false } });
  return {
    world,
    ask: () => world.client().send(GET),
    async origin(number, ...settings) {
      await turn();
      const at = http2Origin(world.origin(number));
      at.settings(...settings);
      await turn();
      return at;
    },
  };
}

function shown({ gateway }: MemoryGateway): readonly (number | undefined)[] {
  const [address] = gateway.view.origins()[0]?.addresses ?? [];
  const [counted] = gateway.view.metrics().origins;
  expect(counted).toMatchObject({
    connectionsOpen: address?.connectionsOpen,
    connectionsIdle: address?.connectionsIdle,
  });
  return [address?.connectionsOpen, address?.connectionsIdle];
}

test("a connection is one from when it is made until it ends, and idle while no request is on it", async () => {
  const { world, ask, origin } = await behind(true);
  expect(shown(world)).toEqual([0, 0]);
  ask();
  ask();
  expect(shown(world)).toEqual([1, 0]);
  const at = await origin(1);
  expect(shown(world)).toEqual([1, 0]);
  at.head(1, OK, 1);
  await turn();
  expect(shown(world)).toEqual([1, 0]);
  at.head(3, OK, 1);
  await turn();
  expect(shown(world)).toEqual([1, 1]);
  ask();
  await turn();
  expect(shown(world)).toEqual([1, 0]);
  at.head(5, OK, 1);
  await turn();
  world.network.dialled[0]?.fin();
  await turn();
  expect(shown(world)).toEqual([0, 0]);
});

test("`streams` is how many requests go on one connection, however many the origin allows", async () => {
  const { world, ask, origin } = await behind({ streams: 2 });
  for (let asked = 0; asked < 3; asked += 1) ask();
  const first = await origin(1, [STREAMS, 50]);
  const second = await origin(2, [STREAMS, 50]);
  expect([first.requests().length, second.requests().length]).toEqual([2, 1]);
  expect(shown(world)).toEqual([2, 0]);
});

test("`window` is what an origin may send ahead of a client that does not read", async () => {
  const { world, origin } = await behind({ window: "64KiB" });
  const client = world.client();
  client.takeOnly(0);
  client.send(GET);
  const at = await origin(1);
  const settings = at.frames().find(({ type, payload }) => type === FRAME.SETTINGS && payload.length > 0)?.payload;
  const pairs = Array.from({ length: (settings?.length ?? 0) / 6 }, (_, index) => [
    settings?.readUInt16BE(6 * index),
    settings?.readUInt32BE(6 * index + 2),
  ]);
  expect(pairs).toContainEqual([WINDOW, 65_536]);
  at.head(1, OK);
  for (let sent = 0; sent < 8; sent += 1) at.data(1, "x".repeat(16_000));
  await turn();
  expect(world.records[0]).toMatchObject({ cause: "origin.h2_protocol" });
  expect(world.records[0]?.evidence).toMatch(/window/);
});
