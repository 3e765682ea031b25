/** Several workers in processes of their own, that are killed, stopped and left alone by their supervisor. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import type { IncidentsResponse } from "../../src/contract/control-responses.ts";
import { startChild } from "../support/child.ts";
import type { Child } from "../support/child.ts";
import { freePort } from "../support/free-port.ts";
import { httpOrigin } from "../support/http-origin.ts";
import { startLoad } from "../support/load.ts";
import { rawClient } from "../support/raw-client.ts";
import { until } from "../support/until.ts";
import { childrenOf, isRunning, workersOf } from "../support/worker-processes.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const closers: (() => void | Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function origin(answer: RequestListener): Promise<string> {
  const { url, close } = await httpOrigin(answer);
  closers.push(close);
  return url;
}

interface Running {
  readonly port: number;
  readonly child: Child;
  /** A worker's process. */
  pidOf(worker: number): number;
}

async function start(url: string, rest: Record<string, unknown> = {}): Promise<Running> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), "goodgate-test-"));
  const file = join(folder, "goodgate.yaml");
  const config = {
    listeners: [{ bind: `127.0.0.1:${port}` }],
    admin: false,
    control: false,
    workers: 2,
    drain: "10s",
    // A busy machine is late; nothing is to be turned away for that.
    limits: { loopDelay: false },
    services: {
      app: {
        health: false,
        ejection: false,
        overload: false,
        routes: [{ match: { path: "/*" }, timeouts: { connect: "60s", firstByte: "60s" } }],
        pools: [{ origins: [url] }],
      },
    },
    ...rest,
  };
  await writeFile(file, JSON.stringify(config));
  const child = await startChild(process.execPath, [join(ROOT, "bin/goodgate.js"), "run", "-c", file], {
    cwd: folder,
    env: { STATE_DIRECTORY: join(folder, "state") },
  });
  closers.push(async () => {
    await child.stop();
    await rm(folder, { recursive: true, force: true });
  });
  await child.printed(/Stop: Ctrl-C/);
  return {
    port,
    child,
    pidOf(worker) {
      const found = workersOf(child.pid).find((one) => one.worker === worker);
      if (found === undefined) throw new Error(`there is no worker ${worker}`);
      return found.pid;
    },
  };
}

const GET = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";

describe("a worker that is killed", () => {
  it("costs what was under way in it and nothing else, and is replaced", async () => {
    const url = await origin((_request, response) => response.end("here"));
    const { port, child, pidOf } = await start(url);
    const load = startLoad({ port, path: "/", ratePerSecond: 200, newConnections: true });
    await load.completed(100);
    const [victim, sibling] = [pidOf(1), pidOf(2)];
    const { underWay } = load;
    process.kill(victim, "SIGKILL");
    await child.printed(/worker\.running: worker 1: it runs again, started 2 times/);
    await load.completed(100);
    const { sent, byStatus, byError } = await load.stop();
    // What waited in its queue was answered by its sibling; what it had taken is gone with it.
    expect(Object.keys(byError).filter((code) => code !== "ECONNRESET")).toEqual([]);
    expect(byError["ECONNRESET"] ?? 0).toBeLessThanOrEqual(underWay);
    expect(byStatus).toEqual({ 200: sent - (byError["ECONNRESET"] ?? 0) });
    expect(pidOf(2)).toBe(sibling);
    expect(pidOf(1)).not.toBe(victim);
  });

  it("again and again is named, is an incident that says so, and its sibling serves on", async () => {
    const url = await origin((_request, response) => response.end("here"));
    const adminPort = await freePort();
    const { port, child, pidOf } = await start(url, { admin: { bind: `127.0.0.1:${adminPort}` }, control: {} });
    const sibling = pidOf(2);
    // Where the machine is busy five ends may take longer than a loop allows; then a few more make one.
    while (!(child.stdout() + child.stderr()).includes("worker.crash-loop")) {
      const victim = await until(
        "worker 1",
        () => workersOf(child.pid).find(({ worker }) => worker === 1)?.pid ?? null,
      );
      process.kill(victim, "SIGKILL");
      await until("its end", () => (isRunning(victim) ? null : true));
    }
    await child.printed(
      /worker\.crash-loop: worker 1: it ended 5 times within 60 s, last by SIGKILL; .*; its siblings serve/,
    );
    expect(pidOf(2)).toBe(sibling);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("here");
    const incident = await until("the incident", async () => {
      const answer = await fetch(`http://127.0.0.1:${adminPort}/api/v1/incidents`).catch(() => null);
      if (answer?.status !== 200) return null;
      return (
        ((await answer.json()) as IncidentsResponse).incidents.find(({ cause }) => cause === "gw.crash_loop") ?? null
      );
    });
    expect(incident).toMatchObject({ party: "gateway", verdict: "decided", severity: "warning" });
    expect(incident.title).toMatch(/^Worker 1 of .+ crashes again and again$/);
    expect(incident.hypotheses[0].for[0].text).toContain("last by SIGKILL");
  });
});

