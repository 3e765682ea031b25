/**
 * TLS to origins, seen through the whole gateway: every way in which a handshake fails is brought about by a real
 * server and has to be told from all others; what works has to look as without TLS.
 */
import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import http2 from "node:http2";
import net from "node:net";
import { join } from "node:path";
import tls from "node:tls";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startChild } from "../../test/support/child.ts";
import { freePort } from "../../test/support/free-port.ts";
import { localGateway } from "../../test/support/local-gateway.ts";
import type { LocalGateway } from "../../test/support/local-gateway.ts";
import { createTestAuthority } from "../../test/support/test-authority.ts";
import type { Issued, TestAuthority } from "../../test/support/test-authority.ts";
import { until } from "../../test/support/until.ts";
import { CAUSES } from "../kernel/causes.ts";
import type { CauseId } from "../kernel/causes.ts";
import type { CheckResult } from "../policies/health.ts";
import { pinOf } from "./tls-verify.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

let authority: TestAuthority;
let good: Issued;
const closing: (() => unknown)[] = [];

beforeAll(() => {
  authority = createTestAuthority();
  good = authority.issue();
});

afterAll(async () => {
  for (const close of closing.toReversed()) await close();
  authority.close();
});

interface SecureOrigin {
  readonly server: tls.Server;
  readonly port: number;
  readonly heads: string[];
  /** Handshakes that ended well, and how many of them resumed a session. */
  readonly handshakes: { done: number; resumed: number };
  readonly names: (string | false)[];
}

type Answer = (socket: tls.TLSSocket, head: string) => void;

/** Answers each head. */
async function secureOrigin(
  options: tls.TlsOptions,
  answer: Answer = (socket) => void socket.write(OK),
): Promise<SecureOrigin> {
  const heads: string[] = [];
  const handshakes = { done: 0, resumed: 0 };
  const names: (string | false)[] = [];
  const server = tls.createServer(options, (socket) => {
    handshakes.done += 1;
    if (socket.isSessionReused()) handshakes.resumed += 1;
    names.push((socket as { servername?: string | false }).servername ?? false);
    let text = "";
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
      for (let end = text.indexOf("\r\n\r\n"); end !== -1; end = text.indexOf("\r\n\r\n")) {
        heads.push(text.slice(0, end));
        text = text.slice(end + 4);
        answer(socket, heads.at(-1) ?? "");
      }
    });
  });
  server.on("tlsClientError", () => undefined);
  return { server, port: await listen(server), heads, handshakes, names };
}

function plainServer(onSocket: (socket: net.Socket) => void): Promise<number> {
  return listen(
    net.createServer((socket) => {
      socket.on("error", () => undefined);
      onSocket(socket);
    }),
  );
}

