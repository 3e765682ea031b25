/** What a person does with curl in the first minutes, against a Node application behind the gateway. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { curl } from "../support/curl.ts";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { installed, startNodeApp, type Peer } from "../support/peers.ts";

let app: Peer;
let gateway: GatewayProcess;

interface Seen {
  method: string;
  target: string;
  version: string;
  fields: string[];
}

describe.skipIf(!installed("curl"))("curl through the gateway", () => {
  beforeAll(async () => {
    app = await startNodeApp("app");
    gateway = await startGateway(inFrontOf([app.url]));
  });
  afterAll(async () => {
    await gateway?.stop();
    await app?.stop();
  });

  it("gets a page", async () => {
    const answer = await curl([`${gateway.url}/`]);
    expect(answer.status).toBe(200);
    expect(answer.body).toContain("Hello from app");
    expect(answer.heads[0]).toMatch(/^X-Served-By: app$/m);
    expect(answer.heads[0]).toMatch(/^X-Request-Id: \S+$/im);
  });

  it("gets a head with the length and without the body", async () => {
    const answer = await curl(["-I", `${gateway.url}/download?bytes=12345`]);
    expect(answer.status).toBe(200);
    expect(answer.heads[0]).toMatch(/^Content-Length: 12345$/im);
    expect(answer.body).toBe("");
  });

  it("posts a form", async () => {
    const answer = await curl(["-d", "a=1&b=2", `${gateway.url}/echo`]);
    expect(answer.status).toBe(200);
    expect(answer.body).toBe("a=1&b=2");
  });

  it("uploads a file with PUT, whole and unchanged", async () => {
    const file = Buffer.from(Array.from({ length: 3 * 1024 * 1024 }, (_, index) => (index * 7919) % 251));
    const answer = await curl(
      ["-T", "-", "-H", `Content-Length: ${file.length}`, "-H", "Transfer-Encoding:", `${gateway.url}/upload`],
      file,
    );
    expect(JSON.parse(answer.body)).toMatchObject({ bytes: file.length, sha256: sha256(file) });
  });

  it("uploads in chunks when the length is not known", async () => {
    const file = Buffer.alloc(700_000, "chunky ");
    const answer = await curl(["-T", "-", `${gateway.url}/upload`], file);
    expect(JSON.parse(answer.body)).toMatchObject({ bytes: file.length, sha256: sha256(file) });
  });

  it("waits for 100 Continue before a large upload and gets it", async () => {
    const file = Buffer.alloc(2_000_000, "x");
    const answer = await curl(
      ["-v", "-H", "Expect: 100-continue", "--expect100-timeout", "20", "--data-binary", "@-", `${gateway.url}/upload`],
      file,
    );
    expect(answer.heads[0]).toMatch(/^HTTP\/1\.1 100 /);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ bytes: file.length });
  });

  it("sees 103 Early Hints before the response", async () => {
    const answer = await curl([`${gateway.url}/early-hints`]);
    expect(answer.heads[0]).toMatch(/^HTTP\/1\.1 103 /);
    expect(answer.heads[0]).toMatch(/^link: <\/style\.css>; rel=preload; as=style$/im);
    expect(answer.status).toBe(200);
    expect(answer.body).toBe("after the hints");
  });

  it("speaks HTTP/1.0 and gets no chunks and no interim responses", async () => {
    const plain = await curl(["--http1.0", "--raw", `${gateway.url}/download?bytes=5000&chunked=1`]);
    expect(plain.status).toBe(200);
    expect(plain.heads[0]).not.toMatch(/^Transfer-Encoding:/im);
    expect(plain.body).toHaveLength(5_000);
    const hints = await curl(["--http1.0", `${gateway.url}/early-hints`]);
    expect(hints.heads).toHaveLength(1);
    expect(hints.body).toBe("after the hints");
  });

  it("uses one connection for several requests", async () => {
    const answer = await curl(["-v", `${gateway.url}/name`, `${gateway.url}/name`, `${gateway.url}/name`]);
    expect(answer.stderr.match(/Re-using existing connection/gi)).toHaveLength(2);
  });

  it("reaches the application with its method, target and own fields untouched", async () => {
    const answer = await curl(["-X", "PATCH", "-H", "X-Own: Kept As It Is", `${gateway.url}/seen?q=%41%2F&x=a%20b`]);
    const seen = JSON.parse(answer.body) as Seen;
    expect(seen).toMatchObject({ method: "PATCH", target: "/seen?q=%41%2F&x=a%20b", version: "1.1" });
    expect(seen.fields.join("\n")).toContain("X-Own\nKept As It Is");
  });

  it.each([204, 304, 404, 418, 503])("passes the application's own %i on with its words", async (code) => {
    const answer = await curl([`${gateway.url}/status?code=${code}`]);
    expect(answer.status).toBe(code);
    expect(answer.heads[0]).toMatch(/^X-App: app$/m);
    expect(answer.body).toBe(code === 204 || code === 304 ? "" : `the application says ${code}`);
  });
});

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
