/**
 * What an origin is told about the client, and what it is not: fields about the client count only when they come
 * from a trusted proxy; from anybody else they are dropped, because the origin could not tell them from true ones.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { readFields } from "../support/http-message.ts";
import { rawClient } from "../support/raw-client.ts";
import { answerAll, rawOrigin, response, type RawOrigin } from "../support/raw-origin.ts";

let origin: RawOrigin;
let open: GatewayProcess;
let trusting: GatewayProcess;

beforeAll(async () => {
  origin = await rawOrigin(answerAll(response(200, "ok", { "X-Request-Id": "from-the-origin", Via: "1.1 inner" })));
  open = await startGateway(inFrontOf([origin.url]));
  trusting = await startGateway(inFrontOf([origin.url], {}, { listener: { trustedProxies: ["127.0.0.0/8"] } }));
});
afterAll(async () => {
  await open?.stop();
  await trusting?.stop();
  await origin?.close();
});

interface Told {
  origin: Record<string, string>;
  client: Record<string, string>;
}

let asked = 0;

/** What the origin and the client were told when a client sent these fields. */
async function told(gateway: GatewayProcess, fields: string): Promise<Told> {
  asked += 1;
  const client = await rawClient(gateway.port);
  await client.send(`GET /asked-${asked} HTTP/1.1\r\nHost: shop.example\r\n${fields}\r\n`);
  const answer = await client.response();
  client.close();
  const head = origin.heads.find((seen) => seen.startsWith(`GET /asked-${asked} `)) ?? "";
  return { origin: readFields(head.split("\r\n").slice(1)), client: { ...answer.headers } };
}

const FORGED = [
  "X-Forwarded-For: 6.6.6.6",
  "X-Forwarded-Proto: https",
  "X-Forwarded-Host: evil.example",
  "X-Real-IP: 6.6.6.6",
  "Forwarded: for=6.6.6.6;proto=https",
  "X-Request-Id: chosen-by-client",
]
  .map((line) => `${line}\r\n`)
  .join("");

describe("an origin behind a gateway that trusts nobody", () => {
  it("is told who the peer really is, and nothing that the peer claimed", async () => {
    const { origin: fields } = await told(open, FORGED);
    expect(fields["x-forwarded-for"]).toBe("127.0.0.1");
    expect(fields["x-forwarded-proto"]).toBe("http");
    expect(fields["x-forwarded-host"]).toBe("shop.example");
    expect(fields["forwarded"]).toMatch(/^for="?127\.0\.0\.1"?/);
    expect(JSON.stringify(fields)).not.toMatch(/6\.6\.6\.6|evil\.example|chosen-by-client/);
  });

  it("sees the client's Host and one Via entry with this gateway's name", async () => {
    const { origin: fields } = await told(open, "Via: 1.0 before\r\n");
    expect(fields["host"]).toBe("shop.example");
    expect(fields["via"]).toMatch(/^1\.0 before, 1\.1 goodgate\S*$/);
  });

  it("shares one request id with the client and with the record", async () => {
    const seen = await told(open, FORGED);
    const id = seen.origin["x-request-id"];
    expect(id).toMatch(/^\S{16,}$/);
    expect(seen.client["x-request-id"]).toBe(id);
    const record = await open.record("it", (one) => one.id === id);
    expect(record).toMatchObject({ clientAddress: "127.0.0.1", peerAddress: "127.0.0.1" });
  });
});

describe("an origin behind a gateway that trusts the proxy before it", () => {
  it("gets the chain with the proxy as its last hop", async () => {
    const { origin: fields } = await told(trusting, "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n");
    expect(fields["x-forwarded-for"]).toBe("203.0.113.9, 127.0.0.1");
    expect(fields["x-forwarded-proto"]).toBe("https");
  });

  it("keeps the request id that the proxy gave, and the record names the true client", async () => {
    const seen = await told(trusting, "X-Forwarded-For: 203.0.113.9\r\nX-Request-Id: edge-42\r\n");
    expect(seen.origin["x-request-id"]).toBe("edge-42");
    expect(seen.client["x-request-id"]).toBe("edge-42");
    const record = await trusting.record("it", (one) => one.id === "edge-42");
    expect(record).toMatchObject({ clientAddress: "203.0.113.9", peerAddress: "127.0.0.1" });
  });

  it("does not believe entries to the left of the first untrusted address", async () => {
    await told(trusting, "X-Forwarded-For: 6.6.6.6, 203.0.113.9, 127.0.0.2\r\nX-Request-Id: edge-43\r\n");
    const record = await trusting.record("it", (one) => one.id === "edge-43");
    expect(record.clientAddress).toBe("203.0.113.9");
  });

  it("refuses a request id that could break a log or a field", async () => {
    const seen = await told(trusting, 'X-Request-Id: "quoted and spaced"\r\n');
    expect(seen.origin["x-request-id"]).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe("a trace", () => {
  it("that the client began goes on under its id", async () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const seen = await told(open, `traceparent: ${traceparent}\r\ntracestate: vendor=1\r\n`);
    expect(seen.origin["traceparent"]).toContain("4bf92f3577b34da6a3ce929d0e0e4736");
    expect(seen.origin["tracestate"]).toBe("vendor=1");
    const record = await open.record("it", ({ id }) => id === seen.client["x-request-id"]);
    expect(record.traceId).toBe("4bf92f3577b34da6a3ce929d0e0e4736");
    expect(record.parentSpanId).toBe("00f067aa0ba902b7");
  });

  it("begins here when there is none, or an invalid one", async () => {
    for (const fields of [
      "",
      "traceparent: 00-00000000000000000000000000000000-00f067aa0ba902b7-01\r\ntracestate: vendor=1\r\n",
    ]) {
      const seen = await told(open, fields);
      expect(seen.origin["traceparent"]).toMatch(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[0-3]$/);
      expect(seen.origin["tracestate"]).toBeUndefined();
    }
  });
});

describe("fields of one hop", () => {
  it("do not reach the origin, nor do those that Connection names", async () => {
    const { origin: fields } = await told(
      open,
      "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nTE: gzip\r\nProxy-Connection: keep-alive\r\n",
    );
    for (const name of ["x-hop", "keep-alive", "proxy-connection"]) expect(fields[name]).toBeUndefined();
  });
});
