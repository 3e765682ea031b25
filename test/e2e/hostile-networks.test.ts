/**
 * Networks that lose, delay and cut off, and peers that are half there. The origin lives in a network namespace whose
 * cable the test holds; where the machine does not allow one, those tests are skipped, which the report shows. Each
 * trouble has to end within its limit, with the cause that it has.
 */
import { readFileSync } from "node:fs";
import net from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { connectionsWithin } from "../../src/cli/machine-findings.ts";
import { PLAIN_WAY } from "../../src/contract/rungs.ts";
import type { ProbeRequest } from "../../src/contract/rungs.ts";
import { climbSizes } from "../../src/control/ladder/sized-rungs.ts";
import { systemSchedule } from "../../src/net/clock.ts";
import { createProbeRungs } from "../../src/net/probe-rungs.ts";
import { eventBefore } from "../support/event-before.ts";
import { startGateway } from "../support/gateway-process.ts";
import { localGateway } from "../support/local-gateway.ts";
import type { LocalGateway } from "../support/local-gateway.ts";
import { lossyNamespace, networkNamespace } from "../support/network-namespace.ts";
import type { LossyNamespace, NetworkNamespace } from "../support/network-namespace.ts";
import { rawClient } from "../support/raw-client.ts";
import { rawOrigin, response } from "../support/raw-origin.ts";
import { createTestAuthority } from "../support/test-authority.ts";
import type { TestAuthority } from "../support/test-authority.ts";
import { until } from "../support/until.ts";

const probe = networkNamespace();
const isAllowed = probe !== null;
probe?.close();
const lossy = isAllowed ? await lossyNamespace({ ratio: 0.02, delayMs: 50, seed: 7 }) : null;

let authority: TestAuthority;
const closing: (() => unknown)[] = [];
beforeAll(() => {
  authority = createTestAuthority();
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});
afterAll(() => {
  lossy?.close();
  authority.close();
});

/**
 * `/BYTES` is answered with so many, `/head-first/BYTES` behind a head in a packet of its own, `/ranged/BYTES` with one if a
 * part is asked for; `/slow` in ten pieces a second apart.
 */
const ORIGIN = `
import http from "node:http";
import https from "node:https";
const answer = (request, response) => {
  const size = Number(request.url.split("/").at(-1));
  if (request.url.startsWith("/ranged/") && request.headers.range !== undefined) {
    response.writeHead(206, { "content-length": 1, "content-range": "bytes 0-0/" + size });
    return response.end("x");
  }
  if (request.url.startsWith("/head-first/")) {
    response.writeHead(200, { "content-length": size });
    response.flushHeaders();
    return setImmediate(() => response.end("x".repeat(size)));
  }
  if (request.url !== "/slow") return response.end("x".repeat(size || 2));
  response.writeHead(200, { "content-length": 10 });
  let left = 10;
  const timer = setInterval(() => { response.write("x"); left -= 1; if (left === 0) { clearInterval(timer); response.end(); } }, 1000);
};
`;

async function plainOrigin(space: Pick<NetworkNamespace, "ip" | "run">): Promise<string> {
  const start = `http.createServer({ keepAliveTimeout: 600000 }, answer).listen(8080, () => console.log("up"));`;
  await space.run(ORIGIN + start);
  return `http://${space.ip}:8080`;
}

/** Its chain does not fit into one packet. */
async function secureOrigin(space: NetworkNamespace): Promise<string> {
  const names = Array.from({ length: 120 }, (_, index) => `name-${index}.of.a.large.certificate.test`);
  const { cert, key } = authority.issue({ names: [space.ip, ...names] });
  const options = JSON.stringify({ cert, key });
  await space.run(`${ORIGIN} https.createServer(${options}, answer).listen(8443, () => console.log("up"));`);
  return `https://${space.ip}:8443`;
}

