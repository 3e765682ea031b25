/**
 * The control process may die, hang or find its disk full: no exchange fails by it, the gateway does not grow by it,
 * what was not handed over is counted, and what it knew is there again.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { readFacts } from "../../src/store/recorded-facts.ts";
import { residentBytes, startChild } from "../support/child.ts";
import { freePort } from "../support/free-port.ts";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { startLoad, type LoadResult } from "../support/load.ts";
import { lossesOf } from "../support/lost.ts";
import { rawOrigin, response, type RawOrigin } from "../support/raw-origin.ts";
import { smallDisk } from "../support/small-disk.ts";
import { until } from "../support/until.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/goodgate.js", import.meta.url));

const disk = smallDisk(512);
if (disk === null) console.warn("one test of control-plane.test.ts is skipped: mounting a small tmpfs takes root.");

let gateway: GatewayProcess | undefined;
let origin: RawOrigin | undefined;

afterEach(async () => {
  disk?.empty();
  await gateway?.stop();
  await origin?.close();
});

afterAll(() => disk?.remove());

async function answering(): Promise<RawOrigin> {
  return rawOrigin(async (connection) => {
    for (;;) {
      await connection.head();
      await connection.send(response(200, "ok"));
    }
  });
}

async function start(rest: Record<string, unknown> = {}): Promise<{ gateway: GatewayProcess; origin: RawOrigin }> {
  origin = await answering();
  // What is lost for the control process is counted, and not what a machine loses that is too busy for the rate.
  const routes = [{ match: { path: "/*" }, timeouts: { connect: "60s", firstByte: "60s" } }];
  gateway = await startGateway(inFrontOf([origin.url], { routes, ejection: false }, rest));
  await running(gateway);
  return { gateway, origin };
}

function running({ status }: GatewayProcess): Promise<true> {
  return until("the control process to run", async () => ((await status()).control.state === "running" ? true : null));
}

/** The process ids of its children. */
function childrenOf(pid: number): number[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return tasks.flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number),
  );
}

