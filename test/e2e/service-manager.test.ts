/** systemd's two protocols, with systemd's own tools: sockets that it opened, and being told who serves. */
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { startChild } from "../support/child.ts";
import type { Child } from "../support/child.ts";
import { freePort } from "../support/free-port.ts";
import { until } from "../support/until.ts";
import { isRunning } from "../support/worker-processes.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PROGRAM = join(ROOT, "bin/goodgate.js");
const has = (tool: string): boolean => spawnSync(tool, ["--version"]).status === 0;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function prepare(port: number, rest: Record<string, unknown> = {}): Promise<{ folder: string; file: string }> {
  const server = http.createServer((_request, response) => response.end("here")).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const folder = await mkdtemp(join(tmpdir(), "goodgate-test-"));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "goodgate.yaml");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config = {
    listeners: [{ bind: `127.0.0.1:${port}` }],
    admin: false,
    control: false,
    drain: "5s",
    services: { app: { health: false, pools: [{ origins: [url] }] } },
    ...rest,
  };
  await writeFile(file, JSON.stringify(config));
  return { folder, file };
}

function get(port: number): Promise<string> {
  return fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } }).then((response) => response.text());
}

describe.skipIf(!has("systemd-socket-activate"))("sockets that systemd opened", () => {
  it.each([1, 2])("are listened on by %i workers, and one that no listener is meant for is closed", async (workers) => {
    const [port, other] = [await freePort(), await freePort()];
    const { folder, file } = await prepare(port, { workers });
    const sockets = ["-l", `127.0.0.1:${port}`, "-l", `127.0.0.1:${other}`];
    const child = await startChild(
      "systemd-socket-activate",
      [...sockets, process.execPath, PROGRAM, "run", "-c", file],
      { cwd: folder, env: { STATE_DIRECTORY: join(folder, "state") } },
    );
    closers.push(() => child.stop());
    await child.printed(/Listening on 127\.0\.0\.1:\d+ as 4/);
    // It is started by the first connection, which waits in the queue of a socket that no Goodgate has seen yet.
    expect(await get(port)).toBe("here");
    await child.printed(new RegExp(`listeners\\.not-used: .*127\\.0\\.0\\.1:${other}`));
    await expect(get(other)).rejects.toThrow("fetch failed");
  });
});

/** A datagram socket such as systemd's, which Node.js cannot have: Python keeps it and prints what comes. */
async function notifySocket(path: string): Promise<Child> {
  const script = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True:
    data, fds, flags, address = socket.recv_fds(s, 4096, 8)
    for fd in fds:
        import os; os.close(fd)
    print(data.decode().replace("\\n", " "), flush=True)
`;
  const child = await startChild("python3", ["-c", script, path]);
  closers.push(() => child.stop());
  await child.printed(/bound/);
  return child;
}

describe.skipIf(!has("systemd-notify") || !has("python3"))("a service manager", () => {
  it("is told who serves, also after another process took the place, and that it ends", async () => {
    const port = await freePort();
    const { folder, file } = await prepare(port);
    const path = join(folder, "notify");
    const manager = await notifySocket(path);
    const child = await startChild(process.execPath, [PROGRAM, "run", "-c", file], {
      cwd: folder,
      env: { STATE_DIRECTORY: join(folder, "state"), NOTIFY_SOCKET: path, WATCHDOG_USEC: "400000" },
    });
    closers.push(() => child.stop());
    await manager.printed(new RegExp(`READY=1 MAINPID=${child.pid}\\b`));
    await manager.printed(/WATCHDOG=1/);
    child.signal("SIGHUP");
    // When it was, by the clock that systemd compares with; then that it is over.
    const told = await manager.printed(/RELOADING=1 MONOTONIC_USEC=(\d+)\n[^]*?READY=1\s*\n/);
    expect(Number(told[1])).toBeLessThanOrEqual(Number(process.hrtime.bigint() / 1000n));
    child.signal("SIGUSR2");
    const next = Number((await child.printed(/upgrade\.done: process (\d+) serves/))[1]);
    closers.push(() => isRunning(next) && process.kill(next, "SIGKILL"));
    await manager.printed(new RegExp(`READY=1 MAINPID=${next}\\b`));
    await until("the first to end", () => (isRunning(child.pid) ? null : true));
    expect(await get(port)).toBe("here");
    process.kill(next, "SIGTERM");
    await manager.printed(/STOPPING=1/);
    await until("the second to end", () => (isRunning(next) ? null : true));
  });

  it("that cannot be told anything is no reason not to serve, and that is said", async () => {
    const port = await freePort();
    const { folder, file } = await prepare(port);
    const child = await startChild(process.execPath, [PROGRAM, "run", "-c", file], {
      env: { STATE_DIRECTORY: join(folder, "state"), NOTIFY_SOCKET: join(folder, "notify"), PATH: folder },
    });
    closers.push(() => child.signal("SIGKILL"));
    await child.printed(/service-manager\.deaf: systemd-notify cannot tell the service manager anything/);
    expect(await get(port)).toBe("here");
  });
});
