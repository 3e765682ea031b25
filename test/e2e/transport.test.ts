/**
 * Everything at once: certificates from an ACME server, and every kind of client that people have in front of one gateway,
 * while those certificates are renewed, exchanged as files and exchanged by the API. What was connected before stays
 * connected; what connects afterwards is shown the new certificate; nothing fails.
 */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { AcmeCertificateView } from "../../src/contract/acme.ts";
import { testAuthority, type TestAuthority } from "../support/certificates.ts";
import { launchChromium } from "../support/chromium.ts";
import { newcomers, residents } from "../support/every-client.ts";
import { freePort } from "../support/free-port.ts";
import { startGateway, type GatewayFile, type GatewayProcess } from "../support/gateway-process.ts";
import { startInteropServer, type InteropServer } from "../support/grpc-interop.ts";
import { keepUp } from "../support/kept-up.ts";
import { startPebble, type Pebble } from "../support/pebble.ts";
import { installed, startNodeApp, type Peer } from "../support/peers.ts";
import { until } from "../support/until.ts";

/** Both by ACME. */
const SHOP = "shop.test";
const CALLS = "grpc.test";
/** From files. */
const FILES = "files.test";
const PEERS = ["pebble", "curl", "nghttp", "chromium"] as const;

let folder = "";
let plainPort = 0;
let pebble: Pebble;
let authority: TestAuthority;
let app: Peer;
let calls: InteropServer;
let browser: Browser;
let gateway: GatewayProcess;

describe.skipIf(PEERS.some((peer) => !installed(peer)))(
  "certificates that change under the traffic of every client",
  () => {
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "goodgate-transport-"));
      plainPort = await freePort();
      [pebble, authority, app, calls] = await Promise.all([
        startPebble(),
        testAuthority(),
        startNodeApp("app"),
        startInteropServer(),
      ]);
      await writePair("first");
      const trusting = [
        `--host-resolver-rules=MAP ${SHOP} 127.0.0.1`,
        `--ignore-certificate-errors-spki-list=${pebble.signer}`,
      ];
      [gateway, browser] = await Promise.all([startGateway(written("first")), launchChromium(...trusting)]);
      await until("both certificates", async () => {
        const { certificates } = await gateway.api<{ certificates: AcmeCertificateView[] }>("/certificates");
        return certificates.filter(({ state }) => state === "good").length === 2 ? true : null;
      });
    });
    afterAll(async () => {
      await browser?.close();
      await gateway?.stop();
      await Promise.all([calls?.stop(), app?.stop(), pebble?.stop()]);
      await rm(folder, { recursive: true, force: true });
    });

    it("drop no connection, fail no request, and are shown to whoever connects afterwards", async () => {
      const rootText = readFileSync(pebble.root, "utf8");
      const front = { tlsPort: pebble.tlsPort, plainPort, name: SHOP, calls: CALLS, root: pebble.root, rootText };
      const stayed = await residents(front, browser);
      onTestFinished(() => stayed.close());
      const clients = keepUp({ ...newcomers(front), ...stayed.rounds });
      try {
        await clients.rounds(1);
        const [renewed, replaced] = [await shown(SHOP), await shown(FILES)];

        // As programs that renew certificates do it: the name of the file stays.
        await writePair("second");
        for (const end of ["pem", "key"]) await rename(join(folder, `second.${end}`), join(folder, `first.${end}`));
        await post("/certificates/renew", "application/json", { name: SHOP });
        await another(SHOP, renewed);
        const second = await another(FILES, replaced);
        await clients.rounds(1);

        await writePair("third");
        await post("/config", "application/yaml", {
          ...written("third"),
          admin: { bind: new URL(gateway.adminUrl).host },
        });
        await another(FILES, second);
        await clients.rounds(1);
      } finally {
        await clients.stop();
      }
      expect(clients.failures).toEqual([]);
      expect(stayed.lost()).toEqual([]);
      expect(await causes()).toEqual([]);
    });
  },
);

function written(pair: string): GatewayFile {
  const certificates = [{ cert: join(folder, `${pair}.pem`), key: join(folder, `${pair}.key`) }];
  // What h2load asks at once may be more than an origin answers in time on a busy machine.
  const usual = { health: false, overload: false } as const;
  return {
    listeners: [
      { bind: `127.0.0.1:${pebble.tlsPort}`, tls: { certificates, acme: [SHOP, CALLS] } },
      { bind: `127.0.0.1:${pebble.httpPort}` },
      { bind: `127.0.0.1:${plainPort}` },
    ],
    acme: { agree: true, authorities: [{ directory: pebble.directory, ca: pebble.ca }] },
    services: {
      shop: { hosts: [SHOP, FILES], ...usual, pools: [{ origins: [app.url] }] },
      calls: { hosts: [CALLS], ...usual, http2: true, pools: [{ origins: [`http://127.0.0.1:${calls.port}`] }] },
    },
  };
}

async function writePair(name: string): Promise<void> {
  const { cert, key } = await authority.server([FILES]);
  await writeFile(join(folder, `${name}.pem`), cert);
  await writeFile(join(folder, `${name}.key`), key, { mode: 0o600 });
}

async function post(path: string, type: string, body: object): Promise<void> {
  const headers = { "content-type": type };
  const answer = await fetch(`${gateway.adminUrl}/api/v1${path}`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)]);
}

function another(name: string, serialNumber: string): Promise<string> {
  return until(`another certificate of ${name}`, async () => {
    const now = await shown(name);
    return now === serialNumber ? null : now;
  });
}

/** The serial number of what a client is shown that connects now, and trusts it. */
function shown(name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const ca = [readFileSync(pebble.root, "utf8"), authority.root.cert];
    const socket = tls.connect({ port: pebble.tlsPort, host: "127.0.0.1", servername: name, ca }, () => {
      resolve(new X509Certificate(socket.getPeerCertificate().raw).serialNumber);
      // In order: what is cut here would be a handshake that came to nothing.
      socket.end();
    });
    socket.once("error", reject);
  });
}

/** Of all failures so far, by the gateway's own metrics. */
async function causes(): Promise<string[]> {
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  return text.split("\n").filter((line) => /^goodgate_exchange_causes_total\{.*\} [1-9]/.test(line));
}