/** Both, and a WebSocket at the plain one that says everything back. */
async function originsIn(space: LossyNamespace): Promise<{ readonly plain: string; readonly secure: string }> {
  const pair = JSON.stringify(authority.issue({ names: [space.ip] }));
  const start = `
    import { WebSocketServer } from "ws";
    const server = http.createServer({ keepAliveTimeout: 600000 }, answer);
    new WebSocketServer({ server }).on("connection", (socket) => socket.on("message", (data) => socket.send(data.toString())));
    server.listen(8080, () => https.createServer(${pair}, answer).listen(8443, () => console.log("up")));
  `;
  await space.run(ORIGIN + start);
  return { plain: `http://${space.ip}:8080`, secure: `https://${space.ip}:8443` };
}

function namespace(): NetworkNamespace {
  const space = networkNamespace();
  if (space === null) throw new Error("it was allowed a moment ago");
  closing.push(() => space.close());
  return space;
}

async function gatewayTo(origin: string, more: Readonly<Record<string, unknown>> = {}): Promise<LocalGateway> {
  const gateway = await localGateway({
    app: {
      pools: [{ origins: [origin] }],
      health: false,
      retry: false,
      ejection: false,
      // A process that stands still for half of a limit is itself to blame (gw.loop_stall), and busy ones do for a while.
      routes: [{ timeouts: { connect: "2s", handshake: "3s", firstByte: "2s", gap: "2s" } }],
      ...(origin.startsWith("https:") ? { tls: { ca: authority.caFile } } : {}),
      ...more,
    },
  });
  closing.push(() => gateway.close());
  return gateway;
}

describe.skipIf(!isAllowed)("a network that is cut", () => {
  it("before a connection is silence to SYN, and ends by its limit", async () => {
    const space = namespace();
    const gateway = await gatewayTo(await plainOrigin(space));
    space.unplug();
    const { status, record } = await gateway.get("a");
    expect([status, record.cause]).toEqual([504, "net.connect_timeout"]);
    expect((record.doneUs - record.routedUs) / 1000).toBeLessThan(20_000);
  });

  it("under an idle connection is a half-open one or a slow origin, and the next request gets a new one", async () => {
    const space = namespace();
    const gateway = await gatewayTo(await plainOrigin(space));
    expect((await gateway.get("a")).status).toBe(200);
    space.unplug();
    const { status, record } = await gateway.get("a");
    expect(status).toBe(504);
    expect(record.attempts[0]).toMatchObject({ reused: true, receivedBytes: 0 });
    expect(["origin.ttfb_timeout", "net.half_open"]).toContain(record.cause);
    space.plug();
    const after = await gateway.get("a");
    expect([after.status, after.record.attempts[0]?.reused]).toEqual([200, false]);
  });

  it("in the middle of a body is a response that stopped half-way, which the client sees cut", async () => {
    const space = namespace();
    const gateway = await gatewayTo(await plainOrigin(space), {
      routes: [{ timeouts: { gap: "2s" }, resume: false }],
    });
    const client = await gateway.client();
    await client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    await until("the first byte", () => (client.received.text.includes("\r\n\r\nx") ? true : null));
    space.unplug();
    const record = await gateway.record(1);
    expect([record.cause, record.outcome]).toEqual(["origin.stall_mid_body", "failed"]);
    expect(await client.over).not.toBe("");
  });
});

