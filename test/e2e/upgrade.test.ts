/** A gateway whose place is taken by another process of the same command line, while clients go on asking. */
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { inFrontOf, startGateway } from "../support/gateway-process.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { httpOrigin } from "../support/http-origin.ts";
import { startLoad } from "../support/load.ts";
import { stopWithSuccessors, successors } from "../support/successors.ts";
import { until } from "../support/until.ts";
import { childrenOf, isRunning, workersOf } from "../support/worker-processes.ts";

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function origin(answer: RequestListener): Promise<string> {
  const { url, close } = await httpOrigin(answer);
  closers.push(close);
  return url;
}

/** Two seconds are not enough for every connection on a machine that has much else to do. */
const PATIENT = [{ match: { path: "/*" }, timeouts: { connect: "60s", firstByte: "60s" } }];

async function start(url: string, rest: Record<string, unknown> = {}): Promise<GatewayProcess> {
  const gateway = await startGateway(
    inFrontOf([url], { routes: PATIENT }, { drain: "10s", accessLog: "stdout", ...rest }),
  );
  closers.push(() => stopWithSuccessors(gateway));
  return gateway;
}

/** What did not go well by the access log, which all of them write. */
function failures({ child }: GatewayProcess): string[] {
  return child
    .stdout()
    .split("\n")
    .filter((line) => line.includes('"cause"'));
}

