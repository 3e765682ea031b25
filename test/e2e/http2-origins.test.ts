/** Origins that speak HTTP/2, as people run them: nginx, HAProxy, Caddy and Node, in the clear and over TLS. */
import http2 from "node:http2";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testAuthority } from "../support/certificates.ts";
import { freePort } from "../support/free-port.ts";
import { localGateway } from "../support/local-gateway.ts";
import type { LocalGateway } from "../support/local-gateway.ts";
import { installed, startCaddy, startHaproxy, startNginx, startNodeApp } from "../support/peers.ts";
import type { Peer } from "../support/peers.ts";

const LARGE = "0123456789abcdef".repeat(40_000);
const closing: (() => unknown)[] = [];
const services: Record<string, unknown> = {};
let gateway: LocalGateway;

function front(name: string, origin: string, more: Record<string, unknown> = {}): void {
  services[name] = {
    hosts: [`${name}.test`],
    health: false,
    overload: false,
    http2: true,
    pools: [{ origins: [origin] }],
    ...more,
  };
}

async function started(peer: Promise<Peer>): Promise<Peer> {
  const one = await peer;
  closing.push(() => one.stop());
  return one;
}

interface NodeOrigin {
  readonly port: number;
  readonly sessions: Set<http2.ServerHttp2Session>;
  made: number;
}

/** Answers by path; GOAWAY after each `perSession` requests. */
function nodeOrigin(server: http2.Http2Server | http2.Http2SecureServer, perSession = Infinity): Promise<NodeOrigin> {
  const origin = { port: 0, sessions: new Set<http2.ServerHttp2Session>(), made: 0 };
  server.on("session", (session) => {
    origin.made += 1;
    origin.sessions.add(session);
    session.on("error", () => undefined);
    session.on("close", () => origin.sessions.delete(session));
  });
  server.on("stream", (stream: http2.ServerHttp2Stream, headers) => {
    stream.on("error", () => undefined);
    const path = headers[":path"] ?? "";
    const { session } = stream;
    if (stream.id !== undefined && stream.id / 2 > perSession) session?.close();
    if (path.startsWith("/reset/")) stream.close(Number(path.slice("/reset/".length)));
    else if (path === "/lost") session?.destroy();
    else if (path === "/part") {
      stream.respond({ ":status": 200 });
      stream.write("part");
      // Not `close`: Node says END_STREAM before the reset then.
      setTimeout(() => stream.destroy(new Error("a defect of the origin")), 20);
    } else if (path === "/early") {
      stream.additionalHeaders({ ":status": 103, link: "</a.css>; rel=preload" });
      stream.respond({ ":status": 200 }, { waitForTrailers: true });
      stream.once("wantTrailers", () => stream.sendTrailers({ "x-sum": "7" }));
      stream.end("early");
    } else {
      stream.respond({ ":status": 200 });
      stream.pipe(stream);
    }
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      origin.port = (server.address() as AddressInfo).port;
      closing.push(() => {
        for (const session of origin.sessions) session.destroy();
        server.close();
      });
      resolve(origin);
    });
  });
}

let node: NodeOrigin;
let leaving: NodeOrigin;

beforeAll(async () => {
  node = await nodeOrigin(http2.createServer());
  front("node", `http://127.0.0.1:${node.port}`);
  leaving = await nodeOrigin(http2.createServer(), 10);
  front("leaving", `http://127.0.0.1:${leaving.port}`);
  const app = await started(startNodeApp("app"));
  front("older", app.url);

  const authority = await testAuthority();
  const folder = mkdtempSync(join(tmpdir(), "goodgate-h2-"));
  closing.push(() => rmSync(folder, { recursive: true, force: true }));
  const ca = join(folder, "ca.pem");
  writeFileSync(ca, authority.root.cert);
  const { cert, key } = await authority.server(["h2.test"]);
  const tls = { ca, serverName: "h2.test" };
  const secure = await nodeOrigin(http2.createSecureServer({ cert, key }));
  front("secure", `https://127.0.0.1:${secure.port}`, { tls });
  const older = https.createServer({ cert, key }, (_request, response) => response.end("HTTP/1.1"));
  await new Promise<void>((resolve) => older.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    older.close();
    older.closeAllConnections();
  });
  const choosing = older.address() as AddressInfo;
  front("choosing", `https://127.0.0.1:${choosing.port}`, { tls });
  front("demanding", `https://127.0.0.1:${choosing.port}`, { tls, http2: "prior" });

  if (installed("nginx")) {
    const port = await freePort();
    const nginx = await started(startNginx(`listen 127.0.0.1:${port} http2; keepalive_requests 20;`));
    writeFileSync(join(nginx.root, "page.txt"), LARGE);
    front("nginx", `http://127.0.0.1:${port}`);
  }
  if (installed("haproxy")) {
    const port = await freePort();
    await started(startHaproxy(`127.0.0.1:${app.port}`, `bind 127.0.0.1:${port} proto h2`));
    front("haproxy", `http://127.0.0.1:${port}`);
  }
  if (installed("caddy")) {
    const caddy = await started(startCaddy());
    writeFileSync(join(caddy.root, "page.txt"), LARGE);
    front("caddy", caddy.url);
  }
  gateway = await localGateway(services);
});
afterAll(async () => {
  await gateway?.close();
  for (const close of closing.toReversed()) await close();
});

