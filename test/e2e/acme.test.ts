/** Certificates from a real ACME server, whole: ordered at the start, proven both ways, shown, renewed, kept. */
import { X509Certificate } from "node:crypto";
import { createServer } from "node:http";
import type { Server } from "node:http";
import tls from "node:tls";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AcmeCertificateView } from "../../src/contract/acme.ts";
import { curl } from "../support/curl.ts";
import { startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { installed } from "../support/peers.ts";
import { startPebble, type Pebble } from "../support/pebble.ts";
import { freePort } from "../support/free-port.ts";
import { until } from "../support/until.ts";

const NAME = "shop.test";
let pebble: Pebble;
let origin: Server;
let originUrl = "";

function serving({ workers = 1, ...acme }: Readonly<Record<string, unknown>>): Promise<GatewayProcess> {
  const authority = { directory: pebble.directory, ca: pebble.ca };
  return startGateway({
    workers,
    listeners: [
      { bind: `127.0.0.1:${pebble.httpPort}`, redirectToHttps: pebble.tlsPort },
      { bind: `127.0.0.1:${pebble.tlsPort}`, tls: { acme: true } },
    ],
    acme: { agree: true, email: "ops@example.com", authorities: [authority], ...acme },
    services: { shop: { hosts: [NAME, "*.wild.test"], health: false, pools: [{ origins: [originUrl] }] } },
  });
}

function held(gateway: GatewayProcess): Promise<AcmeCertificateView> {
  return until("the certificate", async () => {
    const { certificates } = await gateway.api<{ certificates: AcmeCertificateView[] }>("/certificates");
    return certificates.find(({ state }) => state === "good") ?? null;
  });
}

function ask(): ReturnType<typeof curl> {
  const where = ["--cacert", pebble.root, "--resolve", `${NAME}:${pebble.tlsPort}:127.0.0.1`];
  return curl([...where, `https://${NAME}:${pebble.tlsPort}/`]);
}

/** The serial number of what is shown now. */
function shown(): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { port: pebble.tlsPort, host: "127.0.0.1", servername: NAME, ca: readFileSync(pebble.root) };
    const socket = tls.connect(options, () => {
      resolve(new X509Certificate(socket.getPeerCertificate().raw).serialNumber);
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

describe.skipIf(!installed("pebble") || !installed("curl"))("with an ACME server", () => {
  beforeAll(async () => {
    pebble = await startPebble();
    origin = createServer((_request, response) => response.end("hello"));
    await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
    const at = origin.address();
    originUrl = `http://127.0.0.1:${typeof at === "object" && at !== null ? at.port : 0}`;
  });
  afterAll(async () => {
    origin?.close();
    await pebble?.stop();
  });

  it("a name is proven over plain HTTP past the way to TLS, and its certificate is shown", async () => {
    const gateway = await serving({ challenges: ["http-01"] });
    try {
      expect(await held(gateway)).toMatchObject({ name: NAME, authority: pebble.directory, lately: 1 });
      const answer = await ask();
      expect([answer.status, answer.body]).toEqual([200, "hello"]);
      const record = await gateway.record("the authority's question", ({ target }) =>
        target.includes("acme-challenge"),
      );
      expect(record.decisions.map(({ code }) => code)).toContain("admit.challenge");

      // A renewal by hand: another certificate, and the old one is shown until it is there.
      const before = await shown();
      const renewed = await fetch(`${gateway.adminUrl}/api/v1/certificates/renew`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ name: NAME }),
      });
      expect(renewed.status).toBe(200);
      await until("another certificate", async () => ((await shown()) === before ? null : true));
      expect((await ask()).status).toBe(200);
    } finally {
      await gateway.stop();
    }
  });

  it("a name is proven by TLS, by whichever of two workers is asked, when the first authority is down", async () => {
    const down = { directory: `https://localhost:${await freePort()}/dir`, ca: pebble.ca };
    const gateway = await serving({
      challenges: ["tls-alpn-01"],
      workers: 2,
      authorities: [down, { directory: pebble.directory, ca: pebble.ca }],
    });
    try {
      expect(await held(gateway)).toMatchObject({ name: NAME, authority: pebble.directory });
      expect((await ask()).status).toBe(200);
      const said = gateway.child.stdout() + gateway.child.stderr();
      expect(said).toContain("certificate.not-obtained");
      expect(said).toContain("ECONNREFUSED");
      expect(said).not.toContain("PRIVATE KEY");
    } finally {
      await gateway.stop();
    }
  });
});
