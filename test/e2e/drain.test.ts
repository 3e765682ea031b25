/** SIGTERM: finish what is under way, take nothing new, say `Connection: close`, exit within the bound. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { rawClient } from "../support/raw-client.ts";
import { rawOrigin, response, type RawOrigin } from "../support/raw-origin.ts";
import { until } from "../support/until.ts";

let gateway: GatewayProcess;
let origin: RawOrigin;

afterEach(async () => {
  await gateway?.stop();
  await origin?.close();
});

const GET = "GET /slow HTTP/1.1\r\nHost: test\r\n\r\n";

/** A gateway with one request that has reached the origin and waits for its answer. */
async function withOneUnderWay(
  drain: string,
  rest: Record<string, unknown> = {},
): Promise<Awaited<ReturnType<typeof rawClient>>> {
  origin = await rawOrigin(async (connection) => {
    await connection.head();
    await connection.over;
  });
  gateway = await startGateway(inFrontOf([origin.url], {}, { drain, ...rest }));
  const client = await rawClient(gateway.port);
  await client.send(GET);
  await (await origin.connection(1)).received.until("the request", (text) => (text.includes("\r\n\r\n") ? true : null));
  return client;
}

function refused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", () => {
      resolve(true);
    });
  });
}

describe("a gateway that is told to stop", () => {
  it("finishes what is under way with Connection: close, refuses new connections and exits with 0", async () => {
    const client = await withOneUnderWay("30s");
    const idle = await rawClient(gateway.port);
    gateway.child.signal("SIGTERM");
    await until("new connections to be refused", async () => ((await refused(gateway.port)) ? true : null));
    expect(gateway.child.running).toBe(true);
    expect(await idle.over).toBe("fin");
    await (await origin.connection(1)).send(response(200, "finished after all"));
    const answer = await client.response();
    expect(answer.body).toBe("finished after all");
    expect(answer.headers["connection"]).toMatch(/close/i);
    expect(await client.over).toBe("fin");
    expect(await gateway.child.ending).toEqual({ code: 0, signal: null });
  });

  it("passes a response on to its end that had begun before, and does not wait for its client after that", async () => {
    // Longer than this test may take.
    const client = await withOneUnderWay("10m");
    const connection = await origin.connection(1);
    await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
    await client.received.until("the first half", (text) => (text.endsWith("half") ? true : null));
    gateway.child.signal("SIGTERM");
    await until("new connections to be refused", async () => ((await refused(gateway.port)) ? true : null));
    await connection.send("half");
    expect((await client.response()).body).toBe("halfhalf");
    // The head was gone before anybody knew of the end, so the FIN has to say it.
    expect(await client.over).toBe("fin");
    expect((await gateway.child.ending).code).toBe(0);
  });

  it("cuts what is still running when the time for draining is over, and exits", async () => {
    const client = await withOneUnderWay("500ms");
    gateway.child.signal("SIGTERM");
    const ending = await gateway.child.ending;
    expect(ending.signal).toBeNull();
    await client.over;
  });

  it("stops at once at a second signal, and what it cut is in the access log", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "goodgate-drain-"));
    const accessLog = path.join(folder, "access.log");
    await withOneUnderWay("60s", { accessLog });
    // Signals that come together count as one (a launcher passes Ctrl-C on a second time), so this one is repeated.
    await until("the gateway to end", () => {
      if (gateway.child.running) gateway.child.signal("SIGTERM");
      return gateway.child.running ? null : true;
    });
    expect((await gateway.child.ending).code).toBe(143);
    expect(await readFile(accessLog, "utf8")).toContain('"cause":"gw.draining"');
    await rm(folder, { recursive: true });
  });
});