describe.each(["nginx", "caddy"].filter((name) => installed(name as "nginx")))("%s", (name) => {
  it("is asked over HTTP/2, and a large file comes whole", async () => {
    const { status, body, record } = await gateway.get(`${name}.test`, "/page.txt");
    expect([status, body.length, body === LARGE]).toEqual([200, LARGE.length, true]);
    expect(record.attempts[0]).toMatchObject({ protocol: "HTTP/2", cause: null });
    expect((await gateway.get(`${name}.test`, "/missing")).status).toBe(404);
  });

  it("answers a hundred requests, and leaves connections meanwhile without one being lost", async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        gateway.get(`${name}.test`, index % 2 === 0 ? "/page.txt" : "/missing"),
      ),
    );
    const statuses = answers.map(({ status }) => status);
    expect([
      statuses.filter((status) => status === 200).length,
      statuses.filter((status) => status === 404).length,
    ]).toEqual([50, 50]);
  });

  it("is known then to leave them behind so many requests, and refuses none any more", async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => gateway.get(`${name}.test`, "/missing")));
    const attempts = answers.flatMap(({ status, record }) => [status, ...record.attempts.map(({ cause }) => cause)]);
    expect([...new Set(attempts)]).toEqual([404, null]);
  });
});

describe.runIf(installed("haproxy"))("HAProxy", () => {
  it("is asked over HTTP/2", async () => {
    const { status, record } = await gateway.get("haproxy.test", "/");
    expect([status, record.attempts[0]?.protocol]).toEqual([200, "HTTP/2"]);
  });
});

describe("Node", () => {
  it("gets requests of many clients on one connection, and their bodies both ways", async () => {
    await gateway.get("node.test");
    const before = node.made;
    const clients = await Promise.all(Array.from({ length: 40 }, () => gateway.client()));
    await Promise.all(
      clients.map(async (client, index) => {
        const text = `${index} `.repeat(20_000);
        await client.send(`POST /echo HTTP/1.1\r\nHost: node.test\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
        const { body } = await client.response();
        expect(body === text).toBe(true);
        client.close();
      }),
    );
    expect(node.made).toBe(before);
  });

  it("sends early hints and trailers", async () => {
    const client = await gateway.client();
    await client.send("GET /early HTTP/1.1\r\nHost: node.test\r\nTE: trailers\r\nConnection: TE, close\r\n\r\n");
    await client.over;
    const all = client.received.text;
    expect(all).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a\.css>; rel=preload\r\n.*HTTP\/1\.1 200 OK\r\n.*5\r\nearly\r\n0\r\nx-sum: 7\r\n\r\n$/s,
    );
  });

  it.each([
    [7, "origin.h2_refused", 503],
    [2, "origin.h2_reset", 502],
    [8, "origin.h2_reset", 502],
    [11, "origin.h2_reset", 502],
  ])("that resets with %i is %s", async (code, cause, expected) => {
    const { status, record } = await gateway.get("node.test", `/reset/${code}`);
    expect([status, record.attempts[0]?.cause, record.cause]).toEqual([expected, cause, cause]);
  });

  it("that breaks off in a body does not look as if it had ended", async () => {
    const client = await gateway.client();
    await client.send("GET /part HTTP/1.1\r\nHost: node.test\r\n\r\n");
    await client.over;
    const all = client.received.text;
    expect(all).toMatch(/\r\n4\r\npart\r\n$/);
  });

  it("that loses the connection has done so before a response", async () => {
    const { record } = await gateway.get("node.test", "/lost");
    expect(record.cause).toMatch(/^origin\.(reset_before_response|h2_reset|h2_refused)$/);
  });

  it("that leaves each connection after ten requests loses none of two hundred", async () => {
    const outcomes = new Set<string>();
    for (let round = 0; round < 10; round += 1) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => gateway.get("leaving.test", "/echo")));
      for (const { status, record } of answers)
        outcomes.add(`${status} ${record.outcome === "rescued" ? "served" : record.outcome}`);
    }
    expect([...outcomes]).toEqual(["200 served"]);
    expect(leaving.made).toBeGreaterThan(10);
  });
});

describe("over TLS", () => {
  it("an origin that chooses HTTP/2 is asked over it", async () => {
    const { status, record } = await gateway.get("secure.test", "/echo");
    expect([status, record.attempts[0]?.protocol, record.attempts[0]?.tls?.alpn]).toEqual([200, "HTTP/2", "h2"]);
  });

  it("an origin that chooses HTTP/1.1 is asked over that, and its connections are kept", async () => {
    for (let number = 0; number < 3; number += 1) {
      const { body, record } = await gateway.get("choosing.test", "/");
      expect([body, record.attempts[0]?.protocol]).toEqual(["HTTP/1.1", "HTTP/1.1"]);
      expect(record.attempts[0]?.reused).toBe(number > 0);
    }
  });

  it("an origin that is to speak HTTP/2 and does not is said so", async () => {
    const { status, record } = await gateway.get("demanding.test", "/");
    expect([status, record.cause]).toEqual([502, "tls.alert"]);
    expect(record.evidence).toContain("no_application_protocol");
  });
});

describe("an origin that speaks HTTP/1.1 in the clear", () => {
  it("is found out before anything is sent", async () => {
    const { status, record } = await gateway.get("older.test", "/");
    expect([status, record.cause, record.attempts[0]?.sentUs]).toEqual([502, "origin.h2_handshake", -1]);
  });
});
