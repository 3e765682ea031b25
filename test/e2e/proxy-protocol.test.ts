/** The PROXY protocol and Unix sockets between the gateway and real peers, in both directions. */
import { createServer } from "node:http";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testAuthority } from "../support/certificates.ts";
import { curl } from "../support/curl.ts";
import { freePort } from "../support/free-port.ts";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { until } from "../support/until.ts";
import { installed, startHaproxy, startNginx, type Peer } from "../support/peers.ts";

const folder = mkdtempSync(join(tmpdir(), "goodgate-edge-"));
const front = join(folder, "front.sock");
const back = join(folder, "back.sock");
/** Says what it was asked. */
const origin = createServer((request, response) => {
  response.setHeader("X-Seen-For", request.headers["x-forwarded-for"] ?? "");
  response.setHeader("X-Seen-Host", request.headers.host ?? "");
  response.end(request.url);
});
let gateway: GatewayProcess;
let port = 0;

beforeAll(async () => {
  await new Promise<void>((resolve) => origin.listen(back, resolve));
  port = await freePort();
  gateway = await startGateway({
    // What is bound once and shared by both has to be taken away once, too.
    workers: 2,
    listeners: [
      { bind: `127.0.0.1:${port}`, trustedProxies: ["127.0.0.1"], proxyProtocol: true },
      { bind: `unix:${front}`, socket: { mode: "0600" } },
    ],
    ...inFrontOf([`unix:${back}:/base`]),
  });
});
afterAll(async () => {
  const ending = await gateway?.stop();
  origin.close();
  const isLeft = existsSync(front);
  rmSync(folder, { recursive: true });
  if (ending?.code !== 0 || isLeft) throw new Error("the gateway did not end well, or left its socket behind");
});

describe.skipIf(!installed("curl"))("curl", () => {
  it("goes through a Unix socket to a Unix socket", async () => {
    const answer = await curl(["--unix-socket", front, "http://shop.test/a"]);
    expect([answer.status, answer.body]).toEqual([200, "/base/a"]);
    expect(answer.heads[0]).toMatch(/^X-Seen-For: unknown$/m);
    expect(answer.heads[0]).toMatch(/^X-Seen-Host: shop\.test$/m);
    expect(statSync(front).mode & 0o777).toBe(0o600);
    const record = await gateway.record("the request over the socket", ({ target }) => target === "/a");
    expect(record).toMatchObject({ listener: `unix:${front}`, clientAddress: "unix:", origin: `unix:${back}:/base` });
  });

  it("sends a header of version 1, and the record has both ends", async () => {
    const answer = await curl(["--haproxy-protocol", `http://127.0.0.1:${port}/b`]);
    expect(answer.status).toBe(200);
    const record = await gateway.record("the request with a header", ({ target }) => target === "/b");
    expect(record.proxiedBy).toBe(`127.0.0.1:${record.peerPort}`);
  });

  it("without a header gets nothing, and the record says why", async () => {
    expect((await curl([`http://127.0.0.1:${port}/c`])).heads).toEqual([]);
    const record = await gateway.record("the connection without a header", ({ cause }) => cause === "gw.proxy_header");
    expect(record).toMatchObject({ outcome: "refused", party: "configuration", method: "", status: 0 });
  });
});

describe.skipIf(!installed("haproxy") || !installed("curl"))("HAProxy in front", () => {
  it.each(["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id,authority"])(
    "tells of its client with %s, also in its own checks",
    async (how) => {
      const haproxy: Peer = await startHaproxy(`127.0.0.1:${port} ${how} check check-send-proxy inter 50ms`);
      try {
        const path = `/${encodeURIComponent(how)}`;
        const answer = await curl(["--interface", "127.0.0.9", `${haproxy.url}${path}`]);
        expect(answer.heads[0]).toMatch(/^X-Seen-For: 127\.0\.0\.9$/im);
        const record = await gateway.record("the request through HAProxy", ({ target }) => target === path);
        expect(record).toMatchObject({ clientAddress: "127.0.0.9", peerAddress: "127.0.0.9" });
        expect(record.proxiedBy).toMatch(/^127\.0\.0\.1:\d+$/);
      } finally {
        await haproxy.stop();
      }
    },
  );
});

describe.skipIf(!installed("nginx") || !installed("curl"))("nginx behind", () => {
  it.each([1, 2])("hears whose a connection is in version %d, with TLS behind it as well", async (version) => {
    const [proxied, secured] = [await freePort(), await freePort()];
    const authority = await testAuthority();
    const { cert, key } = await authority.server(["back.test"]);
    const file = (name: string): string => join(folder, `${version}-${name}.pem`);
    writeFileSync(file("cert"), cert);
    writeFileSync(file("key"), key);
    writeFileSync(file("ca"), authority.root.cert);
    const nginx = await startNginx(
      `listen 127.0.0.1:${proxied} proxy_protocol; listen 127.0.0.1:${secured} ssl proxy_protocol;
       ssl_certificate ${file("cert")}; ssl_certificate_key ${file("key")};
       add_header X-Told "$proxy_protocol_addr $scheme" always;`,
    );
    const common = { proxyProtocol: version, health: { path: "/up", status: 404 } };
    const sender = await startGateway({
      services: {
        plain: { hosts: ["plain.test"], ...common, pools: [{ origins: [`http://127.0.0.1:${proxied}`] }] },
        secure: {
          hosts: ["secure.test"],
          ...common,
          tls: { ca: file("ca"), serverName: "back.test" },
          pools: [{ origins: [`https://127.0.0.1:${secured}`] }],
        },
      },
    });
    try {
      for (const address of ["127.0.0.7", "127.0.0.8"]) {
        for (const [host, scheme] of [
          ["plain.test", "http"],
          ["secure.test", "https"],
        ]) {
          const answer = await curl(["--interface", address, "-H", `Host: ${host}`, `${sender.url}/`]);
          expect(answer.heads[0]).toContain(`X-Told: ${address} ${scheme}`);
        }
      }
      // Without a header nginx would close the connection of a check, and not say 404.
      await until("good checks", async () => {
        const origins = await sender.origins();
        return origins.every(({ addresses }) => addresses[0]?.check.ok) ? true : null;
      });
    } finally {
      await sender.stop();
      await nginx.stop();
    }
  });
});
