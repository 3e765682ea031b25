import http from "node:http";
import https from "node:https";
import net from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { createTestAuthority } from "../../test/support/test-authority.ts";
import { PLAIN_WAY } from "../contract/rungs.ts";
import type { Endpoint } from "../contract/rungs.ts";
import type { OriginTls } from "../kernel/socket.ts";
import { dateToldBy, tryBind, tryConnect, tryHandshake } from "./reach.ts";

/** Nothing here waits for it to pass. */
const LIMIT_MS = 120_000;
const servers: net.Server[] = [];
const ROOT = { host: "origin.test", target: "/", way: PLAIN_WAY };

function at(port: number): Endpoint {
  return { ip: "127.0.0.1", family: 4, port };
}

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

async function listen(server: net.Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

test("a port that is taken is told with the system's code, and a free one is free again afterwards", async () => {
  const port = await listen(net.createServer());
  expect(await tryBind({ host: "127.0.0.1", port })).toBe("EADDRINUSE");
  await new Promise((resolve) => servers.pop()?.close(resolve));
  expect(await tryBind({ host: "127.0.0.1", port })).toBeNull();
  expect(await tryBind({ host: "127.0.0.1", port })).toBeNull();
});

test("an address of another machine cannot be listened on", async () => {
  expect(await tryBind({ host: "192.0.2.1", port: 8080 })).toBe("EADDRNOTAVAIL");
});

test("a connection is made and closed at once", async () => {
  const closed = Promise.withResolvers<void>();
  const port = await listen(net.createServer((socket) => socket.resume().on("close", () => closed.resolve())));
  expect(await tryConnect(at(port), PLAIN_WAY, LIMIT_MS)).toMatchObject({ ok: true });
  await closed.promise;
});

test("a port where nobody listens refuses", async () => {
  const port = await listen(net.createServer());
  await new Promise((resolve) => servers.pop()?.close(resolve));
  expect(await tryConnect(at(port), PLAIN_WAY, LIMIT_MS)).toEqual({ ok: false, code: "ECONNREFUSED" });
});

test("the Date of a HEAD response is read, and its absence is no failure", async () => {
  const dated = await listen(
    http.createServer((_request, response) => response.writeHead(204, { date: "Sat, 21 Nov 2026 14:05:00 GMT" }).end()),
  );
  expect(await dateToldBy(at(dated), ROOT, LIMIT_MS)).toBe(Date.UTC(2026, 10, 21, 14, 5, 0));
  const undated = await listen(
    http.createServer((_request, response) => {
      response.sendDate = false;
      response.end();
    }),
  );
  expect(await dateToldBy(at(undated), ROOT, LIMIT_MS)).toBeNull();
  const rude = await listen(net.createServer((socket) => socket.destroy()));
  expect(await dateToldBy(at(rude), ROOT, LIMIT_MS)).toBeNull();
});

test("a handshake is tried as the gateway makes it, and a clock is asked over TLS too", async () => {
  const authority = createTestAuthority();
  const server = https.createServer(authority.issue(), (_request, response) => {
    response.writeHead(204, { date: "Sat, 21 Nov 2026 14:05:00 GMT" }).end();
  });
  const port = await listen(server);
  const settings: OriginTls = {
    serverName: "origin.test",
    verify: true,
    ca: authority.caFile,
    certificate: "",
    key: "",
    pins: [],
    minVersion: "1.2",
  };
  expect(await tryHandshake(at(port), settings, PLAIN_WAY, LIMIT_MS)).toMatchObject({ ok: true });
  const other = await tryHandshake(at(port), { ...settings, serverName: "other.test" }, PLAIN_WAY, LIMIT_MS);
  expect(other).toMatchObject({ ok: false, text: expect.stringContaining("wanted is other.test") });
  expect(await dateToldBy(at(port), { ...ROOT, way: { ...PLAIN_WAY, tls: settings } }, LIMIT_MS)).toBe(
    Date.UTC(2026, 10, 21, 14, 5, 0),
  );
  authority.close();
});
