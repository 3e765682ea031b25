/**
 * Origins to try the gateway with before one's own are connected: two pools of small HTTP servers on loopback
 * that say who answered and what reached them, and that misbehave when asked to, so that somebody sees a
 * rescue, a cut body or a timeout named within the first minute.
 *
 * They are ordinary origins: the gateway knows nothing of them but their URLs, and they are no part of it.
 */
import http from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock, Schedule } from "../kernel/clock.ts";
import type { OutageKind, SampleBreak, SampleDesk } from "../contract/samples.ts";
import { Breakable } from "./sample-outage.ts";
import { SAMPLE_PER_SECOND, startSampleTraffic } from "./sample-traffic.ts";
import type { SampleTraffic } from "./sample-traffic.ts";
import { acceptWebSocket } from "./sample-websocket.ts";
import { samplePage } from "./sample-page.ts";

export interface SampleOrigins {
  readonly pools: readonly { readonly name: string; readonly urls: readonly string[] }[];
  /** For whoever wants to see them break. */
  readonly desk: SampleDesk;
  /** From now on a little traffic goes through the gateway at `url`. */
  visit(url: string): void;
  close(): Promise<void>;
}

const POOLS = [
  { name: "blue", origins: ["blue-1", "blue-2"] },
  { name: "green", origins: ["green-1"] },
];
const SLOW_MS_MAX = 120_000;
const BIG_MIB_MAX = 1_024;
const EVENT_EVERY_MS = 1_000;
const MIB = 1024 * 1024;

export interface SampleTime {
  readonly clock: Clock;
  readonly schedule: Schedule;
}

export async function startSampleOrigins({ clock, schedule }: SampleTime): Promise<SampleOrigins> {
  const pools = await Promise.all(
    POOLS.map(async ({ name, origins }) => ({
      name,
      origins: await Promise.all(origins.map((origin) => startOrigin(origin, name))),
    })),
  );
  const outages = new Map<string, { readonly kind: OutageKind; readonly until: number; readonly end: () => void }>();
  let traffic: SampleTraffic | null = null;

  function breakPool(name: string, kind: OutageKind, forMs: number): SampleBreak {
    const pool = pools.find((known) => known.name === name);
    if (pool === undefined) {
      const detail = `there is no sample pool ${name}; there are ${pools.map((known) => known.name).join(" and ")}`;
      return { done: false, why: "unknown pool", detail };
    }
    const [broken] = outages.keys();
    if (broken !== undefined) {
      return { done: false, why: "already broken", detail: `pool ${broken} is broken now; one at a time` };
    }
    for (const { breakable } of pool.origins) breakable.break(kind);
    const end = (): void => {
      outages.delete(name);
      for (const { breakable } of pool.origins) breakable.mend();
    };
    const until = clock.wall() + forMs;
    outages.set(name, { kind, until, end: schedule(forMs, end) });
    return { done: true, pool: name, kind, until };
  }

  return {
    pools: pools.map(({ name, origins }) => ({ name, urls: origins.map(({ url }) => url) })),
    desk: {
      view: () => ({
        pools: pools.map(({ name, origins }) => {
          const outage = outages.get(name);
          return {
            name,
            origins: origins.length,
            outage: outage === undefined ? null : { kind: outage.kind, until: outage.until },
          };
        }),
        perSecond: traffic === null ? 0 : SAMPLE_PER_SECOND,
      }),
      breakPool,
    },
    visit(url) {
      traffic ??= startSampleTraffic(url);
    },
    async close(): Promise<void> {
      traffic?.close();
      for (const { end } of outages.values()) end();
      await Promise.all(pools.flatMap(({ origins }) => origins.map(({ close }) => close())));
    },
  };
}

interface Started {
  readonly url: string;
  readonly breakable: Breakable;
  readonly close: () => Promise<void>;
}

