/**
 * A Node application as people write them: node:http, keep-alive defaults, a WebSocket endpoint. Runs as a
 * process of its own (`node test/support/node-app.ts PORT NAME`), so that tests can kill, stop and restart it.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { WebSocketServer } from "ws";

const [port = "0", name = "app", host = "127.0.0.1"] = process.argv.slice(2);
/** Responses of `/sse` that wait for their next event, by the id in the query. */
const streams = new Map<string, ServerResponse>();
const polls = new Map<string, ServerResponse>();
let active = 0;

const ROUTES: Record<string, (request: IncomingMessage, response: ServerResponse, query: URLSearchParams) => void> = {
  "/": (_request, response) => {
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    response.end(
      `<!doctype html><title>${name}</title><h1>Hello from ${name}</h1><script>fetch("/name").then(async (r) => { document.body.dataset.name = await r.text(); })</script>`,
    );
  },
  "/name": (_request, response) => {
    response.end(name);
  },
  /** What arrived, as the application saw it. */
  "/seen": (request, response) => {
    response.setHeader("Content-Type", "application/json");
    response.end(
      JSON.stringify({
        method: request.method,
        target: request.url,
        version: request.httpVersion,
        fields: request.rawHeaders,
      }),
    );
  },
  /** Takes a body and answers with its size and digest. */
  "/upload": (request, response) => {
    const hash = createHash("sha256");
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      hash.update(chunk);
    });
    request.on("end", () => {
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ bytes, sha256: hash.digest("hex"), trailers: request.trailers }));
    });
  },
  "/echo": (request, response) => {
    request.pipe(response);
  },
  /** `bytes` of zeroes with back-pressure; `chunked=1` leaves the length out. */
  "/download": (_request, response, query) => {
    const bytes = Number(query.get("bytes"));
    if (query.get("chunked") === null) response.setHeader("Content-Length", bytes);
    const block = Buffer.alloc(65_536);
    let left = bytes;
    const push = (): void => {
      while (left > 0) {
        const piece = left < block.length ? block.subarray(0, left) : block;
        left -= piece.length;
        if (!response.write(piece)) {
          response.once("drain", push);
          return;
        }
      }
      response.end();
    };
    push();
  },
  "/status": (_request, response, query) => {
    response.writeHead(Number(query.get("code")), { "Content-Type": "text/plain", "X-App": name });
    response.end(`the application says ${query.get("code")}`);
  },
  "/early-hints": (_request, response) => {
    response.writeEarlyHints({ link: "</style.css>; rel=preload; as=style" }, () => {
      response.end("after the hints");
    });
  },
  /** A stream of events: the first at once, each further one when `/sse/next` is asked with the same id. */
  "/sse": (_request, response, query) => {
    streams.set(query.get("id") ?? "", response);
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" });
    response.write("data: first\n\n");
  },
  "/sse/next": (_request, response, query) => {
    streams.get(query.get("id") ?? "")?.write(`data: ${query.get("data")}\n\n`);
    response.end();
  },
  "/sse/end": (_request, response, query) => {
    streams.get(query.get("id") ?? "")?.end();
    response.end();
  },
  /** A long poll that is answered when `/poll/answer` is asked with the same id. */
  "/poll": (_request, response, query) => {
    polls.set(query.get("id") ?? "", response);
  },
  "/poll/answer": (_request, response, query) => {
    const waiting = polls.get(query.get("id") ?? "");
    waiting?.end("news");
    response.end(waiting === undefined ? "nobody" : "told");
  },
  "/active": (_request, response) => {
    response.end(String(active - 1));
  },
};

const server = createServer((request, response) => {
  active += 1;
  response.on("close", () => {
    active -= 1;
  });
  const url = new URL(request.url ?? "/", "http://app");
  const route = ROUTES[url.pathname];
  response.setHeader("X-Served-By", name);
  if (route === undefined) {
    response.writeHead(404).end("no such page");
    return;
  }
  route(request, response, url.searchParams);
});

const sockets = new WebSocketServer({ server, path: "/ws", maxPayload: 64 * 1024 * 1024 });
sockets.on("connection", (socket) => {
  socket.on("message", (data, isBinary) => {
    socket.send(data, { binary: isBinary });
  });
});

server.listen(Number(port), host, () => {
  const address = server.address();
  process.stdout.write(`listening on ${typeof address === "object" ? address?.port : address}\n`);
});
