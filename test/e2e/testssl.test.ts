/** testssl.sh, where it is installed, against a listener with TLS as it is by default: nothing above "low". */
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { testAuthority } from "../support/certificates.ts";
import { runChild } from "../support/child.ts";
import { startGateway } from "../support/gateway-process.ts";

const testssl = ["testssl", "testssl.sh"].find((name) => spawnSync(name, ["--version"]).status === 0);

/**
 * Of the certificate it asks what only a public authority gives: a place where revocations are told, a log of
 * certificates. Which fields a page has is the application's to say.
 */
const NOT_OURS = /^(cert_|DNS_CAArecord|certificate_transparency|OCSP|security_headers)/;

it.skipIf(testssl === undefined)("testssl.sh finds nothing above low", async ({ onTestFinished: finished }) => {
  const folder = await mkdtemp(join(tmpdir(), "goodgate-testssl-"));
  finished(() => rm(folder, { recursive: true }));
  const authority = await testAuthority();
  const { cert, key } = await authority.server(["shop.test"]);
  const files = { "shop.pem": cert, "shop.key": key, "root.pem": authority.root.cert };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
  const origin = http.createServer((_request, response) => response.end("ok"));
  await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
  finished(() => void origin.close());
  const gateway = await startGateway({
    listener: {
      tls: { certificates: [{ cert: join(folder, "shop.pem"), key: join(folder, "shop.key") }] },
      hsts: { maxAge: "365d" },
    },
    services: {
      shop: { pools: [{ origins: [`http://127.0.0.1:${(origin.address() as AddressInfo).port}`] }], health: false },
    },
  });
  finished(async () => void (await gateway.stop()));

  const report = join(folder, "testssl.json");
  const args = ["--quiet", "--warnings", "off", "--color", "0", "--sneaky", "--jsonfile", report, "--add-ca"];
  // What clients of other years would negotiate and whether odd handshakes are borne is told without a severity.
  const parts = ["-p", "-s", "-f", "-P", "-S", "-h", "-U"];
  const place = [join(folder, "root.pem"), "--ip", "127.0.0.1", `shop.test:${gateway.port}`];
  const { code, stderr } = await runChild(testssl ?? "", [...parts, ...args, ...place]);
  const text = await readFile(report, "utf8").catch(() => `no report, exit code ${code}: ${stderr}`);
  const findings = JSON.parse(text) as { id: string; severity: string; finding: string }[];
  expect(findings.length).toBeGreaterThan(50);
  const bad = findings.filter(({ id, severity }) => /MEDIUM|HIGH|CRITICAL/.test(severity) && !NOT_OURS.test(id));
  expect(bad).toEqual([]);
});
