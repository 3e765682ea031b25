/**
 * Every kind of client that people have in front of a gateway, each as a round to be made again and again: newcomers, which
 * connect for each request, and those that stay connected, whose connections must outlive whatever is done meanwhile.
 */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import https from "node:https";
import type { Socket } from "node:net";
import { promisify } from "node:util";
import grpc from "@grpc/grpc-js";
import type { Browser } from "playwright-core";
import { WebSocket } from "ws";
import { openPage } from "./chromium.ts";
import { curl } from "./curl.ts";
import { eventBefore } from "./event-before.ts";
import { interopClients } from "./grpc-interop.ts";
import type { Payload, StreamingRequest } from "./grpc-interop.ts";

export interface Front {
  readonly tlsPort: number;
  /** Where HTTP/2 is spoken in the clear. */
  readonly plainPort: number;
  /** A name with a Node application (node-app.ts) behind it. */
  readonly name: string;
  /** A name with the server of gRPC's interoperability tests behind it. */
  readonly calls: string;
  /** PEM file, and what is in it. */
  readonly root: string;
  readonly rootText: string;
}

type Rounds = Readonly<Record<string, () => Promise<unknown>>>;

export interface Residents {
  readonly rounds: Rounds;
  /** Connections that ended, or were made again. */
  lost(): readonly string[];
  close(): Promise<void>;
}

const run = promisify(execFile);
const PAGE = "/name";
const LOAD = ["-n", "200", "-c", "2", "-m", "10"];
/** One masked text frame "hi", and its echo, which comes unmasked (RFC 6455 §5.7). */
const HI = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]);
const HI_BACK = "81026869";

/** A connection for each round. */
export function newcomers({ tlsPort, plainPort, name, root }: Front): Rounds {
  const secure = ["--cacert", root, "--resolve", `${name}:${tlsPort}:127.0.0.1`, `https://${name}:${tlsPort}${PAGE}`];
  const plain = ["--resolve", `${name}:${plainPort}:127.0.0.1`, `http://${name}:${plainPort}${PAGE}`];
  const asking = (args: readonly string[], version: string) => async (): Promise<void> => {
    const { heads, status, stderr } = await curl(args);
    if (status !== 200 || heads[0]?.startsWith(version) !== true)
      throw new Error(`${heads.join("\n")}${stderr} in place of ${version}`);
  };
  return {
    "curl --http1.1": asking(["--http1.1", ...secure], "HTTP/1.1 "),
    "curl --http2": asking(["--http2", ...secure], "HTTP/2 "),
    "curl --http2-prior-knowledge": asking(["--http2-prior-knowledge", ...plain], "HTTP/2 "),
    async h2load() {
      const to = [`--connect-to=127.0.0.1:${tlsPort}`, `https://${name}:${tlsPort}${PAGE}`];
      const { stdout } = await run("h2load", [...LOAD, ...to]);
      if (!stdout.includes("200 succeeded, 0 failed, 0 errored, 0 timeout") || !stdout.includes("200 2xx"))
        throw new Error(stdout);
    },
  };
}

/** All connected when this resolves. */
export async function residents(front: Front, browser: Browser): Promise<Residents> {
  const kept = await Promise.all([
    overHttp1(front),
    overHttp2(front),
    webSocket(front),
    webSocketOverHttp2(front),
    calling(front),
    browsing(front, browser),
  ]);
  return {
    rounds: Object.fromEntries(kept.map((one) => [one.name, () => roundOf(one)])),
    lost: () => kept.flatMap(({ name, lost }) => lost().map((what) => `${name}: ${what}`)),
    async close() {
      for (const one of kept) await one.close();
    },
  };
}

interface Resident {
  readonly name: string;
  round(): Promise<unknown>;
  lost(): readonly string[];
  close(): Promise<unknown> | void;
}

/** Nothing is waited for on a connection that is gone. */
function roundOf({ round, lost }: Resident): Promise<unknown> {
  return lost().length === 0 ? round() : Promise.reject(new Error(lost().join("; ")));
}

async function overHttp1({ tlsPort, name, rootText }: Front): Promise<Resident> {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: rootText, servername: name });
  const sockets = new Set<Socket>();
  const round = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const options = { agent, host: "127.0.0.1", port: tlsPort, path: PAGE, headers: { host: name } };
      const request = https.get(options, (response) => {
        response.resume();
        if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
        response.once("end", resolve).once("error", reject);
      });
      request.once("socket", (socket) => sockets.add(socket)).once("error", reject);
    });
  await round();
  return {
    name: "HTTP/1.1, kept alive",
    round,
    lost: () => (sockets.size === 1 ? [] : [`${sockets.size} connections`]),
    close: () => agent.destroy(),
  };
}

interface Session {
  readonly session: ClientHttp2Session;
  readonly lost: string[];
  close(): void;
}

async function connected({ tlsPort, name, rootText }: Front): Promise<Session> {
  const lost: string[] = [];
  let isOver = false;
  const session = connectHttp2(`https://${name}:${tlsPort}`, { host: "127.0.0.1", ca: rootText, servername: name });
  await eventBefore(session, "remoteSettings");
  const end = (how: string) => (): void => {
    if (!isOver) lost.push(how);
  };
  session.on("goaway", end("GOAWAY")).on("close", end("closed")).on("error", end("broken"));
  return {
    session,
    lost,
    close() {
      isOver = true;
      session.destroy();
    },
  };
}

