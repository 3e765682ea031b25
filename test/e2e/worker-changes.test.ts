/** Two workers that are given other settings, are replaced and hand their place on, while clients go on asking. */
import { readFile, writeFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { freePort } from "../support/free-port.ts";
import { inFrontOf, startGateway } from "../support/gateway-process.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { httpOrigin } from "../support/http-origin.ts";
import { startLoad } from "../support/load.ts";
import { stopWithSuccessors, successors } from "../support/successors.ts";
import { until } from "../support/until.ts";
import { connectWithoutPause } from "../support/without-pause.ts";
import { isRunning, workersOf } from "../support/worker-processes.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function origin(answer: RequestListener): Promise<string> {
  const { url, close } = await httpOrigin(answer);
  closers.push(close);
  return url;
}

async function start(url: string): Promise<GatewayProcess> {
  // Two seconds are not enough for every connection on a machine that has much else to do, nor ten to end what is begun.
  const routes = [{ match: { path: "/*" }, timeouts: { connect: "60s", firstByte: "60s" } }];
  const gateway = await startGateway(inFrontOf([url], { routes }, { drain: "2m", workers: 2 }));
  closers.push(() => stopWithSuccessors(gateway));
  return gateway;
}

type Config = { listeners: { bind: string }[] } & Record<string, unknown>;

async function configOf(gateway: GatewayProcess): Promise<Config> {
  return JSON.parse(await readFile(join(gateway.folder, "goodgate.yaml"), "utf8")) as Config;
}