describe.skipIf(lossy === null)("a network that loses one packet in fifty and takes 100 ms there and back", () => {
  it("lets every request, handshake, download and WebSocket through, whole and in order", async () => {
    if (lossy === null) return;
    const { plain, secure } = await originsIn(lossy);
    const patient = { routes: [{ timeouts: { connect: "60s", handshake: "60s", firstByte: "60s", gap: "60s" } }] };
    const toPlain = await gatewayTo(plain, patient);
    const toSecure = await gatewayTo(secure, patient);

    const kept = await toPlain.client();
    const socket = new WebSocket(`ws://127.0.0.1:${toPlain.port}/`);
    closing.push(() => socket.terminate());
    await eventBefore(socket, "open");
    const echoed: string[] = [];
    socket.on("message", (data: Buffer) => echoed.push(data.toString()));
    const said = Array.from({ length: 40 }, (_, index) => `${index} ${"w".repeat(500)}`);
    for (const word of said) socket.send(word);

    const [download, handshakes] = await Promise.all([
      toPlain.get("a", "/200000"),
      Promise.all(Array.from({ length: 6 }, () => toSecure.get("a"))),
      (async () => {
        for (let asked = 0; asked < 10; asked += 1) {
          await kept.send("GET /1000 HTTP/1.1\r\nHost: a\r\n\r\n");
          expect((await kept.response()).body).toHaveLength(1_000);
        }
      })(),
      until("every echo", () => (echoed.length === said.length ? true : null)),
    ]);
    expect([download.status, download.body.length, download.record.cause]).toEqual([200, 200_000, null]);
    expect(handshakes.map(({ status, record }) => [status, record.cause])).toEqual(handshakes.map(() => [200, null]));
    expect(handshakes.some(({ record }) => (record.attempts[0]?.securedUs ?? -1) > 0)).toBe(true);
    expect(echoed).toEqual(said);
    kept.close();
    expect(lossy.lost()).toBeGreaterThan(0);
  });
});

describe.skipIf(lossy === null)("a path whose way back loses large packets", () => {
  it("lets small answers through and stops large ones, which is told with its place, and shown by the probe", async () => {
    const space = await lossyNamespace({ ratio: 0, delayMs: 0, seed: 1 });
    if (space === null) throw new Error("it was allowed a moment ago");
    closing.push(() => space.close());
    const gateway = await gatewayTo(await plainOrigin(space), {
      routes: [{ timeouts: { connect: "60s", firstByte: "60s", gap: "3s" }, resume: false }],
    });
    await space.dropAbove(1_300);
    const small = await gateway.get("a", "/100");
    expect([small.status, small.record.cause]).toEqual([200, null]);
    // What an incident of such failures has the control plane ask; the engine weighs it (ladder-evidence.test.ts).
    const to = { ip: space.ip, family: 4, port: 8080 } as const;
    const asked: ProbeRequest = { method: "HEAD", target: "/", host: "a", way: PLAIN_WAY, fields: {}, bodyBytes: 0 };
    const whole: ProbeRequest = { ...asked, method: "GET", target: "/ranged/100000" };
    const rungs = createProbeRungs({ resolvers: [], schedule: systemSchedule });
    const client = await gateway.client();
    await client.send("GET /head-first/100000 HTTP/1.1\r\nHost: a\r\n\r\n");
    const [large, sizes] = await Promise.all([gateway.record(2), climbSizes(rungs, to, asked, whole, 5_000)]);
    expect([large.cause, large.outcome]).toEqual(["origin.stall_mid_body", "failed"]);
    expect(large.evidence).toMatch(/^silence for 3000 ms after \d{2,3} response bytes$/);
    expect([sizes.request.result, sizes.response.result]).toEqual(["holds", "breaks"]);
    expect(sizes.response.text).toContain("a part of one byte was answered");
    expect(space.lost()).toBeGreaterThan(0);
  });
});

describe.skipIf(!isAllowed)("a path that loses large packets", () => {
  it("keeps certificates from coming: the handshake ends by its limit, and is told as that", async () => {
    const space = namespace();
    const gateway = await gatewayTo(await secureOrigin(space));
    expect((await gateway.get("a")).status).toBe(200);
    const other = await gatewayTo((await gateway.record(1)).origin);
    space.dropLargePackets();
    const { status, record } = await other.get("a");
    expect([status, record.cause]).toEqual([504, "tls.handshake_timeout"]);
    expect(record.attempts[0]).toMatchObject({ securedUs: -1, sentBytes: 0 });
    expect(record.attempts[0]?.connectedUs).toBeGreaterThan(0);
  });
});