async function listen(server: net.Server): Promise<number> {
  const open = new Set<net.Socket>();
  server.on("connection", (socket: net.Socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** One service, whose only pool has these origins; nothing is checked and nothing sent again unless `more` says so. */
async function gatewayTo(
  origins: readonly string[],
  tlsSettings: Readonly<Record<string, unknown>> | null,
  more: Readonly<Record<string, unknown>> = {},
): Promise<LocalGateway> {
  const gateway = await localGateway({
    app: {
      pools: [{ origins }],
      health: false,
      retry: false,
      ejection: false,
      ...(tlsSettings === null ? {} : { tls: tlsSettings }),
      ...more,
    },
  });
  closing.push(() => gateway.close());
  return gateway;
}

const trusting = (): Record<string, unknown> => ({ ca: authority.caFile });

describe("an origin with TLS", () => {
  it.each(["TLSv1.2", "TLSv1.3"] as const)(
    "is asked over %s, and the record says what was agreed on",
    async (version) => {
      const origin = await secureOrigin({ ...good, minVersion: version, maxVersion: version });
      const gateway = await gatewayTo([`https://origin.test:${origin.port}`], trusting());
      const { status, body, record } = await gateway.get("app.test", "/a?b=c");
      expect([status, body]).toEqual([200, "ok"]);
      const [attempt] = record.attempts;
      expect(attempt?.tls).toMatchObject({ version, alpn: "", resumed: false, serverName: "origin.test" });
      expect(attempt?.tls?.cipher).toMatch(/^TLS_/);
      const { startedUs = 0, connectedUs = 0, securedUs = 0, sentUs = 0 } = attempt ?? {};
      expect([startedUs, connectedUs, securedUs, sentUs]).toEqual(
        [startedUs, connectedUs, securedUs, sentUs].toSorted((one, other) => one - other),
      );
      expect(connectedUs).toBeGreaterThanOrEqual(0);
      expect(origin.names).toEqual(["origin.test"]);
      expect(origin.heads[0]).toMatch(/^GET \/a\?b=c HTTP\/1\.1\r\nHost: app\.test\r\n/);
    },
  );

  it("is asked for http/1.1 where it offers a choice", async () => {
    const origin = await secureOrigin({ ...good, ALPNProtocols: ["h2", "http/1.1"] });
    const gateway = await gatewayTo([`https://origin.test:${origin.port}`], trusting());
    const { record } = await gateway.get("app.test");
    expect(record.attempts[0]?.tls?.alpn).toBe("http/1.1");
  });

  it("speaks HTTP/2 where it chooses that, on one connection for all", async () => {
    const streams: string[] = [];
    const server = http2.createSecureServer({ ...good, allowHTTP1: false });
    server.on("stream", (stream, headers) => {
      streams.push(String(headers[":path"]));
      stream.respond({ ":status": 200 });
      stream.end("ok");
    });
    const port = await listen(server);
    const gateway = await gatewayTo([`https://origin.test:${port}`], trusting(), { http2: true });
    expect(await gateway.get("app.test", "/1")).toMatchObject({ status: 200, body: "ok" });
    const { record } = await gateway.get("app.test", "/2");
    expect(record.attempts[0]).toMatchObject({ reused: true, tls: { alpn: "h2", version: "TLSv1.3" } });
    expect(streams).toEqual(["/1", "/2"]);
  });

  it("speaks HTTP/1.1 where it could choose HTTP/2 and does not", async () => {
    const origin = await secureOrigin({ ...good, ALPNProtocols: ["http/1.1"] });
    const gateway = await gatewayTo([`https://origin.test:${origin.port}`], trusting(), { http2: true });
    const { status, record } = await gateway.get("app.test");
    expect([status, record.attempts[0]?.tls?.alpn]).toEqual([200, "http/1.1"]);
  });

  it("that has the wrong certificate is not asked over HTTP/2 either", async () => {
    const server = http2.createSecureServer(authority.issue({ names: ["other.test"] }));
    server.on("stream", (stream) => stream.respond({ ":status": 200 }, { endStream: true }));
    const port = await listen(server);
    const gateway = await gatewayTo([`https://origin.test:${port}`], trusting(), { http2: true });
    const { status, record } = await gateway.get("app.test");
    expect([status, record.cause]).toEqual([502, "tls.cert_name"]);
    expect(record.attempts[0]?.evidence).toContain("certificate of other.test");
  });

  it("is reached by its address without SNI, when the certificate has that address", async () => {
    const origin = await secureOrigin(good);
    const gateway = await gatewayTo([`https://127.0.0.1:${origin.port}`], trusting());
    expect((await gateway.get("app.test")).status).toBe(200);
    expect(origin.names).toEqual([false]);
  });

  it("is asked for by another name where the settings have one, and its Host is its own with `hostHeader: origin`", async () => {
    const origin = await secureOrigin(good);
    const gateway = await gatewayTo(
      [`https://127.0.0.1:${origin.port}`],
      { ...trusting(), serverName: "shop.origin.test" },
      { routes: [{ hostHeader: "origin" }] },
    );
    expect((await gateway.get("app.test")).status).toBe(200);
    expect(origin.names).toEqual(["shop.origin.test"]);
    expect(origin.heads[0]).toContain(`\r\nHost: 127.0.0.1:${origin.port}\r\n`);
  });

  it("keeps its connection for the next request, and resumes its session on the next connection", async () => {
    // It is the origin that ends it: a time of ours would be over before the second request on a busy machine.
    const origin = await secureOrigin(good, (socket, head) => {
      socket.write(OK);
      if (head.startsWith("GET /2 ")) socket.end();
    });
    const gateway = await gatewayTo([`https://origin.test:${origin.port}`], trusting());
    const client = await gateway.client();
    await client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
    await client.response();
    await client.send("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    await client.response();
    const second = await gateway.record(2);
    expect(second.attempts[0]).toMatchObject({ reused: true, tls: { resumed: false } });
    expect(second.attempts[0]?.securedUs).toBe(second.attempts[0]?.startedUs);
    expect(origin.handshakes).toEqual({ done: 1, resumed: 0 });
    await expect.poll(() => JSON.stringify(gateway.gateway.view.origins())).toContain('"connectionsIdle":0');
    await client.send("GET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
    await client.response();
    expect((await gateway.record(3)).attempts[0]).toMatchObject({ reused: false, tls: { resumed: true } });
    expect(origin.handshakes).toEqual({ done: 2, resumed: 1 });
    client.close();
  });

  it("gives bodies of any size both ways", async () => {
    const size = 3_000_000;
    const origin = await secureOrigin(good, (socket, head) => {
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      // The whole upload is taken before the answer.
      let left = length;
      if (left === 0) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${"r".repeat(size)}`);
      else {
        socket.removeAllListeners("data");
        socket.on("data", (bytes) => {
          left -= bytes.length;
          if (left <= 0) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${"r".repeat(size)}`);
        });
      }
    });
    const gateway = await gatewayTo([`https://origin.test:${origin.port}`], trusting());
    const client = await gateway.client();
    await client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`, "u".repeat(size));
    const answer = await client.response();
    expect(answer.body.length).toBe(size);
    expect(answer.body).toBe("r".repeat(size));
    expect((await gateway.record(1)).requestBytes).toBe(size);
    client.close();
    expect(gateway.faults).toEqual([]);
  });

  it("without a certificate that anybody trusts is asked all the same where nothing is verified", async () => {
    const origin = await secureOrigin(authority.issue({ selfSigned: true, names: ["elsewhere.test"], days: [-9, -1] }));
    const gateway = await gatewayTo([`https://origin.test:${origin.port}`], { verify: false });
    expect((await gateway.get("app.test")).status).toBe(200);
  });
});

describe("a client certificate", () => {
  it.each(["TLSv1.2", "TLSv1.3"] as const)("is shown to who asks for one over %s", async (version) => {
    const ours = authority.issue({ usage: "client", names: ["gate.test"] });
    const options = { ...good, requestCert: true, rejectUnauthorized: true, ca: authority.ca };
    const origin = await secureOrigin({ ...options, minVersion: version, maxVersion: version });
    const gateway = await gatewayTo([`https://origin.test:${origin.port}`], {
      ...trusting(),
      clientCertificate: { cert: ours.certFile, key: ours.keyFile },
    });
    expect((await gateway.get("app.test")).status).toBe(200);
  });
});

describe("an authority that is no root", () => {
  it("is enough where it is the one that is named, and only for what it issued", async () => {
    const between = authority.below("Between");
    const issued = between.issue();
    const [, betweenPem = ""] = issued.cert.split(/(?<=-----END CERTIFICATE-----\n)/);
    const ca = join(authority.folder, "between.pem");
    writeFileSync(ca, betweenPem);
    const statusOf = async (port: number): Promise<number> =>
      (await (await gatewayTo([`https://origin.test:${port}`], { ca })).get("app.test")).status;
    expect(await statusOf((await secureOrigin(issued)).port)).toBe(200);
    expect(await statusOf((await secureOrigin(good)).port)).toBe(502);
  });
});

describe("a pin", () => {
  it("holds for the leaf and for what it was issued by, and for nothing that is only shown", async () => {
    const between = authority.below("Between");
    const issued = between.issue();
    const [leafPem = "", betweenPem = ""] = issued.cert.split(/(?<=-----END CERTIFICATE-----\n)/);
    const origin = await secureOrigin(issued);
    const pinFor = (pem: string): string => `sha256/${pinOf(new X509Certificate(pem))}`;
    const causeWith = async (settings: Record<string, unknown>, port: number): Promise<CauseId | null> => {
      const gateway = await gatewayTo([`https://origin.test:${port}`], settings);
      return (await gateway.get("app.test")).record.cause;
    };
    expect(await causeWith({ ...trusting(), pins: [pinFor(leafPem)] }, origin.port)).toBe(null);
    expect(await causeWith({ ...trusting(), pins: [pinFor(betweenPem)] }, origin.port)).toBe(null);
    // The root is not sent, and who is trusted is said by `ca`.
    expect(await causeWith({ ...trusting(), pins: [pinFor(authority.ca)] }, origin.port)).toBe("tls.cert_pin");
    expect(await causeWith({ ...trusting(), pins: [pinFor(good.cert)] }, origin.port)).toBe("tls.cert_pin");
    // Another leaf of the same root, that shows the pinned certificate without having been issued by it.
    const stranger = authority.issue();
    const showing = await secureOrigin({ ...stranger, cert: stranger.cert + betweenPem });
    expect(await causeWith({ ...trusting(), pins: [pinFor(betweenPem)] }, showing.port)).toBe("tls.cert_pin");
    // And one that shows a forged issuer, with the name of its own and the key that is pinned.
    const forger = createTestAuthority("Test Root");
    closing.push(() => forger.close());
    const forged = await secureOrigin({ ...stranger, cert: stranger.cert + forger.ca });
    expect(await causeWith({ ...trusting(), pins: [pinFor(forger.ca)] }, forged.port)).toBe("tls.cert_pin");
    // Nothing is verified but the pin: then it is the leaf's or nobody's.
    expect(await causeWith({ verify: false, pins: [pinFor(leafPem)] }, origin.port)).toBe(null);
    expect(await causeWith({ verify: false, pins: [pinFor(betweenPem)] }, origin.port)).toBe("tls.cert_pin");
  });
});

/** A client certificate of an authority that the origin does not know. */
function ofStranger(): Record<string, unknown> {
  const other = createTestAuthority("Not Known There");
  closing.push(() => other.close());
  const ours = other.issue({ usage: "client" });
  return { clientCertificate: { cert: ours.certFile, key: ours.keyFile } };
}

/** Node's server ends many handshakes without the alert that says why; this one sends it. */
async function openSslServer(...options: string[]): Promise<number> {
  const port = await freePort();
  const all = [
    "s_server",
    "-accept",
    `127.0.0.1:${port}`,
    "-cert",
    good.certFile,
    "-key",
    good.keyFile,
    "-quiet",
    ...options,
  ];
  // It ends with its input.
  const server = await startChild("openssl", all, { input: true });
  closing.push(() => server.stop());
  await until("openssl listens", async () => {
    if (!server.running) throw new Error(`openssl ended: ${server.stderr()}`);
    const socket = net.connect({ port, host: "127.0.0.1" });
    const ok = await new Promise<true | null>((resolve) => {
      socket.once("connect", () => resolve(true)).once("error", () => resolve(null));
    });
    socket.destroy();
    return ok;
  });
  return port;
}

interface Failing {
  readonly title: string;
  readonly cause: CauseId;
  readonly evidence: RegExp;
  readonly port: () => Promise<number>;
  readonly settings?: () => Record<string, unknown>;
}

const FAILING: readonly Failing[] = [
  {
    title: "plain HTTP instead of TLS",
    cause: "tls.not_tls",
    evidence: /ERR_SSL_/,
    port: () => plainServer((socket) => socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))),
  },
  {
    title: "another protocol that speaks first",
    cause: "tls.not_tls",
    evidence: /ERR_SSL_/,
    port: () => plainServer((socket) => socket.write("220 mail.example.com ESMTP ready\r\n")),
  },
  {
    title: "silence in the handshake",
    cause: "tls.handshake_timeout",
    evidence: /TCP was connected, and the TLS handshake was not over within 1000 ms/,
    port: () => plainServer(() => undefined),
  },
  {
    title: "a close in the handshake",
    cause: "tls.handshake_closed",
    evidence: /^FIN in the middle of the TLS handshake/,
    port: () => plainServer((socket) => socket.once("data", () => socket.end())),
  },
  {
    title: "a reset in the handshake",
    cause: "tls.handshake_closed",
    evidence: /^ECONNRESET on read in the middle of the TLS handshake/,
    port: () => plainServer((socket) => socket.once("data", () => socket.resetAndDestroy())),
  },
  {
    title: "a certificate that has expired",
    cause: "tls.cert_time",
    evidence: /CERT_HAS_EXPIRED: certificate of origin\.test, \*\.origin\.test, 127\.0\.0\.1 by Test Root, \d{4}-/,
    port: async () => (await secureOrigin(authority.issue({ days: [-30, -2] }))).port,
  },
  {
    title: "a certificate that is not valid yet",
    cause: "tls.cert_time",
    evidence: /CERT_NOT_YET_VALID/,
    port: async () => (await secureOrigin(authority.issue({ days: [3, 30] }))).port,
  },
  {
    title: "a certificate that it signed itself",
    cause: "tls.cert_trust",
    evidence: /DEPTH_ZERO_SELF_SIGNED_CERT/,
    port: async () => (await secureOrigin(authority.issue({ selfSigned: true }))).port,
  },
  {
    title: "a certificate of an authority that nobody knows",
    cause: "tls.cert_trust",
    evidence: /UNABLE_TO_(GET_ISSUER_CERT_LOCALLY|VERIFY_LEAF_SIGNATURE)/,
    port: async () => {
      const other = createTestAuthority("Another Root");
      closing.push(() => other.close());
      return (await secureOrigin(other.issue())).port;
    },
  },
  {
    title: "a chain without its middle",
    cause: "tls.cert_trust",
    evidence: /UNABLE_TO_(GET_ISSUER_CERT_LOCALLY|VERIFY_LEAF_SIGNATURE)/,
    port: async () => {
      const issued = authority.below("Left out").issue();
      const [leaf = ""] = issued.cert.split(/(?<=-----END CERTIFICATE-----\n)/);
      return (await secureOrigin({ ...issued, cert: leaf })).port;
    },
  },
  {
    title: "a certificate for another name",
    cause: "tls.cert_name",
    evidence: /ERR_TLS_CERT_ALTNAME_INVALID: certificate of elsewhere\.test by Test Root.*wanted is origin\.test/,
    port: async () => (await secureOrigin(authority.issue({ names: ["elsewhere.test"] }))).port,
  },
  {
    title: "a name that it does not serve",
    cause: "tls.alert",
    evidence: /alert unrecognized_name \(112\)/,
    port: () =>
      openSslServer("-servername", "served.test", "-servername_fatal", "-cert2", good.certFile, "-key2", good.keyFile),
  },
  {
    title: "only versions that are too old",
    cause: "tls.alert",
    evidence: /alert protocol_version \(70\)/,
    port: async () => (await secureOrigin({ ...good, maxVersion: "TLSv1.2" })).port,
    settings: () => ({ minVersion: "1.3" }),
  },
  {
    title: "only ciphers that nobody here has",
    cause: "tls.alert",
    evidence: /alert handshake_failure \(40\)/,
    port: () => openSslServer("-tls1_2", "-cipher", "ECDHE-ECDSA-CAMELLIA128-SHA256"),
  },
  {
    title: "a version that is too old for us",
    cause: "tls.protocol",
    evidence: /ERR_SSL_UNSUPPORTED_PROTOCOL/,
    // It answers whatever it is asked with TLS 1.1, as some old boxes do.
    port: () =>
      plainServer((socket) =>
        socket.once("data", () => {
          const hello = Buffer.concat([
            Buffer.from([2, 0, 0, 38, 3, 2]),
            Buffer.alloc(32, 7),
            Buffer.from([0, 0xc0, 0x09, 0]),
          ]);
          socket.write(Buffer.concat([Buffer.from([22, 3, 2, 0, hello.length]), hello]));
        }),
      ),
  },
  {
    title: "the wish for a client certificate, in TLS 1.3",
    cause: "tls.client_cert",
    evidence: /alert certificate_required \(116\); it has read nothing/,
    port: async () =>
      (await secureOrigin({ ...good, requestCert: true, rejectUnauthorized: true, ca: authority.ca })).port,
  },
  {
    title: "the wish for another client certificate, in TLS 1.2",
    cause: "tls.client_cert",
    evidence: /alert unknown_ca \(48\)/,
    port: () => openSslServer("-tls1_2", "-Verify", "1", "-verify_return_error", "-CAfile", authority.caFile),
    settings: ofStranger,
  },
  {
    title: "the wish for another client certificate, in TLS 1.3",
    cause: "tls.client_cert",
    evidence: /alert unknown_ca \(48\); it has read nothing/,
    port: () => openSslServer("-tls1_3", "-Verify", "1", "-verify_return_error", "-CAfile", authority.caFile),
    settings: ofStranger,
  },
];

