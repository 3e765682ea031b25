/**
 * One request of the probe ladder, over HTTP/1.1 or HTTP/2 as the gateway would send it to that origin, on a connection
 * of its own that ends with it. Node's clients read the answer and not the gateway's parsers: a rung has to tell what is
 * there, also when the gateway's way of seeing it is what is wrong.
 */
import http from "node:http";
import http2 from "node:http2";
import type net from "node:net";
import type tls from "node:tls";
import { ALIKE_FIELDS } from "../contract/rungs.ts";
import type { Answered, Endpoint, ProbeRequest } from "../contract/rungs.ts";
import type { OriginContexts } from "./origin-contexts.ts";
import { broken, openSocket, secureSocket } from "./probe-socket.ts";

/** An origin's head at a probe; Node's own limit. */
const HEAD_BYTES = 16_384;
/** How origins, and whoever reads their logs, know a probe. */
const USER_AGENT = "goodgate-probe";

export function ask(to: Endpoint, request: ProbeRequest, contexts: OriginContexts, ms: number): Promise<Answered> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const asking = new Asking(request, (result) => {
      clearTimeout(timer);
      under.destroy();
      resolve({ ...result, ms: Math.round(performance.now() - startedAt) });
    });
    const timer = setTimeout(() => asking.fail(`no response within ${ms} ms`, "silent"), ms);
    const { way } = request;
    const under = openSocket(to, way);
    // Stays: what is destroyed may still report an error, and one that nobody hears ends the process.
    under.on("error", (error) => asking.break(error));
    if (way.tls === null) {
      under.once("connect", () => asking.on(under, way.http2 === "prior"));
      return;
    }
    let socket: tls.TLSSocket;
    try {
      socket = secureSocket(under, way.tls, way.http2, contexts);
    } catch (error) {
      asking.fail((error as Error).message, "other");
      return;
    }
    socket.on("error", (error) => asking.break(error));
    socket.once("secureConnect", () =>
      asking.on(socket, way.http2 === "prior" || (way.http2 === "alpn" && socket.alpnProtocol === "h2")),
    );
  });
}

class Asking {
  readonly #request: ProbeRequest;
  #done: ((result: Omit<Answered, "ms">) => void) | null;
  #status = 0;
  #bodyBytes = 0;
  #date = "";
  #fields: Readonly<Record<string, string>> = {};
  #close = (): void => undefined;

  constructor(request: ProbeRequest, done: (result: Omit<Answered, "ms">) => void) {
    this.#request = request;
    this.#done = done;
  }

  on(socket: net.Socket, isHttp2: boolean): void {
    if (this.#done === null) return;
    try {
      if (isHttp2) this.#askHttp2(socket);
      else this.#askHttp1(socket);
    } catch (error) {
      // What a client of the gateway may send, Node's client need not.
      this.fail(`it cannot be asked: ${(error as Error).message}`, "other");
    }
  }

  break(error: NodeJS.ErrnoException): void {
    const { text, failure } = broken(error);
    this.fail(text, failure);
  }

  /** The status that came is told with it: a body that breaks is something else than no answer. */
  fail(text: string, failure: Answered["failure"]): void {
    const status = this.#status;
    const said =
      status === 0
        ? text
        : `status ${status}, then ${failure === "silent" ? "silence" : text} after ${this.#bodyBytes} bytes of its body`;
    this.#finish({ ok: false, text: said, failure, status, bodyBytes: this.#bodyBytes, date: this.#date });
  }

  #answered(whole: boolean): void {
    const [status, bodyBytes] = [this.#status, this.#bodyBytes];
    const { bodyBytes: wanted } = this.#request;
    const body = wanted === 0 ? "" : whole ? `, ${bodyBytes} bytes` : `, ${bodyBytes} bytes and more`;
    const text = `status ${status}${body}`;
    this.#finish({ ok: true, text, failure: "", status, bodyBytes, date: this.#date, fields: this.#fields });
  }

  #finish(result: Omit<Answered, "ms">): void {
    const done = this.#done;
    this.#done = null;
    this.#close();
    done?.(result);
  }

  #askHttp1(socket: net.Socket): void {
    const { method, target, host, fields } = this.#request;
    const request = http.request({
      createConnection: () => socket,
      method,
      path: target,
      headers: { host, "user-agent": USER_AGENT, accept: "*/*", connection: "close", ...fields },
      maxHeaderSize: HEAD_BYTES,
    });
    this.#close = () => request.destroy();
    request.on("error", (error) => this.break(error));
    // A switch of protocols nobody asked for.
    request.once("upgrade", () => this.fail("switches protocols", "rubbish"));
    request.once("response", (response) => {
      this.#status = response.statusCode ?? 0;
      this.#date = response.headers.date ?? "";
      this.#fields = alikeFields(response.headers);
      this.#read(response);
      response.once("aborted", () => this.fail("the connection ends", "cut"));
    });
    request.end();
  }

  #askHttp2(socket: net.Socket): void {
    const { method, target, host, way, fields } = this.#request;
    // The name is told by each request; here one is wanted that can be read.
    const session = http2.connect("http://localhost", { createConnection: () => socket });
    this.#close = () => session.destroy();
    session.on("error", (error) => this.break(error));
    session.once("goaway", (code) => {
      if (code !== http2.constants.NGHTTP2_NO_ERROR) this.fail(`GOAWAY (${code})`, "cut");
    });
    session.once("close", () => this.fail("closed or reset without a response", "cut"));
    const stream = session.request(
      {
        ":method": method,
        ":path": target,
        ":authority": host,
        ":scheme": way.tls === null ? "http" : "https",
        "user-agent": USER_AGENT,
        accept: "*/*",
        ...fields,
      },
      { endStream: true },
    );
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ERR_HTTP2_STREAM_ERROR") this.fail(error.message, "cut");
      else this.break(error);
    });
    stream.once("response", (headers) => {
      this.#status = headers[":status"] ?? 0;
      this.#date = headers.date ?? "";
      this.#fields = alikeFields(headers);
      this.#read(stream);
      stream.once("aborted", () => this.fail("the stream ends", "cut"));
    });
  }

  #read(body: http.IncomingMessage | http2.ClientHttp2Stream): void {
    const { bodyBytes: wanted } = this.#request;
    if (wanted === 0) {
      this.#answered(true);
      return;
    }
    body.on("data", (bytes: Buffer) => {
      this.#bodyBytes += bytes.length;
      if (this.#bodyBytes >= wanted) this.#answered(false);
    });
    body.once("end", () => this.#answered(true));
    body.on("error", (error: NodeJS.ErrnoException) => this.break(error));
  }
}

function alikeFields(headers: http.IncomingHttpHeaders): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const name of ALIKE_FIELDS) {
    const value = headers[name];
    if (typeof value === "string") fields[name] = value;
  }
  return fields;
}