describe("a client", () => {
  it("with the smallest window there is holds no more than its share, and is let go by its limit", async () => {
    const size = 50_000_000;
    const origin = await rawOrigin(async (connection) => {
      await connection.head();
      await connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
      const piece = Buffer.alloc(1_000_000, "x");
      for (let sent = 0; sent < size; sent += piece.length) await connection.send(piece);
    });
    closing.push(() => origin.close());
    const gateway = await localGateway(
      { app: { pools: [{ origins: [origin.url] }], health: false } },
      { timeouts: { bodyGap: "1s" }, minRate: { response: "10KiB" } },
    );
    closing.push(() => gateway.close());
    const before = process.memoryUsage().arrayBuffers;
    const client = await gateway.client();
    client.pause();
    await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const record = await gateway.record(1);
    expect(record.cause).toBe("client.slow");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
    client.close();
  });
});

/**
 * Ten thousand, or nearly as many as a gateway takes with this machine's descriptors: it keeps a second one for each, and
 * a few places are left for those who ask.
 */
const IDLE = Math.min(10_000, connectionsWithin(descriptorsMax()) - 20);

function descriptorsMax(): number {
  const line = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
  return Number(line?.[1] ?? 1024);
}

describe(`${IDLE} connections that say nothing`, () => {
  it("cost little memory each, and those who ask are served beside them", async () => {
    const origin = await rawOrigin(async (connection) => {
      for (;;) {
        await connection.head();
        await connection.send(response(200, "ok"));
      }
    });
    closing.push(() => origin.close());
    const gateway = await startGateway({
      // A slow machine needs a while to open them all.
      listener: { timeouts: { idle: "10m" } },
      limits: { connections: 20_000, connectionsPerClient: 20_000, flood: false },
      services: { app: { pools: [{ origins: [origin.url] }], health: false } },
    });
    closing.push(() => gateway.stop());
    const rss = async (): Promise<number> => (await gateway.status()).process.residentBytes;
    const before = await rss();
    const sockets: net.Socket[] = [];
    closing.push(() => {
      for (const socket of sockets) socket.destroy();
    });
    while (sockets.length < IDLE) {
      await Promise.all(
        Array.from(
          { length: Math.min(500, IDLE - sockets.length) },
          () =>
            new Promise<void>((resolve, reject) => {
              const socket = net.connect(gateway.port, "127.0.0.1", resolve);
              socket.on("error", reject);
              sockets.push(socket);
            }),
        ),
      );
    }
    await until("all of them", async () => ((await gateway.status()).connections >= IDLE ? true : null));
    const each = ((await rss()) - before) / IDLE;
    expect(each).toBeLessThan(16_000);
    const answer = await fetch(`http://127.0.0.1:${gateway.port}/`);
    expect(answer.status).toBe(200);
    expect((await gateway.status()).connections).toBeGreaterThanOrEqual(IDLE);
    expect(sockets.filter(({ closed }) => closed)).toEqual([]);
  });
});

describe("a flood of connections", () => {
  it("is closed beyond the limit, costs who is inside nothing, and leaves nothing behind", async () => {
    const origin = await rawOrigin(async (connection) => {
      for (;;) {
        await connection.head();
        await connection.send(response(200, "ok"));
      }
    });
    closing.push(() => origin.close());
    const gateway = await startGateway({
      limits: { connections: 200, connectionsPerClient: 200, flood: false },
      services: { app: { pools: [{ origins: [origin.url] }], health: false } },
    });
    closing.push(() => gateway.stop());
    const inside = await rawClient(gateway.port);
    closing.push(() => inside.close());
    const ask = async (): Promise<number> => {
      await inside.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      return (await inside.response()).status;
    };
    expect(await ask()).toBe(200);
    const flood = Array.from({ length: 3_000 }, () => {
      const socket = net.connect(gateway.port, "127.0.0.1");
      socket.on("error", () => undefined);
      return socket;
    });
    closing.push(() => {
      for (const socket of flood) socket.destroy();
    });
    for (let time = 0; time < 5; time += 1) expect(await ask()).toBe(200);
    await until("most are closed", () =>
      flood.filter(({ closed, readableEnded }) => closed || readableEnded).length > 2_500 ? true : null,
    );
    for (const socket of flood) socket.destroy();
    await until("they are gone", async () => {
      return (await gateway.status()).connections <= 1 ? true : null;
    });
    expect(await ask()).toBe(200);
  });
});
