/**
 * TLS as clients of other people speak it: curl and openssl against a gateway in a process of its own, and every way in
 * which a handshake comes to nothing.
 */
import { spawnSync } from "node:child_process";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CauseId } from "../../src/kernel/causes.ts";
import { testAuthority } from "../support/certificates.ts";
import { curl } from "../support/curl.ts";
import type { CurlAnswer } from "../support/curl.ts";
import { startGateway } from "../support/gateway-process.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { rawClient } from "../support/raw-client.ts";

let folder = "";
let origin: http.Server;
let gateway: GatewayProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "goodgate-tls-"));
  const authority = await testAuthority();
  const { cert, key } = await authority.server(["shop.test", "staff.test"]);
  const client = await authority.client("ada");
  const files = { "shop.pem": cert, "shop.key": key, "root.pem": authority.root.cert };
  for (const [name, text] of Object.entries({ ...files, "ada.pem": client.cert, "ada.key": client.key }))
    await writeFile(join(folder, name), text, { mode: 0o600 });
  origin = http.createServer((_request, response) => response.end("ok"));
  await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
  gateway = await startGateway({
    listener: {
      tls: {
        certificates: [{ cert: join(folder, "shop.pem"), key: join(folder, "shop.key") }],
        strictSni: true,
        clientCertificates: { ca: join(folder, "root.pem"), hosts: ["staff.test"] },
      },
      // Waited for once, and longer than a busy machine needs for the handshakes that are to come to an end by themselves.
      timeouts: { handshake: "6s" },
      hsts: { maxAge: "365d" },
    },
    services: {
      shop: { pools: [{ origins: [`http://127.0.0.1:${(origin.address() as AddressInfo).port}`] }], health: false },
    },
  });
});
afterAll(async () => {
  await gateway.stop();
  origin.closeAllConnections();
  origin.close();
  await rm(folder, { recursive: true });
});

function ask(host: string, ...args: string[]): Promise<CurlAnswer> {
  const { port } = gateway;
  return curl([
    "--cacert",
    join(folder, "root.pem"),
    "--resolve",
    `${host}:${port}:127.0.0.1`,
    `https://${host}:${port}/`,
    ...args,
  ]);
}

/** openssl as a client, with nothing to say. */
function handshake(...args: string[]): string {
  const said = spawnSync("openssl", ["s_client", "-connect", `127.0.0.1:${gateway.port}`, ...args], {
    input: "",
    encoding: "utf8",
  });
  return said.stdout + said.stderr;
}

describe("curl", () => {
  it.each(["--http1.1", "--http2"])("%s is served, and told to come back this way", async (version) => {
    const { status, body, heads } = await ask("shop.test", version);
    expect([status, body]).toEqual([200, "ok"]);
    expect(heads.at(-1)?.toLowerCase()).toContain("strict-transport-security: max-age=31536000");
  });

  it("with a certificate gets in where one is asked for", async () => {
    const own = ["--cert", join(folder, "ada.pem"), "--key", join(folder, "ada.key")];
    expect((await ask("staff.test", ...own)).status).toBe(200);
    const record = await gateway.record("the request of ada", ({ host }) => host.startsWith("staff.test"));
    expect(record.tls).toMatchObject({ clientSubject: "CN=ada", serverName: "staff.test" });
  });
});

it("openssl is offered nothing that is old, and resumes what it had", () => {
  expect(handshake("-servername", "shop.test", "-tls1_3")).toMatch(/TLSv1\.3, Cipher is TLS_/);
  expect(handshake("-servername", "shop.test", "-tls1_2")).toMatch(/Cipher is ECDHE-ECDSA-/);
  expect(handshake("-servername", "shop.test", "-tls1_2", "-reconnect").match(/^Reused, TLSv1\.2/gm)).toHaveLength(5);
});

/** From outside, as in causes.test.ts. */
const CASES: Partial<Record<CauseId, { readonly act: () => unknown; readonly evidence: RegExp }>> = {
  "client.tls_not_tls": {
    async act() {
      const { status, body } = await curl([`http://127.0.0.1:${gateway.port}/plain`]);
      expect(status).toBe(400);
      expect(body).toContain("write https:// in place of http://");
    },
    evidence: /GET \/plain HTTP\/1\.1$/,
  },
  "client.tls_no_shared": {
    act: () => expect(handshake("-servername", "shop.test", "-tls1_2", "-cipher", "AES128-SHA")).toMatch(/alert/),
    evidence: /^no shared cipher \(ERR_SSL_NO_SHARED_CIPHER\): it offered TLS 1\.2 at most, for shop\.test/,
  },
  "client.tls_unknown_name": {
    act: () => expect(handshake("-servername", "other.test")).toMatch(/unrecognized name/),
    evidence: /other\.test$/,
  },
  "client.tls_certificate": {
    async act() {
      for (const version of ["--http1.1", "--http2"]) {
        const { status, body } = await ask("staff.test", version);
        expect(status).toBe(403);
        expect(body).toContain("for clients with a certificate");
      }
    },
    evidence: /showed no certificate/,
  },
  "client.tls_misdirected": {
    act: async () => expect((await ask("shop.test", "-H", "Host: staff.test")).status).toBe(421),
    evidence: /^staff\.test has a rule .* made for shop\.test$/,
  },
  "client.tls_alert": {
    act: async () =>
      expect(
        (await curl(["--resolve", `shop.test:${gateway.port}:127.0.0.1`, `https://shop.test:${gateway.port}/`])).code,
      ).toBe(60),
    evidence: /unknown ca/,
  },
  "client.tls_left": {
    async act() {
      const client = await rawClient(gateway.port);
      await client.send("\u0016\u0003\u0001\u0002\u0000\u0001");
      client.close();
    },
    evidence: /went away in the handshake/,
  },
  "client.tls_slow": {
    async act() {
      const client = await rawClient(gateway.port);
      await client.send("\u0016\u0003\u0001\u0002\u0000\u0001");
      await client.over;
    },
    evidence: /not done after 6000 ms/,
  },
};

describe("a handshake that comes to nothing has its cause", () => {
  it.each(Object.entries(CASES))("%s", async (cause, { act, evidence }) => {
    await act();
    const record = await gateway.record(cause, (one) => one.cause === cause);
    expect(record.evidence).toMatch(evidence);
    expect(record.party).toBe("client");
    expect(record.attempts).toEqual([]);
  });
});
