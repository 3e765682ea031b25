/** HTTP/2 as real clients speak it, over TLS and without it: curl, nghttp, h2load, Node's own client and a browser. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, constants } from "node:http2";
import type { ClientHttp2Session, IncomingHttpHeaders } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issueCertificate, makeAuthority } from "../../src/net/make-certificate.ts";
import { launchChromium, openPage } from "../support/chromium.ts";
import { curl } from "../support/curl.ts";
import { eventBefore } from "../support/event-before.ts";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { installed, startNodeApp, type Peer } from "../support/peers.ts";

const run = promisify(execFile);
const PRIOR = "--http2-prior-knowledge";

let app: Peer;
let plain: GatewayProcess;
let secure: GatewayProcess;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "goodgate-http2-"));
  const validity = { notBefore: new Date(Date.now() - 86_400_000), notAfter: new Date(Date.now() + 86_400_000) };
  const authority = await makeAuthority("test", validity, null);
  const names = ["localhost", "127.0.0.1"];
  const { cert, key } = await issueCertificate(
    authority,
    { names, subject: "CN=localhost", isClient: false },
    validity,
  );
  await writeFile(join(folder, "cert.pem"), cert);
  await writeFile(join(folder, "key.pem"), key);
  app = await startNodeApp("app");
  // What h2load asks at once may be more than the origin answers in time on a busy machine.
  plain = await startGateway(inFrontOf([app.url]));
  const certificates = [{ cert: join(folder, "cert.pem"), key: join(folder, "key.pem") }];
  secure = await startGateway({ ...inFrontOf([app.url]), listener: { tls: { certificates } } });
});
afterAll(async () => {
  await plain?.stop();
  await secure?.stop();
  await app?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe.skipIf(!installed("curl"))("curl", () => {
  it("speaks it with prior knowledge", async () => {
    const answer = await curl([PRIOR, `${plain.url}/`]);
    expect(answer.heads[0]).toMatch(/^HTTP\/2 200/);
    expect(answer.body).toContain("Hello from app");
    const record = await plain.record("the page", ({ target }) => target === "/");
    expect(record).toMatchObject({ protocol: "HTTP/2", outcome: "served", status: 200 });
  });

  it("uploads, whole and unchanged, with and without a length", async () => {
    const file = Buffer.from(Array.from({ length: 3 * 1024 * 1024 }, (_, index) => (index * 7919) % 251));
    const sha256 = createHash("sha256").update(file).digest("hex");
    for (const more of [[], ["-H", `Content-Length: ${file.length}`]]) {
      const answer = await curl([PRIOR, "-T", "-", ...more, `${plain.url}/upload`], file);
      expect(JSON.parse(answer.body)).toMatchObject({ bytes: file.length, sha256 });
    }
  });

  it("downloads, in chunks and of a length", async () => {
    for (const more of ["", "&chunked=1"]) {
      const answer = await curl([PRIOR, `${plain.url}/download?bytes=20000000${more}`]);
      expect(answer.body.length).toBe(20_000_000);
    }
  });

  it("gets early hints", async () => {
    const answer = await curl([PRIOR, `${plain.url}/early-hints`]);
    expect(answer.heads.map((head) => head.split("\r\n")[0])).toEqual(["HTTP/2 103 ", "HTTP/2 200 "]);
  });

  it("is told to origins as one that speaks TLS", async () => {
    const answer = await curl(["-k", "--http2", `https://localhost:${secure.port}/seen`]);
    const { fields } = JSON.parse(answer.body) as { fields: string[] };
    expect(fields[fields.indexOf("X-Forwarded-Proto") + 1]).toBe("https");
  });

  it.each(["--http1.1", "--http2"])("agrees on %s over TLS", async (version) => {
    const answer = await curl(["-k", version, `https://localhost:${secure.port}/`]);
    expect(answer.heads[0]).toMatch(version === "--http2" ? /^HTTP\/2 200/ : /^HTTP\/1\.1 200/);
    const wanted = version === "--http2" ? "HTTP/2" : "HTTP/1.1";
    const record = await secure.record(version, ({ protocol }) => protocol === wanted);
    expect(record).toMatchObject({ outcome: "served", tls: { version: "TLSv1.3" } });
  });
});

describe.skipIf(!installed("nghttp"))("nghttp and h2load", () => {
  it("get a page and push many requests through few connections", async () => {
    const page = await run("nghttp", ["-v", `${plain.url}/name`]);
    expect(page.stdout).toMatch(/recv .*:status: 200/);
    const { stdout } = await run("h2load", ["-n", "2000", "-c", "4", "-m", "50", `${plain.url}/name`]);
    expect(stdout).toContain("2000 succeeded, 0 failed, 0 errored");
    expect(stdout).toContain("2000 2xx");
  });
});

describe("Node's own client", () => {
  let session: ClientHttp2Session;

  beforeAll(() => {
    session = connect(plain.url);
  });
  afterAll(() => {
    session.destroy();
  });

  it("gets trailers, and sends them", async () => {
    const stream = session.request(
      { ":method": "POST", ":path": "/upload", te: "trailers" },
      { endStream: false, waitForTrailers: true },
    );
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "900150" }));
    stream.end("hello");
    const seen = await read(stream);
    expect(JSON.parse(seen)).toMatchObject({ bytes: 5, trailers: { "x-sum": "900150" } });
  });

  it("carries a WebSocket", async () => {
    const stream = session.request(
      {
        ":method": "CONNECT",
        ":protocol": "websocket",
        ":path": "/ws",
        ":scheme": "http",
        "sec-websocket-version": "13",
      },
      { endStream: false },
    );
    const [headers] = await eventBefore<[IncomingHttpHeaders]>(stream, "response");
    expect(headers[constants.HTTP2_HEADER_STATUS]).toBe(200);
    // One masked text frame "hi"; the echo comes unmasked.
    stream.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
    const [echo] = await eventBefore<[Buffer]>(stream, "data");
    expect(echo).toEqual(Buffer.from([0x81, 0x02, 0x68, 0x69]));
    stream.close();
    const record = await plain.record("the tunnel", ({ tunnel }) => tunnel);
    expect(record).toMatchObject({ protocol: "HTTP/2", status: 101 });
  });

  it("cancels one of many requests, and only that one ends at the origin", async () => {
    const kept = read(session.request({ ":path": "/poll?id=kept" }));
    const left = session.request({ ":path": "/poll?id=left" });
    await expect.poll(() => activeAt(session)).toBe("2");
    left.close(constants.NGHTTP2_CANCEL);
    await expect.poll(() => activeAt(session)).toBe("1");
    await read(session.request({ ":path": "/poll/answer?id=kept" }));
    expect(await kept).toBe("news");
    const record = await plain.record("what was cancelled", ({ target }) => target === "/poll?id=left");
    expect(record).toMatchObject({ outcome: "aborted", cause: "client.abort_wait" });
  });
});

describe.skipIf(!installed("chromium"))("a browser", () => {
  it("loads a page and opens a WebSocket over HTTP/2", async () => {
    const browser = await launchChromium();
    try {
      const page = await openPage(browser, { ignoreHTTPSErrors: true });
      await page.goto(`https://localhost:${secure.port}/`);
      await page.waitForSelector("body[data-name=app]");
      const protocol = await page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol");
      expect(protocol).toBe("h2");
      const echo = await page.evaluate(`new Promise((resolve, reject) => {
        const socket = new WebSocket("wss://localhost:${secure.port}/ws");
        socket.onopen = () => socket.send("from a browser");
        socket.onmessage = ({ data }) => resolve(typeof data === "string" ? data : data.text());
        socket.onerror = () => reject(new Error("no WebSocket"));
      })`);
      expect(echo).toBe("from a browser");
      await page.context().close();
    } finally {
      await browser.close();
    }
    const record = await secure.record("the WebSocket", ({ tunnel }) => tunnel);
    expect(record).toMatchObject({ protocol: "HTTP/2" });
  });
});

async function activeAt(session: ClientHttp2Session): Promise<string> {
  return await read(session.request({ ":path": "/active" }));
}

async function read(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  stream.setEncoding("utf8");
  for await (const piece of stream) text += String(piece);
  return text;
}