async function startOrigin(name: string, pool: string): Promise<Started> {
  const origin: Origin = { name, pool, answered: 0 };
  // Kept here, because Node's server forgets a socket once it is upgraded and then waits for it when it closes.
  const sockets = new Set<Socket>();
  const server = http.createServer((request, response) => {
    const usual = (): void => answer(origin, request, response);
    if (!breakable.spoil(response, usual)) usual();
  });
  server.on("upgrade", (request, socket: Duplex) => acceptWebSocket(request, socket, name));
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const breakable = new Breakable(server, sockets);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    breakable,
    close: () =>
      new Promise((resolve) => {
        breakable.close();
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

interface Origin {
  readonly name: string;
  readonly pool: string;
  answered: number;
}

function answer(origin: Origin, request: http.IncomingMessage, response: http.ServerResponse): void {
  origin.answered += 1;
  response.setHeader("x-sample-origin", origin.name);
  const url = new URL(request.url ?? "/", "http://sample.invalid");
  const status = /^\/status\/([1-5]\d\d)$/.exec(url.pathname)?.[1];
  if (status !== undefined) answerStatus(origin, Number(status), request, response);
  else (PATHS[url.pathname] ?? notFound)(origin, url, request, response);
}

type Answer = (origin: Origin, url: URL, request: http.IncomingMessage, response: http.ServerResponse) => void;

const PATHS: Readonly<Record<string, Answer>> = {
  "/": (origin, _url, request, response) => {
    if ((request.headers.accept ?? "").includes("text/html")) {
      sendText(response, 200, "text/html; charset=utf-8", samplePage(origin, request));
    } else {
      sendJson(response, 200, {
        origin: origin.name,
        pool: origin.pool,
        answered: origin.answered,
        method: request.method,
        target: request.url,
        headers: request.headers,
      });
    }
  },

  "/healthz": (origin, _url, _request, response) => sendJson(response, 200, { origin: origin.name, healthy: true }),

  "/slow": (origin, url, _request, response) => {
    const ms = boundedNumber(url, "ms", 2_000, SLOW_MS_MAX);
    const timer = setTimeout(() => sendJson(response, 200, { origin: origin.name, waitedMs: ms }), ms);
    response.on("close", () => clearTimeout(timer));
  },

  "/crash": (origin, url, request, response) => {
    const on = url.searchParams.get("on");
    // What a client sees of a process that dies: the connection is reset before any byte of a response.
    if (on === null || on === origin.name) request.socket.resetAndDestroy();
    else sendJson(response, 200, { origin: origin.name, crashed: on });
  },

  "/truncate": (origin, _url, request, response) => {
    response.writeHead(200, { "content-type": "text/plain; charset=utf-8", "content-length": "1000" });
    // The end of the connection comes after these bytes have left, so that the cut is in the body.
    response.write(`${origin.name} promises 1000 bytes and sends only these.\n`, () => request.socket.destroy());
  },

  "/events": (origin, _url, _request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    let number = 0;
    const tell = (): void => {
      number += 1;
      response.write(`id: ${number}\nevent: tick\ndata: ${JSON.stringify({ origin: origin.name, number })}\n\n`);
    };
    tell();
    const timer = setInterval(tell, EVENT_EVERY_MS);
    response.on("close", () => clearInterval(timer));
  },

  "/big": (_origin, url, request, response) => {
    const bytes = boundedNumber(url, "mb", 10, BIG_MIB_MAX) * MIB;
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": String(bytes) });
    if (request.method === "HEAD") response.end();
    else sendZeros(response, bytes);
  },

  "/echo": (_origin, _url, request, response) => {
    response.writeHead(200, { "content-type": request.headers["content-type"] ?? "application/octet-stream" });
    request.pipe(response);
    request.on("error", () => response.destroy());
  },
};

function answerStatus(
  origin: Origin,
  status: number,
  _request: http.IncomingMessage,
  response: http.ServerResponse,
): void {
  // An interim status is not an answer; the final one after it is.
  if (status < 200) {
    if (status === 103) response.writeEarlyHints({ link: "</style.css>; rel=preload; as=style" });
    sendJson(response, 200, { origin: origin.name, interim: status });
  } else if (status === 204 || status === 304) response.writeHead(status).end();
  else sendJson(response, status, { origin: origin.name, status });
}

function notFound(origin: Origin, url: URL, _request: http.IncomingMessage, response: http.ServerResponse): void {
  sendJson(response, 404, {
    origin: origin.name,
    notFound: url.pathname,
    paths: [...Object.keys(PATHS), "/status/503", "/ws"],
  });
}

function sendJson(response: http.ServerResponse, status: number, value: unknown): void {
  sendText(response, status, "application/json", `${JSON.stringify(value, null, 2)}\n`);
}

function sendText(response: http.ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { "content-type": type, "content-length": String(Buffer.byteLength(text)) });
  response.end(text);
}

/** Writes as the reader takes: a big answer needs no memory. */
function sendZeros(response: http.ServerResponse, bytes: number): void {
  const block = Buffer.alloc(64 * 1024);
  let left = bytes;
  const pump = (): void => {
    while (left > 0) {
      const piece = left >= block.length ? block : block.subarray(0, left);
      left -= piece.length;
      if (!response.write(piece)) return;
    }
    response.end();
  };
  response.on("drain", pump);
  pump();
}

/** The whole number in the query, kept within 0 and `most`; `usual` when there is none. */
function boundedNumber(url: URL, name: string, usual: number, most: number): number {
  const given = Number(url.searchParams.get(name) ?? usual);
  return Number.isFinite(given) ? Math.min(Math.max(Math.round(given), 0), most) : usual;
}
