/**
 * Node's own HTTP parser as a second opinion, driven through a real `node:http` server and client over streams
 * in memory. Nothing is answered; what is parsed is written down.
 */
import http from "node:http";
import { duplexPair } from "node:stream";
import type { Duplex } from "node:stream";

export interface Opinion {
  /** Complete messages. */
  readonly messages: readonly Message[];
  /**
   * `clean`, `truncated` or `tunnel`; an error code of Node's parser, a refusal of ours; ours also stops reading at
   * a message that closes the connection (`closed`) and after a response (`bytes left`).
   */
  readonly end: string;
}

export interface Message {
  /** `GET /a 1.1` or `200 OK 1.1`. */
  readonly start: string;
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
}

/** Turns of the event loop after which everything in memory has been read. */
const TURNS = 6;

export async function nodeReadsRequests(bytes: string): Promise<Opinion> {
  const seen: Seen[] = [];
  let end = "clean";
  // `joinDuplicateHeaders` and the like only change `headers`; `rawHeaders` are compared.
  const server = http.createServer({ requireHostHeader: false, maxHeaderSize: 65536 });
  const onRequest = (request: http.IncomingMessage): void => {
    seen.push(collect(request, `${request.method} ${request.url} ${request.httpVersion}`));
  };
  for (const event of ["request", "checkContinue", "checkExpectation"]) server.on(event, onRequest);
  server.on("connect", (request: http.IncomingMessage) => {
    onRequest(request);
    end = "tunnel";
  });
  server.on("clientError", (error: NodeJS.ErrnoException) => {
    end = error.code ?? error.message;
  });
  const [near, far] = duplexPair();
  swallowErrors(near, far);
  server.emit("connection", far);
  near.end(Buffer.from(bytes, "latin1"));
  await turns();
  near.destroy();
  far.destroy();
  server.close();
  return opinion(seen, end);
}

export async function nodeReadsResponse(bytes: string, method: string): Promise<Opinion> {
  const seen: Seen[] = [];
  let end = "clean";
  const [near, far] = duplexPair();
  swallowErrors(near, far);
  const request = http.request({
    method,
    path: "/",
    headers: { host: "a" },
    createConnection: () => near,
    maxHeaderSize: 65536,
  });
  request.on("response", (response) => {
    seen.push(collect(response, `${response.statusCode} ${response.statusMessage} ${response.httpVersion}`));
  });
  const onTunnel = (response: http.IncomingMessage): void => {
    seen.push(collect(response, `${response.statusCode} ${response.statusMessage} ${response.httpVersion}`));
    end = "tunnel";
  };
  request.on("upgrade", onTunnel);
  request.on("connect", onTunnel);
  request.on("error", (error: NodeJS.ErrnoException) => {
    end = error.code ?? error.message;
  });
  request.end();
  far.resume();
  await turns(2);
  far.end(Buffer.from(bytes, "latin1"));
  await turns();
  near.destroy();
  far.destroy();
  request.destroy();
  return opinion(seen, end);
}

interface Seen {
  readonly source: http.IncomingMessage;
  readonly start: string;
  readonly body: Buffer[];
  ended: boolean;
}

function collect(source: http.IncomingMessage, start: string): Seen {
  const seen: Seen = { source, start, body: [], ended: false };
  source.on("data", (chunk: Buffer) => seen.body.push(chunk));
  source.on("end", () => (seen.ended = true));
  // A truncated body is reported to the message; it shows as one that never ended.
  source.on("error", () => undefined);
  return seen;
}

function opinion(seen: readonly Seen[], end: string): Opinion {
  const messages: Message[] = [];
  for (const { source, start, body, ended } of seen) {
    const tunnel = end === "tunnel" && source === seen.at(-1)?.source;
    if (!tunnel && (!ended || !source.complete)) return { messages, end: end === "clean" ? "truncated" : end };
    messages.push({
      start,
      fields: pairs(source.rawHeaders),
      body: Buffer.concat(body).toString("latin1"),
      trailers: pairs(source.rawTrailers),
    });
  }
  return { messages, end };
}

function pairs(raw: readonly string[]): string[] {
  return raw.filter((_, index) => index % 2 === 0).map((name, index) => `${name}: ${raw[index * 2 + 1]}`);
}

function swallowErrors(...streams: readonly Duplex[]): void {
  for (const stream of streams) stream.on("error", () => undefined);
}

async function turns(count: number = TURNS): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