/** Whether a process has a socket that listens on this port (Linux). */
function acceptsAt(pid: number, port: number): boolean {
  const listens = new Set(
    readFileSync("/proc/net/tcp", "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === "0A" && Number.parseInt(fields[1]?.split(":")[1] ?? "", 16) === port)
      .map((fields) => `socket:[${fields[9]}]`),
  );
  return readdirSync(`/proc/${pid}/fd`).some((descriptor) => {
    try {
      return listens.has(readlinkSync(`/proc/${pid}/fd/${descriptor}`));
    } catch {
      // Closed in the meantime.
      return false;
    }
  });
}

/** As `goodgate upgrade` does. Resolves with the process that serves from now on. */
async function upgradeByApi(gateway: GatewayProcess): Promise<number> {
  const before = successors(gateway).length;
  const answer = await fetch(`${gateway.adminUrl}/api/v1/upgrade`, {
    method: "POST",
    headers: { connection: "close" },
  });
  expect({ status: answer.status, text: await answer.text() }).toMatchObject({ status: 200 });
  return until("a successor", () => successors(gateway).at(before) ?? null);
}

/** Resolves with the process that serves from now on, when the one before has ended. */
async function upgrade(gateway: GatewayProcess): Promise<number> {
  const known = successors(gateway);
  const old = known.at(-1) ?? gateway.child.pid;
  process.kill(old, "SIGUSR2");
  const pid = await until("a successor", () => successors(gateway).at(known.length) ?? null);
  await until("the one before to end", () => (isRunning(old) ? null : true));
  return pid;
}

describe("a gateway that is upgraded in place", () => {
  it("loses no request, three times in a row, and one process stays that waits, with its exit code", async () => {
    const url = await origin((_request, response) => response.end("here"));
    const spare = await origin((_request, response) => response.end("here"));
    const services = { "test-service": { health: false, pools: [{ origins: [url, spare] }], routes: PATIENT } };
    const gateway = await start(url, { control: false, services });
    const order = { service: "test-service", origin: spare, by: "ann", reason: "new kernel", for: "1h" };
    const drained = await fetch(`${gateway.adminUrl}/api/v1/origins/drain`, {
      method: "POST",
      headers: { connection: "close", "content-type": "application/json" },
      body: JSON.stringify(order),
    });
    expect(drained.status).toBe(200);
    const first = await gateway.status();
    const fresh = startLoad({ port: gateway.port, path: "/fresh", ratePerSecond: 50, newConnections: true });
    const kept = startLoad({ port: gateway.port, path: "/kept", ratePerSecond: 50 });
    let last = 0;
    for (let times = 0; times < 3; times += 1) {
      last = await upgradeByApi(gateway);
      await kept.completed(10);
    }
    await until("those between to end", () => (String(childrenOf(gateway.child.pid)) === String([last]) ? true : null));
    await fresh.completed(50);
    const results = [await fresh.stop(), await kept.stop()];
    expect(failures(gateway)).toEqual([]);
    expect(results).toEqual(results.map(({ sent }) => ({ sent, byStatus: { 200: sent }, byError: {} })));
    // The API is the successor's.
    const { startedAt, state } = await gateway.status();
    expect(state).toBe("serving");
    expect(startedAt).toBeGreaterThan(first.startedAt);
    // What was known of origins has come with it, three times.
    const addresses = (await gateway.origins()).map((shown) => shown.addresses.map((address) => address.state));
    expect(addresses).toEqual([["up"], ["drained"]]);
    process.kill(last, "SIGKILL");
    expect(await gateway.child.ending).toMatchObject({ code: 137 });
  });

  it("ends when the process that was started first is killed", async () => {
    const url = await origin((_request, response) => response.end("here"));
    const gateway = await start(url, { control: false });
    const last = await upgradeByApi(gateway);
    process.kill(gateway.child.pid, "SIGKILL");
    await until("the end of who serves", () => (isRunning(last) ? null : true));
  });

  it("finishes a response that had begun, while the successor serves", async () => {
    let finish: () => void = () => undefined;
    const url = await origin((request, response) => {
      if (request.url !== "/long") return response.end("short");
      response.write("first half, ");
      finish = () => response.end("second half");
      return undefined;
    });
    const gateway = await start(url);
    const long = await fetch(`${gateway.url}/long`);
    const text = long.text();
    process.kill(gateway.child.pid, "SIGUSR2");
    await until("a successor", () => successors(gateway)[0] ?? null);
    expect(await (await fetch(`${gateway.url}/short`)).text()).toBe("short");
    finish();
    expect(await text).toBe("first half, second half");
    await until("the one before to end", () => (isRunning(gateway.child.pid) ? null : true));
  });

  it("goes on when its successor cannot serve, and says why", async () => {
    const url = await origin((_request, response) => response.end("here"));
    const gateway = await start(url);
    const file = join(gateway.folder, "goodgate.yaml");
    const good = await readFile(file, "utf8");
    await writeFile(file, "services: {");
    process.kill(gateway.child.pid, "SIGUSR2");
    await gateway.child.printed(
      /upgrade\.failed: the successor does not serve: it ended with exit code 1 and said: .*goodgate\.yaml.*; this process goes on/,
    );
    const asked = await fetch(`${gateway.adminUrl}/api/v1/upgrade`, { method: "POST" });
    expect(asked.status).toBe(409);
    expect(await asked.json()).toMatchObject({
      code: "upgrade-failed",
      detail: expect.stringContaining("it ended with exit code 1 and said: "),
    });
    expect(await (await fetch(gateway.url)).text()).toBe("here");
    await writeFile(file, good);
    await upgrade(gateway);
    expect(await (await fetch(gateway.url)).text()).toBe("here");
  });

  it("takes a configuration that needs other processes by them, and stays behind who serves", async () => {
    const url = await origin((_request, response) => response.end("here"));
    const gateway = await start(url, { workers: 1 });
    const file = join(gateway.folder, "goodgate.yaml");
    const config = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
    const kept = startLoad({ port: gateway.port, path: "/kept", ratePerSecond: 40 });
    const fresh = startLoad({ port: gateway.port, path: "/fresh", ratePerSecond: 40, newConnections: true });
    await kept.completed(10);
    await writeFile(file, JSON.stringify({ ...config, workers: 2, control: false }));
    gateway.child.signal("SIGHUP");
    // Once more while the other process begins: that one is asked then, and has nothing to change.
    await gateway.child.printed(/upgrade\.started/);
    gateway.child.signal("SIGHUP");
    const next = await until("a successor", () => successors(gateway)[0] ?? null);
    await kept.completed(10);
    await fresh.completed(10);
    expect(workersOf(next)).toHaveLength(2);
    await gateway.child.printed(/config\.unchanged/);
    expect(gateway.child.stderr()).not.toContain("config.refused");
    const { configuration } = await until("its API", () => gateway.status().catch(() => null));
    expect(configuration).toMatchObject({ revision: { number: 2, by: "SIGHUP" }, lastOk: true });
    // By way of the process that was started first, which has nothing to do with files any more.
    await writeFile(file, JSON.stringify({ ...config, workers: 2, control: false, drain: "9s" }));
    gateway.child.signal("SIGHUP");
    await until("another configuration", async () => {
      // The API of the one before may still be closing.
      const status = await gateway.status().catch(() => null);
      return status?.configuration?.revision.number === 3 ? true : null;
    });
    const results = [await fresh.stop(), await kept.stop()];
    expect(failures(gateway)).toEqual([]);
    expect(results).toEqual(results.map(({ sent }) => ({ sent, byStatus: { 200: sent }, byError: {} })));
    expect(gateway.child.running).toBe(true);
    expect(await gateway.stop()).toMatchObject({ code: 0 });
    expect(isRunning(next)).toBe(false);
  });

  it("runs no keyed request twice, and keeps none waiting for the ledger to change hands", async () => {
    const answers = new Map<string, () => void>();
    let executions = 0;
    const url = await origin((request, response) => {
      executions += 1;
      const number = executions;
      const answer = (): void => void response.end(`paid ${number}`);
      if (request.url === "/slow") answers.set("/slow", answer);
      else answer();
    });
    const gateway = await start(url, {
      services: {
        shop: {
          health: false,
          pools: [{ origins: [url] }],
          routes: [{ match: { path: "/*" }, idempotencyKey: "required" }],
        },
      },
    });
    const pay = async (path: string, key: string): Promise<string> => {
      const headers = { "idempotency-key": `"${key}"`, connection: "close" };
      const response = await fetch(`${gateway.url}${path}`, { method: "POST", body: "7", headers });
      return `${response.status} ${await response.text()}`;
    };
    expect(await pay("/", "before")).toBe("200 paid 1");
    const slow = pay("/slow", "slow");
    await until("it to be under way", () => answers.get("/slow") ?? null);
    process.kill(gateway.child.pid, "SIGUSR2");
    await until("a successor", () => successors(gateway)[0] ?? null);
    await until("the one before to accept no more", () => (acceptsAt(gateway.child.pid, gateway.port) ? null : true));
    // It still has the ledger, because a request of its own is under way.
    expect(await pay("/", "before")).toBe("200 paid 1");
    expect(await pay("/", "meanwhile")).toBe("200 paid 3");
    const again = pay("/slow", "slow");
    answers.get("/slow")?.();
    expect(await slow).toBe("200 paid 2");
    expect(await again).toBe("200 paid 2");
    await until("the one before to end", () => (isRunning(gateway.child.pid) ? null : true));
    // By now the file is the successor's.
    expect(await pay("/", "before")).toBe("200 paid 1");
    expect(await pay("/", "meanwhile")).toBe("200 paid 3");
    expect(await pay("/slow", "slow")).toBe("200 paid 2");
    expect(await pay("/", "after")).toBe("200 paid 4");
    expect(executions).toBe(4);
    expect(gateway.child.stderr()).not.toContain("keys.interrupted");
  });
});