async function overHttp2(front: Front): Promise<Resident> {
  const { session, lost, close } = await connected(front);
  return {
    name: "HTTP/2",
    async round() {
      const stream = session.request({ ":path": PAGE });
      stream.resume();
      const [headers] = await eventBefore<[{ ":status"?: number }]>(stream, "response");
      if (headers[":status"] !== 200) throw new Error(`status ${headers[":status"]}`);
      if (!stream.closed) await once(stream, "close");
    },
    lost: () => lost,
    close,
  };
}

async function webSocket({ tlsPort, name, rootText }: Front): Promise<Resident> {
  const lost: string[] = [];
  const options = { ca: rootText, servername: name, headers: { host: name } };
  const socket = new WebSocket(`wss://127.0.0.1:${tlsPort}/ws`, options);
  await eventBefore(socket, "open");
  const end = (code: number): void => void lost.push(`closed with ${code}`);
  // What ends in an error is closed besides.
  socket.on("close", end).on("error", () => undefined);
  return {
    name: "a WebSocket",
    async round() {
      socket.send("hi");
      const [echo] = await eventBefore<[Buffer]>(socket, "message");
      if (echo.toString() !== "hi") throw new Error(`the echo is ${echo.toString()}`);
    },
    lost: () => lost,
    close() {
      socket.off("close", end);
      if (socket.readyState === WebSocket.CLOSED) return;
      socket.close();
      return once(socket, "close");
    },
  };
}

async function webSocketOverHttp2(front: Front): Promise<Resident> {
  const { session, lost, close } = await connected(front);
  const headers = {
    ":method": "CONNECT",
    ":protocol": "websocket",
    ":path": "/ws",
    ":scheme": "https",
    "sec-websocket-version": "13",
  };
  const stream: ClientHttp2Stream = session.request(headers, { endStream: false });
  await eventBefore(stream, "response");
  stream.on("close", () => lost.push("the stream ended")).on("error", () => undefined);
  return {
    name: "a WebSocket over HTTP/2",
    async round() {
      stream.write(HI);
      const [echo] = await eventBefore<[Buffer]>(stream, "data");
      if (echo.toString("hex") !== HI_BACK) throw new Error(`the echo is ${echo.toString("hex")}`);
    },
    lost: () => lost,
    close() {
      stream.removeAllListeners("close");
      close();
    },
  };
}

/** One call that goes on, and a short one beside it each time. */
async function calling({ tlsPort, calls, rootText }: Front): Promise<Resident> {
  const names = { "grpc.ssl_target_name_override": calls, "grpc.default_authority": calls };
  const clients = interopClients(`127.0.0.1:${tlsPort}`, grpc.credentials.createSsl(Buffer.from(rootText)), names);
  const metadata = new grpc.Metadata();
  const lost: string[] = [];
  const call: grpc.ClientDuplexStream<StreamingRequest, { payload: Payload }> = clients.test.FullDuplexCall(
    metadata,
    {},
  );
  call.on("error", () => undefined);
  const end = ({ code, details }: grpc.StatusObject): void => void lost.push(`status ${code} ${details}`);
  const ended = new Promise((resolve) => call.once("status", resolve));
  call.on("status", end);
  return {
    name: "gRPC",
    async round() {
      call.write({ response_parameters: [{ size: 9 }] });
      const [{ payload }] = await eventBefore<[{ payload: Payload }]>(call, "data", "status");
      if (payload.body.length !== 9) throw new Error(`${payload.body.length} bytes`);
      await new Promise<void>((resolve, reject) => {
        clients.test.EmptyCall({}, metadata, {}, (error) => (error === null ? resolve() : reject(error)));
      });
    },
    lost: () => lost,
    async close() {
      call.off("status", end).end();
      await ended;
      clients.close();
    },
  };
}

/** A page that is loaded once, and talks through its WebSocket and asks besides. */
async function browsing({ tlsPort, name }: Front, browser: Browser): Promise<Resident> {
  const page = await openPage(browser);
  await page.goto(`https://${name}:${tlsPort}/`);
  const protocol = await page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol");
  if (protocol !== "h2") throw new Error(`the browser speaks ${String(protocol)}`);
  await page.evaluate(`new Promise((resolve, reject) => {
    window.socket = new WebSocket("wss://" + location.host + "/ws");
    window.lost = [];
    socket.onopen = resolve;
    socket.onclose = ({ code }) => {
      lost.push("the page's WebSocket closed with " + code);
      reject(new Error(lost[0]));
    };
  })`);
  let lost: string[] = [];
  return {
    name: "Chromium",
    async round() {
      const said = await page.evaluate(`Promise.all([
        fetch("${PAGE}").then((response) => response.status),
        new Promise((resolve, reject) => {
          // What is sent through a closed one is lost without a word.
          if (lost.length > 0) reject(new Error(lost[0]));
          socket.addEventListener("close", () => reject(new Error(lost[0])));
          socket.onmessage = ({ data }) => resolve(typeof data === "string" ? data : data.text());
          socket.send("from a page");
        }),
      ])`);
      lost = (await page.evaluate("lost")) as string[];
      if (JSON.stringify(said) !== '[200,"from a page"]') throw new Error(`the page saw ${JSON.stringify(said)}`);
    },
    lost: () => lost,
    close: () => page.context().close(),
  };
}
