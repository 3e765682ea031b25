/**
 * One origin of the fault bench, in a process of its own so that it can be killed and stopped like a real one.
 * `node bench/faults/origin.ts PORT NAME`, told by messages how to behave.
 */
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { FILE_TAG, fileBytes } from "./behaviour.ts";
import type { Behaviour, FromOrigin, ToOrigin } from "./behaviour.ts";

const [port = "0", name = "origin"] = process.argv.slice(2);
const file = fileBytes();
let behaviour: Behaviour = {};
let requests = 0;
const payments: string[] = [];
/** What waits in line, oldest first, while the origin has a pace. */
const line: (() => void)[] = [];
/** When the last in line was done, in ms of `performance.now`: timers are late, and the pace is to hold all the same. */
let doneAt = 0;

const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => answer(request, response));
});

function answer(request: IncomingMessage, response: ServerResponse): void {
  const path = request.url ?? "/";
  // Checks look at the process and not at what it answers: that is what makes a gray origin gray.
  if (path === "/healthz") {
    response.end("ok\n");
    return;
  }
  requests += 1;
  const payment = request.headers["x-payment"];
  if (typeof payment === "string") payments.push(payment);
  if (Math.random() < (behaviour.reset ?? 0)) {
    request.socket.resetAndDestroy();
    return;
  }
  if (Math.random() < (behaviour.error ?? 0)) {
    response.writeHead(500, { "content-type": "text/plain" }).end("broken\n");
    return;
  }
  if (Math.random() < (behaviour.slow ?? 0)) {
    setTimeout(() => give(path, request, response), behaviour.slowMs ?? 0);
  } else if (behaviour.perSecond === undefined) after(behaviour.serviceMs ?? 0, () => give(path, request, response));
  else {
    line.push(() => after(behaviour.serviceMs ?? 0, () => give(path, request, response)));
    if (line.length > 1) return;
    doneAt = Math.max(doneAt, performance.now());
    workOff();
  }
}

/** One after the other, each at the pace of its moment: who waits when the origin becomes faster is done sooner. */
function workOff(): void {
  const next = line[0];
  if (next === undefined) return;
  const { perSecond } = behaviour;
  doneAt += perSecond === undefined ? 0 : 1000 / perSecond;
  setTimeout(() => {
    next();
    line.shift();
    workOff();
  }, doneAt - performance.now());
}

function after(ms: number, run: () => void): void {
  if (ms > 0) setTimeout(run, ms);
  else run();
}

function give(path: string, request: IncomingMessage, response: ServerResponse): void {
  if (path.startsWith("/file")) giveFile(request, response);
  else response.writeHead(200, { "content-type": "text/plain", "x-origin": name }).end(`hello from ${name}\n`);
}

function giveFile(request: IncomingMessage, response: ServerResponse): void {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  const ifRange = request.headers["if-range"];
  const partial = range !== null && (ifRange === undefined || ifRange === FILE_TAG);
  const from = partial ? Number(range[1]) : 0;
  const to = partial && range[2] !== "" ? Number(range[2]) : file.length - 1;
  const body = file.subarray(from, to + 1);
  response.writeHead(partial ? 206 : 200, {
    "content-type": "application/octet-stream",
    "content-length": body.length,
    etag: FILE_TAG,
    "accept-ranges": "bytes",
    ...(partial ? { "content-range": `bytes ${from}-${to}/${file.length}` } : {}),
  });
  if (Math.random() >= (behaviour.cut ?? 0)) {
    response.end(body);
    return;
  }
  const at = 1 + Math.floor(Math.random() * (body.length - 1));
  response.write(body.subarray(0, at), () => request.socket.resetAndDestroy());
}

process.on("message", (message: ToOrigin) => {
  switch (message.kind) {
    case "behave":
      behaviour = message.behaviour;
      server.keepAliveTimeout = behaviour.idleMs ?? KEPT_MS;
      return;
    case "count":
      tell({ kind: "counts", requests, payments });
      return;
    case "leave":
      // As a deploy does it: no new connections, what is under way ends, then the process is gone.
      server.close(() => process.exit(0));
      setTimeout(() => process.exit(0), 300);
  }
});

// Whoever started it is gone.
process.on("disconnect", () => process.exit(0));

function tell(message: FromOrigin): void {
  process.send?.(message);
}

const KEPT_MS = 75_000;
server.keepAliveTimeout = KEPT_MS;
// Node would keep them a second longer than it says.
server.keepAliveTimeoutBuffer = 0;
// Node announces its idle time; servers that do not are the ones whose connections are met dead.
server.on("request", (_request: IncomingMessage, response: ServerResponse) => {
  response.removeHeader("keep-alive");
});
server.listen({ host: "127.0.0.1", port: Number(port), backlog: 511 }, () => tell({ kind: "ready" }));
