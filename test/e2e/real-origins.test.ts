/** Servers that people really run: nginx, Python's file server, a Node application; over IPv4 and IPv6; seen by a browser. */
import { writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchChromium, openPage } from "../support/chromium.ts";
import { startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import type { Message } from "../support/http-message.ts";
import { installed, startNginx, startNodeApp, startPythonServer, type Peer } from "../support/peers.ts";
import { rawClient } from "../support/raw-client.ts";

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1"),
);
const hasNginx = installed("nginx");
const hasPython = installed("python3");

const peers: Peer[] = [];
let gateway: GatewayProcess;

beforeAll(async () => {
  const services: Record<string, unknown> = {};
  const front = async (name: string, starting: Promise<Peer>): Promise<Peer> => {
    const peer = await starting;
    peers.push(peer);
    services[name] = { hosts: [`${name}.test`], pools: [{ name: "only", origins: [peer.url] }] };
    return peer;
  };
  await front("app", startNodeApp("app"));
  if (hasIpv6) await front("six", startNodeApp("six", { host: "::1" }));
  if (hasNginx) {
    // By default nginx compresses nothing for requests with Via, because ancient proxies could not take it.
    const nginx = await front(
      "nginx",
      startNginx("gzip on; gzip_proxied any; gzip_min_length 1; gzip_types text/plain;"),
    );
    writeFileSync(join(nginx.root, "page.txt"), "from nginx\n".repeat(1_000));
  }
  if (hasPython) {
    const python = await front("python", startPythonServer());
    writeFileSync(join(python.root, "page.txt"), "from python\n");
  }
  // The browser's host, which it resolves itself.
  services["browser"] = { hosts: ["*"], pools: [{ name: "only", origins: [peers[0]?.url] }] };
  gateway = await startGateway({ records: { sample: "100%", sampled: 100_000 }, accessLog: false, services });
});
afterAll(async () => {
  await gateway?.stop();
  for (const peer of peers) await peer.stop();
});

/** fetch sets Host itself, and the services are told apart by it. */
async function hostGet(host: string, path: string, fields: Record<string, string> = {}): Promise<Message> {
  const client = await rawClient(gateway.port);
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  await client.send(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${lines.join("")}\r\n`);
  const message = await client.response();
  client.close();
  return message;
}

describe.skipIf(!hasNginx)("nginx behind the gateway", () => {
  it("serves ranges, conditional requests and compressed text", async () => {
    const whole = await hostGet("nginx.test", "/page.txt");
    expect(whole.body).toHaveLength(11_000);
    const range = await hostGet("nginx.test", "/page.txt", { Range: "bytes=0-9" });
    expect(range).toMatchObject({ status: 206, body: "from nginx" });
    const unchanged = await hostGet("nginx.test", "/page.txt", { "If-None-Match": whole.headers["etag"] ?? "" });
    expect(unchanged).toMatchObject({ status: 304, body: "" });
    const zipped = await hostGet("nginx.test", "/page.txt", { "Accept-Encoding": "gzip" });
    expect(zipped.headers["content-encoding"]).toBe("gzip");
    expect(zipped.body.length).toBeLessThan(1_000);
  });
});

describe.skipIf(!hasPython)("python3 -m http.server behind the gateway", () => {
  it("serves a file and a listing over HTTP/1.0, and clients keep their connection", async () => {
    const file = await hostGet("python.test", "/page.txt");
    expect(file).toMatchObject({ status: 200, body: "from python\n" });
    expect(file.statusLine).toMatch(/^HTTP\/1\.1 200/);
    expect(file.headers["connection"] ?? "").not.toMatch(/close/i);
    expect((await hostGet("python.test", "/")).body).toContain("page.txt");
    expect((await hostGet("python.test", "/none")).status).toBe(404);
  });
});

describe.skipIf(!hasIpv6)("an origin on IPv6 loopback", () => {
  it("is reached and shown with its address in brackets", async () => {
    expect((await hostGet("six.test", "/name")).body).toBe("six");
    const record = await gateway.record(
      "the exchange",
      ({ service, target }) => service === "six" && target === "/name",
    );
    expect(record.attempts[0]?.address).toMatch(/^\[::1\]:\d+$/);
  });
});

describe.skipIf(!installed("chromium"))("a browser", () => {
  it("loads a page and what the page asks for", async () => {
    const browser = await launchChromium();
    try {
      const page = await openPage(browser);
      await page.goto(`${gateway.url}/`);
      expect(await page.textContent("h1")).toBe("Hello from app");
      await page.waitForSelector("body[data-name=app]");
    } finally {
      await browser.close();
    }
  });
});