describe("a handshake that fails", () => {
  it.each(FAILING)(
    "by $title is $cause, and the request is safe elsewhere",
    async ({ cause, evidence, port, settings }) => {
      // Where it is not the time itself that is tested, a busy machine has enough of it.
      const handshake = cause === "tls.handshake_timeout" ? "1s" : "60s";
      const more = { routes: [{ timeouts: { handshake } }] };
      const broken = `https://origin.test:${await port()}`;
      const tlsSettings = { ...trusting(), ...settings?.() };
      const gateway = await gatewayTo([broken], tlsSettings, more);
      const { status, record } = await gateway.get("app.test");
      expect(record.attempts[0]?.evidence).toMatch(evidence);
      expect([record.cause, status]).toEqual([cause, CAUSES[cause].status]);
      expect(record.originStatus).toBe(0);
      expect(gateway.faults).toEqual([]);

      // The same for a payment that must not run twice, with a second origin at hand that it hardly ever asks first.
      const well = await secureOrigin(good);
      const origins = [
        { url: broken, weight: 1000 },
        { url: `https://127.0.0.1:${well.port}`, weight: 1 },
      ];
      const both = await gatewayTo([], tlsSettings, { ...more, retry: { attempts: 3 }, pools: [{ origins }] });
      const client = await both.client();
      let number = 0;
      for (let attempts = 1; attempts === 1; attempts = (await both.record(number)).attempts.length) {
        await client.send("POST /pay HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\npay");
        expect((await client.response()).status).toBe(200);
        number += 1;
      }
      const rescued = await both.record(number);
      client.close();
      expect([rescued.outcome, rescued.attempts.map((one) => one.cause)]).toEqual(["rescued", [cause, null]]);
      expect(well.heads).toHaveLength(number);
    },
  );
});

