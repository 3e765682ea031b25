/**
 * A gateway that is given one configuration after the other while it serves: requests at a steady rate on kept and on
 * new connections, a download and a tunnel that outlast all of it. What is lost is counted, and what is left over.
 */
import { createHash } from "node:crypto";
import http from "node:http";
import net from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { readdir } from "node:fs/promises";
import { residentBytes } from "./child.ts";
import { freePort } from "./free-port.ts";
import { startGateway } from "./gateway-process.ts";
import type { GatewayProcess } from "./gateway-process.ts";
import { startLoad } from "./load.ts";
import type { LoadResult } from "./load.ts";
import { until } from "./until.ts";

export interface ChangesOptions {
  readonly changes: number;
  /** Of both loads together. */
  readonly ratePerSecond: number;
  /** Requests that are waited for between two changes. */
  readonly requestsBetween: number;
  readonly workers?: number;
}

export interface ChangesReport {
  readonly kept: LoadResult;
  readonly fresh: LoadResult;
  /** Number of the configuration in effect at the end. */
  readonly revision: number;
  /** Why exchanges failed, by cause, as the gateway's own counters say. */
  readonly causes: Readonly<Record<string, number>>;
  /** What the gateway printed of defects of its own; empty: nothing. */
  readonly faults: string;
  /** Of those that were refused, why. */
  readonly refused: readonly string[];
  /** What the download should have been and was. */
  readonly download: { readonly sent: string; readonly received: string };
  /** What came back through the tunnel of what was sent. */
  readonly echoed: { readonly sent: number; readonly received: number };
  /** A quarter of the way, and at the end. */
  readonly residentBytes: { readonly early: number; readonly late: number };
  readonly descriptors: { readonly before: number; readonly after: number };
}

/** What the machine is too busy for is not lost by a change. */
const PATIENT = { connect: "60s", firstByte: "60s" };

/** Everything that can change in place, in turns. Two origins stay throughout: nothing is to be lost, not to be moved. */
export function fileFor(
  turn: number,
  [a, b, c]: readonly string[],
  ports: Ports,
  workers = 1,
): Record<string, unknown> {
  const even = turn % 2 === 0;
  return {
    listeners: [
      { bind: `127.0.0.1:${ports.listener}`, timeouts: { idle: even ? "75s" : "60s" } },
      // Workers inherit their listening sockets.
      ...(turn % 5 === 0 && workers === 1 ? [{ bind: `127.0.0.1:${ports.second}` }] : []),
    ],
    admin: { bind: `127.0.0.1:${ports.admin}` },
    // What is tried here is changes, on a machine that may be too busy for the rate: nothing is to be shed for that.
    limits: { connections: 5_000 + (turn % 7), flood: false, loopDelay: false },
    accessLog: turn % 11 === 0 ? "access-other.log" : "access.log",
    drain: "5s",
    workers,
    services: {
      app: {
        pools:
          turn % 3 === 0
            ? [{ name: "main", origins: [a, b, c] }]
            : turn % 3 === 1
              ? [{ name: "main", origins: [{ url: a, weight: 50 + (turn % 50) }, b] }]
              : [
                  { name: "main", origins: [a, b] },
                  { name: "spare", origins: [c] },
                ],
        health: turn % 13 === 0 ? false : { path: even ? "/up" : "/ready", interval: "1s" },
        retry: { attempts: even ? 3 : 2 },
        ejection: { window: turn % 17 === 0 ? "20s" : "10s" },
        overload: turn % 19 === 0 ? false : { concurrency: 2_000 + (turn % 2) },
        routes: [
          ...(turn % 4 === 0 ? [{ match: { path: `/only-${turn}` } }] : []),
          {
            name: "load",
            match: { path: "/load" },
            timeouts: PATIENT,
            ...(even ? { rateLimit: { rate: "1000000/1s", shadow: true } } : {}),
          },
          ...(turn % 6 === 0 ? [{ match: { path: "/cached/*" }, cache: true }] : []),
        ],
      },
      ...(turn % 8 === 0 ? { [`other-${turn}`]: { hosts: [`h${turn}.example`], pools: [{ origins: [a] }] } } : {}),
    },
  };
}

export interface Ports {
  readonly listener: number;
  readonly second: number;
  readonly admin: number;
}

export async function changesUnderLoad(options: ChangesOptions): Promise<ChangesReport> {
  const origins = await Promise.all([startOrigin(), startOrigin(), startOrigin()]);
  const urls = origins.map(({ url }) => url);
  const gateway = await startGateway({
    ...(options.workers === undefined ? {} : { workers: options.workers }),
    services: { app: { pools: [{ name: "main", origins: urls }], routes: [{ timeouts: PATIENT }] } },
  });
  try {
    return await measure(options, gateway, origins);
  } finally {
    await gateway.stop();
    for (const origin of origins) origin.close();
  }
}