describe("a worker that is stopped", () => {
  it("is covered for by its sibling: new connections are answered while it does not turn", async () => {
    const url = await origin((_request, response) => response.end("here"));
    const { port, pidOf } = await start(url);
    const stopped = pidOf(1);
    process.kill(stopped, "SIGSTOP");
    // About half of these wait in its queue until its sibling accepts for it.
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => (await fetch(`http://127.0.0.1:${port}/`)).text()),
    );
    expect(new Set(answers)).toEqual(new Set(["here"]));
    expect(isRunning(stopped)).toBe(true);
    process.kill(stopped, "SIGCONT");
  });
});

describe("workers whose supervisor is killed", () => {
  it("finish what is under way and end, and the port is free", async () => {
    let finish: () => void = () => undefined;
    const url = await origin((_request, response) => {
      response.writeHead(200, { "content-length": 8 });
      response.write("begun ");
      finish = () => response.end("ok");
    });
    const { port, child } = await start(url);
    const client = await rawClient(port);
    await client.send(GET);
    await client.received.until("the first half", (text) => (text.includes("begun ") ? true : null));
    const processes = childrenOf(child.pid);
    expect(processes).toHaveLength(2);
    child.signal("SIGKILL");
    await until("one of them to end", () => (processes.every(isRunning) ? null : true));
    expect(processes.some(isRunning)).toBe(true);
    finish();
    await client.received.until("the second half", (text) => (text.endsWith("begun ok") ? true : null));
    await until("all of them to end", () => (processes.some(isRunning) ? null : true));
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow("fetch failed");
  });
});

describe("workers that are told to stop", () => {
  it("finish what is under way, and the supervisor ends with 0 after them", async () => {
    let finish: (() => void) | null = null;
    const url = await origin((_request, response) => {
      finish = () => response.end("late");
    });
    const { port, child } = await start(url);
    const client = await rawClient(port);
    await client.send(GET);
    const answer = await until("the request", () => finish);
    for (const pid of [child.pid, ...childrenOf(child.pid)]) process.kill(pid, "SIGTERM");
    await child.printed(/stopping: SIGTERM/);
    answer();
    await client.received.until("the answer", (text) => (text.endsWith("late") ? true : null));
    expect(await client.over).toBe("fin");
    expect(await child.ending).toEqual({ code: 0, signal: null });
  });

  it("say why when one of them cannot begin", async () => {
    const url = await origin((_request, response) => response.end("here"));
    const routes = [{ match: { path: "/*" }, fallback: { file: "/there/is/no/such.html" } }];
    const services = { app: { health: false, pools: [{ origins: [url] }], routes } };
    const started = start(url, { services });
    await expect(started).rejects.toThrow(
      /\/there\/is\/no\/such\.html of a route's fallback cannot be read \(ENOENT\)/,
    );
  });
});
