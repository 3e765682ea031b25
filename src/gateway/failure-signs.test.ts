/** What is written down beside a cause, in a whole gateway. */
import { describe, expect, it } from "vitest";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../test/support/memory-gateway.ts";
import type { AttemptRecord } from "../contract/record.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

function world(service: Record<string, unknown> = {}): Promise<MemoryGateway> {
  return memoryGateway({
    service: { health: false, retry: false, ...service },
    rest: { records: { sample: "100%" } },
    ownUse: () => ({ memoryBytes: 1, memoryMax: 100, descriptorsOpen: 100, descriptorsMax: 1_024 }),
  });
}

function lastAttempt({ records }: MemoryGateway): AttemptRecord | undefined {
  return records.at(-1)?.attempts.at(-1);
}

describe("the signs of an attempt", () => {
  it("are not there when nothing failed, nor is the state of the process", async () => {
    const gateway = await world();
    gateway.client().send(GET);
    gateway.origin(1).send(OK);
    expect(gateway.records[0]).toMatchObject({ outcome: "served", own: null, attempts: [{ signs: null }] });
  });

  it("of a connection that was used too late say how it ended and what was known of the origin", async () => {
    const gateway = await world();
    const client = gateway.client();
    client.send(GET);
    gateway.origin(1).send(OK.replace("\r\n\r\n", "\r\nKeep-Alive: timeout=5\r\n\r\n"));
    gateway.advance(3_000);
    client.send(GET);
    gateway.origin(1).fin();
    expect(lastAttempt(gateway)).toMatchObject({
      cause: "origin.keepalive_race",
      connectionIdleMs: 3_000,
      signs: {
        end: "FIN",
        detail: "",
        requestSent: true,
        keepAliveMs: 5_000,
        answeredAgoMs: 3_000,
        connectedAgoMs: 3_000,
        inFlight: 1,
        own: { descriptorsLeft: 924, stallAgoMs: -1 },
      },
    });
    expect(gateway.records.at(-1)?.own).toMatchObject({ descriptorsLeft: 924 });
  });

  it("tell a reset from a FIN, and say how the body ends where that matters", async () => {
    const gateway = await world();
    gateway.client().send(GET);
    gateway.origin(1).send("HTTP/1.1 200 OK\r\n\r\nhalf");
    gateway.origin(1).rst();
    expect(lastAttempt(gateway)).toMatchObject({
      cause: "origin.truncated_unframed",
      signs: { end: "error", detail: "ECONNRESET", framing: "close" },
    });
  });

  it("of silence name the limit that ran out, and say that nobody was ever answered there", async () => {
    const gateway = await world();
    gateway.network.acceptAtOnce = false;
    gateway.client().send(GET);
    gateway.advance(3_000);
    expect(lastAttempt(gateway)).toMatchObject({
      cause: "net.connect_timeout",
      signs: { end: "timeout", detail: "connect", limitMs: 2_000, answeredAgoMs: -1, connectedAgoMs: -1 },
    });
  });

  it("of an answer say what its head shows of gateways behind", async () => {
    const gateway = await world();
    gateway.client().send(GET);
    gateway.origin(1).send("HTTP/1.1 502 Bad Gateway\r\nServer: awselb/2.0\r\nContent-Length: 0\r\n\r\n");
    expect(lastAttempt(gateway)).toMatchObject({
      cause: "origin.nested_gw_5xx",
      signs: { end: "answer", marks: [{ text: "Server: awselb/2.0", says: "made" }] },
    });
  });

  it("have the shape of what was asked for, and nothing of who asked", async () => {
    const gateway = await world({ retry: {} });
    const fields = "Accept: text/html\r\nAccept-Encoding: br\r\nRange: bytes=0-99\r\nCookie: secret\r\n";
    const request = `GET /a HTTP/1.1\r\nHost: x\r\n${fields}\r\n`;
    gateway.client().send(request);
    gateway.origin(1).send("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
    expect(lastAttempt(gateway)?.signs?.asked).toEqual({
      headBytes: request.length,
      accept: "text/html",
      acceptEncoding: "br",
      range: "bytes=0-99",
    });
    gateway.client().send(`GET / HTTP/1.1\r\nHost: x\r\nAccept: ${"a".repeat(257)}\r\n\r\n`);
    gateway.origin(1).send("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
    expect(lastAttempt(gateway)?.signs?.asked).toMatchObject({ accept: "", acceptEncoding: "", range: "" });
    expect(JSON.stringify(gateway.records)).not.toContain("secret");
  });

  it("of a process that was never late and does not know its limits say so", async () => {
    const gateway = await memoryGateway({ service: { health: false, retry: false } });
    gateway.client().send(GET);
    gateway.origin(1).fin();
    expect(gateway.records.at(-1)?.own).toEqual({
      lastStallMs: 0,
      stallAgoMs: -1,
      loopLateMs: 0,
      // Nobody says how many there are.
      descriptorsLeft: -1,
    });
  });
});
