import fs from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { bodyBytesMax } from "../contract/admin-http.ts";
import type { AdminHandler, AdminRequest } from "../contract/admin-http.ts";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import { fetchJson } from "./admin-client.ts";
import { startAdminServer } from "./admin-server.ts";
import type { AdminServer, AdminServerOptions } from "./admin-server.ts";

let servers: AdminServer[] = [];
let faults: unknown[] = [];
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close(0)));
  servers = [];
  faults = [];
});

async function start(handle: AdminHandler, options: Partial<AdminServerOptions> = {}): Promise<AdminServer> {
  const server = await startAdminServer({
    bind: { host: "127.0.0.1", port: 0 },
    handle,
    onFault: (error) => faults.push(error),
    // Closing with a bound of nothing cuts at once; no test waits for a real timer.
    schedule: (ms, run) => {
      if (ms === 0) queueMicrotask(run);
      return () => {};
    },
    ...options,
  });
  servers.push(server);
  return server;
}

const hello: AdminHandler = () => ({
  kind: "response",
  status: 200,
  headers: { "content-type": "text/plain", "content-length": "5" },
  body: "hello",
});

interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

function request(server: AdminServer, path: string, options: http.RequestOptions = {}, body = ""): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = http.request({ host: server.host, port: server.port, path, agent: false, ...options }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Everything that comes back for these bytes until the server closes the connection. */
function raw(server: AdminServer, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(server.port, server.host, () => socket.write(bytes));
    let text = "";
    socket.setEncoding("latin1").on("data", (part: string) => (text += part));
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
  });
}

test("on a Unix socket it is asked by the client's own words for one, and its file is gone at the end", async () => {
  const folder = await fs.mkdtemp(join(tmpdir(), "goodgate-admin-"));
  const path = join(folder, "admin.sock");
  const json: AdminHandler = ({ path: asked }) => ({ kind: "response", status: 200, headers: {}, body: `"${asked}"` });
  const server = await start(json, { bind: { host: `unix:${path}`, port: 0 } });
  const url = `http+unix://${encodeURIComponent(path)}/api/v1/status`;
  expect(server).toMatchObject({ host: `unix:${path}`, port: 0 });
  expect(await fetchJson(url, null, 5_000)).toEqual({ kind: "answer", status: 200, json: "/api/v1/status" });
  await server.close(0);
  expect(await fetchJson(url, null, 5_000)).toEqual({ kind: "unreachable", code: "ENOENT" });
  await fs.rm(folder, { recursive: true });
});

