/**
 * Causes that lie with the gateway or its machine. Each needs a process of its own: out of descriptors, out of
 * local ports, standing still, full, or about to stop.
 */
import { execFileSync } from "node:child_process";
import { readlinkSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { startChild } from "../support/child.ts";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { rawClient } from "../support/raw-client.ts";
import { answerAll, rawOrigin, response, type RawOrigin, type Script } from "../support/raw-origin.ts";

let gateway: GatewayProcess;
let origin: RawOrigin;

afterEach(async () => {
  await gateway?.stop();
  await origin?.close();
});

const HOLD: Script = async (connection) => {
  await connection.head();
  await connection.over;
};
const get = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: test\r\n\r\n`;

function limitDescriptors(pid: number, count: number): void {
  execFileSync("prlimit", [`--pid=${pid}`, `--nofile=${count}:`]);
}

describe("gw.fd_exhausted", () => {
  it("is named when no descriptor is left for a connection to the origin", async () => {
    origin = await rawOrigin(answerAll(response(200, "ok", { Connection: "close" })));
    gateway = await startGateway(inFrontOf([origin.url], { retry: false }));
    const client = await rawClient(gateway.port);
    await client.send(get("/while-there-are-some"));
    expect((await client.response()).status).toBe(200);
    // What is open stays open; nothing more can be opened.
    const { pid } = gateway.child;
    limitDescriptors(pid, 3);
    await client.send(get("/none-left"));
    expect((await client.response()).status).toBe(503);
    limitDescriptors(pid, 4_096);
    const record = await gateway.record("it", ({ target }) => target === "/none-left");
    expect(record, record.evidence).toMatchObject({ cause: "gw.fd_exhausted", party: "gateway", originStatus: 0 });
    client.close();
  });
});

const mayUnshare = ((): boolean => {
  try {
    execFileSync("unshare", ["-n", "ip", "link", "set", "lo", "up"], { stdio: "ignore" });
    return true;
  } catch {
    process.stderr.write(
      "skipped: gw.ports_exhausted needs unshare(1), ip(8) and the right to make a network namespace\n",
    );
    return false;
  }
})();

describe.skipIf(!mayUnshare)("gw.ports_exhausted", () => {
  it("is named when no local port is left towards an origin", async () => {
    const program = fileURLToPath(new URL("../support/port-shortage.ts", import.meta.url));
    const child = await startChild("unshare", ["-n", process.execPath, program, readlinkSync("/proc/self/ns/net")]);
    try {
      const said = (await child.printed(/^\{.*\}$/m))[0];
      expect(JSON.parse(said)).toMatchObject({ status: 503, cause: "gw.ports_exhausted", party: "gateway" });
      expect((await child.ending).code).toBe(0);
    } finally {
      await child.stop();
    }
  });
});

describe("gw.loop_stall", () => {
  it("is named, and not the origin, when the gateway itself stood still while time ran out", async () => {
    origin = await rawOrigin(HOLD);
    gateway = await startGateway(
      inFrontOf([origin.url], { retry: false, routes: [{ match: { path: "/*" }, timeouts: { firstByte: "3s" } }] }),
    );
    const client = await rawClient(gateway.port);
    await client.send(get("/stalled"));
    await (
      await origin.connection(1)
    ).received.until("the request", (text) => (text.includes("\r\n\r\n") ? true : null));
    gateway.child.signal("SIGSTOP");
    // Time passing in a process that stands still is the very thing that is tested.
    await pass(3_500);
    gateway.child.signal("SIGCONT");
    expect((await client.response()).status).toBe(503);
    const record = await gateway.record("it", ({ target }) => target === "/stalled");
    expect(record, record.evidence).toMatchObject({ cause: "gw.loop_stall", party: "gateway", originStatus: 0 });
    client.close();
  });

  it("does not turn an answer that arrived meanwhile into a failure", async () => {
    origin = await rawOrigin(HOLD);
    gateway = await startGateway(
      inFrontOf([origin.url], { retry: false, routes: [{ match: { path: "/*" }, timeouts: { firstByte: "3s" } }] }),
    );
    const client = await rawClient(gateway.port);
    await client.send(get("/answered"));
    const connection = await origin.connection(1);
    await connection.received.until("the request", (text) => (text.includes("\r\n\r\n") ? true : null));
    gateway.child.signal("SIGSTOP");
    await connection.send(response(200, "in time"));
    await pass(3_500);
    gateway.child.signal("SIGCONT");
    expect((await client.response()).body).toBe("in time");
    client.close();
  });
});

describe("gw.shed", () => {
  it("is named for the connection that is one too many, and the others go on", async () => {
    origin = await rawOrigin(HOLD);
    gateway = await startGateway(inFrontOf([origin.url], { health: false }, { limits: { connections: 2 } }));
    const first = await rawClient(gateway.port);
    const second = await rawClient(gateway.port);
    // Both are busy: one that is idle would make room instead.
    for (const [index, client] of [first, second].entries()) {
      await client.send(get("/fits"));
      const busy = await origin.connection(index + 1);
      await busy.received.until("the request", (text) => (text.includes("\r\n\r\n") ? true : null));
    }
    const third = await rawClient(gateway.port);
    await third.send(get("/too-many"));
    const refusal = await third.response();
    expect(refusal.status).toBe(503);
    // Kept open, it would still hold the place that it was refused.
    expect(refusal.headers["connection"]).toMatch(/close/i);
    expect(await third.over).toBe("fin");
    const record = await gateway.record("the one too many", ({ cause }) => cause === "gw.shed");
    expect(record).toMatchObject({ party: "overload", originStatus: 0, peerPort: third.localPort });
    await (await origin.connection(1)).send(response(200, "ok"));
    expect((await first.response()).status).toBe(200);
    first.close();
    second.close();
  });
});

describe("gw.draining", () => {
  it("is named for what was still running when the time for draining ended", async () => {
    origin = await rawOrigin(HOLD);
    const logFile = join(tmpdir(), `goodgate-draining-${process.pid}.log`);
    gateway = await startGateway(inFrontOf([origin.url], { retry: false }, { drain: "400ms", accessLog: logFile }));
    const client = await rawClient(gateway.port);
    await client.send(get("/too-long"));
    await (
      await origin.connection(1)
    ).received.until("the request", (text) => (text.includes("\r\n\r\n") ? true : null));
    gateway.child.signal("SIGTERM");
    await client.over;
    await gateway.child.ending;
    // The API ended with the process; the access log has the record.
    const lines = (await readFile(logFile, "utf8")).trim().split("\n");
    await rm(logFile);
    expect(lines.map((line) => JSON.parse(line) as { target: string; cause: string })).toContainEqual(
      expect.objectContaining({ target: "/too-long", cause: "gw.draining" }),
    );
  });
});