async function apply(gateway: GatewayProcess, config: Config): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${gateway.adminUrl}/api/v1/config?allowRemoval=true`, {
    method: "POST",
    headers: { "content-type": "application/yaml" },
    body: JSON.stringify(config),
  });
  return { status: answer.status, text: await answer.text() };
}

const ask = async (port: number): Promise<string> =>
  (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } })).text();

describe("two workers that are given other settings", () => {
  it("both put them into effect and stay the processes that they are", async () => {
    const [one, two] = [
      await origin((_request, response) => response.end("one")),
      await origin((_request, response) => response.end("two")),
    ];
    const gateway = await start(one);
    const before = workersOf(gateway.child.pid);
    expect(await ask(gateway.port)).toBe("one");
    const config = await configOf(gateway);
    const text = JSON.stringify(config).replace(one, two);
    expect(await apply(gateway, JSON.parse(text) as Config)).toMatchObject({ status: 200 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(gateway.port)));
    expect(new Set(answers)).toEqual(new Set(["two"]));
    expect(workersOf(gateway.child.pid)).toEqual(before);
    const state = { ...config, state: join(gateway.folder, "elsewhere") };
    const refused = await apply(gateway, JSON.parse(JSON.stringify(state).replace(one, two)) as Config);
    expect(refused.text).toContain("state can only be changed by a restart");
    expect(new Set(await Promise.all(Array.from({ length: 20 }, () => ask(gateway.port))))).toEqual(new Set(["two"]));
  });

  it("become more and fewer under the same supervisor, with another name too, and lose no request", async () => {
    const url = await origin((_request, response) => response.end("here"));
    const gateway = await start(url);
    const config = await configOf(gateway);
    const fresh = connectWithoutPause(gateway.port, 2);
    const kept = startLoad({ port: gateway.port, path: "/kept", ratePerSecond: 60 });
    await kept.completed(20);
    let before = workersOf(gateway.child.pid).map(({ pid }) => pid);
    for (const workers of [3, 1]) {
      expect(await apply(gateway, { ...config, workers, node: `with-${workers}` })).toMatchObject({ status: 200 });
      const old = before;
      await until("those before to end", () => (old.some((pid) => isRunning(pid)) ? null : true));
      const after = workersOf(gateway.child.pid);
      expect(after.map(({ worker }) => worker)).toEqual(Array.from({ length: workers }, (_, index) => index + 1));
      before = after.map(({ pid }) => pid);
      await kept.completed(20);
      await fresh.answered(10);
    }
    const { workers, configuration } = await gateway.status();
    expect(workers).toMatchObject([{ state: "serving" }]);
    expect(configuration?.revision.number).toBe(3);
    expect(await fresh.stop()).toMatchObject({ refused: 0, lost: {} });
    const { sent, byStatus, byError } = await kept.stop();
    expect({ byStatus, byError }).toEqual({ byStatus: { 200: sent }, byError: {} });
    expect(gateway.child.running).toBe(true);
  });

  it("are replaced one after the other where sockets come and go, and lose no request", async () => {
    const url = await origin((_request, response) => response.end("here"));
    const gateway = await start(url);
    const load = connectWithoutPause(gateway.port, 2);
    await load.answered(50);
    const config = await configOf(gateway);
    const second = await freePort();
    const both = { ...config, listeners: [...config.listeners, { bind: `127.0.0.1:${second}` }] };
    for (let times = 0; times < 3; times += 1) {
      const before = workersOf(gateway.child.pid).map(({ pid }) => pid);
      expect(await apply(gateway, both)).toMatchObject({ status: 200 });
      expect(await ask(second)).toBe("here");
      const after = workersOf(gateway.child.pid).map(({ pid }) => pid);
      expect(after).toHaveLength(2);
      expect(after.some((pid) => before.includes(pid))).toBe(false);
      expect(await apply(gateway, config)).toMatchObject({ status: 200 });
      await expect(ask(second)).rejects.toThrow("fetch failed");
    }
    // Each is told, once for the node, as one that running workers are given is.
    const told = [...gateway.child.stderr().matchAll(/config\.applied: configuration (\d+) /g)].map(([, at]) => at);
    expect(told).toEqual(["2", "3", "4", "5", "6", "7"]);
    await load.answered(50);
    expect(await load.stop()).toMatchObject({ refused: 0, lost: {} });
  });

  it("stay as they are when a new one cannot begin", async () => {
    const url = await origin((_request, response) => response.end("here"));
    const gateway = await start(url);
    const before = workersOf(gateway.child.pid);
    const config = await configOf(gateway);
    const services = config["services"] as Record<string, object>;
    const routes = [{ match: { path: "/*" }, fallback: { file: "/there/is/no/such.html" } }];
    const other = {
      ...config,
      listeners: [...config.listeners, { bind: `127.0.0.1:${await freePort()}` }],
      services: { "test-service": { ...services["test-service"], routes } },
    };
    const refused = await apply(gateway, other);
    expect(refused.status).not.toBe(200);
    expect(refused.text).toContain("no/such.html");
    // The one that could not begin may still be ending.
    await expect.poll(() => workersOf(gateway.child.pid)).toEqual(before);
    expect(await ask(gateway.port)).toBe("here");
  });
});

describe("two workers whose supervisor is upgraded", () => {
  it("lose no request, and the configuration that is on the disk then holds", async () => {
    const url = await origin((_request, response) => response.end("here"));
    const gateway = await start(url);
    const fresh = connectWithoutPause(gateway.port, 2);
    const kept = startLoad({ port: gateway.port, path: "/kept", ratePerSecond: 80 });
    await kept.completed(50);
    await writeFile(
      join(gateway.folder, "goodgate.yaml"),
      JSON.stringify({ ...(await configOf(gateway)), workers: 3 }),
    );
    gateway.child.signal("SIGUSR2");
    const next = await until("a successor", () => successors(gateway)[0] ?? null);
    await until("the one before to end", () => (isRunning(gateway.child.pid) ? null : true));
    expect(workersOf(next)).toHaveLength(3);
    await kept.completed(50);
    expect(await fresh.stop()).toMatchObject({ refused: 0, lost: {} });
    const { sent, byStatus, byError } = await kept.stop();
    expect({ byStatus, byError }).toEqual({ byStatus: { 200: sent }, byError: {} });
  });
});
