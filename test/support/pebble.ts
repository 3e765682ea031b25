/** Pebble, an authority for tests (RFC 8555), with a name server of its own for which every name is this machine. */
import { X509Certificate, createHash } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { issueCertificate, makeAuthority } from "../../src/net/make-certificate.ts";
import { startChild } from "./child.ts";
import { freePort } from "./free-port.ts";
import { until } from "./until.ts";

export interface Pebble {
  readonly directory: string;
  /** File: who signed the authority's own certificate. */
  readonly ca: string;
  /** File: what it issues leads up to. */
  readonly root: string;
  /** SHA-256 of the public key of who signs, in base64: how a browser is told to trust it. */
  readonly signer: string;
  /** Where it looks for proofs. */
  readonly httpPort: number;
  readonly tlsPort: number;
  stop(): Promise<void>;
}

/**
 * One nonce in five is refused, as real authorities refuse some. Not more: whoever meets only refusals in all tries of one
 * request leaves the authority alone for up to a minute, and a test would wait for that.
 */
export async function startPebble(): Promise<Pebble> {
  const folder = mkdtempSync(join(tmpdir(), "goodgate-pebble-"));
  const file = (name: string): string => join(folder, name);
  const [port, management, httpPort, tlsPort, dns, dnsManagement] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const now = Date.now();
  const validity = { notBefore: new Date(now - 3_600_000), notAfter: new Date(now + 86_400_000) };
  const authority = await makeAuthority("Pebble's own", validity, null);
  const names = ["localhost", "127.0.0.1"];
  const own = await issueCertificate(authority, { names, subject: "CN=localhost", isClient: false }, validity);
  await Promise.all([
    writeFile(file("ca.pem"), authority.cert),
    writeFile(file("cert.pem"), own.cert),
    writeFile(file("key.pem"), own.key),
    writeFile(
      file("pebble.json"),
      JSON.stringify({
        pebble: {
          listenAddress: `127.0.0.1:${port}`,
          managementListenAddress: `127.0.0.1:${management}`,
          certificate: file("cert.pem"),
          privateKey: file("key.pem"),
          httpPort,
          tlsPort,
          ocspResponderURL: "",
          externalAccountBindingRequired: false,
        },
      }),
    ),
  ]);
  const nothing = ["-http01", "", "-https01", "", "-tlsalpn01", ""];
  const dnsOptions = ["-dns01", `127.0.0.1:${dns}`, "-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""];
  const server = ["-management", `127.0.0.1:${dnsManagement}`];
  const nameServer = await startChild("pebble-challtestsrv", [...nothing, ...dnsOptions, ...server]);
  const child = await startChild("pebble", ["-config", file("pebble.json"), "-dnsserver", `127.0.0.1:${dns}`], {
    env: { PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "20" },
  });
  const told = (path: string): Promise<string | null> => get(`https://127.0.0.1:${management}/${path}`, authority.cert);
  const root = await until("pebble", () => told("roots/0"));
  const signer = new X509Certificate((await told("intermediates/0")) ?? "");
  await writeFile(file("root.pem"), root);
  return {
    directory: `https://localhost:${port}/dir`,
    ca: file("ca.pem"),
    root: file("root.pem"),
    signer: createHash("sha256")
      .update(signer.publicKey.export({ type: "spki", format: "der" }))
      .digest("base64"),
    httpPort,
    tlsPort,
    async stop() {
      await child.stop();
      await nameServer.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function get(url: string, ca: string): Promise<string | null> {
  return new Promise((resolve) => {
    const request = https.get(url, { ca, agent: false }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => resolve(response.statusCode === 200 ? text : null));
    });
    // It is not there yet.
    request.on("error", () => resolve(null));
  });
}
