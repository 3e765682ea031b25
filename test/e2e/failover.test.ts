/** Origins are killed, stopped and started again under steady load: no idempotent request is lost. */
import { afterEach, describe, expect, it } from "vitest";
import { startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { lossesOf } from "../support/lost.ts";
import { startLoad, type LoadResult } from "../support/load.ts";
import { startNodeApp, type Peer } from "../support/peers.ts";
import { until } from "../support/until.ts";

let gateway: GatewayProcess;
let peers: Peer[] = [];

afterEach(async () => {
  await gateway?.stop();
  for (const peer of peers) await peer.stop();
  peers = [];
});

const RATE = 150;

async function start(pools: readonly (readonly string[])[]): Promise<void> {
  const configured: { name: string; origins: string[] }[] = [];
  for (const [index, names] of pools.entries()) {
    const started = await Promise.all(names.map((name) => startNodeApp(name)));
    peers.push(...started);
    configured.push({ name: `pool-${index}`, origins: started.map(({ url }) => url) });
  }
  gateway = await startGateway({
    turnsAway: true,
    records: { sample: "100%", sampled: 100_000 },
    accessLog: false,
    services: {
      main: {
        pools: configured,
        health: { path: "/name" },
        // All else is as a user has it who wrote nothing. Only this is shorter than its 15 s, so that the test is:
        // a stopped process looks like a slow one, and the limit decides how long a client waits for its rescue.
        routes: [{ match: { path: "/*" }, timeouts: { firstByte: "2s" } }],
      },
    },
  });
}

function peerNamed(index: number): Peer {
  const peer = peers[index];
  if (peer === undefined) throw new Error(`no peer ${index}`);
  return peer;
}

async function expectNoneLost({ sent, byStatus, byError }: LoadResult): Promise<void> {
  const { lost, failed } = await lossesOf(gateway);
  expect(lost).toEqual([]);
  expect(byError).toEqual({});
  expect(byStatus["200"]).toBe(sent - failed);
  expect(failed).toBeLessThan(sent / 2);
}

describe("steady load on three origins", () => {
  it("loses nothing when one is killed and comes back", async () => {
    await start([["a", "b", "c"]]);
    const load = startLoad({ port: gateway.port, path: "/name", ratePerSecond: RATE });
    await load.completed(RATE);
    const killed = peerNamed(1);
    killed.child.signal("SIGKILL");
    await killed.child.ending;
    await load.completed(2 * RATE);
    peers[1] = await startNodeApp("b", { port: killed.port });
    await load.completed(RATE);
    await until("the origin to be in use again", async () => {
      const origins = await gateway.origins();
      const addresses = origins.find(({ origin }) => origin === killed.url)?.addresses;
      return addresses?.every(({ state }) => state === "up" || state === "ramping") === true ? true : null;
    });
    await expectNoneLost(await load.stop());
  });

  it("loses nothing when one is stopped in the middle of its work and goes on later", async () => {
    await start([["a", "b", "c"]]);
    const load = startLoad({ port: gateway.port, path: "/name", ratePerSecond: RATE });
    await load.completed(RATE);
    peerNamed(0).child.signal("SIGSTOP");
    await load.completed(3 * RATE);
    peerNamed(0).child.signal("SIGCONT");
    await load.completed(RATE);
    await expectNoneLost(await load.stop());
  });

  it("loses nothing when they are restarted one after the other", async () => {
    await start([["a", "b", "c"]]);
    const load = startLoad({ port: gateway.port, path: "/name", ratePerSecond: RATE });
    for (const [index, name] of ["a", "b", "c"].entries()) {
      await load.completed(RATE);
      const old = peerNamed(index);
      await old.stop();
      peers[index] = await startNodeApp(name, { port: old.port });
    }
    await load.completed(RATE);
    await expectNoneLost(await load.stop());
  });
});

describe("steady load on two pools", () => {
  it("moves to the second pool when the first is gone, and loses nothing", async () => {
    await start([["a", "b"], ["c"]]);
    const load = startLoad({ port: gateway.port, path: "/name", ratePerSecond: RATE });
    await load.completed(RATE);
    for (const index of [0, 1]) peerNamed(index).child.signal("SIGKILL");
    await load.completed(3 * RATE);
    const { services } = await gateway.status();
    expect(services[0]?.pool).toBe("pool-1");
    await expectNoneLost(await load.stop());
  });
});