describe("answers", () => {
  test("the handler sees method, path and query as sent, and fields in lower case", async () => {
    const seen: AdminRequest[] = [];
    const server = await start((asked) => {
      seen.push(asked);
      return hello(asked);
    });
    const reply = await request(server, "/api/v1/a%20b?x=1&x=2?&y", {
      headers: { "X-One": "1", Authorization: "Bearer t" },
    });
    expect(reply).toMatchObject({ status: 200, body: "hello" });
    expect(seen[0]).toMatchObject({ method: "GET", path: "/api/v1/a%20b", query: "x=1&x=2?&y" });
    expect(seen[0]?.headers["x-one"]).toBe("1");
    expect(seen[0]?.headers["authorization"]).toBe("Bearer t");
    expect(seen[0]?.headers["constructor"]).toBe(undefined);
    expect((await request(server, "/plain")).status).toBe(200);
    expect(seen[1]).toMatchObject({ path: "/plain", query: "" });
  });

  test("HEAD gets the length and no body", async () => {
    const server = await start(hello);
    const reply = await request(server, "/", { method: "HEAD" });
    expect(reply.headers["content-length"]).toBe("5");
    expect(reply.body).toBe("");
  });

  test("the body of a POST is handed on whole, and of nothing else", async () => {
    const seen: AdminRequest[] = [];
    const server = await start((asked) => {
      seen.push(asked);
      return hello(asked);
    });
    const longest = "ü".repeat(bodyBytesMax("/") / 2);
    await request(server, "/", { method: "POST" }, longest);
    await request(server, "/", { method: "PUT" }, "not for us");
    expect(seen.map(({ body }) => body)).toEqual([longest, ""]);
  });

  test("a body beyond the bound is refused before the handler sees it, framed either way", async () => {
    let asked = 0;
    const server = await start((each) => {
      asked += 1;
      return hello(each);
    });
    const long = "x".repeat(bodyBytesMax("/") + 1);
    const head = "POST / HTTP/1.1\r\nHost: localhost\r\n";
    expect(await raw(server, `${head}Content-Length: ${long.length}\r\n\r\n${long}`)).toContain("413 ");
    const chunk = `${long.length.toString(16)}\r\n${long}\r\n0\r\n\r\n`;
    expect(await raw(server, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}`)).toContain("413 ");
    expect(asked).toBe(0);
  });

  test("a body that breaks off is nobody's, and the server goes on", async () => {
    let asked = 0;
    const server = await start((each) => {
      asked += 1;
      return hello(each);
    });
    const socket = net.connect(server.port, server.host, () =>
      socket.end("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc"),
    );
    await new Promise((resolve) => socket.resume().on("error", resolve).on("close", resolve));
    expect((await request(server, "/")).body).toBe("hello");
    expect(asked).toBe(1);
  });

  test("bytes are sent as they are", async () => {
    const bytes = Uint8Array.from([0, 255, 10, 200]);
    const server = await start(() => ({
      kind: "response",
      status: 200,
      headers: { "content-length": "4" },
      body: "",
      bytes,
    }));
    const reply = await fetch(`http://127.0.0.1:${server.port}/`);
    expect(new Uint8Array(await reply.arrayBuffer())).toEqual(bytes);
  });

  test("a request body is read and thrown away, and the next request on the connection is answered", async () => {
    const server = await start(hello);
    const reply = await raw(
      server,
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nabcdeGET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    );
    expect(reply.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
  });

  test("what a handler throws is reported, and the client learns only that it failed", async () => {
    const server = await start(() => {
      throw new Error("secret path /etc/goodgate");
    });
    const reply = await request(server, "/");
    expect(reply.status).toBe(500);
    expect(reply.body).not.toContain("secret");
    expect(faults).toHaveLength(1);
  });

  test("a target that is not a path is refused before the handler sees it", async () => {
    const server = await start(hello);
    expect(await raw(server, "GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n")).toContain("400 Bad Request");
    expect(await raw(server, "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n")).toContain("400 Bad Request");
  });

  test("a head beyond the bound is refused", async () => {
    const server = await start(hello);
    const reply = await raw(server, `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`);
    expect(reply).toContain("431 ");
  });

  test("an address in use is told by rejecting", async () => {
    const server = await start(hello);
    await expect(start(hello, { bind: { host: "127.0.0.1", port: server.port } })).rejects.toMatchObject({
      code: "EADDRINUSE",
    });
  });
});

describe("foreign names", () => {
  test("a name that was pointed at loopback from outside is refused, and the handler is not asked", async () => {
    let asked = 0;
    const server = await start((each) => {
      asked += 1;
      return hello(each);
    });
    for (const host of ["evil.example", `evil.example:${server.port}`, "localhost.evil.example"]) {
      expect((await request(server, "/", { headers: { host } })).status).toBe(403);
    }
    expect(asked).toBe(0);
    expect((await request(server, "/", { headers: { host: `localhost:${server.port}` } })).status).toBe(200);
  });

  test("two Host fields are refused", async () => {
    const server = await start(hello);
    expect(await raw(server, "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")).not.toContain("hello");
  });
});

describe("streams", () => {
  function streaming(): {
    handle: AdminHandler;
    started: Promise<(chunk: string) => boolean>;
    stopped: Promise<void>;
    stops: () => number;
  } {
    let onStart = (_write: (chunk: string) => boolean): void => {};
    let onStop = (): void => {};
    let stops = 0;
    const started = new Promise<(chunk: string) => boolean>((resolve) => (onStart = resolve));
    const stopped = new Promise<void>((resolve) => (onStop = resolve));
    return {
      started,
      stopped,
      stops: () => stops,
      handle: () => ({
        kind: "stream",
        status: 200,
        headers: { "content-type": "text/event-stream" },
        start(write, onClose): void {
          onClose(() => {
            stops += 1;
            onStop();
          });
          onStart(write);
        },
      }),
    };
  }

  test("the head goes out at once and each chunk as it is written", async () => {
    const stream = streaming();
    const server = await start(stream.handle);
    const response = await new Promise<http.IncomingMessage>((resolve) => {
      http.get({ host: server.host, port: server.port, path: "/events", agent: false }, resolve);
    });
    expect(response.headers["content-type"]).toBe("text/event-stream");
    const write = await stream.started;
    for (const chunk of ["data: one\n\n", "data: two\n\n"]) {
      const came = new Promise<string>((resolve) => response.setEncoding("utf8").once("data", resolve));
      expect(write(chunk)).toBe(true);
      expect(await came).toBe(chunk);
    }
    response.destroy();
    await stream.stopped;
    expect(stream.stops()).toBe(1);
    expect(write("data: nobody\n\n")).toBe(false);
  });

  test("for a reader that takes nothing, little is kept, and after a while it is dropped", async () => {
    const stream = streaming();
    const time = manualSchedule();
    const server = await start(stream.handle, { schedule: time.schedule });
    const reader = net.connect(server.port, server.host, () =>
      reader.write("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    );
    reader.on("error", () => {});
    // Nobody listens for data: the kernel's buffers fill, then the server's.
    const write = await stream.started;
    const chunk = `data: ${"x".repeat(16_384)}\n\n`;
    let taken = 0;
    while (write(chunk)) {
      taken += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(taken).toBeGreaterThan(8);
    expect(taken).toBeLessThan(4_000);
    time.advance(29_999);
    expect(stream.stops()).toBe(0);
    time.advance(1);
    await stream.stopped;
    expect(stream.stops()).toBe(1);
    expect(time.waiting()).toBe(0);
    reader.destroy();
  });

  test("closing the server ends its streams whole and tells them", async () => {
    const stream = streaming();
    const server = await start(stream.handle);
    const reply = request(server, "/events");
    const write = await stream.started;
    write("data: last\n\n");
    await server.close(1_000);
    expect((await reply).body).toBe("data: last\n\n");
    expect(stream.stops()).toBe(1);
  });

  test("what a stream throws when it starts is reported, and its connection cut", async () => {
    const server = await start(() => ({
      kind: "stream",
      status: 200,
      headers: {},
      start(): void {
        throw new Error("no room");
      },
    }));
    await expect(request(server, "/events")).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(faults).toHaveLength(1);
  });
});

describe("the end", () => {
  test("idle connections do not delay it, and answering stops", async () => {
    const server = await start(hello);
    const agent = new http.Agent({ keepAlive: true });
    await request(server, "/", { agent });
    await server.close(60_000);
    await expect(request(server, "/")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    agent.destroy();
  });

  test("a request that never ends is cut when the time is over", async () => {
    const server = await start(hello);
    const cut = raw(server, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Unfinis");
    // Another exchange, so that the unfinished one has arrived.
    await request(server, "/");
    await server.close(0);
    expect(await cut).toBe("");
  });
});