async function measure(
  options: ChangesOptions,
  gateway: GatewayProcess,
  origins: readonly Origin[],
): Promise<ChangesReport> {
  const urls = origins.map(({ url }) => url);
  const ports = { listener: gateway.port, second: await freePort(), admin: Number(new URL(gateway.adminUrl).port) };
  const before = await descriptorsOf(gateway);
  const tunnel = await openTunnel(gateway.port);
  const download = startDownload(gateway.url);
  const kept = startLoad({ port: gateway.port, path: "/load", ratePerSecond: options.ratePerSecond * 0.8 });
  const fresh = startLoad({
    port: gateway.port,
    path: "/load",
    ratePerSecond: options.ratePerSecond * 0.2,
    newConnections: true,
  });
  const refused: string[] = [];
  let early = 0;
  for (let turn = 1; turn <= options.changes; turn += 1) {
    const file = fileFor(turn, urls, ports, options.workers);
    const answer = await fetch(`${gateway.adminUrl}/api/v1/config?reason=turn%20${turn}`, {
      method: "POST",
      headers: { "content-type": "application/yaml" },
      body: JSON.stringify(file),
    });
    if (answer.status !== 200) refused.push(`${turn}: ${await answer.text()}`);
    tunnel.say(`turn ${turn};`);
    await kept.completed(options.requestsBetween);
    if (turn === Math.ceil(options.changes / 4)) early = residentBytes(gateway.child.pid);
  }
  const late = residentBytes(gateway.child.pid);
  const [keptResult, freshResult] = await Promise.all([kept.stop(), fresh.stop()]);
  for (const origin of origins) origin.endDownloads();
  const { received, sent } = await download;
  const echoed = await tunnel.end();
  const { configuration } = await gateway.status();
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  const after = await until("connections to end", async () => {
    const open = await descriptorsOf(gateway);
    return open <= before + DESCRIPTORS_KEPT ? open : null;
  });
  return {
    kept: keptResult,
    fresh: freshResult,
    revision: configuration?.revision.number ?? 0,
    causes: causesIn(metrics),
    faults: faultsIn(gateway.child.stderr()),
    refused,
    download: { sent, received },
    echoed,
    residentBytes: { early, late },
    descriptors: { before, after },
  };
}

export function causesIn(metrics: string): Record<string, number> {
  const causes: Record<string, number> = {};
  for (const [, cause = "", count] of metrics.matchAll(
    /^goodgate_exchange_causes_total\{.*cause="([^"]+)".*\} (\d+)$/gm,
  )) {
    causes[cause] = (causes[cause] ?? 0) + Number(count);
  }
  return causes;
}

export function faultsIn(printed: string): string {
  const at = printed.indexOf("a fault in Goodgate itself");
  return at === -1 ? "" : printed.slice(at, at + 2_000);
}

/** Idle connections to three origins and of clients, which end by themselves. */
const DESCRIPTORS_KEPT = 150;

async function descriptorsOf({ child }: GatewayProcess): Promise<number> {
  return (await readdir(`/proc/${child.pid}/fd`)).length;
}

// ------------------------------------------------------------------ origins, a download and a tunnel

interface Origin {
  readonly url: string;
  endDownloads(): void;
  close(): void;
}

/** Answers at once; `/download` goes on until it is ended, and says in a trailer line what it has sent. */
async function startOrigin(): Promise<Origin> {
  const downloads = new Set<() => void>();
  const server = http.createServer((request, response) => {
    if (request.url !== "/download") {
      response.end("ok");
      return;
    }
    const hash = createHash("sha256");
    const timer = setInterval(() => {
      const piece = `${process.hrtime.bigint()}\n`.repeat(20);
      hash.update(piece);
      response.write(piece);
    }, 20);
    downloads.add(() => {
      clearInterval(timer);
      response.end(`sha256 ${hash.digest("hex")}`);
    });
  });
  server.keepAliveTimeout = 60_000;
  const tunnels = new Set<Socket>();
  server.on("upgrade", (_request, socket: Socket) => {
    tunnels.add(socket);
    socket.on("error", () => undefined);
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    endDownloads: () => {
      for (const end of downloads) end();
    },
    close() {
      for (const socket of tunnels) socket.destroy();
      server.closeAllConnections();
      server.close();
    },
  };
}

async function startDownload(url: string): Promise<ChangesReport["download"]> {
  const response = await fetch(`${url}/download`);
  const text = await response.text();
  const at = text.lastIndexOf("sha256 ");
  return { sent: text.slice(at + 7), received: createHash("sha256").update(text.slice(0, at)).digest("hex") };
}

async function openTunnel(port: number): Promise<{ say(text: string): void; end(): Promise<ChangesReport["echoed"]> }> {
  const socket = net.connect(port, "127.0.0.1");
  let said = "";
  let heard = "";
  socket.on("data", (bytes) => (heard += bytes.toString("latin1")));
  socket.on("error", () => undefined);
  socket.write("GET /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  await until("the tunnel to open", async () => (heard.includes("\r\n\r\n") ? true : null));
  const from = heard.indexOf("\r\n\r\n") + 4;
  return {
    say(text) {
      said += text;
      socket.write(text);
    },
    async end() {
      await until("the echo", async () => (heard.length - from >= said.length || socket.destroyed ? true : null));
      socket.destroy();
      const echo = heard.slice(from);
      return { sent: said.length, received: echo === said ? echo.length : -1 };
    },
  };
}