describe("files that are of no use", () => {
  it("cost no connection, and the request goes to another origin", async () => {
    const origin = await secureOrigin(good);
    const broken = { name: "one", origins: ["https://127.0.0.1:1"], tls: { ca: "/nowhere/ca.pem" } };
    const well = { name: "two", origins: [`https://127.0.0.1:${origin.port}`], tls: trusting() };
    const gateway = await gatewayTo([], null, { pools: [broken, well], retry: { attempts: 2 } });
    const { status, record } = await gateway.get("app.test");
    expect([status, record.outcome]).toEqual([200, "rescued"]);
    expect(record.attempts[0]).toMatchObject({ cause: "tls.files", connectedUs: -1, sentBytes: 0 });
    expect(record.attempts[0]?.evidence).toContain("/nowhere/ca.pem cannot be read (ENOENT)");
  });
});

describe("what an origin shows", () => {
  it("is told to the control plane, and when it is another one, that too", async () => {
    const { port, server } = await secureOrigin(good);
    const gateway = await gatewayTo([`https://origin.test:${port}`], trusting(), { connections: { idle: "50ms" } });
    await gateway.get("app.test");
    const told = await until(
      "a second with the certificate",
      () => gateway.facts.find((fact) => fact.kind === "second" && fact.originCertificates !== undefined) ?? null,
    );
    expect(told).toMatchObject({
      originCertificates: [
        { service: "app", pool: "pool-1", address: `127.0.0.1:${port}`, issuer: "Test Root", chainUntil: 0 },
      ],
    });
    const renewed = authority.issue({ days: [0, 60] });
    // Another context has other keys for its tickets, so the session does not go on.
    server.setSecureContext(renewed);
    await until("another certificate", async () => {
      await gateway.get("app.test");
      return gateway.facts.find((fact) => fact.kind === "change" && fact.what === "certificate changed") ?? null;
    });
    const change = gateway.facts.find((fact) => fact.kind === "change" && fact.what === "certificate changed");
    expect(change).toMatchObject({
      where: { service: "app", pool: "pool-1", origin: `https://origin.test:${port}` },
      text: expect.stringMatching(/shows a certificate of origin\.test by Test Root until .*, not the one of origin/),
    });
  });
});

