/** Probes are begun as connections of the gateway are: what the origin hears first, and what it makes of it. */
import http from "node:http";
import https from "node:https";
import http2 from "node:http2";
import net from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createTestAuthority } from "../../test/support/test-authority.ts";
import type { TestAuthority } from "../../test/support/test-authority.ts";
import { PLAIN_WAY } from "../contract/rungs.ts";
import type { Answered, Endpoint, ProbeRequest, Rungs, Way } from "../contract/rungs.ts";
import type { OriginTls } from "../kernel/socket.ts";
import { systemSchedule } from "./clock.ts";
import { createProbeRungs } from "./probe-rungs.ts";

/** Longer than any test may take: what is waited for are events. */
const LONG_MS = 60_000;
const V1 = Buffer.from("PROXY UNKNOWN\r\n");
/** The signature of version 2 (proxy-protocol.txt, 2.2), and LOCAL. */
const V2 = Buffer.from("0d0a0d0a000d0a515549540a20", "hex");

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function listen(server: net.Server, at: string | number = 0): Promise<Endpoint> {
  const sockets = new Set<net.Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => sockets.delete(socket));
  });
  closing.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await new Promise<void>((resolve) =>
    typeof at === "string" ? server.listen(at, resolve) : server.listen(at, "127.0.0.1", resolve),
  );
  if (typeof at === "string") return { ip: `unix:${at}`, family: 4, port: 0 };
  return { ip: "127.0.0.1", family: 4, port: (server.address() as AddressInfo).port };
}

/** What came first on a connection, as soon as `bytes` of it are there; it is answered when it is a request in the clear. */
async function firstBytes(bytes: number): Promise<{ to: Endpoint; heard: Promise<Buffer> }> {
  const heard = Promise.withResolvers<Buffer>();
  const server = net.createServer((socket) => {
    let all: Buffer = Buffer.alloc(0);
    socket.on("data", (more: Buffer) => {
      all = Buffer.concat([all, more]);
      if (all.length >= bytes) heard.resolve(all);
      if (all.includes("\r\n\r\n")) socket.end("HTTP/1.1 204 No Content\r\n\r\n");
    });
  });
  return { to: await listen(server), heard: heard.promise };
}

function rungs(): Rungs {
  return createProbeRungs({ resolvers: ["127.0.0.1"], schedule: systemSchedule });
}

function ask(to: Endpoint, way: Way, rest: Partial<ProbeRequest> = {}, ms: number = LONG_MS): Promise<Answered> {
  const request: ProbeRequest = { method: "HEAD", target: "/", host: "origin.test", way, fields: {}, bodyBytes: 0 };
  return rungs().request(to, { ...request, ...rest }, ms);
}

function authorityOfTest(): TestAuthority {
  const authority = createTestAuthority();
  closing.push(() => authority.close());
  return authority;
}

function trusting(authority: TestAuthority, rest: Partial<OriginTls> = {}): OriginTls {
  const settings = { serverName: "origin.test", verify: true, certificate: "", key: "", pins: [], minVersion: "1.2" };
  return { ...settings, ca: authority.caFile, ...rest } as OriginTls;
}

describe("the header of the PROXY protocol", () => {
  it.each([
    [1, V1],
    [2, V2],
  ] as const)("of version %i is the first that leaves, on every rung", async (proxyProtocol, header) => {
    const way: Way = { ...PLAIN_WAY, proxyProtocol };
    const connected = await firstBytes(header.length);
    expect(await rungs().connect(connected.to, way, LONG_MS)).toMatchObject({ ok: true });
    expect((await connected.heard).subarray(0, header.length)).toEqual(header);

    const asked = await firstBytes(header.length);
    expect(await ask(asked.to, way)).toMatchObject({ ok: true, status: 204 });
    expect((await asked.heard).subarray(0, header.length)).toEqual(header);

    const greeted = await firstBytes(header.length + 40);
    const tls = trusting(authorityOfTest());
    const handshake = rungs().handshake(greeted.to, { ...way, tls }, LONG_MS);
    const said = await greeted.heard;
    expect(said.subarray(0, header.length)).toEqual(header);
    for (const close of closing.splice(0)) close();
    expect(await handshake).toMatchObject({ ok: false });
  });

  it("is left out where none is configured", async () => {
    const { to, heard } = await firstBytes(6);
    await ask(to, PLAIN_WAY);
    expect((await heard).toString("latin1")).toMatch(/^HEAD \/ HTTP\/1\.1\r\nhost: origin\.test\r\n/i);
  });
});