/** Command line and all: the program that `bin/goodgate.js` runs is the gateway's own process. */
function controlOf({ child }: GatewayProcess): number {
  const [pid] = childrenOf(child.pid);
  if (pid === undefined) throw new Error("the gateway has no control process");
  return pid;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function expectNoneLost(gateway: GatewayProcess, { sent, byStatus, byError }: LoadResult): Promise<void> {
  const { lost, failed } = await lossesOf(gateway);
  expect({ lost, byError }).toEqual({ lost: [], byError: {} });
  expect(byStatus["200"]).toBe(sent - failed);
  expect(failed).toBeLessThan(sent / 2);
}

describe("a control process", () => {
  it("that is killed under load costs no exchange and comes back", async () => {
    const { gateway } = await start();
    const load = startLoad({ port: gateway.port, path: "/", ratePerSecond: 200 });
    await load.completed(200);
    process.kill(controlOf(gateway), "SIGKILL");
    await load.completed(100);
    await until("it to be started again", async () => ((await gateway.status()).control.restarts > 0 ? true : null));
    await running(gateway);
    await load.completed(200);
    await expectNoneLost(gateway, await load.stop());
    expect(gateway.child.stderr() + gateway.child.stdout()).toContain("control.dead");
  });

  it("that hangs under load costs no exchange and no memory, is said to hang, and what it missed is counted", async () => {
    const { gateway } = await start();
    const load = startLoad({ port: gateway.port, path: "/", ratePerSecond: 200 });
    await load.completed(400);
    const control = controlOf(gateway);
    const before = residentBytes(gateway.child.pid);
    process.kill(control, "SIGSTOP");
    await until("it to be said", async () => ((await gateway.status()).control.state === "hung" ? true : null));
    await until("facts to be lost", async () => ((await gateway.status()).control.factsLost > 0 ? true : null));
    const grown = residentBytes(gateway.child.pid) - before;
    await expectNoneLost(gateway, await load.stop());
    expect(grown).toBeLessThan(40 * 1024 * 1024);
    // Killed by then and started again, or about to be.
    await running(gateway);
    expect(isRunning(control)).toBe(false);
  });

  it("that is there again knows the incident that goes on, by the same id", async () => {
    const port = await freePort();
    gateway = await startGateway(inFrontOf([`http://127.0.0.1:${port}`], {}));
    await running(gateway);
    const load = startLoad({ port: gateway.port, path: "/", ratePerSecond: 50 });
    const state = join(gateway.folder, "state", "control.sqlite");
    await until("an incident", () => (openedIn(state).size > 0 ? true : null));
    const before = openedIn(state);
    process.kill(controlOf(gateway), "SIGKILL");
    await until("it to be started again", async () =>
      (await gateway?.status())?.control.restarts === 1 ? true : null,
    );
    await running(gateway);
    await load.completed(200);
    await load.stop();
    expect(openedIn(state)).toEqual(before);
    // Whoever looks into it later sees the same, also while the gateway runs.
    const replay = await startChild(process.execPath, [PROGRAM, "replay", state, "--json"]);
    await replay.ending;
    const { incidents } = JSON.parse(replay.stdout()) as { readonly incidents: readonly { readonly id: string }[] };
    expect(new Set(incidents.map(({ id }) => id))).toEqual(before);
  });

  it("whose disk is full costs no exchange, says so, and goes on", async () => {
    if (disk === null) return;
    const { gateway } = await start({ state: disk.path });
    disk.fill();
    const load = startLoad({ port: gateway.port, path: "/", ratePerSecond: 200 });
    await until("it to be said", () =>
      (gateway.child.stdout() + gateway.child.stderr()).includes("control.store-failing") ? true : null,
    );
    await load.completed(200);
    // On a busy machine it may be slow to say that it lives.
    await running(gateway);
    expect((await gateway.status()).control).toMatchObject({ factsLost: 0 });
    disk.empty();
    await until("it to work again", () =>
      (gateway.child.stdout() + gateway.child.stderr()).includes("control.store-works") ? true : null,
    );
    await expectNoneLost(gateway, await load.stop());
  });

  it("ends with the gateway, having written down its last facts", async () => {
    const { gateway } = await start();
    const control = controlOf(gateway);
    const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    expect(Number(/^goodgate_control_resident_memory_bytes (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(1_000_000);
    await fetch(gateway.url);
    gateway.child.signal("SIGTERM");
    await gateway.child.ending;
    expect(isRunning(control)).toBe(false);
    const facts = [...readFacts(join(gateway.folder, "state", "control.sqlite"))].flatMap((batch) => batch.facts);
    expect(facts.some((fact) => fact.kind === "change" && fact.what === "gateway stopped")).toBe(true);
    const served = facts
      .flatMap((fact) => (fact.kind === "second" ? fact.traffic : []))
      .map((row) => row.byOutcome.served);
    expect(served).toEqual([1]);
  });

  it("that hangs ends with a gateway that is killed", async () => {
    const { gateway } = await start();
    const control = controlOf(gateway);
    process.kill(control, "SIGSTOP");
    gateway.child.signal("SIGKILL");
    await gateway.child.ending;
    await until("it to end", () => (isRunning(control) ? null : true));
  });

  it("does not heed what ends a whole group before the gateway has drained, and ends when the gateway is killed", async () => {
    const { gateway } = await start();
    const control = controlOf(gateway);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(control, signal);
    await running(gateway);
    expect(controlOf(gateway)).toBe(control);
    gateway.child.signal("SIGKILL");
    await gateway.child.ending;
    await until("it to end", () => (isRunning(control) ? null : true));
  });

  it("is not there where it is switched off", async () => {
    origin = await answering();
    gateway = await startGateway(inFrontOf([origin.url], {}, { control: false }));
    expect((await gateway.status()).control).toMatchObject({ state: "off" });
    expect(childrenOf(gateway.child.pid)).toEqual([]);
  });
});

/** Ids of incidents that facts so far lead to, as the store has them. */
function openedIn(path: string): Set<string> {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return new Set(
      database
        .prepare("SELECT id FROM incidents WHERE state = 'open'")
        .all()
        .map(({ id }) => String(id)),
    );
  } finally {
    database.close();
  }
}