describe("an active check", () => {
  it("is made over TLS and verified as traffic is", async () => {
    const origin = await secureOrigin(good);
    const other = await secureOrigin(authority.issue({ names: ["other.test"] }));
    const silent = await plainServer(() => undefined);
    const origins = [origin.port, other.port, silent].map((port) => `https://origin.test:${port}`);
    const gateway = await gatewayTo(origins, trusting(), { health: { path: "/healthz" } });
    await until("all addresses", () => (gateway.gateway.checkTargets().length === 3 ? true : null));
    const seen = new Map<number, CheckResult>();
    const stops = gateway.gateway
      .checkTargets()
      .map((target) => gateway.gateway.probe(target, (result) => seen.set(target.address.port, result)));
    await until("two results", () => (seen.size === 2 ? true : null));
    for (const stop of stops) stop();
    expect(seen.get(origin.port)).toEqual({ ok: true, detail: "status 200" });
    expect(origin.heads[0]).toContain("GET /healthz HTTP/1.1");
    expect(seen.get(other.port)).toMatchObject({
      ok: false,
      detail: expect.stringContaining("ERR_TLS_CERT_ALTNAME_INVALID: certificate of other.test"),
    });
    expect(other.heads).toEqual([]);
  });
});

describe("an end of a stream", () => {
  const UNFRAMED = "HTTP/1.0 200 OK\r\n\r\nsome text";

  it.each(["TLSv1.2", "TLSv1.3"] as const)(
    "that %s announced completes a response without a length",
    async (version) => {
      const origin = await secureOrigin({ ...good, minVersion: version, maxVersion: version }, (socket) => {
        socket.end(UNFRAMED);
      });
      const gateway = await gatewayTo([`https://origin.test:${origin.port}`], trusting());
      for (let time = 0; time < 20; time += 1) {
        const { body, record } = await gateway.get("app.test");
        expect([body, record.outcome, record.cause]).toEqual(["some text", "served", null]);
      }
    },
  );

  it.each(["TLSv1.2", "TLSv1.3"] as const)("that %s did not announce cuts it", async (version) => {
    const origin = await secureOrigin({ ...good, minVersion: version, maxVersion: version }, (socket) => {
      socket.write(UNFRAMED);
    });
    // Somebody between, who ends the stream of TCP in order when the answer has passed.
    const port = await plainServer((socket) => {
      const beyond = net.connect({ port: origin.port, host: "127.0.0.1" });
      beyond.on("error", () => undefined);
      let passed = 0;
      socket.pipe(beyond);
      beyond.on("data", (bytes) => {
        socket.write(bytes);
        passed += 1;
        if (origin.heads.length > 0 && passed > 1) setTimeout(() => socket.end(), 30);
      });
    });
    const gateway = await gatewayTo([`https://origin.test:${port}`], trusting());
    const client = await gateway.client();
    await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const record = await gateway.record(1);
    expect(record.attempts[0]?.evidence).toMatch(/close_notify/);
    expect([record.cause, record.outcome]).toEqual(["origin.truncated_unframed", "failed"]);
    client.close();
  });
});