describe("HTTP/2", () => {
  /** Answers with what it was asked, and how. */
  function answering(
    { method, httpVersion, headers }: http2.Http2ServerRequest | http.IncomingMessage,
    response: Pick<http.ServerResponse, "setHeader" | "end"> | http2.Http2ServerResponse,
  ): void {
    const host = headers[":authority"] ?? headers.host;
    response.setHeader("date", "Sat, 21 Nov 2026 14:05:00 GMT");
    response.end([httpVersion, method, host, headers["user-agent"]].join(" "));
  }

  it("is spoken in the clear to an origin of which it is known", async () => {
    const to = await listen(http2.createServer((request, response) => answering(request, response)));
    const way: Way = { ...PLAIN_WAY, http2: "prior" };
    const answer = await ask(to, way, { method: "GET", bodyBytes: 1_000 });
    expect(answer).toMatchObject({ ok: true, status: 200, date: "Sat, 21 Nov 2026 14:05:00 GMT" });
    expect(answer.bodyBytes).toBe("2.0 GET origin.test goodgate-probe".length);
  });

  it("is asked under whatever name a client gave, and what cannot be said is told", async () => {
    const to = await listen(http2.createServer((request, response) => answering(request, response)));
    const way: Way = { ...PLAIN_WAY, http2: "prior" };
    expect(await ask(to, way, { host: "no_name:99999" })).toMatchObject({ ok: true, status: 200 });
    const plain = await listen(http.createServer((request, response) => answering(request, response)));
    const odd = await ask(plain, PLAIN_WAY, { target: "/a b" });
    expect(odd).toMatchObject({ ok: false, failure: "other", text: expect.stringContaining("it cannot be asked") });
  });

  it("is not taken for granted of an origin that speaks HTTP/1.1", async () => {
    const server = http.createServer((request, response) => answering(request, response));
    const answer = await ask(await listen(server), { ...PLAIN_WAY, http2: "prior" });
    expect(answer).toMatchObject({ ok: false, status: 0 });
  });

  it("is what an origin may choose over TLS, and need not", async () => {
    const authority = authorityOfTest();
    const way: Way = { ...PLAIN_WAY, http2: "alpn", tls: trusting(authority) };
    const either = http2.createSecureServer({ ...authority.issue(), allowHTTP1: true }, (request, response) =>
      answering(request, response),
    );
    const to = await listen(either);
    const chosen = await ask(to, way, { method: "GET", bodyBytes: 1_000 });
    expect(chosen.bodyBytes).toBe("2.0 GET origin.test goodgate-probe".length);
    const never = await ask(to, { ...way, http2: "never" }, { method: "GET", bodyBytes: 1_000 });
    expect(never.bodyBytes).toBe("1.1 GET origin.test goodgate-probe".length);
  });
});

describe("an origin", () => {
  it("at a Unix socket is connected to and asked there", async () => {
    const path = join(tmpdir(), `goodgate-probe-${process.pid}-${Date.now()}.sock`);
    const to = await listen(
      http.createServer((_request, response) => response.writeHead(204).end()),
      path,
    );
    expect(await rungs().connect(to, PLAIN_WAY, LONG_MS)).toMatchObject({ ok: true });
    expect(await ask(to, PLAIN_WAY)).toMatchObject({ ok: true, status: 204 });
  });

  it("that wants a certificate gets the one that is configured", async () => {
    const authority = authorityOfTest();
    const server = https.createServer(
      { ...authority.issue(), ca: authority.ca, requestCert: true, rejectUnauthorized: true },
      (_request, response) => response.writeHead(204).end(),
    );
    const to = await listen(server);
    const { certFile, keyFile } = authority.issue({ usage: "client" });
    const tls = trusting(authority, { certificate: certFile, key: keyFile });
    expect(await ask(to, { ...PLAIN_WAY, tls })).toMatchObject({ ok: true, status: 204 });
    expect(await ask(to, { ...PLAIN_WAY, tls: trusting(authority) })).toMatchObject({ ok: false });
  });

  it("that falls silent in a body is told from one that does not answer", async () => {
    const to = await listen(
      http.createServer((request, response) => {
        if (request.url === "/silent") return;
        response.writeHead(200, { "content-length": "5000" });
        response.write("x".repeat(1_000));
        if (request.url === "/cut") response.socket?.end();
      }),
    );
    const wants = { method: "GET", bodyBytes: 4_000 } as const;
    expect(await ask(to, PLAIN_WAY, { ...wants, target: "/cut" })).toMatchObject({
      ok: false,
      status: 200,
      failure: "cut",
      bodyBytes: 1_000,
    });
    expect(await ask(to, PLAIN_WAY, { ...wants, target: "/silent" }, 100)).toMatchObject({
      ok: false,
      status: 0,
      failure: "silent",
      text: "no response within 100 ms",
    });
    // Its head is enough for whoever wants no more.
    expect(await ask(to, PLAIN_WAY, { ...wants, target: "/stall", bodyBytes: 0 })).toMatchObject({ ok: true });
    expect(await ask(to, PLAIN_WAY, { ...wants, target: "/stall", bodyBytes: 500 })).toMatchObject({
      ok: true,
      text: expect.stringMatching(/^status 200, \d+ bytes and more$/),
    });
  });
});
